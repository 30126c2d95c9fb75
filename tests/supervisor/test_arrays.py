"""Arrays are owned, read-only float64, or refused; nothing is broadcast, cut or quietly converted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from interlock.arrays import flags, floats, where_least, whole, wholes

REFUSED = {
    "text": [["1"]],
    "objects": np.array([[None]], dtype=object),
    "booleans": [[True]],
    "complex numbers": [[1j]],
    "half precision": np.zeros((1, 1), dtype=np.float16),
    "ragged rows": [[1.0], [1.0, 2.0]],
    "a masked array": np.ma.masked_array([[1.0]], mask=[[True]]),
    "numbers beyond 64 bits": [[10**30]],
}


@pytest.mark.parametrize("what", REFUSED)
def test_F05_what_is_no_array_of_numbers_is_refused(what: str) -> None:
    with pytest.raises(TypeError, match="values must"):
        floats("values", REFUSED[what], 2)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("values", [[1.0], [[[1.0]]], 1.0])
def test_F05_another_rank_is_refused(values: Any) -> None:
    with pytest.raises(ValueError, match="must have 2 axes"):
        floats("values", values, 2)
    with pytest.raises(ValueError, match="must have 2 axes"):
        flags("mask", np.ones_like(values, dtype=np.bool_), 2)


def test_F05_an_array_that_its_owner_changes_afterwards_does_not_change() -> None:
    owned = np.asfortranarray(np.arange(6.0).reshape(2, 3))

    held = floats("values", owned, 2)
    owned[:] = 9.0

    assert held.tolist() == [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
    assert held.flags.c_contiguous
    assert not held.flags.writeable


def test_F01_any_float_is_held_and_minus_zero_becomes_zero() -> None:
    held = floats("values", [np.nan, -np.inf, 5e-324, -0.0], 1)

    assert np.array_equal(held, [np.nan, -np.inf, 5e-324, 0.0], equal_nan=True)
    assert not np.signbit(held[3])


def test_a_mask_holds_booleans_only() -> None:
    held = flags("mask", [[True, False]], 2)

    assert held.tolist() == [[True, False]]
    assert not held.flags.writeable
    with pytest.raises(TypeError, match="must hold booleans, got int64"):
        flags("mask", [[1, 0]], 2)


@pytest.mark.parametrize(
    ("value", "error"),
    [(True, TypeError), (1.0, TypeError), (None, TypeError), (2**63, ValueError), (-(2**63) - 1, ValueError)],
)
def test_a_whole_number_fits_64_bits(value: object, error: type[Exception]) -> None:
    whole("seen_ns", -(2**63))

    with pytest.raises(error, match="seen_ns must"):
        whole("seen_ns", value)


def test_F13_times_are_whole_numbers_of_64_bits_in_one_row() -> None:
    held = wholes("times", np.array([1, 2], dtype=np.uint64))

    assert held.dtype == np.int64
    assert held.tolist() == [1, 2]
    assert not held.flags.writeable


@pytest.mark.parametrize("values", [[0.5], [np.inf], [np.nan], [True], [2**64], ["1"], [[1], [1, 2]], []], ids=repr)
def test_F13_times_that_are_no_whole_numbers_are_refused(values: Any) -> None:
    with pytest.raises(TypeError, match="times must"):
        wholes("times", values)


@pytest.mark.parametrize("values", [[[1, 2]], 1, [2**63]], ids=repr)
def test_F13_times_of_another_rank_or_beyond_64_bits_are_refused(values: Any) -> None:
    with pytest.raises(ValueError, match="times must be one row of numbers that fit 64 bits"):
        wholes("times", values)


@pytest.mark.parametrize(
    ("values", "place"), [([2.0, 1.0, 1.0], 1), ([1.0, np.nan, -np.inf, np.nan], 1), ([np.inf, np.inf], 0)]
)
def test_F01_nan_is_less_than_anything(values: list[float], place: int) -> None:
    assert where_least(np.array(values)) == place
