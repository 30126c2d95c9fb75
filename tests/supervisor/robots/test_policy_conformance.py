"""Each check passes for a policy that does what it must, and names what each bad policy does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.chunk import ActionChunk, Malformed, Normalisation
from interlock.robots import Asked
from interlock.robots.conformance import NotConforming
from interlock.robots.policy_conformance import POLICY_CHECKS, PolicyTrial
from interlock.robots.port import Policy as Port
from tests.supervisor.robots.test_loop import Bench, Policy, steady
from tests.supervisor.toy import MS

Make = Callable[[Bench], Port]


def trial(make: Make = lambda bench: bench.policy) -> PolicyTrial:
    bench = Bench(Policy(honest))
    bench.clock.robot = bench.robot

    def asked(sequence: int) -> Asked:
        state, scene = bench.robot.read()
        now = bench.clock.now
        first = now + 340 * MS
        return Asked(now, state, scene, first, bench.supervisor.reference(state, first), sequence)

    return PolicyTrial(make(bench), bench.supervisor.rules, bench.clock, asked, 400 * MS)


def honest(asked: Asked) -> ActionChunk:
    return replace(steady(asked), id=f"s-{asked.sequence}")


def answering(**changes: Any) -> Make:
    return lambda _: Policy(lambda asked: replace(honest(asked), **changes))


def stamping(**changes: Any) -> Make:
    def spoiled(asked: Asked) -> ActionChunk:
        found = honest(asked)
        return replace(found, stamps=replace(found.stamps, **changes))

    return lambda _: Policy(spoiled)


class Blocking(Policy):
    """Thinks where it is asked, and the loop waits."""

    def __init__(self, bench: Bench, *, asking: bool) -> None:
        super().__init__(honest)
        self.bench, self.asking = bench, asking

    def ask(self, asked: Asked) -> None:
        super().ask(asked)
        self.bench.clock.now += 21 * MS * self.asking

    def answer(self, now_ns: int) -> ActionChunk | Malformed | None:
        self.bench.clock.now += 21 * MS * (not self.asking)
        return super().answer(now_ns)


class Repeating(Policy):
    """Gives its last answer until there is another."""

    last: ActionChunk | Malformed | None = None

    def answer(self, now_ns: int) -> ActionChunk | Malformed | None:
        self.last = super().answer(now_ns) or self.last
        return self.last


class Eager(Policy):
    def answer(self, now_ns: int) -> ActionChunk | Malformed | None:
        return Malformed("nobody asked", "0") if not self.asked else super().answer(now_ns)


WRONG = np.zeros((50, 2))
BAD: list[tuple[str, Make, str]] = [
    ("asks_without_waiting", lambda bench: Blocking(bench, asking=True), "ask took 21"),
    ("asks_without_waiting", lambda bench: Blocking(bench, asking=False), "answer took 21"),
    ("answers_nothing_unasked", lambda _: Eager(honest), "nobody asked"),
    ("answers_each_question_once", lambda _: Repeating(honest), "question 0 is given twice"),
    ("answers_each_question_once", lambda _: Policy(honest, silent_after=0), "no answer came within 0.4 s"),
    ("answers_each_question_once", lambda _: Policy(honest, latency_ns=500 * MS), "no answer came within 0.4 s"),
    ("answers_what_was_asked", lambda _: Policy(lambda _: Malformed("noise", "0")), "is garbled: noise"),
    ("answers_what_was_asked", stamping(first_row_ns=7), "first_row_ns is 7"),
    ("answers_what_was_asked", stamping(observation_ns=7), "observation_ns is 7"),
    ("answers_what_was_asked", stamping(request_ns=None), "must be said"),
    ("answers_what_was_asked", stamping(received_ns=None), "must be said"),
    ("answers_what_was_asked", stamping(request_ns=7), "must follow one another"),
    ("answers_what_was_asked", stamping(received_ns=10**18), "must follow one another"),
    ("answers_what_was_asked", stamping(expiry_ns=7), "expiry_ns is 7"),
    ("answers_what_was_asked", stamping(expiry_ns=None), "expiry_ns is None"),
    ("counts_its_answers", lambda _: Policy(lambda asked: replace(honest(asked), session=str(asked.sequence))), "one$"),
    ("counts_its_answers", answering(id="c"), "3 different ones"),
    ("counts_its_answers", answering(sequence=4), "expected rising ones"),
    ("answers_what_the_rules_accept", answering(layout="0" * 64), "accepted are absolute"),
    ("answers_what_the_rules_accept", answering(profile="0" * 64), "of the robot 000"),
    ("answers_what_the_rules_accept", answering(decode="failed"), "a decode that is failed"),
    ("answers_what_the_rules_accept", answering(space="normalised"), "in normalised space"),
    ("answers_what_the_rules_accept", answering(normalisation=Normalisation("z_score", "", "")), "with z_score of the"),
    ("answers_what_the_rules_accept", answering(normalisation=Normalisation("none", "", "ab")), "with none of the"),
    ("answers_what_the_rules_accept", answering(period_s=0.021), "0.021 s a row"),
    ("answers_what_the_rules_accept", answering(period_s=np.nan), "nan s a row"),
    ("answers_what_the_rules_accept", answering(values=WRONG, mask=WRONG == 0.0), r"of shape \(50, 2\)"),
    ("answers_what_the_rules_accept", answering(mask=WRONG == 0.0), r"a mask of shape \(50, 2\)"),
    ("answers_what_the_rules_accept", answering(values=np.zeros((65, 3)), mask=np.ones((65, 3)) == 1.0), "of 65 rows"),
    ("answers_what_the_rules_accept", answering(values=np.full((50, 3), np.nan)), "not finite"),
]  # fmt: skip


@pytest.mark.parametrize("name", POLICY_CHECKS)
def test_a_policy_that_does_what_it_must_conforms(name: str) -> None:
    POLICY_CHECKS[name](trial())


@pytest.mark.parametrize(
    ("name", "make", "said"), BAD, ids=[f"{name}-{index}" for index, (name, _, _) in enumerate(BAD)]
)
def test_F17_a_bad_policy_is_caught_by_name(name: str, make: Make, said: str) -> None:
    with pytest.raises(NotConforming, match=said):
        POLICY_CHECKS[name](trial(make))


def test_every_check_catches_some_policy() -> None:
    assert {name for name, _, _ in BAD} == set(POLICY_CHECKS)


@given(st.integers(0, 400))
def test_an_answer_within_its_time_is_waited_for(latency_ms: int) -> None:
    POLICY_CHECKS["answers_what_was_asked"](trial(lambda _: Policy(honest, latency_ns=latency_ms * MS)))
