"""The arithmetic of a brake, compiled: places on a path, and the fewest steps in which a robot comes to rest on it.

As in `kernels.py`: plain loops, nothing raises, and NaN keeps no limit.
"""

from __future__ import annotations

import numpy as np

from .arrays import FloatArray
from .compiled import compiled


@compiled
def on_path(path: FloatArray, along: FloatArray) -> FloatArray:
    """Points (K, n) on a polyline (P >= 2, n) at `along` (K,) >= 0, in segments; past the end straight on."""
    found = np.empty((len(along), path.shape[1]))
    for k in range(len(along)):
        segment = min(int(along[k]), len(path) - 2)
        share = along[k] - segment
        for j in range(path.shape[1]):
            found[k, j] = path[segment, j] + share * (path[segment + 1, j] - path[segment, j])
    return found


@compiled
def stop(path: FloatArray, count: int) -> FloatArray:
    """`count` steps of falling speed on a path (P >= 2, n), then one step of rest; (count + 1, n)."""
    along, gone = np.empty(count + 1), 0.0
    for k in range(count + 1):
        gone += 1.0 - (k + 1) / (count + 1) if k < count else 0.0
        along[k] = gone
    return on_path(path, along)


@compiled
def keeps(before: FloatArray, nodes: FloatArray, speed: FloatArray, acceleration: FloatArray, period_s: float) -> bool:
    """Whether nodes (K, n), a period apart, behind two before (2, n) keep a speed and an acceleration, each (n,)."""
    for j in range(nodes.shape[1]):
        here, rate = before[1, j], (before[1, j] - before[0, j]) / period_s
        for k in range(len(nodes)):
            new = (nodes[k, j] - here) / period_s
            change = (new - rate) / period_s
            if not (abs(new) <= speed[j] and abs(change) <= acceleration[j] * (1.0 + 1e-9)):
                return False
            here, rate = nodes[k, j], new
    return True


@compiled
def shortest_stop(
    before: FloatArray,
    path: FloatArray,
    speed: FloatArray,
    acceleration: FloatArray,
    period_s: float,
    fewest: int,
    most: int,
) -> FloatArray:
    """The stop on a path (P >= 2, n) that takes the fewest steps, from `fewest` to `most`, and keeps the limits; of
    shape (0, n) where there is none.
    """
    for count in range(fewest, most + 1):
        nodes = stop(path, count)
        if keeps(before, nodes, speed, acceleration, period_s):
            return nodes
    return np.empty((0, path.shape[1]))
