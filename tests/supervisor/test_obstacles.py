"""Where names stand in the world, and what is lost to not knowing exactly."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import shapely
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.spatial import ConvexHull

from interlock import kernels
from interlock.geometry import FARTHEST_M, QUATERNION_NORM_TOLERANCE, Box, Capsule, HalfSpace, Pose, Shape, Sphere
from interlock.obstacles import STEP_M, Obstacle, fixed_obstacles, prisms, seen_obstacles
from interlock.scene import Body, BodyPart, Person, Scene, SceneObject, Zone
from interlock.shapes import WORLD, rounded_up, side
from tests.supervisor import panda
from tests.supervisor.interpreting import BOUNDED, WAYS

SQUARE = ((0.0, 0.0), (2.0, 0.0), (2.0, 2.0), (0.0, 2.0))
HOLE = ((0.5, 0.5), (1.5, 0.5), (1.5, 1.5), (0.5, 1.5))
ELL = ((0.0, 0.0), (2.0, 0.0), (2.0, 1.0), (1.0, 1.0), (1.0, 2.0), (0.0, 2.0))


@pytest.mark.parametrize(
    "zone", [Zone("z", SQUARE, (HOLE,), 0.1, 0.6), Zone("z", ELL, (), 0.1, 0.6)], ids=["hole", "concave"]
)
def test_F30_prisms_fill_the_zone_and_nothing_else(zone: Zone, seed: int) -> None:
    found = prisms(zone)

    assert sum(ConvexHull(part.vertices).volume for part in found) == pytest.approx(zone.polygon.area * 0.5)
    triangles = [shapely.MultiPoint(part.vertices[:, :2].tolist()).convex_hull for part in found]
    for x, y in np.random.default_rng(seed).uniform(-0.5, 2.5, (300, 2)).tolist():
        point = shapely.Point(x, y)
        assert any(triangle.covers(point) for triangle in triangles) == zone.polygon.covers(point)
    assert {part.vertices[:, 2].min() for part in found} == {0.1}
    assert {part.vertices[:, 2].max() for part in found} == {0.6}


def test_a_name_that_a_body_and_a_zone_bear_means_both() -> None:
    cell = panda.cell([Body("x", Box((1.0, 1.0, 1.0)), Pose())], [Zone("x", SQUARE, (), 0.0, 1.0)])

    found = fixed_obstacles(cell)

    assert len(found["x"]) == 3
    assert all(obstacle.growth(panda.NOW) == (0.0, 0.0) for obstacle in found["x"])


def test_an_object_grows_with_its_age_and_its_speed() -> None:
    item = replace(panda.thing("ball", Sphere(0.1), Pose(), 0.01, 0.5), seen_ns=panda.NOW - 100_000_000)

    found = seen_obstacles(panda.scene(item), None)["ball"][0].growth(panda.NOW)

    assert found == pytest.approx((0.06, 0.5))


BALL = panda.thing("ball", Sphere(0.1), Pose())


@pytest.mark.parametrize(
    "item",
    [
        replace(BALL, speed_m_s=None),
        replace(BALL, speed_m_s=math.nan),
        replace(BALL, speed_m_s=-0.1),
        replace(BALL, speed_m_s=math.inf),
        replace(BALL, uncertainty_m=math.nan),
        replace(BALL, uncertainty_m=-0.1),
        replace(BALL, pose=Pose((math.nan, 0.0, 0.0))),
        replace(BALL, pose=Pose(quat_xyzw=(0.0, 0.0, 0.0, 0.0))),
        replace(BALL, seen_ns=panda.NOW + 1),
    ],
    ids=["none", "NaN speed", "negative", "endless", "NaN place", "negative place", "NaN pose", "no turn", "future"],
)  # fmt: skip
def test_F29_what_is_not_known_of_an_object_is_never_clear(item: SceneObject) -> None:
    assert math.isnan(sum(seen_obstacles(panda.scene(item), None)["ball"][0].growth(panda.NOW)))


TRUNK = BodyPart("trunk", (0.3, -0.2, 0.9), (0.35, 0.0, 1.45), 0.153)
ANNA = Person(
    "anna", (TRUNK, replace(TRUNK, region="head", start=(0.0, 0.0, 1.6), end=(0.0, 0.0, 1.6))), panda.NOW, 0.05
)


def parts(person: Person) -> dict[str, tuple[Obstacle, ...]]:
    return dict(seen_obstacles(Scene("run", (), None, (person,)), None))


def test_people_are_obstacles_region_by_region_and_less_by_their_uncertainty_alone() -> None:
    found = parts(replace(ANNA, seen_ns=panda.NOW - 50_000_000, speed_m_s=1.6))

    assert set(found) == {"person:anna:trunk", "person:anna:head"}
    assert all(obstacle.growth(panda.NOW) == (0.05, 0.0) for (obstacle,) in found.values())


def test_parts_of_one_region_and_people_of_one_name_are_all_there() -> None:
    both = replace(ANNA, parts=(TRUNK, replace(TRUNK, radius_m=0.2)))

    assert len(parts(both)["person:anna:trunk"]) == 2
    assert len(seen_obstacles(Scene("run", None, None, (ANNA, ANNA)), None)["person:anna:head"]) == 2


POINTS = st.tuples(*(st.floats(-3.0, 3.0),) * 3)


@given(POINTS, POINTS, st.floats(0.001, 0.5), st.tuples(*(st.floats(-1.0, 1.0),) * 3), st.floats(0.0, 1.0))
def test_F29_a_capsule_of_a_person_holds_all_that_was_seen_and_little_more(
    start: tuple[float, float, float], end: tuple[float, float, float], radius: float,
    out: tuple[float, float, float], along: float,
) -> None:  # fmt: skip
    (found,) = parts(replace(ANNA, parts=(BodyPart("arm", start, end, radius),)))["person:anna:arm"]
    middle = (1.0 - along) * np.array(start) + along * np.array(end)
    seen = middle + np.array(out) / max(1.0, float(np.linalg.norm(out))) * radius

    x, y, z = np.linalg.inv(found.placed.offset)[:3] @ np.append(seen, 1.0)
    shape = found.side.shape
    assert isinstance(shape, Capsule)
    assert math.hypot(x, y, z - np.clip(z, -shape.length / 2.0, shape.length / 2.0)) <= shape.radius + 1e-9
    assert shape.radius <= radius + STEP_M
    assert shape.length <= max(math.dist(start, end), 0.0) + STEP_M


@pytest.mark.parametrize(
    "person",
    [
        replace(ANNA, uncertainty_m=math.nan),
        replace(ANNA, uncertainty_m=-0.1),
        replace(ANNA, uncertainty_m=math.inf),
        replace(ANNA, seen_ns=panda.NOW + 1),
        replace(ANNA, parts=(replace(TRUNK, start=(math.nan, 0.0, 0.0)),)),
        replace(ANNA, parts=(replace(TRUNK, end=(math.inf, 0.0, 0.0)),)),
        replace(ANNA, parts=(replace(TRUNK, radius_m=0.0),)),
        replace(ANNA, parts=(replace(TRUNK, radius_m=math.nan),)),
    ],
    ids=["NaN place", "negative place", "endless place", "future", "NaN start", "endless", "thin", "NaN radius"],
)
def test_F29_what_is_not_known_of_a_person_is_never_clear(person: Person) -> None:
    assert all(math.isnan(sum(one.growth(panda.NOW))) for found in parts(person).values() for one in found)


def test_what_is_in_the_hand_is_no_obstacle() -> None:
    assert set(seen_obstacles(panda.scene(BALL, replace(BALL, name="cup")), "cup")) == {"ball"}


def test_two_objects_of_one_name_are_both_there() -> None:
    assert len(seen_obstacles(panda.scene(BALL, BALL), None)["ball"]) == 2


def test_a_scene_without_objects_has_none() -> None:
    assert not seen_obstacles(Scene("run"), None)


ODD = st.sampled_from([0.0, 1.0, -1.0, math.nan, math.inf, -math.inf, 2.0 * FARTHEST_M, 1e300, 1e-300])
VALUES = st.one_of(st.floats(-2.0, 2.0), ODD)


@WAYS
@example(xyz=(0.1, -0.2, 0.3), turn=(0.5, -0.5, 0.5, 0.5), rigid=False)
@example(xyz=(0.1, -0.2, math.nan), turn=(0.5, -0.5, 0.5, 0.5), rigid=False)
@given(xyz=st.tuples(VALUES, VALUES, VALUES), turn=st.tuples(VALUES, VALUES, VALUES, VALUES), rigid=st.booleans())
def test_F01_an_object_is_where_its_pose_says_or_nowhere(
    way: str, xyz: tuple[float, float, float], turn: tuple[float, float, float, float], *, rigid: bool
) -> None:
    if rigid and 0.0 < math.hypot(*turn) < math.inf:
        turn = tuple((np.array(turn) / math.hypot(*turn)).tolist())
    pose = Pose(xyz, turn)
    place = kernels.placed if way == "compiled" else kernels.placed.py_func  # type: ignore[attr-defined]

    with np.errstate(all="ignore"):
        found = place(np.array([[*xyz, *turn]]), FARTHEST_M, QUATERNION_NORM_TOLERANCE)[0]

    if pose.fault is None:
        np.testing.assert_allclose(found, pose.matrix(), atol=1e-12)
    else:
        assert np.isnan(found).all()


@pytest.mark.parametrize("shape", [*BOUNDED, HalfSpace((0.6, 0.0, 0.8))], ids=lambda shape: shape.kind)
def test_a_shape_that_moved_is_the_shape_where_it_is_now(shape: Shape) -> None:
    where = Pose((0.1, -0.2, 0.3), (0.5, 0.5, 0.5, 0.5))
    here, there = (
        seen_obstacles(panda.scene(panda.thing("it", shape, pose)), None)["it"][0] for pose in (Pose(), where)
    )

    wanted = side(rounded_up(shape), where.matrix(), WORLD)
    assert here.side is there.side
    assert there.placed.key == wanted.key
    np.testing.assert_allclose(there.placed.offset, wanted.offset, atol=1e-12)
    np.testing.assert_allclose(there.placed.centre, wanted.centre, atol=1e-12)
    assert there.placed.reach >= wanted.reach - 1e-12
    assert there.placed.ball == wanted.ball
