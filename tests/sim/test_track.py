"""The simulated controller's commands."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.arrays import FloatArray
from interlock.motion import Plan
from interlock.stopping import Stop
from interlock_sim.track import EASING, ROUNDING, STEP_NS, Track, at_rest, eased, following, spliced, stopped

PERIOD_NS = 20_000_000
ACCELERATIONS = np.array([15.0, 7.5])
speeds = st.floats(-1.5, 1.5)


def rest() -> Track:
    return at_rest(0, np.zeros(2), np.array([0.08]))


def ramp(speed: float, rows: int = 50) -> Plan:
    times = PERIOD_NS * np.arange(rows + 1, dtype=np.int64)
    positions = np.outer(speed * times / 1e9, [1.0, -1.0])
    return Plan(times, positions, np.full((rows + 1, 1), 0.04), int(times[-1]))


def accelerations(positions: FloatArray) -> FloatArray:
    """Over a row period, as a row is judged."""
    return np.abs(np.diff(positions[::ROUNDING], n=2, axis=0)) / (ROUNDING * STEP_NS / 1e9) ** 2


def test_a_track_rests_before_and_after() -> None:
    track = following(rest(), ramp(1.0), 0)

    before, _ = track.window(-10 * STEP_NS, 1)
    after, hands = track.window(10**10, 1)

    assert before.tolist() == [[0.0, 0.0]]
    np.testing.assert_allclose(after, [[1.0, -1.0]])
    assert hands.tolist() == [[0.04]]


@given(speed=speeds)
def test_rounding_keeps_straight_lines(speed: float) -> None:
    track = following(rest(), ramp(speed), 0)

    rounded = track.rounded(100 * STEP_NS)

    np.testing.assert_allclose(rounded[:500], track.window(100 * STEP_NS, 500)[0], atol=1e-12)


@given(speed=speeds)
def test_rounding_leaves_a_corner_by_an_eighth_of_the_acceleration(speed: float) -> None:
    track = following(rest(), ramp(speed), 0)
    period_s = ROUNDING * STEP_NS / 1e9

    rounded = track.rounded(0)

    off = np.abs(rounded - track.window(0, len(rounded))[0]).max()
    assert off <= abs(speed) * period_s / 8.0 + 1e-12


def test_a_nan_stays_in_its_window() -> None:
    positions = np.zeros((200, 2))
    positions[100, 0] = np.nan

    rounded = Track(0, positions, np.zeros((200, 1))).rounded(0)

    wrong = np.flatnonzero(np.isnan(rounded[:, 0]))
    assert wrong.min() == 100 - ROUNDING // 2
    assert wrong.max() == 100 + ROUNDING // 2
    assert not np.isnan(rounded[:, 1]).any()


def test_a_plan_takes_over_at_its_own_time() -> None:
    track = following(rest(), ramp(1.0), 0)
    later = Plan(np.array([400, 500]) * STEP_NS, np.array([[0.4, -0.4], [0.4, -0.4]]), np.full((2, 1), 0.02), 0)

    changed = following(track, later, 100 * STEP_NS)

    np.testing.assert_array_equal(changed.window(100 * STEP_NS, 300)[0], track.window(100 * STEP_NS, 300)[0])
    np.testing.assert_allclose(changed.window(450 * STEP_NS, 1)[0], [[0.4, -0.4]])
    assert changed.window(399 * STEP_NS, 2)[1].ravel().tolist() == [0.04, 0.02]


def test_gripper_values_hold_until_the_next_node() -> None:
    times = np.array([0, 100]) * STEP_NS

    track = spliced(rest(), times, np.zeros((2, 2)), np.array([[0.07], [0.03]]), 0)

    assert track.window(99 * STEP_NS, 2)[1].ravel().tolist() == [0.07, 0.03]


@given(speed=speeds, after=st.integers(30, 900), rate=st.floats(1.0, 20.0))
def test_a_stop_goes_along_the_path_as_the_plan_says(speed: float, after: int, rate: float) -> None:
    plan = replace(ramp(speed), stop_rates=np.full(len(ramp(speed).times_ns), rate), stop_jerk=1e4)
    track = following(rest(), plan, 0)

    found = stopped(track, plan, after * STEP_NS)

    begin = after * STEP_NS + STEP_NS * (ROUNDING // 2)
    positions, _ = found.window(begin, 1500)
    told = Stop(plan, begin)
    wanted = np.array([told.at(begin + index * STEP_NS).positions for index in range(0, 1500, 37)])
    np.testing.assert_allclose(positions[::37], wanted, rtol=0.0, atol=1e-9)
    before, _ = found.window(after * STEP_NS, ROUNDING // 2)
    np.testing.assert_allclose(before, track.window(after * STEP_NS, ROUNDING // 2)[0], atol=1e-12)
    assert np.ptp(positions[-100:], axis=0).max() == 0.0


@pytest.mark.parametrize(
    ("positions", "grippers"), [(np.zeros((0, 2)), np.zeros((0, 1))), (np.zeros((2, 2)), np.zeros((1, 1)))]
)
def test_a_track_needs_commands_of_both_kinds(positions: FloatArray, grippers: FloatArray) -> None:
    with pytest.raises(ValueError, match="grippers"):
        Track(0, positions, grippers)


@given(before=speeds, after=speeds, moved=st.floats(-0.002, 0.002))
def test_a_plan_without_notice_begins_where_and_as_fast_as_the_arm_is(
    before: float, after: float, moved: float
) -> None:
    step_s = STEP_NS / 1e9
    commands = after * step_s * np.arange(200.0)[:, None] * np.ones(2) + moved
    velocity = np.full(2, before)

    found = eased(commands, np.zeros(2), velocity)

    bend = np.abs(np.diff(found, n=2, axis=0)).max() / step_s**2
    np.testing.assert_allclose(found[0], 0.0, atol=1e-12)
    np.testing.assert_allclose((found[1] - found[0]) / step_s, velocity, atol=0.12 * (abs(before - after) + 1.0))
    np.testing.assert_array_equal(found[EASING:], commands[EASING:])
    assert bend <= 6.5 * abs(moved) / (EASING * step_s) ** 2 + 4.5 * abs(before - after) / (EASING * step_s) + 1e-6
