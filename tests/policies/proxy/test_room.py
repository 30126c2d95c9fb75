"""As many rows as leave room for the brake that the review will put behind them: no more, and hardly fewer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from interlock.build import propose
from interlock.case import Case
from interlock.chunk import ActionChunk
from interlock.lower import lower
from interlock_policies.proxy.room import rows_with_room
from tests.supervisor.toy import ABSOLUTE, PERIOD, Physics, case, chunk, joint, profile, ramp, rules


def rest_after(found: Case, proposal: ActionChunk, rows: int, physics: Physics) -> int:
    """After how many periods the plan of so many rows is at rest, as it is proposed to the judge."""
    cut = replace(proposal, horizon=rows)
    plan = propose(replace(found, chunk=cut), lower(found, cut, ABSOLUTE), physics).plan
    return (plan.end_ns - plan.rows_start_ns) // PERIOD


@given(st.floats(-0.4, 0.4), st.floats(-0.4, 0.4), st.integers(12, 30), st.sampled_from([None, 2.0, 8.0]))
def test_the_plan_rests_within_the_rows_that_are_played(a: float, b: float, within: int, force: float | None) -> None:
    robot = profile(joints=(joint("a", torque=20.0), joint("b", torque=20.0)))
    physics = Physics(torque=None if force is None else lambda found: force * found)
    ramped = ramp(40, speed=(a, b))
    ramped[:, :2] -= (ramped[0, :2] - np.array([0.1, 0.2])) * 0.9
    proposal = chunk(ramped, profile=robot.digest)
    found = case(proposal, rules=rules(profile=robot))

    rows = rows_with_room(found, proposal, ABSOLUTE, within, physics)

    assert rows == 1 or rest_after(found, proposal, rows, physics) <= within
    assert rows >= min(25, within - 1) - 9


def test_a_brake_that_needs_more_torque_than_there_is_gets_more_room() -> None:
    robot = profile(joints=(joint("a", torque=20.0), joint("b", torque=20.0)))
    proposal = chunk(ramp(40, speed=(0.4, 0.3)), profile=robot.digest)
    found = case(proposal, rules=rules(profile=robot))

    strong, weak = (
        rows_with_room(found, proposal, ABSOLUTE, 25, physics)
        for physics in (Physics(), Physics(torque=lambda accelerations: 8.0 * accelerations))
    )

    assert 1 < weak < strong


def test_rows_that_will_be_refused_are_not_looked_at() -> None:
    values = ramp(40)
    values[3, 1] = np.nan
    proposal = chunk(values)

    assert rows_with_room(case(proposal), proposal, ABSOLUTE, 25, Physics()) == 1


def test_no_more_rows_than_the_rule_set_executes() -> None:
    proposal = chunk(ramp(40, speed=(0.0, 0.0)))
    found = case(proposal, rules=rules(accepts=replace(rules().accepts, execute=7)))

    assert rows_with_room(found, proposal, ABSOLUTE, 25, Physics()) == 7
