"""What was worked out before, by what it follows from: so many of each, for any thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from functools import wraps
from typing import Final, Generic, TypeVar, TypeVarTuple

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")
Values = TypeVarTuple("Values")
Found = TypeVar("Found")

MOST: Final = 64  # how much a function keeps


class Kept(Generic[Key, Value]):
    """At most `most` values; the one that was made first goes first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: dict[Key, Value] = {}
        self._turn = threading.RLock()

    def __len__(self) -> int:
        return len(self._values)

    def of(self, key: Key, make: Callable[[], Value]) -> Value:
        """The value of a key, made by `make` if it is not kept; what that raises is raised, and nothing is kept."""
        with self._turn:
            if key not in self._values:
                made = make()
                while len(self._values) >= self._most:
                    self._values.pop(next(iter(self._values)))
                self._values[key] = made
            return self._values[key]


def kept(work: Callable[[*Values], Found]) -> Callable[[*Values], Found]:
    """The function of frozen values, worked out once for those that it is asked of.

    A value is known by its identity: to compare profiles or layouts field by field takes longer than what is saved.
    Each is held, so that no other can take its place. When MOST are held, all are forgotten.
    """
    known: dict[tuple[int, ...], tuple[tuple[*Values], Found]] = {}

    @wraps(work)
    def remembered(*values: *Values) -> Found:
        key = tuple(map(id, values))
        entry = known.get(key)
        if entry is None:
            if len(known) >= MOST:
                known.clear()
            entry = known[key] = values, work(*values)
        return entry[1]

    return remembered
