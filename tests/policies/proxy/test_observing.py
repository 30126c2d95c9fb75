"""An observation is read as the mapping says, in the profile's order and units, or not at all."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.errors import UnusableInput
from interlock_policies.proxy.observing import HandAt, JointsAt, Observing, Unreadable
from tests.supervisor.toy import OPEN, profile

MAPPING = Observing(
    profile(), JointsAt(("state",), ("b", "a"), "deg", first=1), (HandAt(("state",), "hand", 1.0, 0.0),)
)
SEEN: dict[str, Any] = {"state": np.array([0.25, 180.0, -90.0, 7.0])}


def test_joints_come_in_the_order_and_unit_of_the_profile() -> None:
    found = MAPPING.read(SEEN)

    assert found.positions == pytest.approx([-np.pi / 2.0, np.pi])
    assert found.velocities is None


@given(st.floats(0.0, 1.0), st.floats(-100.0, 100.0), st.floats(-100.0, 100.0))
def test_F10_a_hand_is_read_between_the_numbers_that_mean_closed_and_open(
    share: float, low: float, high: float
) -> None:
    if abs(high - low) < 1e-3:
        return
    hand = HandAt(("state",), "hand", low, high)

    found = replace(MAPPING, hands=(hand,)).read({"state": np.array([low + share * (high - low), 0.0, 0.0])})

    assert found.grippers[0] == pytest.approx(share * OPEN, abs=1e-9)


def test_what_was_measured_counts_and_what_was_not_is_stood_in_for() -> None:
    measured = replace(MAPPING, velocities=JointsAt(("v",), ("a", "b"), "deg/s")).read({**SEEN, "v": [180.0, 0.0]})

    assert measured.state(profile(), 7, np.ones(2)).velocities == pytest.approx([np.pi, 0.0])
    assert MAPPING.read(SEEN).state(profile(), 7, np.ones(2)).velocities.tolist() == [1.0, 1.0]


def test_entries_may_be_nested_and_images_are_known_by_digest() -> None:
    image = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    whole = replace(MAPPING, prompt=("task", "text"), images=(("images", "front"),))
    seen = {**SEEN, "task": {"text": "go"}, "images": {"front": image}}

    found = whole.read(seen)

    assert found.instruction == "go"
    assert found.images == (hashlib.sha256(b"|u1(2, 2, 3)\0" + image.tobytes()).hexdigest(),)
    assert whole.read({**seen, "images": {"front": image[:, ::-1]}}).images != found.images


@pytest.mark.parametrize(
    "state",
    [[0.25, 180.0, -90.0], (0.25, 180, -90), np.array([0.25, 180.0, -90.0], dtype=np.float32)],
    ids=["list", "tuple", "float32"],
)
def test_numbers_may_come_as_a_list_or_in_single_precision(state: Any) -> None:
    assert MAPPING.read({"state": state}).positions == pytest.approx([-np.pi / 2.0, np.pi])


@pytest.mark.parametrize(
    "state",
    [
        None,
        "0.25",
        b"0.25",
        {},
        [],
        [0.25, 180.0],
        [0.25, True, 0.0],
        [0.25, "180", 0.0],
        [10**400, 1.0, 1.0],
        np.array([0.25, np.nan, 0.0]),
        np.array([[0.25, 180.0, -90.0]]),
        np.array([0.25, 180.0, -90.0], dtype=np.float16),
        np.array([0.25, 180.0, -90.0], dtype=object),
        np.array([True, True, True]),
        np.array([0.25 + 1j, 1.0, 1.0]),
    ],
    ids=repr,
)
def test_F03_what_is_no_row_of_finite_numbers_is_not_read(state: Any) -> None:
    with pytest.raises(Unreadable, match="state"):
        MAPPING.read({"state": state})


def test_a_missing_entry_is_named() -> None:
    with pytest.raises(Unreadable, match="no entry images/front"):
        replace(MAPPING, images=(("images", "front"),)).read({**SEEN, "images": [1]})


@pytest.mark.parametrize(("field", "value"), [("prompt", 3), ("images", "text"), ("images", np.array([None]))])
def test_a_prompt_is_text_and_an_image_an_array(field: str, value: Any) -> None:
    asked: Any = ("x",) if field == "prompt" else (("x",),)

    with pytest.raises(Unreadable, match="x: expected"):
        replace(MAPPING, **{field: asked}).read({**SEEN, "x": value})


def test_F48_a_prompt_is_cut_and_can_be_written_down() -> None:
    found = replace(MAPPING, prompt=("x",)).read({**SEEN, "x": "\ud800" + "a" * 5000})

    assert len(found.instruction.encode("utf-8")) == 2000


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"joints": JointsAt(("state",), ("a",), "rad")}, "the robot has a, b"),
        ({"joints": JointsAt(("state",), ("a", "a"), "rad")}, "the robot has a, b"),
        ({"joints": JointsAt(("state",), ("a", "b"), "rad/s")}, "rad or deg"),
        ({"velocities": JointsAt(("state",), ("a", "b"), "rad")}, "rad/s or deg/s"),
        ({"hands": ()}, "the robot has hand"),
    ],
)
def test_F03_a_mapping_says_each_joint_and_hand_once(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(UnusableInput, match=said):
        replace(MAPPING, **changes)


@pytest.mark.parametrize("ends", [(1.0, 1.0), (float("nan"), 1.0), (0.0, float("inf"))])
def test_a_hand_that_is_closed_where_it_is_open_is_refused(ends: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="must differ"):
        HandAt(("state",), "hand", *ends)


def test_the_first_of_the_joints_is_not_counted_from_the_end() -> None:
    with pytest.raises(ValueError, match="an index from 0 on, got -1"):
        JointsAt(("state",), ("a", "b"), "rad", first=-1)
