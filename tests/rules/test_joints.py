"""Single joints: the limit of each, what the brake may use, and how fast a joint may near the end of its travel."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.motion import Phase
from interlock.profile import Joint
from interlock_rules.amounts import OfProfile
from interlock_rules.joints import JointAcceleration, JointJerk, JointPosition, JointVelocity
from interlock_rules.kind import Fault, NoProvocation
from tests.rules.arm import HOME, PROFILE, SETUP, case_of, cubic, judge, motion_of, moving, ok, still, worst


def test_the_margin_of_a_position_is_the_distance_to_the_nearer_end_less_the_margin() -> None:
    traces = judge(JointPosition(0.1), motion_of(still(at=np.array([2.0, -2.3, 0.0]))))

    assert [float(trace.margin[0]) for trace in traces] == pytest.approx([0.4, 0.1, 2.4])
    assert [trace.names for trace in traces] == [(("j1",),), (("j2",),), (("j3",),)]


def test_a_joint_exactly_at_its_margin_is_inside_and_beyond_it_is_not() -> None:
    at = np.array([2.375, 0.0, 0.0])

    assert worst(judge(JointPosition(0.125), motion_of(still(at=at)))) == 0.0
    assert not ok(judge(JointPosition(0.125), motion_of(still(at=np.nextafter(at, 9.0)))))


def test_a_margin_that_leaves_no_travel_is_a_fault_of_each_joint() -> None:
    assert [fault.field for fault in JointPosition(2.5).faults(SETUP)] == ["margin"] * 3


def test_F14_the_first_row_counts_as_speed() -> None:
    rows = still(4)
    rows[1:, 0] += 0.05

    assert worst(judge(JointVelocity(OfProfile(1.0)), motion_of(rows))) == pytest.approx(2.0 - 2.5)


def test_the_lower_of_rule_and_profile_is_the_limit() -> None:
    assert judge(JointVelocity(9.0), motion_of(still()))[0].limit[2] == 2.0
    assert judge(JointVelocity(1.5), motion_of(still()))[0].limit[2] == 1.5


@pytest.mark.parametrize("limit", [JointVelocity(OfProfile(0.05), OfProfile(0.1)), JointAcceleration(OfProfile(0.1))])
def test_the_brake_may_use_all_of_the_profile(limit: JointVelocity | JointAcceleration) -> None:
    rows = moving(0.003, count=4)  # 0.15 rad/s, 7.5 rad/s^2
    braking = motion_of(rows, brake=3)

    assert not ok(judge(limit, motion_of(rows, brake=0)))
    assert ok(judge(limit, braking))


def test_the_jerk_of_the_brake_is_not_judged() -> None:
    limit, setup = JointJerk(OfProfile(0.01)), cubic(SETUP)

    assert not ok(judge(limit, motion_of(moving(0.001, count=4), brake=0), case_of(limit, setup=setup)))
    assert ok(judge(limit, motion_of(moving(0.001, count=4), brake=3), case_of(limit, setup=setup)))


@pytest.mark.parametrize("phase", [Phase.MEASURED, Phase.COMMITTED])
def test_F16_what_was_committed_before_is_not_judged_as_speed(phase: Phase) -> None:
    motion = motion_of(moving(0.05))
    past = replace(motion, phase=np.full(len(motion), phase, dtype=np.int64))

    assert ok(judge(JointVelocity(OfProfile(1.0)), past))
    assert not ok(judge(JointPosition(2.1), past))


def test_F32_a_joint_slows_towards_the_end_of_its_travel() -> None:
    limit = JointVelocity(OfProfile(1.0), 8.0)
    rows = still(3)
    rows[:, 0] = [2.35, 2.37, 2.39]  # 1 rad/s, ends 0.11 rad before the stop

    trace = judge(limit, motion_of(rows, brake=0))[0]

    assert trace.limit[3] == pytest.approx(np.sqrt(2 * 8.0 * 0.11))
    assert trace.margin[3] > 0.0


def test_F32_beyond_the_end_of_travel_a_joint_may_only_come_back() -> None:
    limit, outwards = JointVelocity(OfProfile(1.0), OfProfile(1.0)), still(3)
    outwards[:, 0] = [2.51, 2.52, 2.53]

    assert not ok(judge(limit, motion_of(outwards)))
    assert ok(judge(limit, motion_of(outwards[::-1])))
    assert not ok(judge(limit, motion_of(-outwards)))
    assert ok(judge(limit, motion_of(-outwards[::-1])))


@given(st.floats(0.01, 2.0), st.floats(0.0, 2.4))
def test_F32_a_joint_within_its_limit_stops_before_the_end(share: float, start: float) -> None:
    limit, period = JointVelocity(OfProfile(1.0), OfProfile(1.0)), 0.02
    step = share * period
    rows = still(2)
    rows[:, 0] = [start, start + step]
    if ok(judge(limit, motion_of(rows, brake=0))):
        position, speed = start + step, share
        while speed > 0.0:
            speed = max(0.0, speed - 10.0 * period)
            position += speed * period

        assert position <= 2.5


@given(st.floats(0.1, 2.0), st.floats(0.1, 2.0), st.floats(-0.05, 0.05))
def test_a_tighter_limit_never_permits_more(one: float, other: float, step: float) -> None:
    motion = motion_of(moving(step))
    loose, tight = (judge(JointVelocity(limit), motion) for limit in (max(one, other), min(one, other)))

    assert ok(loose) or not ok(tight)
    assert worst(tight) <= worst(loose)


@pytest.mark.parametrize(
    "limit", [JointVelocity(1.0), JointVelocity(1.0, 5.0), JointAcceleration(1.0), JointPosition(0.1)]
)
def test_F05_arrays_of_another_width_are_a_violation(limit: JointVelocity | JointAcceleration | JointPosition) -> None:
    motion = motion_of(still())
    narrow = replace(
        motion,
        positions=motion.positions[:, :2],
        velocities=motion.velocities[:, :2],
        accelerations=motion.accelerations[:, :1],
    )

    assert np.isnan(worst(judge(limit, narrow)))


def test_F38_a_motion_without_jerk_violates_a_limit_of_it() -> None:
    limit = JointJerk(OfProfile(1.0))

    assert not ok(judge(limit, replace(motion_of(still()), jerks=None), case_of(limit, setup=cubic(SETUP))))


def test_a_limit_of_jerk_on_straight_lines_is_a_fault() -> None:
    assert [fault.field for fault in JointJerk(OfProfile(1.0)).faults(SETUP)] == ["kind"]


def test_F39_a_limit_above_all_that_the_profile_gives_is_a_fault() -> None:
    assert [fault.field for fault in JointVelocity(2.1).faults(SETUP)] == ["max"]
    assert [fault.field for fault in JointVelocity(2.0, 11.0).faults(SETUP)] == ["towards_stop"]
    assert JointVelocity(2.0, 10.0).faults(SETUP) == ()


def test_F38_a_limit_of_what_the_profile_does_not_give_is_a_fault_and_a_violation() -> None:
    joints = tuple(
        Joint(j.name, j.lower, j.upper, j.velocity, j.acceleration, j.tracking, "test") for j in PROFILE.joints
    )
    setup = replace(cubic(SETUP), profile=replace(PROFILE, joints=joints, interpolation="cubic"))
    limit = JointJerk(OfProfile(0.5))

    assert limit.faults(setup) == (
        Fault("max", "the profile 'planar' gives no jerk of j1, j2, j3; add it with its source"),
    )
    assert not ok(judge(limit, motion_of(still()), case_of(limit, setup=setup)))


def test_a_provocation_of_speed_needs_three_rows() -> None:
    with pytest.raises(NoProvocation, match="2 rows"):
        JointVelocity(OfProfile(1.0)).provoke(replace(SETUP, rows=2))


def test_a_provocation_ends_where_it_should_when_the_rows_are_few() -> None:
    far = JointPosition(0.1).provoke(SETUP)
    near = JointPosition(0.1).provoke(replace(SETUP, home=np.array([2.39, 0.0, 0.0])))

    assert far.rows[-1, 0] == near.rows[-1, 0] == pytest.approx(2.45)
    assert far.start[0] > HOME[0]
    assert near.start[0] == 2.39


def test_a_provocation_of_speed_turns_towards_the_middle() -> None:
    right = replace(SETUP, home=-HOME)

    assert JointVelocity(1.0).provoke(SETUP).rows[0, 0] < HOME[0]
    assert JointVelocity(1.0).provoke(right).rows[0, 0] > -HOME[0]
