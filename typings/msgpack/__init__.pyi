# The part of msgpack that is used here; it ships no types.
from collections.abc import Callable
from typing import Any

def packb(o: object, *, use_bin_type: bool = ..., default: Callable[[Any], object] | None = ...) -> bytes: ...
def unpackb(
    packed: bytes,
    *,
    raw: bool = ...,
    strict_map_key: bool = ...,
    unicode_errors: str = ...,
    list_hook: Callable[[list[object]], object] | None = ...,
    object_pairs_hook: Callable[[list[tuple[object, object]]], object] | None = ...,
    object_hook: Callable[[dict[Any, Any]], object] | None = ...,
    ext_hook: Callable[[int, bytes], object] = ...,
    max_str_len: int = ...,
    max_bin_len: int = ...,
    max_array_len: int = ...,
    max_map_len: int = ...,
    max_ext_len: int = ...,
) -> object: ...
