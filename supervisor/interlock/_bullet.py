"""The one door to PyBullet: the nearest points of two convex shapes, and inverse dynamics, on a private client.

Bullet draws a hull from vertices 1 mm larger (its margin), keeps its corners to 1e-4 of its size, and rounds the rims of boxes
and cylinders by up to 0.73 mm. So nothing is certified from its distances: it finds where two shapes are nearest and along
which normal, and the forecast measures there itself. An empty answer means "far", or NaN, or a wrong id (F-02): here it raises.
"""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pybullet
from scipy.spatial.transform import Rotation

from .arrays import FloatArray, IntArray
from .errors import InterlockError
from .geometry import Box, Capsule, ConvexMesh, Cylinder, HalfSpace, Shape, Sphere
from .shapes import unit_normal

FAR_M: Final = 1e3  # nothing in a cell is further, so that an empty answer is always a fault
CANARY: Final = (Box((0.2, 0.2, 0.2)), Sphere(0.1))


class PhysicsFailed(InterlockError):
    """PyBullet did not answer as it always must; nothing may be concluded from it."""


@dataclass(frozen=True, slots=True, eq=False)
class Nearest:
    """Where two shapes are nearest, in the frame of the second: distance [m] as Bullet sees it, negative inside, the unit
    normal (3,) from the second to the first, and the point (3,) on each.
    """

    distance: float
    normal: FloatArray
    on_first: FloatArray
    on_second: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class _Loaded:
    """A loaded robot, and for each of PyBullet's turning joints the place of that joint among the caller's."""

    body: int
    order: IntArray


class Bullet:
    """A client of its own. Shapes are made once and asked for in pairs; no body, no scene, no history lies between calls."""

    def __init__(self) -> None:
        self._client = pybullet.connect(pybullet.DIRECT)
        self._shapes: dict[str, int] = {}
        self._bodies: dict[str, _Loaded] = {}
        self.queries = 0
        self.check_canary()

    def close(self) -> None:
        """Frees the client; the object is of no use afterwards."""
        pybullet.disconnect(physicsClientId=self._client)

    def check_canary(self) -> None:
        """Raises PhysicsFailed unless two shapes that lie in each other are seen to, and two apart are not."""
        near = self.nearest(*CANARY, np.eye(4)).distance
        apart = np.eye(4)
        apart[0, 3] = 1.0
        far = self.nearest(*CANARY, apart).distance
        if not (near < -0.09 and abs(far - 0.8) < 0.003):
            raise PhysicsFailed(f"PyBullet sees the canary at {near} and {far} m, and must at -0.1 or less and 0.8 m")

    def nearest(self, first: Shape, second: Shape, pose: FloatArray) -> Nearest:
        """Where the first shape, at `pose` (4, 4) in the frame of the second, is nearest to it. Raises PhysicsFailed."""
        if not np.isfinite(pose).all():
            raise PhysicsFailed("a pose must be finite; PyBullet would see nothing there")
        self.queries += 1
        found = pybullet.getClosestPoints(
            bodyA=-1,
            bodyB=-1,
            distance=FAR_M,
            collisionShapeA=self._shape(first),
            collisionShapeB=self._shape(second),
            collisionShapePositionA=pose[:3, 3].tolist(),
            collisionShapeOrientationA=Rotation.from_matrix(pose[:3, :3]).as_quat().tolist(),
            collisionShapePositionB=[0.0, 0.0, 0.0],
            collisionShapeOrientationB=[0.0, 0.0, 0.0, 1.0],
            physicsClientId=self._client,
        )
        if not found:
            raise PhysicsFailed("PyBullet returned no nearest points")
        nearest = min(found, key=lambda point: point[8])
        normal = unit_normal(second) if isinstance(second, HalfSpace) else np.array(nearest[7])
        return Nearest(nearest[8], normal, np.array(nearest[5]), np.array(nearest[6]))

    def load(self, urdf: str, joints: tuple[str, ...], gravity: FloatArray) -> None:
        """Makes a URDF's text ready for `inverse_dynamics`, its root at the world's origin; gravity (3,) [m/s^2] there.

        Gravity is the client's, and must be the same for all that is loaded.
        """
        if urdf in self._bodies:
            return
        pybullet.setGravity(*gravity.tolist(), physicsClientId=self._client)
        pybullet.setPhysicsEngineParameter(enableFileCaching=0, physicsClientId=self._client)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "inertial.urdf")
            file.write_text(urdf)
            body = pybullet.loadURDF(
                str(file),
                useFixedBase=True,
                flags=pybullet.URDF_USE_INERTIA_FROM_FILE,  # without it PyBullet computes its own from shapes
                physicsClientId=self._client,
            )
        number = pybullet.getNumJoints(body, physicsClientId=self._client)
        rows = [pybullet.getJointInfo(body, joint, physicsClientId=self._client) for joint in range(number)]
        turning = [row[1].decode() for row in rows if row[2] != pybullet.JOINT_FIXED]
        if sorted(turning) != sorted(joints):
            raise PhysicsFailed(f"PyBullet loaded the turning joints {turning}, not {list(joints)}")
        self._bodies[urdf] = _Loaded(body, np.array([joints.index(name) for name in turning], dtype=np.int64))

    def inverse_dynamics(self, urdf: str, angles: FloatArray, rates: FloatArray, changes: FloatArray) -> FloatArray:
        """Torques (d,) [N m] at finite angles [rad], rates and changes of rate (d,), in the order of the joints of `load`."""
        loaded = self._bodies[urdf]
        arguments = [values[loaded.order].tolist() for values in (angles, rates, changes)]
        found = pybullet.calculateInverseDynamics(loaded.body, *arguments, physicsClientId=self._client)
        if len(found) != len(loaded.order) or not np.isfinite(found).all():
            raise PhysicsFailed(f"PyBullet computed the torques {found}")
        torques = np.empty(len(found))
        torques[loaded.order] = found
        return torques

    def _shape(self, shape: Shape) -> int:
        key = _key(shape)
        if key not in self._shapes:
            self._shapes[key] = _create(shape, self._client)
        return self._shapes[key]


def _key(shape: Shape) -> str:
    if isinstance(shape, ConvexMesh):
        return hashlib.sha256(shape.vertices.tobytes()).hexdigest()
    return repr(shape)


def _create(shape: Shape, client: int) -> int:
    """One collision shape, never several in one, of which Bullet drops those after the sixteenth."""
    match shape:
        case Box(size=(x, y, z)):
            made = pybullet.createCollisionShape(
                pybullet.GEOM_BOX, halfExtents=[x / 2.0, y / 2.0, z / 2.0], physicsClientId=client
            )
        case Sphere(radius=radius):
            made = pybullet.createCollisionShape(pybullet.GEOM_SPHERE, radius=radius, physicsClientId=client)
        case Cylinder(radius=radius, length=length):
            made = pybullet.createCollisionShape(
                pybullet.GEOM_CYLINDER, radius=radius, height=length, physicsClientId=client
            )
        case Capsule(radius=radius, length=length):
            made = pybullet.createCollisionShape(
                pybullet.GEOM_CAPSULE, radius=radius, height=length, physicsClientId=client
            )
        case ConvexMesh(vertices=vertices):
            made = pybullet.createCollisionShape(pybullet.GEOM_MESH, vertices=vertices.tolist(), physicsClientId=client)
        case HalfSpace():
            made = pybullet.createCollisionShape(
                pybullet.GEOM_PLANE, planeNormal=unit_normal(shape).tolist(), physicsClientId=client
            )
    if made < 0:
        raise PhysicsFailed(f"PyBullet could not create a {shape.kind}")
    return made
