"""What was worked out before, by what it follows from: so many of each, for any thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


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
