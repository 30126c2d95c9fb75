"""The bench measures what it says: courses that are what they are called, and rows of the published shape."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from bench.courses import ROWS, courses
from bench.naive import NaiveWorld
from bench.speed import NAIVE, Row, main, rows
from interlock.arrays import FloatArray
from interlock.case import Case
from interlock.chunk import ActionChunk
from interlock.rules import RuleSet
from interlock_rules import load


@pytest.fixture(scope="module")
def rules() -> RuleSet:
    return load("panda-tabletop")


def test_courses_are_what_they_are_called(rules: RuleSet, seed: int) -> None:
    world = NaiveWorld(rules.profile, rules.cell)

    found = courses(rules, world, 2, seed)

    touched = {scenario: [world.contacts(course.rows) > 0 for course in some] for scenario, some in found.items()}
    assert touched == {"free": [False] * 2, "near": [False] * 2, "hit": [True] * 2}


def test_every_method_sees_the_same_rows(rules: RuleSet, seed: int) -> None:
    found = courses(rules, NaiveWorld(rules.profile, rules.cell), 1, seed)

    for course in (course for some in found.values() for course in some):
        assert course.rows.shape == (ROWS, 7)
        np.testing.assert_allclose(joint_rows(course.case), course.rows)


def joint_rows(case: Case) -> FloatArray:
    assert isinstance(case.chunk, ActionChunk)
    return case.chunk.values[:, : len(case.rules.profile.joints)]


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
    assert [set(row) for row in found] == [set(Row.__annotations__)] * 9
    assert {(row["method"], row["scenario"]) for row in found} == {
        (method, scenario) for method in ("review", "forecast", NAIVE) for scenario in ("free", "near", "hit")
    }
    assert all(0.0 < row["median_ms"] <= row["p99_ms"] for row in found)
