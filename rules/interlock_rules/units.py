"""The closed table of units that a rule file may use, and how many SI units each of them is."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from typing import Any, Final

import pint

# Each dimension: the units that may be written, the SI unit first, each with its name in pint.
UNITS: Final[dict[str, dict[str, str]]] = {
    "length": {"m": "m", "cm": "cm", "mm": "mm"},
    "angle": {"rad": "rad", "mrad": "mrad", "deg": "deg"},
    "ratio": {"ratio": "dimensionless", "%": "percent"},
    "speed": {"m/s": "m/s", "cm/s": "cm/s", "mm/s": "mm/s"},
    "angular speed": {"rad/s": "rad/s", "deg/s": "deg/s"},
    "ratio speed": {"ratio/s": "1/s", "%/s": "percent/s"},
    "acceleration": {"m/s^2": "m/s**2", "mm/s^2": "mm/s**2"},
    "amplification": {"rad/m": "rad/m", "rad/mm": "rad/mm"},
    "angular acceleration": {"rad/s^2": "rad/s**2", "deg/s^2": "deg/s**2"},
    "angular jerk": {"rad/s^3": "rad/s**3", "deg/s^3": "deg/s**3"},
    "torque": {"N m": "N*m"},
    "force": {"N": "N"},
    "pressure": {"Pa": "Pa", "kPa": "kPa", "N/cm^2": "N/cm**2"},
    "stiffness": {"N/m": "N/m", "N/mm": "N/mm"},
    "area": {"m^2": "m**2", "cm^2": "cm**2", "mm^2": "mm**2"},
    "mass": {"kg": "kg", "g": "g"},
    "inertia": {"kg m^2": "kg*m**2", "g m^2": "g*m**2"},
    "duration": {"s": "s", "ms": "ms"},
    "rate": {"Hz": "Hz", "kHz": "kHz"},
}


@cache
def _registry() -> Any:  # pint's own types know floats only
    registry: Any = pint.UnitRegistry
    return registry(non_int_type=Decimal)


@cache
def scale(dimension: str, unit: str) -> Decimal:
    """How many SI units one of these is; decimal, so that 35 mm is 0.035 m and not the float beside it."""
    names = UNITS[dimension]
    one = _registry().Quantity(Decimal(1), names[unit])
    return Decimal(one.to(names[next(iter(names))]).magnitude)


def si_unit(dimension: str) -> str:
    """The SI unit of a dimension, as it is written."""
    return next(iter(UNITS[dimension]))
