"""Rows say what a client must be told to be where the plan is, in every layout that can say it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.chunk import Channel, Layout
from interlock.errors import UnusableInput
from interlock.lower import gripper_value
from interlock.motion import Plan
from interlock_policies.proxy.playing import Playing
from interlock_rules import load_profile
from tests.policies.proxy.bench_of_toys import STEPS
from tests.supervisor.toy import ABSOLUTE, LAYOUTS, NOW, OPEN, PERIOD, PERIOD_S, SINCE_SEEN, SPEEDS, plan, profile


def playing(layout: Layout = ABSOLUTE, **changes: Any) -> Playing:
    return replace(Playing(layout, profile(), PERIOD_S, 25), **changes)


@given(st.sampled_from(LAYOUTS), st.integers(0, 2**32 - 1), st.integers(2, 12))
def test_a_client_that_plays_the_rows_is_where_the_plan_is(layout: Layout, chance: int, nodes: int) -> None:
    rng = np.random.default_rng(chance)
    found = plan(rng.uniform(-1.0, 1.0, (nodes, 2)), NOW)
    began = found.positions[0]

    rows = playing(layout).rows_of(found, NOW, 15, began)

    here = began
    for index, row in enumerate(rows):
        here = STEPS[layout.name](here, began, row[:2])
        assert here == pytest.approx(found.at(NOW + (index + 1) * PERIOD).positions, abs=1e-12)


@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.integers(-3, 3))
def test_rows_are_the_plan_at_their_times_hands_included(chance: int, nodes: int, early: int) -> None:
    rng = np.random.default_rng(chance)
    times = NOW + np.cumsum(rng.integers(1_000, 2 * PERIOD, nodes))
    found = Plan(times, rng.uniform(-1.0, 1.0, (nodes, 2)), rng.uniform(0.0, OPEN, (nodes, 1)), int(times[-1]))
    first = NOW + early * PERIOD

    rows = playing().rows_of(found, first, 15, np.zeros(2))

    told = [found.at(first + (row + 1) * PERIOD) for row in range(15)]
    assert rows[:, :2] == pytest.approx(np.array([one.positions for one in told]), abs=1e-12)
    assert rows[:, 2].tolist() == [one.grippers[0] for one in told]


def test_a_hand_is_told_what_the_node_of_its_row_says() -> None:
    found = Plan(
        NOW + PERIOD * np.arange(4), np.zeros((4, 2)), np.array([[0.08], [0.06], [0.04], [0.02]]), NOW + 3 * PERIOD
    )

    rows = playing().rows_of(found, NOW, 5, np.zeros(2))

    assert rows[:, 2].tolist() == [0.06, 0.04, 0.02, 0.02, 0.02]


@pytest.mark.parametrize(("layout", "said"), [(ABSOLUTE, [0.3, -0.4]), (SINCE_SEEN, [0.1, -0.1]), (SPEEDS, [0.0, 0.0])])
def test_a_hold_says_where_it_is_or_that_nothing_moves(layout: Layout, said: list[float]) -> None:
    rows = playing(layout).hold(np.array([0.3, -0.4]), np.array([0.02]), 3, np.array([0.2, -0.3]))

    assert rows == pytest.approx(np.tile([*said, 0.02], (3, 1)))


@pytest.mark.parametrize("unit", ["m", "ratio"])
@pytest.mark.parametrize("polarity", ["zero_closed", "zero_open"])
@given(value=st.floats(0.0, OPEN))
def test_F10_a_hand_is_told_the_number_that_is_read_back_as_its_value(unit: Any, polarity: Any, value: float) -> None:
    channel = Channel("hand", "hand", "gripper", "absolute", unit, "tool", polarity=polarity)
    layout = replace(ABSOLUTE, channels=(*ABSOLUTE.channels[:2], channel))

    rows = playing(layout).hold(np.zeros(2), np.array([value]), 1, np.zeros(2))

    (gripper,) = profile().grippers
    assert gripper_value(gripper, channel, rows[:, 2])[0] == pytest.approx(value, abs=1e-12)


def test_columns_may_stand_in_any_order() -> None:
    turned = replace(ABSOLUTE, channels=ABSOLUTE.channels[::-1])

    rows = playing(turned).hold(np.array([0.3, -0.4]), np.array([0.02]), 1, np.zeros(2))

    assert rows.tolist() == [[0.02, -0.4, 0.3]]


def test_rows_are_due_when_the_nodes_of_a_plan_are() -> None:
    third = playing(period_s=1.0 / 30.0)
    nodes = np.rint(np.arange(60, dtype=np.float64) * (1.0 / 30.0) * 1e9).astype(np.int64)

    assert [third.due_ns(NOW, row) for row in range(60)] == (NOW + nodes).tolist()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"horizon": 1}, "plays 1 rows"),
        ({"horizon": 5000}, "plays 5000 rows"),
        ({"layout": replace(ABSOLUTE, channels=ABSOLUTE.channels[1:])}, "no column commands a"),
        ({"layout": replace(ABSOLUTE, channels=(replace(ABSOLUTE.channels[0], name="c"),))}, "joint_position of 'c'"),
        ({"period_s": float("nan")}, "period_s must be positive"),
    ],
)
def test_what_no_rows_can_be_made_for_is_refused_at_the_start(changes: dict[str, Any], said: str) -> None:
    with pytest.raises((UnusableInput, ValueError), match=said):
        playing(**changes)


def test_rows_of_a_tool_point_are_refused_at_the_start() -> None:
    panda = load_profile("franka_panda")
    layout = next(item for item in panda.layouts if item.name == "panda-tcp-absolute")

    with pytest.raises(UnusableInput, match=r"no row of ee_position of 'tcp\.x' can be made"):
        Playing(layout, panda, 0.02, 25)
