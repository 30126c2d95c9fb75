"""Forward kinematics against PyBullet's own, and what kinematics refuses."""

from __future__ import annotations

import math

import numpy as np
import pybullet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.errors import UnusableInput
from interlock.kinematics import kinematics_of
from interlock.urdf import Description, Mimic, UrdfJoint, UrdfLink, read_urdf
from tests.supervisor import panda
from tests.supervisor.truth import Truth

SINGLE = 2e-6  # PyBullet hands out poses by way of centres of mass that it keeps in single precision
FINGERS = ("panda_finger_joint1", "panda_finger_joint2")
JOINTS = (*(f"panda_joint{number}" for number in range(1, 8)), *FINGERS)


def joint(name: str, parent: str, child: str, kind: str = "revolute", mimic: Mimic | None = None) -> UrdfJoint:
    origin = np.eye(4)
    origin[:3, 3] = (0.1, 0.2, 0.3)
    axis = np.array([0.0, 0.6, 0.8])
    return UrdfJoint(name, kind, parent, child, origin, axis, -1.0, 1.0, 1.0, 1.0, mimic)  # type: ignore[arg-type]


def chain(*joints: UrdfJoint) -> Description:
    links = [UrdfLink("base", ()), *(UrdfLink(found.child, ()) for found in joints)]
    return Description(tuple(links), tuple(joints))


def test_poses_are_those_of_pybullet(seed: int) -> None:
    tree = kinematics_of(read_urdf(panda.urdf()), JOINTS)
    generator = np.random.default_rng(seed)
    arm = generator.uniform(panda.LOWER, panda.UPPER, (20, 7))
    values = np.hstack([arm, generator.uniform(0.0, 0.04, (20, 2))])
    referee = Truth()

    poses = tree.forward(values, np.eye(4))

    for row, pose in zip(values, poses, strict=True):
        referee.pose_fingers(row[:7], row[7:].tolist())
        for name, index in referee.link.items():
            if index >= 0:
                state = pybullet.getLinkState(
                    referee.robot, index, computeForwardKinematics=1, physicsClientId=referee.client
                )
                found = pose[tree.links.index(name)]
                turn = np.array(pybullet.getMatrixFromQuaternion(state[5])).reshape(3, 3)
                np.testing.assert_allclose(found[:3, 3], state[4], atol=SINGLE)
                np.testing.assert_allclose(found[:3, :3], turn, atol=SINGLE)
    referee.close()


@settings(max_examples=25)
@given(st.lists(st.floats(-6.0, 6.0), min_size=9, max_size=9))
def test_poses_are_rigid_and_many_at_once_are_one_by_one(values: list[float]) -> None:
    tree = kinematics_of(read_urdf(panda.urdf()), JOINTS)
    rows = np.array([values, np.zeros(9), values])

    poses = tree.forward(rows, np.eye(4))

    turns = poses[..., :3, :3]
    np.testing.assert_allclose(turns @ np.swapaxes(turns, -1, -2), np.broadcast_to(np.eye(3), turns.shape), atol=1e-12)
    assert poses[2].tobytes() == tree.forward(rows[:1], np.eye(4))[0].tobytes()


def test_the_base_moves_everything() -> None:
    tree = kinematics_of(chain(joint("j", "base", "tip")), ["j"])
    base = np.eye(4)
    base[:3, 3] = (1.0, 2.0, 3.0)

    moved = tree.forward(np.array([[0.0]]), base)

    np.testing.assert_allclose(moved[0, 1, :3, 3], (1.1, 2.2, 3.3))


def test_a_mimicking_joint_follows() -> None:
    follower = joint("k", "tip", "far", mimic=Mimic("j", -2.0, 0.5))
    tree = kinematics_of(chain(joint("j", "base", "tip"), follower), ["j"])
    driven = kinematics_of(chain(joint("j", "base", "tip"), joint("k", "tip", "far")), ["j", "k"])

    found = tree.forward(np.array([[0.3]]), np.eye(4))

    np.testing.assert_allclose(found, driven.forward(np.array([[0.3, -0.1]]), np.eye(4)), atol=1e-15)


def test_a_joint_that_nobody_commands_is_refused() -> None:
    free = chain(joint("j", "base", "tip"), joint("k", "tip", "far"))

    with pytest.raises(UnusableInput, match="'k' moves"):
        kinematics_of(free, ["j"])


@pytest.mark.parametrize("name", ["absent", "stiff"])
def test_a_joint_that_cannot_move_is_refused(name: str) -> None:
    stiff = chain(joint("stiff", "base", "tip", "fixed"))

    with pytest.raises(UnusableInput, match="no movable joint"):
        kinematics_of(stiff, [name])


def test_shapes_are_compared() -> None:
    tree = kinematics_of(chain(joint("j", "base", "tip")), ["j"])

    with pytest.raises(ValueError, match=r"shape \(N, 1\)"):
        tree.forward(np.zeros((2, 2)), np.eye(4))


def test_a_turn_is_about_the_axis_and_right_handed() -> None:
    tree = kinematics_of(chain(joint("j", "base", "tip")), ["j"])

    turn = tree.forward(np.array([[math.pi / 2.0]]), np.eye(4))[0, 1, :3, :3]

    np.testing.assert_allclose(turn @ (0.0, 0.6, 0.8), (0.0, 0.6, 0.8), atol=1e-15)
    np.testing.assert_allclose(turn @ (1.0, 0.0, 0.0), np.cross((0.0, 0.6, 0.8), (1.0, 0.0, 0.0)), atol=1e-15)
