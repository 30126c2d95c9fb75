"""What every policy behind the port must do, as checks that any test runner can call, like those of `conformance`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType
from typing import Final

import numpy as np

from interlock.chunk import ActionChunk, Malformed, Normalisation
from interlock.rules import RuleSet

from .conformance import NotConforming
from .port import Asked, Clock, Policy

QUESTIONS: Final = 3  # how many are asked where one tells nothing


@dataclass(frozen=True, slots=True, eq=False)
class PolicyTrial:
    """A policy that was asked nothing so far, the rules that its chunks are for, and its clock. `asked` makes the
    question of a sequence number, as of now; `patience_ns` is how long an answer may take.
    """

    policy: Policy
    rules: RuleSet
    clock: Clock
    asked: Callable[[int], Asked]
    patience_ns: int

    @property
    def period_ns(self) -> int:
        """One row period [ns]."""
        return round(self.rules.accepts.period_s * 1e9)

    def answer(self) -> ActionChunk | Malformed:
        """The answer to what was asked; raises NotConforming where none comes in time."""
        until = self.clock.now_ns() + self.patience_ns
        while True:
            found = self.policy.answer(self.clock.now_ns())
            if found is not None:
                return found
            if self.clock.now_ns() >= until:
                raise NotConforming(
                    f"no answer came within {self.patience_ns / 1e9:g} s: a policy that is dead, or late"
                )
            self.clock.sleep_until(self.clock.now_ns() + self.period_ns)

    def chunk(self, sequence: int) -> tuple[Asked, ActionChunk]:
        """A question, and the chunk that answers it; raises NotConforming for what is none."""
        asked = self.asked(sequence)
        self.policy.ask(asked)
        found = self.answer()
        if isinstance(found, Malformed):
            raise NotConforming(f"the answer is garbled: {found.reason}")
        return asked, found


def asks_without_waiting(trial: PolicyTrial) -> None:
    """`ask` returns within one row period, and what is not there yet is None."""
    asked = trial.asked(0)
    began = trial.clock.now_ns()
    trial.policy.ask(asked)
    took = trial.clock.now_ns() - began
    if not took <= trial.period_ns:
        raise NotConforming(f"ask took {took / 1e6:.1f} ms; at most one row period, {trial.period_ns / 1e6:g} ms")
    began = trial.clock.now_ns()
    trial.policy.answer(began)
    took = trial.clock.now_ns() - began
    if not took <= trial.period_ns:
        raise NotConforming(f"answer took {took / 1e6:.1f} ms; at most one row period, {trial.period_ns / 1e6:g} ms")


def answers_nothing_unasked(trial: PolicyTrial) -> None:
    """Before the first question there is no answer."""
    if trial.policy.answer(trial.clock.now_ns()) is not None:
        raise NotConforming("there is an answer, and nobody asked")


def answers_each_question_once(trial: PolicyTrial) -> None:
    """An answer that was given is not given again."""
    for sequence in range(QUESTIONS):
        trial.policy.ask(trial.asked(sequence))
        trial.answer()
        trial.clock.sleep_until(trial.clock.now_ns() + trial.period_ns)
        if trial.policy.answer(trial.clock.now_ns()) is not None:
            raise NotConforming(f"the answer to question {sequence} is given twice")


def answers_what_was_asked(trial: PolicyTrial) -> None:
    """Stamps are of the question: when it was seen and asked, when row 0 is due, none later than now."""
    asked, found = trial.chunk(0)
    now, stamps = trial.clock.now_ns(), found.stamps
    for name, value, expected in (
        ("first_row_ns", stamps.first_row_ns, asked.first_row_ns),
        ("observation_ns", stamps.observation_ns, asked.state.seen_ns),
    ):
        if value != expected:
            raise NotConforming(f"{name} is {value}, asked for {expected}")
    if stamps.request_ns is None or stamps.received_ns is None:
        raise NotConforming("request_ns and received_ns must be said")
    if not asked.request_ns <= stamps.request_ns <= stamps.received_ns <= now:
        raise NotConforming(f"asked at {asked.request_ns}, request_ns {stamps.request_ns}, received_ns "
                            f"{stamps.received_ns}, now {now}: they must follow one another")  # fmt: skip
    last = asked.first_row_ns + trial.rules.accepts.execute * trial.period_ns
    if stamps.expiry_ns is None or not stamps.expiry_ns >= last:
        raise NotConforming(f"expiry_ns is {stamps.expiry_ns}; rows are executed until {last}")


def counts_its_answers(trial: PolicyTrial) -> None:
    """One session; ids differ, and sequence numbers rise."""
    found = [trial.chunk(sequence)[1] for sequence in range(QUESTIONS)]
    if len({one.session for one in found}) != 1:
        raise NotConforming(f"answers are of sessions {sorted({one.session for one in found})}; expected one")
    if len({one.id for one in found}) != QUESTIONS:
        raise NotConforming(f"answers have the ids {[one.id for one in found]}; expected {QUESTIONS} different ones")
    if not all(one.sequence < other.sequence for one, other in pairwise(found)):
        raise NotConforming(f"sequence numbers are {[one.sequence for one in found]}; expected rising ones")


def answers_what_the_rules_accept(trial: PolicyTrial) -> None:
    """Layout, robot, period, shape and space are what the rule set takes, and every number is one."""
    accepts, found = trial.rules.accepts, trial.chunk(0)[1]
    layouts = {layout.digest: layout for layout in accepts.layouts}
    if found.layout not in layouts:
        raise NotConforming(f"the layout has the digest {found.layout[:12]}; accepted are "
                            f"{', '.join(f'{one.name} ({one.digest[:12]})' for one in accepts.layouts)}")  # fmt: skip
    columns = len(layouts[found.layout].channels)
    rows = found.values.shape[0]
    undone = found.normalisation or Normalisation("none", "", "")
    for name, good, said in (
        ("profile", found.profile == trial.rules.profile_digest, f"of the robot {found.profile[:12]}"),
        ("decode", found.decode == "ok", f"a decode that is {found.decode}"),
        ("space", found.space == "physical", f"in {found.space} space"),
        ("normalisation", (undone.kind, undone.digest) == (accepts.normalisation, accepts.statistics),
            f"with {undone.kind} of the statistics {undone.digest[:12]!r} undone"),
        ("period", abs(found.period_s - accepts.period_s) <= 1e-3 * accepts.period_s, f"{found.period_s} s a row"),
        ("shape", found.values.shape == (rows, columns), f"of shape {found.values.shape}"),
        ("mask", found.mask.shape == found.values.shape, f"with a mask of shape {found.mask.shape}"),
        ("rows", accepts.rows_min <= rows <= accepts.rows_max, f"of {rows} rows"),
        ("numbers", bool(np.isfinite(found.values).all()), "with numbers that are not finite"),
    ):  # fmt: skip
        if not good:
            raise NotConforming(f"{name}: the chunk is {said}; the rule set {trial.rules.name!r} does not accept that")


POLICY_CHECKS: Final[Mapping[str, Callable[[PolicyTrial], None]]] = MappingProxyType({
    check.__name__: check
    for check in (
        asks_without_waiting, answers_nothing_unasked, answers_each_question_once, answers_what_was_asked,
        counts_its_answers, answers_what_the_rules_accept,
    )
})  # fmt: skip
"""Every check, by name; each needs a fresh trial."""
