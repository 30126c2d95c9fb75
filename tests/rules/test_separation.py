"""Speed and separation along a motion: each part of the robot against each person, down to standing still."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.geometry import Pose, Sphere
from interlock.motion import Phase
from interlock.rules import Clearance
from interlock.scene import BodyPart, Held, Person, Scene
from interlock_rules.approach import Approach, OwnStop
from interlock_rules.people import LOOKED
from interlock_rules.separation import Separation
from tests.rules.arm import (
    NOTHING,
    PERIOD,
    SETUP,
    case_of,
    forecast,
    judge,
    motion_of,
    moving,
    ok,
    still,
    walker,
    with_people,
    worst,
)

APPROACH = Approach(1.6, 0.2, 0.01, intrusion=0.1, stopping=OwnStop("test", deceleration=3.333))
ALL = Separation(("robot",), APPROACH)
HAND = Separation(("hand",), APPROACH)
SECOND = 1_000_000_000


def margin(limit: Separation, *people: Person, step: float = 0.01, now_ns: int = 0) -> float:
    case = case_of(limit, scene=with_people(*people))
    motion = motion_of(moving(step))
    return worst(judge(limit, replace(motion, now_ns=now_ns), replace(case, now_ns=now_ns)))


def test_far_away_nobody_slows_the_robot_and_near_it_is_refused() -> None:
    assert margin(ALL, walker(4.0, 0.4)) > 0.0
    assert margin(ALL, walker(1.3, 0.4)) < 0.0


@pytest.mark.parametrize("x", [0.3, 0.9, 4.0])
def test_standing_still_is_always_inside(x: float) -> None:
    limit = ALL

    assert ok(judge(limit, motion_of(still()), case_of(limit, scene=with_people(walker(x, 0.4)))))


def test_the_limit_is_what_the_distance_of_that_very_part_allows() -> None:
    case, motion = case_of(HAND, scene=with_people(walker(1.5, 0.4))), motion_of(moving(0.01))
    (demand,) = HAND.demands(case, motion)
    answer = forecast(demand, motion, case)

    (trace,) = HAND.measure(case, motion, (answer,))

    for node in range(3, len(motion)):
        room = float(answer.at_least_m[node]) - 0.11 - 1.6 * 0.2
        a, vh, tr = 3.333, 1.6, 0.2
        expected = max(0.0, math.sqrt((a * tr + vh) ** 2 + 2.0 * a * room) - (a * tr + vh)) if room > 0.0 else 0.0
        assert trace.limit[node] == pytest.approx(expected, abs=1e-9)
        assert trace.margin[node] == pytest.approx(expected - trace.value[node], abs=1e-9)
    assert trace.unit == "m/s"
    assert trace.names[int(trace.which[4])] in {("hand", "person:anna:trunk"), ("hand", "person:anna:head")}
    assert "from anna" in trace.quantity


def test_exactly_at_the_limit_is_inside_and_a_hair_nearer_is_not() -> None:
    motion, far = motion_of(moving(0.01)), walker(4.0, 0.4)
    case = case_of(HAND, scene=with_people(far))
    (demand,) = HAND.demands(case, motion)
    (asked,) = HAND._near(case, motion).questions  # type: ignore[union-attr]
    value = float(asked.watched.value.max())
    stop = APPROACH.stop(SETUP.profile)
    assert stop is not None

    def answered(distance: float) -> float:
        found = np.where(demand.intervals, distance, np.inf)
        pair, points = np.zeros(len(motion), dtype=np.int64), np.zeros((len(motion), 2, 3))
        return worst(HAND.measure(case, motion, (Clearance(found, pair, (("hand", "x"),), points, 0),)))

    low, high = 0.0, 10.0
    while (middle := (low + high) / 2.0) not in (low, high):
        low, high = (low, middle) if answered(middle) >= 0.0 else (middle, high)

    rest_s = np.array([PERIOD])
    assert high == pytest.approx(float(APPROACH.needed(np.array([value]), rest_s, 1.6, stop)[0]) + 0.11, abs=1e-9)
    assert answered(high) == pytest.approx(0.0, abs=1e-12)
    assert answered(math.nextafter(low, 0.0)) < 0.0


def test_what_is_asked_for_is_enough_to_see_five_per_cent_of_margin() -> None:
    case, motion = case_of(HAND, scene=with_people(walker(4.0, 0.4))), motion_of(moving(0.01))
    (demand,) = HAND.demands(case, motion)
    found = np.full(len(motion), demand.min_m)  # no better than it must be
    answer = Clearance(found, np.zeros(len(motion), dtype=np.int64), (("hand", "x"),), np.zeros((len(motion), 2, 3)), 0)

    (trace,) = HAND.measure(case, motion, (answer,))

    judged = np.isfinite(trace.margin)
    assert judged.any()
    assert (trace.margin[judged] >= 0.05 * trace.limit[judged]).all()
    assert (trace.value[judged] <= LOOKED * trace.limit[judged] * (1.0 + 1e-9)).all()


def test_what_is_left_of_the_committed_plan_is_judged_too() -> None:
    motion = motion_of(moving(0.01), brake=0)
    committed = replace(motion, phase=np.where(motion.phase == Phase.ROW, int(Phase.COMMITTED), motion.phase))
    case = case_of(ALL, scene=with_people(walker(1.3, 0.4)))

    assert not committed.proposed().any()
    assert not ok(judge(ALL, committed, case))


def test_the_gap_from_the_measured_pose_to_the_command_is_no_motion() -> None:
    motion = motion_of(moving(0.01))
    gap = replace(motion, phase=np.full(len(motion), int(Phase.MEASURED)))

    assert ok(judge(ALL, gap, case_of(ALL, scene=with_people(walker(1.3, 0.4)))))


def test_a_brake_that_takes_longer_than_was_stated_counts_as_long_as_it_takes() -> None:
    quick, slow = motion_of(moving(0.01, 40), brake=1), motion_of(moving(0.01, 40), brake=30)
    case = case_of(HAND, scene=with_people(walker(1.75, 0.4)))

    assert ok(judge(HAND, quick, case))
    assert not ok(judge(HAND, slow, case))


@pytest.mark.parametrize("scene", [Scene("automatic", ()), with_people(replace(walker(4.0, 0.4), parts=()))])
def test_F38_a_scene_that_does_not_say_who_is_there_is_a_violation(scene: Scene) -> None:
    for motion in (motion_of(still()), motion_of(moving(0.001))):
        (trace,) = judge(ALL, motion, case_of(ALL, scene=scene))

        assert np.isnan(trace.margin).all()


def test_nobody_is_nothing_to_measure() -> None:
    traces = judge(ALL, motion_of(moving(0.03)), case_of(ALL))

    assert np.isposinf(worst(traces))


def test_F38_a_stop_that_nobody_measured_is_a_violation() -> None:
    blind = replace(ALL, approach=replace(APPROACH, stopping=None))

    assert not ok(judge(blind, motion_of(still()), case_of(blind)))


def test_F38_something_in_the_hand_of_which_nobody_knows_the_shape_is_a_violation() -> None:
    held = Held("cup", Sphere(0.02), Pose(quat_xyzw=(0.0, 0.0, 0.0, 0.0)), 0.1)
    motion = motion_of(still(), held=held)

    assert not ok(judge(ALL, motion, case_of(ALL, held=held)))


def test_F28_what_the_hand_holds_belongs_to_the_robot() -> None:
    held = Held("rod", Sphere(0.3), Pose((0.2, 0.0, 0.0)), 0.1)
    scene = with_people(walker(1.75, 0.4))
    empty, full = (motion_of(moving(0.01), held=one) for one in (None, held))

    assert ok(judge(ALL, empty, case_of(ALL, scene=scene)))
    assert not ok(judge(ALL, full, case_of(ALL, scene=scene, held=held)))


@pytest.mark.parametrize(
    "changes",
    [
        {"speed_m_s": math.nan},
        {"speed_m_s": -1.0},
        {"speed_m_s": math.inf},
        {"seen_ns": 1},
        {"uncertainty_m": math.nan},
    ],
)
def test_F29_what_is_no_number_of_a_person_refuses_what_moves(changes: dict[str, Any]) -> None:
    assert not margin(ALL, walker(9.0, 0.4, **changes), step=0.001) >= 0.0


@given(st.floats(1.0, 4.0), st.floats(0.0, 1.0))
def test_F29_the_further_away_the_more_is_allowed(x: float, more: float) -> None:
    assert margin(ALL, walker(x + more, 0.4)) >= margin(ALL, walker(x, 0.4)) - 1e-9


@given(st.floats(1.0, 4.0), st.integers(0, SECOND), st.integers(0, SECOND))
def test_F29_an_older_track_never_allows_more(x: float, age: int, more: int) -> None:
    fresh, old = (margin(ALL, walker(x, 0.4), now_ns=age_ns) for age_ns in (age, age + more))

    assert old <= fresh + 1e-9


@given(st.floats(1.0, 4.0), st.floats(0.0, 0.5))
def test_F29_a_less_certain_track_never_allows_more(x: float, uncertainty: float) -> None:
    assert margin(ALL, walker(x, 0.4, uncertainty_m=uncertainty)) <= margin(ALL, walker(x, 0.4)) + 1e-9


@given(st.floats(1.0, 4.0), st.floats(0.0, 1.6), st.floats(1.6, 5.0))
def test_F29_a_person_who_recedes_or_stands_changes_nothing_and_one_who_runs_never_allows_more(
    x: float, slow: float, fast: float
) -> None:
    unmeasured = margin(ALL, walker(x, 0.4))

    assert margin(ALL, walker(x, 0.4, speed_m_s=slow)) == unmeasured
    assert margin(ALL, walker(x, 0.4, speed_m_s=fast)) <= unmeasured


@given(st.lists(st.tuples(st.floats(-4.0, 4.0), st.floats(-4.0, 4.0)), min_size=1, max_size=4), st.integers(0, 3))
@settings(max_examples=50)
def test_F29_more_people_never_allow_more(places: list[tuple[float, float]], one: int) -> None:
    people = [walker(x, y, f"p{index}") for index, (x, y) in enumerate(places)]
    fewer = people[: one % len(people)] + people[one % len(people) + 1 :]

    found = margin(ALL, *people)

    assert found <= margin(ALL, *fewer)
    assert found == pytest.approx(min(margin(ALL, person) for person in people), abs=1e-9)


def test_two_people_of_one_name_are_both_seen() -> None:
    far, near = walker(4.0, 0.4), walker(1.3, 0.4)

    assert margin(ALL, far, near) < 0.0
    assert margin(ALL, near, far) < 0.0


def test_F29_a_person_around_the_robot_lets_nothing_move() -> None:
    around = Person("anna", (BodyPart("arm", (0.2, 0.1, 0.5), (0.6, 0.4, 0.5), 0.05),), 0, 0.0)

    assert margin(ALL, around, step=1e-6) < 0.0
    assert ok(judge(ALL, motion_of(still()), case_of(ALL, scene=with_people(around))))


@pytest.mark.parametrize("which", [0, 1])
def test_F38_one_person_of_whom_nothing_is_known_does_not_hide_behind_another(which: int) -> None:
    case = case_of(HAND, scene=with_people(walker(4.0, 0.4), walker(4.0, 0.4, "bert")))
    motion = motion_of(moving(0.01))
    answers = [forecast(demand, motion, case) for demand in HAND.demands(case, motion)]
    answers[which] = replace(answers[which], at_least_m=np.full(len(motion), np.nan))

    (trace,) = HAND.measure(case, motion, tuple(answers))

    assert np.isnan(trace.margin[3:]).all()


def test_an_answer_of_another_shape_is_a_violation() -> None:
    case, motion = case_of(HAND, scene=with_people(walker(4.0, 0.4))), motion_of(moving(0.01))
    answer = Clearance(np.full(3, 9.0), np.zeros(3, dtype=np.int64), (), np.zeros((3, 2, 3)), 0)

    assert not ok(HAND.measure(case, motion, (answer,)))


def test_a_speed_without_end_is_a_violation_and_asks_for_nothing() -> None:
    motion = motion_of(moving(0.01))
    stopped = replace(motion, times_s=np.zeros(len(motion)))
    case = case_of(HAND, scene=with_people(walker(4.0, 0.4)))

    (demand,) = HAND.demands(case, stopped)

    assert not demand.intervals.any()
    assert not ok(judge(HAND, stopped, case))


def test_nobody_is_asked_about_where_nothing_moves() -> None:
    motion = motion_of(still())
    (demand,) = HAND.demands(case_of(HAND, scene=with_people(walker(1.0, 0.4))), motion)

    assert not demand.intervals.any()
    assert NOTHING.people == ()
