"""A simulated policy's chunks and their latency."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from interlock.arrays import FloatArray
from interlock.chunk import ActionChunk
from interlock.motion import Reference
from interlock.profile import Profile
from interlock.robots import Asked
from interlock.scene import RobotState, Scene
from interlock_sim.policy import ROWS, SimPolicy


class Still:
    def rows(self, asked: Asked) -> FloatArray:
        return np.tile(np.append(asked.reference.positions, 0.04), (ROWS, 1))


def question(request_ns: int) -> Asked:
    zeros = np.zeros(7)
    state = RobotState(request_ns, (), zeros, zeros, np.array([0.04]))
    return Asked(
        request_ns, state, Scene("automatic"), request_ns + 10**9, Reference(zeros, zeros, zeros, zeros[:1]), 3
    )


@given(seed=st.integers(0, 2**32 - 1))
def test_the_answer_comes_once_after_100_to_300_ms(profile: Profile, seed: int) -> None:
    policy = SimPolicy(Still(), profile, np.random.default_rng(seed))
    policy.ask(question(0))

    early = policy.answer(99_000_000)
    chunk = policy.answer(300_000_000)
    again = policy.answer(301_000_000)

    assert early is None
    assert again is None
    assert isinstance(chunk, ActionChunk)
    assert chunk.stamps.received_ns is not None
    assert 100_000_000 <= chunk.stamps.received_ns <= 300_000_000


def test_a_chunk_says_all_that_a_rule_set_asks_for(profile: Profile) -> None:
    policy = SimPolicy(Still(), profile, np.random.default_rng(0), instruction="stay")
    policy.ask(question(5))

    chunk = policy.answer(10**9)

    assert isinstance(chunk, ActionChunk)
    assert (chunk.layout, chunk.profile) == (profile.layouts[0].digest, profile.digest)
    assert (chunk.sequence, chunk.horizon, chunk.period_s, chunk.values.shape) == (3, 25, 0.02, (50, 8))
    assert (chunk.stamps.observation_ns, chunk.stamps.first_row_ns) == (5, 5 + 10**9)
    assert chunk.mask.all()
