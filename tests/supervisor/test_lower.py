"""What a chunk's columns mean: one commanded joint path from the reference, whatever the convention."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.case import Case, Memory
from interlock.chunk import ActionChunk, Channel, Layout
from interlock.errors import UnusableInput
from interlock.lower import (
    JointPath,
    commanded_rows,
    due_ns,
    first_row_left,
    gripper_value,
    joint_limits,
    layout_of,
    lower,
    reference_at,
)
from tests.supervisor.toy import (
    ABSOLUTE,
    LAYOUTS,
    MS,
    NOW,
    OPEN,
    PERIOD,
    PERIOD_S,
    SINCE_LAST,
    SINCE_SEEN,
    SPEEDS,
    START,
    case,
    chunk,
    plan,
    profile,
    ramp,
    stamps,
    state,
)


def path_of(found: Case) -> JointPath:
    assert isinstance(found.chunk, ActionChunk)
    layout = layout_of(found, found.chunk)
    assert layout is not None
    return lower(found, found.chunk, layout)


def converted(rows: np.ndarray[Any, Any], layout: Layout) -> np.ndarray[Any, Any]:
    """The numbers that say the same motion from START in another convention."""
    steps = np.diff(rows[:, :2], axis=0, prepend=[START])
    said = {SINCE_SEEN: rows[:, :2] - START, SINCE_LAST: steps, SPEEDS: steps / PERIOD_S}.get(layout, rows[:, :2])
    return np.column_stack([said, rows[:, 2]])


@pytest.mark.parametrize("layout", LAYOUTS, ids=[layout.name for layout in LAYOUTS])
@pytest.mark.parametrize("late", [0, 3])
def test_F07_one_motion_said_in_any_convention_is_one_path(layout: Layout, late: int) -> None:
    rows = ramp(10)
    first = stamps(first_row_ns=NOW - late * PERIOD)

    found = path_of(case(chunk(converted(rows, layout), layout=layout.digest, stamps=first)))

    # velocities that are past are not made up for: the path begins where the arm is
    past = rows[late - 1, :2] - START if layout is SPEEDS and late else np.zeros(2)
    assert found.positions == pytest.approx(rows[late:, :2] - past)
    assert (found.start_row, found.start_ns, found.commit) == (late, NOW, 10 - late)
    assert found.rows_end_ns == NOW + (10 - late) * PERIOD


def test_F07_the_same_numbers_mean_different_motions_in_different_conventions() -> None:
    same = np.tile([0.01, 0.01, OPEN], (10, 1))

    ends = [path_of(case(chunk(same, layout=layout.digest))).positions[-1, 0] for layout in LAYOUTS]

    assert ends == pytest.approx([0.01, 0.11, 0.2, 0.102])


@given(st.integers(-(10**12), 10**12), st.sampled_from([1, 999_999, PERIOD]))
def test_F14_rows_that_are_past_are_dropped_and_no_other(late_ns: int, period: int) -> None:
    made = chunk(stamps=stamps(first_row_ns=NOW - late_ns), period_s=period / 1e9)

    row = first_row_left(made, NOW)

    due = NOW - late_ns + row * period
    assert due >= NOW
    assert row == 0 or due - period < NOW


def test_a_row_count_beyond_the_precision_of_a_float_is_exact() -> None:
    made = chunk(stamps=stamps(first_row_ns=-(2**62)), period_s=1e-9)

    assert first_row_left(made, 2**62 + 1) == 2**63 + 1


def test_F06_padding_at_the_end_commands_nothing() -> None:
    mask = np.ones((10, 3), dtype=np.bool_)
    mask[6:] = False

    found = path_of(case(chunk(mask=mask)))

    assert found.positions == pytest.approx(ramp()[:6, :2])
    assert commanded_rows(chunk(mask=np.zeros((10, 3), dtype=np.bool_))) == 0
    assert commanded_rows(chunk(np.zeros((0, 3)))) == 0


@pytest.mark.parametrize(("horizon", "late", "commit"), [(None, 0, 10), (4, 0, 4), (25, 0, 10), (4, 8, 2)])
def test_the_horizon_counts_rows_from_the_take_over(horizon: int | None, late: int, commit: int) -> None:
    found = path_of(case(chunk(horizon=horizon, stamps=stamps(first_row_ns=NOW - late * PERIOD))))

    assert found.commit == commit


def test_F16_a_moving_seam_starts_from_the_command_and_not_from_the_lagging_arm() -> None:
    committed = plan(ramp(20)[:, :2], NOW - 5 * PERIOD)

    moving = reference_at(Memory(plan=committed), state((0.05, 0.2)), NOW + PERIOD, NOW)
    resting = reference_at(Memory(plan=committed), state((0.05, 0.2)), NOW + PERIOD, committed.end_ns)

    assert moving.positions == pytest.approx(ramp(20)[6, :2])
    assert moving.velocities == pytest.approx([0.2, 0.1])
    assert resting.positions.tolist() == [0.05, 0.2]
    assert not resting.velocities.any()


def test_F16_at_rest_the_hand_keeps_its_last_command() -> None:
    done = plan(ramp(3)[:, :2], NOW - 50 * PERIOD, grippers=0.03)

    held = reference_at(Memory(plan=done), state(), NOW, NOW)
    fresh = reference_at(Memory(), state(), NOW, NOW)

    assert held.grippers.tolist() == [0.03]
    assert fresh.grippers.tolist() == [OPEN]


def test_F10_a_masked_hand_holds_what_it_was_told_before() -> None:
    rows, mask = ramp(6), np.ones((6, 3), dtype=np.bool_)
    rows[:, 2] = [0.01, 0.02, 0.03, 0.04, 0.05, 0.06]
    mask[[0, 3], 2] = False

    whole = path_of(case(chunk(rows, mask=mask)))
    late = path_of(case(chunk(rows, mask=mask, stamps=stamps(first_row_ns=NOW - 3 * PERIOD))))

    assert whole.grippers[:, 0] == pytest.approx([OPEN, 0.02, 0.03, 0.03, 0.05, 0.06])
    assert late.grippers[:, 0] == pytest.approx([0.03, 0.05, 0.06])


def test_F10_a_layout_without_the_hand_leaves_it_where_it_is() -> None:
    bare = Layout("bare", ABSOLUTE.channels[:2])

    found = lower(case(), chunk(ramp()[:, :2]), bare)

    assert found.grippers[:, 0] == pytest.approx([OPEN] * 10)


@pytest.mark.parametrize(
    ("unit", "polarity", "value", "expected"),
    [
        ("m", "zero_closed", 0.02, 0.02),
        ("m", "zero_open", 0.02, 0.06),
        ("ratio", "zero_closed", 0.25, 0.02),
        ("ratio", "zero_open", 0.25, 0.06),
        ("ratio", "zero_closed", 100.0, 8.0),
    ],
)
def test_F10_polarity_and_range_are_read_as_the_layout_says(
    unit: Any, polarity: Any, value: float, expected: float
) -> None:
    channel = Channel("hand", "hand", "gripper", "absolute", unit, "tool", polarity=polarity)

    assert gripper_value(profile().grippers[0], channel, np.array([value])) == pytest.approx([expected])


def test_F11_joints_are_found_by_name_whatever_the_order_of_columns() -> None:
    crossed = Layout("crossed", (ABSOLUTE.channels[2], ABSOLUTE.channels[1], ABSOLUTE.channels[0]))

    found = lower(case(), chunk(ramp()[:, ::-1]), crossed)

    assert found.positions == pytest.approx(ramp()[:, :2])


def test_what_only_a_checked_chunk_has_is_an_error_where_it_is_missing() -> None:
    with pytest.raises(UnusableInput, match="first row"):
        due_ns(chunk(stamps=stamps(first_row_ns=None)))
    with pytest.raises(UnusableInput, match="anchor"):
        path_of(case(chunk(layout=SINCE_SEEN.digest, anchor=None)))


def test_a_layout_is_one_that_is_accepted_and_limits_are_nan_where_there_are_none() -> None:
    robot = replace(profile(), joints=(replace(profile().joints[0], torque=9.0), profile().joints[1]))

    assert layout_of(case(), chunk(layout="?")) is None
    assert joint_limits(robot, "velocity").tolist() == [1.0, 1.0]
    assert np.array_equal(joint_limits(robot, "torque"), [9.0, np.nan], equal_nan=True)
    assert MS == 10**6
