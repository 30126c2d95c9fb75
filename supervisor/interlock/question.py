"""One motion in one scene: the pairs of shapes a demand is about, what is lost between them, the least that remains."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ._bullet import Bullet
from .arrays import BoolArray, FloatArray, frozen
from .forecast import Search, known, path
from .geometry import HalfSpace
from .motion import Motion
from .obstacles import Obstacles, seen_obstacles
from .pairs import Pair, coarse, sagittas
from .robot_model import UrdfRobot
from .rules import Clearance, Demand
from .scene import Scene
from .shapes import Side, rounded_up, side

SWEEP_M = 1e-3  # finger sweeps are widened to whole millimetres, so that a few shapes serve all motions


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """Two names of a demand: their pair of shapes (None: one of them is unknown), and what the obstacle's uncertainty
    and speed take from their distance on each interval (N,) [m].
    """

    names: tuple[str, str]
    pair: Pair | None
    growth: FloatArray


class _Least:
    """The least that remains on each interval, and between which pair and where; NaN is less than anything."""

    def __init__(self, nodes: int) -> None:
        self.remains = np.full(nodes, math.inf)
        self.which = np.full(nodes, -1)
        self.points = np.full((nodes, 2, 3), math.nan)

    def take(self, remains: FloatArray, points: FloatArray, index: int) -> None:
        """Takes what remains (N,) of a pair, seen at points (N, 2, 3), NaN where it was not looked at."""
        nearer = ~(remains >= self.remains) & ~np.isnan(self.remains)
        self.remains[nearer], self.points[nearer] = remains[nearer], points[nearer]
        seen = np.isnan(remains) | np.isfinite(points[:, 0, 0])
        self.which[nearer] = np.where(seen[nearer], index, -1)


class Question:
    """A motion in a scene, with what all demands share worked out once."""

    def __init__(self, model: UrdfRobot, bullet: Bullet, fixed: Obstacles, motion: Motion, scene: Scene) -> None:
        self.model = model
        self.motion = motion
        self.path = path(model, motion.positions)
        self.search = Search(model, bullet)
        self.in_hand = None if motion.held is None else motion.held.name
        seen = seen_obstacles(scene, self.in_hand)
        self.obstacles = {name: (*fixed.get(name, ()), *seen.get(name, ())) for name in (*fixed, *seen)}
        self.still = np.zeros(len(motion))
        self.nowhere = np.full((len(motion), 2, 3), math.nan)
        self.sides: dict[str, Side | None] = {}

    def answer(self, demand: Demand) -> Clearance:
        """The least that remains over all pairs of the demand, interval by interval."""
        before = self.search.left
        least = _Least(len(self.motion))
        asked = list(self._asked(demand))
        judged = [(index, item.pair, item.growth) for index, item in enumerate(asked) if item.pair is not None]
        for index, item in enumerate(asked):
            if item.pair is None:
                least.take(np.where(demand.intervals, math.nan, math.inf), self.nowhere, index)
        if judged:
            self._judge(demand, judged, least)
        names = tuple(item.names for item in asked)
        return Clearance(frozen(least.remains), least.which, names, frozen(least.points), before - self.search.left)

    def _judge(self, demand: Demand, judged: list[tuple[int, Pair, FloatArray]], least: _Least) -> None:
        """Looks at all pairs coarsely, then closer at those that this does not clear, the nearest first."""
        pairs = [pair for _, pair, _ in judged]
        bends = sagittas(pairs, self.path.steps)
        lows = coarse(pairs, self.path.frames, bends)
        loose = np.array([pair.way.loosest(self.model.errors, pair.first.reach) for pair in pairs])
        lost = loose[:, None] + np.stack([growth for _, _, growth in judged])
        remains = np.where(demand.intervals, lows - lost, math.inf)
        clear: BoolArray = np.logical_and.reduce(remains >= demand.min_m, axis=1)
        least.take(remains[clear].min(axis=0, initial=math.inf), self.nowhere, -1)
        nearest_first: list[int] = np.argsort(remains.min(axis=1), kind="stable").tolist()
        for place in nearest_first:
            if not clear[place]:
                index, pair, growth = judged[place]
                least.take(*self._closer(demand, pair, growth, bends[place], lows[place], least.remains), index)

    def _closer(
        self, demand: Demand, pair: Pair, growth: FloatArray, sagitta: FloatArray, low: FloatArray, least: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """What remains (N,) of a pair at least, and where (N, 2, 3); known no better than to be above `least`."""
        lost = growth + pair.deviation(self.model.errors, self.path.frames, self.path.steps)
        if not np.isfinite(lost).all():
            return np.where(demand.intervals, math.nan, math.inf), self.nowhere
        wanted = np.where(demand.intervals, np.fmin(demand.min_m, least), -math.inf)
        found = known(low)
        self.search.settle(pair, self.path, sagitta, wanted + lost, found)
        remains = np.where(found.low >= wanted + lost, np.maximum(found.low - lost, wanted), found.low - lost)
        return np.where(demand.intervals, remains, math.inf), found.points

    def _asked(self, demand: Demand) -> Iterator[Asked]:
        excluded = {frozenset(pair) for pair in demand.exclude}
        for first in demand.links:
            for second in demand.others:
                names = frozenset((first, second))
                if len(names) == 2 and names not in excluded:
                    excluded.add(names)  # once is enough
                    yield from self._between(first, second)

    def _between(self, first: str, second: str) -> Iterator[Asked]:
        """All pairs of shapes behind two names; a name that nobody knows is a pair of which nothing is known."""
        if self.in_hand is None and "held" in {first, second}:
            return  # the hand is empty
        ours = self._side(first)
        if second == "held" or second in self.model.hulls:
            theirs = self._side(second)
            pair = Pair((first, second), ours, theirs, self.model.route(second, first)) if ours and theirs else None
            yield Asked((first, second), pair, self.still)
        for obstacle in self.obstacles.get(second, ()):
            pair = Pair((first, second), ours, obstacle.side, self.model.route("", first)) if ours else None
            yield Asked((first, second), pair, obstacle.growth(self.motion.now_ns, self.motion.times_s))
        if second not in {"held", self.in_hand, *self.model.hulls, *self.obstacles}:
            yield Asked((first, second), None, self.still)

    def _side(self, name: str) -> Side | None:
        """The shape of a link or of `held`; None where that is not known."""
        if name not in self.sides:
            self.sides[name] = self._held() if name == "held" else self._link(name)
        return self.sides[name]

    def _held(self) -> Side | None:
        held, flange = self.motion.held, self.model.profile.flange
        if held is None or not flange or held.pose.fault is not None or isinstance(held.shape, HalfSpace):
            return None
        return side(rounded_up(held.shape), held.pose.matrix(), self.model.index(flange))

    def _link(self, name: str) -> Side | None:
        slide = self.model.slides.get(name)
        if slide is None:
            return self.model.sides.get(name)
        values = np.append(self.motion.grippers[:, slide.gripper], self.motion.measured_grippers[slide.gripper])
        if not np.isfinite(values).all():
            return None
        quantum = SWEEP_M / float(np.linalg.norm(slide.direction))
        low, high = math.floor(float(values.min()) / quantum), math.ceil(float(values.max()) / quantum)
        return self.model.finger(name, low * quantum, high * quantum)
