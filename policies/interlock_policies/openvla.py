"""OpenVLA's action tokens: 256 bins at the end of the vocabulary, one token a channel, and a refusal of every other
token.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from interlock.arrays import FloatArray, IntArray, floats, frozen, wholes
from interlock.fields import check_fields

from .answer import Contract, Decoded, Undecodable, raw_digest

EDGES: Final = np.linspace(-1.0, 1.0, 256)  # openvla, prismatic/vla/action_tokenizer.py: n_bins 256 over [-1, 1]
CENTRES: Final = (EDGES[:-1] + EDGES[1:]) / 2.0  # 255: between 256 edges


@dataclass(frozen=True, slots=True)
class OpenVla:
    """OpenVLA's decoder. `vocabulary` is how many tokens the tokenizer has, without the padding of the model's
    embedding (Llama 2: 32000); the last 256 of them are actions. A row is one token for each channel.

    The original clips: any token of ordinary text becomes the lowest or the highest bin (F-12). Here it is a failed
    decode.
    """

    contract: Contract
    vocabulary: int

    def __post_init__(self) -> None:
        check_fields(self)
        if self.contract.statistics is None:
            raise ValueError("OpenVLA says normalised values: its contract needs their statistics")
        if self.vocabulary <= len(EDGES):
            raise ValueError(f"vocabulary must be more than {len(EDGES)} tokens, got {self.vocabulary}")

    def answer(self, tokens: npt.ArrayLike) -> Decoded:
        """The rows of the token ids (rows * columns,) that the model generated, without prompt and end token."""
        return self.contract.decoded(lambda: self._normalised(tokens), raw_digest(tokens))

    def _normalised(self, tokens: npt.ArrayLike) -> FloatArray:
        shape = (self.contract.rows, self.contract.columns)
        found = token_ids(tokens)
        if found.size != shape[0] * shape[1]:
            raise Undecodable(f"{found.size} tokens, expected {shape[0]} rows of {shape[1]}")
        return centres(found, self.vocabulary).reshape(shape)


def centres(tokens: IntArray, vocabulary: int) -> FloatArray:
    """The centres of the bins [-1, 1] that token ids (N,) stand for; raises Undecodable for one that stands for none.

    The first 255 bins end at the next edge; the last of the 256 tokens is what the value 1.0 alone becomes, and shares
    the last centre.
    """
    places = vocabulary - tokens - 1
    wrong = (places < 0) | (places >= len(EDGES))
    if wrong.any():
        token = int(tokens[wrong.argmax()])
        first = vocabulary - len(EDGES)
        raise Undecodable(f"token {token} is no action: those are {first} to {vocabulary - 1}")
    return frozen(CENTRES[np.minimum(places, len(CENTRES) - 1)])


def tokens_of(values: npt.ArrayLike, vocabulary: int) -> IntArray:
    """The token ids (N,) of normalised values (N,) in [-1, 1]; raises ValueError for others, which the original
    clips.
    """
    found = floats("values", values, 1)
    if not bool((np.abs(found) <= 1.0).all()):
        raise ValueError(f"values must be from -1 to 1, got {found.tolist()}")
    return wholes("tokens", vocabulary - np.digitize(found, EDGES))


def token_ids(tokens: npt.ArrayLike) -> IntArray:
    """Token ids (N,) as whole numbers that are not negative; raises Undecodable."""
    try:
        found = wholes("tokens", tokens)
    except (TypeError, ValueError) as error:
        raise Undecodable(str(error)) from error
    if found.size and int(found.min()) < 0:
        raise Undecodable(f"token {int(found.min())} is negative")
    return found
