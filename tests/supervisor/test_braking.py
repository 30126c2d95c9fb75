"""A brake ends at rest, on the path, within speed and acceleration; or it says that it does not fit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.arrays import FloatArray
from interlock.braking import LONGEST_S, brake, on_path
from tests.supervisor.toy import PERIOD_S

SPEED, ACCELERATION = np.array([1.0, 2.0]), np.array([10.0, 5.0])
STEPS = st.tuples(st.floats(-0.03, 0.03), st.floats(-0.03, 0.03))


def off_the_line(points: FloatArray, line: FloatArray) -> float:
    """The largest distance of any point from the polyline, the last segment without an end."""
    starts, ways = line[:-1], np.diff(line, axis=0)
    lengths = (ways**2).sum(axis=1)
    share = np.einsum("pkn,kn->pk", points[:, None] - starts[None], ways) / np.where(lengths > 0.0, lengths, 1.0)
    share = np.clip(share, 0.0, [1.0] * (len(ways) - 1) + [np.inf])
    nearest = starts + share[..., None] * ways
    return float(np.linalg.norm(points[:, None] - nearest, axis=2).min(axis=1).max(initial=0.0))


@given(st.lists(STEPS, min_size=1, max_size=12), st.integers(0, 6))
@settings(max_examples=80)
def test_F32_a_brake_that_fits_keeps_the_limits_and_the_path_and_ends_at_rest(
    steps: list[tuple[float, float]], least: int
) -> None:
    path = np.vstack([[0.0, 0.0], np.cumsum(steps, axis=0)])
    before, ahead = path[:2], path[2:]

    found = brake(before, ahead, SPEED, ACCELERATION, PERIOD_S, least)

    if found.fits:
        nodes = np.vstack([before, found.positions])
        velocities = np.diff(nodes, axis=0) / PERIOD_S
        straight = np.vstack([path[:2], 2 * path[1:2] - path[:1]])
        assert len(found.positions) > least
        assert not velocities[-1].any()
        assert (np.abs(velocities[1:]) <= SPEED + 1e-12).all()
        assert (np.abs(np.diff(velocities, axis=0)) / PERIOD_S <= ACCELERATION * (1 + 1e-6)).all()
        assert min(off_the_line(found.positions, path), off_the_line(found.positions, straight[1:])) < 1e-9


def test_F32_the_brake_is_the_shortest_that_the_joints_allow() -> None:
    before = np.array([[0.0, 0.0], [0.02, 0.0]])  # 1 rad/s, and 10 rad/s^2 to lose it: five steps of 0.2 rad/s

    found = brake(before, np.zeros((0, 2)), SPEED, ACCELERATION, PERIOD_S)

    assert found.fits
    assert len(found.positions) == 5
    assert found.positions[-1, 0] == pytest.approx(0.02 + 0.02 * (0.8 + 0.6 + 0.4 + 0.2))


def test_a_brake_from_rest_stays_where_it_is() -> None:
    found = brake(np.zeros((2, 2)), np.zeros((3, 2)), SPEED, ACCELERATION, PERIOD_S)

    assert found.fits
    assert found.positions.tolist() == [[0.0, 0.0]]


def test_F32_where_the_rows_ahead_allow_no_brake_the_arm_goes_straight_on() -> None:
    before = np.array([[0.0, 0.0], [0.01, 0.0]])
    ahead = np.array([[1.0, 0.0], [2.0, 0.0]])  # 50 rad/s

    found = brake(before, ahead, SPEED, ACCELERATION, PERIOD_S)

    assert found.fits
    assert found.positions[-1, 0] < 0.05


def test_F32_a_brake_exactly_at_the_speed_that_is_allowed_fits() -> None:
    before, ahead = np.array([[0.0], [0.25]]), np.array([[1.25], [2.25]])  # half a row of 1 rad in half a second

    at, above = (brake(before, ahead, np.array([most]), np.array([4.0]), 0.5, 1) for most in (1.0, 0.999))

    assert at.fits
    assert at.positions[0].tolist() == [0.75]
    assert above.fits
    assert above.positions[0, 0] < 0.75


@pytest.mark.parametrize(
    ("before", "acceleration"),
    [
        ([[0.0, 0.0], [5.0, 0.0]], ACCELERATION),  # 250 rad/s
        ([[0.0, 0.0], [0.02, 0.0]], np.array([0.1, 0.1])),
        ([[0.0, 0.0], [0.02, 0.0]], np.array([np.nan, 1.0])),
        ([[np.nan, 0.0], [0.02, 0.0]], ACCELERATION),
    ],
)
def test_F32_no_room_to_brake_is_said(before: list[list[float]], acceleration: FloatArray) -> None:
    found = brake(np.array(before), np.zeros((2, 2)), SPEED, acceleration, PERIOD_S)

    assert not found.fits
    assert len(found.positions) == LONGEST_S / PERIOD_S + 1


def test_a_brake_that_must_be_longer_than_the_longest_does_not_fit() -> None:
    assert not brake(np.zeros((2, 2)), np.zeros((0, 2)), SPEED, ACCELERATION, PERIOD_S, least=101).fits
    assert brake(np.zeros((2, 2)), np.zeros((0, 2)), SPEED, ACCELERATION, 5.0).fits


@given(st.lists(st.floats(0.0, 6.0), max_size=5))
def test_points_on_a_path_are_on_it_and_past_its_end_straight_on(along: list[float]) -> None:
    path = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]])

    found = on_path(path, np.array(along))

    for point, place in zip(found.tolist(), along, strict=True):
        assert point == pytest.approx([min(place, 1.0), max(place - 1.0, 0.0)])
