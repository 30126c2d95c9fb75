"""From what a msgpack or JSON library makes of a message to our values, and back; a dialect adds what it makes of maps
and arrays.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias, cast

import numpy as np

from .arrays import writable
from .caps import Array, BadMessage, Caps, Value, shown


@dataclass(frozen=True, slots=True)
class Map:
    """A map as it stands in the message: a key that comes twice is there twice."""

    entries: tuple[tuple[object, object], ...]


# What a dialect makes of a map: an array or a number, or None where it is a plain map.
Special: TypeAlias = Callable[[Mapping[object, object], Caps], Array | int | float | None]
# How a dialect writes an array.
Written: TypeAlias = Callable[[Array], object]


def grown(found: object, caps: Caps, special: Special, depth: int = 0) -> Value:
    """The value of what a library read; raises BadMessage for keys that are no text or come twice, for whole numbers
    beyond 64 bits, text that is too long or no Unicode, types that no dialect has, and nesting beyond the cap.
    """
    if found is None or type(found) in {bool, float}:
        return cast(Value, found)
    if type(found) is int:
        return sixty_four_bits(found)
    if type(found) is str:
        return text(found, caps)
    if type(found) is bytes:
        if len(found) > caps.array_bytes:
            raise BadMessage(f"{len(found)} bytes in one value, at most {caps.array_bytes} are allowed")
        return found
    if depth >= caps.depth:
        raise BadMessage(f"lists and maps inside each other deeper than {caps.depth}")
    if type(found) is list:
        return tuple(grown(entry, caps, special, depth + 1) for entry in cast(list[object], found))
    if type(found) is Map:
        return _map(found, caps, special, depth)
    raise BadMessage(f"a value of no known type: {shown(found)}")


def _map(found: Map, caps: Caps, special: Special, depth: int) -> Value:
    entries = dict(found.entries)
    if len(entries) != len(found.entries):
        raise BadMessage(f"key {shown(_twice(found))} comes twice in a map")
    made = special(entries, caps)
    if made is not None:
        return made
    values: dict[str, Value] = {}
    for key, value in found.entries:
        if type(key) is not str:
            raise BadMessage(f"a key must be text, got {shown(key)}")
        values[text(key, caps)] = grown(value, caps, special, depth + 1)
    return values


def _twice(found: Map) -> object:
    counted = Counter(key for key, _ in found.entries)
    return counted.most_common(1)[0][0]


def text(found: str, caps: Caps) -> str:
    """The text, if it is Unicode and not too long; raises BadMessage."""
    try:
        size = len(found.encode())
    except UnicodeEncodeError as error:
        raise BadMessage(f"text that is no Unicode: {shown(found)}") from error
    if size > caps.text_bytes:
        raise BadMessage(f"a text of {size} bytes, at most {caps.text_bytes} are allowed: {shown(found)}")
    return found


def sixty_four_bits(found: int) -> int:
    """The whole number, if 64 bits hold it, signed or not; raises BadMessage."""
    if not -(2**63) <= found < 2**64:
        raise BadMessage(f"64 bits do not hold {shown(found)}")
    return found


def pruned(value: object, written: Written, mark: str | None) -> object:
    """What a library is to write for a value; raises TypeError for what is no value, ValueError for a whole number
    beyond 64 bits and for a map with the key by which a dialect knows its arrays.
    """
    if value is None or isinstance(value, bool | str | bytes) or type(value) is float:
        return value
    if type(value) is int:
        if not -(2**63) <= value < 2**64:
            raise ValueError(f"64 bits do not hold {shown(value)}")
        return value
    if isinstance(value, np.ndarray):
        return written(writable(cast(Array, value)))
    if isinstance(value, list | tuple):
        return [pruned(entry, written, mark) for entry in cast(list[object], value)]
    if isinstance(value, Mapping):
        entries = cast(Mapping[object, object], value)
        for key in entries:
            if not isinstance(key, str):
                raise TypeError(f"a key must be text, got {type(key).__name__}")
        if mark in entries:
            raise ValueError(f"a map with the key {mark!r} would be read as an array")
        return {key: pruned(entry, written, mark) for key, entry in entries.items()}
    raise TypeError(f"{type(value).__name__} cannot be sent; say it with plain values and arrays")
