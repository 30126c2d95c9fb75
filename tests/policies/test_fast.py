"""FAST's tokens become the rows that a cosine transform written out gives; what cannot be decoded is never zeros."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from interlock_policies.answer import Undecodable
from interlock_policies.fast import BytePairs, Fast, HuggingFace, refuse_middle
from interlock_policies.normalisation import ZScore
from tests.policies.promised import UNIT, contract, refused_by

ROWS = 8
VALUES = arrays(np.float64, (ROWS, 3), elements=st.floats(-1.0, 1.0))


@dataclass(frozen=True)
class Characters:
    """Byte pairs that were never merged: one token a character, but for token 0, which is two middles (354, 354)."""

    def encode(self, text: str) -> Sequence[int]:
        return [ord(character) for character in text]

    def decode(self, tokens: Sequence[int]) -> str:
        return "".join(2 * chr(354) if token == 0 else chr(token) for token in tokens)


def policy(rows: int = 2, **changes: Any) -> Fast:
    promised = contract(rows=rows, execute=rows, statistics=UNIT)
    return replace(Fast(promised, Characters(), vocabulary=1024), **changes)


def cosine(rows: np.ndarray[Any, np.dtype[np.float64]], coefficient: int, column: int) -> float:
    """A coefficient of the orthonormal DCT-II, as its definition says."""
    count = len(rows)
    total = sum(
        float(rows[row, column]) * math.cos(math.pi * (2 * row + 1) * coefficient / (2 * count)) for row in range(count)
    )
    return total * math.sqrt((1.0 if coefficient == 0 else 2.0) / count)


def test_golden_tokens() -> None:
    # Two rows: X0 = (x0 + x1) / sqrt 2, X1 = (x0 - x1) / sqrt 2.
    # Column 1, (1, 1): X0 = 1.41421, times 10 is 14; X1 = 0. Column 2, (1, -1): 0 and 14.
    # Column 3, (0.5, 0): both 0.35355, times 10 is 4. Less -354: 368 354 358, then 354 368 358.
    tokens = [368, 354, 358, 354, 368, 358]

    assert policy().tokens_of([[1.0, 1.0, 0.5], [1.0, -1.0, 0.0]]) == tuple(tokens)

    # Back: 1.4 / sqrt 2 = 0.98995; (0.4 + 0.4) / sqrt 2 = 0.56569, and 0.
    decoded = policy().answer(tokens)
    expected = [
        [0.9899494936611666, 0.9899494936611666, 0.5656854249492381],
        [0.9899494936611666, -0.9899494936611666, 0],
    ]
    assert decoded.decode == "ok"
    np.testing.assert_allclose(decoded.values, expected, rtol=0.0, atol=1e-15)


def test_golden_physical_values() -> None:
    statistics = ZScore("toy", (0.1, 0.2, 0.04), (0.1, 1.0, 0.01), 0.0)
    decoded = replace(policy(), contract=contract(statistics=statistics)).answer([368, 354, 354, 354, 354, 354])

    # Column 1 is 1.4 / sqrt 2 = 0.98995 in both rows: 0.1 + 0.098995; the others are their means.
    np.testing.assert_allclose(decoded.values, [[0.19899494936611666, 0.2, 0.04]] * 2, rtol=0.0, atol=1e-15)
    assert decoded.normalisation == statistics.undone


@given(VALUES)
def test_the_tokens_are_those_of_the_transform_written_out(values: np.ndarray[Any, np.dtype[np.float64]]) -> None:
    tokens = policy(ROWS).tokens_of(values)

    for place, token in enumerate(tokens):
        assert abs(token - 354 - 10.0 * cosine(values, *divmod(place, 3))) <= 0.5 + 1e-9


@given(VALUES)
def test_a_chunk_comes_back_within_what_rounding_takes(values: np.ndarray[Any, np.dtype[np.float64]]) -> None:
    tokens = policy(ROWS).tokens_of(values)

    decoded = policy(ROWS).answer(tokens)

    if set(tokens) == {354}:
        assert decoded.decode == "failed"
        return
    off = np.sqrt(((decoded.values - values) ** 2).sum(axis=0))  # the transform keeps lengths: 8 times half of 1 / 10
    assert decoded.decode == "ok"
    assert float(off.max()) <= 0.05 * math.sqrt(ROWS) + 1e-9


@given(st.lists(st.integers(-2, 1100), max_size=8))
def test_F12_whatever_is_decoded_is_all_there_or_failed(tokens: list[int]) -> None:
    decoded = policy().answer(tokens)

    assert decoded.values.shape == (2, 3)
    assert (decoded.decode == "ok") == bool(np.isfinite(decoded.values).all())
    assert decoded.values.any()  # never the zeros of the original


class Raising(Characters):
    def decode(self, tokens: Sequence[int]) -> str:
        raise KeyError(tokens[0])


class Wordless(Characters):
    def decode(self, tokens: Sequence[int]) -> Any:
        return tokens


WRONG: dict[str, tuple[BytePairs, object, str]] = {
    "no list of tokens": (Characters(), None, "whole numbers"),
    "nothing": (Characters(), np.zeros(0, dtype=np.int64), "0 coefficients, expected 2 rows of 3"),
    "a coefficient too few": (Characters(), [368] * 5, "5 coefficients, expected"),
    "a coefficient too many": (Characters(), [368] * 7, "7 coefficients, expected"),
    "a token of text": (Characters(), [*[368] * 5, 1024], "token 1024 is not among the 1024"),
    "a token below zero": (Characters(), [*[368] * 5, -1], "token -1 is negative"),
    "numbers that are not whole": (Characters(), [368.0] * 6, "whole numbers"),
    "a batch": (Characters(), [[368] * 6], "one row"),
    "a tokenizer that raises": (Raising(), [368] * 6, "the tokenizer failed: KeyError: 368"),
    "a tokenizer that returns no text": (Wordless(), [368] * 6, "the tokenizer returned list, expected text"),
    "the middle throughout": (Characters(), [354] * 6, "the middle of the range throughout"),
    "the middle, packed": (Characters(), [0, 0, 0], "the middle of the range throughout"),
}


@pytest.mark.parametrize("what", WRONG)
def test_F12_what_cannot_be_decoded_is_refused(what: str) -> None:
    tokenizer, tokens, complaint = WRONG[what]
    found = policy(tokenizer=tokenizer)

    decoded = found.answer(tokens)  # type: ignore[arg-type]

    assert decoded.decode == "failed"
    assert complaint in decoded.reason
    assert refused_by(found.contract, decoded) >= {"check:decode", "check:finite"}


def test_F12_the_middle_that_another_decoder_returned_is_refused() -> None:
    refuse_middle(np.array([[0.0, 0.0], [0.0, 1e-9]]))

    with pytest.raises(Undecodable, match="the middle of the range"):
        refuse_middle(np.zeros((50, 7)))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_F01_what_is_no_number_has_no_tokens(value: float) -> None:
    with pytest.raises(ValueError, match="must be finite"):
        policy().tokens_of([[value, 0.0, 0.0], [0.0, 0.0, 0.0]])


@pytest.mark.parametrize("shape", [(2, 2), (1, 3), (3, 3)], ids=str)
def test_F05_another_shape_has_no_tokens(shape: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=r"of shape \(2, 3\)"):
        policy().tokens_of(np.zeros(shape))


# (x, x): X0 = x sqrt 2; times 10 and plus 354 it must be at least 0, and no surrogate (55296 to 57343).
@pytest.mark.parametrize(
    ("value", "complaint"), [(-26.0, "-354 or more"), (1e6, "-354 or more"), (3900.0, "surrogate")]
)
def test_F12_a_coefficient_that_the_original_would_clip_is_refused(value: float, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        policy().tokens_of([[value, 0.0, 0.0], [value, 0.0, 0.0]])


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"scale": 0.0}, ValueError),
        ({"scale": math.nan}, ValueError),
        ({"scale": math.inf}, ValueError),
        ({"vocabulary": 0}, ValueError),
        ({"lowest": 0.5}, TypeError),
        ({"tokenizer": "gpt2"}, TypeError),
    ],
    ids=["no scale", "scale of NaN", "infinite scale", "no tokens", "half a coefficient", "no tokenizer"],
)
def test_a_decoder_that_cannot_be_is_refused(changes: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error, match="must be"):
        policy(**changes)


def test_F08_coefficients_without_statistics_are_never_taken_for_physical_values() -> None:
    with pytest.raises(ValueError, match="needs their statistics"):
        policy(contract=contract())


@pytest.mark.slow
def test_byte_pairs_that_were_trained_come_back_to_the_character() -> None:
    tokenizers: Any = pytest.importorskip("tokenizers", reason="needs transformers, of the extra `policies`")
    transformers: Any = pytest.importorskip("transformers", reason="needs transformers, of the extra `policies`")
    rng = np.random.default_rng(0)
    chunks = rng.uniform(-1.0, 1.0, (100, ROWS, 3)).cumsum(axis=1) / ROWS
    texts = ["".join(map(chr, policy(ROWS).tokens_of(chunk))) for chunk in chunks]
    trained = tokenizers.ByteLevelBPETokenizer()  # as in FAST's own `fit`
    alphabet = [chr(code) for code in range(700)]
    trainer = tokenizers.trainers.BpeTrainer(vocab_size=1024, initial_alphabet=alphabet, show_progress=False)
    trained._tokenizer.train_from_iterator(texts, trainer)
    wrapped = HuggingFace(transformers.PreTrainedTokenizerFast(tokenizer_object=trained))
    found = policy(ROWS, tokenizer=wrapped, vocabulary=trained.get_vocab_size())

    for chunk, text in zip(chunks, texts, strict=True):
        tokens = found.tokens_of(chunk)
        decoded = found.answer(tokens)
        assert wrapped.decode(tokens) == text
        assert decoded.decode == "ok"
        assert float(np.abs(decoded.values - chunk).max()) <= 0.05 * math.sqrt(ROWS) + 1e-9
    assert sum(len(found.tokens_of(chunk)) for chunk in chunks) < sum(map(len, texts))  # pairs were merged
    assert wrapped.decode(wrapped.encode(" . ,")) == " . ,"
    assert found.answer([found.vocabulary]).decode == "failed"


def test_F12_bytes_that_are_no_text_are_refused() -> None:
    class Broken(Characters):
        def decode(self, tokens: Sequence[int]) -> str:
            return super().decode(tokens)[:-1] + "\N{REPLACEMENT CHARACTER}"

    decoded = policy(tokenizer=Broken()).answer([368] * 6)

    assert (decoded.decode, decoded.reason) == ("failed", "the tokens are no text: their bytes are no UTF-8")
