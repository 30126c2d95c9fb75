"""The one door to PyBullet: the nearest points of two convex shapes, on a private client.

Bullet draws a hull from vertices 1 mm larger (its margin), keeps its corners to 1e-4 of its size, and rounds the edges
of boxes and cylinders by up to 0.73 mm. So nothing is certified from its distances: it finds where two shapes are
nearest and along which normal, and the forecast measures along that normal itself. An empty answer means "far", or NaN,
or a wrong id (F-02): nothing is that far here, so it raises. Shapes are asked for by pair, each alone: of many in one
shape Bullet drops those after the sixteenth.
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from . import kernels_planes
from .arrays import FloatArray
from .errors import InterlockError
from .geometry import Box, Capsule, ConvexMesh, Cylinder, Shape, Sphere
from .quiet import without_line
from .shapes import Side, side

with without_line(b"pybullet build time: "):
    import pybullet

SWAPPED_M: Final = 5e-3  # margins explain no more than 2 mm
UPRIGHT: Final = (0.0, 0.0, 0.0, 1.0)
FAR_M: Final = 1e3  # nothing in a cell is further, so that an empty answer is always a fault
CANARY: Final = (side(Box((0.2, 0.2, 0.2)), np.eye(4), 0), side(Sphere(0.1), np.eye(4), 0))


class PhysicsFailed(InterlockError):
    """PyBullet did not answer as it always must; nothing may be concluded from it."""


@dataclass(frozen=True, slots=True, eq=False)
class Nearest:
    """Where two shapes are nearest, in the frame of the second: distance [m] as Bullet sees it, negative inside, the
    unit normal (3,) from the second to the first, and the points (2, 3) on the first and the second.
    """

    distance: float
    normal: FloatArray
    points: FloatArray


class Bullet:
    """A client of its own. Shapes are made once and asked for in pairs; no scene and no history lie between calls."""

    def __init__(self) -> None:
        self._client = pybullet.connect(pybullet.DIRECT)
        self.close = weakref.finalize(self, pybullet.disconnect, self._client)  # PyBullet has 1024 clients, no more
        self._shapes: dict[str, int] = {}
        self.check_canary()

    def check_canary(self) -> None:
        """Raises PhysicsFailed unless two shapes that lie in each other are seen to, and two apart are not."""
        near, far = (self._closest(*CANARY, [x, 0.0, 0.0], UPRIGHT)[8] for x in (0.0, 1.0))
        if not (near < -0.09 and abs(far - 0.8) < 0.003):
            raise PhysicsFailed(f"PyBullet sees the canary at {near} and {far} m, and must at -0.1 or less and 0.8 m")

    def nearest(self, first: Side, second: Side, pose: FloatArray) -> Nearest:
        """Where the first, at `pose` (4, 4) in the frame of the second, is nearest to it. Raises PhysicsFailed."""
        x, y, z, *turn = kernels_planes.placement(pose)
        if math.isnan(x):
            raise PhysicsFailed("a pose must be finite; PyBullet would see nothing there")
        return _facing(first, second, pose, self._closest(first, second, [x, y, z], turn))

    def _closest(
        self, first: Side, second: Side, place: Sequence[float], turn: Sequence[float]
    ) -> pybullet.ContactPoint:
        found = pybullet.getClosestPoints(
            bodyA=-1,
            bodyB=-1,
            distance=FAR_M,
            collisionShapeA=self._shape(first),
            collisionShapeB=self._shape(second),
            collisionShapePositionA=place,
            collisionShapeOrientationA=turn,
            collisionShapePositionB=[0.0, 0.0, 0.0],
            collisionShapeOrientationB=UPRIGHT,
            physicsClientId=self._client,
        )
        if not found:
            raise PhysicsFailed("PyBullet returned no nearest points")
        return found[0] if len(found) == 1 else min(found, key=lambda point: point[8])

    def _shape(self, side: Side) -> int:
        if side.key not in self._shapes:
            self._shapes[side.key] = _create(side.shape, self._client)
        return self._shapes[side.key]


def _facing(first: Side, second: Side, pose: FloatArray, nearest: pybullet.ContactPoint) -> Nearest:
    """The answer with its normal towards the first; where their kinds suit it better, PyBullet answers for the swapped
    shapes, and does not say so.
    """
    answer, distance = np.array([nearest[7], nearest[5], nearest[6]]), nearest[8]
    kernels_planes.face(answer, distance, SWAPPED_M, pose, *first.solid, *second.solid)
    return Nearest(distance, answer[0], answer[1:])


def _create(shape: Shape, client: int) -> int:
    """One collision shape. Raises PhysicsFailed where PyBullet refuses."""
    made = _make(shape, client)
    if made < 0:
        raise PhysicsFailed(f"PyBullet could not create a {shape.kind}")
    return made


def _make(shape: Shape, client: int) -> int:
    match shape:
        case Box(size=(x, y, z)):
            half = [x / 2.0, y / 2.0, z / 2.0]
            return pybullet.createCollisionShape(pybullet.GEOM_BOX, halfExtents=half, physicsClientId=client)
        case Sphere(radius=radius):
            return pybullet.createCollisionShape(pybullet.GEOM_SPHERE, radius=radius, physicsClientId=client)
        case Cylinder(radius=radius, length=length):
            kind = pybullet.GEOM_CYLINDER
            return pybullet.createCollisionShape(kind, radius=radius, height=length, physicsClientId=client)
        case Capsule(radius=radius, length=length):
            kind = pybullet.GEOM_CAPSULE
            return pybullet.createCollisionShape(kind, radius=radius, height=length, physicsClientId=client)
        case ConvexMesh(vertices=vertices):
            corners = vertices.tolist()
            return pybullet.createCollisionShape(pybullet.GEOM_MESH, vertices=corners, physicsClientId=client)
        case _:
            return pybullet.createCollisionShape(pybullet.GEOM_PLANE, planeNormal=shape.normal, physicsClientId=client)
