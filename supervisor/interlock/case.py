"""One question to the judge: a chunk, what is known at this moment, what was promised before, and the rules."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from .chunk import ActionChunk, Malformed
from .motion import Plan
from .rules import RuleSet
from .scene import RobotState, Scene
from .verdict import Decision

Mode: TypeAlias = Literal["ready", "running", "slowed", "holding", "stopped"]


@dataclass(frozen=True, slots=True, eq=False)
class Memory:
    """What the supervisor remembers between reviews.

    plan: the committed plan. session, sequence, observation_ns: of the last chunk judged in this session. vetoes: in a
    row. comfortable: permits in a row with at least 5 % of margin in all that slows, which end `slowed` (F-40).
    escape_since_ns: when a motion out of a violated start was first permitted. latch: why the supervisor is stopped
    (empty: it is not).
    """

    state: Mode = "ready"
    plan: Plan | None = None
    session: str = ""
    sequence: int = -1
    observation_ns: int = -1
    vetoes: int = 0
    comfortable: int = 0
    escape_since_ns: int | None = None
    latch: str = ""

    def after(self, case: Case, decision: Decision) -> Memory:
        """The memory after a decision: pure, so that replay follows."""
        if self.state == "stopped":  # only a reset ends that
            return self
        seen = self._seen(case)
        if not decision.permitted:
            held = replace(seen, state="holding", vetoes=self.vetoes + 1, comfortable=0)
            return replace(held, state="stopped", latch=why(decision)) if decision.reaction == "stop" else held
        escaping = decision.verdict.escape
        easy = self.comfortable + 1 if decision.reaction == "permit" and _easy(decision) else 0
        slowed = decision.reaction == "slow" or (self.state == "slowed" and easy < CHUNKS_TO_RECOVER)
        return replace(
            seen,
            state="slowed" if slowed else "running",
            plan=decision.plan,
            vetoes=0,
            comfortable=easy,
            escape_since_ns=(self.escape_since_ns if self.escape_since_ns is not None else case.now_ns)
            if escaping
            else None,
        )

    def _seen(self, case: Case) -> Memory:
        """With the chunk's session, sequence and observation; a stamp from the future counts for nothing, or it would
        lock out all honest ones until then.
        """
        chunk = case.chunk
        if not isinstance(chunk, ActionChunk):
            return self
        observed = chunk.stamps.observation_ns
        return replace(
            self,
            session=chunk.session,
            sequence=max(chunk.sequence, self.sequence if chunk.session == self.session else -1),
            observation_ns=max(self.observation_ns, observed)
            if observed is not None and observed <= case.now_ns
            else self.observation_ns,
        )


CHUNKS_TO_RECOVER = 2
EASY_SHARE = 0.05


def _easy(decision: Decision) -> bool:
    """Whether all that slows is far from its limit; other limits may be met exactly, as the force of a hand is."""
    slowing = [finding for finding in decision.verdict.findings if finding.reaction in {"slow", "truncate"}]
    return all(finding.margin >= EASY_SHARE * abs(finding.limit) for finding in slowing)


def why(decision: Decision) -> str:
    """The worst violation of a refusal, in words."""
    return "; ".join(f"{finding.rule}: {finding.message}" for finding in decision.verdict.violated[:1])


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """All that a decision depends on. `now_ns` is the supervisor's monotonic clock; no chunk: the committed plan is
    judged again.
    """

    now_ns: int
    chunk: ActionChunk | Malformed | None
    state: RobotState
    scene: Scene
    memory: Memory
    rules: RuleSet
