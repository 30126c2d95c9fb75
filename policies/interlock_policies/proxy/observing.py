"""What a client's observation says of the robot, by a stated mapping: which entry holds what, in which order and unit.

Nothing is guessed: an entry that is missing, of another type or of another size makes the observation unreadable.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias, cast

import numpy as np

from interlock.arrays import FloatArray, frozen
from interlock.errors import InterlockError, UnusableInput
from interlock.fields import check_fields
from interlock.profile import Profile
from interlock.scene import RobotState

Key: TypeAlias = tuple[str, ...]
"""The names that lead to an entry, from the outermost on."""
Image: TypeAlias = np.ndarray[Any, Any]

LONGEST_PROMPT: Final = 2000  # characters of an instruction that are put on record
PER: Final = {"rad": 1.0, "deg": math.pi / 180.0, "rad/s": 1.0, "deg/s": math.pi / 180.0}


class Unreadable(InterlockError):
    """An observation does not hold what the mapping says; the message names the entry."""


@dataclass(frozen=True, slots=True)
class JointsAt:
    """An entry with one number a joint: `names` in the order of the numbers, from index `first` on."""

    key: Key
    names: tuple[str, ...]
    unit: Literal["rad", "deg", "rad/s", "deg/s"]
    first: int = 0

    def __post_init__(self) -> None:
        check_fields(self)
        if self.first < 0:
            raise ValueError(f"first is an index from 0 on, got {self.first}")


@dataclass(frozen=True, slots=True)
class HandAt:
    """An entry with a gripper's value at `index`: the number that it has closed, and the one that it has open."""

    key: Key
    name: str
    closed: float
    open: float
    index: int = 0

    def __post_init__(self) -> None:
        check_fields(self)
        if not 0.0 < abs(self.open - self.closed) < math.inf:
            raise ValueError(
                f"gripper {self.name!r}: closed and open must differ, both finite, got {self.closed} and {self.open}"
            )


@dataclass(frozen=True, slots=True, eq=False)
class Observed:
    """What was seen: positions (n,) [rad], velocities (n,) [rad/s] (None: not measured) and gripper values (g,) in the
    order and units of the profile; the instruction, and the images as they came.
    """

    positions: FloatArray
    velocities: FloatArray | None
    grippers: FloatArray
    instruction: str = ""
    pixels: tuple[Image, ...] = ()

    @property
    def images(self) -> tuple[str, ...]:
        """The digests of the images, worked out whenever they are asked for: that takes longer than all else here."""
        return tuple(map(_digest, self.pixels))

    def state(self, profile: Profile, seen_ns: int, velocities: FloatArray) -> RobotState:
        """The robot's state; `velocities` (n,) [rad/s] stand for those that were not measured."""
        found = velocities if self.velocities is None else self.velocities
        return RobotState(seen_ns, profile.joint_names, self.positions, found, self.grippers)


@dataclass(frozen=True, slots=True)
class Observing:
    """The mapping, for one robot. Raises UnusableInput where it does not say each joint and gripper exactly once."""

    profile: Profile
    joints: JointsAt
    hands: tuple[HandAt, ...]
    velocities: JointsAt | None = None
    prompt: Key | None = None
    images: tuple[Key, ...] = ()

    def __post_init__(self) -> None:
        check_fields(self)
        known, hands = self.profile.joint_names, tuple(gripper.name for gripper in self.profile.grippers)
        for what, found in (("joints", self.joints), ("velocities", self.velocities)):
            if found is not None and sorted(found.names) != sorted(known):
                raise UnusableInput(f"{what}: names {', '.join(found.names)}; the robot has {', '.join(known)}")
        if self.joints.unit not in {"rad", "deg"}:
            raise UnusableInput(f"joints are in rad or deg, got {self.joints.unit}")
        if self.velocities is not None and self.velocities.unit not in {"rad/s", "deg/s"}:
            raise UnusableInput(f"velocities are in rad/s or deg/s, got {self.velocities.unit}")
        if sorted(hand.name for hand in self.hands) != sorted(hands):
            said = ", ".join(hand.name for hand in self.hands) or "none"
            raise UnusableInput(f"grippers: names {said}; the robot has {', '.join(hands) or 'none'}")

    def read(self, observation: Mapping[str, object]) -> Observed:
        """What an observation says. Raises Unreadable."""
        order = {gripper.name: gripper for gripper in self.profile.grippers}
        hands = {hand.name: hand for hand in self.hands}
        grippers = [
            _share(_numbers(observation, hands[name].key), hands[name]) * (gripper.open - gripper.closed)
            + gripper.closed
            for name, gripper in order.items()
        ]
        return Observed(
            positions=self._joints(observation, self.joints),
            velocities=None if self.velocities is None else self._joints(observation, self.velocities),
            grippers=frozen(np.array(grippers, dtype=np.float64)),
            instruction="" if self.prompt is None else _text(observation, self.prompt),
            pixels=tuple(_image(observation, key) for key in self.images),
        )

    def _joints(self, observation: Mapping[str, object], at: JointsAt) -> FloatArray:
        numbers = _numbers(observation, at.key)[at.first :][: len(at.names)]
        if len(numbers) != len(at.names):
            raise Unreadable(f"{_named(at.key)}: {len(numbers)} numbers from {at.first} on, expected {len(at.names)}")
        found = dict(zip(at.names, (numbers * PER[at.unit]).tolist(), strict=True))
        return frozen(np.array([found[name] for name in self.profile.joint_names]))


def _named(key: Key) -> str:
    return "/".join(key)


def _entry(observation: Mapping[str, object], key: Key) -> object:
    found: Any = observation
    for name in key:
        if not isinstance(found, Mapping) or name not in found:
            raise Unreadable(f"the observation has no entry {_named(key)}")
        found = cast("Any", found)[name]
    return cast("object", found)


def _numbers(observation: Mapping[str, object], key: Key) -> FloatArray:
    """The numbers of an entry, in a row; a single number is a row of one. All must be finite."""
    found = _entry(observation, key)
    plain: Any = [found] if isinstance(found, int | float) and not isinstance(found, bool) else found
    if isinstance(plain, list | tuple) and not all(type(one) in {int, float} for one in cast("list[object]", plain)):
        raise Unreadable(f"{_named(key)}: expected a row of numbers, got a list of something else")
    if not isinstance(plain, list | tuple | np.ndarray | np.generic):
        raise Unreadable(f"{_named(key)}: expected numbers, got {type(found).__name__}")
    row = np.atleast_1d(_array(cast("object", plain)))
    if row.dtype.kind not in "fiu" or row.dtype.itemsize < 4 or row.ndim != 1:
        raise Unreadable(f"{_named(key)}: expected a row of numbers, got {row.dtype} of shape {row.shape}")
    numbers = row.astype(np.float64)
    if not np.isfinite(numbers).all():
        raise Unreadable(f"{_named(key)}: {int((~np.isfinite(numbers)).sum())} of its numbers are not finite")
    return numbers


def _share(numbers: FloatArray, at: HandAt) -> float:
    if not 0 <= at.index < len(numbers):
        raise Unreadable(f"{_named(at.key)}: {len(numbers)} numbers; the gripper's is at {at.index}")
    return (float(numbers[at.index]) - at.closed) / (at.open - at.closed)


def _text(observation: Mapping[str, object], key: Key) -> str:
    found = _entry(observation, key)
    if not isinstance(found, str):
        raise Unreadable(f"{_named(key)}: expected text, got {type(found).__name__}")
    return found[:LONGEST_PROMPT].encode("utf-8", "replace").decode("utf-8")


def _image(observation: Mapping[str, object], key: Key) -> Image:
    found: Any = _entry(observation, key)
    if type(found) is not np.ndarray or found.dtype.hasobject:
        raise Unreadable(f"{_named(key)}: expected an array, got {type(found).__name__}")
    return _array(found)


def _digest(found: Image) -> str:
    """SHA-256 [hex] of an image's dtype, shape and bytes."""
    image = np.ascontiguousarray(found)
    digest = hashlib.sha256(f"{image.dtype.str}{image.shape}".encode() + b"\0")
    digest.update(image.data)
    return digest.hexdigest()


def _array(found: Any) -> Image:
    return np.asarray(found)
