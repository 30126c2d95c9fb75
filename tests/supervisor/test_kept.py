"""So many values are kept, the oldest goes first, and threads that ask for one key get one value."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest

from interlock.kept import MOST, Kept, kept


def test_what_is_kept_is_made_once_and_the_oldest_goes_first() -> None:
    store, numbers = Kept[str, int](2), count()

    found = [store.of(key, lambda: next(numbers)) for key in ("a", "b", "a", "c", "b", "a")]

    assert found == [0, 1, 0, 2, 1, 3]
    assert len(store) == 2


def test_what_cannot_be_made_is_not_kept() -> None:
    store = Kept[str, int](1)

    with pytest.raises(ZeroDivisionError):
        store.of("a", lambda: 1 // 0)

    assert store.of("a", lambda: 2) == 2


def test_threads_get_the_value_of_their_own_key() -> None:
    store = Kept[int, int](3)

    def ask(turn: int) -> bool:
        return store.of(turn % 7, lambda: turn % 7) == turn % 7

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(ask, range(5_000)))


class Value:
    """Something frozen; all are equal, and none is the same as another."""

    def __init__(self, number: int = 0) -> None:
        self.number = number

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Value)

    __hash__ = None  # type: ignore[assignment]


def test_each_value_is_worked_out_once_and_equal_ones_are_not_mixed_up() -> None:
    asked: list[tuple[int, int]] = []

    @kept
    def both(one: Value, other: Value) -> tuple[int, int]:
        asked.append((one.number, other.number))
        return one.number, other.number

    one, other = Value(1), Value(2)

    assert [both(one, other), both(other, one), both(one, other)] == [(1, 2), (2, 1), (1, 2)]
    assert asked == [(1, 2), (2, 1)]


def test_a_value_that_takes_the_place_of_one_long_gone_is_worked_out_anew() -> None:
    @kept
    def number(value: Value) -> int:
        return value.number

    assert [number(Value(count)) for count in range(3 * MOST)] == list(range(3 * MOST))
