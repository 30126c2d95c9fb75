"""The bench measures what it says: courses that are what they are called, and rows of the published shape."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench.courses import ROWS, Course, Scenario, courses, crowd, world_of
from bench.parts import parts_of, robot_of
from bench.sampled import STEP_M, DenseWorld, dense
from bench.speed import BALLS, DENSE, FORECAST, NAIVE, REVIEW, Row, engines, main, rows, wanted
from bench.waypoints import COAL, MUJOCO
from interlock.arrays import FloatArray
from interlock.bullet_physics import BulletPhysics
from interlock.case import Case
from interlock.chunk import ActionChunk
from interlock.rules import Demand, RuleSet
from interlock_rules import load

ALLOWANCE_M = 4e-3  # what lies between samples, and what Bullet adds to hulls and takes from edges


@pytest.fixture(scope="module")
def rules() -> RuleSet:
    return load("panda-tabletop")


def test_courses_are_what_they_are_called(rules: RuleSet, seed: int) -> None:
    world = world_of(rules)

    found = courses(rules, world, 2, seed)

    touched = {scenario: [world.contacts(course.rows) > 0 for course in some] for scenario, some in found.items()}
    assert touched == {"free": [False] * 2, "near": [False] * 2, "hit": [True] * 2}


def test_every_method_sees_the_same_rows(rules: RuleSet, seed: int) -> None:
    found = courses(rules, world_of(rules), 1, seed)

    for course in (course for some in found.values() for course in some):
        assert course.rows.shape == (ROWS, 7)
        np.testing.assert_allclose(joint_rows(course.case), course.rows)


def joint_rows(case: Case) -> FloatArray:
    assert isinstance(case.chunk, ActionChunk)
    return case.chunk.values[:, : len(case.rules.profile.joints)]


def test_dense_rows_are_a_millimetre_apart(rules: RuleSet, seed: int) -> None:
    physics = BulletPhysics(rules.profile, rules.cell)
    course = courses(rules, world_of(rules), 1, seed)["free"][0]
    model = robot_of(physics)

    found = dense(model, course.rows).rows

    poses = model.forward(found)[:, [model.links.index("panda_hand")]]
    assert np.linalg.norm(np.diff(poses[:, 0, :3, 3], axis=0), axis=1).max() < 1.1 * STEP_M
    assert np.isin(course.rows, found).all()


def test_the_ratio_is_that_of_the_medians() -> None:
    found = rows({(NAIVE, "free"): [1.0, 2.0, 9.0], ("review", "free"): [3.0, 4.0, 5.0]})

    assert [(row["method"], row["chunks"], row["median_ms"], row["ratio_to_naive"]) for row in found] == [
        (NAIVE, 3, 2.0, 1.0),
        (REVIEW, 3, 4.0, 2.0),
    ]


def test_the_ratio_of_the_slowest_is_to_the_slowest() -> None:
    found = rows({(NAIVE, "free"): [1.0, 1.0, 8.0], (REVIEW, "free"): [4.0, 4.0, 4.0]})

    assert [row["p99_ratio_to_naive"] for row in found] == [1.0, round(4.0 / 7.86, 3)]


@pytest.fixture(scope="module")
def known(rules: RuleSet) -> dict[Scenario, list[Course]]:
    return courses(rules, world_of(rules), 3, 1)


def test_the_engines_see_what_touches_and_they_agree_row_by_row(
    rules: RuleSet, known: dict[Scenario, list[Course]]
) -> None:
    parts = parts_of(robot_of(BulletPhysics(rules.profile, rules.cell)), rules.cell, crowd())
    found = engines(parts)
    if len(found) < 2:
        pytest.skip("needs coal, pin and mujoco, of the extra `referee`")

    seen = {
        scenario: [
            tuple(engine.touching(course.rows[row : row + 1]) for row in range(ROWS) for engine in found.values())
            for course in some
        ]
        for scenario, some in known.items()
    }

    assert [sum(one) for one in (*seen["free"], *seen["near"])] == [0] * 6
    assert all(sum(one) > 0 for one in seen["hit"])
    assert all(one[::2] == one[1::2] for one in seen["hit"])


def test_an_engine_sees_the_robot_touch_itself(rules: RuleSet) -> None:
    found = engines(parts_of(robot_of(BulletPhysics(rules.profile, rules.cell)), rules.cell, ()))
    folded = np.array([[0.0, 0.2, 0.0, -1.8, 0.0, -0.3, 0.0], rules.profile.poses[-1].positions])
    if not found:
        pytest.skip("needs the extra `referee`")

    assert [engine.touching(folded[:1]) for engine in found.values()] == [1] * len(found)
    assert [engine.touching(folded[1:]) for engine in found.values()] == [0] * len(found)


def test_what_is_not_installed_is_left_out_and_said(
    rules: RuleSet, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("coal", "mujoco"):
        monkeypatch.setitem(sys.modules, name, None)

    found = engines(parts_of(robot_of(BulletPhysics(rules.profile, rules.cell)), rules.cell, crowd()))

    assert found == {}
    said = capsys.readouterr().err.splitlines()
    assert [line.split(" is left out: ")[0] for line in said] == [COAL, MUJOCO]
    assert all("pip install 'interlock-vla[referee]'" in line for line in said)


def test_dense_sampling_says_what_the_forecast_says(rules: RuleSet, known: dict[Scenario, list[Course]]) -> None:
    physics = BulletPhysics(rules.profile, rules.cell)
    world = DenseWorld(parts_of(robot_of(physics), rules.cell, crowd()), rules.cell)
    margins: dict[str, list[float]] = {}
    rooms: dict[str, list[float]] = {}

    for scenario, course in ((scenario, course) for scenario, some in known.items() for course in some):
        about = wanted(physics, course)
        answers = physics.forecast(about.motion, course.case.scene, about.demands)
        remains = [
            float((one.at_least_m - demand.min_m).min()) for one, demand in zip(answers, about.demands, strict=True)
        ]
        margins.setdefault(scenario, []).append(min(remains))
        asked = world.asked(about.motion, course.case.scene, about.demands)
        rooms.setdefault(scenario, []).append(world.room(asked))

    assert rooms["free"] == [np.inf] * 3
    assert [margin > 0.0 for margin in margins["free"]] == [True] * 3
    near = [
        (margin, room) for margin, room in zip(margins["near"], rooms["near"], strict=True) if abs(margin) > ALLOWANCE_M
    ]
    assert [margin > 0.0 for margin, _ in near] == [room > 0.0 for _, room in near]
    assert {margin > 0.0 for margin in margins["near"]} == {True, False}
    for margin, room in zip(margins["hit"], rooms["hit"], strict=True):
        assert margin - 2.0 * ALLOWANCE_M < room < margin < 0.0


def test_a_demand_on_what_nobody_knows_is_an_error(rules: RuleSet, known: dict[Scenario, list[Course]]) -> None:
    physics = BulletPhysics(rules.profile, rules.cell)
    world = DenseWorld(parts_of(robot_of(physics), rules.cell, crowd()), rules.cell)
    course = known["free"][0]
    about = wanted(physics, course)

    with pytest.raises(ValueError, match="'back wall'"):
        world.asked(about.motion, replace(course.case.scene, objects=()), about.demands)


def test_a_sample_on_a_row_keeps_what_both_intervals_ask(rules: RuleSet, known: dict[Scenario, list[Course]]) -> None:
    physics = BulletPhysics(rules.profile, rules.cell)
    world = DenseWorld(parts_of(robot_of(physics), rules.cell, ()), rules.cell)
    course = known["free"][0]
    motion = wanted(physics, course).motion
    only = np.arange(len(motion)) == 20
    demand = Demand(("panda_hand",), ("table",), 0.05, only)

    asked = world.asked(motion, replace(course.case.scene, objects=()), (demand,))

    (question,) = asked.questions
    samples = dense(robot_of(physics), motion.positions)
    inside = samples.intervals == 20
    begins = np.flatnonzero(samples.intervals == 21)[0]
    assert np.flatnonzero(np.isfinite(question.wanted)).tolist() == [*np.flatnonzero(inside), begins]
    assert min(want for want in question.wanted if np.isfinite(want)) > 0.05


@pytest.mark.slow
def test_a_run_writes_a_row_for_each_method_and_scenario(tmp_path: Path) -> None:
    path = tmp_path / "results.json"

    assert main(["--count", "1", "--write", str(path)]) == 0

    found: list[Row] = json.loads(path.read_text())
    rules = load("panda-tabletop")
    others = engines(parts_of(robot_of(BulletPhysics(rules.profile, rules.cell)), rules.cell, crowd()))
    methods = (REVIEW, FORECAST, BALLS, DENSE, NAIVE, *others)
    assert [set(row) for row in found] == [set(Row.__annotations__)] * 3 * len(methods)
    assert {(row["method"], row["scenario"]) for row in found} == {
        (method, scenario) for method in methods for scenario in ("free", "near", "hit")
    }
    assert all(0.0 < row["median_ms"] <= row["p99_ms"] for row in found)
