"""Quantities are strict: what is not one decimal, one space and one known unit is refused, with what was expected."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from interlock_rules.amounts import Amount, OfProfile, Range
from interlock_rules.quantities import (
    Angle,
    AngularSpeedOrShare,
    Coordinate,
    Direction,
    GripperOpening,
    GripperRange,
    GripperSpeed,
    Length,
    Mass,
    Speed,
    parse_quantity,
)
from interlock_rules.units import UNITS, si_unit


@pytest.mark.parametrize(
    ("text", "dimension", "value"),
    [
        ("2 deg", "angle", 2.0 * math.pi / 180.0),
        ("90 deg", "angle", math.pi / 2.0),
        ("35 mm", "length", 0.035),
        ("-12.5 cm", "length", -0.125),
        ("-0 m", "length", 0.0),
        ("250 mm/s", "speed", 0.25),
        ("90 deg/s", "angular speed", math.pi / 2.0),
        ("50 %/s", "ratio speed", 0.5),
        ("87 N m", "torque", 87.0),
        ("500 g", "mass", 0.5),
        ("20 ms", "duration", 0.02),
        ("1 kHz", "rate", 1000.0),
    ],
)
def test_a_quantity_becomes_its_si_value(text: str, dimension: str, value: float) -> None:
    assert parse_quantity(text, dimension) == value


@pytest.mark.parametrize("dimension", sorted(UNITS))
def test_the_first_unit_of_a_dimension_is_the_si_unit(dimension: str) -> None:
    assert parse_quantity(f"1.5 {si_unit(dimension)}", dimension) == 1.5


WRONG: list[object] = [
    "2deg", "2  deg", " 2 deg", "2 deg ", "2 Deg", "2 degrees", "2 mm", "+2 deg", "02 deg", "2. deg", ".5 deg",
    "1e3 deg", "1_0 deg", "1:30 deg", "nan deg", ".nan deg", "inf deg", "2", "deg", "", "2 + 2 deg", "2,5 deg",
    "\u0663 deg", "2\u00a0deg", "2\tdeg", "2 deg\n", 2, 2.0, True, None, [2, "deg"], "1" * 16 + " deg",
]  # fmt: skip


@pytest.mark.parametrize("text", WRONG, ids=repr)
def test_F03_F04_anything_else_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match=r"expected a number, one space and one of rad, mrad, deg, as in '1.5 rad'"):
        parse_quantity(text, "angle")


@given(st.decimals(-(10**6), 10**6, allow_nan=False, allow_infinity=False, places=6))
def test_millimetres_are_exact_thousandths(number: Decimal) -> None:
    text = format(number, "f")

    assert parse_quantity(f"{text} mm", "length") == float(number / 1000)


def read(form: Any, value: object) -> Any:
    return TypeAdapter[Any](form).validate_python(value)


@pytest.mark.parametrize(
    ("form", "text"),
    [(Angle, "-1 deg"), (Length, "-1 mm"), (Speed, "0 m/s"), (Mass, "-1 kg"), (AngularSpeedOrShare, "0 rad/s")],
)
def test_F03_a_value_of_the_wrong_sign_is_refused(form: Any, text: str) -> None:
    with pytest.raises(ValidationError, match="expected a value that is"):
        read(form, text)


def test_a_share_of_the_profile_is_not_a_speed() -> None:
    assert read(AngularSpeedOrShare, "90 % of profile") == OfProfile(0.9)
    assert read(AngularSpeedOrShare, "1.5 rad/s") == 1.5


@pytest.mark.parametrize(
    "text", ["0 % of profile", "100.1 % of profile", "-5 % of profile", "90% of profile", "90 %", 0.9]
)
def test_F03_a_share_that_is_none_is_refused(text: object) -> None:
    with pytest.raises(ValidationError, match=r"expected|of profile"):
        read(AngularSpeedOrShare, text)


def test_ranges_and_speeds_carry_the_unit_of_the_gripper() -> None:
    assert read(GripperRange, "0 mm to 80 mm") == Range(0.0, 0.08, "m")
    assert read(GripperRange, "0 % to 100 %") == Range(0.0, 1.0, "ratio")
    assert read(GripperRange, "-10 deg to 1 rad").unit == "rad"
    assert read(GripperSpeed, "100 mm/s") == Amount(0.1, "m")
    assert read(GripperSpeed, "50 %/s") == Amount(0.5, "ratio")


@pytest.mark.parametrize(
    "text", ["80 mm to 0 mm", "0 mm to 0 mm", "0 to 80 mm", "0 mm to 80", "0 mm to 80 deg", "0 mm - 80 mm", "80 mm", 3]
)
def test_F03_a_range_that_is_none_is_refused(text: object) -> None:
    with pytest.raises(ValidationError, match="expected"):
        read(GripperRange, text)


@pytest.mark.parametrize("text", ["100 mm", "0 mm/s", "-1 mm/s", "100 N", "fast", 0.1])
def test_F03_a_gripper_speed_that_is_none_is_refused(text: object) -> None:
    with pytest.raises(ValidationError, match="expected"):
        read(GripperSpeed, text)


def test_a_direction_has_three_plain_numbers() -> None:
    assert read(Direction, ["0", "0.5", "-1"]) == (0.0, 0.5, -1.0)


@pytest.mark.parametrize("value", [["0", "0", "0"], ["1", "0"], "001", ["1", "0", "nan"], ["1", "0", "1 m"], [0, 0, 1]])
def test_F03_a_direction_that_is_none_is_refused(value: object) -> None:
    with pytest.raises(ValidationError, match=r"expected|must not be zero"):
        read(Direction, value)


@pytest.mark.parametrize(
    ("form", "json"),
    [
        (Coordinate, "0.25"),
        (AngularSpeedOrShare, '{"share":0.9}'),
        (AngularSpeedOrShare, "1.5"),
        (Direction, "[0.0,0.0,-1.0]"),
        (GripperRange, '{"low":0.0,"high":0.08,"unit":"m"}'),
        (GripperSpeed, '{"value":0.1,"unit":"ratio"}'),
    ],
)
def test_json_is_in_si_units_and_comes_back_the_same(form: Any, json: str) -> None:
    adapter = TypeAdapter[Any](form)

    assert adapter.dump_json(adapter.validate_json(json)).decode() == json


@pytest.mark.parametrize(
    ("form", "json"),
    [
        (Coordinate, '"0.25 m"'),
        (Coordinate, "true"),
        (Coordinate, "null"),
        (Length, "-0.1"),
        (AngularSpeedOrShare, '{"share":1.5}'),
        (AngularSpeedOrShare, '{"share":0.9,"of":"profile"}'),
        (AngularSpeedOrShare, "[]"),
        (AngularSpeedOrShare, "-1.0"),
        (GripperRange, '{"low":0.0,"high":0.08,"unit":"mm"}'),
        (GripperSpeed, '{"value":0.1,"unit":"mm"}'),
        (GripperSpeed, "0.1"),
    ],
)
def test_F03_json_that_is_no_quantity_is_refused(form: Any, json: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter[Any](form).validate_json(json)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, True, "1"])
def test_F01_F03_no_value_is_made_of_what_is_no_finite_number(value: Any) -> None:
    with pytest.raises(ValueError, match="expected a finite number"):
        OfProfile(value)
    with pytest.raises(ValueError, match="expected a finite number"):
        Amount(value, "m")
    with pytest.raises(ValueError, match="expected a finite number"):
        Range(0.0, value, "m")


@pytest.mark.parametrize(
    "form", [Length, AngularSpeedOrShare, GripperRange, GripperSpeed], ids=["length", "share", "range", "speed"]
)
def test_an_editor_is_told_the_pattern_and_an_example_of_it(form: Any) -> None:
    schema = TypeAdapter[Any](form).json_schema()

    assert schema["description"]
    assert re.fullmatch(schema["pattern"], schema["examples"][0])
    assert not re.fullmatch(schema["pattern"], "1e3 m")
    assert read(form, schema["examples"][0]) is not None


@pytest.mark.parametrize(
    ("text", "value", "unit"), [("40 mm", 0.04, "m"), ("-0.5 rad", -0.5, "rad"), ("110 %", 1.1, "ratio")]
)
def test_a_value_of_a_gripper_has_a_unit(text: str, value: float, unit: str) -> None:
    found = read(GripperOpening, text)

    assert (found.value, found.unit) == (value, unit)


@pytest.mark.parametrize("text", ["40", "40 kg", "40 mm/s", 40], ids=repr)
def test_a_value_of_a_gripper_in_no_unit_of_grippers_is_refused(text: object) -> None:
    with pytest.raises(ValidationError, match="is not a gripper's value"):
        read(GripperOpening, text)
