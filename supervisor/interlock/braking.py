"""The brake: how the robot comes to rest behind the last permitted row, along the rows ahead and then straight on."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from . import kernels_motion
from .arrays import FloatArray, frozen

LONGEST_S = 2.0  # a brake that takes longer is no brake; the chunk is refused


@dataclass(frozen=True, slots=True, eq=False)
class Brake:
    """Nodes (B, n) one period apart, the last two equal: at rest. `fits` says whether every step keeps the limits it
    was given.
    """

    positions: FloatArray
    fits: bool


def brake(
    before: FloatArray, ahead: FloatArray, speed: FloatArray, acceleration: FloatArray, period_s: float, least: int = 0
) -> Brake:
    """The shortest brake of at least `least` steps within speed [rad/s] and acceleration [rad/s^2], each (n,).

    before (2, n): the last two commanded positions; ahead (A, n): the rows that would have followed. The path's speed
    falls linearly from one row a period to none. Where the rows ahead allow no brake, the arm goes straight on.
    """
    best = _shortest(before, ahead, speed, acceleration, period_s, least)
    if best is None and len(ahead):
        best = _shortest(before, ahead[:0], speed, acceleration, period_s, least)
    if best is not None:
        return Brake(best, fits=True)
    return Brake(frozen(kernels_motion.stop(_line(before, ahead[:0]), _longest(period_s))), fits=False)


def _longest(period_s: float) -> int:
    return max(1, math.ceil(LONGEST_S / period_s))


def _shortest(
    before: FloatArray, ahead: FloatArray, speed: FloatArray, acceleration: FloatArray, period_s: float, least: int
) -> FloatArray | None:
    velocity = np.abs(before[1] - before[0]) / period_s
    steps = float((velocity / (acceleration * period_s)).max())
    if not math.isfinite(steps):
        return None
    fewest, most = max(least, math.ceil(steps - 1e-9) - 1, 0), _longest(period_s)
    line = _line(before, ahead)
    nodes = kernels_motion.shortest_stop(before, line, speed, acceleration, period_s, fewest, most)
    return frozen(nodes) if len(nodes) else None


def _line(before: FloatArray, ahead: FloatArray) -> FloatArray:
    """The polyline (P >= 2, n) on which to brake: along the rows ahead, or straight on."""
    return np.concatenate([before[1:], ahead if len(ahead) else 2.0 * before[1:] - before[:1]])


def on_path(path: FloatArray, along: FloatArray) -> FloatArray:
    """Points (K, n) on a polyline (P >= 2, n) at `along` (K,) >= 0, in segments; past the end straight on."""
    return kernels_motion.on_path(path, along)
