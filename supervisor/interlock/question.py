"""One motion in one scene: which pairs of shapes a demand is about, what is lost between them, and the least that remains."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from ._bullet import Bullet
from .arrays import FloatArray, frozen
from .forecast import Search, path
from .geometry import HalfSpace
from .motion import Motion
from .obstacles import Obstacle, seen_obstacles
from .pairs import Pair, Side, side
from .robot_model import UrdfRobot
from .rules import Clearance, Demand
from .scene import Held, Scene

SWEEP_M = 1e-3  # finger sweeps are widened to whole millimetres, so that a few shapes serve all motions


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """A pair of a demand by its names, and what is lost between the two on each interval (N,) [m]; no pair: nothing is known."""

    names: tuple[str, str]
    pair: Pair | None
    lost: FloatArray


class Question:
    """A motion in a scene, with what all demands share worked out once."""

    def __init__(
        self, model: UrdfRobot, bullet: Bullet, fixed: Mapping[str, tuple[Obstacle, ...]], motion: Motion, scene: Scene
    ) -> None:
        self.model = model
        self.motion = motion
        self.path = path(model, motion.positions)
        self.search = Search(model, bullet)
        in_hand = None if motion.held is None else motion.held.name
        seen = seen_obstacles(scene, in_hand)
        self.obstacles = {name: (*fixed.get(name, ()), *seen.get(name, ())) for name in (*fixed, *seen)}
        self.absent = {in_hand} - set(self.obstacles)  # named by a rule, and now in the hand: no obstacle
        self.sides: dict[str, Side | None] = {}

    def answer(self, demand: Demand) -> Clearance:
        """The least that remains over all pairs of the demand, interval by interval."""
        nodes, before = len(self.motion), self.search.left
        least = np.full(nodes, math.inf)
        which = np.full(nodes, -1)
        points = np.full((nodes, 2, 3), math.nan)
        asked = list(self._asked(demand))
        for index, item in enumerate(asked):
            need = np.where(demand.intervals, np.minimum(demand.min_m, least), -math.inf)
            remains, places = self._remains(item, need)
            nearer = demand.intervals & ~(remains >= least)
            least[nearer], points[nearer] = remains[nearer], places[nearer]
            which[nearer] = np.where(np.isnan(remains) | np.isfinite(places[:, 0, 0]), index, -1)[nearer]
        names = tuple(item.names for item in asked)
        return Clearance(frozen(least), which, names, frozen(points), before - self.search.left)

    def _remains(self, asked: Asked, need: FloatArray) -> tuple[FloatArray, FloatArray]:
        """What remains (N,) of a pair, at least, and where (N, 2, 3). A certified interval has what it needs (N,), or more."""
        if asked.pair is None or np.isnan(asked.lost).any():
            return np.full(len(need), math.nan), np.full((len(need), 2, 3), math.nan)
        found = self.search.bounds(asked.pair, self.path, need + asked.lost)
        certified = found.low >= need + asked.lost
        remains = found.low - asked.lost
        return np.where(certified, np.maximum(remains, need), remains), found.points

    def _asked(self, demand: Demand) -> Iterator[Asked]:
        excluded = {frozenset(pair) for pair in demand.exclude}
        done: set[frozenset[str]] = set()
        for first in demand.links:
            for second in demand.others:
                names = frozenset((first, second))
                if len(names) == 2 and names not in excluded and names not in done:
                    done.add(names)
                    yield from self._between(first, second)

    def _between(self, first: str, second: str) -> Iterator[Asked]:
        """All pairs of shapes behind two names; a name that nobody knows is a pair of which nothing is known."""
        if self.motion.held is None and "held" in (first, second):
            return
        unknown = Asked((first, second), None, np.empty(0))
        ours = self._side(first)
        if second == "held" or second in self.model.kinematics.links:
            theirs = self._side(second)
            yield unknown if ours is None or theirs is None else self._asked_of(ours, theirs, (first, second), None)
        elif second in self.obstacles:
            for obstacle in self.obstacles[second]:
                theirs = side(obstacle.shape, obstacle.pose, None)
                yield unknown if ours is None else self._asked_of(ours, theirs, (first, second), obstacle)
        elif second not in self.absent:
            yield unknown

    def _asked_of(self, ours: Side, theirs: Side, names: tuple[str, str], obstacle: Obstacle | None) -> Asked:
        """A pair, with what tracking and the obstacle's uncertainty and speed take from its distance."""
        way = self.model.route(names[1] if obstacle is None else "", names[0])
        pair = Pair(names, ours, theirs, way)
        levers = way.levers(self.path.frames, pair.centres(self.path.frames), ours.ball)
        lost = way.deviation(self.model.errors, self.path.steps, levers, ours.reach)
        if obstacle is not None:
            lost = lost + obstacle.growth(self.motion.now_ns, self.motion.times_s)
        return Asked(names, pair, lost)

    def _side(self, name: str) -> Side | None:
        """The moving shape of a link's name, or of `held`; None where it has none that can be known."""
        if name not in self.sides:
            held = self.motion.held if name == "held" else None
            self.sides[name] = self._link(name) if held is None else self._held(held)
        return self.sides[name]

    def _held(self, held: Held) -> Side | None:
        if held.pose.fault is not None or isinstance(held.shape, HalfSpace):
            return None
        return side(held.shape, held.pose.matrix(), self.model.kinematics.links.index(self.model.profile.flange))

    def _link(self, name: str) -> Side | None:
        if name not in self.model.hulls:
            return None
        index = self.model.kinematics.links.index(name)
        slide = self.model.slides.get(name)
        if slide is None:
            return side(self.model.hulls[name], np.eye(4), index)
        values = np.append(self.motion.grippers[:, slide.gripper], self.motion.measured_grippers[slide.gripper])
        if not np.isfinite(values).all():
            return None
        quantum = SWEEP_M / float(np.linalg.norm(slide.direction))
        low = math.floor(float(values.min()) / quantum) * quantum
        high = math.ceil(float(values.max()) / quantum) * quantum
        return side(self.model.shape(name, low, high), np.eye(4), index)
