"""Torque of the drives, and the load in the hand as a data sheet's diagram has it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from interlock.geometry import Pose, Sphere
from interlock.scene import Held
from interlock_rules.amounts import OfProfile
from interlock_rules.torque import JointTorque, Payload
from tests.rules.arm import PROFILE, SETUP, case_of, judge, motion_of, moving, ok, still

LOAD = Payload(0.5, (0.0, 0.0, 0.05), "flange")
LIMIT = JointTorque(OfProfile(0.8), LOAD)


def cup(mass: float, out: float) -> Held:
    return Held("cup", Sphere(0.01), Pose((0.0, 0.0, out)), mass)


@pytest.mark.parametrize(
    ("mass", "out", "allowed"),
    [
        (0.5, 0.05, True),
        (0.25, 0.1, True),
        (0.25, 0.11, False),
        (0.51, 0.0, False),
        (-0.1, 0.0, False),
        (float("nan"), 0.0, False),
    ],
)
def test_F33_a_light_object_may_be_further_out_with_the_same_moment(mass: float, out: float, *, allowed: bool) -> None:
    assert ok(judge(LIMIT, motion_of(still(), held=cup(mass, out)))) is allowed


def test_the_load_is_measured_from_the_tool_point_that_is_named() -> None:
    limit = JointTorque(OfProfile(0.8), replace(LOAD, frame="tip"))
    held = Held("cup", Sphere(0.01), Pose((0.05, 0.0, 0.05)), 0.5)

    assert ok(judge(limit, motion_of(still(), held=held)))
    assert not ok(judge(LIMIT, motion_of(still(), held=held)))


def test_the_brake_may_use_all_of_the_torque() -> None:
    rows = moving(0.0045, count=4)  # 11.25 rad/s^2, 45 N m of 50

    assert not ok(judge(LIMIT, motion_of(rows, brake=0)))
    assert ok(judge(LIMIT, motion_of(rows, brake=3)))


def test_F38_torques_that_nobody_worked_out_are_a_violation() -> None:
    assert not ok(judge(LIMIT, replace(motion_of(still()), torques=None)))


def test_what_can_never_be_measured_is_a_fault() -> None:
    bare = replace(
        SETUP, profile=replace(PROFILE, inertias=(), joints=tuple(replace(j, torque=None) for j in PROFILE.joints))
    )

    assert [fault.field for fault in LIMIT.faults(bare)] == ["max", "kind"]


def test_an_unknown_frame_is_a_fault_with_the_nearest_word() -> None:
    for frame in ("flangr", "elbow"):
        (fault,) = JointTorque(OfProfile(0.8), replace(LOAD, frame=frame)).faults(SETUP)

        assert fault.field == "payload.frame"
        assert "flange" in fault.message


def test_an_empty_hand_is_no_load() -> None:
    mass = judge(LIMIT, motion_of(still()), case_of(LIMIT))[3]

    assert np.array_equal(mass.margin, np.full(6, 0.5))
    assert mass.names == ((),)
