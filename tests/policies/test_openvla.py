"""OpenVLA's tokens become the centres of their bins; what is no action token is a failed decode, never full scale."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from interlock_policies.normalisation import Quantile
from interlock_policies.openvla import OpenVla, tokens_of
from tests.policies.promised import UNIT, contract, refused_by

VOCABULARY = 32000  # Llama 2, without padding
LAST, FIRST = 31999, 31744
STATISTICS = Quantile("toy", (-1.0, -1.0, 0.0), (1.0, 3.0, 0.08), (True, True, True), 0.0)
VALUES = arrays(np.float64, 6, elements=st.floats(-1.0, 1.0))


def policy(**changes: Any) -> OpenVla:
    return OpenVla(contract(**{"statistics": UNIT, **changes}), VOCABULARY)


def original(token: int) -> Fraction:
    """What the published decoder makes of any token: `clip(vocab - id - 1, 0, 254)`, and the centre of that bin of
    255 between -1 and 1.
    """
    place = min(max(VOCABULARY - token - 1, 0), 254)
    return Fraction(2 * place + 1, 255) - 1


def test_golden_tokens() -> None:
    # Bin k of 255 lies around -1 + (2 k + 1) / 255. Token 31999 is bin 0: -254/255. 31872 is bin 127: 0.
    # 31745 is bin 254: 254/255; 31744, the code of 1.0 exactly, shares it. 31998 is bin 1: -252/255.
    tokens = [31999, 31872, 31745, 31744, 31998, 31871]
    expected = [[-254 / 255, 0.0, 254 / 255], [254 / 255, -252 / 255, 2 / 255]]

    decoded = policy().answer(tokens)

    assert decoded.decode == "ok"
    np.testing.assert_allclose(decoded.values, expected, rtol=0.0, atol=1e-15)


def test_golden_physical_values() -> None:
    # (0 + 1) / 2 of [-1, 1], of [-1, 3] and of [0, 0.08]; then 1/510 above the lower end of each span.
    decoded = policy(statistics=STATISTICS).answer([31872] * 3 + [31999] * 3)

    expected = [[0.0, 1.0, 0.04], [-1 + 2 / 510, -1 + 4 / 510, 0.08 / 510]]
    np.testing.assert_allclose(decoded.values, expected, rtol=0.0, atol=1e-15)
    assert decoded.normalisation == STATISTICS.undone


@pytest.mark.parametrize("token", range(FIRST, LAST + 1))
def test_an_action_token_is_what_the_published_decoder_makes_of_it(token: int) -> None:
    decoded = policy(rows=1, execute=1).answer([token] * 3)

    assert abs(Fraction(float(decoded.values[0, 0])) - original(token)) < Fraction(1, 10**15)


@given(VALUES)
def test_a_value_comes_back_within_half_a_bin(values: np.ndarray[Any, np.dtype[np.float64]]) -> None:
    decoded = policy().answer(tokens_of(values, VOCABULARY))

    assert decoded.decode == "ok"
    assert float(np.abs(decoded.values.ravel() - values).max()) <= 1.0 / 255.0 + 1e-12


@given(st.integers(0, FIRST - 1) | st.integers(LAST + 1, 2**62), st.integers(0, 5))
def test_F12_a_token_of_text_is_a_failed_decode_and_not_full_scale(token: int, place: int) -> None:
    tokens = [31872] * 6
    tokens[place] = token
    promised = policy()

    decoded = promised.answer(tokens)

    assert abs(original(token)) == Fraction(254, 255)
    assert (decoded.decode, decoded.reason) == ("failed", f"token {token} is no action: those are {FIRST} to {LAST}")
    assert np.isnan(decoded.values).all()
    assert "check:decode" in refused_by(promised.contract, decoded)


WRONG: dict[str, tuple[object, str]] = {
    "a token too few": ([31872] * 5, "5 tokens, expected 2 rows of 3"),
    "the end token too": ([*[31872] * 6, 2], "7 tokens, expected"),
    "nothing": (np.zeros(0, dtype=np.int64), "0 tokens, expected"),
    "numbers that are not whole": ([31872.0] * 6, "must hold whole numbers"),
    "booleans": ([True] * 6, "must hold whole numbers"),
    "text": (["31872"] * 6, "must hold whole numbers"),
    "a batch": ([[31872] * 6], "one row"),
    "ragged rows": ([[31872], [31872, 31872]], "ragged"),
    "a token below zero": ([-1, *[31872] * 5], "token -1 is negative"),
    "a token that 64 bits do not hold": (np.full(6, 2**64 - 1, dtype=np.uint64), "64 bits"),
    "nothing at all": (None, "must hold whole numbers"),
}


@pytest.mark.parametrize("what", WRONG)
def test_F05_F12_what_is_no_row_of_tokens_is_a_failed_decode(what: str) -> None:
    tokens, complaint = WRONG[what]

    decoded = policy().answer(tokens)  # type: ignore[arg-type]

    assert decoded.decode == "failed"
    assert complaint in decoded.reason


@pytest.mark.parametrize("value", [1.0000001, -1.5, float("nan"), float("inf")])
def test_F01_only_normalised_values_have_tokens(value: float) -> None:
    with pytest.raises(ValueError, match="from -1 to 1"):
        tokens_of([0.0, value], VOCABULARY)


@pytest.mark.parametrize("vocabulary", [0, -1, 256])
def test_a_vocabulary_without_room_for_text_is_refused(vocabulary: int) -> None:
    with pytest.raises(ValueError, match="more than 256"):
        OpenVla(contract(statistics=UNIT), vocabulary)


def test_F08_bins_without_statistics_are_never_taken_for_physical_values() -> None:
    with pytest.raises(ValueError, match="needs their statistics"):
        OpenVla(contract(), VOCABULARY)
