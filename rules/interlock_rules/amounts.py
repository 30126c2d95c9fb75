"""Values that say what they count in: a share of the profile, and what a gripper may do, in m, rad or ratio."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

Sign: TypeAlias = Literal["positive", "not negative", "any"]
GripperUnit: TypeAlias = Literal["m", "rad", "ratio"]

# For each unit that a gripper may have: the dimension of its values, and of its speed.
GRIPPER_DIMENSIONS: Final[dict[GripperUnit, tuple[str, str]]] = {
    "m": ("length", "speed"),
    "rad": ("angle", "angular speed"),
    "ratio": ("ratio", "ratio speed"),
}


def checked(value: object, sign: Sign = "any") -> float:
    """A finite float of the wanted sign; raises ValueError for booleans, text, NaN, infinity and the wrong sign."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"expected a finite number, got {value!r}")
    if (sign == "positive" and not value > 0.0) or (sign == "not negative" and not value >= 0.0):
        raise ValueError(f"expected a value that is {sign}, got {value!r}")
    return float(value)


def _known_unit(unit: str) -> None:
    if unit not in GRIPPER_DIMENSIONS:
        raise ValueError(f"unit must be one of {', '.join(GRIPPER_DIMENSIONS)}, got {unit!r}")


@dataclass(frozen=True, slots=True)
class OfProfile:
    """A share (0 to 1] of what the robot's profile gives; written `90 % of profile`."""

    share: float

    def __post_init__(self) -> None:
        if not 0.0 < checked(self.share) <= 1.0:
            raise ValueError(
                f"expected a share above 0 % and at most 100 % of the profile, got {self.share * 100.0:g} %"
            )


@dataclass(frozen=True, slots=True)
class Amount:
    """A positive speed of a gripper, in `unit` a second; written `100 mm/s`."""

    value: float
    unit: GripperUnit

    def __post_init__(self) -> None:
        checked(self.value, "positive")
        _known_unit(self.unit)


@dataclass(frozen=True, slots=True)
class Opening:
    """A value of a gripper, in `unit`; written `40 mm`."""

    value: float
    unit: GripperUnit

    def __post_init__(self) -> None:
        checked(self.value)
        _known_unit(self.unit)


@dataclass(frozen=True, slots=True)
class Range:
    """From low to high, both included, in `unit`; written `0 mm to 80 mm`."""

    low: float
    high: float
    unit: GripperUnit

    def __post_init__(self) -> None:
        _known_unit(self.unit)
        if not checked(self.low) < checked(self.high):
            raise ValueError(f"expected a range from low to high, got {self.low} to {self.high}")
