"""An adapter answers the closed loop: later, once, and with what was asked on it."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from interlock.chunk import ActionChunk, Noise
from interlock.motion import Reference
from interlock.robots import Asked
from interlock.robots.policy_conformance import POLICY_CHECKS, PolicyTrial
from interlock.scene import Scene
from interlock_policies.answer import Contract, Decoded
from interlock_policies.in_loop import InLoop
from tests.policies.promised import contract
from tests.supervisor.robots.test_loop import Bench
from tests.supervisor.toy import MS, NOW, OPEN, START, state

REST = Reference(np.array(START), np.zeros(2), np.zeros(2), np.array([OPEN]))


def asked(sequence: int = 0) -> Asked:
    return Asked(NOW, state(), Scene("automatic", ()), NOW + 300 * MS, REST, sequence)


class Echo:
    """Answers with rows of the seed, when it is let."""

    def __init__(self, promised: Contract | None = None) -> None:
        self.contract = promised or contract()
        self.may = threading.Event()
        self.may.set()
        self.error: Exception | None = None

    def answer(self, seen: str, seed: int) -> Decoded:
        self.may.wait(10.0)
        if self.error is not None:
            raise self.error
        if seen == "nothing":
            return self.contract.failed("nothing is seen", "", Noise(seed, "n"))
        return self.contract.decoded(lambda: np.full((2, 3), float(seed)), "raw", Noise(seed, "n"))


def answered(policy: InLoop[str], now_ns: int) -> ActionChunk:
    """What the thread answers before long."""
    for _ in range(1000):
        chunk = policy.answer(now_ns)
        if chunk is not None:
            return chunk
        time.sleep(0.01)
    raise AssertionError("no answer came")


def test_a_chunk_says_when_it_was_seen_asked_and_answered() -> None:
    policy = InLoop(Echo(), lambda _: "a scene", session="s", seed=100)

    policy.ask(asked(sequence=7))
    chunk = answered(policy, NOW + 80 * MS)

    assert (chunk.session, chunk.sequence, chunk.noise) == ("s", 7, Noise(107, "n"))
    assert (chunk.stamps.observation_ns, chunk.stamps.request_ns) == (state().seen_ns, NOW)
    assert (chunk.stamps.received_ns, chunk.stamps.first_row_ns) == (NOW + 80 * MS, NOW + 300 * MS)
    assert chunk.stamps.expiry_ns == NOW + 2300 * MS
    assert chunk.values.tolist() == [[107.0] * 3] * 2
    assert chunk.anchor is not None
    assert chunk.anchor.tolist() == list(START)
    policy.close()


def test_asking_never_waits_for_the_answer_which_is_given_once() -> None:
    adapter = Echo()
    policy = InLoop(adapter, lambda _: "a scene", session="s", seed=0)
    adapter.may.clear()

    policy.ask(asked())
    early = policy.answer(NOW + 1)
    adapter.may.set()
    chunk = answered(policy, NOW + 2)

    assert early is None
    assert chunk.stamps.received_ns == NOW + 2
    assert policy.answer(NOW + 3) is None
    policy.close()


def test_in_simulated_time_it_answers_after_its_latency() -> None:
    policy = InLoop(Echo(), lambda _: "a scene", session="s", seed=0, latency_ns=100 * MS)

    policy.ask(asked())

    assert policy.answer(NOW + 99 * MS) is None
    assert policy.answer(NOW + 100 * MS) is not None
    policy.close()


@pytest.mark.parametrize("latency_ns", [None, 0], ids=["in a thread", "at once"])
def test_what_the_adapter_raises_comes_out_of_the_loop(latency_ns: int | None) -> None:
    adapter = Echo()
    adapter.error = RuntimeError("out of memory")
    policy = InLoop(adapter, lambda _: "a scene", session="s", seed=0, latency_ns=latency_ns)

    def round_trip() -> Any:
        policy.ask(asked())
        return answered(policy, NOW)

    with pytest.raises(RuntimeError, match="out of memory"):
        round_trip()
    policy.close()


def test_F12_a_failed_decode_is_a_chunk_that_says_so_and_the_reason_is_kept() -> None:
    policy = InLoop(Echo(), lambda _: "nothing", session="s", seed=0, latency_ns=0)

    policy.ask(asked())
    chunk = policy.answer(NOW)

    assert chunk is not None
    assert chunk.decode == "failed"
    assert policy.reasons == ["nothing is seen"]


@pytest.mark.parametrize("name", POLICY_CHECKS)
def test_it_conforms_to_the_port_of_policies(name: str) -> None:
    bench = Bench()
    bench.clock.robot = bench.robot
    policy = InLoop(Echo(), lambda _: "a scene", session="s", seed=0, latency_ns=100 * MS)

    def now_asked(sequence: int) -> Asked:
        seen, scene = bench.robot.read()
        first = bench.clock.now + 300 * MS
        return Asked(bench.clock.now, seen, scene, first, bench.supervisor.reference(seen, first), sequence)

    rules = bench.supervisor.rules
    rules = replace(rules, accepts=replace(rules.accepts, rows_min=2, execute=2))
    POLICY_CHECKS[name](PolicyTrial(policy, rules, bench.clock, now_asked, 400 * MS))
