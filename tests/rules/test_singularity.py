"""F-34: how near an arm is to a singularity, at rows and between them."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typing_extensions import override

from interlock.arrays import FloatArray
from interlock.errors import UnusableInput
from interlock.motion import RobotModel
from interlock.robot_model import UrdfRobot
from interlock_rules import load_cell, load_profile
from interlock_rules.kind import NoProvocation, Setup
from interlock_rules.singularity import Singularity, needed, smallest
from tests.rules.arm import HOME, SETUP, Arm, Bare, case_of, judge, motion_of, ok, still, worst

ARM = cast(RobotModel, Arm())
PANDA = cast(RobotModel, UrdfRobot(load_profile("franka_panda"), load_cell("tabletop")))
READY = np.array([0.0, -0.3, 0.0, -2.2, 0.0, 1.9, 0.785])


@given(st.lists(st.floats(-0.1, 0.1), min_size=3, max_size=3), st.lists(st.floats(-1.5, 1.5), min_size=3, max_size=3))
def test_F34_nowhere_between_two_nodes_do_the_joints_need_more_than_measured(
    step: list[float], at: list[float]
) -> None:
    start, way = np.array(at), np.array(step)
    told = judge(Singularity(50.0, 0.2), motion_of([start, start + way], brake=0))[0].value[-1]
    fine = start + np.linspace(0.0, 1.0, 201)[:, None] * way

    least = smallest(ARM, fine, 0.2)[0]

    assert told == math.inf or (least * told >= 1.0 - 1e-9).all()


@settings(max_examples=30)
@given(st.lists(st.floats(-0.05, 0.05), min_size=7, max_size=7), st.lists(st.floats(-0.5, 0.5), min_size=7, max_size=7))
def test_F34_the_bound_between_nodes_holds_for_a_real_arm(step: list[float], at: list[float]) -> None:
    start = READY + np.array(at)
    nodes = np.array([start, start + np.array(step)])
    fine = start + np.linspace(0.0, 1.0, 101)[:, None] * np.array(step)

    told = needed(PANDA, nodes, 0.2)[1]

    assert told == math.inf or (smallest(PANDA, fine, 0.2)[0] * told >= 1.0 - 1e-9).all()


def test_what_a_small_motion_of_the_tool_needs_is_what_is_measured() -> None:
    """By numbers: the joints' speed for the worst unit motion of the tool, found by trying many."""
    _, jacobians = PANDA.tool(READY[None], "tcp")
    weighted = jacobians[0] * np.array([1.0, 1.0, 1.0, 0.2, 0.2, 0.2])[:, None]
    ways = np.random.default_rng(0).normal(size=(6, 20000))
    inverse = np.asarray(np.linalg.pinv(weighted), dtype=np.float64)
    speeds = np.linalg.norm(inverse @ (ways / np.linalg.norm(ways, axis=0)), axis=0)

    told = 1.0 / float(smallest(PANDA, READY[None], 0.2)[0][0])
    assert 0.9 * told <= speeds.max() <= told


@pytest.mark.parametrize("joint", [0, 1], ids=["a turn that changes nothing", "an elbow that straightens"])
def test_between_nodes_no_more_is_taken_off_than_what_is_not_known(joint: int) -> None:
    """Worked out from the derivation, with what is least and longest at the two nodes."""
    start = np.array([0.3, 1.2, 0.4])
    nodes = np.array([start, start - 0.16 * (np.arange(3) == joint)])
    least, lever = smallest(ARM, nodes, 0.2)
    turn = 0.16 / 16.0  # from the nearest of nine samples

    told = needed(ARM, nodes, 0.2)

    unknown = turn * math.sqrt(3.0) * math.hypot(float(lever.max()) * math.exp(turn), 0.2)
    assert told[0] == pytest.approx(1.0 / least[0], rel=1e-9)
    assert told[1] == pytest.approx(1.0 / (least.min() - unknown), rel=1e-9)


def test_F34_a_stretched_arm_needs_infinite_speed_and_is_a_violation() -> None:
    traces = judge(Singularity(1e9, 0.2), motion_of(still(5, np.array([0.4, 0.0, 0.0]))))

    assert not ok(traces)
    assert traces[0].value.max() > 1e12


def test_F34_what_rounding_leaves_of_a_singularity_is_one() -> None:
    """A stretched arm whose smallest singular value is some 1e-17, or another at the next float."""
    rows = np.array([[0.0, 0.0, 0.0], [2.0**-52, 0.0, 0.0]])

    assert worst(judge(Singularity(1e18, 0.2), motion_of(rows, brake=0))) == -math.inf


def test_F34_a_singularity_that_a_row_passes_through_is_not_missed() -> None:
    through = np.array([[0.4, 0.3, 0.2], [0.4, -0.3, -0.2]])
    ends = [worst(judge(Singularity(500.0, 0.2), motion_of(still(5, end)))) for end in through]

    assert min(ends) > 0.0
    assert worst(judge(Singularity(500.0, 0.2), motion_of(through, brake=0))) == -math.inf


def test_the_arm_that_stands_there_already_is_judged_as_well() -> None:
    assert not ok(judge(Singularity(10.0, 0.2), motion_of(still())))


def test_F38_an_arm_without_a_tool_point_is_a_violation_and_a_fault() -> None:
    bare = replace(SETUP, model=Bare())
    limit = Singularity(40.0, 0.2)

    assert np.isnan(worst(judge(limit, motion_of(still(), setup=bare), case_of(limit, setup=bare))))
    assert [fault.field for fault in limit.faults(bare)] == ["kind"]


def test_F34_a_tool_whose_joints_mimic_others_is_a_fault() -> None:
    class Mimicking(Arm):
        @override
        def tool(self, positions: FloatArray, name: str) -> tuple[FloatArray, FloatArray]:
            raise UnusableInput("joints mimic others")

    assert Singularity(40.0, 0.2).faults(SETUP) == ()
    (fault,) = Singularity(40.0, 0.2).faults(replace(SETUP, model=Mimicking()))
    assert (fault.field, fault.message) == ("kind", "joints mimic others")


def test_a_limit_that_no_pose_reaches_cannot_be_provoked() -> None:
    class Round(Arm):
        """As able in every pose as it is at home."""

        @override
        def tool(self, positions: FloatArray, name: str) -> tuple[FloatArray, FloatArray]:
            return super().tool(np.tile(HOME, (len(positions), 1)), name)

    easy: Setup = replace(SETUP, model=Round())

    with pytest.raises(NoProvocation, match="needs more than 40 rad/m"):
        Singularity(40.0, 0.2).provoke(easy)
