from __future__ import annotations

from interlock.geometry import Box, Capsule, ConvexMesh, Cylinder, HalfSpace, Sphere
from interlock_rules import load_cell
from tests.rules.golden import GOLDEN

CELL = load_cell(GOLDEN / "cells" / "small-cell.yaml")


def test_every_shape_becomes_its_body() -> None:
    shapes = {body.name: body.shape for body in CELL.bodies}

    assert shapes["floor"] == HalfSpace((0.0, 0.0, 1.0))
    assert shapes["crate"] == Box((0.1, 0.2, 0.3))
    assert shapes["ball"] == Sphere(0.05)
    assert shapes["pole"] == Cylinder(0.008, 2.0)
    assert shapes["rail"] == Capsule(0.02, 1.0)
    assert isinstance(shapes["wedge"], ConvexMesh)
    assert shapes["wedge"].vertices.tolist() == [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]]


def test_places_and_turns_become_poses() -> None:
    crate = next(body for body in CELL.bodies if body.name == "crate")

    assert CELL.mount.matrix().round(9).tolist() == [[0, -1, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0.1], [0, 0, 0, 1]]
    assert crate.pose.xyz == (1.0, 0.0, 0.0)
    assert crate.because == "A crate."


def test_a_zone_keeps_its_holes_and_heights() -> None:
    ring = CELL.zone("ring")

    assert round(ring.polygon.area, 9) == 0.96
    assert (ring.z_min, ring.z_max) == (-0.01, 1.0)
