"""Separating planes, compiled: where two shapes are nearest, what a plane says, and which node is looked at next."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from bench.engines import Gauge, coal_shape
from interlock import kernels, kernels_planes
from interlock._bullet import SWAPPED_M, Bullet
from interlock.arrays import FloatArray
from interlock.geometry import Box, Capsule, ConvexMesh, Cylinder, HalfSpace, Shape, Sphere
from interlock.shapes import WORLD, Side, separation, side, solid_of, support
from tests.supervisor.interpreting import BOUNDED, CUBE, WAYS, interpreted

SEEDS = st.integers(0, 2**32 - 1)
EXACT_M = kernels_planes.EXACT_M


def pose_of(generator: np.random.Generator, far: float) -> FloatArray:
    """A random pose (4, 4), at most so far along each axis."""
    pose = np.eye(4)
    pose[:3, :3] = Rotation.random(rng=generator).as_matrix()
    pose[:3, 3] = generator.uniform(-far, far, 3)
    return pose


def shape_of(generator: np.random.Generator) -> Shape:
    """A random bounded shape, some of them thin."""
    if generator.random() < 0.5:
        return BOUNDED[int(generator.integers(len(BOUNDED)))]
    thin = np.exp(generator.uniform(math.log(1e-3), math.log(0.5), 3))
    if generator.random() < 0.3:
        return Box(tuple(thin.tolist()))
    if generator.random() < 0.3:
        return Cylinder(float(thin[0]), float(thin[1]))
    return ConvexMesh(generator.uniform(-0.5, 0.5, (int(generator.integers(4, 40)), 3)) * thin)


def found_by_kernel(first: Shape, second: Shape, pose: FloatArray) -> FloatArray | None:
    """What `nearest` says: the normal and the points (3, 3), None where it does not answer."""
    answer = np.full((3, 3), math.nan)
    known = kernels_planes.nearest(pose, *solid_of(first), *solid_of(second), answer)
    return answer if known else None


def here(shape: Shape) -> Side:
    return side(shape, np.eye(4), 0)


def test_kinds_are_the_same_in_all_kernels() -> None:
    names = ("BALL", "BOX", "CYLINDER", "CAPSULE", "PLANES", "FLOOR")

    assert [getattr(kernels_planes, name) for name in names] == [getattr(kernels, name) for name in names]


@settings(max_examples=300)
@given(SEEDS)
def test_F21_two_shapes_are_as_far_apart_as_coal_says_or_nothing_is_said(seed: int) -> None:
    pytest.importorskip("coal", reason="needs coal, of the extra `referee`")
    generator = np.random.default_rng(seed)
    first, second, pose = shape_of(generator), shape_of(generator), pose_of(generator, 0.7)
    gauge = Gauge()
    distance = gauge.distance(coal_shape(first), gauge.placed(pose), coal_shape(second), gauge.placed(np.eye(4)))

    answer = found_by_kernel(first, second, pose)

    assert answer is not None or distance < 1e-5
    if answer is not None:
        normal, mine, theirs = answer
        gap = float(separation(here(first), here(second), pose[None], normal)[0])
        assert gap == pytest.approx(distance, abs=2e-6)
        assert np.linalg.norm(normal) == pytest.approx(1.0, abs=1e-12)
        assert (mine - theirs) @ normal == pytest.approx(gap, abs=2.0 * EXACT_M)
        assert np.linalg.norm(mine - theirs) == pytest.approx(abs(gap), abs=2.0 * EXACT_M)
        assert gap > 0.0 or cores(first, second)


def cores(*shapes: Shape) -> bool:
    """Whether one of two shapes is as far around a point or a line as its radius: of those, depths are known too."""
    return any(isinstance(shape, Sphere | Capsule) for shape in shapes)


@settings(max_examples=100)
@given(SEEDS)
def test_no_plane_of_pybullet_lies_better(seed: int) -> None:
    generator = np.random.default_rng(seed)
    first, second, pose = shape_of(generator), shape_of(generator), pose_of(generator, 0.7)
    bullet = Bullet()

    answer = found_by_kernel(first, second, pose)

    if answer is None:
        assert not bullet.nearest(here(first), here(second), pose).distance > SWAPPED_M
    else:
        theirs = bullet.nearest(here(first), here(second), pose).normal
        ours, other = (separation(here(first), here(second), pose[None], n)[0] for n in (answer[0], theirs))
        assert ours >= other - 2.0 * EXACT_M


@WAYS
@pytest.mark.parametrize("first", BOUNDED, ids=lambda shape: shape.kind)
@pytest.mark.parametrize("second", BOUNDED, ids=lambda shape: shape.kind)
def test_of_shapes_that_overlap_nothing_is_said_or_how_deep_they_do(
    first: Shape, second: Shape, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if way == "interpreted":
        interpreted(monkeypatch)
    pose = np.eye(4)

    assert found_by_kernel(first, second, pose) is None
    pose[0, 3] = 0.04
    deep = found_by_kernel(first, second, pose)
    if cores(first) and cores(second):
        assert deep is not None
        np.testing.assert_allclose(deep, [[1.0, 0.0, 0.0], [-0.06, 0.0, 0.0], [0.1, 0.0, 0.0]], atol=1e-12)
    else:
        assert deep is None
    pose[2, 3] = 2.0
    apart = found_by_kernel(first, second, pose)
    assert apart is not None
    assert apart[0, 2] > 0.99


@WAYS
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_F01_of_a_pose_that_is_none_nothing_is_said(value: float, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if way == "interpreted":
        interpreted(monkeypatch)

    for first, second in ((BOUNDED[4], BOUNDED[0]), (BOUNDED[2], BOUNDED[3]), (BOUNDED[1], BOUNDED[1])):
        for place in np.ndindex(3, 4):
            pose = np.eye(4)
            pose[:3, 3] = 2.0
            pose[place] = value
            answer = np.zeros((3, 3))
            with np.errstate(invalid="ignore"):
                known = kernels_planes.nearest(pose, *solid_of(first), *solid_of(second), answer)
            assert not known or not separation(here(first), here(second), pose[None], answer[0])[0] > -math.inf


def test_a_search_says_compiled_what_it_says_as_python(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    generator = np.random.default_rng(seed)
    cases = [(shape_of(generator), shape_of(generator), pose_of(generator, 0.5)) for _ in range(30)]
    compiled = [found_by_kernel(*case) for case in cases]
    interpreted(monkeypatch)

    for one, (first, second, pose) in zip(compiled, cases, strict=True):
        other = found_by_kernel(first, second, pose)
        assert (one is None) == (other is None)
        if one is not None and other is not None:
            gaps = [separation(here(first), here(second), pose[None], answer[0])[0] for answer in (one, other)]
            assert gaps[0] == pytest.approx(gaps[1], abs=2.0 * EXACT_M)


def test_a_search_that_comes_to_no_end_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, pose = Cylinder(0.1, 0.4), Cylinder(0.2, 0.1), pose_of(np.random.default_rng(1), 0.1)
    pose[:3, 3] += 1.0
    interpreted(monkeypatch)

    assert found_by_kernel(first, second, pose) is not None
    monkeypatch.setattr(kernels_planes, "ROUNDS", 2)
    assert found_by_kernel(first, second, pose) is None


@settings(max_examples=200)
@given(SEEDS, st.integers(1, 4))
def test_a_simplex_is_nearest_to_the_origin_where_it_is(seed: int, count: int) -> None:
    generator = np.random.default_rng(seed)
    simplex = np.full((4, 3), math.nan)
    simplex[:count] = generator.normal(size=(count, 3)) + generator.normal(size=3) * generator.choice([0.0, 1.0, 3.0])
    shares, point = np.empty(4), np.empty(3)

    used = kernels_planes.reduced(simplex, count, shares, point)

    inside = count == 4 and bool(np.linalg.solve(np.vstack([simplex.T, np.ones(4)]), [0.0, 0.0, 0.0, 1.0]).min() >= 0.0)
    assert (used == 0) == inside
    if used:
        np.testing.assert_allclose(shares[:count] @ simplex[:count], point, atol=1e-12)
        assert (shares[:count] >= 0.0).all()
        assert shares[:count].sum() == pytest.approx(1.0)
        assert [bool(used & (1 << i)) for i in range(count)] == (shares[:count] > 0.0).tolist()
        assert np.linalg.norm(point) == pytest.approx(nearest_face(simplex[:count]), abs=1e-9)


def nearest_face(simplex: FloatArray) -> float:
    """How near a vertex, an edge or a side that has the last corner comes to the origin, by the normal equations."""
    best = math.inf
    for size in range(min(3, len(simplex))):
        for others in combinations(range(len(simplex) - 1), size):
            last, rest = simplex[-1], simplex[list(others)]
            sides: FloatArray = rest - last
            squares: FloatArray = sides @ sides.T
            along: FloatArray = -(sides @ last)
            shares = np.linalg.solve(squares, along)
            if shares.min(initial=0.0) >= 0.0 and float(shares.sum()) <= 1.0:
                best = min(best, float(np.linalg.norm(last + shares @ (rest - last))))
    return best


@WAYS
def test_a_simplex_may_be_flat(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if way == "interpreted":
        interpreted(monkeypatch)
    shares, point = np.empty(4), np.empty(3)
    once = np.tile([1.0, 0.0, 0.0], (4, 1))
    line = np.array([[1.0, 0.0, 0.0], [1.0, 1.0, 0.0], [1.0, 2.0, 0.0], [1.0, -1.0, 0.0]])

    assert kernels_planes.reduced(once, 4, shares, point) == 0b1000
    assert point.tolist() == [1.0, 0.0, 0.0]
    assert kernels_planes.reduced(line, 4, shares, point) & 0b1000
    assert point.tolist() == [1.0, 0.0, 0.0]
    assert kernels_planes.reduced(np.full((4, 3), math.nan), 4, shares, point) == 0b1000
    assert np.isnan(point).all()


def test_nearly_all_that_is_apart_is_answered(seed: int) -> None:
    generator, bullet = np.random.default_rng(seed), Bullet()
    answered: list[bool] = []

    while len(answered) < 300:
        first, second, pose = shape_of(generator), shape_of(generator), pose_of(generator, 0.7)
        if bullet.nearest(here(first), here(second), pose).distance > SWAPPED_M:
            answered.append(found_by_kernel(first, second, pose) is not None)

    assert sum(answered) >= 297


class Sought:
    """A box that goes by another, in five nodes; what `seek` makes of it, at most so many looks long."""

    def __init__(self, other: Shape, most: int, need: float = 0.3) -> None:
        self.first, self.second = here(Box((0.1, 0.1, 0.1))), side(other, np.eye(4), WORLD)
        self.poses = np.tile(np.eye(4), (5, 1, 1))
        self.poses[:, :3, 3] = np.linspace([-0.4, 0.45, 0.5], [0.4, 0.35, 0.5], 5)
        frames = np.stack([self.poses, np.tile(np.eye(4), (5, 1, 1))], axis=1)
        self.low, self.near = np.full(5, -math.inf), np.full(5, math.inf)
        self.points, self.asked = np.full((5, 2, 3), math.nan), np.zeros(5, dtype=np.bool_)
        self.node, self.looks = kernels_planes.seek(
            self.poses, frames, WORLD, self.second.offset, *self.first.solid, *self.second.solid, self.low, self.near,
            self.points, np.full(5, need), self.asked, np.full(5, 1e-3), 1e-4, 0.02, most,
        )  # fmt: skip


@WAYS
def test_nodes_are_looked_at_until_all_is_known(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if way == "interpreted":
        interpreted(monkeypatch)

    found = Sought(Box((0.2, 0.4, 0.6)), 100)

    away = np.abs(found.poses[:, :3, 3]) - [0.15, 0.25, 0.35]  # of the sides of both boxes, which are parallel
    truth = np.linalg.norm(np.maximum(away, 0.0), axis=1)
    least = np.minimum(truth, np.append(truth[0], truth[:-1]))
    assert found.node == -1
    assert 2 <= found.looks <= 5
    np.testing.assert_allclose(found.near[least < 0.3], least[least < 0.3], atol=2e-3)
    assert (found.low <= least).all()
    assert (found.low >= np.minimum(least - 0.01, 0.3)).all()
    spots = found.points[2]
    assert np.linalg.norm(spots[0] - spots[1]) == pytest.approx(found.near[2], abs=1e-6)
    np.testing.assert_allclose(spots[1, 1:], [0.2, 0.3], atol=1e-6)  # on the other's edge


@WAYS
@pytest.mark.parametrize("most", [0, 1])
def test_no_more_nodes_are_looked_at_than_may_be(most: int, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if way == "interpreted":
        interpreted(monkeypatch)

    found = Sought(Box((0.2, 0.4, 0.6)), most)

    assert found.looks == most == found.asked.sum()
    assert found.node >= 0
    assert not found.asked[found.node]


@WAYS
@pytest.mark.parametrize(
    "other", [HalfSpace((0.0, 0.0, 1.0)), Box((2.0, 2.0, 2.0))], ids=["without end", "that overlaps"]
)
def test_what_only_pybullet_knows_is_left_to_it(other: Shape, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if way == "interpreted":
        interpreted(monkeypatch)

    found = Sought(other, 100, 1.0)

    assert (found.node, found.looks) == (2, 0)
    assert found.low.max() == -math.inf
    assert not found.asked.any()


@settings(max_examples=60)
@given(SEEDS, st.sampled_from(BOUNDED))
def test_a_shape_reaches_as_far_compiled_as_it_does_otherwise(seed: int, shape: Shape) -> None:
    direction = np.random.default_rng(seed).normal(size=3)
    x, y, z = direction.tolist()

    assert kernels_planes.support(*solid_of(shape), x, y, z) == pytest.approx(
        support(shape, direction[None])[0], rel=1e-12
    )


def test_a_floor_has_no_end_but_its_top() -> None:
    floor = solid_of(HalfSpace((0.0, 0.0, 1.0)))

    assert kernels_planes.support(*floor, 0.0, 0.0, 1.0) == 0.0
    assert kernels_planes.support(*floor, 0.0, 0.0, -1.0) == math.inf
    assert kernels_planes.support(*floor, 1e-6, 0.0, 1.0) == math.inf


@pytest.mark.parametrize(
    ("low", "asked", "node"),
    [
        ([0.0, 0.0, 0.0, 0.0], [], 2),  # all nodes are at the end of an open interval
        ([1.0, 0.0, 1.0, 1.0], [], 1),  # interval 1 lies between nodes 0 and 1
        ([1.0, 0.0, 1.0, 1.0], [1], 0),
        ([1.0, 0.0, 1.0, 1.0], [0, 1], -1),
        ([1.0, 1.0, 1.0, 0.0], [], 3),
        ([1.0, 1.0, 1.0, 1.0], [], -1),
        ([math.nan, 1.0, 1.0, 1.0], [], -1),
    ],
    ids=range(7),
)
def test_the_next_node_is_in_the_middle_of_what_is_open(low: list[float], asked: list[int], node: int) -> None:
    done = np.array([place in asked for place in range(4)])

    assert kernels_planes.next_node(np.array(low), np.full(4, np.inf), np.full(4, 0.5), done, 1e-4, 0.02) == node


HALF_TURNS = [np.diag(signs) for signs in ((1.0, -1.0, -1.0), (-1.0, 1.0, -1.0), (-1.0, -1.0, 1.0), (1.0, 1.0, 1.0))]


@WAYS
def test_rotations_become_quaternions_whatever_their_largest_part(
    seed: int, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if way == "interpreted":
        interpreted(monkeypatch)
    generator = np.random.default_rng(seed)

    for turn in [*HALF_TURNS, *Rotation.random(50, rng=generator).as_matrix()]:
        pose = np.eye(4)
        pose[:3, :3], pose[:3, 3] = turn, generator.normal(size=3)
        found = kernels_planes.placement(pose)
        assert list(found[:3]) == pose[:3, 3].tolist()
        np.testing.assert_allclose(Rotation.from_quat(found[3:]).as_matrix(), turn, atol=1e-12)


@WAYS
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_F02_what_is_not_finite_is_no_placement(value: float, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if way == "interpreted":
        interpreted(monkeypatch)

    for place in np.ndindex(4, 4):
        pose = np.eye(4)
        pose[place] = value
        assert np.isnan(kernels_planes.placement(pose)).all()


def faced(answer: FloatArray, distance: float, pose: FloatArray, first: Shape, second: Shape) -> FloatArray:
    """What `kernels_planes.face` makes of an answer, written plainly."""
    normal, points = answer[0], answer[1:]
    if isinstance(second, HalfSpace):
        return np.vstack([[0.0, 0.0, 1.0], points if normal[2] > 0.0 else points[::-1]])
    length = float(np.linalg.norm(normal))
    if not abs(length - 1.0) < 1e-6:
        return np.vstack([[0.0, 0.0, 1.0], points])
    unit = normal / length

    def gap(along: FloatArray) -> float:
        turned = -(along @ pose[:3, :3])[None]
        return float(along @ pose[:3, 3] - support(first, turned)[0] - support(second, along[None])[0])

    swapped = gap(unit) < distance - SWAPPED_M and gap(unit) < gap(-unit)
    return np.vstack([-unit, points[::-1]]) if swapped else np.vstack([unit, points])


UPRIGHT: tuple[Shape, ...] = (*BOUNDED, HalfSpace((0.0, 0.0, 1.0)))


@WAYS
@pytest.mark.parametrize("second", UPRIGHT, ids=lambda shape: shape.kind)
def test_an_answer_faces_the_first_shape_whichever_way_it_came(
    second: Shape, seed: int, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if way == "interpreted":
        interpreted(monkeypatch)
    generator = np.random.default_rng(seed)
    first, bullet, pose = ConvexMesh(CUBE), Bullet(), np.eye(4)
    ours, theirs = side(first, np.eye(4), 0), side(second, np.eye(4), 0)

    for length in (1.0, -1.0, 1.0 + 1e-7, 2.0, 0.0, math.nan):
        pose[:3, :3], pose[:3, 3] = Rotation.random(rng=generator).as_matrix(), generator.uniform(-1.0, 1.0, 3)
        nearest = bullet.nearest(ours, theirs, pose)
        answer = np.vstack([length * nearest.normal, nearest.points])
        wanted = faced(answer, nearest.distance, pose, first, second)
        kernels_planes.face(answer, nearest.distance, SWAPPED_M, pose, *ours.solid, *theirs.solid)
        np.testing.assert_allclose(answer, wanted, rtol=0.0, atol=1e-12)
