"""Distances of PyBullet's own Panda, loaded from its URDF and posed joint by joint: the forecast's referee.

Bullet draws each hull 1 mm larger and rounds the edges of boxes and cylinders by up to 0.73 mm, hence SLACK_M.
"""

from __future__ import annotations

import numpy as np
import pybullet
import pybullet_data

from interlock.arrays import FloatArray
from interlock.geometry import Box, Capsule, ConvexMesh, Cylinder, HalfSpace, Pose, Shape, Sphere, Vector

HULL_M = 1e-3
SLACK_M = 1e-3


class Truth:
    """A robot with fingers open by `finger` [m each] and bodies, none of it made by the code under test."""

    def __init__(self, finger: float = 0.02) -> None:
        self.client = pybullet.connect(pybullet.DIRECT)
        pybullet.setAdditionalSearchPath(pybullet_data.getDataPath(), physicsClientId=self.client)
        self.robot = pybullet.loadURDF("franka_panda/panda.urdf", useFixedBase=True, physicsClientId=self.client)
        rows = [pybullet.getJointInfo(self.robot, joint, physicsClientId=self.client) for joint in range(12)]
        self.link = {"panda_link0": -1, **{row[12].decode(): row[0] for row in rows}}
        self.finger = finger
        self.bodies: dict[str, int] = {}

    def add(self, name: str, shape: Shape, pose: Pose) -> None:
        self.bodies[name] = pybullet.createMultiBody(0.0, _collision(shape, self.client), physicsClientId=self.client)
        self.place(name, pose)

    def place(self, name: str, pose: Pose) -> None:
        """Puts a body somewhere else."""
        pybullet.resetBasePositionAndOrientation(
            self.bodies[name], list(pose.xyz), list(pose.quat_xyzw), physicsClientId=self.client
        )

    def add_floor(self, name: str, height: float) -> None:
        self.add(name, HalfSpace((0.0, 0.0, 1.0)), Pose((0.0, 0.0, height)))

    def pose(self, positions: FloatArray) -> None:
        self.pose_fingers(positions, [self.finger, self.finger])

    def pose_fingers(self, positions: FloatArray, fingers: list[float]) -> None:
        for joint, value in enumerate([*positions.tolist(), 0.0, 0.0, *fingers]):
            pybullet.resetJointState(self.robot, joint, value, physicsClientId=self.client)

    def point(self, positions: FloatArray, link: str, at: Vector) -> FloatArray:
        """Where a point at `at` in a link's frame is (3,) [m], the robot's base in the origin."""
        self.pose(positions)
        found = pybullet.getLinkState(self.robot, self.link[link], 0, 1, physicsClientId=self.client)
        return np.array(pybullet.multiplyTransforms(found[4], found[5], at, [0.0, 0.0, 0.0, 1.0])[0])

    def distance(self, link: str, other: str) -> float:
        """Signed distance [m] in the pose that was set, to a body or another link; the hulls' margins taken out."""
        body, their_link = (self.robot, self.link[other]) if other in self.link else (self.bodies[other], -1)
        found = pybullet.getClosestPoints(
            self.robot, body, 10.0, self.link[link], their_link, physicsClientId=self.client
        )
        assert found, "PyBullet must see everything within 10 m"
        return float(min(point[8] for point in found)) + HULL_M * (2.0 if other in self.link else 1.0)

    def least(self, path: FloatArray, links: tuple[str, ...], others: tuple[str, ...]) -> float:
        """The least distance [m] over densely sampled positions (S, 7)."""
        least = float("inf")
        for positions in path:
            self.pose(positions)
            least = min(least, *(self.distance(link, other) for link in links for other in others))
        return least

    def close(self) -> None:
        pybullet.disconnect(physicsClientId=self.client)


def _collision(shape: Shape, client: int) -> int:
    match shape:
        case Box(size=(x, y, z)):
            return pybullet.createCollisionShape(
                pybullet.GEOM_BOX, halfExtents=[x / 2, y / 2, z / 2], physicsClientId=client
            )
        case Sphere(radius=radius):
            return pybullet.createCollisionShape(pybullet.GEOM_SPHERE, radius=radius, physicsClientId=client)
        case Cylinder(radius=radius, length=length):
            return pybullet.createCollisionShape(
                pybullet.GEOM_CYLINDER, radius=radius, height=length, physicsClientId=client
            )
        case Capsule(radius=radius, length=length):
            return pybullet.createCollisionShape(
                pybullet.GEOM_CAPSULE, radius=radius, height=length, physicsClientId=client
            )
        case HalfSpace(normal=normal):
            return pybullet.createCollisionShape(pybullet.GEOM_PLANE, planeNormal=list(normal), physicsClientId=client)
        case ConvexMesh(vertices=vertices):
            return pybullet.createCollisionShape(pybullet.GEOM_MESH, vertices=vertices.tolist(), physicsClientId=client)
