"""What OpenVLA's server and its clients say over HTTP: JSON with arrays in base64, plain or once more inside a text."""

from __future__ import annotations

import binascii
import json
import math
import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, NoReturn, TypeAlias

from .arrays import array
from .caps import CAPS, Array, BadMessage, Caps, Value, framed, shown
from .tree import Map, grown, pruned, sixty_four_bits

ARRAY, ARRAY_KEYS = "__numpy__", {"__numpy__", "dtype", "shape"}  # json-numpy 2.1.1, object_hook
ENCODED: Final = "encoded"  # openvla, vla-scripts/deploy.py
# plain: the message is the value. text: it is a text that holds the value as JSON, as replies to encoded requests are.
# field: it is a map with the one key `encoded` and such a text.
Wrapping: TypeAlias = Literal["plain", "text", "field"]

# A whole text first, so that brackets and commas inside of it do not count; a quote alone is one that is never closed.
TOKENS: Final = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|"|[][{},]', re.DOTALL)
LONGEST_NUMBER: Final = 64  # characters; what Python writes has at most 24


@dataclass(frozen=True, slots=True, eq=False)
class Said:
    """A message: its value, and whether that stood in it as it is or once more inside a text."""

    value: Value
    wrapping: Wrapping = "plain"


def read(message: bytes, caps: Caps = CAPS) -> Said:
    """What the message says; raises BadMessage. Lists come as tuples, numpy scalars as arrays without axes.

    A text that begins like a list or a map is read as JSON once more. A text such as "error", with which the server
    answers 200, is a value: whoever expects actions has to refuse it.
    """
    framed(message, caps)
    # One character beyond Latin makes Python keep every other character of its text in four bytes.
    if 4 * len(message) > caps.frame_bytes and (not message.isascii() or b"\\u" in message):
        raise BadMessage(f"{len(message)} bytes that are not all ASCII, at most {caps.frame_bytes // 4} are allowed")
    try:
        written = message.decode()
    except UnicodeDecodeError as error:
        raise BadMessage("no readable JSON: not UTF-8") from error
    found = _parsed(written, caps)
    if isinstance(found, str) and _wraps(found):
        return Said(_value(_parsed(found, caps), caps), "text")
    if isinstance(found, Map) and [key for key, _ in found.entries] == [ENCODED]:
        inside = found.entries[0][1]
        if not isinstance(inside, str):
            raise BadMessage(f"{ENCODED!r} must be a text that holds JSON, got {shown(inside)}")
        return Said(_value(_parsed(inside, caps), caps), "field")
    return Said(_value(found, caps))


def write(said: Said) -> bytes:
    """The message that says this; raises TypeError and ValueError for what cannot be said, bytes among it, and for a
    plain value that would be read as a wrapped one.
    """
    if said.wrapping == "plain" and _would_be_unwrapped(said.value):
        raise ValueError(f"{shown(said.value)} would be read as a message inside a message")
    written = _json(pruned(said.value, _written, ARRAY))
    match said.wrapping:
        case "plain":
            return written.encode()
        case "text":
            if not _wraps(written):
                raise ValueError(f"{shown(said.value)} inside a text would be read as that text")
            return _json(written).encode()
        case "field":
            return _json({ENCODED: written}).encode()


def _wraps(found: str) -> bool:
    return found.startswith(("{", "["))


def _would_be_unwrapped(value: Value) -> bool:
    return _wraps(value) if isinstance(value, str) else isinstance(value, dict) and list(value) == [ENCODED]


def _parsed(written: str, caps: Caps) -> object:
    """What the library makes of a JSON text that was found to be small enough for it."""
    _measured(written, caps)
    try:
        found: object = json.loads(
            written, object_pairs_hook=_pairs, parse_int=_int, parse_float=_float, parse_constant=_no_constant
        )
    except json.JSONDecodeError as error:
        raise BadMessage(f"no readable JSON: {error.msg} at character {error.pos}") from error
    return found


def _measured(written: str, caps: Caps) -> None:
    """Raises BadMessage for more nesting or entries than allowed: the library has no such limits of its own."""
    depth = entries = texts = 0
    for token in TOKENS.finditer(written):
        first = written[token.start()]
        if first == '"':
            if token.end() - token.start() == 1:
                raise BadMessage("no readable JSON: a text that does not end")
            texts += 1
            if texts > 2 * caps.items + 1:  # a key and a text for each entry, or one text alone
                raise BadMessage(f"more texts than {caps.items} entries of maps can have")
            continue
        depth += (first in "[{") - (first in "]}")
        entries += first in "[{,"
        if depth > caps.depth + 1:  # one more: the map that holds an array's shape
            raise BadMessage(f"lists and maps inside each other deeper than {caps.depth}")
        if entries > caps.items:
            raise BadMessage(f"more than {caps.items} entries in lists and maps")


def _value(found: object, caps: Caps) -> Value:
    return grown(found, caps, _special)


def _special(entries: Mapping[object, object], caps: Caps) -> Array | None:
    if ARRAY not in entries:
        return None
    if set(entries) != ARRAY_KEYS:
        raise BadMessage(f"a map with {ARRAY!r} must hold exactly {', '.join(map(repr, sorted(ARRAY_KEYS)))}")
    return array(entries["dtype"], entries["shape"], _from_base64(entries[ARRAY]), caps)


def _from_base64(found: object) -> bytes:
    """The bytes of base64 in its one right spelling: nothing but its alphabet, padded, no bits to spare."""
    if type(found) is not str or not found.isascii():
        raise BadMessage(f"an array's numbers must be base64, got {shown(found)}")
    try:
        numbers = binascii.a2b_base64(found, strict_mode=True)
    except binascii.Error as error:
        raise BadMessage(f"no base64: {shown(found)}") from error
    rest = numbers[len(numbers) - len(numbers) % 3 :]
    if len(found) != 4 * math.ceil(len(numbers) / 3) or (rest and not found.endswith(b64encode(rest).decode())):
        raise BadMessage(f"no base64 as it is written: {shown(found)}")
    return numbers


def _written(values: Array) -> object:
    return {ARRAY: b64encode(values.tobytes()).decode(), "dtype": values.dtype.str, "shape": list(values.shape)}


def _json(made: object) -> str:
    return json.dumps(made, ensure_ascii=False, allow_nan=False)


def _pairs(entries: list[tuple[str, object]]) -> Map:
    return Map(tuple(entries))


def _int(written: str) -> int:
    if len(written) > LONGEST_NUMBER:
        raise BadMessage(f"a number of {len(written)} characters: {shown(written)}")
    return sixty_four_bits(int(written))


def _float(written: str) -> float:
    if len(written) > LONGEST_NUMBER:
        raise BadMessage(f"a number of {len(written)} characters: {shown(written)}")
    found = float(written)
    if not math.isfinite(found):
        raise BadMessage(f"no float holds {shown(written)}")
    return found


def _no_constant(written: str) -> NoReturn:
    raise BadMessage(f"{written} is no JSON")
