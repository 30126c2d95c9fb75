"""So many values are kept, the oldest goes first, and threads that ask for one key get one value."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest

from interlock.kept import Kept


def test_what_is_kept_is_made_once_and_the_oldest_goes_first() -> None:
    kept, numbers = Kept[str, int](2), count()

    found = [kept.of(key, lambda: next(numbers)) for key in ("a", "b", "a", "c", "b", "a")]

    assert found == [0, 1, 0, 2, 1, 3]
    assert len(kept) == 2


def test_what_cannot_be_made_is_not_kept() -> None:
    kept = Kept[str, int](1)

    with pytest.raises(ZeroDivisionError):
        kept.of("a", lambda: 1 // 0)

    assert kept.of("a", lambda: 2) == 2


def test_threads_get_the_value_of_their_own_key() -> None:
    kept = Kept[int, int](3)

    def ask(turn: int) -> bool:
        return kept.of(turn % 7, lambda: turn % 7) == turn % 7

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(ask, range(5_000)))
