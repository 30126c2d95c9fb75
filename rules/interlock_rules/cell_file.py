"""A cell's file: what stands around the robot, its zones and its hazards; and the cell that it becomes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import ConfigDict, StringConstraints

from interlock.geometry import Box, Capsule, ConvexMesh, ConvexParts, Cylinder, HalfSpace, Shape, Sphere
from interlock.scene import Body, Cell, Hazard, Zone

from .forms import AT_ORIGIN, FORM, MESH_PATTERN, Digest, Name, Place, PlacedForm, Plain, Text, Turns, bounds, pose
from .mesh_file import convex_parts
from .quantities import Coordinate, GripperRange, quantity
from .reading import Reading
from .yaml_text import Document

Size = Annotated[float, quantity("length", "positive")]


@dataclass(frozen=True, slots=True)
class RoundForm:
    """A cylinder or capsule along z: its radius, and its length (of a capsule: between the centres of its caps)."""

    radius: Size
    length: Size


@dataclass(frozen=True, slots=True)
class MeshForm:
    """A closed mesh, which need not be convex: an obj or stl file in the folder of the cell's file, the unit of its
    numbers, the SHA-256 of its bytes, and how far the convex parts that it is split into may reach beyond it.
    """

    file: Annotated[str, StringConstraints(pattern=MESH_PATTERN)]
    unit: Literal["m", "cm", "mm"]
    sha256: Digest
    tolerance: Size


@dataclass(frozen=True, slots=True)
class BodyForm:
    """A fixed obstacle: one shape, centred `at` a point of the world and turned by `rpy`; and why it is there."""

    name: Name
    because: Text
    at: Place = AT_ORIGIN
    rpy: Turns = AT_ORIGIN
    box: tuple[Size, Size, Size] | None = None
    sphere: Size | None = None
    cylinder: RoundForm | None = None
    capsule: RoundForm | None = None
    convex_mesh: tuple[Place, ...] | None = None
    mesh: MeshForm | None = None
    half_space: tuple[Plain, Plain, Plain] | None = None


Corner = tuple[Coordinate, Coordinate]


@dataclass(frozen=True, slots=True)
class ZoneForm:
    """A prism: corners in the world's x and y, holes, and a range of heights."""

    name: Name
    corners: tuple[Corner, ...]
    z: GripperRange
    because: Text
    holes: tuple[tuple[Corner, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class HazardForm:
    """A line of the hazard register: what can happen, and what is done about it."""

    id: Name
    what: Text
    measure: Text


@dataclass(frozen=True, slots=True)
class CellForm:
    """A cell's file. `mount` is where the robot's base link stands in the world."""

    __pydantic_config__: ClassVar[ConfigDict] = FORM
    format: Literal["interlock/cell/1"]
    name: Name
    mount: PlacedForm
    bodies: tuple[BodyForm, ...]
    zones: tuple[ZoneForm, ...]
    hazards: tuple[HazardForm, ...]


def read_cell(document: Document, folder: Path) -> Cell:
    """The cell that a file in a folder describes; raises BadFile with every problem that was found."""
    reading = Reading(document)
    form = reading.read(CellForm, document.root.tree)
    return reading.end(reading.build((), lambda: _cell(form, reading, folder)) if form else None)


def _cell(form: CellForm, reading: Reading, folder: Path) -> Cell | None:
    bodies = reading.each(("bodies",), form.bodies, partial(_body, folder))
    zones = reading.each(("zones",), form.zones, _zone)
    hazards = tuple(Hazard(hazard.id, hazard.what, hazard.measure) for hazard in form.hazards)
    _refuse_twice("hazard", (hazard.id for hazard in hazards))
    mount = pose(form.mount.at, form.mount.rpy)
    return None if reading.problems else Cell(form.name, mount, bodies, zones, hazards)


def _refuse_twice(what: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ValueError(f'{what} "{name}" is there twice')
        seen.add(name)


def _body(folder: Path, form: BodyForm) -> Body:
    shapes = _shapes(form, folder)
    if len(shapes) != 1:
        raise ValueError(f'body "{form.name}" has {len(shapes)} shapes; give one of: box, sphere, cylinder, capsule, '
                         "convex_mesh, mesh, half_space")  # fmt: skip
    return Body(form.name, shapes[0], pose(form.at, form.rpy), form.because)


def _shapes(form: BodyForm, folder: Path) -> list[Shape | ConvexParts]:
    found: list[Shape | ConvexParts] = []
    if form.box:
        found.append(Box(form.box))
    if form.sphere:
        found.append(Sphere(form.sphere))
    if form.cylinder:
        found.append(Cylinder(form.cylinder.radius, form.cylinder.length))
    if form.capsule:
        found.append(Capsule(form.capsule.radius, form.capsule.length))
    if form.convex_mesh is not None:
        found.append(ConvexMesh(np.array(form.convex_mesh)))
    if form.mesh is not None:
        mesh = form.mesh
        found.append(convex_parts(folder, mesh.file, mesh.unit, mesh.sha256, mesh.tolerance))
    if form.half_space:
        found.append(HalfSpace(form.half_space))
    return found


def _zone(form: ZoneForm) -> Zone:
    low, high = bounds(form.z, "m")
    return Zone(form.name, form.corners, form.holes, low, high)
