"""F-09: a rotation is what its channels say that it is, in every form; and numbers that are none are refused."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation as Turn

from interlock.arrays import FloatArray
from interlock.chunk import Rotation
from interlock.rotations import COORDINATES, fault, matrices, rotvecs, unit_of

FORMS = sorted(COORDINATES)
every_form = pytest.mark.parametrize("form", FORMS)


def angles(matrix: FloatArray) -> FloatArray:
    """Roll, pitch and yaw; where pitch is a quarter turn only their sum or difference counts, and yaw is 0."""
    pitch = math.asin(max(-1.0, min(1.0, -matrix[2, 0])))
    if abs(matrix[2, 0]) > 1.0 - 1e-12:
        return np.array([math.atan2(-matrix[1, 2], matrix[1, 1]), pitch, 0.0])
    return np.array([math.atan2(matrix[2, 1], matrix[2, 2]), pitch, math.atan2(matrix[1, 0], matrix[0, 0])])


def said(form: Rotation, turn: Turn) -> FloatArray:
    """One rotation as numbers (1, C) of a form, by scipy and by hand."""
    matrix = turn.as_matrix()
    by_form: dict[str, Any] = {
        "rotvec": turn.as_rotvec(),
        "rpy_xyz": angles(matrix),
        "quat_xyzw": turn.as_quat(),
        "quat_wxyz": turn.as_quat()[[3, 0, 1, 2]],
        "rot6d": np.concatenate([matrix[:, 0], matrix[:, 1]]),
        "rot6d_rows": np.concatenate([matrix[0], matrix[1]]),
        "matrix": matrix.ravel(),
    }
    return np.asarray(by_form[form])[None]


coordinate = st.floats(-1.0, 1.0)
turns = (
    st.tuples(coordinate, coordinate, coordinate, coordinate)
    .filter(lambda q: sum(x * x for x in q) > 0.01)
    .map(lambda q: Turn.from_quat(np.array(q)))
)


@every_form
@given(turn=turns)
def test_F09_one_rotation_said_in_any_form_is_one_rotation(form: Rotation, turn: Turn) -> None:
    numbers = said(form, turn)

    assert fault(form, numbers) is None
    assert numbers.shape == (1, len(COORDINATES[form]))
    assert np.allclose(matrices(form, numbers)[0], turn.as_matrix(), atol=1e-5)


@given(turn=turns)
def test_F09_a_quaternion_and_its_negative_are_one_rotation(turn: Turn) -> None:
    for form in ("quat_xyzw", "quat_wxyz"):
        numbers = said(form, turn)

        assert np.allclose(matrices(form, numbers), matrices(form, -numbers), atol=1e-12)


@given(turn=turns, times=st.sampled_from([1, -1]))
def test_F09_a_rotation_vector_beyond_a_half_turn_is_the_other_way_round(turn: Turn, times: int) -> None:
    short = turn.as_rotvec()
    angle = float(np.linalg.norm(short))
    long = short * (angle - 2.0 * math.pi) / angle if angle > 1e-3 else short

    assert fault("rotvec", long[None]) is None
    assert np.allclose(matrices("rotvec", times * long[None]), matrices("rotvec", times * short[None]), atol=1e-9)


@every_form
@given(axis=turns, short=st.sampled_from([0.0, 1e-15, 1e-9, 1e-6, 1e-3]), way=st.sampled_from([-1.0, 1.0]))
def test_F09_on_both_sides_of_half_a_turn_a_rotation_is_near_itself(
    form: Rotation, axis: Turn, short: float, way: float
) -> None:
    """Where rotation vectors and signs of quaternions jump."""
    along = axis.as_matrix()[:, 0]
    turn = Turn.from_rotvec(way * (math.pi - short) * along)

    found = matrices(form, said(form, turn))[0]

    assert np.allclose(found, turn.as_matrix(), atol=1e-5)
    assert np.allclose(found, matrices("rotvec", math.pi * along[None])[0], atol=2.0 * short + 1e-5)


@pytest.mark.parametrize("pitch", [math.pi / 2, -math.pi / 2])
@given(roll=st.floats(-3.0, 3.0), yaw=st.floats(-3.0, 3.0))
def test_F09_angles_at_a_quarter_turn_of_pitch_are_read_as_they_are(pitch: float, roll: float, yaw: float) -> None:
    by_hand = Turn.from_rotvec([0, 0, yaw]) * Turn.from_rotvec([0, pitch, 0]) * Turn.from_rotvec([roll, 0, 0])

    found = matrices("rpy_xyz", np.array([[roll, pitch, yaw]]))[0]

    assert np.allclose(found, by_hand.as_matrix(), atol=1e-12)


@every_form
@given(turn=turns)
def test_a_matrix_is_a_right_handed_rotation(form: Rotation, turn: Turn) -> None:
    found = matrices(form, said(form, turn))[0]

    assert np.allclose(found @ found.T, np.eye(3), atol=1e-9)
    assert np.linalg.det(found) == pytest.approx(1.0)


def test_rpy_is_about_fixed_axes_as_in_a_urdf() -> None:
    roll, pitch, yaw = 0.3, -0.5, 1.1
    by_hand = Turn.from_rotvec([0, 0, yaw]) * Turn.from_rotvec([0, pitch, 0]) * Turn.from_rotvec([roll, 0, 0])

    assert np.allclose(matrices("rpy_xyz", np.array([[roll, pitch, yaw]]))[0], by_hand.as_matrix())


def test_F09_the_same_six_numbers_are_columns_or_rows_as_the_channels_say() -> None:
    numbers = said("rot6d", Turn.from_rotvec([0.4, -0.2, 0.9]))

    assert np.allclose(matrices("rot6d", numbers)[0], matrices("rot6d_rows", numbers)[0].T)


def test_F09_six_numbers_of_a_network_are_made_orthogonal_from_the_first_on() -> None:
    numbers = np.array([[1.04, 0.0, 0.0, 0.05, 0.97, 0.0]])

    assert fault("rot6d", numbers) is None
    assert np.allclose(matrices("rot6d", numbers)[0], np.eye(3))


def test_F09_a_matrix_that_is_rounded_is_made_orthogonal() -> None:
    numbers = (np.eye(3) + 3e-4 * np.array([[1.0, 1.0, 0.0], [0.0, -1.0, 1.0], [0.0, 1.0, 1.0]])).reshape(1, 9)

    found = matrices("matrix", numbers)[0]

    assert fault("matrix", numbers) is None
    assert np.allclose(found @ found.T, np.eye(3), atol=1e-15)
    assert np.allclose(found, np.eye(3), atol=1e-3)


FAULTS: dict[str, tuple[Rotation, list[float], str]] = {
    "a rotation vector in degrees": ("rotvec", [0.0, 0.0, 90.0], "degrees"),
    "an angle in degrees": ("rpy_xyz", [180.0, 0.0, 0.0], "degrees"),
    "a zero quaternion": ("quat_xyzw", [0.0, 0.0, 0.0, 0.0], "norm 1"),
    "a quaternion of norm 2": ("quat_wxyz", [2.0, 0.0, 0.0, 0.0], "norm 1"),
    "a norm off by 0.002": ("quat_xyzw", [0.0, 0.0, 0.0, 1.002], "norm 1"),
    "six zeros": ("rot6d", [0.0] * 6, "right angles"),
    "six numbers of which three repeat": ("rot6d", [1.0, 0.0, 0.0, 1.0, 0.0, 0.0], "right angles"),
    "six numbers askew by 0.11": ("rot6d", [1.0, 0.0, 0.0, 0.11, 1.0, 0.0], "right angles"),
    "six numbers that are no rows": ("rot6d_rows", [1.0, 0.0, 0.0, 0.0, 1.2, 0.0], "right angles"),
    "a left-handed matrix": ("matrix", [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, -1.0], "left-handed"),
    "a scaled matrix": ("matrix", [1.01, 0.0, 0.0, 0.0, 1.01, 0.0, 0.0, 0.0, 1.01], "orthogonal"),
}


@pytest.mark.parametrize("what", FAULTS)
def test_F09_numbers_that_are_no_rotation_are_refused_with_their_row(what: str) -> None:
    form, numbers, message = FAULTS[what]
    good = said(form, Turn.identity())

    found = fault(form, np.vstack([good, good, [numbers], good]))

    assert found is not None
    assert found[0] == 2
    assert message in found[1]


@every_form
@pytest.mark.parametrize("value", [math.nan, math.inf, 1e308])
def test_F01_what_is_not_finite_is_no_rotation(form: Rotation, value: float) -> None:
    numbers = said(form, Turn.identity())
    numbers[0, -1] = value

    assert fault(form, numbers) is not None


@pytest.mark.parametrize(("norm", "ok"), [(1.0009, True), (1.0011, False), (0.9991, True), (0.9989, False)])
def test_a_norm_may_be_off_by_a_thousandth(norm: float, ok: bool) -> None:  # noqa: FBT001 - the answer itself
    assert (fault("quat_xyzw", np.array([[0.0, norm, 0.0, 0.0]])) is None) == ok


def test_angles_are_in_radians_and_the_rest_are_plain_numbers() -> None:
    assert {form: unit_of(form) for form in ("rotvec", "rpy_xyz", "quat_wxyz", "rot6d", "matrix")} == {
        "rotvec": "rad", "rpy_xyz": "rad", "quat_wxyz": "ratio", "rot6d": "ratio", "matrix": "ratio",
    }  # fmt: skip


@given(turn=turns)
def test_a_rotation_vector_is_the_shortest(turn: Turn) -> None:
    found = rotvecs(turn.as_matrix()[None])

    assert np.linalg.norm(found) <= math.pi + 1e-9
    assert np.allclose(matrices("rotvec", found)[0], turn.as_matrix(), atol=1e-7)
