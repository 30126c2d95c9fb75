"""A smooth path of a robot and its hand through waypoints, as a function of path time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.spatial.transform import Rotation

from interlock.arrays import FloatArray
from interlock.geometry import Quaternion, Vector

from .inverse import Forward, solve
from .poses import TOOL_DOWN

PEAK_SPEED, PEAK_ACCELERATION = 1.875, 5.774  # of minimum jerk, in lengths per duration, and per duration squared
KNOT_S = 0.03  # the inverse kinematics is solved so often along a path, and splined between


@dataclass(frozen=True, slots=True)
class Waypoint:
    """The tool goes to `xyz` [m, world] in `duration_s`, stays `dwell_s` while the hand goes to `width` [m], if any.

    It sets out `early_s` before the leg before it ends, which rounds the corner.
    """

    xyz: Vector
    duration_s: float
    early_s: float = 0.0
    dwell_s: float = 0.0
    width: float | None = None

    def moved(self, by: FloatArray) -> Waypoint:
        """The waypoint shifted by (3,) [m]."""
        x, y, z = (np.asarray(self.xyz) + by).tolist()
        return Waypoint((x, y, z), self.duration_s, self.early_s, self.dwell_s, self.width)


@dataclass(frozen=True, slots=True, eq=False)
class JointPath:
    """Joint positions [rad] and the hand's value over path time from 0 to `end_s`; beyond, the ends."""

    spline: CubicSpline
    end_s: float
    hand_times_s: FloatArray
    hand_values: FloatArray

    def positions(self, times_s: FloatArray) -> FloatArray:
        """Joint positions (N, n) at path times (N,)."""
        found: FloatArray = self.spline(np.clip(times_s, 0.0, self.end_s))
        return found

    def hand(self, times_s: FloatArray) -> FloatArray:
        """The hand's value (N, 1) at path times (N,)."""
        return np.interp(times_s, self.hand_times_s, self.hand_values)[:, None]


def min_jerk(share: FloatArray) -> FloatArray:
    """From 0 to 1 with no velocity and no acceleration at either end; share is clipped to 0..1."""
    x = np.clip(share, 0.0, 1.0)
    return x**3 * (10.0 - 15.0 * x + 6.0 * x**2)


def plan(
    forward: Forward,
    start: FloatArray,
    hand: float,
    waypoints: tuple[Waypoint, ...],
    lower: FloatArray,
    upper: FloatArray,
    quat_xyzw: Quaternion = TOOL_DOWN,
) -> JointPath:
    """The path from rest at `start` (n,) [rad] through the waypoints to rest; the tool keeps one orientation.

    Each leg is a straight line at minimum jerk; legs that overlap in time are added up. Raises OutOfReach.
    """
    begin = forward(start[None])[0]
    places = np.array([begin[:3, 3], *(waypoint.xyz for waypoint in waypoints)])
    starts_s, ends_s = _schedule(waypoints)
    solved = [start]
    turn = Rotation.from_quat(quat_xyzw).as_matrix()
    for place in places[1:]:
        solved.append(solve(forward, _poses(place[None], turn), solved[-1][None], lower, upper)[0])
    end_s = float(ends_s[-1] + waypoints[-1].dwell_s)
    times = np.linspace(0.0, end_s, max(round(end_s / KNOT_S), 2) + 1)
    share = min_jerk((times[:, None] - starts_s) / (ends_s - starts_s))  # (knots, legs)
    line = places[0] + share @ np.diff(places, axis=0)
    guess = start + share @ np.diff(np.array(solved), axis=0)
    spline = CubicSpline(times, solve(forward, _poses(line, turn), guess, lower, upper), bc_type="clamped")
    return JointPath(spline, end_s, *_hand(hand, waypoints, ends_s))


def _schedule(waypoints: tuple[Waypoint, ...]) -> tuple[FloatArray, FloatArray]:
    starts: list[float] = []
    ends: list[float] = []
    free_s = 0.0
    for waypoint in waypoints:
        starts.append(max(free_s - waypoint.early_s, 0.0))
        ends.append(starts[-1] + waypoint.duration_s)
        free_s = ends[-1] + waypoint.dwell_s
    return np.array(starts), np.array(ends)


def _poses(places: FloatArray, turn: FloatArray) -> FloatArray:
    poses = np.tile(np.eye(4), (len(places), 1, 1))
    poses[:, :3, :3] = turn
    poses[:, :3, 3] = places
    return poses


def _hand(value: float, waypoints: tuple[Waypoint, ...], ends_s: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The hand's value at path times, changing evenly over nine tenths of each dwell."""
    times, values = [0.0], [value]
    for waypoint, end_s in zip(waypoints, ends_s.tolist(), strict=True):
        if waypoint.width is not None:
            times += [end_s, end_s + 0.9 * waypoint.dwell_s]
            values += [values[-1], waypoint.width]
    return np.array(times), np.array(values)
