"""The simulated robot and the policies that drive it conform to their ports, on the shipped rule set."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from interlock.bullet_physics import BulletPhysics
from interlock.robots.conformance import ROBOT_CHECKS, Trial, turning
from interlock.robots.policy_conformance import POLICY_CHECKS, PolicyTrial
from interlock.self_test import SelfTest
from interlock.supervisor import Supervisor
from interlock_audit_logs import open_log
from interlock_rules import load
from interlock_sim.episode import Episode, Stage, set_stage

RULES = load("panda-tabletop")
PHYSICS = BulletPhysics(RULES.profile, RULES.cell)
PROOF = SelfTest(RULES, PHYSICS)


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is busy with something else refuses nothing here."""
    monkeypatch.setattr("interlock.supervisor.WRITTEN_S", 60.0)


@pytest.fixture
def stage() -> Iterator[Stage]:
    found = set_stage(RULES.profile, RULES.cell, Episode("reach", 1))
    yield found
    found.world.close()


@pytest.fixture
def trial(stage: Stage, tmp_path: Path) -> Iterator[Trial]:
    with open_log(tmp_path) as log:
        supervisor = Supervisor(
            RULES, log, PHYSICS, now_ns=stage.clock.now_ns, elapsed_ns=lambda: 0, self_test=PROOF
        )  # fmt: skip
        yield Trial(stage.robot, supervisor, stage.clock, turning(RULES, "panda_joint1", speed=0.5, acceleration=1.0))


@pytest.mark.parametrize("name", ROBOT_CHECKS)
def test_the_simulated_robot_conforms(trial: Trial, name: str) -> None:
    ROBOT_CHECKS[name](trial)


@pytest.mark.parametrize("name", POLICY_CHECKS)
def test_the_scripted_expert_conforms(trial: Trial, stage: Stage, name: str) -> None:
    POLICY_CHECKS[name](PolicyTrial(stage.policy, RULES, stage.clock, trial.asked, 500_000_000))
