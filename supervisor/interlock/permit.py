"""The only thing that moves a robot: a permit, made by the supervisor alone, after its record, and used once (F-43)."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final, SupportsIndex

from .errors import PermitRefused
from .log import Entry
from .motion import Plan

SUPERVISOR_KEY: Final = object()  # whoever holds this may make permits; only supervisor.py imports it


class Brakes:
    """The brakes and stops of one supervisor, counted: no permit outlives one, and none is good while one is under way,
    however many threads brake at once.
    """

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._under_way = 0
        self.ended = 0

    @contextmanager
    def one(self) -> Generator[None]:
        """A brake, from the moment that it is called for until what was permitted before it is forgotten."""
        with self._turn:
            self._under_way += 1
        try:
            yield
        finally:
            with self._turn:
                self._under_way -= 1
                self.ended += 1

    def since(self, ended: int) -> bool:
        """Whether there is a brake under way, or one has ended since so many had."""
        with self._turn:
            return self._under_way != 0 or self.ended != ended


class Permit:
    """Leave to follow one plan: which record allowed it, for which robot, until when [ns] it may be begun."""

    __slots__ = (
        "_brakes",
        "_ended",
        "_plan",
        "_turn",
        "_used",
        "entry",
        "robot",
        "rows",
        "start_row",
        "valid_until_ns",
    )
    _brakes: Brakes
    _ended: int
    _plan: Plan
    _turn: threading.Lock
    _used: bool
    entry: Entry
    robot: str
    start_row: int
    rows: int
    valid_until_ns: int

    def __init__(
        self, key: object, plan: Plan, *, brakes: Brakes, entry: Entry, robot: str, start_row: int, rows: int,
        valid_until_ns: int,
    ) -> None:  # fmt: skip
        if key is not SUPERVISOR_KEY:
            raise PermitRefused("a permit is made by a supervisor's review, and by nothing else")
        found = {
            "_brakes": brakes,
            "_ended": brakes.ended,
            "_plan": plan,
            "_turn": threading.Lock(),
            "_used": False,
            "entry": entry,
            "robot": robot,
            "start_row": start_row,
            "rows": rows,
        }
        for name, value in {**found, "valid_until_ns": valid_until_ns}.items():
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: object) -> None:
        """Raises PermitRefused: what was permitted does not change."""
        raise PermitRefused(f"{name} of a permit cannot be changed; ask for another review")

    def __reduce_ex__(self, _protocol: SupportsIndex) -> str:
        """Raises PermitRefused: a copy could be used once more."""
        raise PermitRefused("a permit cannot be copied or sent; ask for another review")

    def use(self, robot: str, now_ns: int) -> Plan:
        """The plan, once. `robot` is the digest of the profile that the caller drives. Raises PermitRefused."""
        with self._turn:
            if self._used:
                raise PermitRefused(f"the permit of record {self.entry.index} was used before; ask for another review")
            if self._brakes.since(self._ended):
                raise PermitRefused(
                    f"the permit of record {self.entry.index} was taken back: the robot was braked since"
                )
            if robot != self.robot:
                raise PermitRefused(f"the permit is for the robot {self.robot[:12]}, not for {robot[:12]}")
            if not now_ns <= self.valid_until_ns:
                raise PermitRefused(
                    f"the permit ended {(now_ns - self.valid_until_ns) / 1e6:.1f} ms ago; ask for another review"
                )
            object.__setattr__(self, "_used", True)
            return self._plan
