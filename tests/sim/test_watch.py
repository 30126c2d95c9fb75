"""Counting harm."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.profile import Joint, Profile
from interlock.scene import Zone
from interlock_sim.watch import APART_NS, Intended, Watch

ZONE = Zone("place", ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)), z_min=0.0, z_max=0.2)
HERE, THERE = (0.5, 0.5, 0.0), (2.0, 0.5, 0.0)


def watch(intended: Intended | None = None) -> Watch:
    joint = Joint("elbow", -1.0, 1.0, 2.0, 10.0, 0.001, "test", torque=12.0)
    profile = Profile("arm", (joint,), (), (), 1000.0, "linear")
    return Watch(profile, intended or Intended())


def test_a_touch_that_goes_on_is_one_contact() -> None:
    seen = watch()

    for now_ns in range(0, 5 * APART_NS, APART_NS // 2):
        seen.saw_contact(now_ns, "table", "finger", 0.001, HERE)

    assert [contact.pair for contact in seen.contacts] == [("finger", "table")]


def test_a_touch_after_a_while_is_another_contact() -> None:
    seen = watch()

    seen.saw_contact(0, "table", "finger", 0.001, HERE)
    seen.saw_contact(2 * APART_NS, "finger", "table", 0.001, HERE)

    assert len(seen.contacts) == 2


def test_an_intended_pair_counts_only_outside_its_zone() -> None:
    seen = watch(Intended(inside=frozenset([frozenset(("cube", "table"))]), zones=(ZONE,)))

    seen.saw_contact(0, "cube", "table", 0.001, HERE)
    seen.saw_contact(1, "cube", "table", 0.001, THERE)

    assert [contact.at_ns for contact in seen.contacts] == [1]


def test_a_pair_intended_anywhere_never_counts() -> None:
    seen = watch(Intended(pairs=frozenset([frozenset(("cube", "finger"))])))

    seen.saw_contact(0, "finger", "cube", 0.001, THERE)

    assert not seen.contacts


def test_exactly_the_limit_is_inside() -> None:
    seen = watch()

    seen.saw_joints(0, (1.0,), (-2.0,), (12.0,))

    assert not seen.limit_violated


@pytest.mark.parametrize(
    ("reading", "quantity", "limit"),
    [
        (((1.001,), (0.0,), (0.0,)), "position", 1.0),
        (((-1.001,), (0.0,), (0.0,)), "position", -1.0),
        (((0.0,), (-2.001,), (0.0,)), "velocity", 2.0),
        (((0.0,), (0.0,), (-12.001,)), "torque", 12.0),
    ],
)
def test_beyond_a_limit_is_seen(
    reading: tuple[tuple[float], tuple[float], tuple[float]], quantity: str, limit: float
) -> None:
    seen = watch()

    seen.saw_joints(7, *reading)

    (excess,) = seen.excesses.values()
    assert (excess.quantity, excess.limit, excess.at_ns) == (quantity, limit, 7)
    assert seen.limit_violated


@given(first=st.floats(2.1, 50.0), second=st.floats(2.1, 50.0))
def test_the_worst_is_kept_and_the_first_moment(first: float, second: float) -> None:
    seen = watch()

    seen.saw_joints(1, (0.0,), (first,), (0.0,))
    seen.saw_joints(2, (0.0,), (second,), (0.0,))

    (excess,) = seen.excesses.values()
    assert (excess.value, excess.at_ns) == (max(first, second), 1)


@given(which=st.integers(0, 2))
def test_a_nan_makes_blind_which_is_a_violation(which: int) -> None:
    seen = watch()
    reading = [(0.0,), (0.0,), (0.0,)]
    reading[which] = (math.nan,)

    seen.saw_joints(0, *reading)

    assert seen.blind
    assert seen.limit_violated
