"""F-34: joints follow a tool's rows on the branch they are on, and rows that they cannot follow are refused."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation as Turn

from interlock.arrays import FloatArray
from interlock.inverse import (
    AMPLIFICATION,
    CLOSE,
    LENGTH_M,
    ROW_STEP_RAD,
    Arm,
    Followed,
    amplification,
    follow,
    moved_by,
    strays,
)
from interlock.robot_model import UrdfRobot
from interlock.rotations import rotvecs
from tests.supervisor import panda

MODEL = UrdfRobot(panda.profile(), panda.cell())
ARM = Arm(MODEL, "tcp", np.arange(7), panda.LOWER, panda.UPPER)
ROWS = 25
unit = st.floats(-1.0, 1.0)
steps = st.lists(unit, min_size=7, max_size=7).map(np.array)


def poses(positions: FloatArray) -> FloatArray:
    return MODEL.tool(positions, "tcp")[0]


def line(*way: float, rows: int = ROWS, start: FloatArray = panda.READY) -> FloatArray:
    """World poses (R, 4, 4) of a straight way [m] from a pose of the arm."""
    found = np.tile(poses(start[None]), (rows, 1, 1))
    found[:, :3, 3] += np.arange(1, rows + 1)[:, None] / rows * np.array(way)
    return found


def broken(found: tuple[Followed, ...]) -> list[str]:
    return [one.unit for one in found if not one.ok]


@settings(max_examples=30)
@given(steps)
def test_rows_of_the_tool_are_reached_to_a_micrometre_and_joints_go_on_smoothly(way: FloatArray) -> None:
    joints = panda.READY + np.arange(1, ROWS + 1)[:, None] * 0.02 * way
    wanted = poses(joints)

    rows, found = follow(ARM, panda.READY, wanted)

    assert broken(found) == []
    assert np.allclose(poses(rows), wanted, atol=1e-5)
    assert np.abs(np.diff(rows, axis=0, prepend=panda.READY[None])).max() <= 0.06
    assert found[0].value <= CLOSE


def test_following_is_the_same_to_the_byte_each_time() -> None:
    one, other = (follow(ARM, panda.READY, line(0.1, 0.1, -0.1)) for _ in range(2))

    assert one[0].tobytes() == other[0].tobytes()
    assert one[1] == other[1]


def test_the_least_motion_of_the_joints_is_chosen() -> None:
    rows, _ = follow(ARM, panda.READY, line(0.0, 0.0, 0.001, rows=1))
    jacobian = ARM.at(panda.READY).jacobian
    idle = np.linalg.svd(jacobian)[2][6]  # the motion of the joints that leaves the tool where it is

    assert abs((rows[0] - panda.READY) @ idle) < 1e-5


def test_a_tool_that_only_turns_is_followed() -> None:
    start = poses(panda.READY[None])[0]
    wanted = np.tile(start, (ROWS, 1, 1))
    angles = 0.5 * np.arange(1, ROWS + 1) / ROWS
    wanted[:, :3, :3] = start[:3, :3] @ Turn.from_rotvec(angles[:, None] * np.array([0.0, 0.0, 1.0])).as_matrix()

    rows, found = follow(ARM, panda.READY, wanted)

    assert broken(found) == []
    assert rows[-1, 6] - panda.READY[6] == pytest.approx(0.45, abs=0.1)


def test_F34_a_place_out_of_reach_is_refused_and_told_with_its_row() -> None:
    rows, found = follow(ARM, panda.READY, line(1.0, 0.0, 0.0, rows=50))

    lost = int(np.flatnonzero(np.isnan(rows).any(axis=1))[0])
    assert broken(found)
    assert {one.row for one in found if not one.ok} <= {lost, lost - 1}
    assert np.isnan(rows[lost:]).all()
    assert poses(rows[:lost])[-1, 0, 3] < 0.95


def test_F36_what_the_solver_did_not_reach_is_no_row_and_not_its_last_iterate() -> None:
    rows, found = follow(ARM, panda.READY, line(0.0, 0.0, 3.0, rows=2))

    assert np.isnan(rows).all()
    assert len(found) == 3
    assert {one.row for one in found if not one.ok} == {0}


def test_F34_near_a_singularity_nothing_is_followed() -> None:
    free = replace(ARM, lower=np.full(7, -4.0), upper=np.full(7, 4.0))

    rows, found = follow(free, panda.READY, line(0.8, 0.0, 0.0, rows=50))

    assert "rad/m" in broken(found)
    assert amplification(ARM.at(rows[~np.isnan(rows).any(axis=1)][-1]).jacobian) <= AMPLIFICATION < found[1].value


def test_F34_a_flip_to_another_branch_is_refused() -> None:
    other = panda.READY + np.array([0.0, 0.0, 0.0, 0.0, math.pi, 0.0, 0.0])
    wanted = poses(np.array([other]))

    rows, found = follow(replace(ARM, lower=ARM.lower - 7.0, upper=ARM.upper + 7.0), panda.READY, wanted)

    assert np.isnan(rows).all()
    assert broken(found)


def test_F34_a_row_that_needs_a_long_step_of_a_joint_is_refused() -> None:
    joints = panda.READY + np.array([1.4, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0])

    rows, found = follow(ARM, panda.READY, poses(joints[None]))

    assert np.isnan(rows).all()
    assert broken(found) == ["rad"]
    assert ROW_STEP_RAD == found[2].limit < found[2].value < 1.0


def test_a_row_is_reached_in_as_many_steps_as_keep_each_of_them_small() -> None:
    joints = panda.READY + np.array([0.4, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0])

    rows, found = follow(ARM, panda.READY, poses(joints[None]))

    assert not np.isnan(rows).any()
    assert broken(found) == ["m"]  # but between them the tool goes along an arc, and not along its straight way
    assert found[3].value > 0.5 * (1.0 - math.cos(0.2)) * 0.3


def test_a_joint_at_its_limit_stands_still_and_the_others_go_on() -> None:
    free, _ = follow(ARM, panda.READY, line(0.0, 0.1, 0.0))
    tight = replace(ARM, upper=np.where(np.arange(7) == 0, 0.01, ARM.upper))

    rows, found = follow(tight, panda.READY, line(0.0, 0.1, 0.0))

    assert free[-1, 0] > 0.02
    assert broken(found) == []
    assert rows[:, 0].max() == 0.01
    assert np.allclose(poses(rows), line(0.0, 0.1, 0.0), atol=1e-5)


def test_F34_where_every_joint_is_at_a_limit_nothing_is_reached() -> None:
    stuck = replace(ARM, lower=panda.READY, upper=panda.READY)

    rows, found = follow(stuck, panda.READY, line(0.0, 0.1, 0.0))

    assert np.isnan(rows).all()
    assert not found[0].ok


@settings(max_examples=40)
@given(steps, st.lists(st.floats(-0.4, 0.4), min_size=7, max_size=7), st.floats(0.01, 0.3))
def test_nowhere_between_two_rows_does_the_tool_leave_its_way_by_more_than_told(
    way: FloatArray, at: list[float], size: float
) -> None:
    start = panda.READY + np.array(at)
    nodes = np.array([start, start + size * way])
    share = np.linspace(0.0, 1.0, 203)
    fine = poses(start + share[:, None] * (nodes[1] - nodes[0]))
    chord = fine[0, :3, 3] + share[:, None] * (fine[-1, :3, 3] - fine[0, :3, 3])
    whole = rotvecs((fine[-1, :3, :3] @ fine[0, :3, :3].T)[None])[0]
    even = Turn.from_rotvec(share[:, None] * whole).as_matrix() @ fine[0, :3, :3]
    off = np.linalg.norm(rotvecs(fine[:, :3, :3] @ np.swapaxes(even, 1, 2)), axis=1)

    places, turns = strays(ARM, nodes)

    assert np.linalg.norm(fine[:, :3, 3] - chord, axis=1).max() <= places[0] + 1e-9
    assert off.max() <= turns[0] + 1e-6
    assert places[0] <= 1.5 * np.linalg.norm(fine[:, :3, 3] - chord, axis=1).max() + 0.1 * size**2


def test_the_joints_that_move_a_tool_are_found() -> None:
    assert moved_by(MODEL, panda.READY, "tcp").tolist() == list(range(7))


def test_F34_an_arm_that_lost_a_direction_is_infinitely_slow_in_it() -> None:
    flat = np.eye(6)
    flat[5, 5] = 0.0

    assert amplification(flat) == math.inf
    assert amplification(np.eye(6)) == 1.0
    assert AMPLIFICATION * 1e-3 == 0.1
    assert LENGTH_M == 0.2


def test_what_is_unknown_is_not_ok() -> None:
    assert not Followed("x", math.nan, 1.0, "m", 0, "tcp").ok
    assert Followed("x", 1.0, 1.0, "m", 0, "tcp").ok
