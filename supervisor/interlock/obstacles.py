"""Where a demand's names stand in the world: fixed bodies, zones cut into convex prisms, objects and people seen."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeAlias

import numpy as np
import shapely

from . import kernels
from .arrays import FloatArray
from .geometry import FARTHEST_M, QUATERNION_NORM_TOLERANCE, Capsule, ConvexMesh, Pose, Shape
from .scene import BodyPart, Cell, Person, Scene, SceneObject, Zone
from .shapes import WORLD, Side, at, rounded_up, side, upright

SHAPES: Final = 4096  # that are kept; more than a scene has
STEP_M: Final = 0.01  # capsules of people are widened to whole ones, so that few shapes serve all that a tracker says


@dataclass(frozen=True, slots=True, eq=False)
class Obstacle:
    """A convex shape at `offset` (4, 4) in the world: `side` is the shape, the same one wherever it is. What certainly
    remains is less by `uncertainty` [m] and by `speed` [m/s] times the time since `seen_ns`; both are NaN where that is
    not known, and 0 for what is fixed.
    """

    side: Side
    offset: FloatArray
    uncertainty: float = 0.0
    speed: float = 0.0
    seen_ns: int | None = None

    @property
    def placed(self) -> Side:
        """The shape where it is."""
        return at(self.side, self.offset)

    def growth(self, now_ns: int) -> tuple[float, float]:
        """What is lost [m] now, and [m/s] from now on; NaN where it is not known, or was seen in the future."""
        age = 0.0 if self.seen_ns is None else (now_ns - self.seen_ns) / 1e9
        return self.uncertainty + self.speed * (age if age >= 0.0 else math.nan), self.speed


Obstacles: TypeAlias = Mapping[str, tuple[Obstacle, ...]]


def fixed_obstacles(cell: Cell) -> Obstacles:
    """The obstacles of each body and zone of the cell, by name; a name that both bear means both."""
    bodies = ((body.name, side(shape, body.pose.matrix(), WORLD)) for body in cell.bodies for shape in body.convex)
    zones = ((zone.name, side(part, np.eye(4), WORLD)) for zone in cell.zones for part in prisms(zone))
    return _by_name((name, Obstacle(found, found.offset)) for name, found in (*bodies, *zones))


def seen_obstacles(scene: Scene, held: str | None) -> Obstacles:
    """The obstacles of each object of the scene, but for the one that is in the hand, and of each region of each
    person, by name.
    """
    items = [item for item in scene.objects or () if item.name != held]
    where = np.array([(*item.pose.xyz, *item.pose.quat_xyzw) for item in items]).reshape(-1, 7)
    offsets = kernels.placed(where, FARTHEST_M, QUATERNION_NORM_TOLERANCE)
    objects = ((item.name, _seen(item, offset)) for item, offset in zip(items, offsets, strict=True))
    people = (
        (person.named(part.region), _seen_part(person, part)) for person in scene.people or () for part in person.parts
    )
    return _by_name((*objects, *people))


def _by_name(named: Iterable[tuple[str, Obstacle]]) -> Obstacles:
    found: dict[str, tuple[Obstacle, ...]] = {}
    for name, obstacle in named:
        found[name] = (*found.get(name, ()), obstacle)
    return found


def _seen(item: SceneObject, offset: FloatArray) -> Obstacle:
    """An object at an offset (4, 4), NaN where its pose is none."""
    shape, uncertainty, speed = _shape(item.shape), item.uncertainty_m, item.speed_m_s
    known = 0.0 <= uncertainty < math.inf and not math.isnan(offset[0, 0])
    return Obstacle(
        shape,
        offset @ shape.offset if shape.endless else offset,
        uncertainty if known else math.nan,
        math.nan if speed is None or not 0.0 <= speed < math.inf else speed,
        item.seen_ns,
    )


def _seen_part(person: Person, part: BodyPart) -> Obstacle:
    """A part of a person's body where it was seen: how far they can have come since is for the rules, which know how
    fast people are taken to be.
    """
    if part.fault is not None:
        return Obstacle(_capsule(1, 1), np.full((4, 4), math.nan), math.nan, seen_ns=person.seen_ns)
    start, end = np.array(part.start), np.array(part.end)
    length = float(np.linalg.norm(end - start))
    offset = upright((end - start) / length) if length > 0.0 else np.eye(4)
    offset[:3, 3] = (start + end) / 2.0
    known = 0.0 <= person.uncertainty_m < math.inf
    shape = _capsule(_steps(part.radius_m), _steps(length))
    return Obstacle(shape, offset, person.uncertainty_m if known else math.nan, seen_ns=person.seen_ns)


def _steps(length: float) -> int:
    return max(1, math.ceil(length / STEP_M - 1e-9))


@lru_cache(maxsize=SHAPES)
def _capsule(radius: int, length: int) -> Side:
    """A capsule of so many steps: the same side for the same two, again."""
    return side(Capsule(radius * STEP_M, length * STEP_M), np.eye(4), WORLD)


@lru_cache(maxsize=SHAPES)
def _shape(shape: Shape) -> Side:
    """A shape in whole millimetres, so that PyBullet need not keep one for each look at a thing."""
    return side(rounded_up(shape), np.eye(4), WORLD)


@lru_cache(maxsize=SHAPES)
def placed(shape: Shape, pose: Pose, link: int) -> Side | None:
    """A shape in whole millimetres at a pose in the frame of a link; the same side for the same three, again. None for
    a pose that is none.
    """
    return None if pose.fault is not None else side(rounded_up(shape), pose.matrix(), link)


def prisms(zone: Zone) -> tuple[ConvexMesh, ...]:
    """Triangular prisms that fill the zone exactly, holes left out."""
    triangles = shapely.constrained_delaunay_triangles(zone.polygon)
    corners = [shapely.get_coordinates(triangle)[:3].tolist() for triangle in shapely.get_parts(triangles)]
    heights = (zone.z_min, zone.z_max)
    return tuple(ConvexMesh(np.array([[x, y, z] for x, y in corner for z in heights])) for corner in corners)
