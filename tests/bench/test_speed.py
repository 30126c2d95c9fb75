"""The bench measures what it says: courses that are what they are called, and rows of the published shape."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from bench.courses import ROWS, courses, world_of
from bench.speed import BALLS, DENSE, NAIVE, STEP_M, Row, dense, main, rows
from interlock.arrays import FloatArray
from interlock.bullet_physics import BulletPhysics
from interlock.case import Case
from interlock.chunk import ActionChunk
from interlock.rules import RuleSet
from interlock_rules import load


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
    model = physics.model
    assert model is not None

    found = dense(physics, course.rows)

    poses = model.forward(found)[:, [model.links.index("panda_hand")]]
    assert np.linalg.norm(np.diff(poses[:, 0, :3, 3], axis=0), axis=1).max() < 1.1 * STEP_M
    assert np.isin(course.rows, found).all()


def test_the_ratio_is_that_of_the_medians() -> None:
    found = rows({(NAIVE, "free"): [1.0, 2.0, 9.0], ("review", "free"): [3.0, 4.0, 5.0]})

    assert [(row["method"], row["median_ms"], row["ratio_to_naive"]) for row in found] == [
        (NAIVE, 2.0, 1.0),
        ("review", 4.0, 2.0),
    ]


@pytest.mark.slow
def test_a_run_writes_a_row_for_each_method_and_scenario(tmp_path: Path) -> None:
    path = tmp_path / "results.json"

    assert main(["--count", "1", "--write", str(path)]) == 0

    found: list[Row] = json.loads(path.read_text())
    assert [set(row) for row in found] == [set(Row.__annotations__)] * 15
    assert {(row["method"], row["scenario"]) for row in found} == {
        (method, scenario)
        for method in ("review", "forecast", BALLS, DENSE, NAIVE)
        for scenario in ("free", "near", "hit")
    }
    assert all(0.0 < row["median_ms"] <= row["p99_ms"] for row in found)
