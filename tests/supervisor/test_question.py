"""What a demand's names mean: links, what is held, bodies, zones, objects, and names that nobody knows."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock import question
from interlock.bullet_physics import BulletPhysics
from interlock.geometry import Box, Cylinder, HalfSpace, Pose, Shape, Sphere
from interlock.rules import Clearance
from interlock.scene import Body, Held, Scene, Zone
from tests.supervisor import panda

TABLE = Body("table", Box((1.0, 1.0, 0.1)), Pose((0.5, 0.0, -0.05)))
FRAME = Zone(
    "frame",
    ((0.1, -0.8), (0.9, -0.8), (0.9, 0.8), (0.1, 0.8)),
    (((0.2, -0.7), (0.8, -0.7), (0.8, 0.7), (0.2, 0.7)),),
    0.0,
    1.2,
)
CELL = panda.cell([TABLE], [FRAME])
PHYSICS = BulletPhysics(panda.profile(), CELL)
assert PHYSICS.model is not None
MODEL = PHYSICS.model
STILL = np.tile(panda.READY, (3, 1))
FLANGE = MODEL.forward(panda.READY[None])[0, MODEL.links.index("panda_link8"), :3, 3]
STICK = Held("stick", Cylinder(0.01, 0.3), Pose((0.0, 0.0, 0.25)), 0.1)


def ask(
    others: tuple[str, ...],
    min_m: float = 0.02,
    links: tuple[str, ...] = panda.MOVING,
    held: Held | None = None,
    scene: Scene | None = None,
    opening: float = 0.04,
    exclude: tuple[tuple[str, str], ...] = (),
    physics: BulletPhysics | None = None,
) -> Clearance:
    motion = panda.motion(MODEL, STILL, opening, held)
    demand = panda.demand(others, min_m, len(STILL), links, exclude)
    return (physics or PHYSICS).forecast(motion, panda.scene() if scene is None else scene, (demand,))[0]


def worst(found: Clearance) -> float:
    return float(found.at_least_m.min())


def test_a_body_is_as_far_as_it_is() -> None:
    found = ask(("table",), min_m=1.0, links=("panda_hand",))
    corners = MODEL.vertices["panda_hand"]
    pose = MODEL.forward(panda.READY[None])[0, MODEL.links.index("panda_hand")]

    assert worst(found) == pytest.approx((corners @ pose[2, :3] + pose[2, 3]).min(), abs=2e-4)
    assert found.pairs == (("panda_hand", "table"),)
    assert found.pair.tolist() == [0, 0, 0]
    assert found.points[0, 1, 2] == pytest.approx(0.0, abs=1.1e-3)
    assert found.queries >= 1


def test_far_pairs_are_bounds_without_a_place() -> None:
    found = ask(("table",), min_m=0.02)

    assert worst(found) >= 0.02
    assert found.pair.tolist() == [-1, -1, -1]
    assert np.isnan(found.points).all()


def test_F30_the_hole_of_a_zone_is_free_and_its_frame_is_not() -> None:
    assert worst(ask(("frame",), min_m=0.0, links=("panda_hand",))) >= 0.0
    assert worst(ask(("frame",), min_m=0.0, links=("panda_link1",))) == pytest.approx(0.045, abs=0.1)
    reaching = ask(("frame",), min_m=0.3, links=("panda_hand",))
    assert 0.0 < worst(reaching) < 0.3


def test_an_object_is_an_obstacle_and_its_uncertainty_counts() -> None:
    place = Pose((float(FLANGE[0]), float(FLANGE[1]), 0.05))
    sure = ask(("can",), 1.0, panda.HAND, scene=panda.scene(panda.thing("can", Sphere(0.02), place)))
    unsure = ask(("can",), 1.0, panda.HAND, scene=panda.scene(panda.thing("can", Sphere(0.02), place, 0.015, 0.1)))

    np.testing.assert_allclose(sure.at_least_m - unsure.at_least_m, [0.015, 0.017, 0.019], atol=2e-4)


@settings(max_examples=20)
@given(st.lists(st.tuples(*[st.floats(-0.8, 0.8)] * 3), min_size=2, max_size=5))
def test_objects_that_moved_are_where_they_are_now(places: list[tuple[float, float, float]]) -> None:
    """What is kept of the scenes before says nothing of this one: physics that never saw them says the same."""
    shapes: tuple[Shape, ...] = (Sphere(0.05), Sphere(0.05), Box((0.1, 0.2, 0.3)), HalfSpace((0.6, 0.0, 0.8)))
    for turn in range(len(places)):
        things = [
            panda.thing(f"thing{number}", shape, Pose(places[(turn + number) % len(places)]))
            for number, shape in enumerate(shapes[: len(places)])
        ]
        names, scene = tuple(thing.name for thing in things), panda.scene(*things)
        found, fresh = ask(names, scene=scene), ask(names, scene=scene, physics=BulletPhysics(panda.profile(), CELL))

        np.testing.assert_array_equal(found.at_least_m, fresh.at_least_m)
        np.testing.assert_array_equal(found.points, fresh.points)
        np.testing.assert_array_equal(found.pair, fresh.pair)


def test_objects_that_move_make_no_new_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    ask(("ball",), scene=panda.scene(panda.thing("ball", Sphere(0.05), Pose((0.5, 0.0, 0.1)))))
    monkeypatch.setattr(question, "Batch", None)

    places = (tuple(FLANGE.tolist()), (0.5, 0.0, 1.5))
    near, far = (ask(("ball",), scene=panda.scene(panda.thing("ball", Sphere(0.05), Pose(xyz)))) for xyz in places)

    assert worst(near) < 0.0 < worst(far)


@pytest.mark.parametrize("name", ["held", "panda_hand", "panda_link8", "panda_link1"])
def test_F38_a_thing_that_bears_the_name_of_a_part_of_the_robot_is_never_clear(name: str) -> None:
    far = Pose((5.0, 5.0, 5.0))
    named = BulletPhysics(panda.profile(), panda.cell([Body(name, Box((0.1, 0.1, 0.1)), far)]))

    for found in (
        ask((name,), scene=panda.scene(panda.thing(name, Sphere(0.05), far)), exclude=(("panda_hand", name),)),
        ask((name,), physics=named, exclude=(("panda_hand", name),)),
    ):
        assert np.isnan(found.at_least_m).all()
    assert not np.isnan(ask(("cup",), scene=panda.scene(panda.thing("cup", Sphere(0.05), far))).at_least_m).any()


def test_F29_an_object_of_unknown_speed_is_never_clear() -> None:
    far = panda.thing("can", Sphere(0.02), Pose((9.0, 9.0, 9.0)), speed=None)

    found = ask(("can",), scene=panda.scene(far))

    assert np.isnan(found.at_least_m).all()
    assert found.pairs[int(found.pair[0])][1] == "can"


@pytest.mark.parametrize("others", [("ghost",), ("table", "ghost")])
def test_F38_a_name_that_nobody_knows_is_never_clear(others: tuple[str, ...]) -> None:
    found = ask(others)

    assert np.isnan(found.at_least_m).all()
    assert found.pairs[int(found.pair[0])][1] == "ghost"


def test_F38_a_link_that_nobody_knows_is_never_clear() -> None:
    assert np.isnan(ask(("table", "panda_hand"), links=("panda_tentacle",)).at_least_m).all()


def test_F28_what_is_held_reaches_further() -> None:
    free = ask(("table",), min_m=1.0, links=("panda_hand",))

    held = ask(("table",), min_m=1.0, links=("held",), held=STICK)

    tip = MODEL.forward(panda.READY[None])[0, MODEL.links.index("panda_link8")] @ (0.0, 0.0, 0.4, 1.0)
    assert worst(held) == pytest.approx(tip[2], abs=0.012)
    assert worst(held) < worst(free)


def test_what_is_held_is_kept_from_the_arm_too() -> None:
    tray = replace(STICK, shape=Box((0.5, 0.5, 0.02)), pose=Pose((0.0, 0.0, -0.15)))

    forward = ask(("panda_link5", "panda_link6"), 0.0, ("held",), held=tray)
    backward = ask(("held",), 0.0, ("panda_link5", "panda_link6"), held=tray)

    assert worst(forward) < 0.0
    assert worst(backward) == pytest.approx(worst(forward), abs=1e-3)
    assert worst(ask(("panda_link1",), 0.0, ("held",), held=STICK)) >= 0.0


def test_an_empty_hand_holds_nothing() -> None:
    assert ask(("table",), links=("held",)).at_least_m.tolist() == [math.inf] * 3
    assert ask(("held",), links=("panda_link3",)).pairs == ()


def test_what_is_in_the_hand_is_no_obstacle() -> None:
    there = Pose((float(FLANGE[0]), float(FLANGE[1]), float(FLANGE[2]) - 0.1))
    stick = panda.thing("stick", Cylinder(0.01, 0.3), there)

    assert worst(ask(("stick",), scene=panda.scene(stick))) < 0.0
    assert worst(ask(("stick",), scene=panda.scene(stick), held=STICK)) == math.inf
    assert worst(ask(("stick",), held=STICK)) == math.inf


@pytest.mark.parametrize(
    ("shape", "pose"),
    [(Sphere(0.1), Pose((math.nan, 0.0, 0.0))), (HalfSpace((0.0, 0.0, 1.0)), Pose())],
    ids=["no pose", "half-space"],
)
def test_F28_what_is_held_nobody_knows_how_is_never_clear(shape: Shape, pose: Pose) -> None:
    held = Held("stick", shape, pose, 0.1)

    assert np.isnan(ask(("table",), links=("held",), held=held).at_least_m).all()
    assert np.isnan(ask(("held",), links=("panda_link1",), held=held).at_least_m).all()


def test_without_a_flange_what_is_held_is_never_clear() -> None:
    physics = BulletPhysics(replace(panda.profile(), flange="", tool_points=(), inertias=()), panda.cell([TABLE]))
    motion = panda.motion(physics.model, STILL, held=STICK)

    found = physics.forecast(motion, panda.scene(), (panda.demand(("table",), 0.0, 3, ("held",)),))[0]

    assert np.isnan(found.at_least_m).all()


def test_fingers_are_as_wide_as_they_open() -> None:
    hand = MODEL.forward(panda.READY[None])[0, MODEL.links.index("panda_hand")]
    beside = hand @ (0.0, 0.055, 0.09, 1.0)
    wire = panda.scene(panda.thing("wire", Sphere(0.002), Pose((float(beside[0]), float(beside[1]), float(beside[2])))))
    fingers = ("panda_leftfinger", "panda_rightfinger")

    closed = worst(ask(("wire",), 0.1, fingers, scene=wire, opening=0.0))
    opened = worst(ask(("wire",), 0.1, fingers, scene=wire, opening=0.08))

    assert closed - opened > 0.02


BESIDE = MODEL.forward(panda.READY[None])[0, MODEL.links.index("panda_hand")] @ (0.0, 0.03, 0.09, 1.0)
WIRE = panda.scene(
    panda.thing("wire", Sphere(0.002), Pose((float(BESIDE[0]), float(BESIDE[1]), float(BESIDE[2]))))
)  # between the fingers, where the left one is where the hand is 40 to 60 mm open
FINGERS = ("panda_leftfinger", "panda_rightfinger")


def touched(measured: float, told: list[float], *, closing: bool = False) -> list[bool]:
    """On which intervals the fingers may touch the wire."""
    rows = np.tile(panda.READY, (len(told), 1))
    motion = replace(
        panda.motion(MODEL, rows), grippers=np.array(told)[:, None], measured_grippers=np.array([measured])
    )
    demand = replace(panda.demand(("wire",), 0.0, len(told), FINGERS), closing=closing)
    found = PHYSICS.forecast(motion, WIRE, (demand,))[0]
    return [bool(left < 0.0) for left in found.at_least_m]


def test_F28_fingers_are_wherever_they_were_told_to_be_so_far_and_not_where_they_are_told_to_be_later() -> None:
    assert touched(0.08, [0.08, 0.08, 0.06, 0.04]) == [False, False, True, True]
    assert touched(0.08, [0.08, 0.04, 0.08, 0.08]) == [False, True, True, True]
    assert touched(0.0, [0.0, 0.0, 0.08, 0.08]) == [False, False, True, True]
    assert touched(0.0, [0.08, 0.08]) == [True, True]


def test_F28_fingers_stop_at_their_ends_and_are_where_they_were_measured_even_beyond() -> None:
    beyond = MODEL.forward(panda.READY[None])[0, MODEL.links.index("panda_hand")] @ (0.0, 0.0665, 0.09, 1.0)
    wire = panda.scene(panda.thing("wire", Sphere(0.001), Pose((float(beyond[0]), float(beyond[1]), float(beyond[2])))))
    wide = panda.demand(("wire",), 0.0, 3, FINGERS)

    def least(measured: float, told: float) -> float:
        motion = replace(
            panda.motion(MODEL, STILL), grippers=np.full((3, 1), told), measured_grippers=np.array([measured])
        )
        return float(PHYSICS.forecast(motion, wire, (wide,))[0].at_least_m.min())

    assert least(0.08, 0.08) == least(0.08, 0.2) > 0.0
    assert least(0.086, 0.08) < least(0.08, 0.08)


def test_a_hand_that_trembles_is_where_it_is() -> None:
    assert touched(0.0801, [0.0799, 0.0801, 0.08]) == [False, False, False]


def test_fingers_whose_closing_is_intended_are_where_they_were_measured() -> None:
    assert touched(0.08, [0.08, 0.05, 0.02], closing=True) == [False, False, False]
    assert touched(0.05, [0.08, 0.08, 0.08], closing=True) == [True, True, True]
    assert touched(0.0, [0.0, 0.05, 0.08], closing=True) == [False, False, False]


@pytest.mark.parametrize("closing", [False, True])
def test_F10_fingers_that_were_not_measured_are_never_clear(*, closing: bool) -> None:
    motion = replace(panda.motion(MODEL, STILL), measured_grippers=np.array([math.nan]))
    demand = replace(panda.demand(("wire",), 0.0, 3, FINGERS), closing=closing)

    assert np.isnan(PHYSICS.forecast(motion, WIRE, (demand,))[0].at_least_m).all()


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_F10_fingers_that_are_told_no_number_are_never_clear(value: float) -> None:
    told = np.full((3, 1), 0.08)
    told[2] = value
    motion = replace(panda.motion(MODEL, STILL), grippers=told, measured_grippers=np.array([0.08]))
    demand = panda.demand(("wire",), 0.0, 3, FINGERS)

    assert np.isnan(PHYSICS.forecast(motion, WIRE, (demand,))[0].at_least_m).all()


def test_F10_a_gripper_value_that_is_not_finite_is_never_clear() -> None:
    found = ask(("table",), links=("panda_hand", "panda_leftfinger"), opening=math.nan)

    assert np.isnan(found.at_least_m).all()
    assert found.pairs[int(found.pair[0])] == ("panda_leftfinger", "table")


def test_F25_pairs_that_are_allowed_are_not_judged() -> None:
    judged = ask(("panda_link5",), 0.021, ("panda_link7", "panda_link6"))
    allowed = ask(("panda_link5",), 0.021, ("panda_link7", "panda_link6"), exclude=panda.ALLOWED)

    assert worst(judged) < 0.0
    assert allowed.at_least_m.tolist() == [math.inf] * 3


def test_F25_links_5_and_7_are_closer_than_21_mm_and_nothing_else_is_at_rest() -> None:
    links = ("panda_link0", *panda.MOVING)

    assert worst(ask(("panda_link5",), 0.021, ("panda_link7",))) == pytest.approx(0.0204, abs=2e-3)
    assert worst(ask(links, 0.021, links, exclude=panda.ALLOWED)) >= 0.021


def test_a_pair_named_twice_is_judged_once() -> None:
    both = ("panda_link2", "panda_link5")

    assert ask(both, 0.5, both).pairs == (("panda_link2", "panda_link5"),)
