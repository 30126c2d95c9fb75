"""A plan gives the command at any moment, and is refused where it could not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.build import rest_of_plan
from interlock.motion import Plan
from tests.supervisor.toy import MS, PERIOD, PERIOD_S, Physics, case, plan

ROWS = np.array([[0.0, 0.0], [0.02, 0.0], [0.05, 0.01], [0.05, 0.01]])


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        (
            {"times_ns": np.zeros(0, dtype=np.int64), "positions": np.zeros((0, 2)), "grippers": np.zeros((0, 1))},
            "increasing",
        ),
        ({"times_ns": np.array([0, 0])}, "increasing"),
        ({"times_ns": np.array([1, 0])}, "increasing"),
        ({"times_ns": np.array([2**62, -(2**63)])}, "increasing"),
        ({"times_ns": np.array([[0, 1]])}, "one row"),
        ({"times_ns": np.array([0, 1, 2])}, "3 times has 2 positions"),
        ({"grippers": np.zeros((1, 1))}, "1 grippers"),
        ({"positions": np.array([[0.0], [np.nan]])}, "finite"),
        ({"grippers": np.array([[0.0], [np.inf]])}, "finite"),
        ({"rows_end_ns": 2**63}, "64 bits"),
        ({"stop_rates": np.array([1.0])}, "as many stop_rates"),
        ({"stop_rates": np.array([0.0, -1.0])}, "none negative"),
        ({"stop_rates": np.array([0.0, np.nan])}, "finite"),
        ({"stop_jerk": 0.0}, "stop_jerk"),
        ({"stop_jerk": np.nan}, "stop_jerk"),
    ],
)
def test_F17_a_plan_that_no_robot_could_follow_is_refused(changes: dict[str, Any], problem: str) -> None:
    good: dict[str, Any] = {"times_ns": np.array([0, 1]), "positions": np.zeros((2, 1)), "rows_end_ns": 1}
    good["grippers"] = np.zeros((2, 1))

    with pytest.raises(ValueError, match=problem):
        Plan(**{**good, **changes})


@pytest.mark.parametrize("when_ns", [-(2**63), 0, 60 * MS + 1, 2**62])
def test_before_and_after_its_nodes_a_plan_rests(when_ns: int) -> None:
    found = plan(ROWS, 0).at(when_ns)

    assert found.positions.tolist() == ROWS[0 if when_ns <= 0 else -1].tolist()
    assert not found.velocities.any()
    assert not found.accelerations.any()


def test_the_command_at_a_node_is_that_of_the_interval_that_ends_there() -> None:
    found = plan(ROWS, 0).at(2 * PERIOD)

    assert found.positions.tolist() == pytest.approx([0.05, 0.01])
    assert found.velocities.tolist() == pytest.approx([1.5, 0.5])
    assert found.accelerations.tolist() == pytest.approx([0.5 / PERIOD_S, 0.5 / PERIOD_S])


@given(st.integers(0, 3 * PERIOD))
def test_positions_are_straight_between_nodes(when_ns: int) -> None:
    found = plan(ROWS, 0).at(when_ns)

    expected = [np.interp(when_ns, PERIOD * np.arange(4), ROWS[:, joint]) for joint in range(2)]
    assert found.positions == pytest.approx(expected)


def test_F10_gripper_values_hold_until_the_next_node() -> None:
    held = Plan(np.array([0, 10, 20]), np.zeros((3, 1)), np.array([[0.0], [0.04], [0.08]]), 20)

    assert [float(held.at(when).grippers[0]) for when in (-1, 0, 9, 10, 19, 20, 99)] == [
        0,
        0,
        0,
        0.04,
        0.04,
        0.08,
        0.08,
    ]
    assert held.end_ns == 20


def test_what_several_rules_ask_of_a_motion_is_worked_out_once() -> None:
    motion, asked = rest_of_plan(case(now_ns=0), plan(ROWS, 0), Physics()), list[str]()

    def work(key: str) -> Callable[[], str]:
        def worked() -> str:
            asked.append(key)
            return key

        return worked

    found = [motion.once(key, work(key)) for key in ("a", "b", "a")]

    assert found == ["a", "b", "a"]
    assert asked == ["a", "b"]
