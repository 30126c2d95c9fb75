"""The sentence is the one that is reported of the paper, and says what the profile and the contract say."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.chunk import Channel, Layout
from interlock_policies.qwen_vla import Embodiment, embodiment, prompt
from interlock_policies.qwen_vla.prompt import prompt_of
from interlock_rules import load_profile
from tests.policies.promised import contract
from tests.supervisor.toy import ABSOLUTE, profile

# The sentence of arXiv 2605.30280, filled in by hand: "The robot is {robot_tag} with {arms}[, waist][, and mobile
# base]. The control frequency is {FPS} Hz. Please predict the next {chunk_size} control actions to execute the
# following task: {instruction}."
BODIES_SAID: dict[str, tuple[Embodiment, float, int, str]] = {
    "The robot is franka_panda with a single arm. The control frequency is 50 Hz. Please predict the next 16 control "
    "actions to execute the following task: put the cube into the tray.": (
        Embodiment("franka_panda", "single", waist=False, mobile_base=False), 0.02, 16, "put the cube into the tray"
    ),
    "The robot is g1 with dual arms, waist. The control frequency is 30 Hz. Please predict the next 8 control actions "
    "to execute the following task: wave.": (
        Embodiment("g1", "dual", waist=True, mobile_base=False), 1.0 / 30.0, 8, " wave. "
    ),
    "The robot is cart with dual arms, waist, and mobile base. The control frequency is 2.5 Hz. Please predict the "
    "next 1 control actions to execute the following task: Find the door?.": (
        Embodiment("cart", "dual", waist=True, mobile_base=True), 0.4, 1, "Find the door?"
    ),
}  # fmt: skip


@pytest.mark.parametrize("expected", BODIES_SAID)
def test_golden_the_reported_sentence(expected: str) -> None:
    body, period_s, rows, instruction = BODIES_SAID[expected]

    assert prompt(body, period_s, rows, instruction) == expected


SENTENCE = re.compile(
    r"The robot is (?P<tag>.+) with (?P<arms>a single arm|dual arms)(?P<waist>, waist)?(?P<base>, and mobile base)?\. "
    r"The control frequency is (?P<rate>[0-9.e+-]+) Hz\. Please predict the next (?P<rows>\d+) control actions to "
    r"execute the following task: (?P<task>.+)\.",
)
TAGS = st.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True)
LINES = st.text(st.characters(categories=("L", "N", "P", "S")), min_size=1, max_size=40)


BODIES_MADE = st.builds(Embodiment, TAGS, st.sampled_from(["single", "dual"]), st.booleans(), st.booleans())


@given(BODIES_MADE, st.integers(1, 500), LINES)
def test_what_goes_into_the_sentence_can_be_read_out_of_it(body: Embodiment, rate: int, task: str) -> None:
    found = SENTENCE.fullmatch(prompt(body, 1.0 / rate, rate, task))

    assert found is not None
    assert (found["tag"], found["arms"] == "dual arms") == (body.tag, body.arms == "dual")
    assert (found["waist"] is not None, found["base"] is not None) == (body.waist, body.mobile_base)
    assert (float(found["rate"]), int(found["rows"])) == (rate, rate)
    assert found["task"] == task.removesuffix(".")


@pytest.mark.parametrize(
    "instruction", ["", "  ", "two\nlines", "a bell \a", "over \u202e here", "x" * 2001, "\ud800", 7, None], ids=repr
)
def test_F48_an_instruction_is_one_printable_line(instruction: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="instruction must be"):
        prompt(Embodiment("toy", "single", waist=False, mobile_base=False), 0.02, 2, instruction)


@pytest.mark.parametrize(("period_s", "rows"), [(0.0, 2), (-0.02, 2), (math.nan, 2), (math.inf, 2), (0.02, 0)], ids=str)
def test_F13_F17_a_rate_that_is_none_is_refused(period_s: float, rows: int) -> None:
    with pytest.raises(ValueError, match="positive and finite"):
        prompt(Embodiment("toy", "single", waist=False, mobile_base=False), period_s, rows, "wait")


def test_F13_rate_and_rows_are_those_of_the_contract() -> None:
    body = embodiment("toy", profile(), ABSOLUTE)

    said = prompt_of(contract(rows=10, execute=5, period_s=0.1), body, "wait")

    assert "frequency is 10 Hz. Please predict the next 10 control" in said


def with_groups(*groups: str, base: bool = False) -> Layout:
    channels = [Channel(f"j{i}", group, "joint_position", "absolute", "rad", "joint") for i, group in enumerate(groups)]
    moved = [Channel("base.x", "base", "base_velocity", "absolute", "m/s", "base")] if base else []
    return Layout("made up", (*channels, *moved))


BODIES: dict[str, tuple[Layout, tuple[str, bool, bool]]] = {
    "one arm and a hand": (with_groups("arm", "hand"), ("single", False, False)),
    "two arms": (with_groups("arms", "left_hand"), ("dual", False, False)),
    "two arms by name": (with_groups("left_arm", "right_arm", "waist"), ("dual", True, False)),
    "a base": (with_groups("arm", base=True), ("single", False, True)),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_body_is_what_the_layout_moves(name: str) -> None:
    layout, expected = BODIES[name]

    found = embodiment("toy", replace(profile(), layouts=(layout,)), layout)

    assert (found.arms, found.waist, found.mobile_base) == expected


@pytest.mark.parametrize(
    "groups", [("hand",), ("left_arm",), ("arm", "arms"), ("arm", "left_arm", "right_arm")], ids=str
)
def test_F11_a_layout_that_does_not_say_how_many_arms_is_refused(groups: tuple[str, ...]) -> None:
    layout = with_groups(*groups)

    with pytest.raises(ValueError, match="do not say how many arms"):
        embodiment("toy", replace(profile(), layouts=(layout,)), layout)


def test_F07_a_layout_of_another_robot_is_refused() -> None:
    with pytest.raises(ValueError, match="is not one of profile 'toy'"):
        embodiment("toy", profile(), with_groups("arm"))


@pytest.mark.parametrize(("robot", "arms"), [("franka_panda", "single"), ("pandas_facing", "dual")])
def test_shipped_robots_say_how_many_arms_they_have(robot: str, arms: str) -> None:
    found = load_profile(robot)

    assert {embodiment(robot, found, layout).arms for layout in found.layouts} == {arms}
