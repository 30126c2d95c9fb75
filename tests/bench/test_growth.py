"""The growth that is measured is that of reviews that are permitted, among things that are as far as they are said."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from bench.growth import (
    NEAR,
    ROBOTS,
    Growth,
    Row,
    among,
    far_shape,
    grown,
    main,
    scattered,
    slopes,
    stand_of,
    studies,
    swing,
)
from bench.speed import FORECAST, REVIEW, wanted
from interlock.decide import decide
from interlock.geometry import ConvexMesh


@pytest.mark.parametrize("robot", ROBOTS)
def test_every_thing_around_is_asked_about_and_what_swings_is_permitted(robot: str, seed: int) -> None:
    stand = stand_of(robot)
    course = among(swing(stand, 20, np.random.default_rng(seed)), scattered(12, seed, mesh=True))

    asked = {other for demand in wanted(stand.physics, course).demands for other in demand.others}

    assert {item.name for item in course.case.scene.objects or ()} <= asked
    assert decide(course.case, stand.physics).reaction == "permit"


def test_what_is_far_is_out_of_reach_and_what_is_near_is_always_the_same(seed: int) -> None:
    few, many = scattered(7, seed, mesh=False), scattered(40, seed, mesh=False)

    assert [item.name for item in few[:5]] == [item.name for item in many[:5]]
    assert sorted(item.name for item in few[:5]) == sorted(NEAR)
    assert len(many) == 40
    reach = 1.3 + 0.9 + 0.2  # the second arm's base, its length, and the larger half of a thing
    assert min(np.linalg.norm(item.pose.xyz) for item in many[5:]) > reach
    assert len({type(item.shape) for item in many[5:]}) == 4


def test_each_mesh_is_another_one(seed: int) -> None:
    generator = np.random.default_rng(seed)

    one, other = (far_shape(index, generator, mesh=True) for index in range(2))

    assert isinstance(one, ConvexMesh)
    assert isinstance(other, ConvexMesh)
    assert not np.array_equal(one.vertices, other.vertices)


def test_only_what_moves_moves(seed: int) -> None:
    sizes = [one for one in studies(seed, (6, 7), (5, 6)) if one.size == 6 and one.stand.name == "one arm"]

    moved = {}
    for one in sizes:
        first, second = (one.course(number).case.scene.objects or () for number in range(2))
        moved[one.study] = (one.moving, [item.pose for item in first] != [item.pose for item in second])

    assert moved == {
        "rows": (False, False),
        "primitives, still": (False, False),
        "primitives, moving": (True, True),
        "convex meshes, still": (False, False),
        "convex meshes, moving": (True, True),
    }


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0, 2.0])
def test_the_exponent_is_that_of_a_power(power: float) -> None:
    sizes = (10, 30, 100, 300)

    whole, end = slopes(sizes, [3.0 * size**power for size in sizes])

    assert whole == pytest.approx(power, abs=1e-9)
    assert end == pytest.approx(power, abs=1e-9)


def test_what_costs_the_same_anyway_weighs_least_at_the_end() -> None:
    sizes = (10, 100, 1000)

    whole, end = slopes(sizes, [100.0 + size for size in sizes])

    assert whole < end < 1.0


def test_the_figures_are_sorted_by_study_and_size() -> None:
    taken: dict[tuple[str, str, str, int], Sequence[float]] = {
        ("rows", "one arm", FORECAST, 20): [2.0, 4.0, 6.0],
        ("rows", "one arm", FORECAST, 10): [1.0, 2.0],
    }

    found = grown(taken)

    assert found["chunks"] == 2
    assert [(row["size"], row["median_ms"]) for row in found["rows"]] == [(10, 1.5), (20, 4.0)]
    (only,) = found["exponents"]
    assert only["whole"] == only["end"] == pytest.approx(np.log2(4.0 / 1.5), abs=0.005)


@pytest.mark.slow
def test_a_run_writes_each_size_of_each_study(tmp_path: Path) -> None:
    path = tmp_path / "growth.json"

    assert main(["--count", "1", "--obstacles", "6", "9", "--rows", "5", "8", "--write", str(path)]) == 0

    found: Growth = json.loads(path.read_text())
    assert {frozenset(row) for row in found["rows"]} == {frozenset(Row.__annotations__)}
    assert len(found["rows"]) == 5 * 2 * 2 * 2
    assert {(row["study"] == "rows", row["size"]) for row in found["rows"]} == {
        (True, 5), (True, 8), (False, 6), (False, 9),
    }  # fmt: skip
    assert {row["what"] for row in found["rows"]} == {FORECAST, REVIEW}
    assert len(found["exponents"]) == 5 * 2 * 2
