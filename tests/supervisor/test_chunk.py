"""A chunk holds any float and refuses what is no chunk; what it holds can be put on record."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from interlock.chunk import Layout, Malformed, Model, Normalisation, all_commanded
from interlock.jsonform import canonical, to_json
from tests.supervisor.toy import ABSOLUTE, chunk, ramp, stamps

WRONG_TYPES: list[tuple[str, Any]] = [
    ("id", 1),
    ("session", None),
    ("layout", b"x"),
    ("decode", None),
    ("raw_digest", 3),
    ("noise", 7),
    ("images", (1,)),
    ("sequence", True),
    ("sequence", None),
    ("sequence", 1.0),
    ("horizon", 2.5),
    ("horizon", False),
    ("period_s", "0.02"),
    ("period_s", True),
    ("period_s", None),
    ("stamps", {}),
    ("model", "pi0"),
    ("normalisation", "none"),
    ("values", [["a"]]),
    ("mask", np.ones((10, 3))),
    ("anchor", ["a"]),
]


@pytest.mark.parametrize(("name", "value"), WRONG_TYPES, ids=[f"{name}={value!r:.12}" for name, value in WRONG_TYPES])
def test_F05_a_wrong_type_is_refused(name: str, value: Any) -> None:
    with pytest.raises(TypeError, match="must"):
        replace(chunk(), **{name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sequence", 2**63),
        ("horizon", -(2**64)),
        ("period_s", 10**400),
        ("values", np.zeros(3)),
        ("mask", np.ones(3, dtype=np.bool_)),
        ("instruction", "\ud800"),
    ],
)
def test_F48_what_no_record_could_hold_is_refused(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match="must"):
        replace(chunk(), **{name: value})


@pytest.mark.parametrize(("value", "error"), [(float("nan"), TypeError), (True, TypeError), (2**63, ValueError)])
@pytest.mark.parametrize("name", ["observation_ns", "request_ns", "received_ns", "first_row_ns", "expiry_ns"])
def test_F01_a_stamp_is_a_whole_number_of_64_bits(name: str, value: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match=name):
        stamps(**{name: value})


def test_F01_any_float_is_held_for_the_checks_to_judge() -> None:
    held = chunk(np.full((2, 3), np.nan), period_s=float("inf"), horizon=-5, anchor=None)

    assert np.isnan(held.values).all()
    assert (held.period_s, held.horizon, held.anchor) == (float("inf"), -5, None)


def test_F05_the_chunk_owns_its_arrays() -> None:
    rows, mask = ramp(), np.ones((10, 3), dtype=np.bool_)
    held = chunk(rows, mask=mask)

    rows[:], mask[:] = 9.0, False

    assert np.array_equal(held.values, ramp())
    assert held.mask.all()


def test_a_whole_number_of_seconds_is_a_period() -> None:
    assert chunk(period_s=1).period_s == 1.0
    assert chunk(normalisation=Normalisation("none", "", ""), model=Model("pi0")).model.name == "pi0"


def test_F48_what_is_malformed_can_be_put_on_record_whatever_it_says() -> None:
    held = Malformed("a lone \ud800 surrogate", "\udfff", "\ud800", 5)

    assert held == Malformed("a lone ? surrogate", "?", "?", 5)
    assert canonical(to_json(held))


def test_a_malformed_chunk_was_received_at_a_whole_number_or_not_known_when() -> None:
    assert Malformed("late", "").received_ns is None
    with pytest.raises(TypeError, match="received_ns"):
        Malformed("late", "", received_ns=0.5)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


def test_a_layout_has_channels_and_a_digest() -> None:
    assert ABSOLUTE.digest != Layout("other", ABSOLUTE.channels).digest
    with pytest.raises(ValueError, match="no channels"):
        Layout("empty", ())


def test_all_commanded_is_a_mask_of_the_same_shape() -> None:
    assert all_commanded(ramp(4)).tolist() == [[True] * 3] * 4
