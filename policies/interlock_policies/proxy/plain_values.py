"""What of a peer's message is passed on beside the rows: a few plain values, and never an array or an object."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

MOST_ITEMS: Final = 64  # of one mapping or list
DEEPEST: Final = 4
LONGEST: Final = 256  # characters of a text


class _Not:
    """What cannot be passed on."""


_NOT: Final = _Not()


def plain_values(found: Mapping[str, object], *, texts: bool) -> dict[str, object]:
    """The entries that are finite numbers, truth values, texts (if wanted), and lists and mappings of such; everything
    else is left out, and so is what is too many, too long or too deep.
    """
    return _mapping(found, 0, texts=texts)


def _plain(value: object, depth: int, *, texts: bool) -> object:
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return value if -(2**63) <= value < 2**63 else _NOT
    if isinstance(value, float):
        return value if math.isfinite(value) else _NOT
    if isinstance(value, str):
        return value if texts and len(value) <= LONGEST else _NOT
    if depth >= DEEPEST:
        return _NOT
    if isinstance(value, Mapping):
        return _mapping(cast("Mapping[object, object]", value), depth, texts=texts)
    return _list(cast("list[object]", value), depth, texts=texts) if type(value) in {list, tuple} else _NOT


def _list(items: Sequence[object], depth: int, *, texts: bool) -> object:
    passed = [_plain(item, depth + 1, texts=texts) for item in items[:MOST_ITEMS]]
    return _NOT if len(items) > MOST_ITEMS or any(item is _NOT for item in passed) else passed


def _mapping(found: Mapping[Any, object], depth: int, *, texts: bool) -> dict[str, object]:
    entries = list(found.items())[:MOST_ITEMS]
    named = {str(key): _plain(item, depth + 1, texts=texts) for key, item in entries if _is_name(key)}
    return {key: item for key, item in named.items() if item is not _NOT}


def _is_name(key: object) -> bool:
    return isinstance(key, str) and len(key) <= 64 and key.isprintable()
