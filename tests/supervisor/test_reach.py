"""The bounds on how far points move, against many sampled moves of the Panda."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.arrays import FloatArray
from interlock.kinematics import Kinematics, kinematics_of
from interlock.reach import Ball, Route, route
from interlock.urdf import Description, Mimic, UrdfJoint, UrdfLink, read_urdf
from tests.supervisor import panda

TREE = kinematics_of(read_urdf(panda.urdf()), [f"panda_joint{n}" for n in range(1, 8)] + ["panda_finger_joint1"])
RADIUS = 0.12  # of the ball that stands for link B
SEEDS = st.integers(0, 2**32 - 1)
PAIRS = st.sampled_from([
    ("panda_link0", "panda_hand"), ("panda_link2", "panda_link7"), ("panda_link7", "panda_link2"),
    ("panda_link4", "panda_link5"), ("panda_leftfinger", "panda_link3"),
])  # fmt: skip


def forked() -> Kinematics:
    """A torso that turns, with two arms of two joints each, the second of which follows the first."""
    generator = np.random.default_rng(1)
    joints: list[UrdfJoint] = []
    for name, parent, child, leader in (
        ("torso", "base", "chest", ""),
        ("l1", "chest", "left1", ""),
        ("l2", "left1", "left2", ""),
        ("r1", "chest", "right1", ""),
        ("r2", "right1", "right2", "r1"),
    ):
        origin = np.eye(4)
        origin[:3, 3] = generator.normal(size=3) * 0.3
        axis = generator.normal(size=3)
        mimic = Mimic(leader, -1.5, 0.2) if leader else None
        axis /= np.linalg.norm(axis)
        joints.append(UrdfJoint(name, "revolute", parent, child, origin, axis, -3.0, 3.0, 1.0, 1.0, mimic))
    links = [UrdfLink("base", ()), *(UrdfLink(joint.child, ()) for joint in joints)]
    return kinematics_of(Description(tuple(links), tuple(joints)), ["torso", "l1", "l2", "r1"])


FORKED = forked()


def straight() -> Kinematics:
    """Four joints about z in a row along x, so that at zero the way between any two links is stretched out."""
    joints: list[UrdfJoint] = []
    for index, length in enumerate((0.3, 0.5, 0.7, 1.1)):
        origin = np.eye(4)
        origin[0, 3] = length
        parent, child, axis = f"link{index}", f"link{index + 1}", np.array([0.0, 0.0, 1.0])
        joints.append(UrdfJoint(f"j{index}", "revolute", parent, child, origin, axis, -3.0, 3.0, 1.0, 1.0, None))
    links = [UrdfLink(f"link{index}", ()) for index in range(5)]
    return kinematics_of(Description(tuple(links), tuple(joints)), [joint.name for joint in joints])


STRAIGHT = straight()


def way(tree: Kinematics, start: str, end: str) -> Route:
    return route(tree, tree.links.index(start), tree.links.index(end))


def seen(tree: Kinematics, values: FloatArray, start: str, end: str, points: FloatArray) -> FloatArray:
    """Points (V, 3) of link `end` in the frame of link `start`, (N, V, 3)."""
    frames = tree.forward(values, np.eye(4))
    relative = np.linalg.inv(frames[:, tree.links.index(start)]) @ frames[:, tree.links.index(end)]
    return np.asarray(points @ np.swapaxes(relative[:, :3, :3], 1, 2) + relative[:, None, :3, 3])


def ball(generator: np.random.Generator) -> FloatArray:
    directions = generator.normal(size=(40, 3))
    return np.asarray(directions / np.linalg.norm(directions, axis=1, keepdims=True) * RADIUS)


def deviation_at(tree: Kinematics, found: Route, values: FloatArray, errors: FloatArray, end: str) -> float:
    frames = tree.forward(values[None], np.eye(4))
    ball = Ball(tree.links.index(end), np.zeros(3), RADIUS)
    return float(found.deviation(errors, frames, np.zeros((1, len(values))), ball, RADIUS)[0])


@settings(max_examples=40)
@given(SEEDS, PAIRS, st.floats(1e-3, 0.6))
def test_no_deviation_moves_a_point_further_than_its_bound(chance: int, pair: tuple[str, str], size: float) -> None:
    check_deviation(TREE, pair, chance, size, moving=7)


@settings(max_examples=25)
@given(SEEDS, st.sampled_from([("left2", "right2"), ("right2", "left1"), ("base", "right2")]), st.floats(1e-3, 0.6))
def test_it_holds_between_two_arms_and_for_joints_that_follow(chance: int, pair: tuple[str, str], size: float) -> None:
    check_deviation(FORKED, pair, chance, size, moving=4)


def check_deviation(tree: Kinematics, pair: tuple[str, str], chance: int, size: float, moving: int) -> None:
    generator = np.random.default_rng(chance)
    width = len(tree.joints)
    values = np.zeros(width)
    values[:moving] = generator.uniform(-2.5, 2.5, moving)
    errors = np.zeros(width)
    errors[:moving] = generator.uniform(0.0, size, moving)
    off = generator.choice([-1.0, 1.0], (60, width)) * errors * generator.choice([1.0, 1.0, 0.3], (60, 1))
    points = ball(generator)

    bound = deviation_at(tree, way(tree, *pair), values, errors, pair[1])

    moved = seen(tree, values + off, *pair, points) - seen(tree, values[None], *pair, points)
    assert np.linalg.norm(moved, axis=2).max() <= bound + 1e-12
    assert bound <= way(tree, *pair).loosest(errors, RADIUS) + 1e-12


@settings(max_examples=40)
@given(SEEDS, PAIRS, st.floats(1e-3, 1.5))
def test_no_point_leaves_its_chord_further_than_the_sagitta(chance: int, pair: tuple[str, str], size: float) -> None:
    check_sagitta(TREE, pair, chance, size, moving=7)


@settings(max_examples=25)
@given(SEEDS, st.sampled_from([("left2", "right2"), ("right2", "left1"), ("base", "right2")]), st.floats(1e-3, 1.5))
def test_the_sagitta_holds_for_two_arms_too(chance: int, pair: tuple[str, str], size: float) -> None:
    check_sagitta(FORKED, pair, chance, size, moving=4)


def check_sagitta(tree: Kinematics, pair: tuple[str, str], chance: int, size: float, moving: int) -> None:
    generator = np.random.default_rng(chance)
    width = len(tree.joints)
    start, step = np.zeros(width), np.zeros(width)
    start[:moving] = generator.uniform(-2.5, 2.5, moving)
    step[:moving] = generator.uniform(-size, size, moving)
    shares = np.linspace(0.0, 1.0, 33)[:, None]
    points = ball(generator)

    bound = way(tree, *pair).sagitta(step[None], RADIUS)[0]

    places = seen(tree, start + shares * step, *pair, points)
    chord = (1.0 - shares[:, None]) * places[:1] + shares[:, None] * places[-1:]
    assert np.linalg.norm(places - chord, axis=2).max() <= bound + 1e-12


@settings(max_examples=25)
@given(SEEDS, PAIRS)
def test_the_deviation_holds_inside_an_interval_too(chance: int, pair: tuple[str, str]) -> None:
    generator = np.random.default_rng(chance)
    ends = np.zeros((2, len(TREE.joints)))
    ends[:, :7] = generator.uniform(-2.5, 2.5, 7) + generator.uniform(-0.3, 0.3, (2, 7))
    errors = np.append(generator.uniform(0.0, 0.05, 7), 0.0)
    found = way(TREE, *pair)
    frames = TREE.forward(ends, np.eye(4))
    around = Ball(TREE.links.index(pair[1]), np.zeros(3), RADIUS)

    bound = found.deviation(errors, frames, np.diff(ends, axis=0, prepend=ends[:1]), around, RADIUS)[1]

    inside = [(1.0 - share) * ends[0] + share * ends[1] for share in np.linspace(0.0, 1.0, 9)]
    points = ball(generator)
    for values in inside:
        off = generator.choice([-1.0, 1.0], (20, len(errors))) * errors
        moved = seen(TREE, values + off, *pair, points) - seen(TREE, values[None], *pair, points)
        assert np.linalg.norm(moved, axis=2).max() <= bound + 1e-12


@pytest.mark.parametrize(("start", "end"), [("link0", "link4"), ("link4", "link0"), ("link1", "link3")])
def test_a_reach_is_that_of_the_stretched_arm_and_no_more(start: str, end: str) -> None:
    places = STRAIGHT.forward(np.zeros((1, 4)), np.eye(4))[0, :, :3, 3]

    found = way(STRAIGHT, start, end)

    stretched = np.linalg.norm(places[found.links] - places[STRAIGHT.links.index(end)], axis=1)
    assert found.reaches == pytest.approx(stretched)


def test_joints_outside_the_two_do_not_count() -> None:
    errors = np.zeros(len(TREE.joints))
    errors[[0, 1, 2, 6]] = 1.0
    found = way(TREE, "panda_link3", "panda_link6")

    assert found.columns.tolist() == [3, 4, 5]
    assert deviation_at(TREE, found, np.zeros(len(TREE.joints)), errors, "panda_link6") == pytest.approx(0.0)


def test_the_way_back_has_the_same_joints_in_reverse() -> None:
    assert way(TREE, "panda_link6", "panda_link3").columns.tolist() == [5, 4, 3]


def test_links_without_a_joint_between_them_do_not_move() -> None:
    found = way(TREE, "panda_link7", "panda_hand")

    assert found.sagitta(np.ones((3, len(TREE.joints))), 1.0).tolist() == [0.0, 0.0, 0.0]
    assert deviation_at(
        TREE, found, np.zeros(len(TREE.joints)), np.ones(len(TREE.joints)), "panda_hand"
    ) == pytest.approx(0.0)
