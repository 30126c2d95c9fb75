"""The fingers of a robot's grippers: which links slide with which gripper, how far, and what may not be one."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .arrays import FloatArray, frozen
from .errors import UnusableInput
from .kinematics import Kinematics
from .profile import Finger, Profile
from .urdf import Description, UrdfJoint


@dataclass(frozen=True, slots=True, eq=False)
class Slide:
    """How a link slides with a gripper: its channel's index, the link's travel per unit of its value (3,) [m, link
    frame], and the lowest and highest value that it can take.
    """

    gripper: int
    direction: FloatArray
    low: float
    high: float

    @property
    def length(self) -> float:
        """How far [m] it goes per unit of the gripper's value."""
        x, y, z = self.direction.tolist()
        return math.sqrt(x * x + y * y + z * z)


def check_joints(description: Description, joints: Sequence[str], fingers: Sequence[Finger]) -> None:
    """Raises UnusableInput unless joints turn and fingers slide, each by a share of its own."""
    names = {finger.joint for finger in fingers}
    for finger in fingers:
        if not abs(finger.share) > 0.0:
            raise UnusableInput(f"finger {finger.joint!r} has share {finger.share}; it would never move")
    for joint in description.joints:
        if fault := _fault(joint, joints, names):
            raise UnusableInput(f"joint {joint.name!r} {fault}")


def _fault(joint: UrdfJoint, joints: Sequence[str], fingers: set[str]) -> str:
    if joint.name in joints and joint.kind == "prismatic":
        return "slides; only joints that turn are supported"
    if joint.name in fingers and joint.kind != "prismatic":
        return f"is {joint.kind}; only fingers that slide are supported"
    if joint.mimic is not None and joint.mimic.joint in fingers and joint.name not in fingers:
        return f"mimics the finger {joint.mimic.joint!r}; name it among the gripper's fingers, with its share"
    return ""


def slides(kinematics: Kinematics, description: Description, profile: Profile) -> Mapping[str, Slide]:
    """The slide of every link that a finger moves, over the wider of the gripper's range and the URDF's limits."""
    found: dict[str, Slide] = {}
    limits = {joint.name: (joint.lower, joint.upper) for joint in description.joints}
    for index, gripper in enumerate(profile.grippers):
        for finger in gripper.fingers:
            ends = [gripper.closed, gripper.open, *(limit / finger.share for limit in limits[finger.joint])]
            for name, direction in _moved(kinematics, finger.joint):
                if name in found:
                    raise UnusableInput(f"link {name!r} is moved by two fingers; only one is supported")
                found[name] = Slide(index, frozen(direction * finger.share), min(ends), max(ends))
    return found


def _moved(kinematics: Kinematics, joint: str) -> Iterator[tuple[str, FloatArray]]:
    """Each link that a sliding joint moves, with its move (3,) in its own frame for 1 m of the joint."""
    values = np.zeros((2, len(kinematics.joints)))
    values[1, kinematics.joints.index(joint)] = 1.0
    poses = kinematics.forward(values, np.eye(4))
    for index, name in enumerate(kinematics.links):
        move = poses[0, index, :3, :3].T @ (poses[1, index, :3, 3] - poses[0, index, :3, 3])
        if move.any():
            yield name, move
