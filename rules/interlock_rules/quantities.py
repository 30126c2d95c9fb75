"""Quantities as a safety engineer writes them (`2 deg`, `90 % of profile`, `0 mm to 80 mm`), held in SI units.

Text is strict: one decimal, one space, one unit of a closed table. In JSON a quantity is a number in SI units.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Annotated, Any, Final, cast

from interlock.geometry import Vector

from .amounts import GRIPPER_DIMENSIONS, Amount, OfProfile, Opening, Range, Sign, checked
from .reader import Reader
from .units import UNITS, scale, si_unit

DECIMAL: Final = r"-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,15})?"
OF_PROFILE: Final = "% of profile"


def parse_quantity(text: object, dimension: str) -> float:
    """The value in the SI unit of a dimension of `UNITS`; ValueError says what was found and expected."""
    wanted = f"expected a number, one space and one of {', '.join(UNITS[dimension])}, as in '1.5 {si_unit(dimension)}'"
    found = re.fullmatch(rf"({DECIMAL}) (\S.*)", text) if isinstance(text, str) else None
    if found is None:
        raise ValueError(f"{text!r} is not a quantity of {dimension}: {wanted}")
    number, unit = found.groups()
    if unit not in UNITS[dimension]:
        raise ValueError(f"{unit!r} is not a unit of {dimension}: {wanted}")
    return float(Decimal(number) * scale(dimension, unit)) + 0.0  # minus zero becomes zero


def parse_share(text: object, dimension: str) -> OfProfile | float:
    """`90 % of profile`, or a positive quantity of the dimension; raises ValueError."""
    found = re.fullmatch(rf"({DECIMAL}) {OF_PROFILE}", text) if isinstance(text, str) else None
    if found is not None:
        return OfProfile(float(Decimal(found[1]) / 100))
    try:
        return checked(parse_quantity(text, dimension), "positive")
    except ValueError as error:
        raise ValueError(f"{error}, or a share as in '90 {OF_PROFILE}'") from None


def parse_amount(text: object) -> Amount:
    """A gripper's speed: a length, an angle or a ratio a second; raises ValueError."""
    for unit, (_, dimension) in GRIPPER_DIMENSIONS.items():
        if isinstance(text, str) and text.partition(" ")[2] in UNITS[dimension]:
            return Amount(parse_quantity(text, dimension), unit)
    raise ValueError(f"{text!r} is not a gripper's speed: expected a number of m/s, rad/s or %/s, as in '100 mm/s'")


def parse_opening(text: object) -> Opening:
    """A gripper's value: a length, an angle or a ratio; raises ValueError."""
    for unit, (dimension, _) in GRIPPER_DIMENSIONS.items():
        if isinstance(text, str) and text.partition(" ")[2] in UNITS[dimension]:
            return Opening(parse_quantity(text, dimension), unit)
    raise ValueError(f"{text!r} is not a gripper's value: expected a length, an angle or a ratio, as in '40 mm'")


def parse_range(text: object) -> Range:
    """Two quantities joined by ` to `, both of length, angle or ratio; raises ValueError."""
    low, joined, high = text.partition(" to ") if isinstance(text, str) else ("", "", "")
    for unit, (dimension, _) in GRIPPER_DIMENSIONS.items():
        if joined and low.partition(" ")[2] in UNITS[dimension]:
            return Range(parse_quantity(low, dimension), parse_quantity(high, dimension), unit)
    raise ValueError(f"{text!r} is not a range: expected two quantities of one kind, as in '0 mm to 80 mm'")


def parse_direction(texts: object) -> Vector:
    """Three plain decimals, not all zero, of any length; raises ValueError."""
    return _direction(texts, _decimal)


def _decimal(text: object) -> float:
    if not isinstance(text, str) or re.fullmatch(DECIMAL, text) is None:
        raise ValueError(f"{text!r} is not a plain number: expected digits, as in -0.5")
    return float(text) + 0.0


def _direction(value: object, read: Callable[[object], float]) -> Vector:
    items = cast(Sequence[object], value) if isinstance(value, list | tuple) else ()
    if len(items) != 3:
        raise ValueError(f"expected three numbers, as in [0, 0, -1], got {value!r}")
    x, y, z = (read(item) for item in items)
    if not math.hypot(x, y, z) >= 1e-3:
        raise ValueError(f"a direction must not be zero, got {value!r}")
    return x, y, z


def _said(pattern: str, description: str, example: str) -> dict[str, Any]:
    return {"type": "string", "pattern": f"^({pattern})$", "description": description, "examples": [example]}


def _pattern(dimension: str) -> str:
    return f"{DECIMAL} ({'|'.join(map(re.escape, UNITS[dimension]))})"


def quantity(dimension: str, sign: Sign) -> Reader:
    """Reads a value of one dimension into its SI unit."""
    signed = "" if sign == "any" else f", {sign}"
    return Reader(
        lambda text: checked(parse_quantity(text, dimension), sign),
        lambda value: checked(value, sign),
        _said(
            _pattern(dimension),
            f"{dimension}{signed}, in one of {', '.join(UNITS[dimension])}",
            f"1.5 {si_unit(dimension)}",
        ),
    )


def _share_from_json(value: object) -> OfProfile | float:
    return checked(value, "positive") if isinstance(value, int | float) else OfProfile(_only(value, "share")["share"])


def share_or(dimension: str) -> Reader:
    """Reads a share of the profile, or a positive value of one dimension."""
    return Reader(
        lambda text: parse_share(text, dimension),
        _share_from_json,
        _said(
            f"{DECIMAL} {OF_PROFILE}|{_pattern(dimension)}",
            f"a share of the profile's value, or a positive {dimension} in one of {', '.join(UNITS[dimension])}",
            f"90 {OF_PROFILE}",
        ),
    )


def _only(value: object, *keys: str) -> dict[str, Any]:
    items = cast(dict[str, Any], value) if isinstance(value, dict) else {}
    if set(items) != set(keys):
        raise ValueError(f"expected an object with {', '.join(keys)}, got {value!r}")
    return items


_RANGES: Final = "|".join(f"{_pattern(own)} to {_pattern(own)}" for own, _ in GRIPPER_DIMENSIONS.values())
_OPENINGS: Final = "|".join(_pattern(own) for own, _ in GRIPPER_DIMENSIONS.values())
_SPEEDS: Final = "|".join(_pattern(speed) for _, speed in GRIPPER_DIMENSIONS.values())
_DIRECTION: Final[dict[str, Any]] = {
    "type": "array",
    "items": {"type": "number"},
    "minItems": 3,
    "maxItems": 3,
    "description": "x, y and z of a direction; its length does not matter, but is not zero",
    "examples": [[0, 0, -1]],
}

Length = Annotated[float, quantity("length", "not negative")]
Coordinate = Annotated[float, quantity("length", "any")]
Angle = Annotated[float, quantity("angle", "not negative")]
Speed = Annotated[float, quantity("speed", "positive")]
Acceleration = Annotated[float, quantity("acceleration", "positive")]
Force = Annotated[float, quantity("force", "positive")]
Pressure = Annotated[float, quantity("pressure", "positive")]
Stiffness = Annotated[float, quantity("stiffness", "positive")]
Area = Annotated[float, quantity("area", "positive")]
Mass = Annotated[float, quantity("mass", "positive")]
Duration = Annotated[float, quantity("duration", "positive")]
AngularSpeedOrShare = Annotated[float | OfProfile, share_or("angular speed")]
AngularAccelerationOrShare = Annotated[float | OfProfile, share_or("angular acceleration")]
AngularJerkOrShare = Annotated[float | OfProfile, share_or("angular jerk")]
TorqueOrShare = Annotated[float | OfProfile, share_or("torque")]
Direction = Annotated[Vector, Reader(parse_direction, lambda value: _direction(value, checked), _DIRECTION)]
GripperRange = Annotated[
    Range,
    Reader(
        parse_range,
        lambda value: Range(**_only(value, "low", "high", "unit")),
        _said(_RANGES, "from one value of the gripper to another, both included", "0 mm to 80 mm"),
    ),
]
GripperOpening = Annotated[
    Opening,
    Reader(
        parse_opening,
        lambda value: Opening(**_only(value, "value", "unit")),
        _said(_OPENINGS, "a value of the gripper, in its unit", "40 mm"),
    ),
]
GripperSpeed = Annotated[
    Amount,
    Reader(
        parse_amount,
        lambda value: Amount(**_only(value, "value", "unit")),
        _said(_SPEEDS, "a positive speed of the gripper, in its unit a second", "100 mm/s"),
    ),
]
