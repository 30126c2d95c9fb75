"""Balls that contain a hull: by construction, and seen from points all over it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock import covers
from interlock.arrays import FloatArray
from interlock.covers import ball_around, balls_of, cover, sides_of
from interlock.geometry import Box, Cylinder, HalfSpace, Pose, Shape, Sphere
from interlock.kept import Kept
from interlock.robot_model import UrdfRobot
from interlock.shapes import WORLD, side
from tests.supervisor import panda

MODEL = UrdfRobot(panda.profile(), panda.cell())


def outside(points: FloatArray, balls: FloatArray) -> float:
    """How far the worst of points (P, 3) is outside of all balls (S, 4)."""
    away = np.linalg.norm(points[:, None] - balls[None, :, :3], axis=2) - balls[:, 3]
    return float(away.min(axis=1).max())


def points_of(vertices: FloatArray, generator: np.random.Generator, count: int) -> FloatArray:
    """Points of the hull of vertices, many of them near its corners and edges."""
    weights = generator.dirichlet(np.full(4, 0.3), count)
    chosen = vertices[generator.integers(0, len(vertices), (count, 4))]
    return np.concatenate([vertices, (weights[:, :, None] * chosen).sum(axis=1)])


@pytest.mark.parametrize("link", sorted(MODEL.hulls))
def test_F23_no_point_of_a_link_is_outside_its_balls(link: str) -> None:
    points = points_of(MODEL.vertices[link], np.random.default_rng(1), 5000)
    balls = balls_of(MODEL.sides[link])

    assert outside(points, balls) <= 0.0
    assert len(balls) == covers.BALLS
    assert balls[:, 3].max() < 0.75 * ball_around(MODEL.vertices[link])[3]


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(4, 30), st.integers(1, 20))
def test_no_point_of_any_hull_is_outside_its_balls(seed: int, corners: int, balls: int) -> None:
    generator = np.random.default_rng(seed)
    vertices = generator.normal(size=(corners, 3)) * generator.uniform(0.001, 1.0, 3)

    found = cover(vertices, balls)

    assert 1 <= len(found) <= balls
    assert outside(points_of(vertices, generator, 2000), found) <= 0.0


def test_a_flat_hull_has_balls_too() -> None:
    flat = np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [1.0, 1.0, 0.0], [0.0, 1.0, 0.0]])

    found = cover(flat, 8)

    assert outside(points_of(flat, np.random.default_rng(1), 2000), found) <= 0.0


@pytest.mark.parametrize("shape", [Box((0.1, 0.5, 0.2)), Sphere(0.2), Cylinder(0.05, 0.4)], ids=["box", "ball", "tin"])
def test_what_is_held_is_in_its_balls_where_it_is_held(shape: Shape) -> None:
    pose = Pose((0.1, 0.2, 0.3), (0.0, 0.6, 0.0, 0.8))
    generator = np.random.default_rng(1)
    reach = {"box": [0.05, 0.25, 0.1], "sphere": [0.115] * 3, "cylinder": [0.035, 0.035, 0.2]}[shape.kind]
    points = generator.uniform(-1.0, 1.0, (3000, 3)) * reach
    held = side(shape, pose.matrix(), 3)

    there = points @ held.offset[:3, :3].T + held.offset[:3, 3]

    assert outside(there, balls_of(held)) <= 0.0


def test_a_half_space_has_no_balls() -> None:
    assert balls_of(side(HalfSpace((0.0, 0.0, 1.0)), np.eye(4), 3)).shape == (0, 4)


def test_of_many_shapes_the_oldest_balls_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(covers, "_BALLS", Kept[tuple[str, bytes], FloatArray](2))
    sides = [side(Sphere(radius), np.eye(4), 1) for radius in (0.11, 0.12, 0.13)]

    first = balls_of(sides[0])
    for one in sides[1:]:
        balls_of(one)

    assert balls_of(sides[0]) is not first


def test_of_many_shapes_the_oldest_planes_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(covers, "_PLANES", Kept[str, FloatArray](2))
    bodies = [side(HalfSpace((0.0, 0.0, 1.0)), np.eye(4), WORLD)]
    bodies += [side(Box((size, 0.1, 0.1)), np.eye(4), WORLD) for size in (0.11, 0.12)]

    first = sides_of(bodies[0])
    assert sides_of(bodies[0]) is first
    for one in bodies[1:]:
        sides_of(one)

    assert sides_of(bodies[0]) is not first


def test_what_cutting_does_not_make_smaller_has_one_ball() -> None:
    found = cover(np.full((4, 3), 0.25), 8)

    assert found.tolist() == [[0.25, 0.25, 0.25, 0.0]]
