"""Which links slide with a gripper, and what may not be a finger."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from interlock.errors import UnusableInput
from interlock.fingers import check_joints, slides
from interlock.kinematics import kinematics_of
from interlock.profile import Finger, Gripper
from interlock.urdf import read_urdf
from tests.supervisor import panda

DESCRIPTION = read_urdf(panda.urdf())
PROFILE = panda.profile()
FINGERS = PROFILE.grippers[0].fingers


def test_both_fingers_slide_apart_over_their_whole_travel() -> None:
    tree = kinematics_of(DESCRIPTION, [*PROFILE.joint_names, *(finger.joint for finger in FINGERS)])

    found = slides(tree, DESCRIPTION, PROFILE)

    assert set(found) == {"panda_leftfinger", "panda_rightfinger"}
    assert {(slide.gripper, slide.low, slide.high) for slide in found.values()} == {(0, 0.0, 0.08)}
    np.testing.assert_allclose(found["panda_leftfinger"].direction, (0.0, 0.5, 0.0), atol=1e-15)
    np.testing.assert_allclose(found["panda_rightfinger"].direction, (0.0, -0.5, 0.0), atol=1e-15)


def test_the_wider_of_profile_and_urdf_is_swept() -> None:
    tree = kinematics_of(DESCRIPTION, [*PROFILE.joint_names, *(finger.joint for finger in FINGERS)])
    wide = replace(PROFILE, grippers=(replace(PROFILE.grippers[0], closed=-0.01, open=0.05),))

    found = slides(tree, DESCRIPTION, wide)["panda_leftfinger"]

    assert (found.low, found.high) == (-0.01, 0.08)


def test_a_link_moved_by_two_fingers_is_refused() -> None:
    tree = kinematics_of(DESCRIPTION, [*PROFILE.joint_names, *(finger.joint for finger in FINGERS)])
    twice = replace(
        PROFILE, grippers=(PROFILE.grippers[0], Gripper("more", 0.0, 1.0, "m", 1.0, "test", None, FINGERS[:1]))
    )

    with pytest.raises(UnusableInput, match="moved by two fingers"):
        slides(tree, DESCRIPTION, twice)


@pytest.mark.parametrize(
    ("joints", "fingers", "message"),
    [
        (("panda_finger_joint1",), (), "slides; only joints that turn"),
        ((), (Finger("panda_joint1", 1.0),), "only fingers that slide"),
        ((), FINGERS[:1], "mimics the finger"),
        ((), (Finger("panda_finger_joint1", 0.0),), "would never move"),
        ((), (Finger("panda_finger_joint1", float("nan")),), "would never move"),
    ],
    ids=["sliding joint", "turning finger", "mimic", "no share", "NaN share"],
)
def test_joints_that_do_not_fit_are_refused(joints: tuple[str, ...], fingers: tuple[Finger, ...], message: str) -> None:
    with pytest.raises(UnusableInput, match=message):
        check_joints(DESCRIPTION, joints, fingers)
