from __future__ import annotations

from interlock.profile import Stopping
from interlock_rules import load_profile
from tests.rules.golden import GOLDEN

ROBOT = load_profile(GOLDEN / "robots" / "two-joints.yaml")
PANDA = load_profile("franka_panda")


def test_every_number_of_a_joint_names_its_source() -> None:
    assert ROBOT.joints[0].source == "The maker's data sheet.; tracking: Measured."
    assert all("Franka Control Interface" in joint.source for joint in PANDA.joints)


def test_what_a_profile_does_not_give_stays_unknown() -> None:
    first, second = ROBOT.joints

    assert (first.jerk, first.torque) == (None, None)
    assert (second.jerk, second.torque) == (100.0, 5.0)
    assert ROBOT.urdf is None


def test_a_column_for_all_joints_is_one_for_each_in_order() -> None:
    layout = ROBOT.layouts[0]

    assert [channel.name for channel in layout.channels] == ["a", "b", "hand"]
    assert {channel.frame for channel in layout.channels} == {"joint"}


def test_stopping_and_the_rest_are_read() -> None:
    assert ROBOT.stopping is not None
    assert isinstance(ROBOT.stopping, Stopping)
    assert ROBOT.stopping.time_s == 0.2
    assert ROBOT.control_rate_hz == 1000.0
    assert (ROBOT.stop_category, ROBOT.vetoes_before_stop) == (1, 3)
    assert PANDA.stopping is None


def test_the_panda_has_the_makers_limits() -> None:
    # Franka Control Interface documentation, "Robot and interface specifications", limits for Panda
    assert [joint.upper for joint in PANDA.joints] == [2.8973, 1.7628, 2.8973, -0.0698, 2.8973, 3.7525, 2.8973]
    assert [joint.lower for joint in PANDA.joints] == [-2.8973, -1.7628, -2.8973, -3.0718, -2.8973, -0.0175, -2.8973]
    assert [joint.velocity for joint in PANDA.joints] == [2.175] * 4 + [2.61] * 3
    assert [joint.acceleration for joint in PANDA.joints] == [15.0, 7.5, 10.0, 12.5, 15.0, 20.0, 20.0]
    assert [joint.jerk for joint in PANDA.joints] == [7500.0, 3750.0, 5000.0, 6250.0, 7500.0, 10000.0, 10000.0]
    assert [joint.torque for joint in PANDA.joints] == [87.0] * 4 + [12.0] * 3


def test_the_panda_says_where_its_inertias_and_allowed_collisions_come_from() -> None:
    assert len(PANDA.inertias) == 11
    assert len(PANDA.allowed_collisions) == 13
    assert all(item.source for item in PANDA.inertias)
    assert all(pair.because for pair in PANDA.allowed_collisions)


def test_both_fingers_of_the_panda_take_half_of_the_width() -> None:
    hand = PANDA.grippers[0]

    assert (hand.closed, hand.open, hand.unit, hand.speed, hand.force_n) == (0.0, 0.08, "m", 0.1, 70.0)
    assert [finger.share for finger in hand.fingers] == [0.5, 0.5]


def test_F09_a_tool_point_has_one_column_for_each_coordinate_in_the_order_of_its_form() -> None:
    by_name = {layout.name: layout for layout in PANDA.layouts}

    absolute = [channel.name for channel in by_name["panda-tcp-absolute"].channels]
    six = [channel.name for channel in by_name["panda-tcp-delta-tool"].channels]

    assert absolute == [f"tcp.{name}" for name in ("x", "y", "z", "qx", "qy", "qz", "qw")] + ["hand"]
    assert six[3:9] == [f"tcp.{name}" for name in ("r00", "r10", "r20", "r01", "r11", "r21")]
    assert {channel.frame for channel in by_name["panda-tcp-delta"].channels[:6]} == {"base"}
