"""One pure decision: whatever a chunk holds there is one, and what it permits stands up to a second look."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.case import Case, Memory
from interlock.chunk import ActionChunk, Malformed
from interlock.decide import decide, late, unrecorded
from interlock.jsonform import canonical, to_json
from interlock.lower import reference_at
from interlock.motion import Motion
from interlock.rules import Trace
from interlock.verdict import Decision
from tests.supervisor.toy import (
    LAYOUTS,
    MS,
    NOW,
    OPEN,
    PERIOD,
    PERIOD_S,
    START,
    Apart,
    Physics,
    Reach,
    Scripted,
    Speed,
    case,
    chunk,
    plan,
    profile,
    ramp,
    rule,
    rules,
    stamps,
    state,
)
from tests.supervisor.values import chunks

POST = ("arm", "post")
FAST = ramp(20, speed=(0.9, 0.1))


def second_look(found: Case, decision: Decision) -> list[str]:
    """What is wrong with a permitted plan, worked out from its nodes alone."""
    assert decision.plan is not None
    made, limit = decision.plan, 0.5
    seconds = (made.times_ns - made.rows_start_ns) / 1e9
    mine = seconds >= 0.0
    nodes, times = made.positions[mine], seconds[mine]
    speeds = np.abs(np.diff(nodes, axis=0)) / np.diff(times)[:, None]
    reference = reference_at(found.memory, found.state, made.rows_start_ns, found.now_ns)
    wrong = {
        "too fast": bool((speeds > limit * (1 + 1e-9)).any()),
        "no number": not np.isfinite(made.positions).all(),
        "starts elsewhere": not np.allclose(nodes[0], reference.positions),
        "does not rest": bool((nodes[-1] != nodes[-2]).any()),
        "too far": bool((made.positions > 1.5).any()),
        "begins in the past": made.rows_start_ns < found.now_ns,
    }
    return [name for name, is_so in wrong.items() if is_so]


def test_what_every_rule_allows_is_permitted_as_it_is() -> None:
    decision = decide(case(chunk(horizon=6)), Physics())

    assert (decision.reaction, decision.start_row, decision.rows, decision.progress) == ("permit", 0, 6, 1.0)
    assert [attempt.amendment for attempt in decision.attempts] == ["as proposed"]
    assert second_look(case(), decision) == []


def test_F35_a_slowed_motion_is_judged_again_by_every_rule() -> None:
    found = case(chunk(FAST))

    decision = decide(found, Physics())

    names = {finding.rule for finding in decision.attempts[0].verdict.findings}
    assert decision.reaction == "slow"
    assert decision.attempts[1].amendment.startswith("slowed to 0.5")
    assert {finding.rule for finding in decision.verdict.findings} == names
    assert 0.4 < decision.progress < 0.56
    assert second_look(found, decision) == []


def test_F35_what_slowing_makes_worse_is_refused_by_the_rule_that_sees_it() -> None:
    def lingers(motion: Motion) -> tuple[Trace, ...]:
        near = float(motion.positions[motion.row >= 0, 0].max()) < 0.3
        return (replace(Reach().measure(case(), motion, ())[0], margin=np.full(len(motion), -1.0 if near else 1.0)),)

    decision = decide(case(chunk(FAST), rules=rules(rule(Speed(), "slow"), rule(Scripted(lingers)))), Physics())

    assert not decision.permitted
    assert [attempt.verdict.reaction for attempt in decision.attempts][:2] == ["slow", "veto"]


def test_at_most_three_slowings_then_a_cut_then_a_veto_and_all_on_record() -> None:
    def never(motion: Motion) -> tuple[Trace, ...]:
        return Speed(0.1).measure(case(), replace(motion, velocities=motion.velocities * 0.0 + 0.11), ())

    decision = decide(case(rules=rules(rule(Scripted(never), "slow"))), Physics())

    assert decision.reaction == "veto"
    assert [attempt.amendment[:6] for attempt in decision.attempts] == ["as pro", "slowed", "slowed", "slowed"]


def test_a_motion_is_not_slowed_below_a_twentieth() -> None:
    def halves(motion: Motion) -> tuple[Trace, ...]:
        return Speed(0.1).measure(case(), replace(motion, velocities=motion.velocities * 0.0 + 0.5), ())

    decision = decide(case(rules=rules(rule(Scripted(halves), "slow"))), Physics())

    assert [attempt.amendment for attempt in decision.attempts] == ["as proposed", "slowed to 0.199"]


def test_a_motion_is_cut_before_what_refuses_its_end() -> None:
    found = case(chunk(ramp(40, speed=(0.4, 0.0))), rules=rules(rule(Reach(0.3), "truncate"), rule(Speed())))

    decision = decide(found, Physics())

    assert decision.reaction == "truncate"
    assert decision.plan is not None
    assert decision.attempts[1].amendment == f"cut to {decision.rows} rows"
    assert decision.plan.positions[:, 0].max() <= 0.3
    assert decision.progress == decision.rows / 40


def test_F35_a_cut_motion_that_still_violates_is_refused() -> None:
    found = case(
        chunk(ramp(40, speed=(0.4, 0.0))), rules=rules(rule(Reach(0.3), "truncate"), rule(Apart(), "truncate"))
    )

    decision = decide(found, Physics({POST: lambda q: 0.13 - q[:, 0]}))

    assert not decision.permitted
    late_trouble = Scripted(lambda motion: Reach(0.3).measure(case(), motion, ()) if 39 in motion.row else ())
    again = decide(replace(found, rules=rules(rule(late_trouble, "truncate"))), Physics())
    assert [attempt.amendment for attempt in again.attempts] == ["as proposed", "cut to 22 rows"]
    assert not again.permitted


@pytest.mark.parametrize(
    ("reaction", "expected"), [("veto", "veto"), ("stop", "stop"), ("slow", "veto"), ("truncate", "veto")]
)
def test_the_strictest_reaction_of_a_violated_rule_wins(reaction: Any, expected: str) -> None:
    found = case(chunk(FAST), rules=rules(rule(Speed(), "slow"), rule(Reach(0.05), reaction)))

    assert decide(found, Physics()).reaction == expected


@pytest.mark.parametrize(("vetoes", "reaction"), [(0, "veto"), (3, "veto"), (4, "stop"), (9, "stop")])
def test_F40_too_many_vetoes_in_a_row_are_a_stop_that_says_so(vetoes: int, reaction: str) -> None:
    decision = decide(case(Malformed("noise", "0"), memory=Memory(vetoes=vetoes)), Physics())

    assert decision.reaction == reaction
    said = {finding.rule for finding in decision.verdict.violated}
    assert ("check:vetoes" in said) is (reaction == "stop")


@pytest.mark.parametrize("proposal", [chunk(), Malformed("noise", "0"), chunk(decode="failed")])
def test_F40_a_stopped_supervisor_refuses_everything_even_what_cannot_be_read(
    proposal: ActionChunk | Malformed,
) -> None:
    decision = decide(case(proposal, memory=Memory(state="stopped", latch="a person came in")), Physics())

    assert decision.reaction == "stop"
    assert decision.verdict.violated[0].message == "stopped: a person came in"


def test_F31_an_escape_that_takes_too_long_is_a_stop_that_says_so() -> None:
    away = case(chunk(ramp(20, (-0.05, 0.0))), rules=rules(rule(Apart())))
    physics = Physics({POST: lambda q: 0.005 + 0.5 * (0.1 - q[:, 0])})

    in_time = decide(away, physics)
    too_long = decide(replace(away, memory=Memory(escape_since_ns=NOW - 5001 * MS)), physics)

    assert in_time.reaction == "permit"
    assert too_long.reaction == "stop"
    assert [finding.rule for finding in too_long.verdict.violated] == ["check:escape"]


def test_F20_a_permit_that_comes_too_late_is_a_veto_and_a_refusal_is_never_late() -> None:
    permitted, refused = decide(case(), Physics()), decide(case(Malformed("", "")), Physics())

    assert late(case(), permitted, 5 * MS, 5 * MS) is permitted
    assert late(case(), refused, 10**12, 0) is refused
    too_late = late(case(), permitted, 5 * MS + 1, 5 * MS)
    assert (too_late.reaction, too_late.plan) == ("veto", None)
    assert too_late.verdict.violated[0].rule == "check:late"
    assert "decided after 5.0 ms" in too_late.verdict.violated[0].message


def test_F42_what_is_not_on_record_is_a_stop() -> None:
    decision = unrecorded(decide(case(), Physics()), "disk full")

    assert decision.reaction == "stop"
    assert decision.verdict.violated[0].message == "no record, no motion: disk full"


VALUES = st.one_of(
    st.floats(-0.02, 0.02),
    st.sampled_from([0.1, 0.2, OPEN, math.nan, math.inf, -math.inf, 1e308, -1e308, 5e-324, 57.3]),
)


@st.composite
def plausible(draw: st.DrawFn) -> ActionChunk:
    """Chunks that get past the first checks, in every convention."""
    step = st.tuples(st.floats(-0.03, 0.03), st.floats(-0.03, 0.03), st.floats(0.0, 0.1))
    rows = np.array(draw(st.lists(step, min_size=1, max_size=30)))
    layout = draw(st.sampled_from(LAYOUTS))
    if layout is LAYOUTS[0]:
        rows[:, :2] = np.array(START) + np.cumsum(rows[:, :2], axis=0)
    return chunk(
        rows + draw(st.sampled_from([0.0] * 6 + [1e-4, math.nan, 1e308])),
        layout=layout.digest,
        horizon=draw(st.none() | st.integers(-1, 30)),
        stamps=stamps(first_row_ns=NOW + draw(st.integers(-200, 200)) * MS),
    )


MEMORIES = st.sampled_from([
    Memory(),
    Memory(plan=plan(ramp(30, (0.1, 0.0))[:, :2], NOW - 100 * MS)),
    Memory(state="slowed", session="s", sequence=0, observation_ns=NOW - 80 * MS),
    Memory(vetoes=4),
    Memory(escape_since_ns=NOW - 6000 * MS),
])  # fmt: skip


@given(
    st.one_of(chunks(), chunks(values=VALUES), plausible()),
    MEMORIES,
    st.sampled_from([None, 1.0, math.nan]),
    st.booleans(),
)
@settings(max_examples=150)
def test_whatever_a_chunk_holds_there_is_a_decision_and_a_permit_stands_up_to_a_second_look(
    proposal: ActionChunk,
    memory: Memory,
    torque: float | None,
    exhausted: bool,  # noqa: FBT001 - drawn
) -> None:
    where = START if memory.plan is None else tuple(memory.plan.at(NOW).positions)
    found = case(proposal, memory=memory, state=state(where))

    physics = Physics(exhausted=exhausted)
    if torque is not None:
        physics.torque = lambda accelerations: accelerations * torque

    decision = decide(found, physics)

    assert canonical(to_json(decision))
    if decision.permitted:
        assert second_look(found, decision) == []
        assert not exhausted


@given(plausible())
@settings(max_examples=60)
def test_F19_what_is_permitted_mid_motion_joins_what_is_moving(proposal: ActionChunk) -> None:
    moving = plan(ramp(30, (0.1, 0.0))[:, :2], NOW - 100 * MS)
    found = case(proposal, memory=Memory(plan=moving), state=state(tuple(moving.at(NOW).positions)))

    decision = decide(found, Physics())

    if decision.plan is not None:
        for when in range(NOW, decision.plan.rows_start_ns + 1, 7 * MS):
            assert decision.plan.at(when).positions == pytest.approx(moving.at(when).positions)


def test_F42_the_same_cases_in_any_order_give_the_same_bytes(seed: int) -> None:
    robot = profile(interpolation="cubic")
    cases = [
        case(),
        case(chunk(FAST)),
        case(chunk(FAST, horizon=5)),
        case(Malformed("noise", "0")),
        case(chunk(ramp(20, (-0.05, 0.0)))),
        case(chunk(profile=robot.digest), rules=rules(profile=robot)),
        case(memory=Memory(plan=plan(ramp(30, (0.1, 0.0))[:, :2], NOW - 4 * PERIOD))),
    ]
    order = random.Random(seed).sample(range(len(cases)), len(cases))  # noqa: S311 - no secret

    first = {index: canonical(to_json(decide(cases[index], Physics()))) for index in range(len(cases))}
    again = {index: canonical(to_json(decide(cases[index], Physics()))) for index in order}

    assert first == again
    assert PERIOD_S == PERIOD / 1e9


def _late(found: Decision) -> Decision:
    return late(case(), found, 2, 1)


def _unrecorded(found: Decision) -> Decision:
    return unrecorded(found, "disk full")


@pytest.mark.parametrize(
    "refuse",
    [_late, _unrecorded],
    ids=["late", "unrecorded"],
)
def test_F20_what_comes_too_late_or_unrecorded_permits_no_rows_at_all(refuse: Callable[[Decision], Decision]) -> None:
    permitted = decide(case(), Physics())

    found = refuse(permitted)

    assert permitted.permitted
    assert (found.start_row, found.rows, found.progress, found.plan) == (0, 0, 0.0, None)
    assert [attempt.rows for attempt in found.attempts] == [0, permitted.rows]


def test_F20_one_late_permit_too_many_in_a_row_is_a_stop() -> None:
    found = case(memory=Memory(vetoes=4))
    permitted = decide(found, Physics())

    assert permitted.permitted
    assert late(found, permitted, 2, 1).reaction == "stop"
    assert late(case(memory=Memory(vetoes=3)), permitted, 2, 1).reaction == "veto"
