"""Where two JSON values differ, by path, with numbers; packed arrays are compared number by number."""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from interlock.jsonform import NON_FINITE, Json, canonical

DTYPES: Final = {"f64": "<f8", "i64": "<i8", "b8": "|b1"}
SAID: Final = 200  # characters of a value in a difference


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where two values differ; `apart` is the distance of two finite numbers, otherwise None."""

    path: str
    recorded: str
    recomputed: str
    apart: float | None


def differences(recorded: Json, recomputed: Json, path: str = "$") -> Iterator[Difference]:
    """Every difference between two JSON values, in order; nothing for values with the same canonical bytes."""
    if isinstance(recorded, Mapping) and isinstance(recomputed, Mapping):
        first, second = _unpacked(recorded), _unpacked(recomputed)
        if first is not None and second is not None and recorded.get("shape") == recomputed.get("shape"):
            yield from _in_lists(first, second, path)
        else:
            yield from _in_objects(recorded, recomputed, path)
    elif isinstance(recorded, list | tuple) and isinstance(recomputed, list | tuple):
        yield from _in_lists(recorded, recomputed, path)
    else:
        yield from _in_scalars(recorded, recomputed, path)


def _in_objects(recorded: Mapping[str, Json], recomputed: Mapping[str, Json], path: str) -> Iterator[Difference]:
    for key in sorted({*recorded, *recomputed}):
        where = f"{path}.{key}"
        if key not in recomputed:
            yield Difference(where, _said(recorded[key]), "absent", None)
        elif key not in recorded:
            yield Difference(where, "absent", _said(recomputed[key]), None)
        else:
            yield from differences(recorded[key], recomputed[key], where)


def _in_lists(recorded: Sequence[Json], recomputed: Sequence[Json], path: str) -> Iterator[Difference]:
    if len(recorded) != len(recomputed):
        yield Difference(f"{path}.length", str(len(recorded)), str(len(recomputed)), None)
    for index, (first, second) in enumerate(zip(recorded, recomputed, strict=False)):
        yield from differences(first, second, f"{path}[{index}]")


def _in_scalars(recorded: Json, recomputed: Json, path: str) -> Iterator[Difference]:
    if canonical(recorded) != canonical(recomputed):
        yield Difference(path, _said(recorded), _said(recomputed), _apart(recorded, recomputed))


def _apart(recorded: Json, recomputed: Json) -> float | None:
    if isinstance(recorded, bool) or isinstance(recomputed, bool):
        return None
    if not isinstance(recorded, int | float) or not isinstance(recomputed, int | float):
        return None
    apart = abs(recorded - recomputed)
    return apart if math.isfinite(apart) else None


def _said(value: Json) -> str:
    text = canonical(value).decode("utf-8")
    return text if len(text) <= SAID else f"{text[:SAID]}... ({len(text)} characters)"


def _unpacked(value: Mapping[str, Json]) -> list[Json] | None:
    """The numbers of a packed array in one flat list, or None for any other object."""
    name = next((name for name in DTYPES if name in value), "")
    text = value.get(name)
    if len(value) != 2 or "shape" not in value or not isinstance(text, str):
        return None
    try:
        found = np.frombuffer(base64.b64decode(text, validate=True), dtype=DTYPES[name])
    except (binascii.Error, ValueError):
        return None
    return [_plain(item) for item in found.tolist()]


def _plain(value: Json) -> Json:
    if isinstance(value, float) and not math.isfinite(value):
        return next(
            name for name, known in NON_FINITE.items() if known == value or (math.isnan(known) and math.isnan(value))
        )
    return str(value) if isinstance(value, int) and abs(value) >= 2**53 else value
