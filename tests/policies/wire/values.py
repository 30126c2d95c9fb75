"""Values that every dialect can say, and messages written by the library alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import msgpack
import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from interlock_policies.wire.caps import BadMessage, Value

Said = TypeVar("Said")
DTYPES = ("<f4", "<f8", "<i4", "<i8", "|u1")


def packed(value: object) -> bytes:
    return msgpack.packb(value, use_bin_type=True)


def told(message: bytes, read: Callable[[bytes], Said]) -> Said | BadMessage:
    """What was read, or the refusal."""
    try:
        return read(message)
    except BadMessage as refusal:
        return refusal


ARRAYS = st.sampled_from(DTYPES).flatmap(lambda name: arrays(np.dtype(name), array_shapes(min_dims=0, min_side=0)))
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
KEYS = TEXTS.filter(lambda key: key not in {"__numpy__", "__ndarray_class__"})  # by which a dialect knows its arrays
WHOLES = st.integers(-(2**63), 2**64 - 1)


def values(floats: st.SearchStrategy[float]) -> st.SearchStrategy[Value]:
    plain: st.SearchStrategy[Any] = st.none() | st.booleans() | WHOLES | floats | TEXTS | ARRAYS
    return st.recursive(
        plain,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
        max_leaves=12,
    )
