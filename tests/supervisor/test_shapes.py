"""How far shapes reach, and what is drawn around them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.arrays import FloatArray
from interlock.geometry import Box, Capsule, ConvexMesh, Cylinder, HalfSpace, Shape, Sphere
from interlock.shapes import point, rounded_up, side, support

CORNERS = np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 3.0], [1.0, 1.0, 1.0]])
SOLIDS: dict[str, Shape] = {
    "box": Box((0.2, 0.4, 0.6)),
    "sphere": Sphere(0.3),
    "cylinder": Cylinder(0.2, 0.7),
    "capsule": Capsule(0.1, 0.5),
    "mesh": ConvexMesh(CORNERS),
}


def surface(shape: Shape, generator: np.random.Generator) -> FloatArray:
    """Many points on the surface or inside, by another way than the support function."""
    around = generator.normal(size=(4000, 3))
    around /= np.linalg.norm(around, axis=1, keepdims=True)
    along = generator.uniform(-0.5, 0.5, 4000)
    match shape:
        case Box(size=size):
            return np.asarray(generator.choice([-0.5, 0.5], (4000, 3)) * np.array(size))
        case Sphere(radius=radius):
            return np.asarray(around * radius)
        case Cylinder(radius=radius, length=length):
            ring = around[:, :2] / np.linalg.norm(around[:, :2], axis=1, keepdims=True)
            return np.column_stack([ring * radius, np.sign(along) * length / 2.0])
        case Capsule(radius=radius, length=length):
            return np.asarray(
                around * radius + np.column_stack([0.0 * along, 0.0 * along, np.sign(along) * length / 2.0])
            )
        case ConvexMesh(vertices=vertices):
            return vertices
        case HalfSpace():
            raise AssertionError("a half-space has no sampled surface")


@pytest.mark.parametrize("name", SOLIDS)
def test_support_is_the_furthest_point(name: str, seed: int) -> None:
    generator = np.random.default_rng(seed)
    directions = generator.normal(size=(30, 3))
    points = surface(SOLIDS[name], generator)

    found = support(SOLIDS[name], directions)

    furthest = (directions @ points.T).max(axis=1)
    assert (furthest <= found + 1e-12).all()
    np.testing.assert_allclose(furthest, found, atol=0.03)


def test_a_half_space_is_bounded_along_its_normal_only() -> None:
    floor = HalfSpace((0.0, 0.0, 1.0))

    found = support(floor, np.array([[0.0, 0.0, 2.0], [0.0, 0.0, -1.0], [0.0, 1e-6, 1.0], [1.0, 0.0, 0.0]]))

    assert found.tolist() == [0.0, math.inf, math.inf, math.inf]


@pytest.mark.parametrize("name", SOLIDS)
def test_box_ball_and_reach_contain_the_shape(name: str, seed: int) -> None:
    offset = np.eye(4)
    offset[:3, :3] = [[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    offset[:3, 3] = (0.3, -0.2, 0.5)
    points = surface(SOLIDS[name], np.random.default_rng(seed))
    placed = points @ offset[:3, :3].T + offset[:3, 3]

    found = side(SOLIDS[name], offset, 3)

    assert ((points >= found.low - 1e-12) & (points <= found.high + 1e-12)).all()
    assert np.linalg.norm(placed - found.centre, axis=1).max() <= found.ball + 1e-12
    assert np.linalg.norm(placed, axis=1).max() <= found.reach + 1e-12
    assert found.link == 3


def test_a_half_space_is_turned_upright() -> None:
    offset = np.eye(4)
    offset[:3, 3] = (0.0, 0.0, 1.0)
    wall = side(HalfSpace((0.6, 0.0, -0.8)), offset, 0)

    assert wall.shape == HalfSpace((0.0, 0.0, 1.0))
    np.testing.assert_allclose(wall.offset[:3, 2], (0.6, 0.0, -0.8), atol=1e-15)
    np.testing.assert_allclose(wall.offset[:3, :3] @ wall.offset[:3, :3].T, np.eye(3), atol=1e-15)
    assert wall.offset[:3, 3].tolist() == [0.0, 0.0, 1.0]
    assert np.linalg.det(wall.offset) == pytest.approx(1.0)


def test_the_key_tells_shapes_apart() -> None:
    keys = {side(shape, np.eye(4), 0).key for shape in SOLIDS.values()}

    assert len(keys) == len(SOLIDS)
    assert side(ConvexMesh(CORNERS), np.eye(4), 0).key == side(ConvexMesh(CORNERS.copy()), np.eye(4), 1).key


def test_a_point_has_no_size() -> None:
    assert (point(4).ball, point(4).reach, point(4).link) == (0.0, 0.0, 4)


@given(st.floats(1e-4, 5.0))
def test_sizes_are_rounded_up_to_whole_millimetres(size: float) -> None:
    found = rounded_up(Sphere(size))

    assert isinstance(found, Sphere)
    assert size - 1e-9 <= found.radius <= size + 1e-3
    assert found.radius * 1e3 == pytest.approx(round(found.radius * 1e3), abs=1e-9)


def test_every_primitive_is_rounded_and_the_rest_is_kept() -> None:
    mesh = ConvexMesh(CORNERS)

    assert rounded_up(Box((0.1001, 0.2, 0.3))) == Box((0.101, 0.2, 0.3))
    assert rounded_up(Cylinder(0.0501, 0.2)) == Cylinder(0.051, 0.2)
    assert rounded_up(Capsule(0.05, 0.2002)) == Capsule(0.05, 0.201)
    assert rounded_up(mesh) is mesh
