"""Power and force: the speed of a contact, worked out here from its energy, and where it counts."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.geometry import Pose, Sphere
from interlock.profile import Inertia
from interlock.rules import Clearance
from interlock.scene import BodyPart, Held, Person, Scene
from interlock_rules.approach import Approach, OwnStop
from interlock_rules.contact import ContactEnergy, contact_speed, moving_kg, thickness, weightless
from interlock_rules.regions import Contact, Most, Region, Regions
from interlock_rules.separation import Separation
from tests.rules.arm import (
    HEIGHT,
    NOTHING,
    PROFILE,
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
TRUNK = Contact(3e4, 40.0, Most(150.0, 1e6), Most(60.0, 5e5))
TABLE = Regions("test", "test", (Region("trunk", TRUNK), Region("head", None)))
LIMIT = ContactEnergy(("robot",), APPROACH, TABLE, 2e-4, ())
HAND = replace(LIMIT, body=("hand",))
ROBOT_KG = (3.0 + 2.0) / 2.0 + 1.0  # half of the arm, all of the hand; the base does not move
CUP = Held("cup", Sphere(0.02), Pose((0.03, 0.0, 0.0)), 1.5)


def trunk(x: float, y: float, radius: float = 0.2, **changes: Any) -> Person:
    """Somebody of whom only the trunk is near."""
    part = BodyPart("trunk", (x, y, HEIGHT - 0.3), (x, y, HEIGHT + 0.3), radius)
    return replace(Person("anna", (part,), 0, 0.0), **changes)


NEAR = with_people(trunk(0.95, 0.45))


def by_energy(contact: Contact, most: Most, kg: float, area: float) -> float:
    """The speed whose energy the region takes up as a spring until the force, or the pressure, is the largest."""
    force = min(most.force_n, most.pressure_pa * area)
    energy = force**2 / (2.0 * contact.stiffness_n_m)
    return math.sqrt(2.0 * energy / kg)


@given(*(st.floats(0.1, 1e3),) * 4, st.floats(1e-6, 1e-2))
def test_a_contact_at_its_speed_has_the_energy_that_the_region_takes(
    force: float, kilo_pascal: float, newton_mm: float, kg: float, area: float
) -> None:
    most = Most(force, 1e3 * kilo_pascal)
    contact = Contact(1e3 * newton_mm, 1.0, most, most)

    assert contact_speed(contact, most, kg, area) == pytest.approx(by_energy(contact, most, kg, area))


def test_the_robot_weighs_half_of_its_arm_and_all_of_its_hand_and_what_it_holds() -> None:
    assert moving_kg(PROFILE, motion_of(still())) == ROBOT_KG
    assert moving_kg(PROFILE, motion_of(still(), held=CUP)) == ROBOT_KG + 1.5
    assert math.isnan(moving_kg(PROFILE, motion_of(still(), held=replace(CUP, mass_kg=math.nan))))
    assert math.isnan(moving_kg(PROFILE, motion_of(still(), held=replace(CUP, mass_kg=-1.0))))


def limits(limit: ContactEnergy, scene: Scene = NEAR, **more: Any) -> np.ndarray:
    motion = motion_of(moving(0.02), held=more.get("held"))
    (trace,) = judge(limit, motion, case_of(limit, scene=scene, **more))
    return np.asarray(trace.limit[3:])


def test_where_somebody_can_be_touched_the_limit_is_that_of_the_region() -> None:
    free = 1.0 / (1.0 / 40.0 + 1.0 / ROBOT_KG)

    assert limits(HAND) == pytest.approx(by_energy(TRUNK, TRUNK.transient, free, 2e-4))
    heavy = 1.0 / (1.0 / 40.0 + 1.0 / (ROBOT_KG + 1.5))
    assert limits(HAND, held=CUP) == pytest.approx(by_energy(TRUNK, TRUNK.transient, heavy, 2e-4))
    assert (limits(HAND, held=CUP) < limits(HAND)).all()


def test_far_away_it_is_that_of_separation() -> None:
    far = with_people(trunk(2.0, 0.45))
    apart = Separation(("hand",), APPROACH)
    (trace,) = judge(apart, motion_of(moving(0.02)), case_of(apart, scene=far))

    assert limits(HAND, far).tolist() == trace.limit[3:].tolist()
    assert (limits(HAND, far) > limits(HAND)).all()


@pytest.mark.parametrize("region", ["head", "tail"])
def test_F38_what_may_not_be_touched_or_is_not_in_the_table_is_kept_away_from(region: str) -> None:
    part = replace(trunk(0.95, 0.45).parts[0], region=region)
    scene = with_people(Person("anna", (part,), 0, 0.0))

    assert limits(HAND, scene).tolist() == [0.0] * len(limits(HAND, scene))
    assert ok(judge(HAND, motion_of(still()), case_of(HAND, scene=scene)))


AT_POST = np.array([math.radians(133.0), 0.0, 0.0])


def beside_post(limit: ContactEnergy, radius: float, x: float = -0.6) -> float:
    """The least limit of the hand near the post, with somebody there who is that thick."""
    rows = still(6, AT_POST)
    rows[:, 0] += 0.005 * np.arange(6)
    case = case_of(limit, scene=with_people(trunk(x, 0.3, radius)))
    (trace,) = judge(limit, motion_of(rows), case)
    return float(trace.limit[3:].min())


def test_where_the_body_cannot_give_way_the_quasi_static_limits_count_and_the_whole_robot_weighs() -> None:
    clamping = replace(HAND, clamped_by=("post",))
    free = by_energy(TRUNK, TRUNK.transient, 1.0 / (1.0 / 40.0 + 1.0 / ROBOT_KG), 2e-4)
    clamped = by_energy(TRUNK, TRUNK.quasi_static, ROBOT_KG, 2e-4)

    assert beside_post(HAND, 0.2) == pytest.approx(free)
    assert beside_post(clamping, 0.2) == pytest.approx(clamped)
    assert beside_post(replace(HAND, clamped_by=("cell",)), 0.2) == pytest.approx(clamped)
    assert clamped < free


def test_what_fits_into_the_gap_is_not_clamped_in_it() -> None:
    """The hand comes to the post to within millimetres; the wall behind it is further away."""
    wall = replace(HAND, clamped_by=("wall",))
    gap = 0.10  # between hand and wall, at the least

    assert beside_post(wall, 0.2) < beside_post(HAND, 0.2)
    assert beside_post(wall, (gap - 0.04) / 2.0) == beside_post(HAND, (gap - 0.04) / 2.0)


def test_what_may_be_clamped_is_still_faster_far_away() -> None:
    clamping = replace(HAND, clamped_by=("post",))

    assert beside_post(clamping, 0.2, -4.0) > by_energy(TRUNK, TRUNK.transient, 1.0, 2e-4)


def test_F29_what_is_not_known_of_a_person_permits_no_contact() -> None:
    for changes in ({"seen_ns": 1}, {"speed_m_s": math.nan}):
        scene = with_people(trunk(0.95, 0.45, **changes))

        assert not ok(judge(HAND, motion_of(moving(0.001)), case_of(HAND, scene=scene)))


@pytest.mark.parametrize(("left", "clamped"), [(0.409, True), (0.411, False)])
def test_the_robot_may_be_nearer_to_what_clamps_than_it_was_measured(left: float, clamped: bool) -> None:  # noqa: FBT001 - a case
    clamping = replace(HAND, clamped_by=("post",))
    case, motion = case_of(clamping, scene=NEAR), motion_of(moving(0.02))
    gap, person = (forecast(demand, motion, case) for demand in clamping.demands(case, motion))

    (trace,) = clamping.measure(case, motion, (replace(gap, at_least_m=np.full(len(motion), left)), person))

    free = by_energy(TRUNK, TRUNK.transient, 1.0 / (1.0 / 40.0 + 1.0 / ROBOT_KG), 2e-4)
    slow = by_energy(TRUNK, TRUNK.quasi_static, ROBOT_KG, 2e-4)
    assert trace.limit[3:] == pytest.approx(slow if clamped else free)


def test_F38_a_gap_that_is_not_known_clamps() -> None:
    clamping = replace(HAND, clamped_by=("post",))
    case, motion = case_of(clamping, scene=NEAR), motion_of(moving(0.02))
    demands = clamping.demands(case, motion)
    answers = [forecast(demand, motion, case) for demand in demands]
    clamped = by_energy(TRUNK, TRUNK.quasi_static, ROBOT_KG, 2e-4)

    assert [demand.others for demand in demands] == [("post",), ("person:anna:trunk",)]
    nobody_knows = replace(answers[0], at_least_m=np.full(len(motion), np.nan))
    of_another_shape = replace(answers[0], at_least_m=np.full(3, 9.0))
    for gap in (nobody_knows, of_another_shape):
        (trace,) = clamping.measure(case, motion, (gap, answers[1]))
        assert trace.limit[3:] == pytest.approx(clamped)


@pytest.mark.parametrize("uncertainty", [math.nan, math.inf])
def test_F38_a_thickness_that_is_not_known_clamps_and_asks_for_no_gap(uncertainty: float) -> None:
    clamping = replace(HAND, clamped_by=("post",))
    scene = with_people(trunk(0.95, 0.45, uncertainty_m=uncertainty))
    case, motion = case_of(clamping, scene=scene), motion_of(moving(0.02))

    (demand,) = clamping.demands(case, motion)
    touching = Clearance(
        np.zeros(len(motion)), np.zeros(len(motion), dtype=np.int64), (), np.zeros((len(motion), 2, 3)), 0
    )
    (trace,) = clamping.measure(case, motion, (touching,))

    assert demand.others == ("person:anna:trunk",)
    assert trace.limit[3] == pytest.approx(by_energy(TRUNK, TRUNK.quasi_static, ROBOT_KG, 2e-4))


def test_the_thickest_part_of_a_region_counts_with_its_uncertainty() -> None:
    person = trunk(0.0, 0.0, 0.1, uncertainty_m=0.02)
    both = replace(person, parts=(*person.parts, replace(person.parts[0], radius_m=0.15)))

    assert thickness(person, "trunk") == pytest.approx(0.24)
    assert thickness(both, "trunk") == pytest.approx(0.34)


@pytest.mark.parametrize("scene", [Scene("automatic", ()), with_people(replace(walker(4.0, 0.4), parts=()))])
def test_F38_a_scene_that_does_not_say_who_is_there_is_a_violation(scene: Scene) -> None:
    assert np.isnan(worst(judge(LIMIT, motion_of(still()), case_of(LIMIT, scene=scene))))


def test_F38_a_robot_of_unknown_mass_or_stop_is_a_violation() -> None:
    motion, unknown = motion_of(still(), held=replace(CUP, mass_kg=math.nan)), replace(CUP, mass_kg=math.nan)
    unstopped = replace(LIMIT, approach=replace(APPROACH, stopping=None))
    bare = replace(SETUP, profile=replace(PROFILE, inertias=()))

    assert not ok(judge(LIMIT, motion, case_of(LIMIT, held=unknown)))
    assert not ok(judge(unstopped, motion_of(still()), case_of(unstopped)))
    assert not ok(judge(LIMIT, motion_of(still(), setup=bare), case_of(LIMIT, setup=bare)))


def test_nobody_is_nothing_to_measure_and_nothing_is_asked() -> None:
    clamping = replace(LIMIT, clamped_by=("cell",))

    assert np.isposinf(worst(judge(clamping, motion_of(moving(0.03)), case_of(clamping))))
    assert clamping.demands(case_of(clamping), motion_of(moving(0.03))) == ()
    assert NOTHING.people == ()


@given(st.floats(0.75, 3.0), st.floats(0.0, 0.5), st.floats(0.05, 0.3))
@settings(max_examples=40)
def test_a_contact_rule_never_refuses_what_separation_permits_nor_permits_more_far_away(
    x: float, y: float, radius: float
) -> None:
    scene, motion = with_people(trunk(x, y, radius)), motion_of(moving(0.01))
    apart = Separation(("robot",), APPROACH)

    contact, kept = (judge(limit, motion, case_of(limit, scene=scene)) for limit in (LIMIT, apart))

    for one, other in zip(contact, kept, strict=True):
        moving_nodes = one.value > 0.0
        assert (one.limit[moving_nodes] >= other.limit[moving_nodes] - 1e-12).all() or worst((one,)) >= 0.0
    assert not ok(kept) or ok(contact)


@pytest.mark.parametrize(
    ("limit", "fields"),
    [
        (LIMIT, []),
        (replace(LIMIT, clamped_by=("cell", "post")), []),
        (replace(LIMIT, clamped_by=("cell", "post", "pots", "hand")), ["clamped_by[2]", "clamped_by[3]"]),
        (replace(LIMIT, body=("tcp",)), ["body[0]"]),
        (replace(LIMIT, approach=replace(APPROACH, reaction=0.1)), ["approach.reaction"]),
    ],
)
def test_what_can_never_be_right_is_said(limit: ContactEnergy, fields: list[str]) -> None:
    assert [fault.field for fault in limit.faults(SETUP)] == fields


def test_F39_a_link_without_a_mass_is_named() -> None:
    some = replace(SETUP, profile=replace(PROFILE, inertias=PROFILE.inertias[:2]))

    assert weightless(some) == ("fore", "hand")
    (fault,) = LIMIT.faults(some)
    assert fault.field == "kind"
    assert "no mass of fore, hand" in fault.message
    assert weightless(replace(SETUP, model=None)) == ()
    assert isinstance(PROFILE.inertias[0], Inertia)
