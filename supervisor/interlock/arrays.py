"""The numbers that values of the core hold: owned, read-only float64 arrays, and whole numbers of at most 64 bits."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]


def floats(name: str, values: npt.ArrayLike, ndim: int) -> FloatArray:
    """A read-only float64 copy of values with exactly ndim axes; any float is kept, NaN included.

    Minus zero becomes zero, as in the record. Raises TypeError for text, objects, booleans, complex numbers, half
    precision, ragged rows and masked arrays (whose mask would be lost); ValueError for another rank.
    """
    try:
        found = np.asarray(values)
    except ValueError as error:
        raise TypeError(f"{name} must be a rectangular array of numbers, got ragged rows") from error
    if found.dtype.kind not in "fiu" or found.dtype == np.float16 or isinstance(values, np.ma.MaskedArray):
        raise TypeError(f"{name} must hold float32, float64 or integers, got {found.dtype}; convert it first")
    if found.ndim != ndim:
        raise ValueError(f"{name} must have {ndim} axes, got shape {found.shape}")
    return frozen(unsigned_zeros(np.array(found, dtype=np.float64, order="C")))


def unsigned_zeros(values: FloatArray) -> FloatArray:
    """The same array, in which every minus zero is now zero."""
    with np.errstate(invalid="ignore"):  # a signalling NaN is a NaN like any other
        values += 0.0
    return values


def whole(name: str, value: object) -> int:
    """The value, if it is a whole number; raises TypeError for a boolean or a float, ValueError beyond 64 bits."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be a whole number, got {type(value).__name__}")
    plain = int.__index__(value)
    if not -(2**63) <= plain < 2**63:
        raise ValueError(f"{name} must fit 64 bits, got {plain.bit_length()}")
    return plain


def wholes(name: str, values: npt.ArrayLike) -> IntArray:
    """A read-only int64 copy of one row of whole numbers; raises TypeError for floats and booleans, ValueError for
    another rank or what 64 bits do not hold.
    """
    try:
        found = np.asarray(values)
    except ValueError as error:
        raise TypeError(f"{name} must be one row of whole numbers, got ragged rows") from error
    if found.dtype.kind not in "iu":
        raise TypeError(f"{name} must hold whole numbers of at most 64 bits, got {found.dtype}")
    if found.ndim != 1 or not (found <= np.iinfo(np.int64).max).all():
        raise ValueError(f"{name} must be one row of numbers that fit 64 bits, got shape {found.shape}")
    owned = np.array(found, dtype=np.int64)
    owned.flags.writeable = False
    return owned


def where_least(values: FloatArray) -> int:
    """The place of the smallest of values (N,), the first NaN where there is one."""
    return int(values.argmin())


def flags(name: str, values: npt.ArrayLike, ndim: int) -> BoolArray:
    """A read-only boolean copy of values with exactly ndim axes; raises TypeError for anything but booleans."""
    found = np.asarray(values)
    if found.dtype != np.bool_:
        raise TypeError(f"{name} must hold booleans, got {found.dtype}")
    if found.ndim != ndim:
        raise ValueError(f"{name} must have {ndim} axes, got shape {found.shape}")
    owned = np.array(found, order="C")
    owned.flags.writeable = False
    return owned


def frozen(values: FloatArray) -> FloatArray:
    """The same float64 array, made read-only; the caller gives up its ownership."""
    values.flags.writeable = False
    return values
