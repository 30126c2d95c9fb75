"""The simulated robot, the policies that drive it, and the robot and the policy that the page on running shows, conform
to their ports, on the shipped rule set.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from interlock.bullet_physics import BulletPhysics
from interlock.robots.conformance import ROBOT_CHECKS, Trial, turning
from interlock.robots.policy_conformance import POLICY_CHECKS, PolicyTrial
from interlock.self_test import SelfTest
from interlock.supervisor import Supervisor
from interlock_audit_logs import open_log
from interlock_rules import load
from interlock_sim.episode import Episode, Stage, set_stage
from tests.project.test_layout import ROOT
from tests.project.test_readme import blocks

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


@dataclass
class Time:
    """The module `time`, as far as the page asks for it: a number, and sleeping is quick."""

    now_ns: int = 10_000_000_000

    def monotonic_ns(self) -> int:
        return self.now_ns

    def sleep(self, seconds: float) -> None:
        self.now_ns += round(seconds * 1e9)


@pytest.fixture
def shown(tmp_path: Path) -> Iterator[tuple[Trial, Any]]:
    """A trial of the robot that the page on running shows, and its policy."""
    page = (ROOT / "docs/running.md").read_text(encoding="utf-8")
    program = next(block.text for block in blocks(page) if block.language == "python")
    classes, running, _ = program.partition("\nwith open_log(")
    assert running
    names: dict[str, Any] = {"time": Time()}
    exec(compile(classes.replace("import time\n", "", 1), "docs/running.md", "exec"), names)  # noqa: S102 - our own page
    clock = names["Clock"]()
    with open_log(tmp_path) as log:
        supervisor = Supervisor(RULES, log, PHYSICS, now_ns=clock.now_ns, elapsed_ns=lambda: 0, self_test=PROOF)
        motion = turning(RULES, "panda_joint1", speed=0.5, acceleration=1.0)
        yield Trial(names["Robot"](), supervisor, clock, motion), names["Policy"]()


@pytest.mark.parametrize("name", ROBOT_CHECKS)
def test_the_robot_that_the_page_on_running_shows_conforms(shown: tuple[Trial, Any], name: str) -> None:
    ROBOT_CHECKS[name](shown[0])


@pytest.mark.parametrize("name", POLICY_CHECKS)
def test_the_policy_that_the_page_on_running_shows_conforms(shown: tuple[Trial, Any], name: str) -> None:
    trial, policy = shown

    POLICY_CHECKS[name](PolicyTrial(policy, RULES, trial.clock, trial.asked, 500_000_000))
