"""A motion holds everything from now to rest, and the plan is what was judged, node for node."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from interlock.build import LENGTHENINGS, Proposal, periods_to_rest, propose, rest_of_plan
from interlock.case import Case, Memory
from interlock.chunk import ActionChunk
from interlock.lower import layout_of, lower
from interlock.motion import Phase
from interlock.rules import RuleSet
from tests.supervisor.toy import (
    ABSOLUTE,
    MS,
    NOW,
    OPEN,
    PERIOD,
    PERIOD_S,
    START,
    Arm,
    Physics,
    case,
    chunk,
    joint,
    plan,
    profile,
    ramp,
    rules,
    stamps,
    state,
)


def proposal(found: Case, physics: Physics | None = None) -> Proposal:
    assert isinstance(found.chunk, ActionChunk)
    layout = layout_of(found, found.chunk)
    assert layout is not None
    return propose(found, lower(found, found.chunk, layout), physics or Physics())


def cubic(**changes: Any) -> RuleSet:
    return rules(profile=profile(interpolation="cubic", **changes))


def test_a_motion_goes_from_the_measured_pose_over_rows_and_brake_to_rest() -> None:
    found = proposal(case(chunk(horizon=6)))

    motion = found.motion
    assert [int((motion.phase == phase).sum()) for phase in Phase] == [2, 1, 6, len(motion) - 9]
    assert motion.row.tolist() == [-1, -1, -1, 0, 1, 2, 3, 4, 5] + [-1] * (len(motion) - 9)
    assert motion.positions[0].tolist() == list(START)
    assert motion.positions[3:9] == pytest.approx(ramp()[:6, :2])
    assert not motion.velocities[-1].any()
    assert motion.jerks is None
    assert found.brake_fits


def test_F19_the_plan_is_the_motion_that_was_judged() -> None:
    found = proposal(case(chunk(horizon=6)))

    commanded = found.motion.phase >= Phase.COMMITTED
    assert found.plan.positions == pytest.approx(found.motion.positions[commanded])
    assert (found.plan.times_ns - NOW) / 1e9 == pytest.approx(found.motion.times_s[commanded])
    assert (found.plan.rows_start_ns, found.plan.rows_end_ns) == (NOW, NOW + 6 * PERIOD)


def test_F32_the_brake_follows_the_rows_ahead() -> None:
    rows = ramp(12, speed=(0.4, 0.0))
    rows[6:, 1] += 0.004 * np.arange(1, 7)  # behind the horizon the path bends

    found = proposal(case(chunk(rows, horizon=6)))

    braking = found.motion.phase == Phase.BRAKE
    assert found.motion.positions[braking][-1, 1] > START[1]


def test_F19_between_now_and_the_take_over_the_committed_plan_is_judged_and_kept() -> None:
    committed = plan(ramp(30)[:, :2], NOW - 3 * PERIOD - 5 * MS)
    memory = Memory(plan=committed)
    first = NOW + 5 * PERIOD + 3 * MS
    at = committed.at(first)
    rows = ramp(10, start=tuple(at.positions))

    found = proposal(case(chunk(rows, stamps=stamps(first_row_ns=first)), memory=memory))

    between = [NOW + step * 7 * MS for step in range(12)] + [first]
    for when in between:
        old, new = committed.at(when), found.plan.at(when)
        assert new.positions == pytest.approx(old.positions)
        assert new.velocities == pytest.approx(old.velocities)
        assert new.accelerations == pytest.approx(old.accelerations, abs=1e-6)
    assert found.plan.rows_start_ns == first
    assert found.motion.positions[found.motion.phase == Phase.COMMITTED] == pytest.approx(
        np.array([committed.at(when).positions for when in committed.times_ns[4:9].tolist()] + [at.positions])
    )


def test_F34_no_speed_is_made_of_nodes_a_nanosecond_apart() -> None:
    committed = plan(ramp(30)[:, :2], NOW - 3 * PERIOD)
    first = NOW + 2 * PERIOD + 1
    rows = ramp(10, start=tuple(committed.at(first).positions))

    found = proposal(case(chunk(rows, stamps=stamps(first_row_ns=first)), memory=Memory(plan=committed)))

    assert (np.diff(found.plan.times_ns) > 1000).all()
    assert found.plan.at(first).velocities == pytest.approx([0.2, 0.1])


def test_a_plan_that_ended_is_not_carried_along() -> None:
    done = plan(ramp(3)[:, :2], NOW - 10 * PERIOD)

    found = proposal(case(memory=Memory(plan=done)))

    assert found.plan.times_ns[0] == NOW


def test_the_rest_of_a_plan_is_rows_and_brake_from_the_command_of_now() -> None:
    permitted = proposal(case(chunk(horizon=6, stamps=stamps(first_row_ns=NOW + 2 * PERIOD)))).plan
    later = case(now_ns=NOW + 4 * PERIOD + MS, memory=Memory(plan=permitted))

    soon, found = rest_of_plan(case(), permitted, Physics()), rest_of_plan(later, permitted, Physics())

    assert [int((soon.phase == phase).sum()) for phase in Phase][:3] == [2, 1, 6]
    assert [int((found.phase == phase).sum()) for phase in Phase][:3] == [2, 0, 4]
    assert found.positions[1] == pytest.approx(permitted.at(NOW + 4 * PERIOD + MS).positions)
    assert found.positions[-1].tolist() == permitted.positions[-1].tolist()
    assert found.jerks is None


def test_F33_a_brake_that_needs_more_torque_than_the_drives_have_is_made_longer() -> None:
    robot = rules(profile=profile(joints=(joint("a", torque=5.0), joint("b", torque=5.0))))
    fast = case(chunk(ramp(speed=(0.8, 0.0))), rules=robot)

    strong = proposal(fast, Physics(torque=lambda acceleration: 0.1 * acceleration))
    weak = proposal(fast, Physics(torque=lambda acceleration: 0.9 * acceleration))
    hopeless = proposal(fast, Physics(torque=lambda acceleration: 5.0 + np.abs(acceleration)))

    sizes = [int((found.motion.phase == Phase.BRAKE).sum()) for found in (strong, weak, hopeless)]
    braking = weak.motion.phase == Phase.BRAKE
    longest = sizes[0]
    for _ in range(4):
        longest += max(1, longest // 3)
    assert sizes[2] == longest
    assert sizes[0] < sizes[1] < sizes[2] <= sizes[0] * (4 / 3 + 0.1) ** LENGTHENINGS + LENGTHENINGS
    assert weak.motion.torques is not None
    assert (np.abs(weak.motion.torques[braking]) <= 5.0).all()


def test_F32_an_arm_at_rest_needs_one_node_to_stay_there() -> None:
    found = proposal(case(chunk(ramp(10, speed=(0.0, 0.0)))))

    assert int((found.motion.phase == Phase.BRAKE).sum()) == 1
    assert found.plan.end_ns == found.plan.rows_end_ns + PERIOD


def test_a_robot_with_a_shape_has_poses_and_tool_points() -> None:
    found = proposal(case(), Physics(model=Arm())).motion

    tip = found.tool_points["tcp"][:, :3, 3]
    a, ab = found.positions[:, 0], found.positions.sum(axis=1)
    assert found.poses.shape == (len(found), 3, 4, 4)
    assert tip[:, 0] == pytest.approx(np.cos(a) + np.cos(ab))
    assert tip[:, 1] == pytest.approx(np.sin(a) + np.sin(ab))


def test_cubic_pieces_pass_through_every_row_at_the_control_rate() -> None:
    found = proposal(case(chunk(ramp(10, speed=(0.3, 0.1))), rules=cubic())).motion

    commanded = found.phase >= Phase.COMMITTED
    seconds = found.times_s[commanded]
    rows = np.isclose(seconds % PERIOD_S, 0.0, atol=1e-9) | np.isclose(seconds % PERIOD_S, PERIOD_S, atol=1e-9)
    assert np.diff(seconds) == pytest.approx(0.001)
    assert found.positions[commanded][rows][1:11] == pytest.approx(ramp(10, speed=(0.3, 0.1))[:, :2])
    assert found.row[commanded][1:21].tolist() == [0] * 20
    assert not found.velocities[-1].any()
    assert found.positions[-1].tolist() == pytest.approx(found.positions[-1 - 20].tolist(), abs=1e-2)


def test_cubic_velocity_acceleration_and_jerk_are_those_of_the_positions() -> None:
    rows = ramp(10, speed=(0.3, 0.1))
    rows[:, 1] += 0.01 * np.sin(np.arange(10))

    found = proposal(case(chunk(rows), rules=cubic(control_rate_hz=10_000.0))).motion

    commanded = found.phase >= Phase.COMMITTED
    positions, velocities = found.positions[commanded], found.velocities[commanded]
    slopes = np.diff(positions, axis=0) / 1e-4
    middle = (velocities[1:] + velocities[:-1]) / 2.0
    assert slopes == pytest.approx(middle, abs=2e-3)
    assert found.jerks is not None
    assert np.isfinite(found.jerks).all()
    inside = found.row[commanded][1:] == found.row[commanded][:-1]
    accelerations, jerks = found.accelerations[commanded], found.jerks[commanded]
    bends = np.diff(accelerations, axis=0)[inside] / 1e-4
    assert np.median(np.abs(bends - jerks[1:][inside])) < 1e-3


def test_cubic_starts_with_the_velocity_of_the_reference() -> None:
    committed = plan(ramp(30)[:, :2], NOW - 3 * PERIOD)
    rows = ramp(10, start=tuple(committed.at(NOW).positions))

    found = proposal(case(chunk(rows), memory=Memory(plan=committed), rules=cubic())).motion

    assert found.velocities[found.phase == Phase.ROW][0] == pytest.approx([0.2, 0.1], abs=1e-9)


def test_a_control_rate_below_the_row_rate_takes_the_rows_alone() -> None:
    found = proposal(case(rules=cubic(control_rate_hz=1.0))).motion

    assert found.positions[3:13] == pytest.approx(ramp()[:, :2])


def test_the_rest_of_a_cubic_plan_has_a_jerk_to_judge() -> None:
    smooth = case(rules=cubic())
    permitted = proposal(smooth).plan
    later = replace(smooth, now_ns=NOW + 3 * PERIOD, memory=Memory(plan=permitted))

    found = rest_of_plan(later, permitted, Physics())

    assert found.jerks is not None
    assert found.jerks.shape == found.positions.shape
    assert not found.jerks.any()


def test_the_hand_keeps_its_last_command_while_braking() -> None:
    rows = ramp()
    rows[:, 2] = np.linspace(OPEN, 0.0, 10)

    found = proposal(case(chunk(rows, horizon=5), state=state(grippers=np.array([0.07]))))

    assert found.motion.grippers[0].tolist() == [0.07]
    assert found.plan.grippers[:6, 0] == pytest.approx([0.07, *rows[:5, 2]])
    assert np.ptp(found.plan.grippers[5:]) == 0.0


@pytest.mark.parametrize("speed", [(0.4, 0.2), (60.0, 0.0)])
def test_how_long_a_brake_takes_is_known_before_a_motion_is_built(speed: tuple[float, float]) -> None:
    proposed = chunk(ramp(speed=speed), horizon=6)
    path = lower(case(proposed), proposed, ABSOLUTE)

    periods = periods_to_rest(path, profile(), None, Physics())

    built = propose(case(proposed), path, Physics())
    assert built.brake_fits is (speed[0] < 1.0)
    assert periods == ((built.plan.end_ns - built.plan.rows_end_ns) // PERIOD if built.brake_fits else None)
