"""Dense sampling that promises what the forecast does: the same demands, at samples no more than a millimetre apart.

PyBullet measures hulls at poses worked out for all samples at once. Each pair is asked for at the distance that its
demand wants, with what tracking error costs there, what objects may have moved, and what lies between two samples:
half of STEP_M for a link and a thing, all of it for two links, because both move. Things that one demand asks of a link
are one body wherever PyBullet takes them as one; the fingers are hulls over their full travel.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
import pybullet

from bench.parts import Parts
from interlock.arrays import FloatArray, IntArray
from interlock.geometry import Box, Capsule, ConvexMesh, Cylinder, HalfSpace, Shape, Sphere
from interlock.kernels_planes import placement
from interlock.motion import Motion
from interlock.obstacles import Obstacle, fixed_obstacles, seen_obstacles
from interlock.reach import Ball
from interlock.robot_model import UrdfRobot
from interlock.rules import Demand
from interlock.scene import Cell, Scene
from interlock.shapes import Side

STEP_M: Final = 1e-3
ROUNDED_M: Final = 0.75e-3  # Bullet rounds the edges of boxes and cylinders by up to so much
CHILDREN: Final = 16  # of one body; PyBullet drops the others without a word


class Samples(NamedTuple):
    """Joint positions (S, n) [rad] along rows, and the interval (S,) from row i - 1 to row i that each lies in or
    begins.
    """

    rows: FloatArray
    intervals: IntArray


def dense(model: UrdfRobot, rows: FloatArray) -> Samples:
    """The rows (N >= 2, n) with as many between them that no corner of a link moves further than STEP_M in a step."""
    poses = model.forward(rows)
    moved = np.zeros(len(rows) - 1)
    for index, link in enumerate(model.links):
        corners = model.vertices.get(link, np.zeros((1, 3)))
        places = corners @ np.swapaxes(poses[:, index, :3, :3], 1, 2) + poses[:, index, None, :3, 3]
        moved = np.maximum(moved, np.linalg.norm(np.diff(places, axis=0), axis=2).max(axis=1))
    counts = np.maximum(1, np.ceil(moved / STEP_M).astype(int))
    parts = [
        start + np.linspace(0.0, 1.0, count, endpoint=False)[:, None] * (end - start)
        for start, end, count in zip(rows[:-1], rows[1:], counts.tolist(), strict=True)
    ]
    intervals = np.append(np.repeat(np.arange(1, len(rows)), counts), len(rows) - 1)
    return Samples(np.concatenate([*parts, rows[-1:]]), intervals)


class Question(NamedTuple):
    """Two bodies, and the distance [m] to be kept at each sample (S,); -inf where nothing is asked."""

    one: int
    other: int
    wanted: tuple[float, ...]


class Asked(NamedTuple):
    """A motion, ready to be looked at."""

    rows: FloatArray
    questions: tuple[Question, ...]


class DenseWorld:
    """The hulls of a robot and what stands around it, in a PyBullet client of its own."""

    def __init__(self, parts: Parts, cell: Cell) -> None:
        self._client = pybullet.connect(pybullet.DIRECT)
        self._model = parts.model
        self._fixed = fixed_obstacles(cell)
        self._links = {link: self._add([(side.shape, np.eye(4))]) for link, side in parts.model.sides.items()}
        self._things: dict[tuple[object, ...], int] = {}

    def _add(self, shapes: Sequence[tuple[Shape, FloatArray]]) -> int:
        """One body of shapes at poses (4, 4)."""
        made = _made(shapes, self._client)
        pose = shapes[0][1] if len(shapes) == 1 else np.eye(4)
        x, y, z, *turn = placement(pose)
        return pybullet.createMultiBody(0.0, made, -1, [x, y, z], turn, physicsClientId=self._client)

    def _body(self, sides: Sequence[Side]) -> int:
        """The body of some sides in the world, made once."""
        key = tuple((side.key, side.offset.tobytes()) for side in sides)
        if key not in self._things:
            self._things[key] = self._add([(side.shape, side.offset) for side in sides])
        return self._things[key]

    def asked(self, motion: Motion, scene: Scene, demands: Sequence[Demand]) -> Asked:
        """What the demands ask at the samples of a motion. Raises ValueError for a name that nobody knows."""
        samples = dense(self._model, motion.positions)
        seen = seen_obstacles(scene, None)
        around = {name: (*self._fixed.get(name, ()), *seen.get(name, ())) for name in (*self._fixed, *seen)}
        found = (question for demand in demands for question in self._questions(demand, motion, samples, around))
        return Asked(samples.rows, tuple(found))

    def _questions(
        self, demand: Demand, motion: Motion, samples: Samples, around: Mapping[str, tuple[Obstacle, ...]]
    ) -> Iterator[Question]:
        """One for each pair of links, and one for each link and all that it must keep from around it."""
        done = {frozenset(pair) for pair in demand.exclude}
        for link in demand.links:
            near: list[Obstacle] = []
            for other in demand.others:
                names = frozenset((link, other))
                if len(names) < 2 or names in done:
                    continue
                done.add(names)
                if other in self._links:
                    kept = self._kept(demand, motion, link, other) + STEP_M
                    yield Question(self._links[link], self._links[other], _at(samples, kept, demand))
                elif other in around:
                    near += around[other]
                else:
                    raise ValueError(f"nobody knows {other!r}")
            for some in _together(near):
                growths = np.array([obstacle.growth(motion.now_ns) for obstacle in some])
                grown = (growths[:, :1] + growths[:, 1:] * motion.times_s).max(axis=0)
                kept = self._kept(demand, motion, link, "") + grown + STEP_M / 2.0 + ROUNDED_M
                yield Question(self._links[link], self._body([one.placed for one in some]), _at(samples, kept, demand))

    def _kept(self, demand: Demand, motion: Motion, link: str, other: str) -> FloatArray:
        """What a link must keep on each interval (N,) [m] from another (empty: the world), tracking error included."""
        model = self._model
        side = model.sides[link]
        frames, steps = model.frames(motion.positions), model.steps(motion.positions)
        ball = Ball(side.link, side.centre, side.ball)
        off = model.route(other, link).deviation(model.errors, frames, steps, ball, side.reach)
        return demand.min_m + (off if demand.lagging else np.zeros(len(frames)))

    def room(self, asked: Asked) -> float:
        """The least [m] that is left of what is wanted at any sample: negative if anything comes nearer, and infinite
        if nothing does, because no more was asked.
        """
        frames = self._model.frames(asked.rows)
        bodies = [(self._links[link], side.link) for link, side in self._model.sides.items()]
        least, client = np.inf, self._client
        for sample, poses in enumerate(frames):
            for body, link in bodies:
                x, y, z, *turn = placement(poses[link])
                pybullet.resetBasePositionAndOrientation(body, [x, y, z], turn, physicsClientId=client)
            for one, other, wanted in asked.questions:
                kept = wanted[sample]
                if kept > -np.inf:
                    points = pybullet.getClosestPoints(one, other, max(kept, 0.0), physicsClientId=client)
                    if points:
                        least = min(least, min(point[8] for point in points) - kept)
        return least


def _at(samples: Samples, kept: FloatArray, demand: Demand) -> tuple[float, ...]:
    """What is to be kept at each sample, for intervals (N,): a row belongs to the one before it, too."""
    wanted = np.where(demand.intervals, kept, -np.inf)
    first = np.diff(samples.intervals, prepend=0) > 0
    before = wanted[samples.intervals - 1]
    return tuple(np.where(first, np.maximum(wanted[samples.intervals], before), wanted[samples.intervals]).tolist())


def _together(near: Sequence[Obstacle]) -> Iterator[Sequence[Obstacle]]:
    """Obstacles that can be one body."""
    alone = [one for one in near if isinstance(one.side.shape, ConvexMesh | HalfSpace)]
    rest = [one for one in near if one not in alone]
    yield from ([one] for one in alone)
    yield from (rest[start : start + CHILDREN] for start in range(0, len(rest), CHILDREN))


def _made(shapes: Sequence[tuple[Shape, FloatArray]], client: int) -> int:
    """A collision shape of one shape, or of several primitives at their poses."""
    if len(shapes) == 1 and isinstance(shapes[0][0], ConvexMesh):
        corners = shapes[0][0].vertices.tolist()
        return pybullet.createCollisionShape(pybullet.GEOM_MESH, vertices=corners, physicsClientId=client)
    kinds, halves, radii, lengths = zip(*(_primitive(shape) for shape, _ in shapes), strict=True)
    if len(shapes) == 1:
        return pybullet.createCollisionShape(
            kinds[0], halfExtents=halves[0], radius=radii[0], height=lengths[0], physicsClientId=client
        )
    places = [placement(pose) for _, pose in shapes]
    return pybullet.createCollisionShapeArray(
        shapeTypes=kinds,
        halfExtents=halves,
        radii=radii,
        lengths=lengths,
        collisionFramePositions=[place[:3] for place in places],
        collisionFrameOrientations=[place[3:] for place in places],
        physicsClientId=client,
    )


def _primitive(shape: Shape) -> tuple[int, tuple[float, float, float], float, float]:
    """Kind, half extents, radius and length as PyBullet takes them."""
    still = (0.0, 0.0, 0.0)
    match shape:
        case Box(size=(x, y, z)):
            return pybullet.GEOM_BOX, (x / 2.0, y / 2.0, z / 2.0), 0.0, 0.0
        case Sphere(radius=radius):
            return pybullet.GEOM_SPHERE, still, radius, 0.0
        case Cylinder(radius=radius, length=length):
            return pybullet.GEOM_CYLINDER, still, radius, length
        case Capsule(radius=radius, length=length):
            return pybullet.GEOM_CAPSULE, still, radius, length
        case _:
            raise ValueError(f"a {shape.kind} is not built here")
