"""Inspect Robots' own mock task runs under our rules: what is too fast is slowed, what leaves the square is held."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from inspect_robots import eval as evaluate
from inspect_robots.approver import ChainApprover, DeltaLimitApprover
from inspect_robots.errors import SafetyAbort
from inspect_robots.mock import CubePickEmbodiment, RandomPolicy, ScriptedPolicy
from inspect_robots.types import Action, ActionChunk, Observation

from interlock.arrays import FloatArray
from interlock.chunk import Layout
from interlock.motion import Reference
from interlock.rules import RuleSet
from interlock.scene import RobotState, Scene
from interlock.supervisor import Supervisor
from interlock_audit_logs import open_log
from interlock_audit_logs.verify import verify
from interlock_policies.inspect_approver import SupervisedApprover
from interlock_policies.step_by_step import NothingToExecute, SteppedClock
from interlock_rules import load

RULES = load(Path(__file__).parent / "cubepick/set.yaml")
MOST = 0.05  # a step, at the speed that the rules allow


class Watched(CubePickEmbodiment):
    """Says where its point is, and how it went there, step by step."""

    def __init__(self) -> None:
        super().__init__()
        self.where = np.zeros(2)
        self.steps: list[FloatArray] = []

    def reset(self, scene: Any, *, seed: int | None = None) -> Observation:
        found = super().reset(scene, seed=seed)
        self.where = np.array(found.state["eef_pos"], dtype=np.float64)
        return found

    def step(self, action: Action) -> Any:
        found = super().step(action)
        before, self.where = self.where, np.array(found.observation.state["eef_pos"], dtype=np.float64)
        self.steps.append(self.where - before)
        return found


@dataclass
class Point:
    """CubePick's point as two joints."""

    world: Watched
    layout: Layout = RULES.accepts.layouts[0]
    period_s: float = 0.1

    def see(self, now_ns: int) -> tuple[RobotState, Scene]:
        return RobotState(now_ns, ("x", "y"), self.world.where, np.zeros(2), np.empty(0)), Scene("automatic", ())

    def row(self, action: FloatArray, state: RobotState) -> FloatArray:
        if action.shape != (2,):
            raise ValueError(f"an action has shape {action.shape}, expected (2,)")
        return state.positions + np.clip(action, -0.1, 0.1)

    def action(self, told: Reference, state: RobotState) -> FloatArray:
        return np.asarray(told.positions - state.positions)


@dataclass
class Bench:
    """The mock world with an approver, and where its point has been."""

    world: Watched
    approver: SupervisedApprover
    supervisor: Supervisor
    log_dir: Path

    def run(self, policy: Any, approver: Any = None) -> Any:
        (found,) = evaluate(
            "cubepick-reach", policy, self.world, approver=approver or self.approver,
            log_dir=str(self.log_dir), seed=1, sinks=[],
        )  # fmt: skip
        return found


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is busy with something else refuses nothing here."""
    monkeypatch.setattr("interlock.supervisor.WRITTEN_S", 60.0)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    world, clock = Watched(), SteppedClock()
    with open_log(tmp_path / "runs") as log:
        supervisor = Supervisor(RULES, log, now_ns=clock.now_ns, elapsed_ns=clock.still)
        yield Bench(world, SupervisedApprover(supervisor, Point(world), clock), supervisor, tmp_path)
    assert verify(tmp_path / "runs").ok


def steps(bench: Bench) -> FloatArray:
    return np.array(bench.world.steps)


def test_the_mock_task_succeeds_at_the_speed_that_the_rules_allow(bench: Bench) -> None:
    found = bench.run(ScriptedPolicy())

    assert found.status == "success"
    assert set(found.results.metrics.values()) == {1.0}
    assert found.results.errored_trials == 0
    assert np.abs(steps(bench)).max() <= MOST + 1e-9
    assert len(steps(bench)) > 4 * 8


def test_a_policy_that_knows_nothing_keeps_within_the_rules(bench: Bench) -> None:
    found = bench.run(RandomPolicy())

    assert found.status in {"success", "error"}
    assert np.abs(steps(bench)).max() <= MOST + 1e-9


def test_what_is_permitted_is_the_same_object_and_what_is_not_says_why(bench: Bench) -> None:
    store: dict[str, Any] = {}
    bench.world.reset(scene=_scene())
    gentle, quick = Action(np.array([0.03, 0.0])), Action(np.array([0.1, 0.0]), {"mine": 1})

    first = bench.approver.review(gentle, store)
    bench.world.step(first)
    second = bench.approver.review(quick, store)

    assert first is gentle
    assert second is not quick
    assert second.meta["mine"] == 1
    assert second.meta["clamped"]
    assert second.meta["interlock"]["reaction"] == "slow"
    assert 0.03 <= second.data[0] <= MOST


@pytest.mark.parametrize("wrong", [np.zeros(3), np.array([np.nan, 0.0]), np.zeros((2, 1))], ids=["wide", "nan", "deep"])
def test_F05_what_is_no_row_is_held(bench: Bench, wrong: FloatArray) -> None:
    bench.world.reset(scene=_scene())

    found = bench.approver.review(Action(wrong), {})

    assert found.data.tolist() == [0.0, 0.0]
    assert found.meta["interlock"]["reaction"] == "veto"


def test_F40_a_supervisor_that_stops_halts_the_evaluation_and_stays_stopped(bench: Bench) -> None:
    store: dict[str, Any] = {}
    bench.world.reset(scene=_scene())
    outwards = Action(np.array([-0.1, -0.1]))
    for _ in range(4):
        bench.approver.review(replace(outwards, data=np.zeros(3)), store)

    with pytest.raises(SafetyAbort, match="the supervisor is stopped"):
        bench.approver.review(replace(outwards, data=np.zeros(3)), store)

    with pytest.raises(SafetyAbort, match="the supervisor is stopped"):
        bench.approver.review(Action(np.zeros(2)), {})
    assert bench.run(ScriptedPolicy()).status == "error"


def test_F20_a_stop_in_motion_is_a_brake_first_and_halts_the_evaluation_at_rest(bench: Bench) -> None:
    store: dict[str, Any] = {}
    bench.world.reset(scene=_scene())
    go = Action(np.array([0.05, 0.0]))
    for _ in range(3):
        bench.world.step(bench.approver.review(go, store))
    bench.supervisor.stop("somebody pressed it")

    found = list[Any]()

    def go_on() -> None:
        for _ in range(10):
            found.append(bench.approver.review(go, store))
            bench.world.step(found[-1])

    with pytest.raises(SafetyAbort, match="somebody pressed it"):
        go_on()
    speeds = [0.05, *(float(one.data[0]) for one in found)]
    assert 1 <= len(found) <= 3
    assert (np.diff(speeds) < 0.0).all()
    assert speeds[-1] == pytest.approx(0.0, abs=1e-9)
    assert {one.meta["interlock"]["reaction"] for one in found} == {"brake"}


def test_what_the_wiring_raises_approves_nothing(bench: Bench) -> None:
    bench.world.reset(scene=_scene())
    bench.world.where = np.array([np.nan, 0.1])

    with pytest.raises(NothingToExecute, match="nobody knows where the robot is"):
        bench.approver.review(Action(np.zeros(2)), {})


def test_F01_a_world_that_says_no_numbers_halts_the_evaluation(bench: Bench) -> None:
    step = bench.world.step

    def blind(action: Action) -> Any:
        found = step(action)
        if len(bench.world.steps) == 3:
            bench.world.where = np.array([np.nan, np.nan])
        return found

    bench.world.step = blind  # type: ignore[method-assign]
    found = bench.run(ScriptedPolicy())

    assert found.status == "error"
    assert len(bench.world.steps) == 3


def test_F43_another_trial_begins_from_where_the_world_was_put(bench: Bench) -> None:
    first, second = dict[str, Any](), dict[str, Any]()
    bench.world.reset(scene=_scene())
    for _ in range(3):
        bench.world.step(bench.approver.review(Action(np.array([0.05, 0.05])), first))

    bench.world.reset(scene=_scene())
    found = bench.approver.review(Action(np.array([0.02, 0.0])), second)

    assert found.data.tolist() == [0.02, 0.0]


def test_a_limiter_before_it_counts_from_what_was_executed(bench: Bench) -> None:
    space = bench.world.info.action_space
    chain = ChainApprover(DeltaLimitApprover(space), bench.approver)

    assert bench.run(ScriptedPolicy(), chain).status == "success"


class Reckless:
    """Chunks that go straight out of the square."""

    def __init__(self) -> None:
        honest = ScriptedPolicy()
        self.info, self.config = honest.info, honest.config

    def reset(self, scene: Any) -> None:
        """Nothing to forget."""

    def act(self, observation: Any) -> ActionChunk:
        del observation
        return ActionChunk([Action(np.array([-0.1, 0.0]))] * 4)


def test_F14_what_drives_out_of_the_square_never_leaves_it(bench: Bench) -> None:
    bench.run(Reckless())

    where = 0.1 + np.cumsum(steps(bench)[:20], axis=0)
    assert where[:, 0].min() >= 0.01 - 1e-9


def _scene() -> Any:
    from inspect_robots.scene import Scene as Setting  # noqa: PLC0415 - a name that ours has, too

    return Setting(id="one", instruction="reach the cube", init_seed=1)


def test_rules_are_those_of_the_file() -> None:
    assert isinstance(RULES, RuleSet)
    assert {rule.id for rule in RULES.rules} == {"SQUARE", "SPEED"}
