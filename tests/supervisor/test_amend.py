"""Amended motions stay on the policy's own path: slower or shorter, never sideways (F-35)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.amend import AIM, cut, factor, slowed
from interlock.arrays import FloatArray
from interlock.braking import on_path
from interlock.build import Proposal, propose
from interlock.judge import Judgement
from interlock.lower import JointPath
from interlock.motion import Reference
from interlock.rules import Trace
from interlock.slowing import RAMP_SHARE
from interlock.verdict import Finding, Verdict
from tests.supervisor.toy import NOW, OPEN, PERIOD, PERIOD_S, START, Physics, case, joint, profile


def finding(value: float = 1.0, limit: float = 0.5, unit: str = "rad/s", **changes: Any) -> Finding:
    return replace(Finding("R", "k", "slow", limit - value, value, limit, unit, "", row=0, phase="row"), **changes)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([finding()], 0.5),
        ([finding(0.6), finding(2.0)], 0.25),
        ([finding(2.0, 0.5, "rad/s^2")], 0.5),
        ([finding(4.0, 0.5, "m/s^3")], 0.5),
        ([finding(), finding(9.0, reaction="warn")], 0.5),
    ],
)
def test_the_path_slows_so_that_the_worst_ends_just_inside(found: list[Finding], expected: float) -> None:
    assert factor(Judgement(Verdict(tuple(found))), path(STRAIGHT), 1.0, profile()) == pytest.approx(AIM * expected)


@pytest.mark.parametrize(
    "found",
    [
        [],
        [finding(0.4)],
        [finding(), finding(reaction="veto")],
        [finding(11.0)],
        [finding(0.01, 0.02, "m", margin=-1.0)],
        [finding(0.0, 0.0)],
        [finding(float("nan"))],
        [finding(1.0, float("nan"))],
        [finding(float("inf"))],
    ],
    ids=["nothing", "all ok", "a veto", "below the slowest", "a distance", "no limit", "NaN", "NaN limit", "infinity"],
)
def test_where_slowing_cannot_help_nothing_is_slowed(found: list[Finding]) -> None:
    assert factor(Judgement(Verdict(tuple(found))), path(STRAIGHT), 1.0, profile()) is None


def path(rows: Any, velocity: tuple[float, float] = (0.0, 0.0), hand: FloatArray | None = None) -> JointPath:
    reference = Reference(np.array(START), np.array(velocity), np.zeros(2), np.array([OPEN]))
    grippers = np.full((len(rows), 1), OPEN) if hand is None else hand
    return JointPath(0, NOW, PERIOD, reference, rows, grippers, len(rows), np.arange(1.0, len(rows) + 1.0))


STEPS = st.lists(st.tuples(st.floats(-0.02, 0.02), st.floats(-0.02, 0.02)), min_size=1, max_size=20)


@given(STEPS, st.floats(0.05, 1.0), st.tuples(st.floats(-1, 1), st.floats(-1, 1)))
@settings(max_examples=80)
def test_F35_a_slowed_motion_stays_on_the_path_and_is_as_far_as_it_says(
    steps: list[tuple[float, float]], speed: float, velocity: tuple[float, float]
) -> None:
    rows = np.array(START) + np.cumsum(steps, axis=0)

    found = slowed(path(rows, velocity), speed, profile())

    line = np.vstack([START, rows])
    advance = np.diff(found.covered, prepend=0.0)
    assert found.positions == pytest.approx(on_path(line, found.covered))
    assert found.positions.shape == rows.shape
    assert (advance >= 0.0).all()
    assert (advance <= 1.0 + 1e-12).all()
    assert found.commit == len(rows)
    assert found.covered[-1] <= len(rows) * (1 + 1e-12)


@given(STEPS, st.floats(0.05, 1.0))
def test_a_slowed_motion_from_rest_is_never_faster_than_it_aims(steps: list[tuple[float, float]], speed: float) -> None:
    rows = np.array(START) + np.cumsum(steps, axis=0)

    found = slowed(path(rows), speed, profile())

    advance = np.diff(found.covered, prepend=0.0)
    longest = np.abs(np.diff(np.vstack([START, rows]), axis=0)).max(axis=0)
    ramps = np.diff(advance, prepend=0.0)[:, None] * longest / PERIOD_S**2
    # a path whose first step is nothing has no direction to take the reference's speed along
    assert (advance <= speed + 1e-9).all()
    if np.abs(steps[0]).max() > 1e-6:
        assert (np.abs(ramps) <= RAMP_SHARE * 10.0 * (1 + 1e-9)).all()


def test_a_moving_reference_is_slowed_down_within_the_acceleration() -> None:
    rows = np.array(START) + 0.02 * np.arange(1, 21)[:, None] * [1.0, 0.0]

    found = slowed(path(rows, (1.0, 0.0)), 0.5, profile())

    velocities = np.diff(found.covered, prepend=0.0)
    assert velocities[:6] == pytest.approx([0.9, 0.8, 0.7, 0.6, 0.5, 0.5])


def test_F10_the_hand_moves_with_the_place_on_the_path_and_is_never_interpolated() -> None:
    rows = np.array(START) + 0.02 * np.arange(1, 11)[:, None] * [1.0, 0.0]
    hand = np.array([[OPEN]] * 5 + [[0.0]] * 5)

    found = slowed(path(rows, (0.5, 0.0), hand), 0.5, profile())

    assert set(found.grippers[:, 0].tolist()) <= {OPEN, 0.0}
    assert found.grippers[found.covered <= 5.0 + 1e-9].tolist() == [[OPEN]] * 10
    faster = slowed(path(rows, (0.8, 0.0), hand), 0.8, profile())
    closed = faster.grippers[:, 0] == 0.0
    assert closed.tolist() == (faster.covered > 5.0 + 1e-9).tolist()


def test_F10_a_start_too_slow_to_see_does_not_take_the_hand_from_the_end() -> None:
    still = profile(joints=(joint("a", acceleration=1e-9), joint("b", acceleration=1e-9)))
    rows = np.array(START) + 0.02 * np.arange(1, 4)[:, None] * [1.0, 0.0]

    found = slowed(path(rows, hand=np.array([[OPEN], [OPEN], [0.0]])), 0.5, still)

    assert found.grippers.tolist() == [[OPEN]] * 3


STRAIGHT = np.array(START) + 0.01 * np.arange(1, 21)[:, None] * [1.0, 0.0]


def judged(proposal: Proposal, *margins: FloatArray, row: int = 19) -> Judgement:
    """A judgement of one rule, with one trace for each row of margins; its finding is at the worst place."""
    size = len(proposal.motion)
    which = np.zeros(size, dtype=np.int64)
    traces = tuple(Trace(margin, margin, np.zeros(size), "m", (), which) for margin in margins)
    verdict = Verdict((finding(row=row, reaction="truncate"), finding(rule="X", reaction="warn")))
    return Judgement(verdict, proposal, proposal.motion, (("R", traces),))


def refused_from(proposal: Proposal, node: int) -> FloatArray:
    """Margins that are worst at the end, and violated from a node on."""
    return np.where(np.arange(len(proposal.motion)) < node, 1.0, -1e-3 * np.arange(len(proposal.motion)))


# nodes: measured, command of now, reference, then rows
@pytest.mark.parametrize(("node", "commit"), [(3 + 15, 12), (3 + 4, 1), (3 + 3, None), (2, None), (0, None), (23, 17)])
def test_a_cut_motion_is_at_rest_before_the_first_refused_point(node: int, commit: int | None) -> None:
    proposal = propose(case(), path(STRAIGHT), Physics())

    found = cut(proposal, judged(proposal, np.ones(len(proposal.motion)), refused_from(proposal, node)))

    assert (None if found is None else found.commit) == commit
    if found is not None:
        assert propose(case(), found, Physics()).plan.positions[-1, 0] <= proposal.motion.positions[node, 0]


def test_what_is_not_known_everywhere_is_not_cut() -> None:
    proposal = propose(case(), path(STRAIGHT), Physics())
    unknown = np.where(np.arange(len(proposal.motion)) == 1, np.nan, 1.0)

    assert cut(proposal, judged(proposal)) is None
    assert cut(proposal, judged(proposal, np.full(3, -1.0))) is None
    assert cut(proposal, judged(proposal, refused_from(proposal, 18), np.full(3, 1.0))) is None
    assert cut(proposal, judged(proposal, unknown)) is None
    assert cut(proposal, Judgement(Verdict(()))) is None
