"""What openpi-client and its server say: msgpack, with numpy arrays as maps whose keys are bytes."""

from __future__ import annotations

from collections.abc import Mapping

from .arrays import array, scalar
from .caps import CAPS, Array, BadMessage, Caps, Value, shown
from .packed import packed, unpacked

# openpi-client 0.1.2, msgpack_numpy.py: the maps for np.ndarray and np.generic.
ARRAY, ARRAY_KEYS = b"__ndarray__", {b"__ndarray__", b"data", b"dtype", b"shape"}
SCALAR, SCALAR_KEYS = b"__npgeneric__", {b"__npgeneric__", b"data", b"dtype"}


def read(message: bytes, caps: Caps = CAPS) -> dict[str, Value]:
    """The map that the message is; raises BadMessage.

    Lists come as tuples and numpy scalars as plain numbers. No number is looked at: NaN is for the judge to refuse.
    """
    found = unpacked(message, caps, _special)
    if not isinstance(found, dict):
        raise BadMessage(f"expected a map, got {shown(found)}")
    return found


def write(message: Mapping[str, Value]) -> bytes:
    """The message that openpi-client reads as this map; raises TypeError and ValueError for what cannot be said."""
    return packed(message, _written)


def _special(entries: Mapping[object, object], caps: Caps) -> Array | int | float | None:
    if ARRAY in entries:
        _exactly(entries, ARRAY, ARRAY_KEYS)
        return array(entries[b"dtype"], entries[b"shape"], entries[b"data"], caps)
    if SCALAR in entries:
        _exactly(entries, SCALAR, SCALAR_KEYS)
        return scalar(entries[b"dtype"], entries[b"data"])
    return None


def _exactly(entries: Mapping[object, object], mark: bytes, keys: set[bytes]) -> None:
    if set(entries) != keys or entries[mark] is not True:
        listed = ", ".join(map(repr, sorted(keys)))
        raise BadMessage(f"a map with {mark!r} must hold exactly {listed}, the first of them true")


def _written(values: Array) -> object:
    return {ARRAY: True, b"data": values.tobytes(), b"dtype": values.dtype.str, b"shape": values.shape}
