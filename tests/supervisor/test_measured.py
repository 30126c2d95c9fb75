"""Whether a measured state can be used at all, and what is where it cannot be."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.measured import astray, unusable
from tests.supervisor.toy import OPEN, profile, state

NAN = math.nan
FLOATS = st.floats() | st.floats(-3.0, 3.0)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"joints": ("b", "a")}, "the state is of joints ['b', 'a']; the robot has ['a', 'b']"),
        ({"positions": np.array([0.1])}, "measured positions must be 2 finite numbers, got [0.1]"),
        ({"positions": np.array([0.1, NAN])}, "measured positions must be 2 finite numbers, got [0.1 nan]"),
        ({"grippers": np.array([])}, "measured grippers must be 1 finite numbers, got []"),
        ({"grippers": np.array([math.inf])}, "measured grippers must be 1 finite numbers, got [inf]"),
    ],
    ids=["order", "short", "nan", "gripless", "infinite"],
)
def test_F03_a_state_that_does_not_say_where_this_robot_is_cannot_be_used(changes: dict[str, Any], said: str) -> None:
    assert unusable(state(**changes), profile()) == said


def test_F03_what_is_no_state_cannot_be_used() -> None:
    assert unusable(None, profile()) == "expected a RobotState, got NoneType"


@pytest.mark.parametrize("velocities", [[NAN, 0.0], [0.0], [0.0, -math.inf]], ids=str)
def test_speeds_count_for_whoever_needs_them(velocities: list[float]) -> None:
    made = state(velocities=np.array(velocities))

    assert unusable(made, profile()) == ""
    assert unusable(made, profile(), speeds=True).startswith("measured velocities must be 2 finite numbers")


@given(st.lists(FLOATS, max_size=3), st.lists(FLOATS, max_size=3), st.lists(FLOATS, max_size=2), st.booleans())
def test_what_can_be_used_is_whole_and_finite(
    positions: list[float],
    velocities: list[float],
    grippers: list[float],
    speeds: bool,  # noqa: FBT001
) -> None:
    made = replace(state(), positions=np.array(positions), velocities=np.array(velocities), grippers=np.array(grippers))

    found = unusable(made, profile(), speeds=speeds)

    wanted = [(positions, 2), (grippers, 1), *([(velocities, 2)] if speeds else [])]
    whole = all(len(numbers) == count and all(map(math.isfinite, numbers)) for numbers, count in wanted)
    assert (found == "") is whole


@given(FLOATS, st.floats(-1.0, 1.0) | st.just(NAN))
def test_F03_a_joint_or_a_hand_beyond_its_ends_by_more_than_the_slack_is_astray(place: float, share: float) -> None:
    found = list(astray(profile(), np.array([place, 0.0]), np.array([share]), [0.5, 0.5], 0.25))

    expected = [
        *(["hand"] if not -0.25 * OPEN <= share <= 1.25 * OPEN else []),
        *(["a"] if not abs(place) <= 2.5 else []),
    ]
    assert [what.name for what in found] == expected


def test_what_is_astray_is_told_with_its_ends() -> None:
    turned = replace(profile().grippers[0], closed=OPEN, open=0.0)

    (hand, arm) = astray(profile(grippers=(turned,)), np.array([0.0, -2.6]), np.array([-1.0]), [0.5, 0.5], 0.0)

    assert (hand.name, hand.value, hand.unit, hand.low, hand.high) == ("hand", -1.0, "m", 0.0, OPEN)
    assert (arm.name, arm.value, arm.unit, arm.low, arm.high) == ("b", -2.6, "rad", -2.0, 2.0)
