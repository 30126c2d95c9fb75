"""One motion in one scene: the pairs of shapes a demand is about, what is lost between them, the least that remains."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Final

import numpy as np

from ._bullet import Bullet
from .arrays import BoolArray, FloatArray, frozen
from .fingers import Slide
from .forecast import Search, known, path
from .geometry import HalfSpace
from .motion import Motion
from .obstacles import Obstacles, seen_obstacles
from .pairs import Pair, coarse, sagittas
from .robot_model import UrdfRobot
from .rules import Clearance, Demand
from .scene import Scene
from .shapes import Side, rounded_up, side

SWEEP_M: Final = 1e-3  # finger sweeps are widened to whole millimetres, so that a few shapes serve all motions
SLACK: Final = 0.5  # and by as many more, so that a hand that trembles is still where it is at first


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """Two names of a demand: their pair of shapes (None: one of them is unknown), and what the obstacle's uncertainty
    and speed take from their distance on each interval (N,) [m].
    when (N,): the intervals on which these are the shapes.
    """

    names: tuple[str, str]
    pair: Pair | None
    growth: FloatArray
    when: BoolArray


@dataclass(frozen=True, slots=True, eq=False)
class _Phase:
    """A shape of the robot (None: unknown), and the intervals (N,) on which it is that."""

    side: Side | None
    when: BoolArray


@dataclass(frozen=True, slots=True, eq=False)
class _Judged:
    """The Asked of a demand with this index: its pair, what is lost (N,) [m], and the intervals (N,) to be judged."""

    index: int
    pair: Pair
    growth: FloatArray
    when: BoolArray


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
        self.always = np.ones(len(motion), dtype=np.bool_)
        self.phases: dict[tuple[str, bool], tuple[_Phase, ...]] = {}

    def answer(self, demand: Demand) -> Clearance:
        """The least that remains over all pairs of the demand, interval by interval."""
        before = self.search.left
        least = _Least(len(self.motion))
        asked = list(self._asked(demand))
        judged = [
            _Judged(index, item.pair, item.growth, demand.intervals & item.when)
            for index, item in enumerate(asked)
            if item.pair is not None
        ]
        for index, item in enumerate(asked):
            if item.pair is None:
                least.take(np.where(demand.intervals & item.when, math.nan, math.inf), self.nowhere, index)
        if judged:
            self._judge(demand, judged, least)
        names = tuple(item.names for item in asked)
        return Clearance(frozen(least.remains), least.which, names, frozen(least.points), before - self.search.left)

    def _judge(self, demand: Demand, judged: list[_Judged], least: _Least) -> None:
        """Looks at all pairs coarsely, then closer at those that this does not clear, the nearest first."""
        pairs = [item.pair for item in judged]
        bends = sagittas(pairs, self.path.steps)
        lows = coarse(pairs, self.path.frames, bends)
        loose = np.array([pair.way.loosest(self.model.errors, pair.first.reach) for pair in pairs])
        lost = loose[:, None] + np.stack([item.growth for item in judged])
        remains = np.where(np.stack([item.when for item in judged]), lows - lost, math.inf)
        clear: BoolArray = np.logical_and.reduce(remains >= demand.min_m, axis=1)
        least.take(remains[clear].min(axis=0, initial=math.inf), self.nowhere, -1)
        nearest_first: list[int] = np.argsort(remains.min(axis=1), kind="stable").tolist()
        for place in nearest_first:
            if not clear[place]:
                item = judged[place]
                found = self._closer(demand.min_m, item, bends[place], lows[place], least.remains)
                least.take(*found, item.index)

    def _closer(
        self, min_m: float, item: _Judged, sagitta: FloatArray, low: FloatArray, least: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """What remains (N,) of a pair at least, and where (N, 2, 3); known no better than to be above `least`."""
        pair, when = item.pair, item.when
        lost = item.growth + pair.deviation(self.model.errors, self.path.frames, self.path.steps)
        if not np.isfinite(lost).all():
            return np.where(when, math.nan, math.inf), self.nowhere
        wanted = np.where(when, np.fmin(min_m, least), -math.inf)
        found = known(low)
        self.search.settle(pair, self.path, sagitta, wanted + lost, found)
        remains = np.where(found.low >= wanted + lost, np.maximum(found.low - lost, wanted), found.low - lost)
        return np.where(when, remains, math.inf), found.points

    def _asked(self, demand: Demand) -> Iterator[Asked]:
        excluded = {frozenset(pair) for pair in demand.exclude}
        for first in demand.links:
            for second in demand.others:
                names = frozenset((first, second))
                if len(names) == 2 and names not in excluded:
                    excluded.add(names)  # once is enough
                    yield from self._between(first, second, closing=demand.closing)

    def _between(self, first: str, second: str, *, closing: bool) -> Iterator[Asked]:
        """All pairs of shapes behind two names; a name that nobody knows is a pair of which nothing is known."""
        if self.in_hand is None and "held" in {first, second}:
            return  # the hand is empty
        ours = self._phases(first, closing=closing)
        if second == "held" or second in self.model.hulls:
            for one, other in product(ours, self._phases(second, closing=closing)):
                pair = self._pair((first, second), second, one.side, other.side)
                yield Asked((first, second), pair, self.still, one.when & other.when)
        for obstacle, one in product(self.obstacles.get(second, ()), ours):
            growth = obstacle.growth(self.motion.now_ns, self.motion.times_s)
            yield Asked((first, second), self._pair((first, second), "", one.side, obstacle.side), growth, one.when)
        if second not in {"held", self.in_hand, *self.model.hulls, *self.obstacles}:
            yield Asked((first, second), None, self.still, self.always)

    def _pair(self, names: tuple[str, str], start: str, first: Side | None, second: Side | None) -> Pair | None:
        """Two shapes and the way from a link (empty: the world) to the first's; None where one is unknown."""
        return (
            None if first is None or second is None else Pair(names, first, second, self.model.route(start, names[0]))
        )

    def _phases(self, name: str, *, closing: bool) -> tuple[_Phase, ...]:
        """The shapes of a link or of `held`; of fingers where they were measured, if their closing is intended."""
        key = (name, closing)
        if key not in self.phases:
            slide = self.model.slides.get(name)
            if name == "held":
                self.phases[key] = (_Phase(self._held(), self.always),)
            elif slide is None:
                self.phases[key] = (_Phase(self.model.sides.get(name), self.always),)
            else:
                self.phases[key] = tuple(self._finger(name, slide, closing=closing))
        return self.phases[key]

    def _finger(self, name: str, slide: Slide, *, closing: bool) -> Iterator[_Phase]:
        """A finger is anywhere between its measured place and those that it was told so far: one shape as long as that
        is what it is at first, and one for all the rest. Where its closing is intended, its measured place alone.
        """
        measured, told = self.motion.measured_grippers[slide.gripper], self.motion.grippers[:, slide.gripper]
        if not np.isfinite([measured, *told]).all():
            yield _Phase(None, self.always)
            return
        quantum = SWEEP_M / float(np.linalg.norm(slide.direction))
        least, most = (
            np.minimum(np.minimum.accumulate(told), measured),
            np.maximum(np.maximum.accumulate(told), measured),
        )
        if closing:
            low, high = math.floor(measured / quantum) * quantum, math.ceil(measured / quantum) * quantum
            yield _Phase(self.model.finger(name, low, high), self.always)
            return
        low, high = np.floor(least / quantum - SLACK) * quantum, np.ceil(most / quantum + SLACK) * quantum
        at_first = (least >= low[0]) & (most <= high[0])
        yield _Phase(self.model.finger(name, float(low[0]), float(high[0])), at_first)
        if not at_first.all():
            yield _Phase(self.model.finger(name, float(low[-1]), float(high[-1])), ~at_first)

    def _held(self) -> Side | None:
        held, flange = self.motion.held, self.model.profile.flange
        if held is None or not flange or held.pose.fault is not None or isinstance(held.shape, HalfSpace):
            return None
        return side(rounded_up(held.shape), held.pose.matrix(), self.model.index(flange))
