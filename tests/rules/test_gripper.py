"""The hand: what it is told, how fast it moves, how hard it grips; F-10, it is left out of nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from interlock.profile import Gripper
from interlock_rules.amounts import Amount, Range
from interlock_rules.gripper import GripperLimits
from interlock_rules.kind import Setup
from tests.rules.arm import PERIOD, PROFILE, SETUP, case_of, judge, motion_of, ok, still

LIMIT = GripperLimits(Range(0.0, 0.08, "m"), Amount(0.1, "m"), 20.0)


def told(*values: float) -> np.ndarray:
    return np.array(values)[:, None]


def with_grippers(*grippers: Gripper) -> Setup:
    return replace(SETUP, profile=replace(PROFILE, grippers=grippers))


HAND = PROFILE.grippers[0]
FAST = with_grippers(replace(HAND, speed=0.5))


@pytest.mark.parametrize(
    ("value", "allowed"), [(0.0, True), (0.08, True), (-1e-9, False), (np.nextafter(0.08, 1.0), False), (1.0, False)]
)
def test_F10_a_value_outside_the_range_is_refused(value: float, *, allowed: bool) -> None:
    assert ok(judge(LIMIT, motion_of(still(3), told(value, value, value)))) is allowed


def test_F10_the_margin_names_the_end_that_is_nearer() -> None:
    width = judge(LIMIT, motion_of(still(4), told(0.01, 0.01, 0.05, 0.05)))[0]

    assert width.limit.tolist() == [0.0, 0.0, 0.0, 0.08, 0.08]
    assert width.margin[2:].tolist() == pytest.approx([0.01, 0.03, 0.03])


def test_a_step_is_as_fast_as_the_driver_and_no_faster() -> None:
    step = motion_of(still(4), told(0.0, 0.0, 0.08, 0.08))

    assert judge(LIMIT, step)[1].value.tolist() == pytest.approx([0.0, 0.0, 0.0, 0.1, 0.0])
    assert ok(judge(LIMIT, step))


def test_a_driver_that_is_too_fast_must_be_led_in_small_steps() -> None:
    case = case_of(LIMIT, setup=FAST)
    ramp = 0.09 * PERIOD * np.arange(5)

    assert not ok(judge(LIMIT, motion_of(still(4), told(0.0, 0.0, 0.08, 0.08)), case))
    assert ok(judge(LIMIT, motion_of(still(5), told(*ramp)), case))


def test_a_step_in_no_time_is_as_fast_as_the_driver() -> None:
    motion = motion_of(still(4), told(0.0, 0.0, 0.001, 0.001))
    at_once = replace(motion, times_s=np.zeros(5))

    assert judge(LIMIT, at_once, case_of(LIMIT, setup=FAST))[1].value[3] == 0.5


@pytest.mark.parametrize(("force", "allowed"), [(20.0, True), (np.nextafter(20.0, 99.0), False), (None, False)])
def test_the_force_of_the_driver_is_judged_and_unknown_is_a_violation(force: float | None, *, allowed: bool) -> None:
    setup = with_grippers(replace(HAND, force_n=force))

    assert ok(judge(LIMIT, motion_of(still()), case_of(LIMIT, setup=setup))) is allowed


def test_every_gripper_is_judged() -> None:
    setup = with_grippers(HAND, replace(HAND, name="other"))
    pair = np.tile([0.04, 0.09], (5, 1))

    traces = judge(LIMIT, motion_of(still(5), pair), case_of(LIMIT, setup=setup))

    assert [trace.names[0][0] for trace in traces if not ok((trace,))] == ["other"]


@pytest.mark.parametrize(
    "setup", [with_grippers(), with_grippers(HAND, replace(HAND, name="other"))], ids=["none", "two"]
)
def test_F38_values_for_other_grippers_are_a_violation(setup: Setup) -> None:
    assert not ok(judge(LIMIT, motion_of(still()), case_of(LIMIT, setup=setup)))


def test_F38_a_width_and_a_speed_in_two_units_are_a_fault_and_a_violation() -> None:
    for mixed in (replace(LIMIT, max_speed=Amount(0.1, "rad")), replace(LIMIT, width=Range(0.0, 0.08, "rad"))):
        assert len(mixed.faults(SETUP)) == 1
        assert not ok(judge(mixed, motion_of(still()), case_of(mixed)))


def test_a_provocation_opens_the_hand_a_tenth_of_the_span_too_far() -> None:
    limit = replace(LIMIT, width=Range(0.03, 0.05, "m"))

    assert limit.provoke(SETUP).grippers == pytest.approx(0.052)


@pytest.mark.parametrize(
    ("setup", "fields"),
    [
        (with_grippers(), ["kind"]),
        (with_grippers(replace(HAND, unit="ratio")), ["width", "max_speed"]),
        (with_grippers(replace(HAND, force_n=None)), ["max_force"]),
        (SETUP, []),
    ],
    ids=["none", "other unit", "no force", "fine"],
)
def test_what_can_never_be_measured_is_a_fault_and_a_violation(setup: Setup, fields: list[str]) -> None:
    assert [fault.field for fault in LIMIT.faults(setup)] == fields
    assert ok(judge(LIMIT, motion_of(still()), case_of(LIMIT, setup=setup))) is not bool(fields)
