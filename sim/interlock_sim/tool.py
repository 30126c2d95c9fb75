"""Where the tool is for given joint positions: what the scripted expert plans with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from interlock.arrays import FloatArray
from interlock.assembly import assembled
from interlock.errors import UnusableInput
from interlock.geometry import Pose
from interlock.kinematics import Kinematics, kinematics_of
from interlock.profile import Profile

MARGIN_RAD = 0.1  # an expert keeps this far from the ends of a joint


@dataclass(frozen=True, slots=True, eq=False)
class Tool:
    """A tool point of a robot on its mount, and how far (n,) [rad] an expert turns the joints."""

    kinematics: Kinematics
    mount: FloatArray
    link: int
    place: FloatArray
    lower: FloatArray
    upper: FloatArray

    def forward(self, positions: FloatArray) -> FloatArray:
        """World poses (N, 4, 4) of the tool point for joint positions (N, n) [rad]."""
        fingers = np.zeros((len(positions), len(self.kinematics.joints) - positions.shape[1]))
        poses = self.kinematics.forward(np.concatenate([positions, fingers], axis=1), self.mount)
        found: FloatArray = poses[:, self.link] @ self.place
        return found


def tool_of(profile: Profile, mount: Pose) -> Tool:
    """The first tool point of a profile; raises UnusableInput where it has none, or no URDF."""
    if profile.urdf is None or not profile.tool_points:
        raise UnusableInput(f"profile {profile.name!r} needs a URDF and a tool point to plan with")
    point = profile.tool_points[0]
    fingers = [finger.joint for gripper in profile.grippers for finger in gripper.fingers]
    kinematics = kinematics_of(assembled(profile), [*profile.joint_names, *fingers])
    return Tool(
        kinematics=kinematics,
        mount=mount.matrix(),
        link=kinematics.links.index(point.link),
        place=point.pose.matrix(),
        lower=np.array([joint.lower + MARGIN_RAD for joint in profile.joints]),
        upper=np.array([joint.upper - MARGIN_RAD for joint in profile.joints]),
    )
