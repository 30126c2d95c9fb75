"""The referee judges the judge: nothing touching is permitted, little that is clear is refused, and a miss is seen."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import pytest

from bench import referee
from bench.engines import MissingEngine, Witness
from bench.referee import Outcome, examined, figures, main, outcomes, upper95
from bench.triples import BLOCK, Stage, Triple, chosen
from interlock.arrays import FloatArray
from interlock.motion import Motion, RobotModel
from interlock.physics import Physics
from interlock.rules import Clearance, Demand
from interlock.scene import Held, Scene

pytest.importorskip("coal", reason="needs coal, of the extra `referee`")
pytest.importorskip("pinocchio", reason="needs pin, of the extra `referee`")

PARTS = 4
BLOCKS = 8  # of which each part takes some cases: how many touch differs much between robots
SOME = BLOCK // PARTS
CASES = BLOCKS * SOME  # of each part: 512 in all take some 60 s; `make referee N=10000` runs more


@dataclass(frozen=True, slots=True, eq=False)
class Stub:
    """Physics whose forecast says of everything that so much remains."""

    physics: Physics
    remains: float

    @property
    def model(self) -> RobotModel | None:
        return self.physics.model

    def torques(
        self, positions: FloatArray, velocities: FloatArray, accelerations: FloatArray, held: Held | None
    ) -> FloatArray | None:
        return self.physics.torques(positions, velocities, accelerations, held)

    def forecast(self, motion: Motion, scene: Scene, demands: tuple[Demand, ...]) -> tuple[Clearance, ...]:
        del scene
        least = np.full(len(motion), self.remains)
        nowhere = np.full((len(motion), 2, 3), np.nan)
        return tuple(Clearance(least, np.full(len(motion), -1), (), nowhere, 0) for _ in demands)


@pytest.fixture(scope="module")
def block() -> list[tuple[Stage, Triple]]:
    return chosen(range(2 * BLOCK, 2 * BLOCK + SOME), 1)


@pytest.fixture(scope="module")
def honest(block: list[tuple[Stage, Triple]]) -> list[Outcome]:
    return [examined(on, one) for on, one in block]


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_F21_nothing_that_touches_is_ever_permitted(part: int, seed: int) -> None:
    found = [one for block in range(BLOCKS) for one in outcomes(SOME, seed, 1, block * BLOCK + part * SOME)]

    told = "\n".join(one.text for one in found if one.missed or one.false_refusal)
    assert figures(found)["missed"] == 0, told
    assert figures(found)["false_refusals"] == 0, told
    assert len(found) == CASES
    assert sum(one.touching for one in found) > CASES // 8
    assert sum(one.clear for one in found) > CASES // 8


@pytest.mark.slow
def test_a_forecast_that_says_that_all_is_clear_is_found_out(
    block: list[tuple[Stage, Triple]], honest: list[Outcome]
) -> None:
    blind = [examined(replace(on, physics=Stub(on.physics, np.inf)), one) for on, one in block]

    assert [one.missed for one in honest] == [False] * SOME
    assert [one.missed for one in blind] == [one.touching for one in honest]
    assert any(one.missed for one in blind)


@pytest.mark.slow
def test_what_pybullet_sees_touching_was_missed(
    block: list[tuple[Stage, Triple]], honest: list[Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    def sees_nothing(*_: object) -> float:
        return np.nan  # no answer counts as touching

    monkeypatch.setattr(Witness, "distance", sees_nothing)

    found = [examined(on, one) for on, one in block]

    permitted = [np.isfinite(one.permitted_gap) for one in honest]
    assert [one.missed for one in found] == permitted
    assert any(permitted)


@pytest.mark.slow
def test_a_forecast_that_says_that_all_is_near_is_found_out(
    block: list[tuple[Stage, Triple]], honest: list[Outcome]
) -> None:
    timid = [examined(replace(on, physics=Stub(on.physics, -1.0)), one) for on, one in block]

    assert [one.false_refusal for one in honest] == [False] * SOME
    assert [one.false_refusal for one in timid] == [one.clear for one in timid]
    assert any(one.clear for one in timid)


def outcome(*, missed: bool = False, clear: bool = False, false_refusal: bool = False) -> Outcome:
    return Outcome(
        0,
        "even",
        "permit",
        missed,
        missed,
        clear,
        false_refusal,
        (),
        0.0,
        0.0,
        0.0,
        0.0,
        0.0,
        ("", ""),
        "panda",
        "case 0",
    )


def told_as(*told: Outcome) -> Callable[..., Iterator[Outcome]]:
    """What stands in for a run: these outcomes, whatever is asked."""

    def run(*_: object) -> Iterator[Outcome]:
        return iter(told)

    return run


def test_the_last_line_counts() -> None:
    found = [outcome(missed=True), outcome(clear=True), outcome(clear=True, false_refusal=True), outcome()]

    assert figures(found) == {
        "cases": 4,
        "touching": 1,
        "missed": 1,
        "clear": 2,
        "false_refusals": 1,
        "false_refusal_upper95": 0.975,
    }


@pytest.mark.parametrize(
    ("events", "trials", "bound"),
    [(0, 0, 1.0), (3, 3, 1.0), (0, 2995, 1e-3), (1, 4742, 1e-3), (0, 1, 0.95)],
    ids=["nothing", "all", "rule of three", "one", "once"],
)
def test_the_bound_is_that_of_clopper_and_pearson(events: int, trials: int, bound: float) -> None:
    assert upper95(events, trials) == pytest.approx(bound, rel=1e-3)


def test_the_command_ends_with_its_figures(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--count", "2", "--workers", "1"]) == 0

    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert list(last) == ["cases", "touching", "missed", "clear", "false_refusals", "false_refusal_upper95"]
    assert last["cases"] == 2


def test_one_case_is_told_in_detail(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--case", "5"]) == 0

    said = capsys.readouterr()
    assert said.err.startswith("case 5, ")
    assert json.loads(said.out)["cases"] == 1


def test_a_miss_is_an_exit_code_and_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(referee, "outcomes", told_as(outcome(missed=True), outcome(clear=True)))

    assert main(["--count", "2"]) == 1

    said = capsys.readouterr()
    assert json.loads(said.out.splitlines()[-1])["missed"] == 1
    assert "MISSED case 0" in said.err


def test_time_that_is_up_ends_the_run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(referee, "outcomes", told_as(outcome(), outcome()))

    assert main(["--count", "2", "--minutes", "0"]) == 0

    assert json.loads(capsys.readouterr().out.splitlines()[-1])["cases"] == 1


def test_without_its_engines_the_command_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing(name: str) -> None:
        raise MissingEngine(f"{name} is not installed")

    monkeypatch.setattr(referee, "engine", missing)

    assert main(["--count", "1"]) == 2
    assert "coal is not installed" in capsys.readouterr().err
