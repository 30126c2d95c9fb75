"""Cells and scenes: what can be seen to be wrong without a robot is refused at once; what was seen is held."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from interlock.geometry import Box, ConvexMesh, ConvexParts, Pose, Sphere
from interlock.scene import Body, BodyPart, Cell, Held, Person, RobotState, Scene, SceneObject, Zone
from tests.supervisor.toy import state

SQUARE = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
ZONE = Zone("bench", SQUARE, (), 0.0, 1.0)
BAD = Pose(quat_xyzw=(0.0, 0.0, 0.0, 2.0))
CUBE = SceneObject("cube", Sphere(0.1), Pose(), 5, 0.01, 0.0)
HEAD = BodyPart("head", (0.0, 0.0, 1.6), (0.0, 0.0, 1.7), 0.1)
ARM = BodyPart("arm", (0.0, 0.0, 1.2), (0.3, 0.0, 1.2), 0.05)
ANNA = Person("anna", (ARM, HEAD, replace(ARM, end=(-0.3, 0.0, 1.2))), 5, 0.05)

ZONES: dict[str, tuple[dict[str, Any], str]] = {
    "two corners": ({"outer": SQUARE[:2]}, "at least three corners"),
    "a hole of two corners": ({"holes": (SQUARE[:2],)}, "at least three corners"),
    "a bow tie": ({"outer": ((0.0, 0.0), (1.0, 1.0), (1.0, 0.0), (0.0, 1.0))}, "Self-intersection"),
    "a line": ({"outer": ((0.0, 0.0), (1.0, 0.0), (2.0, 0.0))}, "simple"),
    "a point": ({"outer": ((0.0, 0.0),) * 3}, "simple"),
    "a hole outside": ({"holes": (((5.0, 5.0), (6.0, 5.0), (6.0, 6.0)),)}, "Hole"),
    "NaN": ({"outer": ((math.nan, 0.0), *SQUARE[1:])}, "finite"),
    "a corner out of this world": ({"outer": ((1e7, 0.0), *SQUARE[1:])}, r"finite, and within 1e\+06 m"),
    "infinity in a hole": ({"holes": (((math.inf, 0.0), *SQUARE[1:]),)}, "finite"),
    "no height": ({"z_max": 0.0}, "z_min must be below z_max"),
    "NaN for a height": ({"z_max": math.nan}, "finite"),
}


@pytest.mark.parametrize("what", ZONES)
def test_F30_a_zone_that_encloses_nothing_is_refused(what: str) -> None:
    changes, problem = ZONES[what]

    with pytest.raises(ValueError, match=problem):
        replace(ZONE, **changes)


def test_F30_a_zone_has_holes() -> None:
    holed = replace(ZONE, holes=(((0.2, 0.2), (0.8, 0.2), (0.5, 0.8)),))

    assert holed.polygon.area < ZONE.polygon.area == 1.0


def test_a_cell_finds_its_zones_by_name() -> None:
    cell = Cell("cell", Pose(), (), (ZONE,))

    assert cell.zone("bench") is ZONE
    assert cell.digest != replace(cell, name="other").digest
    with pytest.raises(KeyError, match="no zone 'table'; this cell has: bench"):
        cell.zone("table")


def test_F02_a_body_or_mount_that_stands_nowhere_is_refused() -> None:
    with pytest.raises(ValueError, match="body 'post': a quaternion"):
        Body("post", Sphere(0.1), BAD)
    with pytest.raises(ValueError, match="mount: a quaternion"):
        Cell("cell", BAD, (), ())


@pytest.mark.parametrize("twice", ["bodies", "zones"])
def test_F03_a_name_that_is_used_twice_is_refused(twice: str) -> None:
    parts: dict[str, Any] = {"bodies": (), "zones": ()}
    parts[twice] = (Body("bench", Sphere(0.1), Pose()),) * 2 if twice == "bodies" else (ZONE, ZONE)

    with pytest.raises(ValueError, match="used twice"):
        Cell("cell", Pose(), **parts)


def test_F29_a_scene_is_the_same_as_long_as_nothing_in_it_moved() -> None:
    seen = Scene("automatic", (CUBE,))

    assert seen.things == Scene("automatic", (replace(CUBE, seen_ns=9),)).things
    assert seen.things != Scene("automatic", (replace(CUBE, pose=Pose((0.1, 0.0, 0.0))),)).things
    assert Scene("automatic", ()).things != Scene("automatic", None).things


def test_F29_a_scene_is_the_same_as_long_as_nobody_in_it_moved() -> None:
    seen = Scene("automatic", people=(ANNA,))

    assert seen.things == Scene("automatic", people=(replace(ANNA, seen_ns=9),)).things
    assert seen.things != Scene("automatic", people=(replace(ANNA, parts=(HEAD,)),)).things
    assert seen.things != Scene("automatic", people=(replace(ANNA, speed_m_s=0.0),)).things
    assert Scene("automatic", people=()).things != Scene("automatic", people=None).things


def test_a_person_has_each_region_once() -> None:
    assert ANNA.regions == ("arm", "head")
    assert ANNA.named("arm") == "person:anna:arm"


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"start": (math.nan, 0.0, 0.0)}, "must be finite"),
        ({"end": (0.0, -math.inf, 0.0)}, "must be finite"),
        ({"end": (0.0, 0.0, 1.1e6)}, "within 1e"),
        ({"radius_m": 0.0}, "more than 0"),
        ({"radius_m": -0.1}, "more than 0"),
        ({"radius_m": math.nan}, "more than 0"),
        ({"radius_m": 1.1e4}, "at most"),
        ({"end": (0.0, 0.0, 1.2e4)}, "long"),
        ({"end": HEAD.start}, None),
        ({}, None),
    ],
)
def test_F01_a_part_of_a_body_holds_any_number_and_knows_its_fault(
    changes: dict[str, Any], problem: str | None
) -> None:
    fault = replace(HEAD, **changes).fault

    assert fault is None if problem is None else problem in str(fault)


@pytest.mark.parametrize(("value", "error"), [(math.nan, TypeError), (2**70, ValueError)])
def test_F01_what_was_seen_was_seen_at_a_whole_number_of_nanoseconds(value: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="seen_ns"):
        replace(CUBE, seen_ns=value)
    with pytest.raises(error, match="seen_ns"):
        state(seen_ns=value)


def test_F05_a_state_owns_its_arrays_and_holds_any_float() -> None:
    positions = np.array([np.nan, 1.0])
    held = RobotState(0, ("a", "b"), positions, np.array([np.inf, 0.0]), np.zeros(0))

    positions[:] = 9.0

    assert np.isnan(held.positions[0])
    assert held.positions[1] == 1.0
    with pytest.raises(ValueError, match="velocities must have 1 axes"):
        state(velocities=np.zeros((1, 2)))


@pytest.mark.parametrize(
    "build",
    [
        lambda: Scene("\ud800", ()),
        lambda: Scene("automatic", (), "\ud800"),
        lambda: Held("\ud800", Box((0.1, 0.1, 0.1)), Pose(), 1.0),
        lambda: RobotState(0, ("\ud800",), np.zeros(1), np.zeros(1), np.zeros(0)),
    ],
    ids=["mode", "target", "held", "joint"],
)
def test_F42_what_could_not_be_put_on_record_cannot_be_built(build: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match="must be Unicode text"):
        build()


def test_only_a_body_of_the_cell_may_be_more_than_one_convex_shape() -> None:
    tetrahedron = ConvexMesh(np.vstack([np.zeros(3), np.eye(3)]))
    parts: Any = ConvexParts((tetrahedron, tetrahedron), 0.005, "")

    assert Body("angle", parts, Pose()).convex == (tetrahedron, tetrahedron)
    assert Body("ball", Sphere(0.1), Pose()).convex == (Sphere(0.1),)
    with pytest.raises(TypeError, match=r"SceneObject\.shape must be one of .*, got ConvexParts"):
        replace(CUBE, shape=parts)
    with pytest.raises(TypeError, match=r"Held\.shape must be one of"):
        Held("held", parts, Pose(), 0.1)
