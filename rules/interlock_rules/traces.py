"""Making traces: one quantity along a motion; what is not judged is +inf, what is unknown is NaN, and NaN
never hides.
"""

from __future__ import annotations

import numpy as np

from interlock import kernels
from interlock.arrays import BoolArray, FloatArray
from interlock.motion import Motion
from interlock.rules import Trace


def below(
    motion: Motion,
    value: FloatArray,
    limit: FloatArray,
    judged: BoolArray,
    unit: str,
    names: tuple[str, ...],
    quantity: str,
    points: FloatArray | None = None,
) -> Trace:
    """A trace of limit - value, each (N,), on the nodes judged (N,); +inf on the others, unless the value
    there is NaN.
    """
    margin = np.where(judged | np.isnan(value), limit - value, np.inf)
    return trace(motion, margin, value, limit, unit, names, quantity, points)


def trace(
    motion: Motion,
    margin: FloatArray,
    value: FloatArray,
    limit: FloatArray,
    unit: str,
    names: tuple[str, ...],
    quantity: str,
    points: FloatArray | None = None,
) -> Trace:
    """A trace that concerns the same joints, links or bodies at every node."""
    return Trace(margin, value, limit, unit, (names,), np.zeros(len(motion), dtype=np.int64), points, quantity)


def constant(motion: Motion, value: float, limit: float, unit: str, names: tuple[str, ...], quantity: str) -> Trace:
    """A trace of limit - value, the same at every node."""
    values, limits = np.full(len(motion), value), np.full(len(motion), limit)
    return trace(motion, limits - values, values, limits, unit, names, quantity)


def unknown(motion: Motion, unit: str, quantity: str) -> Trace:
    """A trace of NaN: an input that the rule reads is missing, which is a violation (F-38)."""
    return constant(motion, np.nan, 0.0, unit, (), f"{quantity}: an input is missing")


def silent(motion: Motion, unit: str, quantity: str) -> Trace:
    """A trace of +inf: the rule applies, and there is nothing for it to measure."""
    return constant(motion, -np.inf, 0.0, unit, (), quantity)


def per_second(travel: FloatArray, times_s: FloatArray) -> FloatArray:
    """The rate of a travel (N,) over the interval before each node; 0 where nothing moved, +inf where no
    time passed.
    """
    return kernels.rates(travel, times_s)
