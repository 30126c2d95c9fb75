"""Where bodies are between two nodes: bounds that hold for whatever sticks out of a link."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from interlock.arrays import FloatArray
from interlock.geometry import Box, Capsule, ConvexMesh, Cylinder, HalfSpace, Pose, Shape, Sphere
from interlock.scene import Held
from interlock_rules.kind import Setup
from interlock_rules.swept import Swept, corners, sweep
from tests.rules.arm import LENGTHS, PERIOD, SETUP, Arm, bar, motion_of, moving, still

LOOSE = replace(SETUP, model=Arm(stiff=False))
TETRAHEDRON = ConvexMesh(np.array([[0.0, 0, 0], [0.1, 0, 0], [0, 0.1, 0], [0, 0, 0.1]]))


def held(shape: Shape, setup: Setup = LOOSE, pose: Pose | None = None) -> Swept | None:
    thing = Held("thing", shape, Pose((0.1, 0.0, 0.0)) if pose is None else pose, 0.1)
    return sweep("held", motion_of(moving(0.1), held=thing, setup=setup), setup.profile)


@pytest.mark.parametrize(
    ("shape", "count", "radius", "reach"),
    [
        (Box((0.2, 0.4, 0.6)), 8, 0.0, 0.3),
        (Cylinder(0.1, 0.6), 8, 0.0, 0.3),
        (Sphere(0.3), 1, 0.3, 0.3),
        (Capsule(0.1, 0.4), 2, 0.1, 0.3),
        (TETRAHEDRON, 4, 0.0, 0.1),
    ],
    ids=["box", "cylinder", "sphere", "capsule", "mesh"],
)
def test_a_shape_lies_in_the_grown_hull_of_its_corners(shape: Shape, count: int, radius: float, reach: float) -> None:
    found = corners(shape)
    assert found is not None

    assert (len(found[0]), found[1]) == (count, radius)
    assert found[0][:, 2].max() + found[1] == pytest.approx(reach)


@given(
    st.lists(st.floats(-0.5, 0.5), min_size=3, max_size=3),
    st.lists(st.floats(-2.0, 2.0), min_size=3, max_size=3),
    st.tuples(st.floats(-0.5, 0.5), st.floats(-0.5, 0.5), st.floats(-0.5, 0.5)),
)
def test_F28_a_point_that_sticks_out_keeps_to_its_chord_and_speed(
    step: list[float], at: list[float], where: tuple[float, float, float]
) -> None:
    start, way, share = np.array(at), np.array(step), np.linspace(0.0, 1.0, 101)[:, None]
    thing = Held("thing", Sphere(0.01), Pose(where), 0.1)
    swept = sweep("held", motion_of([start, start + way], held=thing, setup=LOOSE, brake=0), LOOSE.profile)
    assert swept is not None
    path = (Arm().forward(start + share * way)[:, 4] @ np.append(where, 1.0))[:, :3]
    off = np.linalg.norm(path - (path[0] + share * (path[-1] - path[0])), axis=1).max()
    speed = np.linalg.norm(np.diff(path, axis=0), axis=1).max() / (PERIOD / 100)

    assert off <= swept.sagitta[-1] + 1e-12
    assert speed <= swept.speed(np.array([0.0, 0.0, PERIOD]))[-1] + 1e-9


def test_the_tracking_error_grows_with_the_distance_from_the_link() -> None:
    sloppy = tuple(replace(joint, tracking=0.01) for joint in SETUP.profile.joints)
    setup = replace(SETUP, profile=replace(SETUP.profile, joints=sloppy))

    near, far = held(Sphere(0.01), setup), held(Sphere(0.01), setup, Pose((0.3, 0.0, 0.0)))

    assert near is not None
    assert far is not None
    assert far.growth()[0] - near.growth()[0] == pytest.approx(0.2 * 0.03, rel=0.05)


def test_a_ball_turns_with_the_hand_that_holds_it() -> None:
    small, wide = held(Sphere(0.01)), held(Sphere(0.11))
    assert small is not None
    assert wide is not None
    times = np.maximum(np.arange(7) - 1, 0) * PERIOD

    assert (wide.speed(times) - small.speed(times))[-1] == pytest.approx(0.1 * 0.1 / PERIOD)


class Handless(Arm):
    """An arm of which neither the flange nor the hand has a hull."""

    @property
    @override
    def vertices(self) -> Mapping[str, FloatArray]:
        return {"upper": bar(0.0, LENGTHS[0], 0.02)}


@pytest.mark.parametrize("part", ["tcp", "held"])
def test_F38_nothing_is_known_of_what_no_hull_carries(part: str) -> None:
    setup = replace(SETUP, model=Handless())
    thing = Held("thing", Sphere(0.01), Pose(), 0.1)

    assert sweep(part, motion_of(still(), held=thing, setup=setup), setup.profile) is None


def test_F38_nothing_is_known_without_a_shape_a_pose_or_a_flange() -> None:
    nowhere = replace(SETUP, profile=replace(SETUP.profile, flange="wrist"))

    assert sweep("held", motion_of(still()), SETUP.profile) is None
    assert held(HalfSpace((0.0, 0.0, 1.0))) is None
    assert held(Sphere(0.1), pose=Pose((float("nan"), 0.0, 0.0))) is None
    assert held(Sphere(0.1), nowhere) is None
    assert sweep("hand", motion_of(still(), setup=replace(SETUP, model=None)), SETUP.profile) is None
    assert sweep("hand", replace(motion_of(still()), poses=np.zeros((6, 2, 4, 4))), SETUP.profile) is None
