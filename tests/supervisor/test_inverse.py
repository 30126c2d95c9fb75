"""F-34: joints follow a tool's rows on the branch they are on, and rows that they cannot follow are refused."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import cast

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
from interlock.motion import RobotModel
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


def idle(positions: FloatArray) -> FloatArray:
    """The unit motion (7,) of the joints that leaves the tool where it is."""
    return np.asarray(np.linalg.svd(ARM.at(positions).jacobian)[2][6])


def middle(positions: FloatArray) -> FloatArray:
    """How far each joint is from the middle of its travel, in halves of it."""
    return np.asarray((2.0 * positions - panda.LOWER - panda.UPPER) / (panda.UPPER - panda.LOWER))


def round_and_round(radius: float = 0.1, rows: int = 60) -> FloatArray:
    """World poses (R, 4, 4) of one turn of a level circle through the arm's pose."""
    found, angle = np.tile(poses(panda.READY[None]), (rows, 1, 1)), 2.0 * np.pi * np.arange(1, rows + 1) / rows
    found[:, 0, 3] += radius * (np.cos(angle) - 1.0)
    found[:, 1, 3] += radius * np.sin(angle)
    return found


ASIDE = panda.READY + np.array([0.0, 0.0, 0.4, 0.0, 0.3, 0.0, 0.5])


@pytest.mark.parametrize("start", [panda.READY, ASIDE], ids=["ready", "aside"])
def test_spare_motion_is_towards_the_middle_of_travel_and_at_most_half_of_the_least(start: FloatArray) -> None:
    wanted = line(0.0, 0.0, 1e-4, rows=1, start=start)
    least = np.linalg.pinv(ARM.at(start).jacobian) @ np.array([0.0, 0.0, 1e-4, 0.0, 0.0, 0.0])

    rows, _ = follow(ARM, start, wanted)

    moved = rows[0] - start
    spare = moved @ idle(start)
    assert np.allclose(moved - spare * idle(start), least, atol=5e-7)
    assert spare * (idle(start) @ -(middle(start) / (1.0 - middle(start) ** 2))) > 0.0
    assert abs(spare) <= 0.5 * np.linalg.norm(least) + 1e-6


@pytest.mark.parametrize(("near", "share"), [(50.0, 0.0), (0.05, 0.5)], ids=["far from limits", "near one"])
def test_the_nearer_a_limit_the_stronger_the_pull_up_to_half_of_the_motion(near: float, share: float) -> None:
    way = np.sign(idle(panda.READY))
    lower, upper = (panda.READY - np.where(way * side > 0, 50.0, near) * side for side in (1.0, -1.0))
    least = np.linalg.pinv(ARM.at(panda.READY).jacobian) @ np.array([0.0, 0.0, -1e-4, 0.0, 0.0, 0.0])

    rows, _ = follow(replace(ARM, lower=lower, upper=upper), panda.READY, line(0.0, 0.0, -1e-4, rows=1))

    spare = float((rows[0] - panda.READY) @ idle(panda.READY))
    assert abs(spare) == pytest.approx(share * np.linalg.norm(least), rel=0.02, abs=1e-7)


def test_a_motion_that_is_repeated_settles_in_one_posture() -> None:
    """The least motion alone turns the elbow by 0.3 rad a round, until a limit or a singularity ends it."""
    here, ends = panda.READY, [panda.READY]
    for _ in range(9):
        rows, found = follow(ARM, here, round_and_round())
        assert broken(found) == []
        here = rows[-1]
        ends.append(here)

    apart = np.abs(np.diff(ends, axis=0)).max(axis=1)
    assert 0.05 < apart[0] < 0.2
    assert apart[-1] < 1e-3
    assert np.abs(here - panda.READY).max() < 0.3


def test_joints_of_a_tool_that_stands_still_stand_still_however_near_a_limit() -> None:
    near = replace(ARM, upper=panda.READY + 1e-4)

    rows, found = follow(near, panda.READY, np.tile(poses(panda.READY[None]), (ROWS, 1, 1)))

    assert broken(found) == []
    assert np.array_equal(rows, np.tile(panda.READY, (ROWS, 1)))


@settings(max_examples=10, deadline=None)
@given(steps)
def test_the_spare_joint_has_no_speed_or_jump_of_its_own(way: FloatArray) -> None:
    """Rows that grow evenly from nothing: the joints' steps grow evenly with them, the first too."""
    share = np.linspace(0.0, 1.0, ROWS + 1)[1:, None] ** 2
    start = ASIDE
    rows, found = follow(ARM, start, poses(start + share * 0.2 * way))

    assert broken(found) == []
    velocity = np.diff(rows, axis=0, prepend=start[None])
    even = 0.2 * np.linalg.norm(way) * 2.0 / ROWS**2  # how much each step differs from the one before it
    assert np.linalg.norm(np.diff(velocity, axis=0, prepend=np.zeros((1, 7))), axis=1).max() <= 4.0 * even + 1e-5


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


def test_F36_exactly_half_a_turn_away_is_not_there() -> None:
    """Where the sine of what is missing is zero, and the axis is none."""

    class Stiff:
        def tool(self, positions: FloatArray, name: str) -> tuple[FloatArray, FloatArray]:  # noqa: ARG002 - the only one
            return np.tile(np.eye(4), (len(positions), 1, 1)), np.tile(np.eye(6), (len(positions), 1, 1))

    arm = Arm(cast(RobotModel, Stiff()), "tcp", np.arange(6), np.full(6, -3.0), np.full(6, 3.0))

    rows, found = follow(arm, np.zeros(6), np.diag([1.0, -1.0, -1.0, 1.0])[None])

    assert np.isnan(rows).all()
    assert not found[0].ok


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


def test_within_a_row_no_joint_goes_further_at_once_than_a_tenth_of_a_radian() -> None:
    """An arm whose joints are the tool's coordinates: 0.15 rad in two steps, and not in one or four."""
    asked: list[float] = []

    class Straight:
        def tool(self, positions: FloatArray, name: str) -> tuple[FloatArray, FloatArray]:  # noqa: ARG002 - the only one
            asked.extend(positions[:, 0].tolist())
            found = np.tile(np.eye(4), (len(positions), 1, 1))
            found[:, :3, 3] = positions[:, :3]
            return found, np.tile(np.eye(6), (len(positions), 1, 1))

    arm = Arm(cast(RobotModel, Straight()), "tcp", np.arange(6), np.full(6, -3.0), np.full(6, 3.0))
    goal = np.eye(4)
    goal[0, 3] = 0.15

    _, found = follow(arm, np.zeros(6), goal[None])

    stands = asked[: asked.index(0.0, 1)]  # what comes then is looked at between the rows
    assert stands == pytest.approx([0.0, 0.15, 0.075, 0.15], abs=1e-5)
    assert found[2].ok


def test_a_joint_is_kept_from_its_limit_by_the_spare_motion() -> None:
    tight = replace(ARM, upper=np.where(np.arange(7) == 0, 0.01, ARM.upper))

    rows, found = follow(tight, panda.READY, line(0.0, 0.3, 0.0))

    assert follow(ARM, panda.READY, line(0.0, 0.3, 0.0))[0][-1, 0] > 0.02
    assert broken(found) == []
    assert rows[:, 0].max() < 0.01
    assert np.allclose(poses(rows), line(0.0, 0.3, 0.0), atol=1e-5)


def test_a_joint_at_its_limit_stands_still_and_the_others_go_on() -> None:
    """The other joints are nearer to limits of their own, and pull the first one to its."""
    upper, lower = ARM.upper.copy(), ARM.lower.copy()
    upper[[0, 2, 4]], lower[6] = (0.01, 0.2, 0.2), panda.READY[6] - 0.2
    tight = replace(ARM, lower=lower, upper=upper)

    rows, found = follow(tight, panda.READY, line(0.0, 0.05, 0.0))

    assert broken(found) == []
    assert rows[:, 0].max() == 0.01
    assert np.allclose(poses(rows), line(0.0, 0.05, 0.0), atol=1e-5)


def test_F34_where_every_joint_is_at_a_limit_nothing_is_reached() -> None:
    stuck = replace(ARM, lower=panda.READY - 1e-9, upper=panda.READY + 1e-9)

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

    places, turns = strays(ARM, nodes, nodes, np.arange(2.0))

    assert np.linalg.norm(fine[:, :3, 3] - chord, axis=1).max() <= places[0] + 1e-9
    assert off.max() <= turns[0] + 1e-6
    assert places[0] <= 1.5 * np.linalg.norm(fine[:, :3, 3] - chord, axis=1).max() + 0.1 * size**2


def test_of_a_joint_that_turns_the_tool_evenly_on_its_spot_nothing_is_told_but_what_is_not_known() -> None:
    """The tool stands on the axis of the last joint, so that it stays on its way; worked out from the derivation."""
    angle = 0.4
    levers = np.linalg.norm(MODEL.tool(panda.READY[None], "tcp")[1][0, :3], axis=0)

    nodes = np.array([panda.READY, panda.READY + np.array([0.0] * 6 + [angle])])

    places, turns = strays(ARM, nodes, nodes, np.arange(2.0))

    assert places[0] == pytest.approx((angle / 8.0) ** 2 / 8.0 * levers.max() * math.exp(angle / 8.0), rel=1e-6)
    assert turns[0] == pytest.approx(angle**2 / 512.0 * math.exp(angle / 16.0), rel=1e-6)


@pytest.mark.parametrize("joint", [1, 3, 5])
def test_what_is_told_of_a_turn_is_its_largest_at_eight_pieces_and_how_fast_it_grows_there(joint: int) -> None:
    """Its growth by differences of poses alone."""
    step = np.where(np.isin(np.arange(7), [joint, 6]), 0.3, 0.0)
    first, last = poses(np.array([panda.READY, panda.READY + step]))[:, :3, :3]
    whole = rotvecs((last @ first.T)[None])[0]

    def off(share: FloatArray) -> FloatArray:
        even = Turn.from_rotvec(share[:, None] * whole).as_matrix() @ first
        return np.asarray(poses(panda.READY + share[:, None] * step)[:, :3, :3] @ np.swapaxes(even, 1, 2))

    share = np.linspace(0.0, 1.0, 9)
    before, after = off(share - 1e-5), off(share + 1e-5)
    growth = np.linalg.norm(rotvecs(after @ np.swapaxes(before, 1, 2)), axis=1).max() / 2e-5
    angle = np.linalg.norm(rotvecs(off(share)), axis=1).max()
    nodes = np.array([panda.READY, panda.READY + step])

    _, turns = strays(ARM, nodes, nodes, np.arange(2.0))

    told = angle + (growth + 0.6**2 / 32.0) / 16.0 * math.exp(float(np.linalg.norm(whole)) / 16.0)
    assert turns[0] == pytest.approx(told, rel=1e-5)


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
