"""Bounds on the distance of two shapes hold for any normal and any motion, against PyBullet at many poses between."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.forecast import path
from interlock.geometry import Box, Capsule, Cylinder, HalfSpace, Pose, Shape, Sphere
from interlock.pairs import Pair, Pairs
from interlock.robot_model import UrdfRobot
from interlock.shapes import WORLD, separation, side
from tests.supervisor import panda
from tests.supervisor.truth import SLACK_M, Truth

MODEL = UrdfRobot(panda.profile(), panda.cell())
POSE = Pose((0.45, 0.1, 0.4), (0.0, 0.6, 0.0, 0.8))
SHAPES: dict[str, Shape] = {
    "box": Box((0.1, 0.2, 0.3)),
    "ball": Sphere(0.05),
    "tin": Cylinder(0.05, 0.2),
    "pill": Capsule(0.04, 0.2),
    "wall": HalfSpace((0.6, 0.0, 0.8)),
}
OTHERS = (*SHAPES, "panda_link0", "panda_link2", "panda_link3")


@pytest.fixture(scope="module")
def referee() -> Truth:
    made = Truth()
    for name, shape in SHAPES.items():
        made.add(name, shape, POSE)
    return made


def pair_of(link: str, other: str) -> Pair:
    ours = MODEL.sides[link]
    if other in SHAPES:
        return Pair((link, other), ours, side(SHAPES[other], POSE.matrix(), WORLD), MODEL.route("", link))
    return Pair((link, other), ours, MODEL.sides[other], MODEL.route(other, link))


@settings(max_examples=40)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from(["panda_link5", "panda_link6", "panda_hand"]),
    st.sampled_from(OTHERS),
    st.floats(0.01, 0.4),
)
def test_no_bound_is_above_the_distance_anywhere_between(
    referee: Truth, chance: int, link: str, other: str, size: float
) -> None:
    generator = np.random.default_rng(chance)
    start = generator.uniform(panda.LOWER, panda.UPPER)
    along = path(MODEL, np.array([start, start + generator.uniform(-size, size, 7)]))
    pair = pair_of(link, other)
    one = Pairs([pair], MODEL.errors)
    bent = one.bends(along.steps)
    sagitta = one.sagitta(bent, 0)
    normal = generator.normal(size=3)
    normal /= np.linalg.norm(normal)

    low = one.lows(along.frames, bent)[0]
    closer = low.copy()
    pair.raise_low(along.frames, sagitta, np.full(2, np.inf), closer)
    poses = pair.relative(along.frames)
    plane = separation(pair.first, pair.second, poses, normal).min() - sagitta[1]

    shares = np.linspace(0.0, 1.0, 15)[:, None]
    between = (1.0 - shares) * along.positions[0] + shares * along.positions[1]
    least = referee.least(between, (link,), (other,))
    assert (low <= closer).all()
    assert closer[1] <= least + SLACK_M
    assert plane <= least + SLACK_M


def test_pairs_together_are_as_pairs_alone() -> None:
    pairs = [pair_of(link, other) for link in ("panda_hand", "panda_link4") for other in OTHERS]
    along = path(MODEL, panda.sweep(panda.READY, panda.READY + 0.3, 6))

    together = Pairs(pairs, MODEL.errors)
    bent = together.bends(along.steps)
    lows = together.lows(along.frames, bent)

    for place, (pair, low) in enumerate(zip(pairs, lows, strict=True)):
        alone = Pairs([pair], MODEL.errors)
        sagitta = pair.way.sagitta(along.steps, pair.first.reach)
        np.testing.assert_allclose(together.sagitta(bent, place), sagitta, atol=1e-15)
        np.testing.assert_allclose(low, alone.lows(along.frames, alone.bends(along.steps))[0], atol=1e-12)


def test_a_centre_inside_the_box_is_no_bound() -> None:
    there = MODEL.frames(panda.READY[None])[0, MODEL.index("panda_hand")]
    around = side(Box((1.0, 1.0, 1.0)), there, WORLD)
    pair = Pair(("panda_hand", "around"), MODEL.sides["panda_hand"], around, MODEL.route("", "panda_hand"))
    along = path(MODEL, panda.READY[None])

    one = Pairs([pair], MODEL.errors)

    assert one.lows(along.frames, one.bends(along.steps)).tolist() == [[-np.inf]]
