"""Sizes that cannot be are refused; the full ones come to the reported numbers of parameters."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from interlock.errors import UnusableInput
from interlock.jsonform import canonical, from_json, parse, to_json
from interlock_policies.qwen_vla import Sizes, full_size, tiny_size
from interlock_policies.qwen_vla.sizes import QWEN_TEXT, QWEN_VISION

TINY = tiny_size(rows=32, channels=12)


def with_part(part: str, **changes: Any) -> Sizes:
    parts: dict[str, Any] = {part: replace(getattr(TINY, part), **changes)}
    return replace(TINY, **parts)


WRONG: dict[str, tuple[str, dict[str, Any], str]] = {
    "no rows": ("decoder", {"rows": 0}, "decoder.rows must be positive"),
    "too many rows": ("decoder", {"rows": 4097}, "at most 4096 rows"),
    "too many channels": ("decoder", {"channels": 1025}, "at most 4096 rows of 1024"),
    "heads that do not fit": ("decoder", {"heads": 3}, "does not divide 64"),
    "an odd head": ("decoder", {"width": 60}, "must be even"),
    "a base of NaN": ("decoder", {"rope_theta": math.nan}, "must be positive and finite"),
    "a rounded number": ("decoder", {"rows": 2.5}, "must be a whole number"),
    "key heads that do not fit": ("text", {"kv_heads": 3}, "does not divide 4"),
    "value heads that do not fit": ("text", {"linear_value_heads": 3}, "does not divide 3"),
    "a stack cut short": ("text", {"layers": 5}, "does not divide 5"),
    "sections that do not fit": ("text", {"sections": (2, 2, 1)}, "rotated pairs"),
    "more than a head turned": ("text", {"rotated": 1.5, "sections": (4, 4, 4)}, "rotated pairs"),
    "half a head of vision": ("vision", {"heads": 16}, "does not split"),
    "positions that are no square": ("vision", {"positions": 15}, "must be a square"),
    "no pixels": ("images", {"fewest": 0}, "fewest must be from 1"),
    "less than one token of pixels": ("images", {"fewest": 1, "most": 255}, "hold no token"),
    "a colour without spread": ("images", {"std": (0.5, 0.0, 0.5)}, "std positive"),
    "a token beyond the words": ("tokens", {"image": 260}, "not all among the 260"),
    "one token for two things": ("tokens", {"video": 256}, "four different ids"),
    "a negative token": ("tokens", {"video": -1}, "none negative"),
}


@pytest.mark.parametrize("name", WRONG)
def test_sizes_that_cannot_be_are_refused(name: str) -> None:
    part, changes, complaint = WRONG[name]

    with pytest.raises((TypeError, ValueError), match=complaint):
        with_part(part, **changes)


@pytest.mark.parametrize("sizes", [TINY, full_size(rows=16, channels=64)], ids=["tiny", "full"])
def test_sizes_are_read_back_from_their_file(sizes: Sizes) -> None:
    assert from_json(Sizes, parse(canonical(to_json(sizes)), "config.json")) == sizes


def test_F08_what_is_not_published_has_no_default() -> None:
    written: Any = to_json(TINY)
    for name in ("rows", "channels"):
        without = {**written, "decoder": {key: value for key, value in written["decoder"].items() if key != name}}

        with pytest.raises(UnusableInput, match=f"'{name}' is missing"):
            from_json(Sizes, without)
    with pytest.raises(UnusableInput, match="unknown key 'steps'"):
        from_json(Sizes, {**written, "steps": 4})


def layer(width_in: int, width_out: int) -> int:
    return width_in * width_out + width_out


def backbone_parameters() -> int:
    """Those of Qwen3.5-4B, added up from its structure; embeddings count once, since they are tied."""
    text, seen = QWEN_TEXT, QWEN_VISION
    keys, values = text.linear_key_heads * text.linear_head_width, text.linear_value_heads * text.linear_head_width
    heads, kv = text.heads * text.head_width, text.kv_heads * text.head_width
    linear = text.width * (2 * keys + values)  # queries, keys, values
    linear += text.width * values  # gate
    linear += 2 * text.width * text.linear_value_heads  # decay and strength
    linear += text.convolution * (2 * keys + values)
    linear += 2 * text.linear_value_heads + text.linear_head_width  # A, the step's bias, norm
    linear += values * text.width
    full = text.width * 2 * heads + 2 * text.width * kv + heads * text.width + 2 * text.head_width  # queries are gated
    each = 3 * text.width * text.inner + 2 * text.width
    layers = text.layers // 4 * (3 * linear + full + 4 * each)
    block = layer(seen.width, 3 * seen.width) + layer(seen.width, seen.width) + 4 * seen.width
    block += layer(seen.width, seen.inner) + layer(seen.inner, seen.width)
    vision = seen.layers * block + 3 * seen.frames * seen.patch**2 * seen.width + seen.width
    vision += seen.positions * seen.width + 2 * seen.width
    merged = seen.merge**2 * seen.width
    vision += layer(merged, merged) + layer(merged, text.width)
    return text.vocabulary * text.width + layers + text.width + vision


def decoder_parameters(channels: int) -> dict[str, int]:
    """Those of the decoder, part by part."""
    width, inner = 1536, 4 * 1536
    stream = layer(width, 3 * width) + layer(width, width) + layer(width, inner) + layer(inner, width)
    return {
        "blocks": 16 * (2 * stream + layer(width, 6 * width)),
        "context_in": layer(2560, width),
        "time_in": layer(256, width) + layer(width, width),
        "modulation_out": layer(width, 2 * width),
        "actions": layer(channels, width) + 2 * layer(width, width) + layer(width, channels),
    }


REPORTED = {"blocks": 16 * 70.8e6, "context_in": 3.9e6, "time_in": 2.8e6, "modulation_out": 4.7e6, "actions": 4.9e6}


def test_golden_full_size_has_the_reported_numbers_of_parameters() -> None:
    pytest.importorskip("torch", reason="needs torch, of the extra `policies`")
    from interlock_policies.qwen_vla.model import shapes  # noqa: PLC0415 - of an extra

    sizes = {name: math.prod(shape) for name, shape in shapes(full_size(rows=16, channels=64)).items()}

    def found(*prefixes: str) -> int:
        return sum(number for name, number in sizes.items() if name.startswith(prefixes))

    parts = decoder_parameters(64)
    assert found("backbone.") == backbone_parameters()
    assert found("backbone.") == pytest.approx(4e9, rel=0.15)  # 4.54 B: the name leaves embeddings and vision out
    assert {name: found(f"decoder.{name}") for name in parts} == parts
    assert parts == pytest.approx(REPORTED, rel=0.02)  # which are rounded to two digits
    assert found("decoder.") == sum(parts.values()) == pytest.approx(1.15e9, rel=0.005)
