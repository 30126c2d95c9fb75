"""Un-normalisation gives what exact fractions give; statistics that are none, or are another's, are refused."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from interlock.errors import UnusableInput
from interlock_policies.normalisation import Quantile, Statistics, ZScore, openpi_statistics, openvla_statistics, pinned
from tests.policies.promised import contract, refused_by

Z = ZScore("droid", (1.0, -0.5), (0.5, 2.0))
OPENPI = Quantile("droid", (-1.0, 0.0), (3.0, 0.5), (True, True), 1e-6)
OPENVLA = Quantile("bridge", (-1.0, 0.0), (3.0, 0.0), (True, False), 0.0)

NUMBERS = st.floats(-1e3, 1e3)
SPANS = st.floats(1e-3, 1e3)
ROWS = arrays(np.float64, (3, 2), elements=st.floats(-4.0, 4.0))


@st.composite
def z_scores(draw: st.DrawFn) -> ZScore:
    return ZScore("k", (draw(NUMBERS), draw(NUMBERS)), (draw(SPANS), draw(SPANS)), draw(st.sampled_from([0.0, 1e-6])))


@st.composite
def quantiles(draw: st.DrawFn) -> Quantile:
    low = (draw(NUMBERS), draw(NUMBERS))
    high = (low[0] + draw(SPANS), low[1] + draw(SPANS))
    flags = (draw(st.booleans()), draw(st.booleans()))
    return Quantile("k", low, high, flags, draw(st.sampled_from([0.0, 1e-6])))


def exactly(statistics: Statistics, column: int, value: float) -> Fraction:
    """The physical value by the published formula, without rounding."""
    x, epsilon = Fraction(value), Fraction(statistics.epsilon)
    if isinstance(statistics, ZScore):
        return x * (Fraction(statistics.std[column]) + epsilon) + Fraction(statistics.mean[column])
    low, high = Fraction(statistics.q01[column]), Fraction(statistics.q99[column])
    return (x + 1) / 2 * (high - low + epsilon) + low if statistics.normalised[column] else x


# Worked out by hand from the formulas in openpi's transforms.py and in OpenVLA's modeling_prismatic.py.
GOLDEN: dict[str, tuple[Statistics, list[list[float]], list[list[float]]]] = {
    # 2 * 0.500001 + 1 = 2.000002; -1 * 2.000001 - 0.5 = -2.500001; zeros are the mean
    "z-score": (Z, [[2.0, -1.0], [0.0, 0.0]], [[2.000002, -2.500001], [1.0, -0.5]]),
    # -1 is q01; 1 is q99 + 1e-6; 0 is half of 4.000001 above -1, and half of 0.500001 above 0
    "openpi's quantiles": (
        OPENPI,
        [[-1.0, -1.0], [1.0, 1.0], [0.0, 0.0]],
        [[-1.0, 0.0], [3.000001, 0.500001], [1.0000005, 0.2500005]],
    ),
    # no epsilon; the second channel is a gripper's, and physical as it comes
    "OpenVLA's quantiles": (OPENVLA, [[-1.0, 0.9], [1.0, 0.0], [0.5, 1.0]], [[-1.0, 0.9], [3.0, 0.0], [2.0, 1.0]]),
}


@pytest.mark.parametrize("what", GOLDEN)
def test_golden_values(what: str) -> None:
    statistics, normalised, physical = GOLDEN[what]

    np.testing.assert_allclose(statistics.undo(np.array(normalised)), physical, rtol=0.0, atol=1e-15)


@given(z_scores() | quantiles(), ROWS)
def test_undoing_is_the_published_formula(statistics: Statistics, rows: np.ndarray[Any, np.dtype[np.float64]]) -> None:
    physical = statistics.undo(rows)

    for (row, column), value in np.ndenumerate(physical):
        exact = exactly(statistics, column, float(rows[row, column]))
        assert abs(Fraction(float(value)) - exact) <= Fraction(1, 10**11)


@given(z_scores() | quantiles(), ROWS)
def test_applying_is_the_inverse(statistics: Statistics, rows: np.ndarray[Any, np.dtype[np.float64]]) -> None:
    np.testing.assert_allclose(statistics.apply(statistics.undo(rows)), rows, rtol=0.0, atol=1e-8)


@pytest.mark.parametrize("statistics", [Z, OPENPI, OPENVLA], ids=["z", "openpi", "openvla"])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_F01_what_is_no_number_becomes_none(statistics: Statistics, value: float) -> None:
    physical = statistics.undo(np.array([[value, 0.0], [0.0, 0.0]]))

    assert not math.isfinite(physical[0, 0])
    assert np.isfinite(physical[1]).all()


@pytest.mark.parametrize("turn", [ZScore.undo, ZScore.apply], ids=["undo", "apply"])
@pytest.mark.parametrize(
    "shape", [(3, 1), (3, 3), (1, 1), (2,), (1, 3, 2), ()], ids=["1", "3", "1x1", "flat", "batch", "none"]
)
def test_F05_F08_nothing_is_broadcast(turn: Callable[..., Any], shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="shape"):
        turn(Z, np.zeros(shape))


@pytest.mark.parametrize("dtype", [np.float16, object, np.bool_, np.complex128, "U1"], ids=str)
@pytest.mark.parametrize("statistics", [Z, OPENPI], ids=["z", "quantile"])
def test_F05_another_dtype_is_refused(statistics: Statistics, dtype: Any) -> None:
    with pytest.raises(TypeError, match="values must hold"):
        statistics.undo(np.zeros((1, 2), dtype=dtype))


WRONG: dict[str, tuple[Statistics, dict[str, Any], str]] = {
    "a mean of NaN": (Z, {"mean": (math.nan, 0.0)}, "mean of channel 0 must be finite"),
    "an infinite deviation": (Z, {"std": (1.0, math.inf)}, "std of channel 1 must be finite"),
    "a deviation of zero": (Z, {"std": (0.5, 0.0)}, "std of channel 1 must be positive"),
    "a negative deviation": (Z, {"std": (-0.5, 1.0)}, "std of channel 0 must be positive"),
    "a mean too few": (Z, {"mean": (1.0,)}, "'mean': 1, 'std': 2"),
    "no channels": (Z, {"mean": (), "std": ()}, "one number a channel"),
    "no key": (Z, {"key": ""}, "need a key"),
    "a negative epsilon": (Z, {"epsilon": -1e-6}, "epsilon"),
    "an epsilon of NaN": (OPENPI, {"epsilon": math.nan}, "epsilon"),
    "a quantile of NaN": (OPENPI, {"q01": (math.nan, 0.0)}, "q01 of channel 0 must be finite"),
    "quantiles the wrong way round": (OPENPI, {"q01": (4.0, 0.0)}, "channel 0 must be positive"),
    "quantiles that are equal": (OPENPI, {"q01": (3.0, 0.0)}, "channel 0 must be positive"),
    "quantiles whose span overflows": (OPENPI, {"q01": (-1.7e308, 0.0), "q99": (1.7e308, 1.0)}, "got inf"),
    "an infinite quantile that no channel uses": (OPENVLA, {"q99": (3.0, math.inf)}, "q99 of channel 1"),
    "a mask too short": (OPENVLA, {"normalised": (True,)}, "'normalised': 1"),
}


@pytest.mark.parametrize("what", WRONG)
def test_F08_statistics_that_are_none_are_refused(what: str) -> None:
    statistics, changes, complaint = WRONG[what]

    with pytest.raises(ValueError, match=complaint):
        replace(statistics, **changes)


@pytest.mark.parametrize(
    "changes",
    [{"normalised": (1, 0)}, {"q01": ("0", "0")}, {"q01": np.zeros(2)}, {"epsilon": True}, {"key": 1}],
    ids=lambda changes: next(iter(changes.items()))[0] + repr(next(iter(changes.values())))[:8],
)
def test_F08_statistics_of_another_type_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="must be"):
        replace(OPENVLA, **changes)


@pytest.mark.parametrize(
    "other",
    [
        replace(Z, key="bridge"),
        replace(Z, mean=(1.0, -0.5000000000000001)),
        replace(Z, std=(2.0, 0.5)),
        replace(Z, epsilon=1e-8),  # what the processor of pi0 in `transformers` adds
        Quantile("droid", (1.0, -0.5), (1.5, 2.0), (True, True), 1e-6),
    ],
    ids=["key", "last digit", "order", "epsilon", "kind"],
)
def test_F08_F12_statistics_of_another_data_set_have_another_digest(other: Statistics) -> None:
    assert pinned(Z, Z.digest) is Z
    with pytest.raises(UnusableInput, match=f"expected {Z.digest}"):
        pinned(other, Z.digest)


@pytest.mark.parametrize("digest", ["", "0" * 63, Z.digest.upper(), "g" * 64], ids=["none", "short", "upper", "no hex"])
def test_F08_what_is_no_digest_matches_nothing(digest: str) -> None:
    with pytest.raises(UnusableInput, match="no SHA-256"):
        pinned(Z, digest)


def test_F08_F12_a_rule_set_takes_only_the_statistics_that_it_names() -> None:
    statistics = ZScore("droid", (0.1, 0.2, 0.04), (0.1, 0.1, 0.01))
    another = replace(statistics, key="another robot")
    quantiles = Quantile("droid", (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), (True, True, True), 0.0)
    promised = contract(statistics=statistics)
    decoded = promised.decoded(lambda: np.zeros((2, 3)), "")

    assert decoded.normalisation == statistics.undone
    assert (statistics.undone.kind, statistics.undone.key) == ("z_score", "droid")
    assert "check:normalisation" not in refused_by(promised, decoded, statistics)
    for other in (another, quantiles, None):
        assert "check:normalisation" in refused_by(promised, decoded, other)


def test_F08_a_contract_refuses_statistics_of_another_width() -> None:
    with pytest.raises(ValueError, match="2 channels; layout 'absolute' has 3"):
        contract(statistics=Z)


def openpi_file(**changes: Any) -> bytes:
    actions: dict[str, Any] = {"mean": [1.0, -0.5], "std": [0.5, 2], "q01": [-1, 0], "q99": [3, 0.5], **changes}
    return json.dumps({"norm_stats": {"state": {"mean": [0], "std": [1]}, "actions": actions}}).encode()


def test_the_files_of_openpi_and_openvla_are_read() -> None:
    action = {"q01": [-1, 0], "q99": [3, 0], "mask": [True, False], "mean": [9, 9], "max": [9, 9]}
    file = json.dumps({"bridge": {"action": action, "num_transitions": 5}}).encode()

    assert openpi_statistics(openpi_file(), "droid", "actions", "z_score") == Z
    assert openpi_statistics(openpi_file(), "droid", "actions", "quantile") == OPENPI
    assert openpi_statistics(openpi_file(), "droid", "state", "z_score").width == 1
    assert openvla_statistics(file, "bridge") == OPENVLA


@pytest.mark.parametrize(
    ("raw", "complaint"),
    [
        (b"{", "not JSON"),
        (b"[]", "expected an object"),
        (b'{"stats": {}}', "'norm_stats' is missing; it has: stats"),
        (b'{"norm_stats": {"state": {}}}', "'actions' is missing; it has: state"),
        (openpi_file(std=None), "expected a list"),
        (openpi_file(std=[0.5, "2 rad"]), "expected float"),
        (openpi_file(std=[0.5, math.nan]), "must be finite"),
        (openpi_file(std=[[0.5, 2.0]]), "expected float"),
        (openpi_file(std=[0.5]), "one number a channel"),
    ],
    ids=["cut off", "a list", "no statistics", "no part", "null", "text", "NaN", "nested", "too few"],
)
def test_F08_a_file_that_does_not_say_it_is_refused(raw: bytes, complaint: str) -> None:
    with pytest.raises(UnusableInput, match=complaint):
        openpi_statistics(raw, "droid", "actions", "z_score")


@pytest.mark.parametrize(
    ("key", "action", "complaint"),
    [
        ("fractal", {}, "'fractal' is missing; it has: bridge"),
        ("bridge", {"q01": [0.0], "q99": [1.0]}, "'mask' is missing"),
        ("bridge", {"q01": [0.0], "q99": [1.0], "mask": [1]}, "expected bool"),
        ("bridge", {"q01": [0.0], "q99": [0.0], "mask": [True]}, "must be positive"),
        ("bridge", {"q01": [0.0], "mask": [True]}, "'q99' is missing"),
    ],
    ids=["another key", "no mask", "a mask of numbers", "no span", "no q99"],
)
def test_F12_statistics_of_openvla_are_never_guessed(key: str, action: dict[str, Any], complaint: str) -> None:
    raw = json.dumps({"bridge": {"action": action}}).encode()

    with pytest.raises(UnusableInput, match=complaint):
        openvla_statistics(raw, key)
