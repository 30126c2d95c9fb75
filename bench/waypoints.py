"""Other engines at the waypoints of a chunk, over the hulls and bodies of the forecast: coal's broad phase, and MuJoCo.

Both look for contacts at the rows, self-collision included, and say nothing of the motion between them, of clearance or
of uncertainty. Their own kinematics are part of their time.
"""

from __future__ import annotations

from typing import Any, Final, Protocol

import numpy as np

from bench.engines import coal_shape, engine
from bench.parts import Parts
from interlock.arrays import FloatArray
from interlock.geometry import Box, Capsule, ConvexMesh, Cylinder, Sphere
from interlock.kernels_planes import placement
from interlock.shapes import Side

COAL: Final = "coal's broad phase at the waypoints"
MUJOCO: Final = "MuJoCo at the waypoints"


class Waypoints(Protocol):
    """An engine that looks at rows."""

    def touching(self, rows: FloatArray) -> int:
        """At how many of the rows (T, n) [rad] the robot touches itself or a thing."""
        ...


class CoalWaypoints:
    """Pinocchio's kinematics, and coal's dynamic tree of boxes before its narrow phase."""

    def __init__(self, parts: Parts) -> None:
        """Raises MissingEngine."""
        coal, pin = engine("coal"), engine("pinocchio")
        self._pin, self._coal = pin, coal
        self._model, shapes = pin.Model(), pin.GeometryModel()
        where: list[tuple[int, FloatArray]] = []
        columns: list[int] = []
        places: dict[str, int] = {}
        for hop in parts.tree():
            joint, place = where[hop.parent] if hop.parent >= 0 else (0, np.eye(4))
            place = place @ hop.pose
            if hop.axis is not None:
                kind = pin.JointModelRevoluteUnaligned(hop.axis)
                joint, place = self._model.addJoint(joint, kind, pin.SE3(place), hop.link), np.eye(4)
                columns.append(hop.column)
            where.append((joint, place))
            side = parts.model.sides.get(hop.link)
            if side is not None:
                places[hop.link] = self._add(shapes, hop.link, joint, place, side)
        things = [self._add(shapes, f"thing {index}", 0, side.offset, side) for index, side in enumerate(parts.things)]
        for one, other in parts.apart:
            shapes.addCollisionPair(pin.CollisionPair(places[one], places[other]))
        for link in parts.moving:
            for thing in things:
                shapes.addCollisionPair(pin.CollisionPair(places[link], thing))
        self._columns = np.array(columns)
        self._data, self._shapes = self._model.createData(), shapes
        self._placed = shapes.createData()
        self._tree = pin.BroadPhaseManager_DynamicAABBTreeCollisionManager(self._model, shapes, self._placed)

    def _add(self, shapes: Any, name: str, joint: int, pose: FloatArray, side: Side) -> int:
        placed = self._pin.SE3(np.array(pose))
        return int(shapes.addGeometryObject(self._pin.GeometryObject(name, joint, placed, coal_shape(side.shape))))

    def touching(self, rows: FloatArray) -> int:
        """At how many of the rows (T, n) [rad] the robot touches itself or a thing."""
        hits = self._pin.computeCollisions
        turned = rows[:, self._columns]
        return sum(hits(self._model, self._data, self._tree, row, True) for row in turned)


class MujocoWaypoints:
    """MuJoCo's kinematics and its collision pipeline, without a step of its dynamics."""

    def __init__(self, parts: Parts) -> None:
        """Raises MissingEngine."""
        mujoco = engine("mujoco")
        self._mujoco = mujoco
        spec = mujoco.MjSpec()
        spec.option.disableflags |= mujoco.mjtDisableBit.mjDSBL_FILTERPARENT  # who may touch is said below
        bodies: list[Any] = []
        columns: list[int] = []
        for hop in parts.tree():
            parent = bodies[hop.parent] if hop.parent >= 0 else spec.worldbody
            body = parent.add_body(name=hop.link, **_pose(hop.pose))
            body.mass, body.inertia, body.explicitinertial = 1.0, [1.0, 1.0, 1.0], True  # nothing falls here
            if hop.axis is not None:
                body.add_joint(type=mujoco.mjtJoint.mjJNT_HINGE, axis=hop.axis, name=hop.link)
                columns.append(hop.column)
            bodies.append(body)
            side = parts.model.sides.get(hop.link)
            if side is not None:
                self._add(spec, body, hop.link, side, np.eye(4))
        for index, side in enumerate(parts.things):
            self._add(spec, spec.worldbody, f"thing {index}", side, side.offset)
        links = tuple(parts.model.sides)
        for place, one in enumerate(links):
            for other in links[:place]:
                if (other, one) not in parts.apart:
                    spec.add_exclude(bodyname1=one, bodyname2=other)
        self._columns = np.array(columns)
        self._model = spec.compile()
        self._data = mujoco.MjData(self._model)

    def _add(self, spec: Any, body: Any, name: str, side: Side, pose: FloatArray) -> None:
        kinds = self._mujoco.mjtGeom
        match side.shape:
            case Box(size=size):
                shape = {"type": kinds.mjGEOM_BOX, "size": [edge / 2.0 for edge in size]}
            case Sphere(radius=radius):
                shape = {"type": kinds.mjGEOM_SPHERE, "size": [radius, 0.0, 0.0]}
            case Cylinder(radius=radius, length=length):
                shape = {"type": kinds.mjGEOM_CYLINDER, "size": [radius, length / 2.0, 0.0]}
            case Capsule(radius=radius, length=length):
                shape = {"type": kinds.mjGEOM_CAPSULE, "size": [radius, length / 2.0, 0.0]}
            case ConvexMesh(vertices=vertices):
                spec.add_mesh(name=name, uservert=vertices.ravel())
                shape = {"type": kinds.mjGEOM_MESH, "meshname": name}
            case _:
                raise ValueError(f"{name}: a {side.shape.kind} is not built here")
        body.add_geom(name=name, **shape, **_pose(pose))

    def touching(self, rows: FloatArray) -> int:
        """At how many of the rows (T, n) [rad] the robot touches itself or a thing."""
        mujoco, model, data, found = self._mujoco, self._model, self._data, 0
        for row in rows[:, self._columns]:
            data.qpos[:] = row
            mujoco.mj_kinematics(model, data)
            mujoco.mj_collision(model, data)
            found += data.ncon > 0
        return found


def _pose(pose: FloatArray) -> dict[str, list[float]]:
    """A pose (4, 4) as MuJoCo takes it: the quaternion begins with w."""
    x, y, z, *turn = placement(pose)
    return {"pos": [x, y, z], "quat": [turn[3], *turn[:3]]}
