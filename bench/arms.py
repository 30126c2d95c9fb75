"""A robot as Pinocchio reads it: its convex parts, where they are, about which axes they turn, and at which levers."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy as duplicate
from typing import Any, Self

import numpy as np

from bench.engines import Part, coal_hull, engine
from interlock.arrays import FloatArray
from interlock.geometry import Pose
from interlock.profile import Finger, Profile, UrdfCopy
from interlock.urdf import file_of

AXES = {"RX": (1.0, 0.0, 0.0), "RY": (0.0, 1.0, 0.0), "RZ": (0.0, 0.0, 1.0)}


class Arm:
    """A robot as Pinocchio reads it from its URDF, once or in copies: all joints of all copies in one row, the base of
    each copy among them. Grippers of several hands are told the same.
    """

    def __init__(self, profile: Profile, mount: FloatArray) -> None:
        """The root link stands at mount (4, 4) in the world. Raises ValueError for a robot of another kind."""
        if profile.urdf is None or profile.locked:
            raise ValueError(f"{profile.name}: the referee needs a URDF, and no locked joints")
        pin = engine("pinocchio")
        file = file_of(profile.urdf)
        self._pin, self.profile, self.mount = pin, profile, mount
        self.model = pin.buildModelFromUrdf(str(file))
        self.data = self.model.createData()
        self._copies: tuple[UrdfCopy, ...] = profile.urdf.copies or (UrdfCopy("", Pose()),)
        self.names: list[str] = [f"{copy.prefix}{name}" for copy in self._copies for name in self.model.names]
        self.joints: list[int] = [self.names.index(name) for name in profile.joint_names]
        self._read_joints()
        folders = [str(folder) for folder in file.parents]
        geometry = pin.buildGeomFromUrdf(self.model, str(file), pin.COLLISION, package_dirs=folders)
        self._read_parts(list(geometry.geometryObjects))
        self.slides = {name: self._slide(finger) for name, finger in self._fingers()}
        self.balls = np.array([part.ball for part in self.parts])
        ends = [abs(end) for gripper in profile.grippers for end in (gripper.open, gripper.closed)]
        self.widest = max(ends, default=0.0)
        self.above: list[set[int]] = [self._supports[parent] & set(self.joints) for parent in self.parents]
        self.reach = np.array([[self._reach(part, joint) for joint in self.joints] for part in range(len(self.parts))])
        hands = [index for index, part in enumerate(self.parts) if part.name in profile.hand_links]
        whole = max(len(above) for above in self.above)
        self.hand = [index for index in hands if self.parts[index].name.startswith(self._copies[0].prefix)] or [
            index for index, above in enumerate(self.above) if len(above) == whole
        ]

    def stood(self, profile: Profile, mount: FloatArray) -> Self:
        """The same robot on another mount, with other numbers of its profile: nothing is read or measured again."""
        if (profile.urdf, profile.joint_names, profile.grippers, profile.hand_links) != (
            self.profile.urdf, self.profile.joint_names, self.profile.grippers, self.profile.hand_links
        ):  # fmt: skip
            raise ValueError(f"{profile.name} is not the robot that was read, {self.profile.name}")
        found = duplicate(self)
        found.profile, found.mount = profile, mount
        return found

    def _read_joints(self) -> None:
        """Where each joint stands on the one before it, about which axis it turns, and which are before it."""
        size = int(self.model.njoints)
        self.axes = np.zeros((len(self.names), 3))
        self._placements: list[FloatArray] = []
        self._before: list[int] = []
        self._supports: list[set[int]] = []
        for number, copy in enumerate(self._copies):
            for joint in range(size):
                placed = np.array(self.model.jointPlacements[joint].homogeneous)
                self._placements.append(placed if joint else np.asarray(copy.pose.matrix()))
                self._before.append(int(self.model.parents[joint]) + number * size)
                self._supports.append({int(hop) + number * size for hop in self.model.supports[joint]})
        for joint in self.joints:
            kind = self.model.joints[joint % size].shortname().removeprefix("JointModel")
            if kind not in AXES:
                raise ValueError(f"{self.profile.name}: {self.names[joint]} is {kind}; the referee knows joints that "
                                 "turn about an axis of their own frame")  # fmt: skip
            self.axes[joint] = AXES[kind]
        self._lengths = [float(np.linalg.norm(place[:3, 3])) for place in self._placements]

    def _read_parts(self, items: list[Any]) -> None:
        """One hull for all that a link can hit with."""
        corners: dict[str, list[FloatArray]] = {}
        parents: dict[str, int] = {}
        for item in items:
            name = self.model.frames[item.parentFrame].name
            corners.setdefault(name, []).append(_corners(item))
            parents[name] = int(item.parentJoint)
        hulls = {name: coal_hull(np.concatenate(found)) for name, found in corners.items()}
        points = {
            name: np.array([hull.point(index) for index in range(hull.num_points)]) for name, hull in hulls.items()
        }
        self.parts = tuple(
            Part(f"{copy.prefix}{name}", hulls[name], points[name]) for copy in self._copies for name in hulls
        )
        self.parents: list[int] = [
            parents[name] + number * self.model.njoints for number in range(len(self._copies)) for name in hulls
        ]

    def _fingers(self) -> Iterator[tuple[str, Finger]]:
        for finger in (finger for gripper in self.profile.grippers for finger in gripper.fingers):
            joint = self.names.index(finger.joint)
            for part, parent in zip(self.parts, self.parents, strict=True):
                if parent == joint:
                    yield part.name, finger

    def _slide(self, finger: Finger) -> FloatArray:
        """How a finger slides with its gripper's value (3,), in its own frame."""
        joint = self.names.index(finger.joint) % self.model.njoints
        places: list[FloatArray] = []
        for value in (0.0, 1.0):
            q = self._pin.neutral(self.model)
            q[self.model.joints[joint].idx_q] = value
            self._pin.forwardKinematics(self.model, self.data, q)
            places.append(np.array(self.data.oMi[joint].homogeneous))
        return np.asarray(places[0][:3, :3].T @ (places[1] - places[0])[:3, 3] * finger.share)

    def frames(self, positions: FloatArray) -> FloatArray:
        """Poses (S, J, 4, 4) of all joints in the world, fingers at 0, for positions (S, n) [rad].

        Pinocchio's own recursion takes one row at a time; here the same placements are chained for all rows at once.
        """
        found = np.empty((len(positions), len(self.names), 4, 4))
        for joint, placement in enumerate(self._placements):
            found[:, joint] = (found[:, self._before[joint]] if joint % self.model.njoints else self.mount) @ placement
            if joint in self.joints:
                turns = _about(self.axes[joint], positions[:, self.joints.index(joint)])
                found[:, joint, :3, :3] = found[:, joint, :3, :3] @ turns
        return found

    def jacobian(self, positions: FloatArray, part: int) -> FloatArray:
        """The velocity of a part's origin and its rate of turn, world axes, for each joint's speed; (6, n)."""
        size = int(self.model.njoints)
        copy = self.parents[part] // size
        mine = [place for place, joint in enumerate(self.joints) if joint // size == copy]
        own = [self.model.joints[self.joints[place] % size] for place in mine]
        q = self._pin.neutral(self.model)
        q[[joint.idx_q for joint in own]] = positions[mine]
        place = self._pin.ReferenceFrame.LOCAL_WORLD_ALIGNED
        self._pin.computeJointJacobians(self.model, self.data, q)
        whole = np.array(self._pin.getJointJacobian(self.model, self.data, self.parents[part] % size, place))
        turn = np.kron(np.eye(2), (self.mount @ self._copies[copy].pose.matrix())[:3, :3])
        found = np.zeros((6, len(self.joints)))
        found[:, mine] = turn @ whole[:, [joint.idx_v for joint in own]]
        return found

    def tool(self, frames: FloatArray) -> FloatArray:
        """Poses (S, 4, 4) of the first tool point: its z axis points out of the hand."""
        tool = self.profile.tool_points[0]
        frame = self.model.frames[self.model.getFrameId(tool.link.removeprefix(self._copies[0].prefix))]
        return np.asarray(frames[:, frame.parentJoint] @ frame.placement.homogeneous @ tool.pose.matrix())

    def poses(self, frames: FloatArray, part: int, opening: FloatArray) -> FloatArray:
        """Poses (S, 4, 4) of a part at gripper values (S,) [m]."""
        found = frames[:, self.parents[part]].copy()
        slide = self.slides.get(self.parts[part].name)
        if slide is not None:
            found[:, :3, 3] += (found[:, :3, :3] @ slide) * opening[:, None]
        return found

    def levers(self, frames: FloatArray) -> FloatArray:
        """Distance [m] from the axis of each joint to the furthest point of a ball around each part; (S, P, n)."""
        turning = frames[:, self.joints]
        axes = (turning[..., :3, :3] @ self.axes[self.joints][:, :, None])[..., 0]
        held = frames[:, self.parents]
        middles = (held[:, :, :3, :3] @ self.balls[:, :3, None])[..., 0] + held[:, :, :3, 3]
        arms = np.asarray(np.cross(axes[:, None], middles[:, :, None] - turning[:, None, :, :3, 3]), dtype=np.float64)
        return np.asarray(np.sqrt((arms**2).sum(axis=3)) + self.balls[:, 3, None])

    def _reach(self, part: int, joint: int) -> float:
        """From the axis of a joint to the furthest point of a part [m], at most: all lengths on the way, in a line."""
        slide = self.slides.get(self.parts[part].name, np.zeros(3))
        furthest = float(np.linalg.norm(self.parts[part].corners, axis=1).max())
        way = self._supports[self.parents[part]] ^ self._supports[joint]
        return float(sum(self._lengths[hop] for hop in way) + furthest + self.widest * np.linalg.norm(slide))

    def between(self, one: int, other: int | None) -> tuple[int, ...]:
        """The places among the profile's joints of those that turn one part against another, or against the world; the
        nearest to the one first.
        """
        theirs: set[int] = set() if other is None else self.above[other]
        turning = [place for place, joint in enumerate(self.joints) if joint in self.above[one] ^ theirs]
        return tuple(sorted(turning, key=lambda place: self.reach[one, place]))


def _corners(item: Any) -> FloatArray:
    """The corners (V, 3) of a geometry in the frame of the joint that moves it; raises ValueError for a round one."""
    shape = item.geometry
    if hasattr(shape, "halfSide"):
        signs = np.array([[i, j, k] for i in (-1, 1) for j in (-1, 1) for k in (-1, 1)])
        points = signs * np.array(shape.halfSide)
    elif hasattr(shape, "buildConvexHull"):
        shape.buildConvexHull(True, "Qt")
        points = np.array([shape.convex.point(index) for index in range(shape.convex.num_points)])
    else:
        raise ValueError(f"{item.name} is a {type(shape).__name__}; the referee reads meshes and boxes")
    return np.asarray(points @ item.placement.rotation.T + item.placement.translation)


def _about(axis: FloatArray, angles: FloatArray) -> FloatArray:
    """Turns (S, 3, 3) about an axis (3,) by angles (S,) [rad]; Rodrigues."""
    x, y, z = axis.tolist()
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    sine, cosine = np.sin(angles)[:, None, None], np.cos(angles)[:, None, None]
    return np.asarray(np.eye(3) + sine * cross + (1.0 - cosine) * (cross @ cross))
