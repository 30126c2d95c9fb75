"""What is fuzzed: each dialect's reader, and the property that must hold of it for any bytes at all."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Any, Final, cast

import numpy as np

from interlock_policies.wire import groot, json_numpy, npy, openpi
from interlock_policies.wire.caps import Array, BadMessage


class Broken(Exception):
    """What was read is not what its own message reads as."""


def exact(value: object) -> object:
    """The value in a form that `==` compares to the last bit: types, shapes, NaN and minus zero count."""
    if isinstance(value, np.ndarray):
        array = cast(Array, value)
        return ("array", array.dtype.str, array.shape, array.tobytes())
    if isinstance(value, float):
        return ("float", struct.pack("<d", value))
    if isinstance(value, list | tuple):
        return ("list", *map(exact, cast(list[object], value)))
    if isinstance(value, dict):
        return {key: exact(entry) for key, entry in cast(dict[object, object], value).items()}
    return (type(value).__name__, value)


def _openpi(message: bytes) -> tuple[object, object]:
    found = openpi.read(message)
    return exact(found), exact(openpi.read(openpi.write(found)))


def _groot(message: bytes) -> tuple[object, object]:
    found = groot.read(message)
    return exact(found), exact(groot.read(groot.write(found)))


def _npy(message: bytes) -> tuple[object, object]:
    found = npy.read(message)
    return exact(found), exact(npy.read(npy.write(found)))


def _json_numpy(message: bytes) -> tuple[object, object]:
    found = json_numpy.read(message)
    again = json_numpy.read(json_numpy.write(found))
    return (found.wrapping, exact(found.value)), (again.wrapping, exact(again.value))


# What each reads of a message, and of the message that it writes for that.
DIALECTS: Final[Mapping[str, Callable[[bytes], tuple[Any, Any]]]] = {
    "openpi": _openpi,
    "groot": _groot,
    "npy": _npy,
    "json_numpy": _json_numpy,
}


def tried(dialect: str, message: bytes) -> bool:
    """Whether the message was read, and not refused; any exception but a BadMessage is a fault of the reader, and
    Broken says that what was read is not what is written for it.
    """
    try:
        found, again = DIALECTS[dialect](message)
    except BadMessage as refusal:
        if not str(refusal).isprintable() or len(str(refusal)) > 400:
            raise Broken(f"a refusal that is no short line of plain text: {refusal!r}") from refusal
        return False
    if found != again:
        raise Broken(f"{found!r} is read back as {again!r}")
    return True
