"""The arithmetic of brakes, compiled: places on a path, the fewest steps in which a robot comes to rest behind it, and
how quickly it may be stopped on the way.

As in `kernels.py`: plain loops, nothing raises, and NaN keeps no limit.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from .arrays import FloatArray
from .compiled import compiled

EASING: Final = 0.85  # the next rate that is tried, of the one before


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


@compiled
def stop_length(rate: float, jerk: float) -> float:
    """How long [s] a stop takes whose speed of time falls from 1 to 0, at most by `rate` [1/s], itself changing at most
    by `jerk` [1/s^2]; it passes half of that of the plan.
    """
    return 1.0 / rate + rate / jerk if rate * rate <= jerk else 2.0 / math.sqrt(jerk)


@compiled
def slows(
    first: int,
    last: int,
    rate: float,
    jerk: float,
    seconds: FloatArray,
    velocities: FloatArray,
    accelerations: FloatArray,
    torques: FloatArray,
    still: FloatArray,
    slowing: FloatArray,
    jerks: FloatArray,
    most: FloatArray,
    stopping: FloatArray,
    drives: FloatArray,
    jolts: FloatArray,
) -> bool:
    """Whether each stop that begins on the intervals from `first` to `last` keeps the limits; as in `stop_rates`.

    With time at a speed u, changing by -c, a joint changes its speed by u^2 a - c v, and takes the torque
    u^2 (t - s) + s - c m: both linear in u^2 and c, so that the corners of what the two can be say it for all between.
    c is from 0 to `rate`. u^2 falls by at most twice the rate for each second of the plan, from the earliest beginning;
    and to the latest end it falls as steeply at most, so that before it u^2 is no more than twice the rate times what
    is left. The jerk is u^3 j - 3 u c a - c' v, where c' is at most `jerk`.
    """
    end = seconds[last] + stop_length(rate, jerk) / 2.0
    i = first
    while i < len(seconds) and (i <= last or seconds[i - 1] < end):
        low = max(0.0, 1.0 - 2.0 * rate * (seconds[i] - seconds[first - 1]))
        high = min(1.0, 2.0 * rate * (end - seconds[i - 1]))
        for j in range(velocities.shape[1]):
            if not rate * abs(velocities[i, j]) <= stopping[j]:
                return False
            bend = max(most[j], abs(accelerations[i, j])) * (1.0 + 1e-9)
            push = max(drives[j], abs(torques[i, j])) * (1.0 + 1e-9)
            along, across = abs(jerks[i, j]) * high**1.5, 3.0 * math.sqrt(high) * rate * abs(accelerations[i, j])
            if not along + across + jerk * abs(velocities[i, j]) <= max(jolts[j], abs(jerks[i, j])) * (1.0 + 1e-9):
                return False
            for square in (low, high):
                for change in (0.0, rate):
                    if not abs(square * accelerations[i, j] - change * velocities[i, j]) <= bend:
                        return False
                    at = still[i, j] + square * (torques[i, j] - still[i, j]) - change * slowing[i, j]
                    if not abs(at) <= push:
                        return False
        i += 1
    return True


@compiled
def stop_rates(
    seconds: FloatArray,
    velocities: FloatArray,
    accelerations: FloatArray,
    torques: FloatArray,
    still: FloatArray,
    slowing: FloatArray,
    jerks: FloatArray,
    most: FloatArray,
    stopping: FloatArray,
    drives: FloatArray,
    jolts: FloatArray,
    jerk: float,
    quickest: float,
    slowest: float,
    begin: int,
    every: int,
) -> FloatArray:
    """How quickly the speed of time may fall [1/s] in a stop that begins on each interval (N,), from `begin`
    on: 0 where no rate from `quickest` down to `slowest` keeps the limits, or where the plan is sooner at its own end.
    So many intervals at once share one.

    At nodes (N,) [s]: velocities, accelerations, torques, torques at rest there, and what of the torques each rad/s^2
    takes in the direction of the velocity, and jerks: (N, n). Limits (n,): of accelerations, of what stopping alone
    takes of them, of torques, and of jerks; what is beyond them as planned is no less allowed while stopping.
    """
    found = np.zeros(len(seconds))
    for first in range(begin, len(seconds), every):
        last = min(first + every, len(seconds)) - 1
        rate, left = quickest, seconds[len(seconds) - 1] - seconds[first - 1]
        while rate >= slowest and stop_length(rate, jerk) <= left:
            if slows(
                first, last, rate, jerk, seconds, velocities, accelerations, torques, still, slowing, jerks, most,
                stopping, drives, jolts,
            ):  # fmt: skip
                found[first : last + 1] = rate
                break
            rate *= EASING
    return found


@compiled
def delays(seconds: FloatArray, rates: FloatArray, jerk: float) -> FloatArray:
    """By how much [s] later than planned a stop may still be under way on each interval (N,): 0 where no stop that
    begins before it reaches it. rates (N,): as `stop_rates` says.
    """
    found = np.zeros(len(seconds))
    for k in range(1, len(seconds)):
        if rates[k] > 0.0:
            half = stop_length(rates[k], jerk) / 2.0
            i = k
            while i < len(seconds) and (i == k or seconds[i - 1] < seconds[k] + half):
                found[i] = max(found[i], half)
                i += 1
    return found
