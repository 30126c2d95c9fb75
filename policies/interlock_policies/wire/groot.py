"""What GR00T's client and server say over ZMQ: msgpack, with arrays as numpy saves them to a file."""

from __future__ import annotations

from collections.abc import Mapping

from . import npy
from .caps import CAPS, Array, BadMessage, Caps, Value
from .packed import packed, unpacked

# Isaac-GR00T, gr00t/policy/server_client.py, MsgSerializer.
ARRAY, SAVED = "__ndarray_class__", "as_npy"


def read(message: bytes, caps: Caps = CAPS) -> Value:
    """The value of a request (a map) or of a reply (a map, or a list of two for an action); raises BadMessage.

    Lists come as tuples. Maps of other classes than arrays stay the maps that they are.
    """
    return unpacked(message, caps, _special)


def write(message: Value) -> bytes:
    """The message that GR00T's client reads as this value; raises TypeError and ValueError for what cannot be said."""
    return packed(message, _written, ARRAY)


def _special(entries: Mapping[object, object], caps: Caps) -> Array | None:
    if ARRAY not in entries:
        return None
    if set(entries) != {ARRAY, SAVED} or entries[ARRAY] is not True:
        raise BadMessage(f"a map with {ARRAY!r} must hold exactly that, true, and {SAVED!r}")
    return npy.read(entries[SAVED], caps)


def _written(values: Array) -> object:
    return {ARRAY: True, SAVED: npy.write(values)}
