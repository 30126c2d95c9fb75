"""Rows of the tool through rules, supervisor, inverse kinematics and log: the work is done, and replays to the byte."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

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
from interlock_audit_logs import blob_reader, fingerprint, open_log, read_log, replay
from interlock_cli.again import open_again
from interlock_rules import load
from interlock_rules.example import standing_still
from interlock_sim.episode import Episode, Judged, run_episode
from tests.supervisor.toy import Log


@pytest.fixture(scope="module")
def rules() -> RuleSet:
    return load("panda-tcp")


def columns(name: str, poses: FloatArray, start: FloatArray, seen: FloatArray) -> FloatArray:
    """Place and turn (T, C) as a layout has them: the tool in the base (T, 4, 4), at the reference and when seen."""
    if name == "panda-tcp-absolute":
        return np.column_stack([poses[:, :3, 3], Rotation.from_matrix(poses[:, :3, :3]).as_quat()])
    if name == "panda-tcp-delta":
        before = np.concatenate([start, poses[:-1]])
        turns = Rotation.from_matrix(poses[:, :3, :3] @ np.swapaxes(before[:, :3, :3], 1, 2))
        return np.column_stack([poses[:, :3, 3] - before[:, :3, 3], turns.as_euler("xyz")])
    steps = np.linalg.inv(seen) @ poses
    return np.column_stack([steps[:, :3, 3], steps[:, :3, 0], steps[:, :3, 1]])


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
        values = np.column_stack([columns(self._layout.name, poses, start, seen), self._hand(chunk.values[:, 7])])
        return replace(chunk, layout=self._layout.digest, values=values, mask=all_commanded(values))

    def _poses(self, positions: FloatArray) -> FloatArray:
        """The tool in the base (T, 4, 4)."""
        return np.asarray(np.linalg.inv(self._mount) @ self._model.tool(positions, "tcp")[0])

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


WAYS: dict[str, tuple[FloatArray, str]] = {
    "a short way": (np.array([0.05, 0.05, -0.05]), "permit"),
    "one that must be slower": (np.array([0.1, 0.2, -0.2]), "slow"),
    "one that cannot be followed": (np.array([0.0, 0.0, 1.2]), "veto"),
    "no number": (np.array([0.0, np.nan, 0.0]), "veto"),
}


@pytest.mark.parametrize("name", ["panda-tcp-absolute", "panda-tcp-delta", "panda-tcp-delta-tool"])
def test_reviews_of_rows_of_the_tool_replay_to_the_same_bytes(
    rules: RuleSet, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("interlock.supervisor.WRITTEN_S", 30.0)  # a slow disk is another test's
    (layout,) = (found for found in rules.accepts.layouts if found.name == name)
    state, example, scene = standing_still(rules, 0)
    physics = BulletPhysics(rules.profile, rules.cell)
    start = (
        np.linalg.inv(rules.cell.mount.matrix())
        @ UrdfRobot(rules.profile, rules.cell).tool(state.positions[None], "tcp")[0]
    )
    share = np.clip(np.linspace(0.0, 2.0, len(example.values)), 0.0, 1.0)[:, None]
    reactions: list[str] = []

    with open_log(tmp_path) as log:
        for way, _ in WAYS.values():
            poses = np.tile(start, (len(share), 1, 1))
            poses[:, :3, 3] += share**2 * (3.0 - 2.0 * share) * way
            values = np.column_stack([columns(name, poses, start, start), np.ones(len(share)) * example.values[0, 7]])
            if layout.channels[-1].unit == "ratio":
                values[:, -1] = 1.0
            chunk = replace(example, layout=layout.digest, values=values, mask=all_commanded(values))
            chunk = replace(chunk, anchor=state.positions)
            supervisor = Supervisor(rules, log, physics, now_ns=lambda: 0, elapsed_ns=lambda: 0)
            reactions.append(supervisor.review(chunk, state, scene).decision.reaction)

    found = replay(read_log(tmp_path), blob_reader(tmp_path), open_again(), environment=fingerprint())
    assert reactions == [expected for _, expected in WAYS.values()]
    assert (found.ok, found.replayed, found.identical) == (True, len(WAYS), len(WAYS))
