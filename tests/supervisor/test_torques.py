"""Inverse dynamics: compiled, against PyBullet from a generated URDF, and against Newton and Euler written plainly."""

from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.arrays import FloatArray
from interlock.errors import UnusableInput
from interlock.geometry import Box, Capsule, HalfSpace, Pose
from interlock.profile import Inertia
from interlock.robot_model import UrdfRobot
from interlock.scene import Held
from interlock.torques import Torques, held_inertia
from tests.supervisor import panda
from tests.supervisor.bullet_torques import BulletTorques

TILT = Pose((0.5, 0.0, 0.2), (math.sin(0.4), 0.0, 0.0, math.cos(0.4)))
HELD = Held("block", Box((0.05, 0.08, 0.12)), Pose((0.01, 0.02, 0.1), (0.0, math.sin(0.3), 0.0, math.cos(0.3))), 1.5)


def torques_of(mount: Pose) -> Torques:
    return Torques(UrdfRobot(panda.profile(), panda.cell(mount=mount)))


STANDING, TILTED = torques_of(Pose()), torques_of(TILT)


def held_tensor(held: Held) -> tuple[float, FloatArray, FloatArray]:
    assert isinstance(held.shape, Box)
    x, y, z = held.shape.size
    moments = np.array([y * y + z * z, x * x + z * z, x * x + y * y]) * held.mass_kg / 12.0
    turn = held.pose.matrix()[:3, :3]
    return held.mass_kg, np.array(held.pose.xyz), turn @ np.diag(moments) @ turn.T


def tensor(inertia: Inertia) -> tuple[float, FloatArray, FloatArray]:
    xx, xy, xz, yy, yz, zz = inertia.tensor
    return inertia.mass_kg, np.array(inertia.com), np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])


def newton_euler(torques: Torques, q: FloatArray, u: FloatArray, a: FloatArray, held: Held | None) -> FloatArray:
    """Joint torques (7,) for one row: motion outwards, forces inwards, everything in the world's axes."""
    model = torques.model
    tree = model.kinematics
    poses = model.frames(q[None])[0]
    bodies = {name: [tensor(found)] for name in tree.links for found in model.profile.inertias if found.link == name}
    if held is not None:
        bodies.setdefault(model.profile.flange, []).append(held_tensor(held))
    count = len(tree.links)
    spin, turning, speeding = (np.zeros((count, 3)) for _ in range(3))
    speeding[0] = (0.0, 0.0, 9.80665)
    force, moment = np.zeros((count, 3)), np.zeros((count, 3))
    axes = np.einsum("lij,lj->li", poses[:-1, :3, :3], tree.axes)
    for link in range(count):
        up = tree.parents[link]
        if up >= 0:
            arm = poses[link, :3, 3] - poses[up, :3, 3]
            moving = tree.axes[link].any()
            column = tree.column[link]
            rate = axes[link] * (u[column] if moving else 0.0)
            gain = axes[link] * (a[column] if moving else 0.0)
            spin[link] = spin[up] + rate
            turning[link] = turning[up] + gain + np.cross(spin[up], rate)
            speeding[link] = speeding[up] + np.cross(turning[up], arm) + np.cross(spin[up], np.cross(spin[up], arm))
        for mass, com, inertia in bodies.get(tree.links[link], []):
            turn = poses[link, :3, :3]
            centre, about = turn @ com, turn @ inertia @ turn.T
            pull = mass * (
                speeding[link] + np.cross(turning[link], centre) + np.cross(spin[link], np.cross(spin[link], centre))
            )
            force[link] += pull
            moment[link] += about @ turning[link] + np.cross(spin[link], about @ spin[link]) + np.cross(centre, pull)
    for link in range(count - 1, 0, -1):
        up = tree.parents[link]
        force[up] += force[link]
        moment[up] += moment[link] + np.cross(poses[link, :3, 3] - poses[up, :3, 3], force[link])
    found = np.zeros(7)
    for link in range(count):
        if tree.axes[link].any():
            found[tree.column[link]] += axes[link] @ moment[link]
    return found


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.sampled_from([STANDING, TILTED]), st.sampled_from([None, HELD]))
def test_F33_torques_are_those_of_newton_and_euler(chance: int, torques: Torques, held: Held | None) -> None:
    generator = np.random.default_rng(chance)
    q = generator.uniform(panda.LOWER, panda.UPPER, (3, 7))
    u, a = generator.uniform(-2.0, 2.0, (3, 7)), generator.uniform(-10.0, 10.0, (3, 7))

    found = torques.of(q, u, a, held)

    expected = [newton_euler(torques, *row, held) for row in zip(q, u, a, strict=True)]
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-9)


@pytest.mark.parametrize("held", [None, HELD], ids=["empty", "held"])
@pytest.mark.parametrize("torques", [STANDING, TILTED], ids=["standing", "tilted"])
def test_F33_torques_are_those_of_pybullet(torques: Torques, held: Held | None, seed: int) -> None:
    referee, generator = BulletTorques(torques.model, held), np.random.default_rng(seed)
    q = generator.uniform(panda.LOWER, panda.UPPER, (30, 7))
    u, a = generator.uniform(-2.0, 2.0, (30, 7)), generator.uniform(-10.0, 10.0, (30, 7))

    np.testing.assert_allclose(torques.of(q, u, a, held), referee.of(q, u, a), rtol=1e-5, atol=1e-5)


def test_what_is_held_weighs_as_the_box_around_it() -> None:
    found = held_inertia(Held("x", Capsule(0.02, 0.1), Pose((0.1, 0.0, 0.0)), 0.6))

    assert found.mass_kg == pytest.approx(0.6)
    assert found.com == pytest.approx((0.1, 0.0, 0.0))
    assert found.tensor == pytest.approx(
        (0.05 * (0.04**2 + 0.14**2), 0, 0, 0.05 * (0.04**2 + 0.14**2), 0, 0.05 * 0.0032)
    )


def test_F33_a_held_mass_is_felt_and_let_go_again() -> None:
    still = np.zeros((1, 7))

    empty = STANDING.of(panda.READY[None], still, still, None)
    loaded = STANDING.of(panda.READY[None], still, still, HELD)

    assert abs(loaded - empty).max() > 5.0
    assert STANDING.of(panda.READY[None], still, still, None).tobytes() == empty.tobytes()


def test_rows_that_are_not_finite_have_no_torque() -> None:
    rows = np.tile(panda.READY, (4, 1))
    still = np.zeros((4, 7))
    broken = [rows.copy(), still.copy(), still.copy()]
    for row, values in enumerate(broken):
        values[row, 3] = np.nan

    found = STANDING.of(broken[0], broken[1], broken[2], None)

    assert np.isnan(found[:3]).all()
    assert np.isfinite(found[3]).all()


@pytest.mark.parametrize("which", [0, 1, 2], ids=["position", "velocity", "acceleration"])
@pytest.mark.parametrize("joint", [0, 6])
@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_F01_a_row_with_one_value_that_is_no_number_has_no_torque_at_all(which: int, joint: int, value: float) -> None:
    broken = [np.tile(panda.READY, (2, 1)), np.zeros((2, 7)), np.zeros((2, 7))]
    broken[which][0, joint] = value

    with np.errstate(invalid="ignore"):
        found = STANDING.of(broken[0], broken[1], broken[2], None)

    assert np.isnan(found[0]).all()
    assert np.isfinite(found[1]).all()


class Twins:
    """Two arms of one hinge each on one base; they lie along the axes of the world."""

    kinematics = SimpleNamespace(
        links=("base", "left", "right"), parents=(0, 0, 0), axes=np.array([[0.0, 0.0, 0.0], *[[0.0, 1.0, 0.0]] * 2]),
        column=np.array([0, 0, 1]), gain=np.ones(3),
    )  # fmt: skip
    profile = SimpleNamespace(
        inertias=tuple(
            Inertia(name, 1.0, (0.1, 0.0, 0.0), (1.0, 0.0, 0.0, 1.0, 0.0, 1.0), "test") for name in ("left", "right")
        )
    )

    def index(self, link: str) -> int:
        return ("base", "left", "right").index(link)

    def frames(self, positions: FloatArray) -> FloatArray:
        return np.tile(np.eye(4), (len(positions), 4, 1, 1))


@pytest.mark.parametrize("value", [math.inf, math.nan])
def test_F01_a_number_that_is_none_in_one_arm_leaves_no_torque_in_the_other(value: float) -> None:
    torques, still = Torques(cast(UrdfRobot, Twins())), np.zeros((2, 2))
    changes = still.copy()
    changes[0, 0] = value

    found = torques.of(still, still, changes, None)

    assert np.isnan(found[0]).all()
    assert found[1].tolist() == pytest.approx([-0.980665, -0.980665])


@pytest.mark.parametrize(
    "held",
    [
        replace(HELD, pose=Pose((math.nan, 0.0, 0.0))),
        replace(HELD, mass_kg=math.nan),
        replace(HELD, mass_kg=0.0),
        replace(HELD, mass_kg=math.inf),
        replace(HELD, shape=HalfSpace((0.0, 0.0, 1.0))),
    ],
    ids=["pose", "NaN", "nothing", "endless", "half-space"],
)
def test_what_cannot_be_weighed_has_no_torque(held: Held) -> None:
    still = np.zeros((2, 7))

    assert np.isnan(STANDING.of(still, still, still, held)).all()


@pytest.mark.parametrize("change", ["missing", "unknown"])
def test_inertias_that_do_not_fit_the_urdf_are_refused(change: str) -> None:
    known = panda.profile().inertias
    inertias = known[2:] if change == "missing" else (*known, replace(known[0], link="nowhere"))
    model = UrdfRobot(replace(panda.profile(), inertias=inertias), panda.cell())

    with pytest.raises(UnusableInput, match=r"\['panda_link1'\]" if change == "missing" else r"\['nowhere'\]"):
        Torques(model)


AT_REST = (panda.READY[None], np.zeros((1, 7)), np.zeros((1, 7)))


class Swapping(Held):
    """The block again; while it is compared another load is asked for, as another thread may do."""

    __slots__ = ()

    def __eq__(self, _other: object) -> bool:
        STANDING.of(*AT_REST, replace(HELD, mass_kg=0.1))
        return True

    def __hash__(self) -> int:
        return hash(self.name)


def test_F43_the_load_is_the_callers_whatever_another_thread_asks_for_meanwhile() -> None:
    expected = STANDING.of(*AT_REST, HELD)
    swapping = Swapping(HELD.name, HELD.shape, HELD.pose, HELD.mass_kg)

    assert np.array_equal(STANDING.of(*AT_REST, swapping), expected)
