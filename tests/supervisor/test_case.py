"""What is remembered between reviews: hysteresis, latch, sequence, and nothing that a refused chunk may poison."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from interlock.case import CHUNKS_TO_RECOVER, Memory, why
from interlock.chunk import ActionChunk, Malformed
from interlock.decide import decide, unrecorded
from interlock.verdict import Decision
from tests.supervisor.toy import MS, NOW, Apart, Physics, Reach, Speed, case, chunk, ramp, rule, rules, stamps

FAST = chunk(ramp(20, speed=(0.9, 0.1)))
TIGHT = chunk(ramp(20, speed=(0.49, 0.1)))
REFUSED = chunk(decode="failed")


def after(memory: Memory, proposal: ActionChunk | Malformed, **changes: Any) -> Memory:
    found = case(proposal, memory=memory, **changes)
    return memory.after(found, decide(found, Physics()))


def numbered(proposals: list[ActionChunk]) -> list[ActionChunk]:
    return [
        replace(proposal, sequence=index, stamps=stamps(observation_ns=NOW - 60 * MS + index))
        for index, proposal in enumerate(proposals)
    ]


@pytest.mark.parametrize(
    ("proposals", "states"),
    [
        ([FAST, chunk(), chunk(), chunk()], ["slowed", "slowed", "running", "running"]),
        ([FAST, chunk(), TIGHT, chunk(), chunk()], ["slowed", "slowed", "slowed", "slowed", "running"]),
        ([chunk(), TIGHT, FAST, chunk()], ["running", "running", "slowed", "slowed"]),
        ([chunk(), REFUSED, chunk()], ["running", "holding", "running"]),
    ],
)
def test_F40_a_slowed_robot_recovers_after_two_comfortable_chunks(
    proposals: list[ActionChunk], states: list[str]
) -> None:
    memory, found = Memory(), list[str]()

    for proposal in numbered(proposals):
        memory = replace(after(memory, proposal), plan=None)
        found.append(memory.state)

    assert found == states
    assert CHUNKS_TO_RECOVER == 2


def test_F40_advice_that_is_not_followed_does_not_keep_a_robot_slowed() -> None:
    advised = rules(rule(Speed(), "slow"), rule(Reach(0.0), "warn"))

    assert after(Memory(), chunk(), rules=advised).comfortable == 1


def test_F40_a_limit_that_is_met_exactly_and_never_slows_does_not_keep_a_robot_slowed() -> None:
    plan = decide(case(chunk()), Physics()).plan
    assert plan is not None
    furthest = rules(rule(Speed(), "slow"), rule(Reach(float(plan.positions.max()))))
    decision = decide(case(chunk(), rules=furthest), Physics())

    assert min(finding.margin for finding in decision.verdict.findings if finding.kind == "toy_reach") == 0.0
    assert after(Memory(), chunk(), rules=furthest).comfortable == 1


def test_vetoes_are_counted_until_one_chunk_is_permitted() -> None:
    refused = after(after(Memory(), Malformed("x", "")), REFUSED)

    permitted = after(refused, chunk(sequence=2, stamps=stamps(observation_ns=NOW - 40 * MS)))

    assert (refused.vetoes, refused.state) == (2, "holding")
    assert (permitted.vetoes, permitted.state) == (0, "running")


def test_a_veto_keeps_the_committed_plan_and_a_permit_replaces_it() -> None:
    moving = after(Memory(), chunk())

    assert moving.plan is not None
    assert after(moving, REFUSED).plan is moving.plan
    assert after(Memory(), chunk()).plan is not moving.plan


@pytest.mark.parametrize("proposal", [chunk(), REFUSED, Malformed("noise", "0")])
def test_F40_only_a_reset_ends_a_stop(proposal: ActionChunk | Malformed) -> None:
    stopped = Memory(state="stopped", latch="a person came in", sequence=7)

    assert after(stopped, proposal) is stopped
    assert (
        stopped.after(case(), Decision("veto", 0, 0, 0.0, decide(case(REFUSED), Physics()).attempts, None)) is stopped
    )


def test_F40_a_stop_remembers_why() -> None:
    found = after(Memory(vetoes=4), Malformed("noise", "0"))

    assert (found.state, found.latch) == ("stopped", "check:vetoes: 5 vetoes in a row; the profile stops at 5")
    assert "disk full" in why(unrecorded(decide(case(), Physics()), "disk full"))


def test_F18_sequence_and_observation_are_remembered_even_of_a_refused_chunk() -> None:
    found = after(Memory(), chunk(sequence=8, decode="failed"))

    assert (found.session, found.sequence, found.observation_ns) == ("s", 8, NOW - 50 * MS)
    again = decide(case(chunk(sequence=8), memory=found), Physics())
    assert {finding.rule for finding in again.verdict.violated} == {"check:sequence"}
    assert len(again.verdict.violated) == 2


def test_F18_a_stamp_from_the_future_does_not_lock_out_honest_ones() -> None:
    poisoned = after(Memory(), chunk(stamps=stamps(observation_ns=2**62)))

    found = after(poisoned, chunk(sequence=2))

    assert poisoned.observation_ns == -1
    assert poisoned.state == "holding"
    assert found.state == "running"


def test_F18_numbers_never_go_back_within_a_session_and_start_afresh_in_another() -> None:
    known = Memory(session="s", sequence=9, observation_ns=NOW - 40 * MS)

    same = after(known, chunk(sequence=3, stamps=stamps(observation_ns=None)))
    other = after(known, chunk(session="t", sequence=3))

    assert (same.sequence, same.observation_ns) == (9, NOW - 40 * MS)
    assert (other.session, other.sequence, other.observation_ns) == ("t", 3, NOW - 40 * MS)


def test_F31_the_time_of_an_escape_counts_from_its_first_permit() -> None:
    away = chunk(ramp(20, (-0.05, 0.0)))
    physics = Physics({("arm", "post"): lambda q: np.asarray(0.005 + 0.5 * (0.1 - q[:, 0]))})
    found = case(away, rules=rules(rule(Apart())))
    first = Memory().after(found, decide(found, physics))

    later = replace(found, now_ns=NOW + MS)
    second = first.after(later, decide(found, physics))
    clear = second.after(later, decide(case(), Physics()))

    assert (first.escape_since_ns, second.escape_since_ns, clear.escape_since_ns) == (NOW, NOW, None)
