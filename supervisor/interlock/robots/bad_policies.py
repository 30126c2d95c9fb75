"""Policies of which nothing may ever be followed, made of answers that may."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final, TypeAlias

import numpy as np

from interlock.chunk import ActionChunk, Malformed

from .port import Asked, Policy

Answer: TypeAlias = Callable[[Asked], ActionChunk]
LONG_AGO_NS: Final = 60_000_000_000


class PolicyBroke(Exception):
    """What the policy that raises raises."""


@dataclass(slots=True)
class _Bad:
    """Makes a bad answer of each good one, `late_ns` after it was asked."""

    answer_to: Answer
    spoil: Callable[[ActionChunk], ActionChunk | Malformed | None]
    late_ns: int = 0
    asked: Asked | None = None

    def ask(self, asked: Asked) -> None:
        """Keeps the question."""
        self.asked = asked

    def answer(self, now_ns: int) -> ActionChunk | Malformed | None:
        """What was made of the answer, once."""
        asked = self.asked
        if asked is None or now_ns < asked.request_ns + self.late_ns:
            return None
        self.asked = None
        return self.spoil(self.answer_to(asked))


def _nothing(_chunk: ActionChunk) -> None:
    """A policy that is dead."""


def _garbled(chunk: ActionChunk) -> Malformed:
    return Malformed("garbled on purpose", chunk.raw_digest)


def _misshapen(chunk: ActionChunk) -> ActionChunk:
    return replace(chunk, values=chunk.values[:, :-1], mask=chunk.mask[:, :-1])


def _no_number(chunk: ActionChunk) -> ActionChunk:
    values = chunk.values.copy()
    values[-1, 0] = np.nan
    return replace(chunk, values=values)


def _other_layout(chunk: ActionChunk) -> ActionChunk:
    return replace(chunk, layout="0" * 64)


def _of_an_old_view(chunk: ActionChunk) -> ActionChunk:
    seen = (chunk.stamps.observation_ns or 0) - LONG_AGO_NS
    return replace(chunk, stamps=replace(chunk.stamps, observation_ns=seen))


def _raise(_chunk: ActionChunk) -> None:
    raise PolicyBroke("on purpose")


def _good(chunk: ActionChunk) -> ActionChunk:
    return chunk


BAD_POLICIES: Final[Mapping[str, Callable[[Answer, int], Policy]]] = MappingProxyType({
    "late": lambda answer, past_ns: _Bad(answer, _good, late_ns=past_ns),
    "dead": lambda answer, _: _Bad(answer, _nothing),
    "garbled": lambda answer, _: _Bad(answer, _garbled),
    "misshapen": lambda answer, _: _Bad(answer, _misshapen),
    "not a number": lambda answer, _: _Bad(answer, _no_number),
    "in another layout": lambda answer, _: _Bad(answer, _other_layout),
    "of an old view": lambda answer, _: _Bad(answer, _of_an_old_view),
    "raises": lambda answer, _: _Bad(answer, _raise),
})  # fmt: skip
"""Each is made of good answers, and of how long after a question [ns] all rows of its answer are past."""
