"""Zones: concave, with holes, swept, with heights; the hand and everything else of the arm."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from interlock.arrays import FloatArray
from interlock.geometry import Box, Pose, Sphere
from interlock.scene import Held, Zone
from interlock_rules.kind import NoProvocation, Setup
from interlock_rules.prisms import inside_m, is_inside, outside_m
from interlock_rules.swept import Swept, sweep
from interlock_rules.zones import KeepIn, KeepOut
from tests.rules.arm import (
    CELL,
    HEIGHT,
    HOME,
    SETUP,
    Arm,
    case_of,
    forecast,
    judge,
    motion_of,
    moving,
    ok,
    square,
    still,
    worst,
)

# A yard with a wide notch, into which the straight way between its two legs cuts.
YARD = Zone(
    "yard", ((-1, -1), (1, -1), (1, 1), (0.95, 1), (0.95, -0.5), (-0.95, -0.5), (-0.95, 1), (-1, 1)), (), 0.0, 1.0
)
COURT = Zone("court", square(1.0), (square(0.06, 0.6, 0.6),), 0.0, 1.0)
TENT = Zone("tent", ((-0.9, -0.9), (1.4, -0.7), (-0.8, 0.9)), (), 0.0, 2.0)  # three sharp corners
ROUND = Zone("round", tuple((math.cos(k), math.sin(k)) for k in range(6)), (), 0.0, 2.0)
NICKED = Zone("nicked", ((-1, -1), (1, -1), (1, 0.9995), (0.9995, 1), (-1, 1)), (), 0.0, 2.0)
LOW = Zone("low", square(1.0), z_min=0.0, z_max=HEIGHT + 0.02)
HIGH = Zone("high", square(1.0), z_min=0.75, z_max=1.0)


def around(zone: Zone, model: Arm | None = None) -> Setup:
    return replace(SETUP, cell=replace(CELL, zones=(zone,)), model=Arm() if model is None else model)


def margin(limit: KeepIn | KeepOut, positions: object, setup: Setup, held: Held | None = None) -> float:
    motion = motion_of(np.asarray(positions), setup=setup, held=held)
    return worst(judge(limit, motion, case_of(limit, setup=setup)))


def tcp(positions: np.ndarray) -> np.ndarray:
    return np.asarray((Arm().forward(positions)[:, 4] @ np.array([0.05, 0.0, 0.0, 1.0]))[:, :3])


def test_the_margin_inside_is_the_distance_to_the_nearest_side() -> None:
    x, y, _ = tcp(HOME[None])[0]

    assert margin(
        KeepIn("court", ("tcp",)), still(), around(Zone("court", square(1.0), (), 0.0, 2.0))
    ) == pytest.approx(min(1.0 - x, 1.0 - y, HEIGHT))


def test_the_margin_outside_is_how_far_it_sticks_out() -> None:
    x, _, _ = tcp(HOME[None])[0]
    zone = Zone("strip", ((-1, -1), (x - 0.1, -1), (x - 0.1, 1), (-1, 1)), (), 0.0, 2.0)

    assert margin(KeepIn("strip", ("tcp",)), still(), around(zone)) == pytest.approx(-0.1)


def test_the_place_named_is_the_corner_that_is_furthest_outside() -> None:
    motion = motion_of(still())
    swept = sweep("hand", motion, SETUP.profile)
    assert swept is not None
    edge = float(np.mean(swept.points[0, :, 0]))
    zone = Zone("half", ((-1, -1), (edge, -1), (edge, 1), (-1, 1)), (), 0.0, 2.0)
    limit = KeepIn("half", ("hand",))

    (found,) = limit.measure(case_of(limit, setup=around(zone)), motion, ())

    assert found.points is not None
    assert found.points[int(np.argmin(found.margin)), 0] == pytest.approx(swept.points[0, :, 0].max())


def test_a_side_too_short_to_have_a_direction_leaves_the_zone_to_its_polygon() -> None:
    cut = Zone("court", ((-1, -1), (1, -1), (1, 1), (-0.9999, 1), (-1, 0.9999)), (), 0.0, 2.0)
    whole = Zone("court", square(1.0), (), 0.0, 2.0)

    found, expected = (margin(KeepIn("court", ("tcp",)), still(), around(zone)) for zone in (cut, whole))

    assert found == pytest.approx(expected)


def test_F30_exactly_on_the_boundary_is_inside_and_outside_alike() -> None:
    motion = motion_of(still())
    swept = sweep("hand", motion, SETUP.profile)
    assert swept is not None
    right_most, left_most = float(swept.points[0, :, 0].max()), float(swept.points[0, :, 0].min())
    left = Zone("half", ((-1, -1), (right_most, -1), (right_most, 1), (-1, 1)), (), 0.0, 2.0)
    right = Zone("half", ((left_most, -1), (1, -1), (1, 1), (left_most, 1)), (), 0.0, 2.0)
    beyond = Zone("half", ((right_most, -1), (1, -1), (1, 1), (right_most, 1)), (), 0.0, 2.0)

    for zone in (left, right):
        assert margin(KeepIn("half", ("hand",)), still(), around(zone)) == 0.0
    assert outside_m(beyond, swept)[0] == 0.0


def test_F30_two_nodes_inside_a_concave_zone_with_the_path_outside_it_are_refused() -> None:
    legs = np.array([[0.02, 0.0, 0.0], [math.pi - 0.02, 0.0, 0.0]])  # the TCP in one leg, then in the other
    zone = replace(YARD, outer=tuple((0.85 / 0.975 * x, y) for x, y in YARD.outer))

    assert margin(KeepIn("yard", ("tcp",)), legs[[0, 0]], around(zone)) > 0.0
    assert margin(KeepIn("yard", ("tcp",)), legs[[1, 1]], around(zone)) > 0.0
    assert margin(KeepIn("yard", ("tcp",)), legs, around(zone)) < -0.1


def test_F30_a_hole_is_outside() -> None:
    setup, angle = around(COURT), math.pi / 4
    over = np.array([angle, 0.0, 0.0])

    assert margin(KeepIn("court", ("tcp",)), still(at=over), setup) < 0.0
    assert margin(KeepIn("court", ("tcp",)), still(at=HOME), setup) > 0.0
    assert margin(KeepOut("court", ("tcp",)), still(at=over), setup) > 0.0
    assert margin(KeepOut("court", ("tcp",)), still(at=HOME), setup) < 0.0


def test_F21_a_hole_between_two_nodes_is_crossed() -> None:
    setup = around(COURT)
    across = np.array([[0.6, 0.0, 0.0], [1.0, 0.0, 0.0]])

    assert margin(KeepIn("court", ("tcp",)), across[[0, 0]], setup) > 0.0
    assert margin(KeepIn("court", ("tcp",)), across[[1, 1]], setup) > 0.0
    assert margin(KeepIn("court", ("tcp",)), across, setup) < 0.0


def test_F21_a_post_between_two_nodes_is_crossed() -> None:
    setup = around(Zone("post", square(0.03, 0.585, 0.585), (), 0.0, 1.0))
    across = np.array([[0.6, 0.0, 0.0], [1.0, 0.0, 0.0]])

    assert margin(KeepOut("post", ("tcp",)), across[[0, 0]], setup) > 0.0
    assert margin(KeepOut("post", ("tcp",)), across, setup) < 0.0


def test_F24_F30_the_elbow_outside_counts_where_the_hand_is_inside() -> None:
    bench = around(CELL.zone("bench"))

    assert margin(KeepIn("bench", ("tcp", "gripper")), still(), bench) > 0.0
    assert margin(KeepIn("bench", ("robot",)), still(), bench) < 0.0
    assert margin(KeepOut("bench", ("upper",)), still(), bench) > 0.0
    assert margin(KeepOut("bench", ("robot",)), still(), bench) < 0.0


def test_F28_what_the_hand_holds_counts() -> None:
    bench = around(CELL.zone("bench"))
    pole = Held("pole", Box((0.6, 0.02, 0.02)), Pose((0.3, 0.0, 0.0)), 0.1)

    assert margin(KeepIn("bench", ("gripper", "held")), still(), bench) > 0.0
    assert margin(KeepIn("bench", ("gripper", "held")), still(), bench, pole) < 0.0


def test_heights_count_like_sides() -> None:
    setup = around(LOW)

    assert margin(KeepIn("low", ("hand",)), still(), setup) == 0.0
    assert margin(KeepIn("low", ("base",)), still(), setup) == np.inf
    assert margin(KeepOut("low", ("tcp",)), still(), setup) == pytest.approx(-0.02)
    assert margin(KeepOut("high", ("tcp",)), still(), around(HIGH)) == pytest.approx(0.25)


def test_F23_the_tracking_error_and_the_bow_between_nodes_are_kept_free() -> None:
    limit, zone = KeepIn("court", ("tcp",)), Zone("court", square(0.9), (), 0.0, 2.0)
    exact = margin(limit, moving(0.02), around(zone))

    assert margin(limit, moving(0.02), around(zone, Arm(tracking=0.01))) == pytest.approx(exact - 0.024, abs=1e-3)
    assert margin(limit, moving(0.02), around(zone, Arm(stiff=False))) < exact


@given(
    st.lists(st.tuples(st.floats(-2.0, 2.0), st.floats(-2.0, 2.0), st.floats(-2.0, 2.0)), min_size=2, max_size=4),
    st.sampled_from([YARD, COURT, CELL.zones[1]]),
)
def test_F21_what_is_permitted_is_inside_at_every_sampled_instant(
    way: list[tuple[float, float, float]], zone: Zone
) -> None:
    nodes, setup = np.array(way), around(zone, Arm(stiff=False))
    share = np.linspace(0.0, 1.0, 40)[:, None]
    fine = tcp(np.vstack([a + share * (b - a) for a, b in pairwise(nodes)]))
    inside = shapely.covers(zone.polygon.buffer(1e-9), shapely.points(fine[:, :2])).all()
    outside = not shapely.contains(zone.polygon.buffer(-1e-9), shapely.points(fine[:, :2])).any()

    assert inside or margin(KeepIn(zone.name, ("tcp",)), nodes, setup) < 0.0
    assert outside or margin(KeepOut(zone.name, ("tcp",)), nodes, setup) < 0.0


def by_shapely(zone: Zone, swept: Swept) -> FloatArray:
    """How far the body is inside a zone, the plan view by shapely alone."""
    plane: Any = shapely
    boundary: Any = zone.polygon.boundary
    depth: list[float] = []
    for corners in swept.both_ends()[:, :, :2]:
        hull: Any = shapely.MultiPoint(corners).convex_hull
        out = hull.difference(zone.polygon)
        probes = np.append(plane.centroid(plane.get_parts(out)), plane.points(plane.get_coordinates(out)))
        inside: bool = plane.covers(zone.polygon, hull)
        depth.append(boundary.distance(hull) if inside else -float(plane.distance(boundary, probes).max()))
    low, high = swept.both_ends()[:, :, 2].min(axis=1), swept.both_ends()[:, :, 2].max(axis=1)
    heights = np.minimum(low - zone.z_min, zone.z_max - high)
    return np.asarray(np.minimum(depth, heights) - swept.growth())


@given(
    st.tuples(st.floats(-2.0, 2.0), st.floats(-2.0, 2.0), st.floats(-2.0, 2.0)),
    st.tuples(st.floats(-0.5, 0.5), st.floats(-0.5, 0.5), st.floats(-0.5, 0.5)),
    st.sampled_from([YARD, COURT, TENT, ROUND, NICKED, CELL.zones[0], CELL.zones[1]]),
    st.sampled_from(["tcp", "hand", "fore", "held"]),
)
def test_F30_the_sides_of_a_zone_say_what_its_polygon_says(
    at: tuple[float, float, float], way: tuple[float, float, float], zone: Zone, part: str
) -> None:
    rows = np.array(at) + np.linspace(0.0, 1.0, 4)[:, None] * np.array(way)
    setup = around(zone, Arm(tracking=0.001, stiff=False))
    swept = sweep(part, motion_of(rows, setup=setup, held=Held("ball", Sphere(0.02), Pose(), 0.1)), setup.profile)
    assert swept is not None

    found, exact = inside_m(zone, swept), by_shapely(zone, swept)

    assert (found <= exact + 2e-9).all()
    np.testing.assert_allclose(np.minimum(found, 0.0), np.minimum(exact, 0.0), atol=2e-9)
    assert (exact[is_inside(zone, swept)] >= -1e-9).all()
    assert is_inside(zone, swept)[exact >= 2e-9].all()


def test_F01_a_body_that_can_be_anywhere_is_not_inside() -> None:
    swept = sweep("hand", motion_of(still()), SETUP.profile)
    assert swept is not None
    lost = replace(swept, error=np.full(len(swept.error), np.inf))

    assert np.isnan(inside_m(COURT, lost)).all()
    assert not is_inside(COURT, lost).any()


def test_F01_a_body_that_is_nowhere_is_not_inside() -> None:
    motion = motion_of(still())
    swept = sweep("hand", replace(motion, poses=motion.poses * np.nan), SETUP.profile)
    assert swept is not None

    assert np.isnan(inside_m(CELL.zone("hall"), swept)).all()
    assert np.isnan(outside_m(CELL.zone("hall"), swept)).all()
    assert not is_inside(CELL.zone("hall"), swept).any()


@pytest.mark.parametrize("turn", [5e-324, 5e-262, 1e-160, 1e-17])
def test_a_step_of_next_to_nothing_is_measured_like_none(turn: float) -> None:
    rows = np.array([[0.0, 0.0, 0.0], [0.0, 0.0, turn]])
    limit, setup = KeepIn("yard", ("tcp",)), around(YARD)

    assert margin(limit, rows, setup) == pytest.approx(margin(limit, rows[[0, 0]], setup), abs=1e-9)


@given(st.floats(0.1, 1.5), st.floats(0.0, 0.5))
def test_a_wider_zone_never_permits_less(half: float, more: float) -> None:
    rows = moving(0.1)
    small, wide = (around(Zone("court", square(size), (), -1.0, 2.0)) for size in (half, half + more))

    assert (
        margin(KeepIn("court", ("robot",)), rows, wide) >= 0.0 or margin(KeepIn("court", ("robot",)), rows, small) < 0.0
    )


@pytest.mark.parametrize("kind", [KeepIn, KeepOut])
def test_an_unknown_zone_is_a_fault_with_the_nearest_name(kind: type[KeepIn | KeepOut]) -> None:
    (fault,) = kind("bnch", ("tcp",)).faults(SETUP)

    assert (fault.field, fault.message) == ("zone", 'no zone "bnch"; did you mean "bench"?')


@pytest.mark.parametrize("kind", [KeepIn, KeepOut])
def test_a_rule_about_an_empty_hand_applies_and_finds_nothing(kind: type[KeepIn | KeepOut]) -> None:
    limit = kind("bench", ("held",))

    assert np.isposinf(worst(judge(limit, motion_of(still()))))


@pytest.mark.parametrize("kind", [KeepIn, KeepOut])
def test_F38_no_tool_point_is_a_violation(kind: type[KeepIn | KeepOut]) -> None:
    limit = kind("bench", ("tcp",))

    assert not ok(judge(limit, replace(motion_of(still()), tool_points={})))


def test_F38_an_answer_of_another_length_is_a_violation() -> None:
    limit, motion = KeepOut("screen", ("robot",)), motion_of(still())
    short = motion_of(still(2))

    answer = forecast(limit.demands(case_of(limit), short)[0], short, case_of(limit))

    assert not ok(limit.measure(case_of(limit), motion, (answer,)))


def test_of_a_tool_point_nothing_is_asked_of_the_forecast() -> None:
    limit = KeepOut("screen", ("tcp",))

    assert limit.demands(case_of(limit), motion_of(still())) == ()


@pytest.mark.parametrize("kind", [KeepIn, KeepOut])
def test_F44_a_provocation_holds_something_where_the_rule_is_about_that(kind: type[KeepIn | KeepOut]) -> None:
    limit = kind("bench", ("held",))
    provoked = limit.provoke(SETUP)

    motion = motion_of(np.vstack([provoked.start, provoked.rows]), held=provoked.held)

    assert not ok(judge(limit, motion, case_of(limit, held=provoked.held)))


def test_a_zone_out_of_reach_has_no_provocation() -> None:
    far = around(Zone("far", square(0.1, 5.0, 5.0), (), 0.0, 1.0))

    with pytest.raises(NoProvocation, match="enters zone 'far'"):
        KeepOut("far", ("robot",)).provoke(far)
