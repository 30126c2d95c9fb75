"""Whatever goes wrong with a policy, a reading, a rule or a person's patience: the robot comes to rest, unharmed."""

from __future__ import annotations

import json

import numpy as np
import pytest

from bench import interrupting
from interlock_sim.robot import SimRobot
from interlock_sim.track import at_rest


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 5))
def test_F32_whatever_comes_next_the_robot_comes_to_rest_and_harms_nothing(
    seed: int, capsys: pytest.CaptureFixture[str]
) -> None:
    code = interrupting.main(["--count", "50", "--workers", "1", "--seed", str(seed)])

    told = capsys.readouterr()
    last = json.loads(told.out.splitlines()[-1])
    assert last["interruptions"] >= 50
    assert last["violations"] == 0, told.err
    assert code == 0


def violations(monkeypatch: pytest.MonkeyPatch, kind: str, episodes: int) -> list[str]:
    """What is counted where only one thing ever goes wrong."""
    monkeypatch.setattr(interrupting, "WRONG", {kind: interrupting.WRONG[kind]})
    cell = interrupting.Cell()
    return [found for seed in range(episodes) for found in cell.episode(seed).violations]


def test_a_robot_that_stops_as_hard_as_it_can_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    def hard(robot: SimRobot) -> None:
        world = robot._world  # pyright: ignore[reportPrivateUsage] - a bad robot
        world.follow(at_rest(world.now_ns, np.array(world.positions), np.array(world.grippers)))

    monkeypatch.setattr(SimRobot, "brake", hard)

    assert any("changes its speed" in found for found in violations(monkeypatch, "a brake", 3))


def test_a_robot_that_does_not_stop_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    def deaf(_robot: SimRobot) -> None:
        """Goes on."""

    monkeypatch.setattr(SimRobot, "brake", deaf)

    assert any("not at rest" in found for found in violations(monkeypatch, "a stop", 6))


@pytest.mark.parametrize("kind", interrupting.WRONG)
def test_each_thing_that_goes_wrong_is_met_and_survived(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert violations(monkeypatch, kind, 1) == []
