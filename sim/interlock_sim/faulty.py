"""A policy with a fault: what a fault is, what it may look at, and the wrapper that lets it loose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from interlock.arrays import FloatArray
from interlock.chunk import ActionChunk, Malformed
from interlock.profile import Profile
from interlock.robots import Asked, Policy

from .tasks import Task
from .tool import Tool


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """What a fault may look at, beside the chunk that it spoils.

    earlier: all chunks before, as they should have been. since_s (T,): when each row is reached [s after the onset].
    """

    profile: Profile
    tool: Tool
    task: Task
    rng: np.random.Generator
    asked: Asked
    earlier: tuple[ActionChunk, ...]
    since_s: FloatArray


def as_it_is(asked: Asked, profile: Profile) -> Asked:
    """The question as it was asked: what most faults leave alone."""
    del profile
    return asked


Perception: TypeAlias = Callable[[Asked, Profile], Asked]
Corruption: TypeAlias = Callable[[ActionChunk, Moment], ActionChunk]


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault, declared beforehand.

    hazardous: whether, with nobody to stop it, it brings contacts or exceeded limits. onset_s: when, from the episode's
    begin. task: one of TASKS. because: how it comes about. perceive: what becomes of the questions.
    """

    name: str
    hazardous: bool
    onset_s: float
    task: str
    corrupt: Corruption
    because: str
    perceive: Perception = as_it_is


class Faulty:
    """A policy that has a fault from `onset_ns` on; before that it is the policy that it wraps."""

    def __init__(
        self,
        policy: Policy,
        fault: Fault,
        onset_ns: int,
        *,
        profile: Profile,
        tool: Tool,
        task: Task,
        rng: np.random.Generator,
    ) -> None:
        self._policy = policy
        self._fault = fault
        self._onset_ns = onset_ns
        self._profile = profile
        self._tool = tool
        self._task = task
        self._rng = rng
        self._asked: Asked | None = None
        self._earlier: tuple[ActionChunk, ...] = ()

    def ask(self, asked: Asked) -> None:
        """Asks the policy what it understands of the question."""
        self._asked = asked
        begun = asked.first_row_ns >= self._onset_ns
        self._policy.ask(self._fault.perceive(asked, self._profile) if begun else asked)

    def answer(self, now_ns: int) -> ActionChunk | Malformed | None:
        """The policy's answer, spoilt where any of its rows is reached after the onset."""
        chunk = self._policy.answer(now_ns)
        if not isinstance(chunk, ActionChunk) or self._asked is None or chunk.stamps.first_row_ns is None:
            return chunk
        reached_s = chunk.period_s * np.arange(1.0, len(chunk.values) + 1.0)
        since_s = (chunk.stamps.first_row_ns - self._onset_ns) / 1e9 + reached_s
        moment = Moment(self._profile, self._tool, self._task, self._rng, self._asked, self._earlier, since_s)
        self._earlier = (*self._earlier, chunk)
        return self._fault.corrupt(chunk, moment) if since_s[-1] > 0.0 else chunk
