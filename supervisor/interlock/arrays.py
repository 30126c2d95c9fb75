"""Owned, read-only float64 arrays, which every value of the core holds; shapes are compared, never broadcast."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]


def floats(name: str, values: npt.ArrayLike, ndim: int) -> FloatArray:
    """A read-only float64 copy of values with exactly ndim axes; any float is kept, NaN included.

    Raises TypeError for text, objects, booleans, complex numbers, half precision and ragged rows; ValueError for
    another rank.
    """
    try:
        found = np.asarray(values)
    except ValueError as error:
        raise TypeError(f"{name} must be a rectangular array of numbers, got ragged rows") from error
    if found.size == 0 and found.dtype == np.float64:
        pass
    elif found.dtype.kind not in "fiu" or found.dtype == np.float16:
        raise TypeError(f"{name} must hold float32, float64 or integers, got {found.dtype}; convert it first")
    if found.ndim != ndim:
        raise ValueError(f"{name} must have {ndim} axes, got shape {found.shape}")
    return frozen(np.array(found, dtype=np.float64, order="C"))


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
