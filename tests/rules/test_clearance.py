"""Clearance: every pair, except those that are allowed to touch, and where less is enough."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from interlock.geometry import Box, Capsule, ConvexMesh, Cylinder, HalfSpace, Pose, Shape, Sphere
from interlock.motion import Phase
from interlock.scene import Body, Held, Scene
from interlock_rules.clearance import LessIn, MinimumClearance
from interlock_rules.closing_in import points_in
from interlock_rules.kind import NoProvocation, Setup
from tests.rules.arm import (
    CELL,
    HEIGHT,
    HOME,
    SETUP,
    ball,
    case_of,
    judge,
    motion_of,
    ok,
    provoked_motion,
    still,
    worst,
)

CUP = Held("cup", Sphere(0.02), Pose((0.03, 0.0, 0.0)), 0.1)
AT_POST = np.array([math.radians(135.0), 0.0, 0.0])
HALL = LessIn(("gripper", "post"), "contact", ("hall",), 0.1)
WALLS = MinimumClearance(("robot", "cell"), 0.02)


def asked(limit: MinimumClearance, **more: Any) -> set[tuple[str, str, float]]:
    """Each pair that is asked for, with its minimum, on the last interval."""
    motion = motion_of(more.pop("rows", still()), held=more.get("held"))
    demands = limit.demands(case_of(limit, **more), motion)
    return {
        (a, b, demand.min_m)
        for demand in demands
        for a in demand.links
        for b in demand.others
        if a != b and (min(a, b), max(a, b)) not in demand.exclude and demand.intervals[-1]
    }


def pairs(limit: MinimumClearance, **more: Any) -> set[tuple[str, str]]:
    return {(min(a, b), max(a, b)) for a, b, _ in asked(limit, **more)}


def test_F24_all_of_the_robot_is_asked_for_but_what_never_moves() -> None:
    expected = {(link, body) for link in ("upper", "fore", "hand", "held") for body in ("post", "wall")}

    assert {(a, b) for a, b, _ in asked(WALLS, held=CUP)} == expected
    assert asked(WALLS, held=CUP) == asked(MinimumClearance(("cell", "robot"), 0.02), held=CUP)


def test_F25_allowed_collisions_are_not_judged_and_all_others_are() -> None:
    assert pairs(MinimumClearance(("robot", "robot"), 0.0)) == {("base", "fore"), ("base", "hand"), ("hand", "upper")}


def test_F28_what_the_hand_holds_may_touch_the_hand_and_no_other_link() -> None:
    found = pairs(MinimumClearance(("robot", "robot"), 0.0), held=CUP)

    assert {pair for pair in found if "held" in pair} == {("base", "held"), ("fore", "held"), ("held", "upper")}
    assert pairs(MinimumClearance(("held", "robot"), 0.0)) == set()


def test_what_the_hand_holds_is_no_object_any_more() -> None:
    scene = Scene("automatic", (ball("cup", 0.5, 0.5), ball("plate", 0.0, 1.0)), "cup")
    limit = MinimumClearance(("hand", "objects"), 0.0)

    assert pairs(limit, scene=scene) == {("cup", "hand"), ("hand", "plate")}
    assert pairs(limit, scene=scene, held=CUP) == {("hand", "plate")}
    assert pairs(MinimumClearance(("hand", "target"), 0.0), scene=scene, held=CUP) == set()


def test_named_objects_and_the_target_are_asked_for() -> None:
    scene = Scene("automatic", (ball("cup", 0.0, 1.0), ball("plate", 0.0, 1.2)), "cup")

    assert pairs(MinimumClearance(("hand", "target"), 0.0), scene=scene) == {("cup", "hand")}
    assert pairs(MinimumClearance(("hand", "object:plate"), 0.0), scene=scene) == {("hand", "plate")}
    assert pairs(MinimumClearance(("hand", "wall"), 0.0), scene=scene) == {("hand", "wall")}


def test_with_no_objects_the_rule_applies_and_nothing_is_near() -> None:
    traces = judge(MinimumClearance(("robot", "objects"), 0.01), motion_of(still()))

    assert ok(traces)
    assert np.isposinf(worst(traces))


@pytest.mark.parametrize(
    ("other", "scene"),
    [
        ("objects", Scene("automatic")),
        ("target", Scene("automatic", (ball("cup", 0.0, 1.0),))),
        ("target", Scene("automatic", (ball("cup", 0.0, 1.0),), "plate")),
        ("object:plate", Scene("automatic", (ball("cup", 0.0, 1.0),))),
        ("cell", Scene("automatic", (ball("post", 0.0, 1.0),))),
        ("cell", Scene("automatic", (ball("hand", 0.0, 1.0),))),
        ("cell", Scene("automatic", (ball("bench", 0.0, 1.0),))),
        ("objects", Scene("automatic", (ball("cup", 0.0, 1.0), ball("cup", 0.0, 1.2)))),
    ],
    ids=["nobody looked", "no target", "target gone", "object gone", "as a body", "as a link", "as a zone", "twice"],
)
def test_F38_a_scene_that_does_not_say_what_is_meant_is_a_violation(other: str, scene: Scene) -> None:
    limit = MinimumClearance(("robot", other), 0.0)

    assert not ok(judge(limit, motion_of(still()), case_of(limit, scene=scene)))


def test_contact_is_not_judged_inside_the_zone_and_is_outside_it() -> None:
    motion = motion_of(still(at=AT_POST))
    inside, outside = (replace(WALLS, exceptions=(replace(HALL, zone=(zone,)),)) for zone in ("hall", "bench"))

    assert not ok(judge(WALLS, motion))
    assert ok(judge(inside, motion))
    assert not ok(judge(outside, motion))


def test_of_two_zones_one_is_enough() -> None:
    limit = replace(WALLS, exceptions=(replace(HALL, zone=("bench", "hall")),))

    assert ok(judge(limit, motion_of(still(at=AT_POST))))


def test_contact_is_only_for_the_pair_that_is_named() -> None:
    limit = replace(WALLS, exceptions=(replace(HALL, pair=("upper", "post")),))

    assert not ok(judge(limit, motion_of(still(at=AT_POST))))


@pytest.mark.parametrize(("speed", "allowed"), [(0.1, False), (0.2, True), (None, True)])
def test_contact_is_judged_again_where_the_tool_is_too_fast(speed: float | None, *, allowed: bool) -> None:
    rows = still(3, AT_POST)
    rows[:, 0] += [0.0, 0.004, 0.008]  # 0.17 m/s
    limit = replace(WALLS, exceptions=(replace(HALL, max_speed=speed),))

    assert ok(judge(limit, motion_of(rows))) is allowed


def test_the_gap_from_the_measured_pose_to_the_command_is_no_motion() -> None:
    rows = still(3, AT_POST)
    rows[1:, 0] += 0.004
    motion = motion_of(rows)
    gap = replace(motion, times_s=np.array([0.0, 0.0, 0.0, 0.02]), phase=np.array([0, 0, 0, 2]))
    limit = replace(WALLS, exceptions=(HALL,))

    assert ok(judge(limit, gap))
    assert not ok(judge(limit, replace(gap, phase=np.array([0, 0, Phase.COMMITTED, 2]))))


def test_less_is_demanded_where_less_is_enough_and_only_for_that_pair() -> None:
    limit = replace(WALLS, exceptions=(replace(HALL, min=0.002), replace(HALL, min=0.005, pair=("robot", "post"))))

    assert asked(limit) == {
        ("hand", "post", 0.002), ("upper", "post", 0.005), ("fore", "post", 0.005),
        ("hand", "wall", 0.02), ("upper", "wall", 0.02), ("fore", "wall", 0.02),
    }  # fmt: skip


def test_contact_to_a_depth_asks_for_that_much_where_the_fingers_were_measured() -> None:
    limit = replace(WALLS, exceptions=(replace(HALL, depth=0.004), replace(HALL, depth=0.009, pair=("robot", "post"))))

    demands = limit.demands(case_of(limit), motion_of(still()))

    assert {(demand.links, demand.others, demand.min_m, demand.closing) for demand in demands} == {
        (("fore", "hand", "upper"), ("wall",), 0.02, False),
        (("fore", "hand", "upper"), ("post",), -0.009, True),
    }


def test_contact_without_a_depth_is_not_judged_even_where_another_has_one() -> None:
    limit = replace(WALLS, exceptions=(replace(HALL, depth=0.004), HALL))

    assert ("hand", "post") not in pairs(limit)


def test_contact_is_judged_to_its_depth_and_no_deeper() -> None:
    motion = motion_of(still(at=AT_POST))
    deep = -worst(judge(MinimumClearance(("gripper", "post"), 0.0), motion))
    shallow, enough = (replace(WALLS, exceptions=(replace(HALL, depth=deep + by),)) for by in (-1e-3, 1e-3))

    assert deep > 1e-3
    assert not ok(judge(shallow, motion))
    assert ok(judge(enough, motion))


def test_without_a_tool_point_no_exception_holds() -> None:
    limit = replace(WALLS, exceptions=(HALL,))

    assert not ok(judge(limit, replace(motion_of(still(at=AT_POST)), tool_points={})))


def test_an_exception_about_a_target_that_is_not_there_does_nothing() -> None:
    scene = Scene("automatic", (ball("cup", *(float(x) for x in hand_at_home())),))
    limit = MinimumClearance(("robot", "objects"), 0.01, (LessIn(("gripper", "target"), "contact", ("hall",)),))
    motion = motion_of(still())

    assert not ok(judge(limit, motion, case_of(limit, scene=scene)))
    assert not ok(judge(limit, motion, case_of(limit, scene=replace(scene, target="plate"))))
    assert ok(judge(limit, motion, case_of(limit, scene=replace(scene, target="cup"))))


def hand_at_home() -> np.ndarray:
    model: Any = SETUP.model
    return np.asarray(model.forward(HOME[None])[0, 4, :2, 3])


def test_a_tighter_minimum_never_permits_more() -> None:
    motion = motion_of(still())
    margins = [worst(judge(MinimumClearance(("robot", "cell"), least), motion)) for least in (0.0, 0.1, 0.3, 0.9)]

    assert margins == sorted(margins, reverse=True)
    assert margins[0] > 0.0 > margins[-1]


def test_exactly_the_minimum_is_inside_and_a_hair_more_is_not() -> None:
    motion = motion_of(still())
    left = worst(judge(MinimumClearance(("robot", "cell"), 0.0), motion))

    assert worst(judge(MinimumClearance(("robot", "cell"), left), motion)) == 0.0
    assert not ok(judge(MinimumClearance(("robot", "cell"), math.nextafter(left, 9.0)), motion))


@pytest.mark.parametrize(
    ("limit", "fields"),
    [
        (MinimumClearance(("robot", "cel"), 0.1), ["between[1]"]),
        (MinimumClearance(("tcp", "cell"), 0.1), ["between[0]"]),
        (MinimumClearance(("robot", "object:"), 0.1), ["between[1]"]),
        (MinimumClearance(("robot", "people"), 0.1), ["between[1]"]),
        (MinimumClearance(("cell", "objects"), 0.1), ["between"]),
        (MinimumClearance(("robot", "object:cup"), 0.1), []),
        (replace(WALLS, exceptions=(HALL,)), []),
        (replace(WALLS, exceptions=(replace(HALL, zone=()),)), ["except[0].zone"]),
        (replace(WALLS, exceptions=(HALL, replace(HALL, zone=("hall", "hal")))), ["except[1].zone[1]"]),
        (replace(WALLS, exceptions=(replace(HALL, min=0.02),)), ["except[0].min"]),
        (replace(WALLS, exceptions=(replace(HALL, min=0.01, depth=0.01),)), ["except[0].depth"]),
        (replace(WALLS, exceptions=(replace(HALL, depth=0.0),)), ["except[0].depth"]),
        (replace(WALLS, exceptions=(replace(HALL, depth=0.05001),)), ["except[0].depth"]),
        (replace(WALLS, exceptions=(replace(HALL, depth=math.nan),)), ["except[0].depth"]),
        (replace(WALLS, exceptions=(replace(HALL, depth=0.05),)), []),
        (replace(WALLS, exceptions=(replace(HALL, pair=("gripper", "pots")),)), ["except[0].pair[1]"]),
        (replace(WALLS, exceptions=(replace(HALL, pair=("gripper", "target")),)), ["except[0].pair"]),
        (replace(WALLS, exceptions=(replace(HALL, pair=("post", "gripper")),)), []),
        (replace(WALLS, between=("gripper", "post"), exceptions=(replace(HALL, pair=("hand", "post")),)), []),
        (
            replace(WALLS, between=("gripper", "post"), exceptions=(replace(HALL, pair=("upper", "post")),)),
            ["except[0].pair"],
        ),
        (replace(WALLS, between=("robot", "objects"), exceptions=(replace(HALL, pair=("hand", "target")),)), []),
    ],
    ids=range(21),
)  # fmt: skip
def test_what_can_never_be_right_is_a_fault(limit: MinimumClearance, fields: list[str]) -> None:
    assert [fault.field for fault in limit.faults(SETUP)] == fields


def supple() -> Setup:
    """The arm with joints that turn far enough for the hand to reach its own base."""
    joints = tuple(replace(joint, lower=-3.4, upper=3.4) for joint in SETUP.profile.joints)
    return replace(SETUP, profile=replace(SETUP.profile, joints=joints))


def with_body(shape: Shape, *others: Body) -> Setup:
    return replace(SETUP, cell=replace(CELL, bodies=(*others, Body("thing", shape, Pose((0.3, -0.4, HEIGHT))))))


SHAPES: list[Shape] = [
    Box((0.1, 0.1, 0.3)), Sphere(0.1), Cylinder(0.1, 0.3), Capsule(0.1, 0.2), HalfSpace((0.0, 1.0, 0.0)),
    ConvexMesh(np.array([[x, y, z] for x in (-0.1, 0.1) for y in (-0.1, 0.1) for z in (-0.1, 0.1)])),
]  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.kind)
def test_F44_a_provocation_is_found_for_every_shape_of_body(shape: Shape) -> None:
    limit, setup = MinimumClearance(("held", "thing"), 0.0), with_body(shape)
    provoked = limit.provoke(setup)
    model: Any = setup.model

    hand = model.forward(provoked.start[None])[0, 4, :3, 3] - [0.3, -0.4, HEIGHT]

    assert provoked.held is not None
    assert hand[1] < 0.0 if isinstance(shape, HalfSpace) else np.abs(hand).max() < 0.1


def test_a_half_space_has_no_corners() -> None:
    with pytest.raises(ValueError, match="no corners"):
        points_in(HalfSpace((0.0, 0.0, 1.0)))


def test_F44_the_first_body_that_can_be_reached_provokes() -> None:
    far = Body("far", Sphere(0.1), Pose((5.0, 5.0, HEIGHT)))
    limit = MinimumClearance(("hand", "cell"), 0.0)

    provoked = limit.provoke(with_body(Sphere(0.1), far))

    assert provoked.rows.shape == (10, 3)
    with pytest.raises(NoProvocation, match="brings hand into far"):
        limit.provoke(replace(SETUP, cell=replace(CELL, bodies=(far,))))


@pytest.mark.parametrize("other", ["objects", "target", "object:cup", "robot", "held"])
@pytest.mark.parametrize("one", ["robot", "gripper", "hand", "held"])
def test_F44_a_clearance_refuses_its_own_provocation(one: str, other: str) -> None:
    limit, setup = MinimumClearance((one, other), 0.01), supple()
    try:
        provoked = limit.provoke(setup)
    except NoProvocation:
        assert (one, other) in {("gripper", "held"), ("hand", "held"), ("held", "held")}
        return
    scene = Scene("automatic", provoked.objects, provoked.target)

    traces = judge(limit, provoked_motion(provoked, setup), case_of(limit, scene=scene, held=provoked.held))

    assert not ok(traces)
