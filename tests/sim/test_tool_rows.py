"""The expert's rows as rows of the tool, through the supervisor and inverse kinematics: the work is done, no veto."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from interlock import Supervisor
from interlock.arrays import FloatArray
from interlock.bullet_physics import BulletPhysics
from interlock.chunk import ActionChunk, Layout, Malformed, all_commanded
from interlock.robot_model import UrdfRobot
from interlock.robots import Asked, Clock, Policy, Robot, run
from interlock.rules import RuleSet
from interlock_rules import load
from interlock_sim.episode import Episode, Judged, run_episode
from tests.supervisor.toy import Log


@pytest.fixture(scope="module")
def rules() -> RuleSet:
    return load("panda-tcp")


class InTool:
    """The same policy, its joint rows said as poses of the tool.

    The arm has a joint to spare, and need not stand as the expert's own rows would have it; the expert, which knows
    joints only, is told that it stands as they say.
    """

    def __init__(self, policy: Policy, rules: RuleSet, layout: Layout) -> None:
        self._policy = policy
        self._layout = layout
        self._model = UrdfRobot(rules.profile, rules.cell)
        self._mount = rules.cell.mount.matrix()
        self._asked: Asked | None = None
        self._own: ActionChunk | None = None
        self.said = 0

    def ask(self, asked: Asked) -> None:
        self._asked = asked
        own = self._own
        if own is not None and own.stamps.first_row_ns is not None:
            row = round((asked.first_row_ns - own.stamps.first_row_ns) / (own.period_s * 1e9)) - 1
            here, before = own.values[row, :7], own.values[row - 1, :7]
            reference = replace(asked.reference, positions=here, velocities=(here - before) / own.period_s)
            asked = replace(asked, reference=reference)
        self._policy.ask(asked)

    def answer(self, now_ns: int) -> ActionChunk | Malformed | None:
        chunk = self._policy.answer(now_ns)
        if not isinstance(chunk, ActionChunk) or self._asked is None:
            return chunk
        self._own, self.said = chunk, self.said + 1
        poses = self._poses(chunk.values[:, :7])
        start = self._poses(self._asked.reference.positions[None])
        seen = self._poses(self._asked.state.positions[None])
        values = np.column_stack([self._columns(poses, start, seen), self._hand(chunk.values[:, 7])])
        return replace(chunk, layout=self._layout.digest, values=values, mask=all_commanded(values))

    def _poses(self, positions: FloatArray) -> FloatArray:
        """The tool in the base (T, 4, 4)."""
        return np.asarray(np.linalg.inv(self._mount) @ self._model.tool(positions, "tcp")[0])

    def _columns(self, poses: FloatArray, start: FloatArray, seen: FloatArray) -> FloatArray:
        if self._layout.name == "panda-tcp-absolute":
            return np.column_stack([poses[:, :3, 3], Rotation.from_matrix(poses[:, :3, :3]).as_quat()])
        if self._layout.name == "panda-tcp-delta":
            before = np.concatenate([start, poses[:-1]])
            turns = Rotation.from_matrix(poses[:, :3, :3] @ np.swapaxes(before[:, :3, :3], 1, 2))
            return np.column_stack([poses[:, :3, 3] - before[:, :3, 3], turns.as_euler("xyz")])
        steps = np.linalg.inv(seen) @ poses
        return np.column_stack([steps[:, :3, 3], steps[:, :3, 0], steps[:, :3, 1]])

    def _hand(self, opened: FloatArray) -> FloatArray:
        return opened / 0.08 if self._layout.channels[-1].unit == "ratio" else opened


@pytest.mark.slow
@pytest.mark.parametrize(
    ("task", "name"),
    [
        ("pick_and_place", "panda-tcp-absolute"),
        ("reach", "panda-tcp-delta"),
        ("reach", "panda-tcp-delta-tool"),
    ],
)
def test_F34_an_episode_in_rows_of_the_tool_succeeds_without_a_veto(rules: RuleSet, task: str, name: str) -> None:
    (layout,) = (found for found in rules.accepts.layouts if found.name == name)
    said: list[int] = []

    def supervise(policy: Policy, robot: Robot, clock: Clock, done: Callable[[], bool]) -> Judged:
        physics = BulletPhysics(rules.profile, rules.cell)
        supervisor = Supervisor(rules, Log(), physics, now_ns=clock.now_ns, elapsed_ns=lambda: 0)
        vetoes: list[str] = []
        in_tool = InTool(policy, rules, layout)
        run(
            supervisor, in_tool, robot, clock, done=done,
            on_review=lambda review: None if review.decision.permitted else vetoes.append(str(review.decision)),
        )  # fmt: skip
        said.append(in_tool.said)
        return Judged(len(vetoes), 0, dict.fromkeys(vetoes, 1), latched=supervisor.memory.state == "stopped")

    outcome = run_episode(rules.profile, rules.cell, Episode(task, 0), supervise)

    assert outcome.judged == Judged()
    assert outcome.success
    assert not outcome.harmed
    assert said[0] > 2
