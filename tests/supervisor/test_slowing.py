"""The largest speed of a path whose limits depend on the place: found without a judgement, and never by guessing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.arrays import FloatArray
from interlock.build import Proposal, propose
from interlock.case import Memory
from interlock.judge import Judgement
from interlock.lower import JointPath
from interlock.motion import Motion, Phase, Reference
from interlock.rules import Trace
from interlock.slowing import Pace, fastest, paces_of, places, slowing_down
from interlock.verdict import Verdict
from tests.supervisor.toy import NOW, OPEN, PERIOD, START, Physics, case, plan, profile

ROWS = np.array([[START[0] + 0.002 * row, START[1] + 0.001 * row] for row in range(1, 21)])


def path(rows: FloatArray = ROWS, commit: int = 20) -> JointPath:
    reference = Reference(np.array(START), np.zeros(2), np.zeros(2), np.array([OPEN]))
    return JointPath(0, NOW, PERIOD, reference, rows, np.full((len(rows), 1), OPEN), commit, np.arange(1.0, 21.0))


def pace(limits: FloatArray, rates: float = 1.0, brake: float = 0.0) -> Pace:
    """A limit at each of 20 places, a row apart."""
    return Pace(np.arange(1.0, 21.0), np.full(20, rates), limits, brake)


def fastest_of(*paces: Pace, speed: float = 1.0) -> float:
    return fastest(paces, path(), speed, profile())


FALLING = np.linspace(1.0, 0.0, 20)


@pytest.mark.parametrize("limit", [0.1, 0.5, 0.9])
def test_a_limit_that_is_the_same_everywhere_is_the_speed(limit: float) -> None:
    assert fastest_of(pace(np.full(20, limit))) == pytest.approx(limit, abs=1e-3)
    assert fastest_of(pace(np.full(20, limit), rates=2.0)) == pytest.approx(limit / 2.0, abs=1e-3)


def test_what_is_not_reached_need_not_be_kept() -> None:
    wall = np.where(np.arange(20) < 10, 9.0, 0.0)

    found = fastest_of(pace(wall))

    assert found == pytest.approx(0.5, abs=0.03)
    assert places(path(), np.vstack([START, ROWS]), found, profile())[-1] <= 10.0 + 1e-6


def test_the_brake_must_end_before_what_is_refused() -> None:
    wall = np.where(np.arange(20) < 10, 9.0, 0.0)

    short, long = (fastest_of(pace(wall, brake=periods)) for periods in (0.0, 8.0))

    assert long < short - 0.02


def test_of_several_the_slowest_counts_and_none_is_faster_than_asked_for() -> None:
    one, other = pace(np.full(20, 0.7)), pace(FALLING)

    assert fastest_of(one, other) == min(fastest_of(one), fastest_of(other))
    assert fastest_of(one, speed=0.3) == pytest.approx(0.3, abs=1e-3)
    assert fastest_of(speed=0.3) == pytest.approx(0.3, abs=1e-3)


@pytest.mark.parametrize("limit", [0.0, -1.0, float("nan")])
def test_F01_where_nothing_is_allowed_no_speed_is_found(limit: float) -> None:
    assert fastest_of(pace(np.full(20, limit))) == 0.0


@given(st.lists(st.floats(0.0, 1.5), min_size=20, max_size=20), st.floats(0.0, 10.0))
@settings(max_examples=60)
def test_what_is_found_is_kept_and_a_little_more_is_not(limits: list[float], brake: float) -> None:
    one = pace(np.array(limits), brake=brake)
    line = np.vstack([START, ROWS])

    found = fastest_of(one)

    assert found == 0.0 or one.kept(places(path(), line, found, profile()))
    if found < 0.999:
        assert not one.kept(places(path(), line, found + 1e-3, profile()))


def test_a_brake_ends_at_rest() -> None:
    assert slowing_down(4.0).tolist() == [0.75, 0.5, 0.25, 0.0]
    assert slowing_down(2.5).tolist() == pytest.approx([0.6, 0.2, 0.0])
    assert slowing_down(0.0).tolist() == []
    assert slowing_down(0.4).tolist() == [0.0]


def judged(proposal: Proposal, *traces: Trace) -> Judgement:
    return Judgement(Verdict(()), proposal, proposal.motion, (("R", traces),))


def trace(motion: Motion, limit: FloatArray, unit: str = "m/s") -> Trace:
    value = np.abs(motion.velocities[:, 0])
    margin = np.where(motion.phase >= Phase.COMMITTED, limit - value, np.inf)
    return Trace(margin, value, limit, unit, (("a",),), np.zeros(len(motion), dtype=np.int64))


def test_a_pace_is_read_off_a_judged_motion() -> None:
    proposal = propose(case(), path(commit=15), Physics())
    motion = proposal.motion
    limit = np.linspace(0.2, 0.05, len(motion))

    (found,) = paces_of(judged(proposal, trace(motion, limit)), {"R"})["R"]

    count = int(np.count_nonzero(motion.proposed()))
    assert found.ends[:15].tolist() == pytest.approx(list(range(1, 16)))
    assert found.ends[-1] == pytest.approx(float((motion.positions[-1, 0] - START[0]) / 0.002))
    assert found.rates[: count - 1] == pytest.approx(np.full(count - 1, 0.1))  # 0.002 rad a row, at rest at the end
    assert found.limits.tolist() == limit[motion.proposed()].tolist()
    assert found.brake == pytest.approx((proposal.plan.end_ns - proposal.path.rows_end_ns) / PERIOD)


@pytest.mark.parametrize("what", ["another rule", "constant", "a distance", "another shape", "one of two", "no motion"])
def test_what_has_no_pace_is_slowed_by_its_worst_finding(what: str) -> None:
    proposal = propose(case(), path(), Physics())
    motion = proposal.motion
    limit = np.linspace(0.2, 0.05, len(motion))
    good = trace(motion, limit)
    judgements = {
        "another rule": (judged(proposal, good), {"S"}),
        "constant": (judged(proposal, trace(motion, np.full(len(motion), 0.05))), {"R"}),
        "a distance": (judged(proposal, trace(motion, limit, "m")), {"R"}),
        "another shape": (judged(proposal, replace(good, limit=limit[:3])), {"R"}),
        "one of two": (judged(proposal, good, trace(motion, limit, "m")), {"R"}),
        "no motion": (Judgement(Verdict(()), None, None, (("R", (good,)),)), {"R"}),
    }

    assert paces_of(*judgements[what]) == {}


def test_only_what_is_refused_sets_the_pace() -> None:
    proposal = propose(case(), path(), Physics())
    motion = proposal.motion
    low, high = np.linspace(0.2, 0.05, len(motion)), np.linspace(0.4, 0.3, len(motion))

    found = paces_of(judged(proposal, trace(motion, low), trace(motion, high)), {"R"})

    assert len(found["R"]) == 1


def test_what_was_committed_before_cannot_be_slowed() -> None:
    committed = plan(np.concatenate([[START], ROWS[:11]]), NOW - 5 * PERIOD)
    made = case(memory=Memory(plan=committed))
    later = JointPath(
        0, NOW + 3 * PERIOD, PERIOD, committed.at(NOW + 3 * PERIOD), ROWS, path().grippers, 20, path().covered
    )
    proposal = propose(made, later, Physics())
    limit = np.linspace(0.05, 0.04, len(proposal.motion))

    (found,) = paces_of(judged(proposal, trace(proposal.motion, limit)), {"R"})["R"]

    assert fastest((found,), later, 1.0, profile()) == 0.0
