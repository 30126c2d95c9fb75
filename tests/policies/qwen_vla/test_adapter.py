"""What a Qwen-VLA says becomes rows that its mask and the sentence agree on, or a failed decode; no torch is needed."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.chunk import Model, Normalisation
from interlock_policies.answer import raw_digest
from interlock_policies.noise import noise
from tests.policies.promised import contract, refused_by
from tests.policies.qwen_vla.tiny import ACTIONS, CHANNELS, ROWS, Says, adapter, seen
from tests.supervisor.toy import ABSOLUTE, SINCE_SEEN, profile, stamps


def test_F06_rows_and_channels_that_count_are_made_physical_and_padding_is_left_out() -> None:
    policy = adapter(Says())

    decoded = policy.answer(seen(), 7)

    drawn = noise(7, (ROWS, CHANNELS))
    assert (decoded.decode, decoded.values.shape) == ("ok", (16, 3))
    assert decoded.mask.all()
    # (x + 1) / 2 (q99 - q01) + q01: of -1 to 1 it is x, of 0 to 0.08 it is 0.04 (x + 1).
    expected = drawn[:16, :3].astype(np.float64) * [1.0, 1.0, 0.04] + [0.0, 0.0, 0.04]
    np.testing.assert_allclose(decoded.values, expected, rtol=0.0, atol=1e-12)
    assert decoded.normalisation == Normalisation("quantile", "toy", ACTIONS.digest)


def test_a_chunk_says_what_was_asked_and_of_which_noise_images_and_weights() -> None:
    policy, image = adapter(Says()), np.zeros((8, 8, 3), dtype=np.uint8)

    decoded = policy.answer(seen(image), 7)
    chunk = policy.contract.chunk(decoded, session="s", sequence=1, stamps=stamps())

    assert (chunk.instruction, chunk.images) == ("wait", (raw_digest(image),))
    assert chunk.noise is not None
    assert (chunk.noise.seed, chunk.noise.digest) == (7, raw_digest(noise(7, (ROWS, CHANNELS))))
    assert chunk.model == Model("tiny", "r", "w")


def test_the_model_is_asked_with_the_sentence_of_the_robot() -> None:
    model = Says()

    adapter(model).answer(seen(), 7)

    (said,) = model.asked
    assert said == (
        "The robot is toy with a single arm. The control frequency is 50 Hz. Please predict the next 16 control "
        "actions to execute the following task: wait."
    )


UNASKED: dict[str, tuple[Any, str]] = {
    "two lines": (seen(instruction="wait\nno"), "instruction must be one printable line"),
    "nothing to do": (seen(instruction=""), "instruction must be one printable line"),
    "no text": (seen(instruction=7), "instruction must be text"),
    "no camera": (seen(images={}), "images of [], expected ['front']"),
    "another camera": (seen(images={"back": np.zeros((8, 8, 3), np.uint8)}), "images of"),
    "a camera more": (seen(images={"front": np.zeros((8, 8, 3), np.uint8), "back": None}), "images of"),
    "an image of NaN": (seen(np.full((8, 8, 3), math.nan)), "no array of bytes"),
    "no image": (seen(images={"front": None}), "no array of bytes"),
    "a grey image": (seen(np.zeros((8, 8), np.uint8)), "has shape (8, 8)"),
    "an image with a mask": (seen(np.zeros((8, 8, 4), np.uint8)), "has shape (8, 8, 4)"),
    "an empty image": (seen(np.zeros((0, 8, 3), np.uint8)), "has shape (0, 8, 3)"),
}


@pytest.mark.parametrize("what", UNASKED)
def test_F12_what_the_model_would_make_a_guess_of_is_refused_before_it_runs(what: str) -> None:
    model = Says()
    observation, complaint = UNASKED[what]
    policy = adapter(model)

    decoded = policy.answer(observation, 3)

    assert (decoded.decode, model.asked) == ("failed", [])
    assert complaint in decoded.reason
    assert decoded.noise is not None
    assert {"check:decode", "check:finite"} <= refused_by(policy.contract, decoded, ACTIONS)


def counts(rows: int, columns: int) -> Any:
    found = np.zeros((ROWS, CHANNELS), dtype=np.bool_)
    found[:rows, :columns] = True
    return found


ANSWERS: dict[str, tuple[Any, Any, str]] = {
    "NaN": (np.full((ROWS, CHANNELS), math.nan, np.float32), None, "actions are not finite"),
    "infinity in one cell": (np.where(counts(1, 1), math.inf, 0.0), None, "actions are not finite"),
    "rows too few": (np.zeros((16, CHANNELS), np.float32), None, "actions (16, 12)"),
    "no axis of rows": (np.zeros(CHANNELS, np.float32), None, "actions (12,)"),
    "a batch": (np.zeros((1, ROWS, CHANNELS), np.float32), None, "actions (1, 32, 12)"),
    "a mask of another shape": (None, np.ones((16, 3), np.bool_), "mask (16, 3)"),
    "another number of rows": (None, counts(15, 3), "45 cells; the sentence named 16 rows of 3 channels"),
    "more channels": (None, counts(16, 4), "the mask marks 64 cells"),
    "padding too": (None, counts(ROWS, CHANNELS), "the mask marks 384 cells"),
    "nothing": (None, counts(0, 0), "the mask marks 0 cells"),
    "other cells, as many": (None, counts(16, 3)[::-1], "the mask marks 48 cells"),
}


@pytest.mark.parametrize("what", ANSWERS)
def test_F01_F05_F06_an_answer_that_is_not_what_the_sentence_asked_for_is_a_failed_decode(what: str) -> None:
    actions, mask, complaint = ANSWERS[what]
    policy = adapter(Says(actions, mask))

    decoded = policy.answer(seen(), 3)

    assert decoded.decode == "failed"
    assert complaint in decoded.reason
    assert np.isnan(decoded.values).all()
    assert {"check:decode", "check:finite"} <= refused_by(policy.contract, decoded, ACTIONS)


def test_what_is_in_the_padding_does_not_matter() -> None:
    dirty = np.where(counts(16, 3), np.float32(0.5), np.float32(math.nan))

    decoded = adapter(Says(dirty)).answer(seen(), 3)

    assert decoded.values.tolist() == [[0.5, 0.5, 0.06]] * 16


@given(st.integers(1, ROWS), st.integers(0, 2**32))
def test_shape_and_mask_of_any_contract_go_round(rows: int, seed: int) -> None:
    promised = contract(rows=rows, execute=rows, statistics=ACTIONS, model=Model("tiny", "r", "w"))
    policy = adapter(Says(), contract=promised)

    decoded = policy.answer(seen(), seed)

    assert decoded.values.shape == decoded.mask.shape == (rows, 3)
    assert policy.mask.sum() == rows * 3
    assert policy.mask[:rows, :3].all()
    assert decoded.values.tolist() == ACTIONS.undo(noise(seed, (ROWS, CHANNELS))[:rows, :3]).tolist()


def promised(**changes: Any) -> Any:
    return contract(**{"rows": 16, "execute": 8, "statistics": ACTIONS, "model": Model("tiny", "r", "w"), **changes})


class Training(Says):
    training = True


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "more rows than the model has": ({"contract": promised(rows=33)}, "32 rows of 12, the contract 33 of 3"),
    "no statistics": ({"contract": promised(statistics=None)}, "needs the statistics"),
    "other weights": ({"contract": promised(model=Model("tiny", "r", "v"))}, "names another model"),
    "no weights": ({"contract": promised(model=Model("tiny"))}, "names another model"),
    "another robot": ({"robot": replace(profile(), name="other")}, "for another robot than 'other'"),
    "a layout of another robot": ({"robot": replace(profile(), layouts=(SINCE_SEEN,))}, "is not one of profile"),
    "no tag": ({"tag": ""}, "tag must be one printable line"),
    "no cameras": ({"cameras": ()}, "cameras must be named"),
    "a camera twice": ({"cameras": ("front", "front")}, "cameras must be named"),
    "no steps": ({"steps": 0}, "steps must be 1 or more"),
    "training": ({"model": Training()}, "training mode"),
}


@pytest.mark.parametrize("what", WRONG)
def test_F08_F11_a_policy_that_cannot_be_is_refused(what: str) -> None:
    changes, complaint = WRONG[what]

    with pytest.raises(ValueError, match=complaint):
        replace(adapter(Says()), **changes)


def test_the_layout_of_the_contract_is_the_one_that_is_meant() -> None:
    assert adapter(Says()).contract.layout == ABSOLUTE
