"""Episodes without a supervisor: the expert's work, and what each fault does."""

from __future__ import annotations

import pytest

from interlock.profile import Profile
from interlock.scene import Cell
from interlock_sim.episode import Episode, Outcome, run_episode
from interlock_sim.tasks import TASKS


@pytest.mark.parametrize("task", TASKS)
def test_without_a_fault_the_task_is_done_and_nothing_is_touched(profile: Profile, cell: Cell, task: str) -> None:
    outcome = run_episode(profile, cell, Episode(task, 0), None)

    assert outcome.success
    assert not outcome.harmed


def test_an_episode_repeats_exactly(profile: Profile, cell: Cell) -> None:
    outcomes = [run_episode(profile, cell, Episode("reach", 5), None) for _ in range(2)]

    assert outcomes[0] == outcomes[1]


def test_what_nobody_could_see_counts_as_harm() -> None:
    outcome = Outcome(success=False, contacts=(), excesses=(), blind=True, duration_s=1.0)

    assert outcome.limit_violated
    assert outcome.harmed
