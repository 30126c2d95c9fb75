"""The only thing that moves a robot: a permit, made by the supervisor alone, after its record, and used once (F-43)."""

from __future__ import annotations

from typing import Final, SupportsIndex

from .errors import PermitRefused
from .log import Entry
from .motion import Plan

SUPERVISOR_KEY: Final = object()  # whoever holds this may make permits; only supervisor.py imports it


class Standing:
    """Whether the permits that were made with it still stand; taken back once, with the reason."""

    __slots__ = ("why",)

    def __init__(self) -> None:
        self.why = ""

    def take_back(self, why: str) -> None:
        """No permit made with this one is good any more."""
        self.why = why


class Permit:
    """Leave to follow one plan: which record allowed it, for which robot, until when [ns] it may be begun."""

    __slots__ = ("_plan", "_standing", "_used", "entry", "robot", "rows", "start_row", "valid_until_ns")
    _plan: Plan
    _standing: Standing
    _used: bool
    entry: Entry
    robot: str
    start_row: int
    rows: int
    valid_until_ns: int

    def __init__(
        self, key: object, plan: Plan, *, standing: Standing, entry: Entry, robot: str, start_row: int, rows: int,
        valid_until_ns: int,
    ) -> None:  # fmt: skip
        if key is not SUPERVISOR_KEY:
            raise PermitRefused("a permit is made by a supervisor's review, and by nothing else")
        found = {
            "_plan": plan,
            "_standing": standing,
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
        if self._used:
            raise PermitRefused(f"the permit of record {self.entry.index} was used before; ask for another review")
        if self._standing.why:
            raise PermitRefused(f"the permit of record {self.entry.index} was taken back: {self._standing.why}")
        if robot != self.robot:
            raise PermitRefused(f"the permit is for the robot {self.robot[:12]}, not for {robot[:12]}")
        if not now_ns <= self.valid_until_ns:
            raise PermitRefused(
                f"the permit ended {(now_ns - self.valid_until_ns) / 1e6:.1f} ms ago; ask for another review"
            )
        object.__setattr__(self, "_used", True)
        return self._plan
