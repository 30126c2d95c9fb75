"""panda-gym and gymnasium-robotics as they are published run under supervision, raw and executed action in `info`."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from interlock.arrays import FloatArray
from interlock.chunk import Layout
from interlock.errors import UnusableInput
from interlock.motion import Reference
from interlock.rules import RuleSet
from interlock.scene import RobotState, Scene
from interlock.supervisor import Supervisor
from interlock_audit_logs import open_log
from interlock_policies.gym_env import SupervisedEnv
from interlock_policies.panda_gym import PandaGymJoints
from interlock_policies.step_by_step import SteppedClock, Wiring
from interlock_rules import load
from interlock_rules.files import SHIPPED

RULES = load("panda-gym")
TRACKING = 0.01  # rad, in robots/panda_gym.yaml

for package in ("panda_gym", "gymnasium_robotics"):  # neither has types
    gymnasium.register_envs(importlib.import_module(package))


def supervised(
    env: Any, rules: RuleSet, wiring: Wiring[Any], log: Any, rows: int = 1
) -> tuple[SupervisedEnv[Any, Any], SteppedClock]:
    clock = SteppedClock()
    supervisor = Supervisor(rules, log, now_ns=clock.now_ns, elapsed_ns=clock.still)
    return SupervisedEnv(env, supervisor, wiring, clock, reset_by="the test", rows=rows), clock


@dataclass
class Reaching:
    """panda-gym's reaching task under supervision, and what was measured of it at every step."""

    env: SupervisedEnv[Any, Any]
    clock: SteppedClock
    wiring: PandaGymJoints
    lags: list[float] = field(default_factory=list[float])
    reactions: list[str] = field(default_factory=list[str])

    def step(self, action: FloatArray) -> dict[str, Any]:
        info = self.env.step(np.asarray(action, dtype=np.float32))[4]
        told = self.env.get_wrapper_attr("plan")
        if told is not None:
            measured = self.wiring.see(self.clock.now_ns())[0].positions
            self.lags.append(float(np.abs(measured - told.at(self.clock.now_ns()).positions).max()))
        found: dict[str, Any] = info["interlock"]
        self.reactions.append(found["reaction"])
        return found


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is busy with something else refuses nothing here."""
    monkeypatch.setattr("interlock.supervisor.WRITTEN_S", 60.0)


@pytest.fixture
def reaching(tmp_path: Path) -> Iterator[Reaching]:
    raw = gymnasium.make("PandaReachJoints-v3", max_episode_steps=1000, disable_env_checker=True)
    wiring = PandaGymJoints(raw, RULES)
    with open_log(tmp_path) as log:
        env, clock = supervised(raw, RULES, wiring, log)
        env.reset(seed=1)
        yield Reaching(env, clock, wiring)
    raw.close()


def test_a_gentle_motion_passes_to_the_bit_and_the_arm_keeps_its_tracking_error(reaching: Reaching) -> None:
    for step in range(30):
        action = np.full(7, 0.0) + min(0.05 * (step + 1), 0.4) * np.array([1.0, -0.5, 1.0, -0.5, 1.0, 0.5, 1.0])
        told = reaching.step(action)
        assert told["reaction"] == "permit"
        assert (told["executed"] == told["raw"]).all()

    assert max(reaching.lags) < TRACKING


def test_a_policy_that_knows_nothing_is_slowed_and_refused_and_the_arm_stays_where_it_is_told(
    reaching: Reaching, seed: int
) -> None:
    chance = np.random.default_rng(seed)
    for _ in range(60):
        told = reaching.step(chance.uniform(-1.0, 1.0, 7))
        assert (np.abs(told["executed"]) <= 1.0).all()

    assert max(reaching.lags) < TRACKING
    assert {"slow", "veto"} <= set(reaching.reactions)


def test_F24_what_drives_the_hand_into_the_table_never_touches_it(reaching: Reaching) -> None:
    robot: Any = reaching.env.unwrapped
    low = np.inf
    for _ in range(60):
        reaching.step(np.array([0.0, 0.2, 0.0, 0.0, 0.0, 0.0, 0.0]))
        low = min(low, float(robot.robot.get_link_position(11)[2]))

    contacts = robot.sim.physics_client.getContactPoints(
        robot.sim._bodies_idx["panda"], robot.sim._bodies_idx["table"]
    )  # fmt: skip
    assert "veto" in reaching.reactions
    assert 0.0 < low < 0.15
    assert [point for point in contacts if point[3] > 0] == []


@pytest.mark.parametrize("action", [np.full(7, np.nan), np.zeros(6), np.zeros((7, 1))], ids=["nan", "narrow", "deep"])
def test_F05_what_is_no_action_is_held(reaching: Reaching, action: FloatArray) -> None:
    before = reaching.wiring.see(0)[0].positions

    told = reaching.step(action)

    assert told["reaction"] == "veto"
    assert reaching.wiring.see(0)[0].positions == pytest.approx(before, abs=1e-3)


def test_other_controls_and_other_rule_sets_are_refused() -> None:
    env = SimpleNamespace(unwrapped=SimpleNamespace(robot=SimpleNamespace(control_type="ee")))
    with pytest.raises(UnusableInput, match="control_type is 'ee'; expected 'joints'"):
        PandaGymJoints(env, RULES)

    env.unwrapped.robot.control_type, env.unwrapped.sim = "joints", SimpleNamespace(_bodies_idx={})
    with pytest.raises(UnusableInput, match="panda-tabletop does not take the layout panda-gym-joints"):
        PandaGymJoints(env, load("panda-tabletop"))


@pytest.mark.parametrize("task", ["Push", "PickAndPlace"])
def test_F38_a_task_with_objects_that_nobody_would_see_is_refused(task: str) -> None:
    raw = gymnasium.make(f"Panda{task}Joints-v3", disable_env_checker=True)

    with pytest.raises(UnusableInput, match="the task has object; expected nothing but"):
        PandaGymJoints(raw, RULES)

    raw.close()


def test_it_is_an_environment_as_gymnasium_defines_one(reaching: Reaching) -> None:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*is different from the unwrapped version.*")  # it is a wrapper
        warnings.filterwarnings("ignore", message=".*not having a spec.*")  # nobody makes the robot once more
        check_env(reaching.env)


def test_F19_several_rows_at_once_go_where_they_were_permitted_to(tmp_path: Path) -> None:
    raw = gymnasium.make("PandaReachJoints-v3", max_episode_steps=1000, disable_env_checker=True)
    gentle = np.outer(np.minimum(np.arange(1, 9) * 0.05, 0.2), [1.0, -0.5, 1.0, -0.5, 1.0, 0.5, 1.0])
    with open_log(tmp_path) as log:
        wiring = PandaGymJoints(raw, RULES)
        env, clock = supervised(raw, RULES, wiring, log, rows=8)
        env.reset(seed=1)
        told = env.step(gentle.astype(np.float32))[4]["interlock"]
        plan = env.get_wrapper_attr("plan")
        off = wiring.see(clock.now_ns())[0].positions - plan.at(clock.now_ns()).positions
        wild = env.step(np.ones((8, 7), dtype=np.float32))[4]["interlock"]
    raw.close()

    assert told["reaction"] == "permit"
    assert told["executed"].shape == (8, 7)
    assert np.abs(off).max() < TRACKING
    assert wild["reaction"] in {"slow", "veto"}
    assert np.abs(wild["executed"]).max() < 1.0


class Kitchen:
    """The arm of gymnasium-robotics' kitchen: an action of 1 is 2 rad/s. Nothing of the kitchen is in the cell, and the
    zero of its joint 6 is elsewhere: joints are all that can be judged of it.
    """

    def __init__(self, env: Any, rules: RuleSet) -> None:
        self._robot = env.unwrapped.robot_env
        self.layout: Layout = rules.accepts.layouts[0]
        self.period_s = float(self._robot.dt)
        self._names = rules.profile.joint_names

    def see(self, now_ns: int) -> tuple[RobotState, Scene]:
        found = self._robot.data
        width = float(np.clip(found.qpos[7:9].sum(), 0.0, 0.08))
        return RobotState(
            now_ns, self._names, np.array(found.qpos[:7]), np.array(found.qvel[:7]), np.array([width])
        ), Scene("automatic", ())  # fmt: skip

    def row(self, action: FloatArray, state: RobotState) -> FloatArray:
        return np.append(state.positions + 2.0 * self.period_s * np.clip(action[:7], -1.0, 1.0), state.grippers)

    def action(self, told: Reference, state: RobotState) -> FloatArray:
        return np.append(np.clip((told.positions - state.positions) / (2.0 * self.period_s), -1.0, 1.0), [0.0, 0.0])


@pytest.fixture
def kitchen(tmp_path: Path) -> Iterator[SupervisedEnv[Any, Any]]:
    """Joint limits alone, at the kitchen's rate; its servos lag, and it starts beyond the end of the arm's travel."""
    profile = (SHIPPED / "robots/panda_gym.yaml").read_text(encoding="utf-8")
    profile = profile.replace("tracking: 10 mrad", "tracking: 500 mrad").replace("name: panda_gym", "name: kitchen")
    profile = profile.replace("position: -1.7628 rad", "position: -1.82 rad")
    profile = profile.replace("position: -0.0175 rad to 3.7525 rad", "position: -1.6573 rad to 2.1127 rad")
    profile = profile.replace("-1.85 rad, 0 rad, 2.26 rad", "-1.85 rad, 0 rad, 0.62 rad")
    (tmp_path / "robots").mkdir()
    (tmp_path / "robots/kitchen.yaml").write_text(profile, encoding="utf-8")
    text = (SHIPPED / "sets/panda-gym.yaml").read_text(encoding="utf-8")
    text = text[: text.index("  - id: TORQUE")].replace("period: 40 ms", "period: 80 ms")
    text = text.replace("robot: panda_gym", "robot: kitchen").replace("margin: 2 deg", "margin: 0 deg")
    (tmp_path / "kitchen-set.yaml").write_text(text, encoding="utf-8")
    rules = load(tmp_path / "kitchen-set.yaml")
    raw: Any = gymnasium.make("FrankaKitchen-v1", tasks_to_complete=["microwave"], disable_env_checker=True)
    with open_log(tmp_path / "runs") as log:
        env, _ = supervised(raw, rules, Kitchen(raw, rules), log)
        env.reset(seed=1)
        yield env
    raw.close()


def test_the_kitchen_runs_under_supervision(kitchen: SupervisedEnv[Any, Any]) -> None:
    gentle, wild = np.zeros(9), np.ones(9)
    gentle[0] = 0.1

    told = [kitchen.step(action)[4]["interlock"] for action in (gentle, gentle, wild, -wild, wild)]

    assert told[0]["reaction"] == "permit", told[0]["violated"]
    assert (told[0]["executed"] == gentle).all()
    assert {one["reaction"] for one in told[2:]} <= {"slow", "veto", "brake"}
    assert all((np.abs(one["executed"]) < np.abs(one["raw"]).max()).all() for one in told[2:])
