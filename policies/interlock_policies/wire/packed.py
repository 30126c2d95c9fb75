"""The msgpack that openpi and GR00T have in common: one object, bounded while it is read, with no extension types."""

from __future__ import annotations

from typing import NoReturn

import msgpack

from .caps import BadMessage, Caps, Value, framed, shown
from .npy import LONGEST_HEADER
from .tree import Map, Special, Written, grown, pruned


class _Budget:
    """Counts the entries of lists and maps while the library reads: one small message can say very many of them."""

    def __init__(self, caps: Caps) -> None:
        self.left = caps.items
        self.most = caps.items

    def of_list(self, entries: list[object]) -> list[object]:
        self._spend(len(entries))
        return entries

    def of_map(self, entries: list[tuple[object, object]]) -> Map:
        self._spend(len(entries))
        return Map(tuple(entries))

    def _spend(self, entries: int) -> None:
        self.left -= max(entries, 1)
        if self.left < 0:
            raise BadMessage(f"more than {self.most} entries in lists and maps")


def unpacked(message: object, caps: Caps, special: Special) -> Value:
    """The one value of a message; raises BadMessage for everything that is not exactly one."""
    packed = framed(message, caps)
    budget = _Budget(caps)
    most = min(caps.items, len(packed))  # the library makes room for as many entries as a list claims to have
    try:
        found: object = msgpack.unpackb(
            packed,
            raw=False,
            strict_map_key=True,
            unicode_errors="strict",
            list_hook=budget.of_list,
            object_pairs_hook=budget.of_map,
            ext_hook=_no_extension,
            max_str_len=caps.text_bytes,
            max_bin_len=caps.array_bytes + LONGEST_HEADER,
            max_array_len=most,
            max_map_len=most,
            max_ext_len=0,
        )
    except ValueError as error:  # the base of all that msgpack raises on what it cannot read
        raise BadMessage(f"no readable msgpack: {type(error).__name__}: {shown(str(error))}") from error
    return grown(found, caps, special)


def packed(value: object, written: Written, mark: str | None = None) -> bytes:
    """One msgpack object; raises TypeError and ValueError for what cannot be said in it."""
    made: bytes = msgpack.packb(pruned(value, written, mark), use_bin_type=True)
    return made


def _no_extension(code: int, content: bytes) -> NoReturn:
    raise BadMessage(f"msgpack extension type {code} ({len(content)} bytes): none is accepted")
