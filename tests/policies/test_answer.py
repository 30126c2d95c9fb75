"""An answer becomes a chunk that says what was undone, or a failed decode that no check lets through."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.arrays import FloatArray
from interlock.chunk import Normalisation
from interlock_policies.answer import Decoded, Undecodable, raw_digest
from interlock_policies.normalisation import ZScore
from tests.policies.promised import contract, refused_by
from tests.supervisor.toy import ABSOLUTE, START, profile, stamps

STILL = np.array([[*START, 0.08]] * 2)
UNDONE = Normalisation("none", "", "")


def test_a_physical_answer_becomes_a_chunk_that_the_checks_pass() -> None:
    promised = contract()

    decoded = promised.decoded(lambda: STILL, "abc")

    assert refused_by(promised, decoded) == set()


def test_a_chunk_says_what_the_contract_says() -> None:
    statistics = ZScore("toy", (0.1, 0.2, 0.04), (0.1, 0.1, 0.01))
    promised = contract(statistics=statistics, execute=1)
    decoded = promised.decoded(lambda: np.zeros((2, 3)), "abc")

    chunk = promised.chunk(
        decoded, session="s", sequence=7, stamps=stamps(), anchor=np.array(START), instruction="pick", images=("d",)
    )

    assert (chunk.layout, chunk.profile) == (ABSOLUTE.digest, profile().digest)
    assert (chunk.id, chunk.session, chunk.sequence) == ("s-7", "s", 7)
    assert (chunk.period_s, chunk.horizon, chunk.space) == (0.02, 1, "physical")
    assert (chunk.decode, chunk.raw_digest, chunk.model.name) == ("ok", "abc", "toy")
    assert (chunk.instruction, chunk.images, chunk.stamps) == ("pick", ("d",), stamps())
    assert chunk.normalisation == statistics.undone
    assert chunk.anchor is not None
    assert chunk.anchor.tolist() == list(START)
    assert chunk.values.tolist() == [[0.1, 0.2, 0.04]] * 2
    assert chunk.mask.all()


def test_F12_a_failed_decode_is_refused_twice_over() -> None:
    def fails() -> FloatArray:
        raise Undecodable("no action in it \ud800")

    promised = contract()
    decoded = promised.decoded(fails, "abc")

    assert (decoded.decode, decoded.reason) == ("failed", "no action in it ?")
    assert np.isnan(decoded.values).all()
    assert refused_by(promised, decoded) >= {"check:decode", "check:finite"}


@pytest.mark.parametrize("shape", [(1, 3), (3, 3), (2, 2), (2, 1), (6,), (1, 2, 3), (0, 3)], ids=str)
def test_F05_rows_of_another_shape_are_a_failed_decode(shape: tuple[int, ...]) -> None:
    decoded = contract().decoded(lambda: np.zeros(shape), "")

    assert (decoded.decode, decoded.values.shape) == ("failed", (2, 3))
    assert decoded.reason == f"rows of shape {shape}, expected (2, 3)"


def test_values_and_mask_of_an_answer_have_one_shape() -> None:
    with pytest.raises(ValueError, match="differ in shape"):
        Decoded(np.zeros((2, 2)), np.ones((1, 2), dtype=np.bool_), UNDONE, "ok", "")


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"rows": 0}, "rows must be from 1"),
        ({"rows": 5000}, "rows must be from 1"),
        ({"execute": 0}, "execute must be from 1 to 2"),
        ({"execute": 3}, "execute must be from 1 to 2"),
        ({"period_s": math.nan}, "period_s must be positive"),
        ({"period_s": 0.0}, "period_s must be positive"),
    ],
    ids=["no rows", "a recording", "nothing executed", "more executed than there is", "NaN", "zero"],
)
def test_a_contract_that_contradicts_itself_is_refused(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        contract(**changes)


@pytest.mark.parametrize("changes", [{"rows": True}, {"layout": "absolute"}, {"statistics": 1}, {"model": None}])
def test_a_contract_of_other_types_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="must be"):
        contract(**changes)


ANSWERS: dict[str, object] = {
    "a list": [1, 2],
    "a list the other way round": [2, 1],
    "an array": np.array([1, 2]),
    "another dtype": np.array([1, 2], dtype=np.int32),
    "another shape": np.array([[1, 2]]),
    "objects": np.array([1, None], dtype=object),
    "other objects": np.array([2, None], dtype=object),
    "a group": {"a": np.array([1, 2])},
    "a group of another name": {"b": np.array([1, 2])},
    "two groups": {"a": np.array([1, 2]), "b": np.array([1, 2])},
    "groups inside of a group": {"a": {"a": np.array([1, 2])}},
    "a key that is a number": {1: 0},
    "a key that is text": {"1": 0},
    "text": "[1, 2]",
    "no Unicode text": "\ud800",
    "nothing": None,
}


def test_two_answers_have_two_digests() -> None:
    digests = [raw_digest(said) for said in ANSWERS.values()]

    assert len(set(digests)) == len(ANSWERS) >= 16


@given(st.dictionaries(st.text(max_size=3), st.lists(st.integers(), max_size=3), max_size=4))
def test_a_digest_does_not_depend_on_the_order_of_groups(said: dict[str, list[int]]) -> None:
    assert raw_digest(said) == raw_digest(dict(reversed(said.items())))
