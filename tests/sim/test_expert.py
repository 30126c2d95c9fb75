"""The expert's rows, from wherever the robot is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.arrays import FloatArray
from interlock.motion import Reference
from interlock.profile import Profile
from interlock.robots import Asked
from interlock.scene import Cell, RobotState, Scene
from interlock_sim.expert import ROW_NOISE_RAD, Expert
from interlock_sim.path import JointPath
from interlock_sim.policy import EXECUTED, PERIOD_S, ROWS
from interlock_sim.tasks import TASKS, start_positions
from interlock_sim.tool import Tool


@pytest.fixture(scope="module")
def path(profile: Profile, cell: Cell, tool: Tool) -> JointPath:
    rng = np.random.default_rng(0)
    return TASKS["pick_and_place"](cell, tool, start_positions(profile), rng).path(profile, tool, rng)


def asked(positions: FloatArray, velocities: FloatArray, hand: FloatArray) -> Asked:
    zeros = np.zeros_like(positions)
    state = RobotState(0, (), positions, velocities, hand)
    return Asked(0, state, Scene("automatic"), 0, Reference(positions, velocities, zeros, hand), 0)


def resting(path: JointPath, at_s: float) -> Asked:
    when = np.array([at_s])
    return asked(path.positions(when)[0], np.zeros(7), path.hand(when)[0])


def accelerations(start: Asked, rows: FloatArray) -> FloatArray:
    positions = np.concatenate([start.reference.positions[None], rows[:, :7]])
    speeds = np.concatenate([start.reference.velocities[None], np.diff(positions, axis=0) / PERIOD_S])
    return np.abs(np.diff(speeds, axis=0)) / PERIOD_S


def test_chunks_continue_one_another_along_the_whole_path(path: JointPath) -> None:
    expert = Expert(path, np.random.default_rng(1))
    question = resting(path, 0.0)
    rows: list[FloatArray] = []

    for _ in range(round(path.end_s / PERIOD_S / EXECUTED) + 1):
        new = expert.rows(question)[:EXECUTED]
        rows.append(new)
        question = asked(new[-1, :7], (new[-1, :7] - new[-2, :7]) / PERIOD_S, new[-1, 7:])

    played = np.concatenate(rows)
    expected = path.positions(PERIOD_S * np.arange(1.0, len(played) + 1.0))
    np.testing.assert_allclose(played[:, :7], expected, atol=40 * ROW_NOISE_RAD)


@given(at_s=st.floats(0.0, 5.0))
def test_after_a_stop_it_sets_out_gently_from_where_it_is(profile: Profile, path: JointPath, at_s: float) -> None:
    expert = Expert(path, np.random.default_rng(2), at_s)
    question = resting(path, at_s)

    rows = expert.rows(question)

    assert rows.shape == (ROWS, 8)
    assert (accelerations(question, rows) <= [0.75 * joint.acceleration for joint in profile.joints]).all()


@given(off=st.floats(-0.05, 0.05), at_s=st.floats(0.5, 4.0))
def test_pushed_off_the_path_it_comes_back_without_a_jump(path: JointPath, off: float, at_s: float) -> None:
    expert = Expert(path, np.random.default_rng(3), at_s)
    there = resting(path, at_s).reference
    question = asked(there.positions + off, np.zeros(7), there.grippers)

    rows = expert.rows(question)

    assert np.abs(rows[0, :7] - question.reference.positions).max() < 0.004
