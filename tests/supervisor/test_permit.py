"""The only thing that moves a robot is made by the supervisor alone, and works once (F-43)."""

from __future__ import annotations

import copy
import pickle

import pytest

from interlock.errors import PermitRefused
from interlock.log import Entry
from interlock.permit import SUPERVISOR_KEY, Brakes, Permit
from tests.supervisor.toy import NOW, plan, ramp

PLAN = plan(ramp(3)[:, :2], NOW)


def permit(key: object = SUPERVISOR_KEY, brakes: Brakes | None = None) -> Permit:
    found = Brakes() if brakes is None else brakes
    return Permit(
        key, PLAN, brakes=found, entry=Entry(7, "0" * 64), robot="toy", start_row=0, rows=3, valid_until_ns=NOW
    )


def test_F43_a_permit_is_used_once() -> None:
    found = permit()

    assert found.use("toy", NOW) is PLAN
    with pytest.raises(PermitRefused, match="record 7 was used before"):
        found.use("toy", NOW)


def test_F43_a_permit_that_was_taken_back_is_good_for_nothing() -> None:
    brakes = Brakes()
    found = permit(brakes=brakes)
    with brakes.one():
        pass

    with pytest.raises(PermitRefused, match="record 7 was taken back: the robot was braked since"):
        found.use("toy", NOW)


def test_F43_while_any_brake_is_under_way_no_permit_is_good_nor_is_one_of_that_time_later() -> None:
    brakes = Brakes()
    with brakes.one():
        with brakes.one():
            pass  # a second brake, which is done first
        found = permit(brakes=brakes)
        with pytest.raises(PermitRefused, match="was taken back"):
            found.use("toy", NOW)

    with pytest.raises(PermitRefused, match="was taken back"):
        found.use("toy", NOW)
    assert permit(brakes=brakes).use("toy", NOW) is PLAN


def test_F43_a_permit_ends_when_its_first_row_is_due() -> None:
    with pytest.raises(PermitRefused, match=r"ended 0\.5 ms ago"):
        permit().use("toy", NOW + 500_000)


def test_F43_a_permit_is_for_one_robot_and_a_refused_use_does_not_use_it_up() -> None:
    found = permit()

    with pytest.raises(PermitRefused, match="for the robot toy, not for other"):
        found.use("other", NOW)
    assert found.use("toy", NOW) is PLAN


@pytest.mark.parametrize("key", [None, object(), "SUPERVISOR_KEY"])
def test_F43_nobody_else_makes_a_permit(key: object) -> None:
    with pytest.raises(PermitRefused, match="made by a supervisor's review"):
        permit(key)


@pytest.mark.parametrize("multiply", [copy.copy, copy.deepcopy, pickle.dumps])
def test_F43_a_permit_is_not_multiplied(multiply: object) -> None:
    assert callable(multiply)
    with pytest.raises(PermitRefused, match="cannot be copied"):
        multiply(permit())


@pytest.mark.parametrize("name", ["_used", "robot", "valid_until_ns", "rows", "entry"])
def test_F43_what_was_permitted_does_not_change(name: str) -> None:
    found = permit()

    with pytest.raises(PermitRefused, match=f"{name} of a permit cannot be changed"):
        setattr(found, name, 0)
