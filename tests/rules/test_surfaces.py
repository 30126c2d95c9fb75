from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
import shapely.affinity
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.solids import drawn_up, open_box
from interlock import kernels_solids
from interlock.arrays import FloatArray
from interlock_rules.surfaces import surface_of
from tests.rules.solids import ANGLE, HEIGHT, TUBE, drawn, outside, surface

SEEDS = st.integers(0, 2**32 - 1)
SQUARE = shapely.Polygon([(0.0, 0.0), (0.3, 0.0), (0.3, 0.3), (0.0, 0.3)])
CUBE = drawn_up(SQUARE, HEIGHT)


@settings(max_examples=30)
@given(SEEDS, st.sampled_from([ANGLE, TUBE]))
def test_points_are_as_far_outside_as_they_are_in_the_plane(chance: int, outline: shapely.Polygon) -> None:
    points = np.random.default_rng(chance).uniform(-0.2, 0.5, (50, 3))

    found = drawn(outline).outside(points)

    np.testing.assert_allclose(found, outside(outline, points), atol=1e-12)


def test_corners_in_one_place_become_one() -> None:
    assert len(drawn(ANGLE).corners) == 12
    assert len(drawn(ANGLE).triangles) == 20


def test_triangles_without_an_area_are_left_out() -> None:
    edge = CUBE[0, [0, 1, 1]]

    assert len(surface(np.concatenate([CUBE, edge[None]])).triangles) == 12


def test_a_skin_that_faces_inwards_makes_a_hollow() -> None:
    hollow = 0.15 + 0.5 * (CUBE[:, ::-1] - 0.15)

    found = surface(np.concatenate([CUBE, hollow])).outside(np.array([[0.15, 0.15, 0.12], [0.01, 0.01, 0.01]]))

    assert found[0] > 0.0 > found[1]


def test_bodies_in_one_another_are_their_union() -> None:
    found = surface(np.concatenate([CUBE, CUBE + 0.05])).outside(np.array([[0.1, 0.1, 0.1], [0.33, 0.33, 0.2]]))

    assert (found < 0.0).all()


@pytest.mark.parametrize("shift", [0.05, 0.15, 0.3, 0.7])
def test_F26_what_is_in_several_bodies_at_once_is_inside(shift: float) -> None:
    both = surface(np.concatenate([CUBE, CUBE + shift * np.array([1.0, 0.0, 0.0])]))
    outline = shapely.union_all([SQUARE, shapely.affinity.translate(SQUARE, shift)])
    points = np.random.default_rng(0).uniform(-0.1, [1.1, 0.4, 0.3], (500, 3))

    found = both.outside(points)

    expected = outside(outline, points)
    assert ((found < 0.0) == (expected < 0.0)).all()
    np.testing.assert_allclose(found[found > 0.0], expected[found > 0.0], atol=1e-12)


def test_bodies_that_share_no_edge_are_found_one_by_one() -> None:
    touching = CUBE + 0.3 * np.array([1.0, 1.0, 0.0]) + np.array([0.0, 0.0, HEIGHT])  # at a corner
    whole = surface(np.concatenate([CUBE[:6], CUBE + 0.05, CUBE[6:], touching, CUBE]))

    bodies = whole.bodies

    expected = [np.unique(of.reshape(-1, 3), axis=0).tolist() for of in (CUBE, CUBE + 0.05, touching)]
    assert [body.corners.tolist() for body in bodies] == expected
    assert [len(body.triangles) for body in bodies] == [24, 12, 12]
    for body in bodies:
        assert surface(body.pieces).corners.tolist() == body.corners.tolist()  # closed, and outwards


@pytest.mark.parametrize(
    "triangles",
    [
        pytest.param(CUBE, id="one"),
        pytest.param(np.concatenate([CUBE, CUBE + np.array([0.3, 0.0, 0.0])]), id="two that share edges"),
        pytest.param(np.concatenate([CUBE, 0.15 + 0.5 * (CUBE[:, ::-1] - 0.15)]), id="a hollow"),
        pytest.param(np.concatenate([CUBE, 1.0 + CUBE[:1], 1.0 + CUBE[:1, ::-1]]), id="a plate beside it"),
    ],
)
def test_what_bounds_no_solids_of_its_own_stays_whole(triangles: FloatArray) -> None:
    whole = surface(triangles)

    assert whole.bodies == (whole,)


def test_an_open_box_is_open() -> None:
    box = surface(open_box((0.4, 0.3, 0.15), 0.01))

    found = box.outside(np.array([[0.0, 0.0, 0.1], [0.0, 0.0, 0.005], [0.195, 0.0, 0.1], [0.0, 0.0, 0.3]]))

    assert found.tolist() == pytest.approx([0.09, -0.005, -0.005, math.hypot(0.14, 0.15)])


FLIPPED = CUBE.copy()
FLIPPED[0] = FLIPPED[0, ::-1]
ONCE_NAN = CUBE.copy()
ONCE_NAN[3, 1, 2] = math.nan


@pytest.mark.parametrize(
    ("triangles", "message"),
    [
        pytest.param(CUBE[:-1], r"it is not closed: 3 of 18 edges .* repair the mesh", id="a hole"),
        pytest.param(CUBE[:1], r"it is not closed: 3 of 3 edges", id="a plate"),
        pytest.param(FLIPPED, r"do not all face outwards: those at 3 of 18 edges", id="one turned round"),
        pytest.param(CUBE[:, ::-1], r"it encloses -0.018 m\^3: its triangles face inwards", id="all turned round"),
        pytest.param(np.concatenate([CUBE[:1], CUBE[:1, ::-1]]), r"it encloses 0 m\^3", id="two sides of nothing"),
        pytest.param(ONCE_NAN, "not finite", id="NaN"),
        pytest.param(
            np.concatenate([CUBE, np.array([[[0.0, 0.0, 0.0], [9.0, 9.0, 9.0], [9.0, 9.0, 9.0]]])]),
            r"1 of its corners are in no triangle that has an area, as the one at \[9.0, 9.0, 9.0\] \[m\]",
            id="a spike",
        ),
        pytest.param(CUBE[:0], "no triangles", id="empty"),
        pytest.param(CUBE[:, [0, 0, 0]], "no triangles", id="points"),
    ],
)
def test_F26_a_mesh_that_bounds_no_solid_is_an_error(triangles: FloatArray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        surface(triangles)


def test_F26_an_index_out_of_range_is_an_error() -> None:
    with pytest.raises(ValueError, match="of 3 corners"):
        surface_of(np.eye(3), np.array([[0, 1, 3]]))


@settings(max_examples=10)
@given(SEEDS)
def test_what_is_compiled_says_what_python_says(chance: int) -> None:
    points = np.random.default_rng(chance).uniform(-0.2, 0.5, (8, 3))
    whole = drawn(ANGLE)
    needle = np.array([[[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.5, 1e-12, 0.0]]])
    args = whole.pieces, whole.balls
    compiled = [
        *kernels_solids.outside(points, *args),
        *(kernels_solids.from_triangle(point, needle[0]) for point in points),
    ]
    with pytest.MonkeyPatch.context() as patch:
        for name, value in list(vars(kernels_solids).items()):
            if hasattr(value, "py_func"):
                patch.setattr(kernels_solids, name, value.py_func)

        plain = [
            *kernels_solids.outside(points, *args),
            *(kernels_solids.from_triangle(point, needle[0]) for point in points),
        ]

    np.testing.assert_allclose(compiled, plain, rtol=1e-12, atol=1e-15)
    flat = np.array([math.hypot(*(point - np.clip(point, 0.0, [1.0, 0.0, 0.0]))) for point in points])
    np.testing.assert_allclose(compiled[8:], flat, atol=1e-9)
