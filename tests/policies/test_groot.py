"""GR00T's groups become columns by the stated mapping; a group that is missing, surplus or misshapen is refused."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from interlock.chunk import Layout
from interlock_policies.groot import Groot, Group
from interlock_policies.normalisation import ZScore
from tests.policies.promised import contract, refused_by
from tests.supervisor.toy import ABSOLUTE, SINCE_LAST, SINCE_SEEN

ARM, HAND = "action.arm", "action.hand"
# The arm's columns come the other way round than the layout has them.
POLICY = Groot(contract(), (Group(HAND, ("hand",)), Group(ARM, ("b", "a"))), batched=False)
BATCHED = replace(POLICY, batched=True)


def said(**changes: Any) -> dict[Any, Any]:
    arm, hand = np.array([[0.2, 0.1], [0.21, 0.11]]), np.array([[0.08], [0.07]])
    return {ARM: arm, HAND: hand, **changes}


EXPECTED = [[0.1, 0.2, 0.08], [0.11, 0.21, 0.07]]


def test_golden_rows() -> None:
    decoded = POLICY.answer(said())

    assert decoded.decode == "ok"
    assert decoded.values.tolist() == EXPECTED
    assert refused_by(POLICY.contract, decoded) == set()


def test_a_batch_of_one_is_one_chunk_where_that_was_stated() -> None:
    batch = {key: value[None] for key, value in said().items()}

    assert BATCHED.answer(batch).values.tolist() == EXPECTED
    assert BATCHED.answer(said()).decode == POLICY.answer(batch).decode == "failed"


@given(arrays(np.float32, (2, 2), elements=st.floats(width=32)), arrays(np.float64, (2, 1), elements=st.floats()))
def test_F01_every_number_goes_where_it_was_sent(
    arm: np.ndarray[Any, np.dtype[np.float32]], hand: np.ndarray[Any, np.dtype[np.float64]]
) -> None:
    decoded = POLICY.answer({ARM: arm, HAND: hand})

    assert decoded.decode == "ok"
    np.testing.assert_array_equal(decoded.values[:, :2], arm[:, ::-1])
    np.testing.assert_array_equal(decoded.values[:, 2:], hand)
    broken = not (np.isfinite(arm).all() and np.isfinite(hand).all())
    assert not broken or "check:finite" in refused_by(POLICY.contract, decoded)


WRONG: dict[str, tuple[object, str]] = {
    "a group missing": ({ARM: said()[ARM]}, f"groups [\"'{ARM}'\"], expected"),
    "a group more": (said(**{"action.base": np.zeros((2, 3))}), "'action.base'"),
    "a key that is no text": ({**said(), 7: np.zeros((2, 1))}, "'7'"),
    "no groups": ({}, "groups [], expected"),
    "no dictionary": ([said()], "expected a dictionary of groups, got list"),
    "a row too few": (said(**{ARM: np.zeros((1, 2))}), "has shape (1, 2), expected (2, 2)"),
    "a row too many": (said(**{HAND: np.zeros((3, 1))}), "has shape (3, 1), expected (2, 1)"),
    "a column that would broadcast": (said(**{ARM: np.zeros((2, 1))}), "has shape (2, 1), expected (2, 2)"),
    "rows without columns": (said(**{HAND: np.zeros(2)}), "has shape (2,), expected (2, 1)"),
    "a batch of two": (said(**{ARM: np.zeros((2, 2, 2))}), "has shape (2, 2, 2)"),
    "turned": (said(**{HAND: np.zeros((1, 2))}), "has shape (1, 2), expected (2, 1)"),
    "a list": (said(**{HAND: [[0.08], [0.07]]}), "must be an array, got list"),
    "half precision": (said(**{HAND: np.zeros((2, 1), dtype=np.float16)}), "got float16"),
    "booleans": (said(**{HAND: np.zeros((2, 1), dtype=np.bool_)}), "got bool"),
    "objects": (said(**{HAND: np.array([[0.08], [None]])}), "got object"),
    "a masked array": (said(**{HAND: np.ma.masked_array(np.zeros((2, 1)), mask=[[True], [False]])}), "must hold"),
}


@pytest.mark.parametrize("what", WRONG)
def test_F05_F12_what_is_not_the_stated_groups_is_a_failed_decode(what: str) -> None:
    answer, complaint = WRONG[what]

    decoded = POLICY.answer(answer)

    assert decoded.decode == "failed"
    assert complaint in decoded.reason
    assert np.isnan(decoded.values).all()
    assert "check:decode" in refused_by(POLICY.contract, decoded)


@pytest.mark.parametrize("layout", [SINCE_SEEN, SINCE_LAST], ids=lambda layout: layout.name)
def test_F07_a_layout_of_deltas_contradicts_what_gr00t_sends(layout: Layout) -> None:
    with pytest.raises(ValueError, match="has deltas: a, b"):
        replace(POLICY, contract=contract(layout=layout))


def test_F08_statistics_contradict_what_gr00t_sends() -> None:
    statistics = ZScore("toy", (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))

    with pytest.raises(ValueError, match="has no statistics"):
        replace(POLICY, contract=contract(statistics=statistics))


TWICE = Layout("twice", (*ABSOLUTE.channels, ABSOLUTE.channels[0]))


@pytest.mark.parametrize(
    "changes",
    [
        {"groups": ()},
        {"groups": (Group(ARM, ("a", "b")),)},
        {"groups": (Group(ARM, ("a", "b")), Group(HAND, ("hand", "thumb")))},
        {"groups": (Group(ARM, ("a", "b")), Group(HAND, ("hand", "a")))},
        {"contract": contract(layout=TWICE), "groups": (Group(ARM, ("a", "b", "a")), Group(HAND, ("hand",)))},
    ],
    ids=["none", "a channel missing", "an unknown channel", "a channel twice", "a layout that names one twice"],
)
def test_F11_groups_that_do_not_name_each_channel_once_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="name each channel of the layout once"):
        replace(POLICY, **changes)


def test_a_group_named_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="a group is named twice"):
        replace(POLICY, groups=(Group(ARM, ("a", "b")), Group(ARM, ("hand",))))


@pytest.mark.parametrize(("key", "channels"), [("", ("a",)), (ARM, ())], ids=["no key", "no channels"])
def test_an_empty_group_is_refused(key: str, channels: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="needs a key and channels"):
        Group(key, channels)


def test_F06_no_cell_is_left_at_zero() -> None:
    decoded = POLICY.answer(said(**{ARM: np.full((2, 2), math.nan)}))

    assert np.isnan(decoded.values[:, :2]).all()
    assert "check:finite" in refused_by(POLICY.contract, decoded)
