"""One motion in one scene: the pairs of shapes a demand is about, what is lost between them, the least that remains."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Final

import numpy as np

from . import kernels
from ._bullet import Bullet
from .arrays import BoolArray, FloatArray, frozen
from .fingers import Slide
from .forecast import Search, known, path
from .geometry import HalfSpace
from .kept import Kept
from .motion import Motion
from .obstacles import Obstacles, placed, seen_obstacles
from .pairs import Closer, Look, Pair, Pairs
from .robot_model import UrdfRobot
from .rules import Clearance, Demand
from .scene import Scene
from .shapes import Side

SWEEP_M: Final = 1e-3  # finger sweeps are widened to whole millimetres, so that a few shapes serve all motions
SLACK: Final = 0.5  # and by as many more, so that a hand that trembles is still where it is at first
BATCHES: Final = 64
NOT_LOOKED_AT: Final = np.empty((0, 2, 3))


@dataclass(frozen=True, slots=True, eq=False)
class _Phase:
    """A shape of the robot (None: unknown), and the row of the masks that says on which intervals it is that."""

    side: Side | None
    row: int


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """Two names of a demand: their pair of shapes (None: one of them is unknown), the place of the obstacle among those
    of the scene (0: none), and two rows of the masks, which say on which intervals these are the shapes.
    """

    names: tuple[str, str]
    pair: Pair | None
    obstacle: int
    rows: tuple[int, int]


class Batch:
    """All that some demands ask for, as long as the same shapes are behind their names."""

    def __init__(self, asked: Sequence[Sequence[Asked]], errors: FloatArray) -> None:
        self.names = tuple(tuple(item.names for item in items) for items in asked)
        every = [(row, index, item) for row, items in enumerate(asked) for index, item in enumerate(items)]
        self.unknown = tuple((row, index, item.rows) for row, index, item in every if item.pair is None)
        known = [(row, index, item, item.pair) for row, index, item in every if item.pair is not None]
        self.index = tuple(index for _, index, _, _ in known)
        self.obstacle = np.array([item.obstacle for _, _, item, _ in known], dtype=np.int64)
        rows = [(*item.rows, row, item.obstacle) for row, _, item, _ in known]
        self.pairs = Pairs([pair for *_, pair in known], errors, rows) if known else None


class Shapes:
    """What is kept from one motion to the next: the shapes of what was seen, and the batches made of them."""

    def __init__(self, fixed: Obstacles) -> None:
        self.fixed = fixed
        self.batches = Kept[Hashable, Batch](BATCHES)


class _Least:
    """The least (N,) [m] that remains on each interval, and between which pair and where; NaN is less than anything."""

    def __init__(self, remains: FloatArray) -> None:
        self.queries = 0
        self.remains = remains
        self.which = np.full(len(remains), -1)
        self.points = np.full((len(remains), 2, 3), math.nan)

    def unknown(self, when: BoolArray, index: int) -> None:
        """Nothing is known of a pair on the intervals marked (N,)."""
        when = when & ~np.isnan(self.remains)
        self.remains[when], self.which[when], self.points[when] = math.nan, index, math.nan

    def take(self, low: FloatArray, asked: FloatArray, points: FloatArray, index: int) -> None:
        """Takes in a pair that is at least low (N,) apart, seen at points (N, 2, 3), or () where it was not looked at;
        asked (3, N): as `kernels.asked` returns it.
        """
        kernels.keep_least(low, asked, points, index, self.remains, self.which, self.points)


class Question:
    """A motion in a scene, with what all demands share worked out once."""

    def __init__(self, model: UrdfRobot, bullet: Bullet, shapes: Shapes, motion: Motion, scene: Scene) -> None:
        self.model = model
        self.motion = motion
        self.latest_s = motion.times_s + motion.late_s  # when the robot leaves an interval, if it is stopped on the way
        self.path = path(model, motion.positions)
        self.search = Search(model, bullet)
        self.in_hand = None if motion.held is None else motion.held.name
        seen = seen_obstacles(scene, self.in_hand)
        both = {name: (*shapes.fixed[name], *seen[name]) for name in seen if name in shapes.fixed}
        self.obstacles = {**shapes.fixed, **seen, **both}
        self.kept = shapes
        self.masks: list[BoolArray] = [np.ones(len(motion), dtype=np.bool_)]
        self.told = list(zip(motion.grippers.min(axis=0).tolist(), motion.grippers.max(axis=0).tolist(), strict=True))
        self.phases = {
            (name, closing): tuple(self._finger(name, slide, closing=closing))
            for name, slide in model.slides.items()
            for closing in (False, True)
        }
        self.held = _Phase(self._held(), 0)
        self.moving = [obstacle for found in seen.values() for obstacle in found]
        self.places = {id(one): place for place, one in enumerate(self.moving, start=1)}  # what is fixed is at 0
        self.growth = np.array([(0.0, 0.0), *(obstacle.growth(motion.now_ns) for obstacle in self.moving)])
        self.offsets = np.array([np.eye(4), *(obstacle.offset for obstacle in self.moving)])
        self.when = np.array(self.masks)
        self.key = (
            id(self.held.side), self.in_hand, *(id(phase.side) for found in self.phases.values() for phase in found),
            *((name, *(obstacle.side.key for obstacle in found)) for name, found in seen.items()),
        )  # fmt: skip

    def answer(self, demands: tuple[Demand, ...]) -> tuple[Clearance, ...]:
        """The least that remains over all pairs of each demand, interval by interval."""
        batch = self._batch(demands)
        if batch.pairs is None:
            least = [_Least(np.full(len(self.motion), math.inf)) for _ in demands]
        else:
            least = self._judge(demands, batch, batch.pairs)
        for demand, index, rows in batch.unknown:
            least[demand].unknown(demands[demand].intervals & self.when[rows[0]] & self.when[rows[1]], index)
        return tuple(
            Clearance(frozen(found.remains), found.which, names, frozen(found.points), found.queries)
            for found, names in zip(least, batch.names, strict=True)
        )

    def _batch(self, demands: tuple[Demand, ...]) -> Batch:
        asked = tuple(
            (demand.links, demand.others, demand.exclude, demand.closing, demand.lagging) for demand in demands
        )
        key = (asked, self.key)
        return self.kept.batches.of(
            key, lambda: Batch([list(self._asked(demand)) for demand in demands], self.model.errors)
        )

    def _judge(self, demands: tuple[Demand, ...], batch: Batch, pairs: Pairs) -> list[_Least]:
        """Looks at all pairs coarsely, then closer at those that this does not clear, the nearest first."""
        bent = pairs.bends(self.path.steps)
        growth = self.growth[batch.obstacle]
        lost = growth.copy()
        lost[:, 0] += pairs.loose
        needs, marked = np.array([demand.min_m for demand in demands]), np.array([one.intervals for one in demands])
        known, clear, remains = pairs.look(
            self.path.frames, bent, lost, self.latest_s, needs, marked, self.when, self.offsets
        )
        least = [_Least(bounds.copy()) for bounds in known]  # so far without a place
        open_ = (~clear).nonzero()[0]
        nearest_first: list[int] = open_[remains[open_].min(axis=1).argsort(kind="stable")].tolist()
        for place in nearest_first:
            way, one, other, row = (pairs.which.item(place, column) for column in (1, 2, 3, 5))
            found, demand = least[row], demands[row]
            look = Look(
                self.path.frames, self.path.steps, self.latest_s, growth[place], demand.min_m, found.remains,
                demand.intervals, self.when[one], self.when[other],
            )  # fmt: skip
            pair = self._placed(pairs.pairs[place], batch.obstacle.item(place))
            closer = pair.closer(look, self.model.errors, bent[way], remains[place], lost[place])
            self._take(pair, closer, found, batch.index[place])
        return least

    def _take(self, pair: Pair, closer: Closer, least: _Least, index: int) -> None:
        """Takes in what remains of a pair; above the least it is known no better."""
        if not closer.sound:
            least.unknown(closer.asked[0] > -math.inf, index)
        elif closer.below:
            found, before = known(closer.low), self.search.left
            self.search.settle(pair, self.path, closer.sagitta, closer.asked[0], found)
            least.take(found.low, closer.asked, found.points, index)
            least.queries += before - self.search.left
        else:
            least.take(closer.low, closer.asked, NOT_LOOKED_AT, index)

    def _placed(self, pair: Pair, obstacle: int) -> Pair:
        """The pair with its obstacle where it is now; 0: it never moves."""
        return replace(pair, second=self.moving[obstacle - 1].placed) if obstacle else pair

    def _asked(self, demand: Demand) -> Iterator[Asked]:
        excluded = {frozenset(pair) for pair in demand.exclude}
        for first in demand.links:
            for second in demand.others:
                names = frozenset((first, second))
                if self._means_two(second):
                    yield Asked((first, second), None, 0, (0, 0))
                elif len(names) == 2 and names not in excluded:
                    excluded.add(names)  # once is enough
                    yield from self._between(first, second, closing=demand.closing, lagging=demand.lagging)

    def _means_two(self, name: str) -> bool:
        """Whether a body, a zone or an object bears the name of a part of the robot or of what it holds: it would hide
        behind what is said of that part.
        """
        return name in self.obstacles and (name == "held" or name in self.model.kinematics.links)

    def _between(self, first: str, second: str, *, closing: bool, lagging: bool) -> Iterator[Asked]:
        """All pairs of shapes behind two names; a name that nobody knows is a pair of which nothing is known."""
        if self.in_hand is None and "held" in {first, second}:
            return  # the hand is empty
        ours = self._phases(first, closing=closing)
        if second == "held" or second in self.model.hulls:
            for one, other in product(ours, self._phases(second, closing=closing)):
                pair = self._pair((first, second), second, one.side, other.side, lagging=lagging)
                yield Asked((first, second), pair, 0, (one.row, other.row))
        for obstacle, one in product(self.obstacles.get(second, ()), ours):
            pair = self._pair((first, second), "", one.side, obstacle.side, lagging=lagging)
            yield Asked((first, second), pair, self.places.get(id(obstacle), 0), (one.row, 0))
        if second not in {"held", self.in_hand} and second not in self.model.hulls and second not in self.obstacles:
            yield Asked((first, second), None, 0, (0, 0))

    def _pair(
        self, names: tuple[str, str], start: str, first: Side | None, second: Side | None, *, lagging: bool
    ) -> Pair | None:
        """Two shapes and the way from a link (empty: the world) to the first's; None where one is unknown."""
        if first is None or second is None:
            return None
        return Pair(names, first, second, self.model.route(start, names[0]), lagging)

    def _phases(self, name: str, *, closing: bool) -> tuple[_Phase, ...]:
        """The shapes of a link or of `held`; of fingers where they were measured, if their closing is intended."""
        if name == "held":
            return (self.held,)
        return self.phases.get((name, closing)) or (_Phase(self.model.sides.get(name), 0),)

    def _finger(self, name: str, slide: Slide, *, closing: bool) -> Iterator[_Phase]:
        """A finger is anywhere between its measured place and those that it was told so far: one shape as long as that
        is what it is at first, and one for all the rest. Where its closing is intended, its measured place alone.
        """
        measured, told = float(self.motion.measured_grippers[slide.gripper]), self.motion.grippers[:, slide.gripper]
        least, most = self.told[slide.gripper]
        if not (math.isfinite(measured) and math.isfinite(least) and math.isfinite(most)):
            yield _Phase(None, 0)
            return
        quantum = SWEEP_M / slide.length
        below, above = math.floor(measured / quantum) * quantum, math.ceil(measured / quantum) * quantum
        if closing:
            yield _Phase(self.model.finger(name, below, above), 0)
            return
        ends = (min(slide.low, below), max(slide.high, above))  # told more, it stops there; measured there, it is there
        at_first = _widened(min(measured, told.item(0)), max(measured, told.item(0)), quantum, ends)
        if at_first[0] <= least and most <= at_first[1]:
            yield _Phase(self.model.finger(name, *at_first), 0)
            return
        within = (np.minimum.accumulate(told) >= at_first[0]) & (np.maximum.accumulate(told) <= at_first[1])
        self.masks += [within, ~within]
        yield _Phase(self.model.finger(name, *at_first), len(self.masks) - 2)
        in_the_end = _widened(min(measured, least), max(measured, most), quantum, ends)
        yield _Phase(self.model.finger(name, *in_the_end), len(self.masks) - 1)

    def _held(self) -> Side | None:
        held, flange = self.motion.held, self.model.profile.flange
        if held is None or not flange or isinstance(held.shape, HalfSpace):
            return None
        return placed(held.shape, held.pose, self.model.index(flange))


def _widened(low: float, high: float, quantum: float, ends: tuple[float, float]) -> tuple[float, float]:
    """A range of gripper values, widened to whole quanta and SLACK more, within the ends."""
    wide = math.floor(low / quantum - SLACK) * quantum, math.ceil(high / quantum + SLACK) * quantum
    return min(max(wide[0], ends[0]), ends[1]), min(max(wide[1], ends[0]), ends[1])
