"""The compiled arithmetic: as Python runs it and as it is compiled it says the same, and it says what is true."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock import kernels, kernels_motion, kernels_planes
from interlock.arrays import FloatArray
from interlock.covers import balls_of
from interlock.geometry import Box, Capsule, ConvexMesh, Cylinder, HalfSpace, Shape, Sphere
from interlock.pairs import Look, Pair, Pairs
from interlock.reach import Ball
from interlock.robot_model import UrdfRobot
from interlock.shapes import WORLD, planes_of, separation, side, solid_of
from interlock.torques import Torques
from tests.supervisor import panda
from tests.supervisor.interpreting import CUBE, MODULES, SHAPES, WAYS, interpreted

MODEL = UrdfRobot(panda.profile(), panda.cell())
SEEDS = st.integers(0, 2**32 - 1)


def solid(shape: Shape) -> tuple[int, FloatArray, FloatArray]:
    """A shape as `from_solid` takes it."""
    kind, size, _ = solid_of(shape)
    return kernels.PLANES if kind == kernels.FLOOR else kind, size, planes_of(shape)


def looked(seed: int) -> list[Any]:
    """What the kernels say of a random motion near a box, a post, a table and the arm itself."""
    generator = np.random.default_rng(seed)
    start = generator.uniform(panda.LOWER, panda.UPPER)
    positions = np.linspace(start, start + generator.uniform(-0.4, 0.4, 7), 6)
    frames, steps = MODEL.frames(positions), MODEL.steps(positions)
    hand = frames[0, MODEL.index("panda_hand")].copy()
    hand[:3, 3] += generator.uniform(-0.3, 0.3, 3)
    pairs = [
        Pair(("panda_hand", "x"), MODEL.sides["panda_hand"], side(shape, hand, WORLD), MODEL.route("", "panda_hand"))
        for shape in SHAPES
    ]
    far = side(Box((0.2, 0.2, 0.2)), np.array([[1, 0, 0, 5], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]]), WORLD)
    pairs.append(Pair(("panda_hand", "far"), MODEL.sides["panda_hand"], far, MODEL.route("", "panda_hand")))
    way = MODEL.route("panda_link1", "panda_hand")
    pairs.append(Pair(("panda_hand", "panda_link1"), MODEL.sides["panda_hand"], MODEL.sides["panda_link1"], way))
    together = Pairs(pairs, MODEL.errors, [(0, 0, 0, place // 2) for place in range(len(pairs))])
    bent = together.bends(steps)
    every = np.ones((1, 6), dtype=np.bool_)
    lost = generator.uniform(0.0, 0.01, (len(pairs), 2))
    found: list[Any] = [frames, bent, way.sagitta(steps, 0.1)]
    found.append(Torques(MODEL).of(positions, generator.normal(size=(6, 7)), generator.normal(size=(6, 7)), None))
    marked = generator.uniform(size=(1, 6)) < 0.8
    found += together.look(frames, bent, lost, np.arange(6.0), np.array([0.02]), marked, every, frames[:, 1])
    for place, pair in enumerate(pairs):
        low = together.lows(frames, bent)[place]
        pair.raise_low(frames, together.sagitta(bent, place), np.full(6, 0.5), low)
        for lagging, growth, need in (
            (True, [0.0, 0.01], 0.3),
            (False, [0.0, 0.0], -9.0),
            (True, [math.nan, 0.0], 0.3),
        ):
            look = Look(
                frames, steps, np.arange(6.0), np.array(growth), need, np.full(6, 0.4), marked[0], every[0], every[0]
            )
            closely = replace(pair, lagging=lagging).closer(
                look, MODEL.errors, bent[together.which[place, 1]], low - 0.01, np.array([0.01, 0.0])
            )
            found += [np.asarray(part) for part in closely]
        ball = Ball(pair.first.link, pair.first.centre, pair.first.ball)
        poses = pair.relative(frames)
        gaps = separation(pair.first, pair.second, poses, np.array([0.0, 0.0, 1.0]))
        near, asked = np.full(6, np.inf), np.zeros(6, dtype=np.bool_)
        asked[generator.integers(0, 6)] = True
        found.append(kernels_planes.carried(pair.first.centre[None], pair.second.offset, frames[0, 1]))
        found.append(kernels_planes.open_ones(low, near, np.full(6, 0.5), 1e-4, 0.02))
        found += [poses, gaps, kernels_planes.next_node(low, near, np.full(6, 0.5), asked, 1e-4, 0.02)]
        spots, points = generator.normal(size=(2, 3)), np.full((6, 2, 3), math.nan)
        near[5] = -math.inf  # it was seen nearer already
        taken = (low, near, points, np.full(6, 0.5), asked, np.full(6, 0.001), 4, gaps, spots, 1e-4, 0.02)
        found += [kernels_planes.take_in(*taken), near, points, asked]
        found += [low, pair.way.deviation(np.full(9, 0.002), frames, steps, ball, pair.first.reach)]
    return found


def swept(seed: int) -> list[Any]:
    """What the kernels say of corners in a frame that moves at random, in the third case to nowhere."""
    generator = np.random.default_rng(seed)
    poses, corners = generator.normal(size=(5, 4, 4)), generator.normal(size=(20, 3))
    poses[3] *= math.nan if seed == 2 else 1.0
    prism = poses, corners, generator.normal(size=(5, 3)), generator.normal(size=5)
    return [
        kernels.least_along(poses, corners, generator.normal(size=(4, 3))),
        kernels.longest_chords(poses, corners),
        *kernels.in_prism(*prism, poses[:, 2, 2], 0.2, True, 1),
        *kernels.in_prism(*prism, poses[:, 2, 2], 0.2, False, 3),
        *kernels.in_prism(*prism, np.zeros(5), 1e9, True, 0),
        kernels.sticking_out(poses[0], corners[:3], poses[1], corners),
        kernels.sticking_out(poses[3], corners[:3], poses[0], corners),
        kernels.sticking_out(poses[0], corners[:3], poses[3], corners),
        kernels.middles(poses, corners),
        kernels.grown(poses[:, 0, 0], poses[:, 1, 1], 0.1),
        kernels.rates(np.abs(poses[:, 0, 0]), np.array([0.0, 0.1, 0.1, 0.2, 0.3])),
        kernels.rates(np.zeros(5), np.array([0.0, 0.1, 0.1, math.nan, 0.3])),
    ]


def kept(seed: int) -> list[Any]:
    """What the kernels say of bounds of a pair of which some are no numbers, and some are not asked for."""
    generator = np.random.default_rng(seed)
    odd = np.array([0.0, 0.01, 0.02, math.nan, math.inf])
    deviation, least, low = generator.choice(odd, (3, 40))
    masks, times = generator.uniform(size=(3, 40)) < 0.8, np.arange(40.0)
    asked, sound = kernels.asked(deviation, generator.choice(odd[:3], 2), times, 0.015, least, *masks)
    found: list[Any] = [asked, sound, kernels.highest(odd), kernels.highest(odd[:3])]
    for seen in (np.empty((0, 2, 3)), generator.choice([math.nan, 0.3], (40, 1, 1)) * np.ones((40, 2, 3))):
        remains, which, points = generator.choice(odd, 40), np.full(40, 3), np.ones((40, 2, 3))
        kernels.keep_least(low, asked, seen, 7, remains, which, points)
        found += [remains, which, points]
    return found


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("said", [pytest.param(looked, marks=pytest.mark.slow), swept, kept])
def test_a_kernel_says_compiled_what_it_says_as_python(
    said: Callable[[int], list[Any]], seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled = said(seed)
    interpreted(monkeypatch)

    with np.errstate(invalid="ignore"):  # compiled code does not warn
        interpretation = said(seed)
    for one, other in zip(compiled, interpretation, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-14)


@given(SEEDS)
def test_a_swept_body_is_where_its_corners_are(seed: int) -> None:
    generator = np.random.default_rng(seed)
    poses, corners, along = (generator.normal(size=shape) for shape in ((5, 4, 4), (20, 3), (4, 3)))
    poses[generator.integers(5), generator.integers(3), generator.integers(4)] = generator.choice([0.0, math.nan])
    points = corners @ np.swapaxes(poses[:, :3, :3], 1, 2) + poses[:, None, :3, 3]
    chords = np.linalg.norm(np.diff(points, axis=0, prepend=points[:1]), axis=2).max(axis=1)

    np.testing.assert_allclose(kernels.least_along(poses, corners, along), (points @ along.T).min(axis=1), atol=1e-12)
    np.testing.assert_allclose(kernels.longest_chords(poses, corners), chords, atol=1e-12)


def depth(point: FloatArray, shape: Shape, generator: np.random.Generator) -> float:
    """No less than the distance of a point from a shape: from the nearest of many points in it; 0 or less inside."""
    match shape:
        case HalfSpace():
            return float(point @ np.array(shape.normal))
        case ConvexMesh() | Box():
            inside = generator.uniform(-1.0, 1.0, (4000, 3)) * [0.1, 0.2, 0.3]
            nearest = np.clip(point, [-0.1, -0.2, -0.3], [0.1, 0.2, 0.3])
        case Sphere():
            inside = generator.normal(size=(4000, 3)) * 0.02
            nearest = point * min(1.0, 0.1 / float(np.linalg.norm(point)))
        case _:
            tall = 0.2 if isinstance(shape, Cylinder) else 0.1
            inside = generator.uniform(-1.0, 1.0, (4000, 3)) * [0.07, 0.07, tall]
            nearest = inside[0]
    return float(np.linalg.norm(np.vstack([inside, nearest]) - point, axis=1).min())


@settings(max_examples=60)
@given(SEEDS, st.sampled_from(SHAPES))
def test_no_shape_is_further_from_a_point_than_it_is(seed: int, shape: Shape) -> None:
    generator = np.random.default_rng(seed)
    point = generator.uniform(-0.5, 0.5, 3)

    found = kernels.from_solid(point, *solid(shape))

    assert found <= depth(point, shape, generator) + 1e-12


@pytest.mark.parametrize(
    ("shape", "point", "distance"),
    [
        (Box((0.2, 0.4, 0.6)), (0.4, 0.6, 0.3), 0.5),
        (Sphere(0.1), (0.3, 0.0, 0.4), 0.4),
        (Cylinder(0.1, 0.4), (0.4, 0.0, 0.6), 0.5),
        (Cylinder(0.1, 0.4), (0.0, 0.3, 0.1), 0.2),
        (Capsule(0.1, 0.2), (0.3, 0.0, 0.5), 0.4),
        (Capsule(0.1, 0.2), (0.3, 0.0, 0.05), 0.2),
        (ConvexMesh(CUBE), (0.4, 0.0, 0.0), 0.3),
        (HalfSpace((0.6, 0.0, 0.8)), (0.6, 5.0, 0.8), 1.0),
    ],
    ids=range(8),
)
def test_a_point_is_as_far_from_a_shape_as_it_is(
    shape: Shape, point: tuple[float, float, float], distance: float
) -> None:
    assert kernels.from_solid(np.array(point), *solid(shape)) == pytest.approx(distance, abs=1e-12)


@WAYS
@pytest.mark.parametrize("shape", [Box((0.2, 0.4, 0.6)), Cylinder(0.1, 0.4)], ids=["box", "cylinder"])
def test_in_a_shape_nothing_is_known(shape: Shape, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if way == "interpreted":
        interpreted(monkeypatch)

    assert kernels.from_solid(np.array([0.05, 0.05, 0.1]), *solid(shape)) == -math.inf


def test_F01_what_is_not_a_number_is_never_clear() -> None:
    hand = MODEL.sides["panda_hand"]
    wall = side(Box((0.1, 0.1, 0.1)), np.eye(4), WORLD)
    pairs = Pairs([Pair(("panda_hand", "wall"), hand, wall, MODEL.route("", "panda_hand"))], MODEL.errors)
    frames = MODEL.frames(np.tile(panda.READY, (3, 1)))
    bent, every = pairs.bends(np.zeros((3, 9))), np.ones((1, 3), dtype=np.bool_)

    for lost in ([math.nan, 0.0], [0.0, math.nan]):
        _, clear, remains = pairs.look(frames, bent, np.array([lost]), np.arange(3.0), np.zeros(1), every, every)
        assert not clear.any()
        assert np.isnan(remains).any()


@pytest.mark.parametrize("along", [-0.03, -0.0201, -0.0101, 0.0, 0.0099, 0.0199, 0.03])
def test_F23_how_deep_a_plate_is_in_the_hand_is_not_how_deep_it_is_in_a_ball_of_it(along: float) -> None:
    hand = MODEL.sides["panda_hand"]
    frames = MODEL.frames(panda.READY[None])
    there = frames[0, hand.link] @ np.array([[1, 0, 0, 0], [0, 1, 0, along], [0, 0, 1, 0.03], [0, 0, 0, 1.0]])
    plate = side(Box((0.4, 0.0002, 0.4)), there, WORLD)  # through the hand, across its longest direction
    pair = Pair(("panda_hand", "plate"), hand, plate, MODEL.route("", "panda_hand"))
    low = np.array([-math.inf])

    pair.raise_low(frames, np.zeros(1), np.full(1, 0.5), low)

    normals = np.random.default_rng(1).normal(size=(3000, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    poses = pair.relative(frames)
    depth = max(float(separation(hand, plate, poses, normal)[0]) for normal in normals)
    assert depth < -0.05
    assert low[0] <= depth


@WAYS
def test_without_balls_nothing_is_raised(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if way == "interpreted":
        interpreted(monkeypatch)
    low = np.array([-math.inf])

    kernels.covered(
        np.eye(4)[None, None], np.array([0, 0]), np.empty((0, 4)), np.eye(4), *solid(Sphere(0.1)), np.empty((0, 4)),
        np.zeros(1), np.ones(1), low,
    )  # fmt: skip

    assert low.tolist() == [-math.inf]


def test_balls_are_found_once() -> None:
    assert balls_of(MODEL.sides["panda_hand"]) is balls_of(MODEL.sides["panda_hand"])


def stopped(
    before: FloatArray, path: FloatArray, speed: FloatArray, acceleration: FloatArray, period_s: float, fewest: int
) -> FloatArray:
    """The shortest stop of at most 20 steps, written plainly."""
    for count in range(fewest, 21):
        along = np.cumsum([*(1.0 - np.arange(1, count + 1) / (count + 1)), 0.0])
        segment = np.minimum(along.astype(np.int64), len(path) - 2)
        nodes = path[segment] + (along - segment)[:, None] * (path[segment + 1] - path[segment])
        rates = np.diff(np.vstack([before, nodes]), axis=0) / period_s
        changes = np.diff(rates, axis=0) / period_s
        if (np.abs(rates[1:]) <= speed).all() and (np.abs(changes) <= acceleration * (1.0 + 1e-9)).all():
            return np.asarray(nodes)
    return np.empty((0, path.shape[1]))


@WAYS
def test_a_stop_is_the_shortest_that_keeps_the_limits(seed: int, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if way == "interpreted":
        interpreted(monkeypatch)
    generator = np.random.default_rng(seed)
    lengths = set[int]()

    for hardest in np.linspace(1.0, 40.0, 60):
        steps = generator.uniform(-0.02, 0.02, 3) + generator.uniform(-0.002, 0.002, (8, 3))
        path = np.cumsum(steps, axis=0)[int(generator.integers(0, 6)) :]
        before = np.array([path[0] - steps[0], path[0]])
        limits = np.full(3, generator.uniform(0.8, 2.0)), np.full(3, hardest)
        for start in (before, np.full((2, 3), math.nan)):
            found = kernels_motion.shortest_stop(start, path, *limits, 0.02, 1, 20)
            np.testing.assert_array_equal(found, stopped(start, path, *limits, 0.02, 1))
            lengths.add(len(found))

    assert 0 in lengths
    assert len(lengths) > 2


@given(SEEDS)
def test_F01_the_least_is_what_is_less_or_no_number(seed: int) -> None:
    generator = np.random.default_rng(seed)
    odd = np.array([-0.01, 0.0, 0.01, 0.02, math.nan])
    low, before, lost = generator.choice(odd, 8), generator.choice(odd, 8), generator.choice(odd[1:], 8)
    judged = generator.uniform(size=8) < 0.8
    asked, sound = kernels.asked(
        lost, np.zeros(2), np.zeros(8), 0.5, np.full(8, math.inf), judged, np.ones(8, np.bool_), np.ones(8, np.bool_)
    )
    remains, which, points = before.copy(), np.full(8, -1), np.full((8, 2, 3), math.nan)

    kernels.keep_least(low, asked, np.ones((8, 2, 3)), 7, remains, which, points)

    assert sound == bool(np.isfinite(lost).all())
    lower = judged & ~np.isnan(before) & ~(low - lost >= before)
    np.testing.assert_array_equal(remains, np.where(lower, low - lost, before))
    assert which.tolist() == np.where(lower, 7, -1).tolist()
    assert np.isfinite(points).all(axis=(1, 2)).tolist() == lower.tolist()


def test_a_kernel_calls_none_of_another_file() -> None:
    for module in MODULES:
        made = [value for value in vars(module).values() if hasattr(value, "py_func")]
        assert made
        assert {kernel.__module__ for kernel in made} == {module.__name__}
