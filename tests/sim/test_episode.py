"""Episodes without a supervisor: the expert's work, what each fault does, and a policy in the expert's place."""

from __future__ import annotations

import numpy as np
import pytest

from interlock.chunk import ActionChunk, Stamps, all_commanded
from interlock.profile import Profile
from interlock.robots import Asked, Policy
from interlock.scene import Cell
from interlock_sim.episode import Episode, Outcome, run_episode, set_stage
from interlock_sim.tasks import TASKS, Task
from interlock_sim.unsupervised import run_unsupervised
from interlock_sim.world import World


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


class Steps:
    """Rows of the same step [rad] of every joint, each counted from the row before it."""

    def __init__(self, step: float, profile: Profile) -> None:
        self._values = np.tile([step] * 7 + [0.046], (30, 1))
        self._layout = next(item for item in profile.layouts if item.name == "panda-joint-delta-previous")
        self._profile = profile
        self._coming: ActionChunk | None = None

    def ask(self, asked: Asked) -> None:
        first = asked.first_row_ns
        self._coming = ActionChunk(
            id=str(asked.sequence),
            session="still",
            sequence=asked.sequence,
            layout=self._layout.digest,
            profile=self._profile.digest,
            values=self._values,
            mask=all_commanded(self._values),
            period_s=0.02,
            horizon=25,
            stamps=Stamps(asked.state.seen_ns, asked.request_ns, asked.request_ns, first, first + 1_000_000_000),
        )

    def answer(self, now_ns: int) -> ActionChunk | None:
        del now_ns
        chunk, self._coming = self._coming, None
        return chunk


@pytest.mark.parametrize(("step", "moved"), [(0.0, 0.0), (0.001, 0.2)], ids=["still", "drifting"])
def test_a_policy_takes_the_experts_place_and_its_steps_add_up(
    profile: Profile, cell: Cell, step: float, moved: float
) -> None:
    worlds: list[World] = []

    def make(world: World, task: Task, session: str) -> Policy:
        assert (task.name, session) == ("reach", "reach-nominal-0-1000000000")
        worlds.append(world)
        return Steps(step, profile)

    stage = set_stage(profile, cell, Episode("reach", 0), make_policy=make)
    began = np.array(stage.world.positions)
    until = stage.world.now_ns + 4_300_000_000  # 300 ms until the first row, then 50 rows a second
    run_unsupervised(
        stage.policy, stage.world, mode="automatic", target=None, until=lambda: stage.world.now_ns >= until
    )
    ended = np.array(stage.world.positions)
    stage.world.close()

    assert worlds == [stage.world]
    np.testing.assert_allclose(ended - began, moved, rtol=0.0, atol=0.01)


def test_an_episode_runs_the_policy_that_was_made(profile: Profile, cell: Cell) -> None:
    def make(world: World, task: Task, session: str) -> Policy:
        del world, task, session
        return Steps(0.0, profile)

    outcome = run_episode(profile, cell, Episode("reach", 0), None, make_policy=make)

    assert not outcome.success
    assert not outcome.harmed
