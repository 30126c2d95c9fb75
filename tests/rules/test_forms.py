from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock_rules.amounts import Range
from interlock_rules.forms import bounds, parse_count, parse_decimal, pose


@given(st.integers(0, 999_999_999))
def test_a_count_reads_back(number: int) -> None:
    assert parse_count(str(number)) == number


@pytest.mark.parametrize(
    "text", ["017", "1e3", "-1", "+1", "1.0", " 1", "", "\u0661", "1234567890", 7, True, None, ["1"]]
)
def test_F04_what_is_no_plain_count_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="is no whole number"):
        parse_count(text)


@pytest.mark.parametrize(("text", "number"), [("0", 0.0), ("-0.5", -0.5), ("12.25", 12.25), ("-0", 0.0)])
def test_a_plain_number_reads(text: str, number: float) -> None:
    assert math.copysign(1.0, parse_decimal(text)) == math.copysign(1.0, number)
    assert parse_decimal(text) == number


@pytest.mark.parametrize("text", [".5", "5.", "1e3", ".nan", ".inf", "inf", "yes", "00.5", "0x1", 0.5])
def test_F03_what_is_no_plain_number_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="is no plain number"):
        parse_decimal(text)


def test_a_pose_turns_about_fixed_axes_x_then_y_then_z() -> None:
    turned = pose((1.0, 2.0, 3.0), (math.pi / 2, 0.0, math.pi / 2)).matrix()

    assert turned[:3, 3].tolist() == [1.0, 2.0, 3.0]
    assert turned[:3, :3].round(9).tolist() == [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]


def test_a_range_in_another_unit_is_refused() -> None:
    assert bounds(Range(0.0, 1.0, "m"), "m") == (0.0, 1.0)
    with pytest.raises(ValueError, match="expected a range in rad, got one in m"):
        bounds(Range(0.0, 1.0, "m"), "rad")
