"""What the three kinds of file share: names, texts, counts, places and ranges, each with its type."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Final, TypeAlias

from pydantic import ConfigDict, StringConstraints, WithJsonSchema
from pydantic.functional_validators import BeforeValidator
from scipy.spatial.transform import Rotation

from interlock.geometry import Pose, Vector

from .amounts import Range
from .quantities import Coordinate, quantity

FORM: Final = ConfigDict(extra="forbid", use_attribute_docstrings=True)

COUNT: Final = re.compile("0|[1-9][0-9]{0,8}")
NAME_PATTERN: Final = r"^[A-Za-z][A-Za-z0-9_.:-]{0,63}$"
URDF_PATTERN: Final = r"^[A-Za-z_][A-Za-z0-9_]*:(?:[A-Za-z0-9_-][A-Za-z0-9_.-]*/)*[A-Za-z0-9_-][A-Za-z0-9_.-]*$"
MESH_PATTERN: Final = r"^(?:[A-Za-z0-9_-][A-Za-z0-9_.-]*/)*[A-Za-z0-9_-][A-Za-z0-9_.-]*\.(?:obj|stl)$"
DIGEST_PATTERN: Final = "^[0-9a-f]{64}$"

# What each pattern asks for, in words.
WRITTEN: Final = {
    NAME_PATTERN: "a name: a letter, then at most 63 letters, digits, or any of _ . : -",
    URDF_PATTERN: "a file inside an installed package, as in pybullet_data:franka_panda/panda.urdf",
    MESH_PATTERN: "an obj or stl file beside this file or in a folder there, as in meshes/bin.stl",
    DIGEST_PATTERN: "a SHA-256: 64 digits and letters from a to f",
}

Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]
Digest = Annotated[str, StringConstraints(pattern=DIGEST_PATTERN)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=2000, strip_whitespace=True)]


def parse_count(text: object) -> int:
    """A whole number from 0 on, as digits without a leading zero; raises ValueError."""
    if isinstance(text, str) and COUNT.fullmatch(text):
        return int(text)
    raise ValueError(f"{text!r} is no whole number: expected digits, as in 25")


def parse_decimal(text: object) -> float:
    """A plain number without a unit, as a direction or a share has it; raises ValueError."""
    if isinstance(text, str) and re.fullmatch(r"-?(0|[1-9][0-9]{0,8})(\.[0-9]{1,15})?", text):
        return float(text) + 0.0
    raise ValueError(f"{text!r} is no plain number: expected digits, as in 0.5")


Count = Annotated[int, BeforeValidator(parse_count), WithJsonSchema({"type": "integer", "minimum": 0})]
Plain = Annotated[float, BeforeValidator(parse_decimal), WithJsonSchema({"type": "number"})]
Turn = Annotated[float, quantity("angle", "any")]
Place: TypeAlias = tuple[Coordinate, Coordinate, Coordinate]
Turns: TypeAlias = tuple[Turn, Turn, Turn]

AT_ORIGIN: Final[Place] = (0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class PlacedForm:
    """Where something stands: `at`, and turned by `rpy`: roll, pitch, yaw about fixed x, y, z, in this order."""

    at: Place = AT_ORIGIN
    rpy: Turns = AT_ORIGIN


def pose(at: Vector, rpy: Vector) -> Pose:
    """The pose at a point [m], turned by roll, pitch and yaw [rad] about the fixed axes."""
    x, y, z, w = Rotation.from_euler("xyz", rpy).as_quat().tolist()
    return Pose(at, (x, y, z, w))


def bounds(found: Range, unit: str) -> tuple[float, float]:
    """Both ends of a range in the SI unit that is wanted; raises ValueError for another."""
    if found.unit != unit:
        raise ValueError(f"expected a range in {unit}, got one in {found.unit}")
    return found.low, found.high
