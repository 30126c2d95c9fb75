"""The yardstick: what a few lines of PyBullet do to look for contacts at the waypoints of a chunk, and nothing else.

It sees no motion between waypoints, no clearance, no uncertainty and no self-collision; only its time is of interest.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Final

import pybullet

from interlock.arrays import FloatArray
from interlock.geometry import Box, Cylinder, Sphere
from interlock.profile import Profile
from interlock.scene import Body, Cell

FAR: Final = 0.15  # m: how far the nearest body is looked for


class NaiveWorld:
    """A robot and a cell in a PyBullet client of its own."""

    def __init__(self, profile: Profile, cell: Cell) -> None:
        """Raises ValueError for a profile without a URDF, and for a shape that is no box, sphere or cylinder."""
        if profile.urdf is None:
            raise ValueError(f"{profile.name} has no URDF")
        self._client = pybullet.connect(pybullet.DIRECT)
        path = str(files(profile.urdf.package) / profile.urdf.path)
        mount = cell.mount
        self._robot = pybullet.loadURDF(
            path, mount.xyz, mount.quat_xyzw, useFixedBase=True, physicsClientId=self._client
        )
        names = [self._joint_name(index) for index in range(pybullet.getNumJoints(self._robot, self._client))]
        self._joints = [names.index(name) for name in profile.joint_names]
        self._bodies = [self._add(body) for body in cell.bodies]

    def _joint_name(self, index: int) -> str:
        return pybullet.getJointInfo(self._robot, index, self._client)[1].decode()

    def _add(self, body: Body) -> int:
        match body.shape:
            case Box(size=(x, y, z)):
                shape = pybullet.createCollisionShape(
                    pybullet.GEOM_BOX, halfExtents=(x / 2.0, y / 2.0, z / 2.0), physicsClientId=self._client
                )
            case Sphere(radius=radius):
                shape = pybullet.createCollisionShape(pybullet.GEOM_SPHERE, radius=radius, physicsClientId=self._client)
            case Cylinder(radius=radius, length=length):
                shape = pybullet.createCollisionShape(
                    pybullet.GEOM_CYLINDER, radius=radius, height=length, physicsClientId=self._client
                )
            case _:
                raise ValueError(f"{body.name}: a {type(body.shape).__name__} is not built here")
        return pybullet.createMultiBody(
            0.0, shape, -1, body.pose.xyz, body.pose.quat_xyzw, physicsClientId=self._client
        )

    def _pose(self, positions: FloatArray) -> None:
        for joint, position in zip(self._joints, positions.tolist(), strict=True):
            pybullet.resetJointState(self._robot, joint, position, physicsClientId=self._client)

    def contacts(self, rows: FloatArray) -> int:
        """How many contacts of the robot there are at the rows (T, n) [rad], all together: the yardstick itself."""
        found = 0
        for row in rows:
            self._pose(row)
            pybullet.performCollisionDetection(self._client)
            found += len(pybullet.getContactPoints(bodyA=self._robot, physicsClientId=self._client))
        return found

    def gap_m(self, positions: FloatArray) -> float:
        """The distance [m] between a body of the cell and a link that moves, at most FAR; negative: inside."""
        self._pose(positions)
        points = (
            point
            for body in self._bodies
            for point in pybullet.getClosestPoints(self._robot, body, FAR, physicsClientId=self._client)
        )
        return min((point[8] for point in points if point[3] > 0), default=FAR)
