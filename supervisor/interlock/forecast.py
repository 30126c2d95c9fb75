"""How near two shapes come along a joint path, certified: coarse bounds, then separating planes, then finer nodes.

PyBullet is asked at single nodes for the normal along which the shapes are nearest. The plane of that normal bounds the
distance at every other node and inside every interval too, so that one query often settles a whole motion. An
interval that both its ends leave open is cut into finer ones, their kinematics computed anew, until it is certified, or
its worst place is known to within TOLERANCE_M, or DEPTH is used up.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from . import kernels_planes
from ._bullet import Bullet
from .arrays import BoolArray, FloatArray
from .errors import ForecastExhausted
from .pairs import Pair, Pairs
from .robot_model import UrdfRobot
from .shapes import separation

TOLERANCE_M: Final = 1e-4
TOLERANCE: Final = 0.02  # of a violation: deep inside, PyBullet's normals are not the best ones
PARTS: Final = 8  # an interval is cut into so many; the sagitta falls by the square
DEPTH: Final = 4  # to decide
VIOLATED: Final = 2  # to find the worst place, once decided
QUERIES: Final = 2_000  # a motion that is well within limits takes some ten, one that hits things some hundreds


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """Joint positions (N, n) with straight intervals, interval i ending at node i and interval 0 being node 0: the
    frames (N, L, 4, 4) of all links and the steps (N, m) of the joint values.
    """

    positions: FloatArray
    frames: FloatArray
    steps: FloatArray
    _inside: dict[int, Path] = field(default_factory=dict[int, "Path"])

    def inside(self, interval: int, model: UrdfRobot) -> Path:
        """The interval as a path of PARTS intervals; computed once."""
        if interval not in self._inside:
            shares = np.linspace(0.0, 1.0, PARTS + 1)[:, None]
            start, end = self.positions[interval - 1], self.positions[interval]
            self._inside[interval] = path(model, (1.0 - shares) * start + shares * end)
        return self._inside[interval]


def path(model: UrdfRobot, positions: FloatArray) -> Path:
    """The path through joint positions (N, n)."""
    return Path(positions, model.frames(positions), model.steps(positions))


@dataclass(frozen=True, slots=True, eq=False)
class Bounds:
    """What is known of a pair: interval i keeps at least low[i] and comes as near as near[i] (inf: not looked at), both
    (N,) [m], at points (N, 2, 3) [m, world]. Filled in place as more gets known.
    """

    low: FloatArray
    near: FloatArray
    points: FloatArray

    def see(self, interval: int, near: float, points: FloatArray) -> None:
        """Takes in how near an interval comes somewhere."""
        if near < self.near[interval]:
            self.near[interval], self.points[interval] = near, points

    def open(self, need: FloatArray) -> BoolArray:
        """Intervals (N,) that may come below what they need and whose worst place is not known well enough."""
        return kernels_planes.open_ones(self.low, self.near, need, TOLERANCE_M, TOLERANCE)

    def take_in(
        self, node: int, gaps: FloatArray, points: FloatArray, sagitta: FloatArray, need: FloatArray, asked: BoolArray
    ) -> int:
        """Takes in the gaps (N,) along the normal found at a node, and the nearest points (2, 3) there; the `next` node
        then.
        """
        return kernels_planes.take_in(
            self.low, self.near, self.points, need, asked, sagitta, node, gaps, points, TOLERANCE_M, TOLERANCE
        )


def known(low: FloatArray) -> Bounds:
    """Bounds where nothing but a lower bound (N,) is known."""
    return Bounds(low.copy(), np.full(len(low), math.inf), np.full((len(low), 2, 3), math.nan))


class Search:
    """Bounds of pairs along paths, within one budget of queries."""

    def __init__(self, model: UrdfRobot, bullet: Bullet, budget: int = QUERIES) -> None:
        self.model = model
        self.bullet = bullet
        self.left = budget
        self._trusted = False  # the canary was seen where it is
        self._alone: dict[int, Pairs] = {}  # by the pair's id; each holds its pair

    def settle(
        self, pair: Pair, along: Path, sagitta: FloatArray, need: FloatArray, found: Bounds, depth: int = DEPTH
    ) -> None:
        """Looks closer at the intervals that may come below what they need [m] (N,) (-inf: never), until low is at
        least that, or within TOLERANCE_M of near. Where not even DEPTH decides between the two, low becomes NaN.
        """
        asked = np.zeros(len(need), dtype=np.bool_)
        poses = pair.relative(along.frames)
        node = self._seek(pair, along, poses, sagitta, need, asked, found)
        while node >= 0:
            normal, points = self._ask(pair, along, poses[node], node)
            gaps = separation(pair.first, pair.second, poses, normal)
            found.take_in(node, gaps, points, sagitta, need, asked)
            node = self._seek(pair, along, poses, sagitta, need, asked, found)
        for interval in np.flatnonzero(found.open(need)).tolist():
            violated = found.near[interval] < need[interval]
            if depth == 0 or interval == 0 or (violated and depth <= DEPTH - VIOLATED):
                found.low[interval] = found.low[interval] if violated else math.nan
            else:
                self._closer(
                    pair, along.inside(interval, self.model), float(need[interval]), found, interval, depth - 1
                )

    def _closer(self, pair: Pair, inside: Path, need: float, found: Bounds, interval: int, depth: int) -> None:
        """Settles one interval on the finer path inside it."""
        if id(pair) not in self._alone:
            self._alone[id(pair)] = Pairs([pair], self.model.errors)
        one = self._alone[id(pair)]
        bent = one.bends(inside.steps)
        sagitta, finer = one.sagitta(bent, 0), known(one.lows(inside.frames, bent)[0])
        wanted = np.full(PARTS + 1, need)
        wanted[0] = -math.inf  # the first node belongs to the first interval too
        pair.raise_low(inside.frames, sagitta, wanted, finer.low)
        self.settle(pair, inside, sagitta, wanted, finer, depth)
        found.low[interval] = finer.low[1:].min()
        worst = int(finer.near[1:].argmin()) + 1
        found.see(interval, float(finer.near[worst]), finer.points[worst])

    def _seek(
        self, pair: Pair, along: Path, poses: FloatArray, sagitta: FloatArray, need: FloatArray, asked: BoolArray,
        found: Bounds,
    ) -> int:  # fmt: skip
        """Takes in the nearest points at open nodes; the first of those at which only PyBullet knows them, or -1."""
        ours, theirs = pair.first, pair.second
        node, looked = kernels_planes.seek(
            poses, along.frames, theirs.link, theirs.offset, *ours.solid, *theirs.solid, found.low, found.near,
            found.points, need, asked, sagitta, TOLERANCE_M, TOLERANCE, self.left,
        )  # fmt: skip
        self.left -= looked
        return node

    def _ask(self, pair: Pair, along: Path, pose: FloatArray, node: int) -> tuple[FloatArray, FloatArray]:
        """The normal (3,) in the second's frame, and the nearest points (2, 3) in the world."""
        if self.left <= 0:
            raise ForecastExhausted("the forecast used up its budget of queries; nothing is known of the rest")
        if not self._trusted:
            self.bullet.check_canary()
            self._trusted = True
        self.left -= 1
        nearest = self.bullet.nearest(pair.first, pair.second, pose)
        points = kernels_planes.carried(nearest.points, pair.second.offset, along.frames[node, pair.second.link])
        return nearest.normal, points
