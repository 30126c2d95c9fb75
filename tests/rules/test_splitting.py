"""F-26: parts contain the solid, whatever a splitter returns, and reach no further than they may."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest
import shapely
import shapely.affinity
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import Delaunay

from bench.solids import drawn_up, open_box, ring
from interlock import kernels_solids
from interlock.arrays import BoolArray, FloatArray
from interlock.geometry import ConvexMesh
from interlock.hulls import convex_hull
from interlock_rules import splitting
from interlock_rules.splitting import TooCoarse, fits, grown, holds, split
from interlock_rules.surfaces import Surface
from tests.rules.solids import ANGLE, HEIGHT, TUBE, drawn, on, outside, surface

SEEDS = st.integers(0, 2**32 - 1)
SQUARE = shapely.Polygon([(0.0, 0.0), (0.2, 0.0), (0.2, 0.2), (0.0, 0.2)])
LEGS = [
    shapely.Polygon([(0.0, 0.0), (0.3, 0.0), (0.3, 0.1), (0.0, 0.1)]),
    shapely.Polygon([(0.0, 0.1), (0.1, 0.1), (0.1, 0.3), (0.0, 0.3)]),
]
CUBE = surface(drawn_up(SQUARE, 0.2))
TOLERANCE = 5e-3
Pieces = Callable[[float], list[FloatArray]]


def block(low: tuple[float, float, float], high: tuple[float, float, float]) -> ConvexMesh:
    return ConvexMesh(
        np.array([[x, y, z] for x in (low[0], high[0]) for y in (low[1], high[1]) for z in (low[2], high[2])])
    )


def corners_of(outline: shapely.Polygon) -> FloatArray:
    return surface(drawn_up(outline, HEIGHT)).corners


def within(parts: tuple[ConvexMesh, ...], points: FloatArray) -> BoolArray:
    """Whether points (N, 3) are in some part, by the simplices of a triangulation."""
    return np.asarray(np.any([Delaunay(part.vertices).find_simplex(points, tol=1e-6) >= 0 for part in parts], axis=0))


def pieces_are(monkeypatch: pytest.MonkeyPatch, pieces: Pieces) -> list[float]:
    """Replaces coacd; the thresholds that are asked for."""
    asked: list[float] = []

    def found(_: Sequence[Surface], threshold: float) -> list[FloatArray]:
        asked.append(threshold)
        return pieces(threshold)

    monkeypatch.setattr(splitting, "pieces_of", found)
    return asked


@pytest.mark.slow
@settings(max_examples=6)
@given(SEEDS, st.floats(0.02, 0.09), st.floats(0.002, 0.03), st.booleans())
def test_F26_the_parts_contain_the_solid_and_reach_no_further_than_they_may(
    chance: int,
    width: float,
    tolerance: float,
    round_: bool,  # noqa: FBT001 - drawn
) -> None:
    generator = np.random.default_rng(chance)
    angle = shapely.Polygon([(0.0, 0.0), (0.3, 0.0), (0.3, width), (width, width), (width, 0.2), (0.0, 0.2)])
    outline = ring(0.1, width, 8) if round_ else angle
    triangles = drawn_up(outline, HEIGHT)

    parts = split(surface(triangles), tolerance)

    inner = generator.uniform([-0.1, -0.1, 0.0], [0.3, 0.2, HEIGHT], (2000, 3))
    of_parts = np.concatenate(
        [generator.dirichlet(np.full(len(part.vertices), 0.3), 500) @ part.vertices for part in parts]
    )
    assert within(parts, on(triangles, 2000, generator)).all()
    assert within(parts, inner[outside(outline, inner) < 0.0]).all()
    assert outside(outline, of_parts).max() <= tolerance


def test_a_convex_solid_is_one_part_and_not_grown(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = pieces_are(monkeypatch, lambda _: [])

    (part,) = split(CUBE, TOLERANCE)

    assert part.vertices.tolist() == CUBE.corners.tolist()
    assert asked == []


def test_what_a_hull_adds_within_the_tolerance_needs_no_splitting(monkeypatch: pytest.MonkeyPatch) -> None:
    pieces_are(monkeypatch, lambda _: [])
    dented = shapely.Polygon([(0.0, 0.0), (0.1, 0.001), (0.2, 0.0), (0.2, 0.2), (0.0, 0.2)])

    assert len(split(drawn(dented), TOLERANCE)) == 1


def test_the_coarsest_split_that_keeps_the_tolerance_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = pieces_are(
        monkeypatch,
        lambda threshold: [corners_of(ANGLE)] if threshold > 0.04 else [corners_of(leg) for leg in LEGS],
    )

    assert len(split(drawn(ANGLE), TOLERANCE)) == 2
    assert asked == [0.1, 0.05, 0.02]


def test_F26_parts_that_are_too_small_are_grown_as_far_as_they_must_be(monkeypatch: pytest.MonkeyPatch) -> None:
    short = 0.9 * TOLERANCE / 4.0  # more than the first growth makes good, less than the second

    def shrunk(_: float) -> list[FloatArray]:
        found = [corners_of(leg) for leg in LEGS]
        return [corners + short * np.where(corners > corners.mean(axis=0), -1.0, 1.0) for corners in found]

    pieces_are(monkeypatch, shrunk)

    parts = split(drawn(ANGLE), TOLERANCE)

    assert min(part.vertices.min() for part in parts) == pytest.approx(short - TOLERANCE / 4.0)


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param([], id="nothing"),
        pytest.param([corners_of(LEGS[0])], id="a part is missing"),
        pytest.param([corners_of(ANGLE)], id="the hull"),
        pytest.param([0.9 * corners_of(leg) for leg in LEGS], id="too small"),
        pytest.param([1.1 * corners_of(leg) for leg in LEGS], id="too large"),
    ],
)
def test_F26_a_splitter_that_is_wrong_is_found_out(monkeypatch: pytest.MonkeyPatch, pieces: list[FloatArray]) -> None:
    pieces_are(monkeypatch, lambda _: pieces)

    with pytest.raises(TooCoarse, match="none of 4 splits keeps the tolerance of 5 mm"):
        split(drawn(ANGLE), TOLERANCE)


def test_growth_contains_a_ball_around_every_corner_and_no_more_than_its_cube(seed: int) -> None:
    generator = np.random.default_rng(seed)
    corners = generator.uniform(-0.1, 0.1, (8, 3))
    ways = generator.normal(size=(200, 3))
    ways /= np.linalg.norm(ways, axis=1, keepdims=True)
    around = (convex_hull(corners).vertices[:, None] + 0.01 * ways).reshape(-1, 3)

    found = grown(corners, 0.01)

    assert within((found,), around).all()
    assert surface_distance(found, corners) <= 0.01 * math.sqrt(3.0) + 1e-12


def surface_distance(part: ConvexMesh, corners: FloatArray) -> float:
    """The largest distance of a corner of a part from the nearest corner of those that it was grown from."""
    return float(np.linalg.norm(part.vertices[:, None] - corners, axis=2).min(axis=1).max())


def test_F26_a_slit_between_parts_that_no_corner_sees_is_found() -> None:
    whole = (block((0.0, 0.0, 0.0), (0.08, 0.2, 0.2)), block((0.08 - 1e-4, 0.0, 0.0), (0.2, 0.2, 0.2)))
    slit = (whole[0], block((0.08 + 1e-4, 0.0, 0.0), (0.2, 0.2, 0.2)))

    assert holds(whole, CUBE, TOLERANCE)
    assert not holds(slit, CUBE, TOLERANCE)


def test_parts_that_only_touch_are_not_shown_to_contain_what_crosses_them() -> None:
    touching = (block((0.0, 0.0, 0.0), (0.08, 0.2, 0.2)), block((0.08, 0.0, 0.0), (0.2, 0.2, 0.2)))

    assert not holds(touching, CUBE, TOLERANCE)


def test_more_triangles_than_there_is_room_for_show_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = (block((0.0, 0.0, 0.0), (0.08, 0.2, 0.2)), block((0.0799, 0.0, 0.0), (0.2, 0.2, 0.2)))
    monkeypatch.setattr(splitting, "MOST", 10)

    assert not holds(whole, CUBE, TOLERANCE)


def test_a_part_without_a_volume_contains_nothing() -> None:
    flat = ConvexMesh(np.array([[0.0, 0.0, 0.0], [1e6, 0.0, 0.0], [0.0, 1e6, 0.0], [3e5, 3e5, 2e-9]]))

    assert not holds((flat,), CUBE, 1.0)


def test_F26_a_solid_that_is_flat_to_all_intents_is_an_error() -> None:
    with pytest.raises(ValueError, match="all of its corners lie in one plane"):
        split(surface(drawn_up(SQUARE, 1e-17)), TOLERANCE)


WALLS = [
    block((0.0, 0.0, 0.0), (0.2, 0.2, 0.05)), block((0.0, 0.0, 0.15), (0.2, 0.2, 0.2)),
    block((0.0, 0.0, 0.0), (0.2, 0.05, 0.2)), block((0.0, 0.15, 0.0), (0.2, 0.2, 0.2)),
    block((0.0, 0.0, 0.0), (0.05, 0.2, 0.2)), block((0.15, 0.0, 0.0), (0.2, 0.2, 0.2)),
]  # fmt: skip


def test_F26_a_void_in_the_solid_is_found() -> None:
    assert holds(WALLS, CUBE, TOLERANCE)
    assert not fits(WALLS, CUBE, TOLERANCE)
    assert fits([*WALLS, block((0.04, 0.04, 0.04), (0.16, 0.16, 0.16))], CUBE, TOLERANCE)


@pytest.mark.parametrize(("excess", "kept"), [(0.0, True), (0.9, True), (0.99, False), (1.01, False), (3.0, False)])
def test_F26_parts_keep_the_tolerance_or_are_refused(excess: float, kept: bool) -> None:  # noqa: FBT001 - a case
    beyond = excess * TOLERANCE

    assert fits([block((0.0, 0.0, 0.0), (0.2, 0.2, 0.2 + beyond))], CUBE, TOLERANCE) == kept


def test_F26_a_hull_over_a_hole_that_is_sealed_is_too_large() -> None:
    hollow = drawn_up(SQUARE, HEIGHT)[:, ::-1] / 2.0 + 0.05
    shell = surface(np.concatenate([CUBE.pieces, hollow]))

    assert fits([block((0.0, 0.0, 0.0), (0.2, 0.2, 0.2))], shell, 0.06)
    assert not fits([block((0.0, 0.0, 0.0), (0.2, 0.2, 0.2))], shell, 0.04)


def test_more_cubes_than_there_is_room_for_show_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(splitting, "MOST", 100)

    assert not fits([block((0.0, 0.0, 0.0), (0.2, 0.2, 0.2))], CUBE, TOLERANCE)


def test_what_is_compiled_says_what_python_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(splitting, "COARSEST", 4)
    x, y, z, wall = 0.2, 0.15, 0.15, 0.05
    box = surface(open_box((2.0 * x, 2.0 * y, z), wall))
    floor = block((-x, -y, 0.0), (x, y, wall))
    sides = [block((-x, -y, 0.0), (wall - x, y, z)), block((x - wall, -y, 0.0), (x, y, z))]
    sides += [block((-x, -y, 0.0), (x, wall - y, z)), block((-x, y - wall, 0.0), (x, y, z))]
    cases = [
        ([floor, *sides], box, 0.1),
        ([floor, *sides], box, 0.04),
        (WALLS, CUBE, TOLERANCE),
        ([convex_hull(box.corners)], box, 0.02),
    ]

    compiled = [fits(parts, solid, tolerance) for parts, solid, tolerance in cases]
    for name, value in list(vars(kernels_solids).items()):
        if hasattr(value, "py_func"):
            monkeypatch.setattr(kernels_solids, name, value.py_func)
    plain = [fits(parts, solid, tolerance) for parts, solid, tolerance in cases]

    assert plain == compiled == [True, True, False, False]


@pytest.mark.slow
@settings(max_examples=4)
@given(SEEDS, st.floats(0.02, 0.25))
def test_F26_the_parts_of_bodies_that_cut_through_each_other_contain_their_union(chance: int, shift: float) -> None:
    generator = np.random.default_rng(chance)
    triangles = np.concatenate([drawn_up(ANGLE, HEIGHT), drawn_up(ANGLE, HEIGHT) + np.array([shift, shift / 2.0, 0.0])])
    outline = shapely.union(ANGLE, shapely.affinity.translate(ANGLE, shift, shift / 2.0))

    parts = split(surface(triangles), TOLERANCE)

    inner = generator.uniform(0.0, [0.6, 0.5, HEIGHT], (2000, 3))
    of_parts = np.concatenate(
        [generator.dirichlet(np.full(len(part.vertices), 0.3), 500) @ part.vertices for part in parts]
    )
    assert within(parts, on(triangles, 2000, generator)).all()
    assert within(parts, inner[outside(outline, inner) < 0.0]).all()
    assert outside(outline, of_parts).max() <= TOLERANCE


@pytest.mark.slow
def test_the_same_mesh_is_split_the_same_again() -> None:
    first, second = split(drawn(TUBE), 0.02), split(drawn(TUBE), 0.02)

    assert len(first) > 1
    assert [part.vertices.tobytes() for part in first] == [part.vertices.tobytes() for part in second]
