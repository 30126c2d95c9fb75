"""The numbers of speed and separation, worked out here in another way: Sp is added up, and never solved for a speed."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from interlock.profile import Stopping
from interlock.scene import BodyPart, Person
from interlock_rules.approach import Approach, OwnStop, Stop, least_reaction
from tests.rules.arm import PROFILE, SETUP

A = 3.333
APPROACH = Approach(1.6, 0.1, 0.01, detection=0.03, stopping=OwnStop("test", deceleration=A))
ANNA = Person("anna", (BodyPart("head", (0.0, 0.0, 1.6), (0.0, 0.0, 1.7), 0.1),), 0, 0.1)
NOW = np.zeros(1)


def separation_m(vh: float, reaction: float, vr: float, stop: Stop, rest_s: float = 0.0) -> float:
    """Sh + Sr + Ss [m]: how far a person comes until the robot rests, and how far it goes itself."""
    until_rest = stop.time_s + vr / stop.deceleration
    walked = vh * (reaction + max(until_rest, rest_s))
    return walked + vr * reaction + (vr * stop.time_s + vr * vr / stop.deceleration / 2.0)


def allowed(left: float, vh: float = 1.6, approach: Approach = APPROACH, rest_s: float = 0.0) -> float:
    stop = approach.stop(PROFILE)
    assert stop is not None
    return float(approach.allowed(np.array([left]), np.array([rest_s]), vh, stop)[0])


def test_the_vector_of_the_standards_page() -> None:
    stop = APPROACH.stop(PROFILE)
    assert stop is not None
    gone = APPROACH.gone(ANNA, 0)

    needed = float(APPROACH.needed(np.ones(1), NOW, 1.6, stop)[0])

    assert APPROACH.intrusion_m == pytest.approx(0.128)
    by_hand = 1.6 * (0.1 + 0.3) + 0.1 + 0.15 + 0.128 + 0.1 + 0.01
    assert by_hand == pytest.approx(1.128)
    assert needed + gone + ANNA.uncertainty_m == pytest.approx(1.128, abs=1e-4)
    assert allowed(needed) == pytest.approx(1.0)
    assert allowed(1.128 - gone - 0.1) == pytest.approx(1.0, abs=1e-4)


def test_the_form_of_the_standards_page_gives_the_same_speed() -> None:
    for left in np.linspace(0.161, 5.0, 50).tolist():
        page = math.sqrt((A * 0.1 + 1.6) ** 2 + 2.0 * A * (left - 1.6 * 0.1)) - (A * 0.1 + 1.6)

        assert allowed(left) == pytest.approx(page, abs=1e-9)


@pytest.mark.parametrize(
    ("detection", "expected"), [(0.014, 0.0), (0.01, 0.0), (0.03, 0.128), (0.04, 0.208), (0.0401, 0.85), (0.07, 0.85)]
)
def test_the_intrusion_follows_from_the_detection_capability(detection: float, expected: float) -> None:
    assert replace(APPROACH, detection=detection).intrusion_m == pytest.approx(expected)


def test_an_intrusion_that_is_not_said_once_is_no_number() -> None:
    assert math.isnan(replace(APPROACH, detection=None).intrusion_m)
    assert math.isnan(replace(APPROACH, intrusion=0.1).intrusion_m)
    assert replace(APPROACH, detection=None, intrusion=0.1).intrusion_m == 0.1


NUMBERS = st.tuples(
    st.floats(0.1, 3.0), st.floats(0.05, 1.0), st.floats(0.0, 0.5), st.floats(0.5, 20.0) | st.just(math.inf),
    st.floats(0.0, 1.0),
)  # fmt: skip


def made(reaction: float, time_s: float, deceleration: float) -> tuple[Approach, Stop]:
    return replace(APPROACH, reaction=reaction), Stop(time_s, deceleration)


@given(NUMBERS, st.floats(0.0, 10.0))
def test_at_the_allowed_speed_the_separation_is_the_distance(
    numbers: tuple[float, float, float, float, float], left: float
) -> None:
    vh, reaction, time_s, deceleration, rest_s = numbers
    approach, stop = made(reaction, time_s, deceleration)

    speed = float(approach.allowed(np.array([left]), np.array([rest_s]), vh, stop)[0])
    needed = float(approach.needed(np.array([speed]), np.array([rest_s]), vh, stop)[0])

    assert needed == pytest.approx(separation_m(vh, reaction, speed, stop, rest_s))
    if speed > 0.0:
        assert needed == pytest.approx(left)
    else:
        assert needed >= left - 1e-12


@given(NUMBERS, st.floats(-1.0, 10.0), st.floats(0.0, 1.0))
def test_less_distance_a_longer_brake_and_a_faster_person_never_allow_more(
    numbers: tuple[float, float, float, float, float], left: float, more: float
) -> None:
    vh, reaction, time_s, deceleration, rest_s = numbers
    approach, stop = made(reaction, time_s, deceleration)

    def speed(left: float = left, rest_s: float = rest_s, vh: float = vh, on: Approach = approach) -> float:
        return float(on.allowed(np.array([left]), np.array([rest_s]), vh, stop)[0])

    slack = 1e-12 + 1e-12 * speed()
    assert speed(left - more) <= speed() + slack
    assert speed(rest_s=rest_s + more) <= speed() + slack
    assert speed(vh=vh + more) <= speed() + slack
    assert speed(on=replace(approach, reaction=reaction + more)) <= speed() + slack
    assert speed() >= 0.0


@pytest.mark.parametrize("left", [-1.0, 0.0, 0.16])
def test_where_no_speed_is_allowed_it_is_nothing_and_no_less(left: float) -> None:
    assert allowed(left) == 0.0


def test_F01_a_distance_that_is_no_number_allows_no_speed_that_is_one() -> None:
    assert math.isnan(allowed(math.nan))
    assert math.isnan(allowed(1.0, math.nan))
    assert math.isnan(allowed(1.0, rest_s=math.nan))


@given(st.floats(0.0, 5.0), st.floats(0.0, 5.0))
@example(5.0, 0.0)
@example(0.0, 5.0)
def test_a_person_is_never_taken_to_be_slower_than_measured_or_than_the_set_says(measured: float, least: float) -> None:
    assume(least > 0.0)
    somebody = replace(ANNA, speed_m_s=measured)
    trusting = replace(APPROACH, speed="measured", least_speed=least)

    assert APPROACH.walking(somebody) == max(1.6, measured)
    assert trusting.walking(somebody) == max(least, measured)
    assert APPROACH.walking(ANNA) == trusting.walking(ANNA) == 1.6


@pytest.mark.parametrize("measured", [math.nan, -0.1, math.inf])
def test_F29_a_measured_speed_that_is_none_makes_everything_unknown(measured: float) -> None:
    somebody = replace(ANNA, speed_m_s=measured)

    assert math.isnan(APPROACH.walking(somebody))
    assert math.isnan(APPROACH.gone(somebody, 0))


def test_F38_measured_without_a_least_speed_is_unknown() -> None:
    assert math.isnan(replace(APPROACH, speed="measured").walking(replace(ANNA, speed_m_s=0.5)))


@given(st.integers(0, 10**10), st.integers(0, 10**10))
def test_F29_the_older_a_track_the_more_is_gone(age: int, more: int) -> None:
    now = APPROACH.gone(ANNA, age)

    assert now == pytest.approx(0.128 + 0.01 + 1.6 * age / 1e9)
    assert APPROACH.gone(ANNA, age + more) >= now


def test_F29_somebody_seen_in_the_future_is_nowhere() -> None:
    assert math.isnan(APPROACH.gone(ANNA, -1))


def test_a_profile_s_stop_takes_its_longest_time_at_any_speed() -> None:
    measured = replace(PROFILE, stopping=Stopping(0.2, (0.1, 0.6, 0.1), "test"))
    own = replace(APPROACH, stopping=None)

    assert own.stop(PROFILE) is None
    assert own.stop(replace(measured, stopping=Stopping(0.2, (0.1,), "test"))) is None
    assert own.stop(measured) == Stop(0.3, math.inf)  # 0.6 rad at 2 rad/s take 0.3 s at least
    assert own.stop(replace(measured, stopping=Stopping(0.4, (0.1, 0.6, 0.1), "test"))) == Stop(0.4, math.inf)
    assert replace(APPROACH, stopping=OwnStop("test", time=0.3)).stop(measured) == Stop(0.3, math.inf)
    assert APPROACH.stop(measured) == Stop(0.0, A)


def test_the_least_reaction_covers_recheck_freshness_and_a_tick() -> None:
    assert least_reaction(0.05, 0.02) == pytest.approx(0.12)
    assert least_reaction(0.3, 0.02) == pytest.approx(0.32)


@pytest.mark.parametrize(
    ("approach", "fields"),
    [
        (replace(APPROACH, reaction=0.12), []),
        (replace(APPROACH, reaction=0.1199), ["approach.reaction"]),
        (replace(APPROACH, reaction=math.nan), ["approach.reaction"]),
        (replace(APPROACH, reaction=0.2, intrusion=0.1), ["approach"]),
        (replace(APPROACH, reaction=0.2, detection=None), ["approach"]),
        (replace(APPROACH, reaction=0.2, least_speed=0.5), ["approach"]),
        (replace(APPROACH, reaction=0.2, speed="measured"), ["approach"]),
        (replace(APPROACH, reaction=0.2, stopping=OwnStop("test")), ["approach.stopping"]),
        (replace(APPROACH, reaction=0.2, stopping=OwnStop("test", 1.0, 1.0)), ["approach.stopping"]),
        (replace(APPROACH, reaction=0.2, stopping=None), ["approach"]),
    ],
)
def test_what_can_never_be_right_is_said(approach: Approach, fields: list[str]) -> None:
    assert [fault.field for fault in approach.faults(SETUP)] == fields


def test_F39_without_a_tracker_the_rule_would_refuse_everything_and_says_so() -> None:
    (fault,) = replace(APPROACH, reaction=0.2).faults(replace(SETUP, people_s=None))

    assert fault.field == "kind"
    assert "people: tracker" in fault.message
