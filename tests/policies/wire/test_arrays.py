"""Only five dtypes, in exactly the size that their shape says, and nobody can change them afterwards."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock_policies.wire.arrays import array, scalar, writable
from interlock_policies.wire.caps import CAPS, BadMessage, Caps
from tests.policies.wire.values import ARRAYS

SIX = struct.pack("<6f", 1, 2, 3, 4, 5, 6)


def test_the_numbers_are_where_they_were_sent() -> None:
    found = array("<f4", [2, 3], SIX, CAPS)

    assert found.tolist() == [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
    assert found.dtype == np.float32
    assert found.flags.c_contiguous


@given(ARRAYS)
def test_every_accepted_array_comes_back(sent: np.ndarray[Any, Any]) -> None:
    found = array(sent.dtype.str, list(sent.shape), sent.tobytes(), CAPS)

    assert (found.dtype, found.shape, found.tobytes()) == (sent.dtype, sent.shape, sent.tobytes())


def test_F05_nobody_can_write_to_what_was_read() -> None:
    found = array("<f4", [6], SIX, CAPS)

    with pytest.raises(ValueError, match="read-only"):
        found[0] = 9.0
    with pytest.raises(ValueError, match="cannot set WRITEABLE"):
        found.flags.writeable = True


@pytest.mark.parametrize(
    "dtype",
    [
        "|O", "O", ">f4", "=f4", "<f2", "<f16", "|b1", "?", "<U5", "|S5", "|V8", "<M8[s]", "<c8", "f4", "float32",
        "<u8", "|i1", "|u1 ", "<f4\0", "<f4,<f4", "(2,)<f4", "", b"<f4", None, 7, True, ["<f4"],
        [["a", "<f4"]], {"a": "<f4"}, "x" * 100_000, "\x1b[2J",
    ],
    ids=lambda dtype: repr(dtype)[:20],
)  # fmt: skip
def test_F45_no_other_dtype_is_accepted(dtype: object) -> None:
    with pytest.raises(BadMessage, match=r"is not accepted, only <f4, <f8, <i4, <i8, \|u1 are") as refusal:
        array(dtype, [6], SIX, CAPS)

    assert len(str(refusal.value)) < 160
    assert str(refusal.value).isprintable()


@pytest.mark.parametrize(
    ("shape", "complaint"),
    [
        ([5], "has 20 bytes, got 24"),
        ([7], "has 28 bytes, got 24"),
        ([], "has 4 bytes, got 24"),
        ([0], "has 0 bytes, got 24"),
        ([-6], "from 0 on, got -6"),
        ([-2, -3], "from 0 on, got -2"),
        ([6.0], "from 0 on, got 6.0"),
        ([True, 6], "from 0 on, got True"),
        (["6"], "from 0 on, got '6'"),
        ([[6]], "from 0 on, got a list"),
        ([None], "from 0 on, got None"),
        (6, "must be a list of sizes, got 6"),
        ("6", "must be a list of sizes, got '6'"),
        (None, "must be a list of sizes, got None"),
        ({"6": 6}, "must be a list of sizes, got a dict"),
        ([1] * 8 + [6], "9 axes, at most 8"),
        ([2**62, 4], "at most 33554432 bytes"),
        ([2**32, 2**32], "at most 33554432 bytes"),
        ([2**31, 2**31, 2**2], "at most 33554432 bytes"),
        ([0, 2**62], "at most 33554432 bytes"),
        ([2**63, 2, 0], "at most 33554432 bytes"),
        ([10**400], "a whole number of 1329 bits"),
    ],
    ids=str,
)  # fmt: skip
def test_F45_no_shape_but_that_of_the_numbers_is_accepted(shape: object, complaint: str) -> None:
    with pytest.raises(BadMessage) as refusal:
        array("<f4", shape, SIX, CAPS)

    assert complaint in str(refusal.value)


@pytest.mark.parametrize("payload", [None, "x" * 24, [0] * 24, bytearray(24), 24], ids=repr)
def test_F45_numbers_are_bytes(payload: object) -> None:
    with pytest.raises(BadMessage, match="numbers must be bytes"):
        array("<f4", [6], payload, CAPS)


def test_an_array_may_be_as_large_as_allowed_and_no_larger() -> None:
    assert array("<f4", [2, 3], SIX, Caps(array_bytes=24)).size == 6
    with pytest.raises(BadMessage, match="at most 23 bytes"):
        array("<f4", [2, 3], SIX, Caps(array_bytes=23))


def test_an_array_without_numbers_keeps_its_shape() -> None:
    assert array("<f8", [0, 7], b"", CAPS).shape == (0, 7)


@pytest.mark.parametrize(
    ("dtype", "value"),
    [
        ("<f8", 0.1), ("<f8", float("inf")), ("<f4", 0.5), ("<f4", float("nan")), ("<f4", float("-inf")), ("<f4", -0.0),
        ("|u1", 255), ("|u1", 0), ("<i4", -(2**31)), ("<i4", 2**31 - 1), ("<i8", -(2**63)), ("<i8", 2**63 - 1),
    ],
)  # fmt: skip
def test_a_scalar_is_the_number_that_it_holds(dtype: str, value: float) -> None:
    found = scalar(dtype, value)

    assert type(found) is type(value)
    assert repr(found) == repr(value)


@pytest.mark.parametrize(
    ("dtype", "value"),
    [
        ("<f8", 1), ("<f8", "1"), ("<f8", None), ("<f4", 0.1), ("<f4", 1e39), ("<f4", True), ("|u1", 256), ("|u1", -1),
        ("<i4", 2**31), ("<i4", -(2**31) - 1), ("<i8", 2**63), ("<i8", 1.0), ("<i8", True), ("|b1", True),
        ("<U3", "abc"), ("|O", b"x"),
    ],
    ids=repr,
)  # fmt: skip
def test_F45_a_scalar_is_of_its_dtype(dtype: str, value: object) -> None:
    with pytest.raises(BadMessage):
        scalar(dtype, value)


@given(st.floats(), st.sampled_from(["<f4", "<f8"]))
def test_single_precision_is_told_from_double_as_numpy_does(value: float, dtype: str) -> None:
    with np.errstate(over="ignore"):
        held = np.array(value).astype(dtype).astype("<f8")

    if np.array_equal(held, value, equal_nan=True):
        assert repr(scalar(dtype, value)) == repr(value)
    else:
        with pytest.raises(BadMessage, match="no number of single precision"):
            scalar(dtype, value)


@pytest.mark.parametrize(
    "values",
    [
        np.zeros(2, ">f4"),
        np.zeros(2, np.float16),
        np.zeros(2, bool),
        np.array([None]),
        np.array(["a"]),
        np.zeros(2, [("a", "<f4")]),
        np.ma.masked_array(np.zeros(2), [True, False]),
        np.zeros((1,) * 9),
    ],
    ids=lambda values: f"{type(values).__name__} {values.dtype.str}",
)
def test_what_would_be_refused_is_not_sent(values: np.ndarray[Any, Any]) -> None:
    with pytest.raises(TypeError, match="sent"):
        writable(values)


def test_a_turned_array_is_sent_in_its_own_order() -> None:
    turned = np.arange(6.0).reshape(2, 3).T

    assert writable(turned).tolist() == turned.tolist()
    assert writable(turned).flags.c_contiguous
