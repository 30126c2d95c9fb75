"""How much one message may hold, what a message that was read is made of, and the error for one that is not read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy.typing as npt

from interlock.errors import InterlockError
from interlock.fields import check_fields

MIB: Final = 2**20
LONGEST_SHOWN: Final = 80
DEEPEST: Final = 64  # what reads a message calls itself once a level

# Arrays that were read cannot be written to, by nobody: their numbers lie in bytes of their own.
Array: TypeAlias = npt.NDArray[Any]
Value: TypeAlias = (
    "bool | int | float | str | bytes | Array | tuple[Value, ...] | list[Value] | dict[str, Value] | None"
)


class BadMessage(InterlockError):
    """What a peer sent is not what its dialect promises, or is more than was allowed. The message is one short line
    of plain text: what it quotes of the peer is cut and escaped.
    """


@dataclass(frozen=True, slots=True)
class Caps:
    """The most that one message may hold: bytes in all, bytes of one array, entries of all lists and maps together (an
    empty one counts as one), lists and maps inside each other, and bytes of one text in UTF-8.

    Reading takes a small multiple of `frame_bytes` of memory. Raises ValueError for a cap that is not
    positive, and for a depth above 64.
    """

    frame_bytes: int = 64 * MIB
    array_bytes: int = 32 * MIB
    items: int = 10_000
    depth: int = 16
    text_bytes: int = 65_536

    def __post_init__(self) -> None:
        check_fields(self)
        for name in ("frame_bytes", "array_bytes", "items", "depth", "text_bytes"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be positive, got {getattr(self, name)}")
        if self.depth > DEEPEST:
            raise ValueError(f"depth must be at most {DEEPEST}, got {self.depth}")


CAPS: Final = Caps()


def shown(value: object) -> str:
    """A peer's value for one line of a message: escaped and cut to about 80 characters; of what is not text, bytes or
    a number, the type alone (F-48).
    """
    if isinstance(value, str | bytes):
        written = repr(value[:LONGEST_SHOWN])
        cut = len(value) > LONGEST_SHOWN or len(written) > LONGEST_SHOWN + 2
        return f"{written[:LONGEST_SHOWN]}..." if cut else written
    if value is None or isinstance(value, bool | float):
        return repr(value)
    if isinstance(value, int):
        return repr(value) if value.bit_length() <= 64 else f"a whole number of {value.bit_length()} bits"
    return f"a {type(value).__name__}"


def framed(message: object, caps: Caps) -> bytes:
    """The message, if it is bytes and not too many of them; raises BadMessage."""
    if not isinstance(message, bytes):
        raise BadMessage(f"expected a message of bytes, got {shown(message)}")
    if len(message) > caps.frame_bytes:
        raise BadMessage(f"a message of {len(message)} bytes, at most {caps.frame_bytes} are allowed")
    return message
