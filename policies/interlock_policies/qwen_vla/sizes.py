"""The sizes of a Qwen-VLA: what is published of them as values, what is not as fields without a default.

Of arXiv 2605.30280 no code and no weights are public. Published: a Qwen3.5-4B and a decoder of 1.15 B parameters in 16
blocks, with joint self-attention, AdaLN and a few Euler steps. Reported of it, in public notes on the paper, and to be
compared with the paper before weights are trusted: the sentence of `prompt.py`; 70.8 M parameters a block, 3.9 M from
the backbone to the decoder, 2.8 M for the flow time, 4.7 M for the last AdaLN, 4.9 M into and out of actions; rotary
positions of several sections. Ours is what those come to: a width of 1536, since 2560 * 1536 is 3.9 M; and blocks in
which hidden states and actions have weights of their own, since 30 times 1536^2 is 70.8 M. Ours alone, and to be
replaced the day that they are published: the heads, the nonlinearities, positions of one section, the names of the
tensors, which hidden states are used (the last), and that time runs from noise at 0 to actions at 1. Horizon, channels,
rate and number of steps depend on robot and checkpoint, and no table of them is public: they are never filled in.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from interlock.fields import check_fields
from interlock.rules import MOST_ROWS

MOST_CHANNELS: Final = 1024
FORMAT: Final = "interlock/qwen-vla/1"


@dataclass(frozen=True, slots=True)
class Text:
    """The language part of the backbone: every `full_every`-th layer has softmax attention, the others a gated linear
    one. `sections` share out the rotated pairs of a head among time, height and width.
    """

    vocabulary: int
    width: int
    layers: int
    inner: int
    heads: int
    kv_heads: int
    head_width: int
    linear_key_heads: int
    linear_value_heads: int
    linear_head_width: int
    convolution: int
    full_every: int
    rope_theta: float
    rotated: float
    sections: tuple[int, int, int]
    positions: int
    tied: bool

    def __post_init__(self) -> None:
        check_fields(self)
        _positive(self)
        _divides("text.kv_heads", self.kv_heads, "heads", self.heads)
        _divides("text.linear_key_heads", self.linear_key_heads, "linear_value_heads", self.linear_value_heads)
        _divides("text.full_every", self.full_every, "layers", self.layers)
        pairs = self.head_width * self.rotated / 2.0
        if not self.rotated <= 1.0 or sum(self.sections) != pairs:
            raise ValueError(f"text.sections {self.sections} must add up to the {pairs:g} rotated pairs of a head")


@dataclass(frozen=True, slots=True)
class Vision:
    """The part of the backbone that sees: patches of `patch` pixels, `merge` times `merge` of them one token of text;
    a still image is repeated `frames` times.
    """

    layers: int
    width: int
    inner: int
    heads: int
    patch: int
    merge: int
    frames: int
    positions: int

    def __post_init__(self) -> None:
        check_fields(self)
        _positive(self)
        _divides("vision.heads", self.heads, "width", self.width)
        if (self.width // self.heads) % 4:
            raise ValueError(f"vision: a head of {self.width // self.heads} does not split into height and width")
        if math.isqrt(self.positions) ** 2 != self.positions:
            raise ValueError(f"vision.positions must be a square, got {self.positions}")


@dataclass(frozen=True, slots=True)
class Images:
    """How pixels get in: resized to between `fewest` and `most` of them, then (x / 255 - mean) / std of each colour."""

    fewest: int
    most: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]

    def __post_init__(self) -> None:
        check_fields(self)
        if not 0 < self.fewest <= self.most:
            raise ValueError(f"images: fewest must be from 1 to most, got {self.fewest} and {self.most}")
        if not all(map(math.isfinite, self.mean)) or not all(0.0 < one < math.inf for one in self.std):
            raise ValueError(f"images: mean must be finite and std positive, got {self.mean} and {self.std}")


@dataclass(frozen=True, slots=True)
class Tokens:
    """The ids that stand for a patch of an image or a video, and for where vision starts and ends."""

    image: int
    video: int
    vision_start: int
    vision_end: int

    def __post_init__(self) -> None:
        check_fields(self)
        if min(self.all) < 0 or len(set(self.all)) != 4:
            raise ValueError(f"tokens must be four different ids, none negative, got {self.all}")

    @property
    def all(self) -> tuple[int, int, int, int]:
        """The four ids."""
        return self.image, self.video, self.vision_start, self.vision_end


@dataclass(frozen=True, slots=True)
class Decoder:
    """The action decoder: `rows` (H) and `channels` (K) of the padded tensor, and the widths of its blocks.
    `time_width` is that of the flow time's sines and cosines.
    """

    rows: int
    channels: int
    blocks: int
    width: int
    inner: int
    heads: int
    time_width: int
    rope_theta: float

    def __post_init__(self) -> None:
        check_fields(self)
        _positive(self)
        if self.rows > MOST_ROWS or self.channels > MOST_CHANNELS:
            raise ValueError(
                f"decoder: at most {MOST_ROWS} rows of {MOST_CHANNELS}, got {self.rows} of {self.channels}"
            )
        _divides("decoder.heads", self.heads, "width", self.width)
        if (self.width // self.heads) % 2 or self.time_width % 2:
            raise ValueError("decoder: a head and time_width must be even, since positions turn pairs")


@dataclass(frozen=True, slots=True)
class Sizes:
    """All that a model is made of but its weights; `dtype` is what they are held in. The file `config.json`."""

    format: Literal["interlock/qwen-vla/1"]
    dtype: Literal["float32", "bfloat16"]
    text: Text
    vision: Vision
    images: Images
    tokens: Tokens
    decoder: Decoder

    def __post_init__(self) -> None:
        check_fields(self)
        if max(self.tokens.all) >= self.text.vocabulary:
            raise ValueError(f"tokens {self.tokens.all} are not all among the {self.text.vocabulary} of the vocabulary")
        if self.images.most < (self.vision.patch * self.vision.merge) ** 2:
            raise ValueError(f"images of {self.images.most} pixels hold no token")

    @property
    def backbone(self) -> Mapping[str, Any]:
        """What `transformers.Qwen3_5Config` is made of."""
        text, vision, tokens = self.text, self.vision, self.tokens
        rope = {
            "rope_type": "default",
            "rope_theta": text.rope_theta,
            "partial_rotary_factor": text.rotated,
            "mrope_section": list(text.sections),
            "mrope_interleaved": True,
        }
        return {
            "text_config": {
                "vocab_size": text.vocabulary,
                "hidden_size": text.width,
                "num_hidden_layers": text.layers,
                "intermediate_size": text.inner,
                "num_attention_heads": text.heads,
                "num_key_value_heads": text.kv_heads,
                "head_dim": text.head_width,
                "linear_num_key_heads": text.linear_key_heads,
                "linear_num_value_heads": text.linear_value_heads,
                "linear_key_head_dim": text.linear_head_width,
                "linear_value_head_dim": text.linear_head_width,
                "linear_conv_kernel_dim": text.convolution,
                "full_attention_interval": text.full_every,
                "max_position_embeddings": text.positions,
                "rope_parameters": rope,
                "tie_word_embeddings": text.tied,
            },
            "vision_config": {
                "depth": vision.layers,
                "hidden_size": vision.width,
                "intermediate_size": vision.inner,
                "num_heads": vision.heads,
                "patch_size": vision.patch,
                "spatial_merge_size": vision.merge,
                "temporal_patch_size": vision.frames,
                "num_position_embeddings": vision.positions,
                "out_hidden_size": text.width,
            },
            "image_token_id": tokens.image,
            "video_token_id": tokens.video,
            "vision_start_token_id": tokens.vision_start,
            "vision_end_token_id": tokens.vision_end,
            "tie_word_embeddings": text.tied,
        }


def _positive(part: Any) -> None:
    """Raises ValueError unless every number of a part is positive and finite."""
    for name in part.__dataclass_fields__:
        found = getattr(part, name)
        for number in found if isinstance(found, tuple) else (found,):  # pyright: ignore[reportUnknownVariableType]
            if not isinstance(number, bool) and not 0 < number < math.inf:
                raise ValueError(f"{type(part).__name__.lower()}.{name} must be positive and finite, got {found}")


def _divides(name: str, part: int, of: str, whole: int) -> None:
    if whole % part:
        raise ValueError(f"{name} must divide {of}: {part} does not divide {whole}")


# Qwen/Qwen3.5-4B: text as in its config.json. Vision as in Qwen3-VL-4B, with which the whole comes to the 4.54 B that
# are reported; images as in Qwen3-VL. A folder's own config.json is what counts.
QWEN_TEXT: Final = Text(
    vocabulary=248320, width=2560, layers=32, inner=9216, heads=16, kv_heads=4, head_width=256,
    linear_key_heads=16, linear_value_heads=32, linear_head_width=128, convolution=4, full_every=4,
    rope_theta=1e7, rotated=0.25, sections=(11, 11, 10), positions=262144, tied=True,
)  # fmt: skip
QWEN_VISION: Final = Vision(
    layers=24, width=1024, inner=4096, heads=16, patch=16, merge=2, frames=2, positions=2304
)  # fmt: skip
QWEN_IMAGES: Final = Images(fewest=65536, most=16777216, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))
QWEN_TOKENS: Final = Tokens(image=248056, video=248057, vision_start=248053, vision_end=248054)


def full_size(*, rows: int, channels: int) -> Sizes:
    """The full sizes, with the rows and channels that are not published."""
    decoder = Decoder(
        rows, channels, blocks=16, width=1536, inner=6144, heads=12, time_width=256, rope_theta=QWEN_TEXT.rope_theta
    )
    return Sizes(FORMAT, "bfloat16", QWEN_TEXT, QWEN_VISION, QWEN_IMAGES, QWEN_TOKENS, decoder)


def tiny_size(*, rows: int, channels: int) -> Sizes:
    """A model of some 0.3 M parameters with every part of the large one, for tests and demos; its words are bytes."""
    text = Text(
        vocabulary=260, width=64, layers=4, inner=64, heads=4, kv_heads=2, head_width=16,
        linear_key_heads=2, linear_value_heads=4, linear_head_width=16, convolution=4, full_every=4,
        rope_theta=1e4, rotated=0.5, sections=(2, 1, 1), positions=4096, tied=True,
    )  # fmt: skip
    vision = Vision(layers=1, width=32, inner=64, heads=2, patch=8, merge=2, frames=2, positions=16)
    images = Images(fewest=1024, most=4096, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))
    tokens = Tokens(image=256, video=257, vision_start=258, vision_end=259)
    decoder = Decoder(rows, channels, blocks=1, width=64, inner=256, heads=4, time_width=32, rope_theta=1e4)
    return Sizes(FORMAT, "float32", text, vision, images, tokens, decoder)
