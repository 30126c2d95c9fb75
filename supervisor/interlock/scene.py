"""What is around the robot: the fixed cell, the objects and people seen in it, and the robot's own measured state."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import shapely

from .arrays import FloatArray, floats
from .fields import check_fields
from .geometry import FARTHEST_M, LARGEST_M, ConvexParts, Pose, Shape, Vector
from .jsonform import digest_of


@dataclass(frozen=True, slots=True)
class Body:
    """A fixed obstacle of the cell: a shape, or convex parts of one that is not convex, at a pose in the world."""

    name: str
    shape: Shape | ConvexParts
    pose: Pose
    because: str = ""

    def __post_init__(self) -> None:
        check_fields(self)
        if self.pose.fault is not None:
            raise ValueError(f"body {self.name!r}: {self.pose.fault}")

    @property
    def convex(self) -> tuple[Shape, ...]:
        """The convex shapes, all at its pose, that it is judged as."""
        return self.shape.parts if isinstance(self.shape, ConvexParts) else (self.shape,)


@dataclass(frozen=True, slots=True)
class Zone:
    """A prism: a polygon [m, world x and y] with holes, between two heights [m, world z]."""

    name: str
    outer: tuple[tuple[float, float], ...]
    holes: tuple[tuple[tuple[float, float], ...], ...] = ()
    z_min: float = 0.0
    z_max: float = 0.0

    def __post_init__(self) -> None:
        check_fields(self)
        numbers = [
            *np.ravel(self.outer),
            *(value for hole in self.holes for value in np.ravel(hole)),
            self.z_min,
            self.z_max,
        ]
        if not all(abs(value) <= FARTHEST_M for value in numbers):
            raise ValueError(f"zone {self.name!r}: every coordinate must be finite, and within {FARTHEST_M:g} m")
        if len(self.outer) < 3 or any(len(hole) < 3 for hole in self.holes):
            raise ValueError(f"zone {self.name!r}: a ring needs at least three corners")
        polygon = self.polygon
        if not polygon.is_valid or not polygon.area > 0.0:
            raise ValueError(
                f"zone {self.name!r}: {shapely.is_valid_reason(polygon)}; it must be simple and enclose an area"
            )
        if not self.z_min < self.z_max:
            raise ValueError(f"zone {self.name!r}: z_min must be below z_max, got {self.z_min} and {self.z_max}")

    @property
    def polygon(self) -> shapely.Polygon:
        """The polygon in the world's x and y [m]."""
        return shapely.Polygon(self.outer, self.holes)


@dataclass(frozen=True, slots=True)
class Hazard:
    """A line of the hazard register: id, what can happen, and what is done about it."""

    id: str
    what: str
    measure: str

    def __post_init__(self) -> None:
        check_fields(self)


@dataclass(frozen=True, slots=True)
class Cell:
    """Where the robot stands (`mount`: its base link in the world), what is fixed around it, its zones and hazards."""

    name: str
    mount: Pose
    bodies: tuple[Body, ...]
    zones: tuple[Zone, ...]
    hazards: tuple[Hazard, ...] = ()

    def __post_init__(self) -> None:
        check_fields(self)
        if self.mount.fault is not None:
            raise ValueError(f"cell {self.name!r}: mount: {self.mount.fault}")
        for names in ([body.name for body in self.bodies], [zone.name for zone in self.zones]):
            if len(set(names)) != len(names):
                raise ValueError(f"cell {self.name!r}: a name is used twice in {sorted(names)}")

    @property
    def digest(self) -> str:
        """SHA-256 [hex] of the canonical JSON form."""
        return digest_of(self)

    def zone(self, name: str) -> Zone:
        """The zone of that name; raises KeyError."""
        return next((zone for zone in self.zones if zone.name == name), None) or _missing(
            name, [z.name for z in self.zones]
        )


def _missing(name: str, known: Sequence[str]) -> Zone:
    raise KeyError(f"no zone {name!r}; this cell has: {', '.join(known)}")


@dataclass(frozen=True, slots=True)
class SceneObject:
    """A thing that was seen: its pose in the world at `seen_ns`, the error of that pose [m], and the largest speed
    [m/s] at which it may have moved since (None: unknown, which is refused).
    """

    name: str
    shape: Shape
    pose: Pose
    seen_ns: int
    uncertainty_m: float
    speed_m_s: float | None

    def __post_init__(self) -> None:
        check_fields(self)


@dataclass(frozen=True, slots=True)
class BodyPart:
    """A region of a person's body, as a capsule: all within a radius [m] of the line between two points [m, world].

    Several parts may be of one region, as both arms are.
    """

    region: str
    start: Vector
    end: Vector
    radius_m: float

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def fault(self) -> str | None:
        """Why this is no capsule, or None."""
        if not all(abs(axis) <= FARTHEST_M for axis in (*self.start, *self.end)):
            return f"both ends must be finite, and within {FARTHEST_M:g} m, got {self.start} and {self.end}"
        if not 0.0 < self.radius_m <= LARGEST_M:
            return f"a radius must be more than 0 and at most {LARGEST_M:g} m, got {self.radius_m}"
        length = math.dist(self.start, self.end)
        return None if length <= LARGEST_M else f"it must be at most {LARGEST_M:g} m long, got {length:g}"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who was seen: where the parts of the body were at `seen_ns`, the error [m] of all these places, and how
    fast they moved [m/s], in whatever direction (None: not measured).
    """

    name: str
    parts: tuple[BodyPart, ...]
    seen_ns: int
    uncertainty_m: float
    speed_m_s: float | None = None

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def regions(self) -> tuple[str, ...]:
        """The regions of all parts, each once, in order."""
        return tuple(dict.fromkeys(part.region for part in self.parts))

    def named(self, region: str) -> str:
        """How a demand on the forecast names the parts of a region."""
        return f"person:{self.name}:{region}"


@dataclass(frozen=True, slots=True)
class Scene:
    """What the cell reports: its mode (None: unknown), the objects in it, which of them the task is about, and people.

    objects None: nobody looked. A rule that reads objects is then violated; an empty tuple says that there are none.
    People alike.
    """

    mode: str | None
    objects: tuple[SceneObject, ...] | None = None
    target: str | None = None
    people: tuple[Person, ...] | None = None

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def things(self) -> str:
        """SHA-256 [hex] of all that is in the scene, whenever it was seen: the same as long as nothing moved."""
        objects = None if self.objects is None else tuple(replace(item, seen_ns=0) for item in self.objects)
        people = None if self.people is None else tuple(replace(person, seen_ns=0) for person in self.people)
        return digest_of(replace(self, objects=objects, people=people))


@dataclass(frozen=True, slots=True)
class Held:
    """An object in the hand: its shape at a pose in the frame of the profile's flange, and its mass [kg]."""

    name: str
    shape: Shape
    pose: Pose
    mass_kg: float

    def __post_init__(self) -> None:
        check_fields(self)


@dataclass(frozen=True, slots=True, eq=False)
class RobotState:
    """What the robot measured at `seen_ns`: joints by name, their positions [rad], shape (n,), velocities [rad/s],
    shape (n,), gripper values, shape (g,), in the units and order of the profile. Holds any float64; the checks judge.
    """

    seen_ns: int
    joints: tuple[str, ...]
    positions: FloatArray
    velocities: FloatArray
    grippers: FloatArray
    held: Held | None = None

    def __post_init__(self) -> None:
        check_fields(self)
        for name in ("positions", "velocities", "grippers"):
            object.__setattr__(self, name, floats(name, getattr(self, name), 1))
