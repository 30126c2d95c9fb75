"""PyBullet, and nothing else: one private client with bodies made of the core's shapes, one robot, and a camera."""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from interlock.errors import UnusableInput
from interlock.geometry import Box, Capsule, ConvexMesh, Cylinder, HalfSpace, Pose, Shape, Sphere, Vector
from interlock.quiet import without_line
from interlock.urdf import UrdfJoint

with without_line(b"pybullet build time: "):
    import pybullet

Pixels: TypeAlias = npt.NDArray[np.uint8]
GRAVITY_M_S2 = -9.81
FIELD_OF_VIEW_DEG: Final = 50.0  # of the camera, from top to bottom
MOVES: Final = {
    "revolute": pybullet.JOINT_REVOLUTE,
    "continuous": pybullet.JOINT_REVOLUTE,
    "prismatic": pybullet.JOINT_PRISMATIC,
    "fixed": pybullet.JOINT_FIXED,
}
Loaded: TypeAlias = tuple[int, str, str, tuple[float, ...]]  # kind, parent, child; lower, upper, effort, velocity


@dataclass(frozen=True, slots=True)
class Touch:
    """Two bodies in each other: their ids, the link of each (-1: the base), how deep [m], and where [m, world]."""

    a: int
    link_a: int
    b: int
    link_b: int
    depth_m: float
    point: Vector


@dataclass(frozen=True, slots=True)
class JointReading:
    """Positions [rad or m], velocities [rad/s or m/s], and what each motor applied [N m or N]."""

    positions: tuple[float, ...]
    velocities: tuple[float, ...]
    efforts: tuple[float, ...]


class Bullet:
    """A private PyBullet client without a window; what it simulates lives and dies with it."""

    def __init__(self, step_s: float) -> None:
        self._client: int = pybullet.connect(pybullet.DIRECT)
        self.close = weakref.finalize(self, pybullet.disconnect, self._client)  # PyBullet has 1024 clients, no more
        pybullet.setGravity(0.0, 0.0, GRAVITY_M_S2, physicsClientId=self._client)
        # Without this PyBullet hands back the robot that it last loaded from a path of this name (F-26).
        pybullet.setPhysicsEngineParameter(enableFileCaching=0, fixedTimeStep=step_s, physicsClientId=self._client)

    def load_robot(self, urdf: str, mount: Pose, joints: Sequence[UrdfJoint]) -> int:
        """A robot from the text of a URDF whose meshes have absolute paths, its base fixed at mount; its body's id.

        Raises UnusableInput unless the robot has these joints, each of its kind, between its links, with its limits:
        PyBullet breaks long lines in the middle of a word and loads what is left (F-26).
        """
        flags = pybullet.URDF_USE_INERTIA_FROM_FILE | pybullet.URDF_USE_SELF_COLLISION
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "robot.urdf"
            path.write_text(urdf, encoding="utf-8")
            body: int = pybullet.loadURDF(
                str(path), mount.xyz, mount.quat_xyzw, useFixedBase=1, flags=flags, physicsClientId=self._client
            )
        expected, found = {joint.name: _told(joint) for joint in joints}, self._loaded(body)
        for name in [*expected, *(found.keys() - expected.keys())]:
            if found.get(name) != expected.get(name):
                raise UnusableInput(
                    f"PyBullet loaded joint {name!r} as {found.get(name)}, not as {expected.get(name)}; "
                    "it breaks lines of a URDF that are longer than 8191 bytes"
                )
        return body

    def _loaded(self, robot: int) -> dict[str, Loaded]:
        """What PyBullet made of each joint, by name; its links say where in the chain it stands."""
        names = {index: name for name, index in self.links(robot).items()}
        return {
            row[1].decode(): (
                row[2],
                names[row[16]],
                names[row[0]],
                () if row[2] == pybullet.JOINT_FIXED else row[8:12],
            )
            for row in self._rows(robot)
        }

    def _rows(self, robot: int) -> list[pybullet.JointInfo]:
        count = pybullet.getNumJoints(robot, physicsClientId=self._client)
        return [pybullet.getJointInfo(robot, index, physicsClientId=self._client) for index in range(count)]

    def links(self, robot: int) -> dict[str, int]:
        """The index of each link by name; the base's is -1."""
        base = pybullet.getBodyInfo(robot, physicsClientId=self._client)[0].decode()
        return {base: -1} | {row[12].decode(): row[0] for row in self._rows(robot)}

    def joints(self, robot: int) -> dict[str, int]:
        """The index of each joint by name."""
        return {row[1].decode(): row[0] for row in self._rows(robot)}

    def add(self, shape: Shape, pose: Pose, mass_kg: float = 0.0, friction: float = 0.5) -> int:
        """A body of one shape at a pose in the world, fixed where its mass is 0; its id."""
        collision = self._collision(shape)
        body: int = pybullet.createMultiBody(
            mass_kg, collision, -1, pose.xyz, pose.quat_xyzw, physicsClientId=self._client
        )
        pybullet.changeDynamics(body, -1, lateralFriction=friction, physicsClientId=self._client)
        return body

    def _collision(self, shape: Shape) -> int:
        make = partial(pybullet.createCollisionShape, physicsClientId=self._client)
        match shape:
            case Box(size):
                return make(pybullet.GEOM_BOX, halfExtents=[edge / 2.0 for edge in size])
            case Sphere(radius):
                return make(pybullet.GEOM_SPHERE, radius=radius)
            case Cylinder(radius, length):
                return make(pybullet.GEOM_CYLINDER, radius=radius, height=length)
            case Capsule(radius, length):
                return make(pybullet.GEOM_CAPSULE, radius=radius, height=length)
            case ConvexMesh(vertices):
                return make(pybullet.GEOM_MESH, vertices=vertices.tolist())
            case HalfSpace(normal):
                return make(pybullet.GEOM_PLANE, planeNormal=normal)

    def let_touch(self, a: int, link_a: int, b: int, link_b: int, *, on: bool) -> None:
        """Whether these two touch from now on, or pass through each other."""
        pybullet.setCollisionFilterPair(a, b, link_a, link_b, int(on), physicsClientId=self._client)

    def place(self, body: int, pose: Pose) -> None:
        """Puts a body at rest at a pose in the world."""
        pybullet.resetBasePositionAndOrientation(body, pose.xyz, pose.quat_xyzw, physicsClientId=self._client)
        pybullet.resetBaseVelocity(body, (0.0, 0.0, 0.0), (0.0, 0.0, 0.0), physicsClientId=self._client)

    def set_joints(self, robot: int, joints: Sequence[int], positions: Sequence[float]) -> None:
        """Puts joints at rest at positions, at once."""
        for joint, position in zip(joints, positions, strict=True):
            pybullet.resetJointState(robot, joint, position, 0.0, physicsClientId=self._client)

    def drive(
        self,
        robot: int,
        joints: Sequence[int],
        positions: Sequence[float],
        velocities: Sequence[float],
        efforts: Sequence[float],
        gain: Sequence[float],
    ) -> None:
        """Sets the motors for the next step: they reach the velocities, plus a share `gain` of each error."""
        pybullet.setJointMotorControlArray(
            robot,
            joints,
            pybullet.POSITION_CONTROL,
            targetPositions=positions,
            targetVelocities=velocities,
            forces=efforts,
            positionGains=gain,
            velocityGains=[1.0] * len(joints),
            physicsClientId=self._client,
        )

    def step(self) -> None:
        """One step of the physics."""
        pybullet.stepSimulation(physicsClientId=self._client)

    def read(self, robot: int, joints: Sequence[int]) -> JointReading:
        """What the joints measure after the last step."""
        positions, velocities, _, efforts = zip(
            *pybullet.getJointStates(robot, joints, physicsClientId=self._client), strict=True
        )
        return JointReading(positions, velocities, efforts)

    def touches(self, body: int) -> tuple[Touch, ...]:
        """Where a body touches another or itself, distance < 0, in the last step; the body comes first in each."""
        found = pybullet.getContactPoints(bodyA=body, physicsClientId=self._client)
        deep = [contact for contact in found if contact[8] < 0.0]
        if not deep:
            return ()
        return tuple(
            Touch(c[1], c[3], c[2], c[4], -c[8], c[5]) if c[1] == body else Touch(c[2], c[4], c[1], c[3], -c[8], c[5])
            for c in deep
        )

    def pose(self, body: int) -> Pose:
        """Where a body is in the world."""
        xyz, quat = pybullet.getBasePositionAndOrientation(body, physicsClientId=self._client)
        return Pose(xyz, quat)

    def speed_m_s(self, body: int) -> float:
        """How fast the centre of a body moves [m/s]."""
        linear, _ = pybullet.getBaseVelocity(body, physicsClientId=self._client)
        return float(np.linalg.norm(linear))

    def link_pose(self, robot: int, link: int) -> Pose:
        """Where the frame of a link is in the world; link -1 is the base."""
        if link < 0:
            return self.pose(robot)
        state = pybullet.getLinkState(robot, link, computeForwardKinematics=1, physicsClientId=self._client)
        return Pose(state[4], state[5])

    def fix(self, robot: int, link: int, body: int, force_n: float) -> int:
        """Holds a body where it now is to a link, with at most a force [N]; the id of what holds it."""
        state = pybullet.getLinkState(robot, link, computeForwardKinematics=1, physicsClientId=self._client)
        inverse = pybullet.invertTransform(state[0], state[1])  # of the centre of mass, which constraints start from
        here = self.pose(body)
        xyz, quat = pybullet.multiplyTransforms(*inverse, here.xyz, here.quat_xyzw)
        held: int = pybullet.createConstraint(
            robot,
            link,
            body,
            -1,
            pybullet.JOINT_FIXED,
            (0.0, 0.0, 0.0),
            xyz,
            (0.0, 0.0, 0.0),
            quat,
            physicsClientId=self._client,
        )
        pybullet.changeConstraint(held, maxForce=force_n, physicsClientId=self._client)
        return held

    def release(self, held: int) -> None:
        """Undoes `fix`."""
        pybullet.removeConstraint(held, physicsClientId=self._client)

    def colour(self, body: int, link: int, rgba: tuple[float, float, float, float]) -> None:
        """Paints a link (-1: the base, or the whole of a single body)."""
        pybullet.changeVisualShape(body, link, rgbaColor=rgba, physicsClientId=self._client)

    def photograph(self, eye: Vector, target: Vector, width: int, height: int) -> Pixels:
        """The view from eye to target [m, world], drawn without a screen: shape (height, width, 3)."""
        return self._camera(eye, target, width, height)[0]

    def shares(
        self, bodies: Sequence[tuple[int, int]], eye: Vector, target: Vector, width: int, height: int
    ) -> list[int]:
        """How many pixels of that view show each body's link (-1: the base, or the whole of a single body)."""
        seen = self._camera(eye, target, width, height)[1]
        return [int(np.count_nonzero(seen == body + ((link + 1) << 24))) for body, link in bodies]

    def _camera(self, eye: Vector, target: Vector, width: int, height: int) -> tuple[Pixels, npt.NDArray[np.int64]]:
        """The colours (height, width, 3), and which body's link each pixel (height, width) shows, -1 for none."""
        view = pybullet.computeViewMatrix(eye, target, (0.0, 0.0, 1.0))
        lens = pybullet.computeProjectionMatrixFOV(FIELD_OF_VIEW_DEG, width / height, 0.05, 6.0)
        _, _, pixels, _, seen = pybullet.getCameraImage(
            width,
            height,
            view,
            lens,
            renderer=pybullet.ER_TINY_RENDERER,
            shadow=1,
            flags=pybullet.ER_SEGMENTATION_MASK_OBJECT_AND_LINKINDEX,
            physicsClientId=self._client,
        )
        colours = np.asarray(pixels, dtype=np.uint8).reshape(height, width, 4)[:, :, :3]
        return colours, np.asarray(seen, dtype=np.int64).reshape(height, width)


def _told(joint: UrdfJoint) -> Loaded:
    """What PyBullet must make of a joint."""
    limits = (joint.lower, joint.upper, joint.effort, joint.velocity)
    return MOVES[joint.kind], joint.parent, joint.child, () if joint.kind == "fixed" else limits
