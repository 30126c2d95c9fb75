"""Speed and tilt of the tool: sound between nodes, and not fooled by what lies outside a link's hull."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.arrays import FloatArray
from interlock.geometry import Box, Pose
from interlock.scene import Held
from interlock_rules.kind import NoProvocation, Setup
from interlock_rules.tool import LinkSpeed, TcpOrientation, TcpSpeed, fastest, tilt_rad
from tests.rules.arm import HOME, PERIOD, SETUP, Arm, Bare, case_of, judge, motion_of, moving, ok, still, worst

LOOSE = replace(SETUP, model=Arm(stiff=False))
REACH = 0.85


@given(st.lists(st.floats(-0.5, 0.5), min_size=3, max_size=3), st.lists(st.floats(-2.0, 2.0), min_size=3, max_size=3))
def test_nowhere_between_two_nodes_is_the_tool_faster_than_measured(step: list[float], at: list[float]) -> None:
    start, way = np.array(at), np.array(step)
    bound = judge(TcpSpeed(1.0), motion_of([start, start + way], setup=LOOSE, brake=0))[0].value[-1]
    fine = start + np.linspace(0.0, 1.0, 201)[:, None] * way
    places = Arm().forward(fine)[:, 4] @ np.array([0.05, 0.0, 0.0, 1.0])
    found = np.linalg.norm(np.diff(places, axis=0), axis=1).max() / (PERIOD / 200)

    assert found <= bound + 1e-9


def test_a_speed_is_that_of_the_arc_and_a_little_more() -> None:
    speed = 0.5 * REACH
    straight = motion_of(moving(0.5 * PERIOD) * np.array([1.0, 0.0, 0.0]), setup=LOOSE)

    value = judge(TcpSpeed(1.0), straight)[0].value[-1]

    assert speed < value < 1.03 * speed


def test_the_brake_keeps_the_speed_of_the_tool() -> None:
    motion = motion_of(moving(0.03), brake=5)

    assert not ok(judge(TcpSpeed(0.5), motion))


def test_F24_the_elbow_is_as_fast_as_it_is_where_the_hand_stands_still() -> None:
    folded = still(2, np.array([0.0, math.pi / 2, 0.0]))
    folded[1] = [0.02, math.pi / 2 - 0.06, 0.0]

    assert worst(judge(LinkSpeed(0.3, ("fore",)), motion_of(folded))) < worst(judge(TcpSpeed(0.3), motion_of(still())))
    assert not ok(judge(LinkSpeed(0.3, ("robot",)), motion_of(folded)))


def test_F28_what_the_hand_holds_is_faster_than_the_hand() -> None:
    stick = Held("stick", Box((0.5, 0.02, 0.02)), Pose((0.3, 0.0, 0.0)), 0.1)
    motion = motion_of(moving(0.02), held=stick)

    traces = {trace.names[0][0]: trace for trace in judge(LinkSpeed(1.0, ("hand", "held")), motion)}

    assert traces["held"].value[-1] > 1.2 > traces["hand"].value[-1]


def test_a_rule_about_an_empty_hand_applies_and_finds_nothing() -> None:
    traces = judge(LinkSpeed(1.0, ("held",)), motion_of(moving(0.02)))

    assert ok(traces)
    assert np.isposinf(worst(traces))


def test_an_unknown_tool_point_is_a_violation_and_a_fault() -> None:
    bare = replace(SETUP, model=Bare())
    motion = motion_of(still(), setup=bare)

    for limit in (TcpSpeed(1.0), TcpOrientation((1.0, 0.0, 0.0), (1.0, 0.0, 0.0), 1.0)):
        assert not ok(judge(limit, motion))
        assert [fault.field for fault in limit.faults(bare)] == ["kind"]


@given(st.lists(st.floats(-0.3, 0.3), min_size=3, max_size=3), st.lists(st.floats(-2.0, 2.0), min_size=3, max_size=3))
def test_nowhere_between_two_nodes_is_the_tool_tilted_further_than_measured(step: list[float], at: list[float]) -> None:
    start, way = np.array(at), np.array(step)
    limit = TcpOrientation((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), math.pi / 2)
    bound = judge(limit, motion_of([start, start + way], brake=0))[0].value[-1]
    angles = (start + np.linspace(0.0, 1.0, 50)[:, None] * way).sum(axis=1)
    tilt = np.abs(np.arctan2(np.sin(angles - math.pi / 2), np.cos(angles - math.pi / 2)))

    assert bound > math.pi / 2 or tilt.max() <= bound + 1e-9


def test_a_turn_too_wide_to_bound_is_a_violation() -> None:
    rows = np.array([HOME, HOME + np.array([2.0, -2.0, 0.0])])
    along = (math.cos(1.2), math.sin(1.2), 0.0)

    assert np.isnan(worst(judge(TcpOrientation((1.0, 0.0, 0.0), along, 1.0), motion_of(rows))))


def test_F23_the_tracking_error_counts_as_tilt() -> None:
    limit = TcpOrientation((1.0, 0.0, 0.0), (1.0, 0.0, 0.0), 1.3)
    sloppy = replace(SETUP.profile, joints=tuple(replace(joint, tracking=0.1) for joint in SETUP.profile.joints))
    setup = replace(SETUP, profile=sloppy)

    assert ok(judge(limit, motion_of(still())))
    assert not ok(judge(limit, motion_of(still()), case_of(limit, setup=setup)))


@pytest.mark.parametrize("most", [-0.1, 1.6, math.nan])
def test_F03_a_tilt_that_is_none_is_refused(most: float) -> None:
    with pytest.raises(ValueError, match="max must be from 0 deg to 90 deg"):
        TcpOrientation((1.0, 0.0, 0.0), (1.0, 0.0, 0.0), most)


def test_opposite_directions_are_pi_apart() -> None:
    assert tilt_rad(np.eye(4)[None], (0.0, 0.0, 2.0), (0.0, 0.0, -0.5))[0] == math.pi


def test_a_speed_that_the_arm_cannot_reach_has_no_provocation() -> None:
    with pytest.raises(NoProvocation, match="lets tcp reach 9 m/s"):
        TcpSpeed(9.0).provoke(SETUP)


@pytest.mark.parametrize("most", [0.25, 1.0, 2.0])
def test_F44_a_provocation_is_found_for_any_speed_that_can_be_reached(most: float) -> None:
    setup: Setup = LOOSE
    provoked = LinkSpeed(most, ("held",)).provoke(setup)

    traces = judge(
        LinkSpeed(most, ("held",)), motion_of(np.vstack([provoked.start, provoked.rows]), held=provoked.held)
    )

    assert not ok(traces)


def tip(positions: FloatArray) -> FloatArray:
    return np.asarray((Arm().forward(positions)[:, 4] @ np.array([0.05, 0.0, 0.0, 1.0]))[:, :3])


def test_F44_where_joints_must_turn_against_each_other_to_be_fast_that_is_found() -> None:
    first, second, third = SETUP.profile.joints
    joints = (replace(first, velocity=0.1), second, replace(third, lower=2.9, upper=3.1))  # the hand lies on the arm
    setup = replace(SETUP, profile=replace(SETUP.profile, joints=joints), home=np.array([0.0, 0.0, 3.0]))
    poses = np.array([[0.0, b, c] for b in np.linspace(-2.2, 2.2, 19) for c in np.linspace(2.91, 3.09, 19)])
    turns = 0.95 * np.array([0.1, 2.0, 2.0]) * np.array([[a, b, c] for a in (-1, 1) for b in (-1, 1) for c in (-1, 1)])
    speeds = [np.linalg.norm(tip(poses + 1e-6 * turn) - tip(poses), axis=1).max() / 1e-6 for turn in turns]
    most = 0.98 * max(speeds)

    pose, rates = fastest(setup, ("tcp",), most)

    assert speeds[0] < 0.5 * most
    assert np.linalg.norm(tip(pose[None] + 1e-6 * rates) - tip(pose[None])) / 1e-6 >= most
    assert np.abs(rates) == pytest.approx(np.abs(turns[0]))


def test_unknown_fixed_and_missing_bodies_are_faults() -> None:
    faults = {limit.body: [fault.field for fault in limit.faults(SETUP)] for limit in (
        LinkSpeed(1.0, ()), LinkSpeed(1.0, ("upper", "fire")), LinkSpeed(1.0, ("base",)), LinkSpeed(1.0, ("flange",)),
    )}  # fmt: skip

    assert list(faults.values()) == [["body"], ["body[1]"], ["body[0]"], ["body[0]"]]
