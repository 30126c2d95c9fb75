"""The brake: how the robot comes to rest behind the last permitted row, along the rows ahead and then straight on."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

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
    return Brake(_nodes(before, ahead[:0], _longest(period_s)), fits=False)


def _longest(period_s: float) -> int:
    return max(1, math.ceil(LONGEST_S / period_s))


def _shortest(
    before: FloatArray, ahead: FloatArray, speed: FloatArray, acceleration: FloatArray, period_s: float, least: int
) -> FloatArray | None:
    velocity = np.abs(before[1] - before[0]) / period_s
    steps = velocity / (acceleration * period_s)
    if not np.isfinite(steps).all():
        return None
    fewest = max(least, math.ceil(float(steps.max()) - 1e-9) - 1, 0)
    for count in range(fewest, _longest(period_s) + 1):
        nodes = _nodes(before, ahead, count)
        if _within(before, nodes, speed, acceleration, period_s):
            return nodes
    return None


def _within(
    before: FloatArray, nodes: FloatArray, speed: FloatArray, acceleration: FloatArray, period_s: float
) -> bool:
    path = np.concatenate([before, nodes])
    velocities = (path[1:] - path[:-1]) / period_s
    changes = (velocities[1:] - velocities[:-1]) / period_s
    return bool((np.abs(velocities[1:]) <= speed).all() and (np.abs(changes) <= acceleration * (1.0 + 1e-9)).all())


def _nodes(before: FloatArray, ahead: FloatArray, count: int) -> FloatArray:
    """`count` steps of falling speed, then one step of rest; shape (count + 1, n)."""
    speeds = 1.0 - np.arange(1, count + 1) / (count + 1)
    along = np.cumsum(np.append(speeds, 0.0))
    path = (
        np.concatenate([before[1:], ahead])
        if len(ahead)
        else np.concatenate([before[1:], 2.0 * before[1:] - before[:1]])
    )
    return frozen(on_path(path, along))


def on_path(path: FloatArray, along: FloatArray) -> FloatArray:
    """Points (K, n) on a polyline (P >= 2, n) at `along` (K,) >= 0, in segments; past the end straight on."""
    segment = np.minimum(along.astype(np.int64), len(path) - 2)
    share = (along - segment)[:, None]
    found: FloatArray = path[segment] + share * (path[segment + 1] - path[segment])
    return found
