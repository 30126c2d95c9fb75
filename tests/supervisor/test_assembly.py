"""Copies and locked joints make the robot that its joints, moved by hand, would make."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from interlock.assembly import assembled
from interlock.errors import UnusableInput
from interlock.geometry import Pose
from interlock.profile import Gripper, LockedJoint, Profile, Urdf, UrdfCopy
from interlock.robot_model import UrdfRobot
from tests.supervisor import panda

WHOLE = panda.profile()
COPIES = (UrdfCopy("left_", Pose((0.0, 0.5, 0.0))), UrdfCopy("right_", Pose((1.0, 0.5, 0.2), (0.0, 0.0, 1.0, 0.0))))


def locked(*joints: LockedJoint) -> Profile:
    """A Panda without the third joint, and these locked."""
    return replace(WHOLE, joints=(*WHOLE.joints[:2], *WHOLE.joints[3:]), locked=joints)


def twice() -> Profile:
    urdf = WHOLE.urdf
    assert isinstance(urdf, Urdf)
    joints = [replace(joint, name=f"{copy.prefix}{joint.name}") for copy in COPIES for joint in WHOLE.joints]
    grippers = [
        replace(
            gripper,
            name=f"{copy.prefix}{gripper.name}",
            fingers=tuple(replace(finger, joint=f"{copy.prefix}{finger.joint}") for finger in gripper.fingers),
        )
        for copy in COPIES
        for gripper in WHOLE.grippers
    ]
    return replace(
        WHOLE,
        joints=tuple(joints),
        grippers=tuple[Gripper, ...](grippers),
        urdf=replace(urdf, copies=COPIES),
        flange="left_panda_link8",
        hand_links=(),
        tool_points=(),
        inertias=(),
        allowed_collisions=(),
    )


@pytest.mark.parametrize("angle", [0.0, 0.7, -2.0])
def test_a_locked_joint_stands_where_the_profile_says(angle: float) -> None:
    positions = np.tile(panda.READY, (3, 1)) + np.linspace(0.0, 0.3, 3)[:, None]
    positions[:, 2] = angle
    moved = UrdfRobot(WHOLE, panda.cell())

    stiff = UrdfRobot(locked(LockedJoint("panda_joint3", angle, "a test")), panda.cell())

    np.testing.assert_allclose(stiff.forward(np.delete(positions, 2, axis=1)), moved.forward(positions), atol=1e-12)


def test_each_copy_stands_in_its_place_and_moves_by_itself() -> None:
    left, right = panda.READY[None], panda.READY[None] + 0.2
    one = UrdfRobot(WHOLE, panda.cell())

    two = UrdfRobot(twice(), panda.cell())

    poses = two.forward(np.hstack([left, right]))
    for copy, positions in zip(COPIES, (left, right), strict=True):
        ours = [two.links.index(f"{copy.prefix}{link}") for link in panda.MOVING]
        theirs = [one.links.index(link) for link in panda.MOVING]
        expected = copy.pose.matrix() @ one.forward(positions)[:, theirs]
        np.testing.assert_allclose(poses[:, ours], expected, atol=1e-12)


def test_a_copys_mimic_follows_its_own_copy() -> None:
    joints = {joint.name: joint for joint in assembled(twice()).joints}

    mimic = joints["right_panda_finger_joint2"].mimic

    assert mimic is not None
    assert mimic.joint == "right_panda_finger_joint1"


FAULTS = {
    "unknown": ((LockedJoint("panda_joint9", 0.0, "a test"),), "be in the URDF"),
    "commanded": ((LockedJoint("panda_joint1", 0.0, "a test"),), "not be commanded"),
    "twice": ((LockedJoint("panda_joint3", 0.0, "a test"), LockedJoint("panda_joint3", 1.0, "a test")), "named once"),
    "fixed": ((LockedJoint("panda_joint8", 0.0, "a test"),), "only joints that turn"),
    "slides": ((LockedJoint("panda_finger_joint1", 0.0, "a test"),), "only joints that turn"),
    "too low": ((LockedJoint("panda_joint3", -3.0, "a test"),), "beyond its travel"),
    "too high": ((LockedJoint("panda_joint3", 3.0, "a test"),), "beyond its travel"),
    "nowhere": ((LockedJoint("panda_joint3", math.nan, "a test"),), "beyond its travel"),
    "left free": ((), "moves, but is no joint"),
}


@pytest.mark.parametrize("case", FAULTS)
def test_what_cannot_be_locked_or_is_left_free_is_refused(case: str) -> None:
    joints, message = FAULTS[case]

    with pytest.raises(UnusableInput, match=message):
        UrdfRobot(locked(*joints), panda.cell())


def test_copies_that_share_names_are_refused() -> None:
    profile = twice()
    urdf = profile.urdf
    assert urdf is not None
    same = replace(urdf, copies=(COPIES[0], replace(COPIES[1], prefix="left_")))

    with pytest.raises(UnusableInput, match="share link names"):
        assembled(replace(profile, urdf=same))


def test_without_a_urdf_there_is_no_shape() -> None:
    with pytest.raises(UnusableInput, match="names no URDF"):
        assembled(replace(WHOLE, urdf=None))
