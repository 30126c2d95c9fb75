"""FAST action tokens: byte pairs over the cosine coefficients of a chunk, with a failure where the original returns
zeros.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, cast, runtime_checkable

import numpy as np
import numpy.typing as npt
from scipy.fft import dct, idct

from interlock.arrays import FloatArray, floats, frozen
from interlock.fields import check_fields

from .answer import Contract, Decoded, Undecodable, raw_digest
from .openvla import token_ids

LAST_CHARACTER: Final = 0x10FFFF
SURROGATES: Final = range(0xD800, 0xE000)  # code points that no tokenizer takes
REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"  # what byte pairs that are no UTF-8 are decoded to


@runtime_checkable
class BytePairs(Protocol):
    """The byte-pair tokenizer that FAST was trained with: from text to token ids and back, without special tokens."""

    def encode(self, text: str) -> Sequence[int]:
        """The token ids of a text."""
        ...

    def decode(self, tokens: Sequence[int]) -> str:
        """The text of token ids, to the character: no spaces tidied, nothing left out."""
        ...


@dataclass(frozen=True, slots=True)
class HuggingFace:
    """The byte pairs of a tokenizer of `transformers`, asked for neither special tokens nor tidied spaces: both are its
    defaults, and both change coefficients.
    """

    tokenizer: Any

    def encode(self, text: str) -> Sequence[int]:
        """The token ids of a text."""
        return [int(token) for token in self.tokenizer.encode(text, add_special_tokens=False)]

    def decode(self, tokens: Sequence[int]) -> str:
        """The text of token ids, to the character."""
        found: str = self.tokenizer.decode(tokens, skip_special_tokens=False, clean_up_tokenization_spaces=False)
        return found


@dataclass(frozen=True, slots=True)
class Fast:
    """FAST's decoder (physical-intelligence/fast, processing_action_tokenizer.py).

    Each column of a normalised chunk goes through an orthonormal DCT-II along its rows; coefficient * scale, rounded,
    less `lowest`, is a character; rows one after the other are the text of the byte pairs. `vocabulary` is how many
    tokens these have.
    """

    contract: Contract
    tokenizer: BytePairs
    vocabulary: int
    scale: float = 10.0  # the published tokenizer's
    lowest: int = -354  # its `min_token`

    def __post_init__(self) -> None:
        check_fields(self)
        if self.contract.statistics is None:
            raise ValueError("FAST says normalised values: its contract needs their statistics")
        if not 0.0 < self.scale < math.inf:
            raise ValueError(f"scale must be positive and finite, got {self.scale}")
        if self.vocabulary < 1:
            raise ValueError(f"vocabulary must be at least one token, got {self.vocabulary}")

    def answer(self, tokens: npt.ArrayLike) -> Decoded:
        """The rows of the token ids (N,) that the model generated for one chunk, without the text around them.

        Failed: a token outside of the vocabulary, a tokenizer that raises, another number of coefficients than rows by
        columns, and a chunk that is the middle throughout, which the original returns for each of these (F-12).
        """
        return self.contract.decoded(lambda: self._normalised(tokens), raw_digest(tokens))

    def tokens_of(self, values: npt.ArrayLike) -> tuple[int, ...]:
        """The token ids of a normalised chunk (rows, columns). Raises TypeError and ValueError for another shape, what
        is not finite, and coefficients below `lowest`, which the original clips.
        """
        found = floats("values", values, 2)
        shape = (self.contract.rows, self.contract.columns)
        if found.shape != shape or not bool(np.isfinite(found).all()):
            raise ValueError(f"values must be finite and of shape {shape}, got {found.shape}: {found.tolist()}")
        coefficients = np.asarray(np.around(dct(found, axis=0, norm="ortho") * self.scale)) - self.lowest
        if not bool(((coefficients >= 0) & (coefficients <= LAST_CHARACTER)).all()):
            raise ValueError(f"coefficients must be {self.lowest} or more, and characters less {self.lowest}")
        codes = [int(code) for code in coefficients.ravel()]
        if any(code in SURROGATES or code == ord(REPLACEMENT) for code in codes):
            raise ValueError("a coefficient falls on a surrogate or on the replacement character, which stand for none")
        return tuple(self.tokenizer.encode("".join(map(chr, codes))))

    def _normalised(self, tokens: npt.ArrayLike) -> FloatArray:
        rows, columns = self.contract.rows, self.contract.columns
        found = [int(token) for token in token_ids(tokens)]
        if found and max(found) >= self.vocabulary:
            raise Undecodable(f"token {max(found)} is not among the {self.vocabulary} of FAST")
        text = self._text(found)
        if len(text) != rows * columns:
            raise Undecodable(f"{len(text)} coefficients, expected {rows} rows of {columns}")
        coefficients = (np.array([ord(character) for character in text]) + self.lowest).reshape(rows, columns)
        refuse_middle(coefficients)
        return frozen(np.asarray(idct(coefficients / self.scale, axis=0, norm="ortho"), dtype=np.float64))

    def _text(self, tokens: Sequence[int]) -> str:
        try:
            text = cast(object, self.tokenizer.decode(tokens))  # a foreign object may return anything
        except Exception as error:
            raise Undecodable(f"the tokenizer failed: {type(error).__name__}: {error}") from error
        if not isinstance(text, str):
            raise Undecodable(f"the tokenizer returned {type(text).__name__}, expected text")
        if REPLACEMENT in text:
            raise Undecodable("the tokens are no text: their bytes are no UTF-8")
        return text


def refuse_middle(normalised: npt.NDArray[np.float64] | npt.NDArray[np.int64]) -> None:
    """Raises Undecodable for a normalised chunk, or its coefficients, that is zero throughout: the middle of every
    channel's range, which is what decoders return for what they cannot read.
    """
    if not normalised.any():
        raise Undecodable("the chunk is the middle of the range throughout, as decoders return on an error")
