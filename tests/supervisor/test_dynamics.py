"""The generated URDF: principal axes, explicit masses, short lines."""

from __future__ import annotations

import math

import numpy as np
import pytest
from defusedxml.ElementTree import fromstring
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from interlock.dynamics import held_inertia, inertial_urdf, roll_pitch_yaw
from interlock.geometry import Capsule, Pose
from interlock.scene import Held
from interlock.urdf import read_urdf
from tests.supervisor import panda

DESCRIPTION = read_urdf(panda.urdf())
TURNING = frozenset(f"panda_joint{number}" for number in range(1, 8))


def test_tensors_come_back_from_their_principal_axes() -> None:
    inertias = panda.profile().inertias
    text = inertial_urdf(DESCRIPTION, TURNING, inertias, "panda_link8", None)

    for inertia in inertias[1:]:
        link = next(found for found in fromstring(text).findall("link") if found.get("name") == inertia.link)
        inertial = link.find("inertial")
        assert inertial is not None
        origin, moments = inertial.find("origin"), inertial.find("inertia")
        assert origin is not None
        assert moments is not None
        turn = Rotation.from_euler("xyz", [float(value) for value in (origin.get("rpy") or "").split()]).as_matrix()
        diagonal = np.diag([float(moments.get(name) or "nan") for name in ("ixx", "iyy", "izz")])
        xx, xy, xz, yy, yz, zz = inertia.tensor
        expected = [[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]]
        np.testing.assert_allclose(turn @ diagonal @ turn.T, expected, atol=1e-14)


def test_the_root_never_moves_and_weighs_nothing() -> None:
    inertias = panda.profile().inertias
    assert inertias[0].link == "panda_link0"

    text = inertial_urdf(DESCRIPTION, TURNING, inertias, "panda_link8", None)

    assert text == inertial_urdf(DESCRIPTION, TURNING, inertias[1:], "panda_link8", None)


def test_every_link_has_an_inertial_and_every_line_is_short() -> None:
    held = Held("x", Capsule(0.02, 0.1), Pose(), 0.2)

    text = inertial_urdf(DESCRIPTION, TURNING, panda.profile().inertias, "panda_link8", held)

    links = fromstring(text).findall("link")
    assert all(link.find("inertial") is not None for link in links)
    assert len(links) == len(DESCRIPTION.links) + 1
    assert max(map(len, text.splitlines())) < 8_000
    assert {joint.get("type") for joint in fromstring(text).findall("joint")} == {"continuous", "fixed"}


def test_what_is_held_weighs_as_the_box_around_it() -> None:
    found = held_inertia(Held("x", Capsule(0.02, 0.1), Pose(), 0.6))

    assert found.mass_kg == pytest.approx(0.6)
    assert found.tensor == pytest.approx(
        (0.05 * (0.04**2 + 0.14**2), 0, 0, 0.05 * (0.04**2 + 0.14**2), 0, 0.05 * 0.0032)
    )


@given(*(st.floats(-math.pi, math.pi) for _ in range(3)))
def test_angles_give_their_rotation_back(roll: float, pitch: float, yaw: float) -> None:
    turn = Rotation.from_euler("xyz", [roll, pitch, yaw]).as_matrix()

    np.testing.assert_allclose(Rotation.from_euler("xyz", roll_pitch_yaw(turn)).as_matrix(), turn, atol=1e-8)


@pytest.mark.parametrize("pitch", [math.pi / 2.0, -math.pi / 2.0])
def test_a_right_angle_of_pitch_is_no_trap(pitch: float) -> None:
    turn = Rotation.from_euler("xyz", [0.3, pitch, 0.8]).as_matrix()

    found = roll_pitch_yaw(turn)

    assert found[2] == pytest.approx(0.0)
    np.testing.assert_allclose(Rotation.from_euler("xyz", found).as_matrix(), turn, atol=1e-9)
