"""The collision forecast: what certainly remains between the robot and what is near it, along a whole motion.

Each pair of shapes is judged interval by interval, from coarse to exact: a ball against a box, then separating planes,
whose normals PyBullet finds at single nodes, then the same on finer nodes inside the interval, until it is certified, or its
worst place is known to within TOLERANCE_M, or the depth is used up (undecided: NaN).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from ._bullet import Bullet
from .arrays import BoolArray, FloatArray
from .errors import ForecastExhausted
from .pairs import Pair
from .robot_model import UrdfRobot

TOLERANCE_M: Final = 1e-4
PARTS: Final = 8  # an interval is cut into so many; the sagitta falls by the square
DEPTH: Final = 4
QUERIES: Final = 20_000


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """Joint positions (K, n) and the frames (K, L, 4, 4) that they put the links in; interval i ends at node i."""

    positions: FloatArray
    frames: FloatArray
    steps: FloatArray

    def inside(self, interval: int, model: UrdfRobot) -> Path:
        """The same straight interval with PARTS intervals of its own, their kinematics computed anew."""
        shares = np.linspace(0.0, 1.0, PARTS + 1)[:, None]
        start, end = self.positions[interval - 1], self.positions[interval]
        return path(model, (1.0 - shares) * start + shares * end)


def path(model: UrdfRobot, positions: FloatArray) -> Path:
    """The path through joint positions (K, n)."""
    return Path(positions, model.frames(positions), model.steps(positions))


@dataclass(slots=True, eq=False)
class Bounds:
    """What is known of a pair along a path of K nodes: interval i keeps at least low[i] and somewhere comes as near as near[i];
    points (K, 2, 3) [m, world] are where. Starts from knowing nothing.
    """

    low: FloatArray
    near: FloatArray
    points: FloatArray

    @classmethod
    def unknown(cls, low: FloatArray) -> Bounds:
        """Bounds with a lower bound only."""
        return cls(low, np.full(len(low), np.inf), np.full((len(low), 2, 3), np.nan))


class Search:
    """Bounds of pairs along paths, within one budget of queries."""

    def __init__(self, model: UrdfRobot, bullet: Bullet, budget: int = QUERIES) -> None:
        self.model = model
        self.bullet = bullet
        self.left = budget

    def bounds(self, pair: Pair, along: Path, need: FloatArray, depth: int = DEPTH) -> Bounds:
        """Bounds of the distance [m] along a path (K nodes). Only intervals that may come below need (K,) are looked at
        closer (-inf: never). Where near < need, low is near within TOLERANCE_M, or NaN if even that could not be found out.
        """
        poses = pair.relative(along.frames)
        sagitta = pair.way.sagitta(along.steps, pair.first.reach)
        found = Bounds.unknown(pair.coarse(poses, sagitta))
        nodes = np.full(len(poses), np.inf)
        places = np.full((len(poses), 2, 3), np.nan)
        while (node := _next(open_ := _open(found, need), nodes)) is not None:
            normal, places[node] = self._ask(pair, along, poses[node], node)
            separation = pair.separation(poses, normal)
            nodes[node] = separation[node]
            low = np.minimum(separation, np.concatenate([separation[:1], separation[:-1]])) - sagitta
            found.low = np.maximum(found.low, low)
            _take(found, nodes, places)
        for interval in np.flatnonzero(open_).tolist():
            self._closer(pair, along, need, depth, found, interval)
        return found

    def _closer(self, pair: Pair, along: Path, need: FloatArray, depth: int, found: Bounds, interval: int) -> None:
        """Settles one interval on finer nodes inside it."""
        if depth == 0 or interval == 0:
            undecided = found.near[interval] - found.low[interval] > TOLERANCE_M
            found.low[interval] = np.nan if undecided else found.low[interval]
            return
        inner = along.inside(interval, self.model)
        wanted = np.full(PARTS + 1, need[interval])
        wanted[0] = -np.inf  # node 0 belongs to interval 1 too
        closer = self.bounds(pair, inner, wanted, depth - 1)
        found.low[interval] = closer.low[1:].min()
        worst = int(closer.near.argmin())
        if closer.near[worst] < found.near[interval]:
            found.near[interval], found.points[interval] = closer.near[worst], closer.points[worst]

    def _ask(self, pair: Pair, along: Path, pose: FloatArray, node: int) -> tuple[FloatArray, FloatArray]:
        """The normal (3,) in the second's frame at a node, and the nearest points (2, 3) in the world."""
        if self.left <= 0:
            raise ForecastExhausted("the forecast used up its budget of queries")
        self.left -= 1
        nearest = self.bullet.nearest(pair.first.shape, pair.second.shape, pose)
        theirs = pair.second.poses(along.frames)
        frame = theirs[min(node, len(theirs) - 1)]
        return nearest.normal, np.stack([nearest.on_first, nearest.on_second]) @ frame[:3, :3].T + frame[:3, 3]


def _open(found: Bounds, need: FloatArray) -> BoolArray:
    """Intervals (K,) that may come below what they need, and whose worst place is not known yet."""
    return np.asarray((found.low < need) & ~(np.minimum(found.near, need) - found.low <= TOLERANCE_M))


def _next(open_: BoolArray, nodes: FloatArray) -> int | None:
    """The middle node of the first run of open intervals that has a node not asked for yet."""
    wanted = open_ | np.append(open_[1:], False)
    wanted &= np.isinf(nodes)
    if not wanted.any():
        return None
    first = int(wanted.argmax())
    run = int(np.append(wanted[first:], False).argmin())
    return first + run // 2


def _take(found: Bounds, nodes: FloatArray, places: FloatArray) -> None:
    """Each interval is as near as the nearer of its ends."""
    for shift in (0, 1):
        ends = np.concatenate([nodes[:shift], nodes[: len(nodes) - shift]])
        where = np.concatenate([places[:shift], places[: len(nodes) - shift]])
        nearer = ends < found.near
        found.near[nearer], found.points[nearer] = ends[nearer], where[nearer]
