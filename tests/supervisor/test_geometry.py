"""Poses say what is wrong with them; shapes that bound nothing are refused."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.geometry import Box, Capsule, ConvexMesh, ConvexParts, Cylinder, HalfSpace, Pose, Sphere

BAD = [math.nan, math.inf, -math.inf, 0.0, -1.0]


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize(
    "which", ["size_x", "size_z", "radius of a ball", "radius", "length", "radius of a capsule", "length of a capsule"]
)
def test_F03_a_size_is_positive_and_finite(which: str, bad: float) -> None:
    made: dict[str, Callable[[], object]] = {
        "size_x": lambda: Box((bad, 1.0, 1.0)),
        "size_z": lambda: Box((1.0, 1.0, bad)),
        "radius of a ball": lambda: Sphere(bad),
        "radius": lambda: Cylinder(bad, 1.0),
        "length": lambda: Cylinder(1.0, bad),
        "radius of a capsule": lambda: Capsule(bad, 1.0),
        "length of a capsule": lambda: Capsule(1.0, bad),
    }

    with pytest.raises(ValueError, match=f"{which.split(maxsplit=1)[0]} must be positive and finite"):
        made[which]()


@pytest.mark.parametrize("normal", [(0.0, 0.0, 0.0), (0.0, 0.0, 2.0), (math.nan, 0.0, 1.0), (1e300, 0.0, 0.0)])
def test_a_half_space_has_a_normal_of_length_one(normal: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match="normal must have length 1"):
        HalfSpace(normal)


CORNERS = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])


@pytest.mark.parametrize(
    ("vertices", "problem"),
    [
        (CORNERS[:3], "finite and of shape"),
        (CORNERS[:, :2], "finite and of shape"),
        (CORNERS * np.nan, "finite and of shape"),
        (CORNERS * 1e300, "finite and of shape"),
        (CORNERS * [1, 1, 0], "span a volume"),
    ],
)
def test_F26_a_mesh_that_bounds_nothing_is_refused(vertices: np.ndarray[tuple[int, int]], problem: str) -> None:
    assert ConvexMesh(CORNERS).vertices.shape == (4, 3)
    with pytest.raises(ValueError, match=problem):
        ConvexMesh(vertices)


@pytest.mark.parametrize(
    ("pose", "fault"),
    [
        (Pose((math.nan, 0, 0)), "finite"),
        (Pose(quat_xyzw=(0, 0, 0, math.inf)), "finite"),
        (Pose(quat_xyzw=(0, 0, 0, 0)), "norm 1"),
        (Pose(quat_xyzw=(0, 0, 0, 2)), "norm 1"),
        (Pose(quat_xyzw=(0, 0, 0, 1.002)), "norm 1"),
        (Pose(quat_xyzw=(1e300, 0, 0, 0)), "norm 1"),
        (Pose((0, 1.0000001e6, 0)), "within 1e.06 m, got"),
        (Pose((0, 0, -1e300)), "within 1e.06 m, got"),
    ],
)
def test_F02_a_pose_that_is_no_rigid_transform_says_so(pose: Pose, fault: str) -> None:
    assert re.search(fault, str(pose.fault))
    with pytest.raises(ValueError, match=fault):
        pose.matrix()


@given(st.tuples(*[st.floats(-1, 1)] * 4).filter(lambda q: math.hypot(*q) > 0.1))
def test_F09_q_and_minus_q_are_the_same_rotation(raw: tuple[float, float, float, float]) -> None:
    x, y, z, w = (value / math.hypot(*raw) for value in raw)

    found = Pose((1.0, 2.0, 3.0), (x, y, z, w)).matrix()
    other = Pose((1.0, 2.0, 3.0), (-x, -y, -z, -w)).matrix()

    assert np.allclose(found, other)
    assert np.allclose(found[:3, :3] @ found[:3, :3].T, np.eye(3))
    assert np.linalg.det(found[:3, :3]) == pytest.approx(1.0)
    assert found[:3, 3].tolist() == [1.0, 2.0, 3.0]


def test_a_shape_beyond_all_measure_is_refused() -> None:
    with pytest.raises(ValueError, match="at most 10000 m"):
        Sphere(1e300)


@pytest.mark.parametrize(("parts", "tolerance_m"), [(0, 0.005), (1, 0.0), (1, math.nan), (1, math.inf)])
def test_a_solid_has_parts_and_a_tolerance(parts: int, tolerance_m: float) -> None:
    tetrahedron = ConvexMesh(np.vstack([np.zeros(3), np.eye(3)]))

    with pytest.raises(ValueError, match=r"at least one convex part|tolerance_m must be positive and finite"):
        ConvexParts((tetrahedron,) * parts, tolerance_m, "")
