"""Statistics of training data, and how values that were normalised with them become physical again; which statistics a
robot may use is left to the rule set.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Literal, TypeAlias, cast

import numpy as np
import numpy.typing as npt

from interlock.arrays import FloatArray, floats, frozen
from interlock.chunk import Normalisation
from interlock.errors import UnusableInput
from interlock.fields import check_fields
from interlock.jsonform import Json, digest_of, from_json, parse

OPENPI_EPSILON: Final = 1e-6  # openpi, src/openpi/transforms.py, Normalize and Unnormalize
HEX: Final = frozenset("0123456789abcdef")


@dataclass(frozen=True, slots=True)
class ZScore:
    """Mean and standard deviation of each channel, in the channel's unit; `key` names the data set.

    physical = normalised * (std + epsilon) + mean. Raises ValueError for what is not finite, a deviation that is not
    positive, or another number of means than of deviations.
    """

    kind: ClassVar[str] = "z_score"

    key: str
    mean: tuple[float, ...]
    std: tuple[float, ...]
    epsilon: float = OPENPI_EPSILON

    def __post_init__(self) -> None:
        check_fields(self)
        _check(self.key, {"mean": self.mean, "std": self.std}, self.epsilon)
        _check_positive(self.key, "std", self.std, (True,) * len(self.std))

    @property
    def width(self) -> int:
        """How many channels these are the statistics of."""
        return len(self.mean)

    @property
    def digest(self) -> str:
        """SHA-256 [hex] of the canonical JSON form, which holds kind, key and every number."""
        return digest_of(self)

    @property
    def undone(self) -> Normalisation:
        """What a chunk says of values that these statistics made physical."""
        return Normalisation(self.kind, self.key, self.digest)

    def undo(self, values: npt.ArrayLike) -> FloatArray:
        """Physical values (T, C) of normalised ones; NaN stays NaN. Raises TypeError and ValueError for another shape
        or dtype; nothing is broadcast.
        """
        normalised = _rows_of(values, self.width)
        with np.errstate(over="ignore", invalid="ignore"):  # an infinite value is the supervisor's to refuse
            return frozen(normalised * (np.array(self.std) + self.epsilon) + np.array(self.mean))

    def apply(self, values: npt.ArrayLike) -> FloatArray:
        """Normalised values (T, C) of physical ones: the inverse of `undo`, with its errors."""
        physical = _rows_of(values, self.width)
        with np.errstate(over="ignore", invalid="ignore"):
            return frozen((physical - np.array(self.mean)) / (np.array(self.std) + self.epsilon))


@dataclass(frozen=True, slots=True)
class Quantile:
    """The 1 % and 99 % quantiles of each channel, in the channel's unit; `key` names the data set.

    physical = (normalised + 1) / 2 * (q99 - q01 + epsilon) + q01 where `normalised` says so; other channels are
    physical as they come. openpi adds an epsilon of 1e-6, OpenVLA none. Raises ValueError for what is not finite, a
    span that is not positive in a channel that is normalised, or lengths that differ.
    """

    kind: ClassVar[str] = "quantile"

    key: str
    q01: tuple[float, ...]
    q99: tuple[float, ...]
    normalised: tuple[bool, ...]
    epsilon: float

    def __post_init__(self) -> None:
        check_fields(self)
        _check(self.key, {"q01": self.q01, "q99": self.q99, "normalised": self.normalised}, self.epsilon)
        spans = tuple(high - low for low, high in zip(self.q01, self.q99, strict=True))
        _check_positive(self.key, "q99 - q01", spans, self.normalised)

    @property
    def width(self) -> int:
        """How many channels these are the statistics of."""
        return len(self.q01)

    @property
    def digest(self) -> str:
        """SHA-256 [hex] of the canonical JSON form, which holds kind, key and every number."""
        return digest_of(self)

    @property
    def undone(self) -> Normalisation:
        """What a chunk says of values that these statistics made physical."""
        return Normalisation(self.kind, self.key, self.digest)

    def undo(self, values: npt.ArrayLike) -> FloatArray:
        """Physical values (T, C) of normalised ones; NaN stays NaN. Raises TypeError and ValueError for another shape
        or dtype; nothing is broadcast.
        """
        normalised = _rows_of(values, self.width)
        low, high = np.array(self.q01), np.array(self.q99)
        with np.errstate(over="ignore", invalid="ignore"):  # an infinite value is the supervisor's to refuse
            physical = (normalised + 1.0) / 2.0 * (high - low + self.epsilon) + low
        return frozen(np.where(self.normalised, physical, normalised))

    def apply(self, values: npt.ArrayLike) -> FloatArray:
        """Normalised values (T, C) of physical ones: the inverse of `undo`, with its errors."""
        physical = _rows_of(values, self.width)
        low, high = np.array(self.q01), np.array(self.q99)
        span = np.where(self.normalised, high - low + self.epsilon, 1.0)
        with np.errstate(over="ignore", invalid="ignore"):
            normalised = (physical - low) / span * 2.0 - 1.0
        return frozen(np.where(self.normalised, normalised, physical))


Statistics: TypeAlias = ZScore | Quantile


def pinned(statistics: Statistics, digest: str) -> Statistics:
    """The same statistics, if their digest is this one; raises UnusableInput for those of another robot or data set
    (F-08).
    """
    if len(digest) != 64 or not HEX.issuperset(digest):
        raise UnusableInput(f"{digest[:80]!r} is no SHA-256 in lower-case hexadecimal; `.digest` prints it")
    if statistics.digest != digest:
        raise UnusableInput(
            f"statistics {statistics.key!r} ({statistics.kind}) have digest {statistics.digest}, expected {digest}: "
            "they are of another data set, or were changed"
        )
    return statistics


def openpi_statistics(
    raw: bytes, key: str, part: Literal["state", "actions"], kind: Literal["z_score", "quantile"]
) -> Statistics:
    """The statistics in openpi's `norm_stats.json`, of states or of actions; `key` is the name that they are to have
    (openpi calls it asset id). Raises UnusableInput.
    """
    where = f"norm_stats of {key!r}"
    parts = _member(_object(parse(raw, where), where), "norm_stats", where)
    found = _object(_member(_object(parts, where), part, where), f"{where}, {part}")
    first, second = ("mean", "std") if kind == "z_score" else ("q01", "q99")
    low, high = _numbers(found, first, where), _numbers(found, second, where)
    try:
        if kind == "z_score":
            return ZScore(key, low, high)
        return Quantile(key, low, high, (True,) * len(low), OPENPI_EPSILON)
    except ValueError as error:
        raise UnusableInput(f"{where}, {part}: {error}") from error


def openvla_statistics(raw: bytes, key: str) -> Quantile:
    """The statistics of actions in OpenVLA's `dataset_statistics.json` under the key of a data set. Raises
    UnusableInput: an unknown key is never replaced by another, nor a missing mask by one of ones.
    """
    where = f"dataset_statistics, {key!r}"
    found = _object(_member(_object(parse(raw, where), where), key, "dataset_statistics"), where)
    action = _object(_member(found, "action", where), where)
    form: Any = tuple[bool, ...]
    mask = cast(tuple[bool, ...], from_json(form, _member(action, "mask", where), f"{where}.mask"))
    try:
        return Quantile(key, _numbers(action, "q01", where), _numbers(action, "q99", where), mask, 0.0)
    except ValueError as error:
        raise UnusableInput(f"{where}: {error}") from error


def _check(key: str, columns: Mapping[str, Sequence[float]], epsilon: float) -> None:
    if not key:
        raise ValueError("statistics need a key: the name of the data set that they are of")
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) != 1 or 0 in lengths.values():
        raise ValueError(f"statistics {key!r}: expected one number a channel in each, got {lengths}")
    for name, column in columns.items():
        for index, number in enumerate(column):
            if not math.isfinite(number):
                raise ValueError(f"statistics {key!r}: {name} of channel {index} must be finite, got {number}")
    if not 0.0 <= epsilon < math.inf:
        raise ValueError(f"statistics {key!r}: epsilon must be finite and not negative, got {epsilon}")


def _check_positive(key: str, name: str, spans: Sequence[float], judged: Sequence[bool]) -> None:
    for index, (span, counts) in enumerate(zip(spans, judged, strict=True)):
        if counts and not 0.0 < span < math.inf:
            raise ValueError(f"statistics {key!r}: {name} of channel {index} must be positive and finite, got {span}")


def _rows_of(values: npt.ArrayLike, width: int) -> FloatArray:
    found = floats("values", values, 2)
    if found.shape[1] != width:
        raise ValueError(f"values of shape {found.shape} do not fit statistics of {width} channels")
    return found


def _object(value: Json, where: str) -> Mapping[str, Json]:
    if not isinstance(value, Mapping):
        raise UnusableInput(f"{where}: expected an object, got {type(value).__name__}")
    return value


def _member(value: Mapping[str, Json], name: str, where: str) -> Json:
    if name not in value:
        raise UnusableInput(f"{where}: {name!r} is missing; it has: {', '.join(sorted(value)) or 'nothing'}")
    return value[name]


def _numbers(value: Mapping[str, Json], name: str, where: str) -> tuple[float, ...]:
    form: Any = tuple[float, ...]
    return cast(tuple[float, ...], from_json(form, _member(value, name, where), f"{where}.{name}"))
