"""The only arrays and numpy scalars that a dialect may carry: five dtypes, exact sizes, numbers that cannot change."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from typing import Final, cast

import numpy as np

from .caps import Array, BadMessage, Caps, shown

# The whole list (F-45): no objects, no text, no records, no booleans, no half precision, no other byte order.
DTYPES: Final = {name: np.dtype(name) for name in ("<f4", "<f8", "<i4", "<i8", "|u1")}
MOST_AXES: Final = 8  # a batch of histories of colour images has five


def array(dtype: object, shape: object, payload: object, caps: Caps) -> Array:
    """The array that a peer described, C-contiguous, over bytes of its own that nobody can write to.

    dtype: one of the names in `DTYPES`, in exactly that spelling. shape: at most 8 sizes, none negative. payload: as
    many bytes as these two say. Raises BadMessage for all else; numpy never sees what the peer wrote.
    """
    kind = kind_of(dtype)
    sizes = sizes_of(shape)
    most = kind.itemsize * math.prod(max(size, 1) for size in sizes)
    if most > caps.array_bytes:
        raise BadMessage(f"an array of shape {_listed(sizes)} and {shown(dtype)}, at most {caps.array_bytes} bytes")
    expected = kind.itemsize * math.prod(sizes)
    if type(payload) is not bytes:
        raise BadMessage(f"an array's numbers must be bytes, got {shown(payload)}")
    if len(payload) != expected:
        raise BadMessage(
            f"an array of shape {_listed(sizes)} and {shown(dtype)} has {expected} bytes, got {len(payload)}"
        )
    return np.frombuffer(payload, dtype=kind).reshape(sizes)


def scalar(dtype: object, value: object) -> int | float:
    """The plain number of a numpy scalar; raises BadMessage for a number that its dtype cannot hold."""
    kind = kind_of(dtype)
    if kind.kind == "f":
        if type(value) is not float:
            raise BadMessage(f"a scalar of {shown(dtype)} must be a float, got {shown(value)}")
        if kind.itemsize == 4 and not _single(value):
            raise BadMessage(f"{shown(value)} is no number of single precision")
        return value
    bits = 8 * kind.itemsize
    lowest, beyond = (0, 2**bits) if kind.kind == "u" else (-(2 ** (bits - 1)), 2 ** (bits - 1))
    if type(value) is not int or not lowest <= value < beyond:
        raise BadMessage(f"a scalar of {shown(dtype)} must be a whole number within it, got {shown(value)}")
    return value


def kind_of(dtype: object) -> np.dtype[np.generic]:
    """The numpy dtype of a name in the whitelist; raises BadMessage."""
    if type(dtype) is not str or dtype not in DTYPES:
        raise BadMessage(f"dtype {shown(dtype)} is not accepted, only {', '.join(DTYPES)} are")
    return DTYPES[dtype]


def sizes_of(shape: object) -> tuple[int, ...]:
    """The sizes of an array's axes; raises BadMessage for what is no list of whole numbers from 0 on."""
    if type(shape) not in {list, tuple}:
        raise BadMessage(f"a shape must be a list of sizes, got {shown(shape)}")
    sizes = cast(Sequence[object], shape)
    if len(sizes) > MOST_AXES:
        raise BadMessage(f"an array of {len(sizes)} axes, at most {MOST_AXES} are allowed")
    for size in sizes:
        if type(size) is not int or size < 0:
            raise BadMessage(f"the size of an axis must be a whole number from 0 on, got {shown(size)}")
    return cast(tuple[int, ...], tuple(sizes))


def writable(values: Array) -> Array:
    """The array, C-contiguous, if its dtype is in the whitelist; raises TypeError."""
    if type(values) is not np.ndarray or values.dtype.str not in DTYPES:
        raise TypeError(
            f"only plain arrays of {', '.join(DTYPES)} can be sent, got {type(values).__name__} of {values.dtype}"
        )
    if values.ndim > MOST_AXES:
        raise TypeError(f"an array of {values.ndim} axes cannot be sent, at most {MOST_AXES}")
    return values if values.flags.c_contiguous else np.array(values, order="C")


def _single(value: float) -> bool:
    """Whether single precision holds the value; NaN and infinities count."""
    try:
        (single,) = struct.unpack("<f", struct.pack("<f", value))
    except OverflowError:
        return False
    return math.isnan(value) or bool(single == value)


def _listed(sizes: tuple[int, ...]) -> str:
    return f"[{', '.join(map(shown, sizes))}]"
