"""Closed meshes of things that are not convex: open boxes, and what a polygon leaves that is drawn upwards; and their
convex parts, as the judge has them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import shapely

from interlock.arrays import FloatArray
from interlock.geometry import ConvexMesh, ConvexParts, Vector
from interlock_rules.split_cache import split_of
from interlock_rules.surfaces import surface_of

ANGLE: Final = ((0.0, 0.0), (0.3, 0.0), (0.3, 0.03), (0.03, 0.03), (0.03, 0.25), (0.0, 0.25))
# What is split, once for all: triangles, and the tolerance [m].
MADE: Final[dict[str, tuple[Callable[[], FloatArray], float]]] = {
    "crate": (lambda: open_box((0.3, 0.3, 0.2), 0.004), 0.005),
    "angle": (lambda: drawn_up(shapely.Polygon(ANGLE), 0.2), 0.002),
    "tube": (lambda: drawn_up(ring(0.12, 0.015, 12), 0.15), 0.004),
}


@dataclass(frozen=True, slots=True, eq=False)
class Solid:
    """A thing that is not convex: its surface, triangles (F, 3, 3) [m], and the parts that it is judged as."""

    triangles: FloatArray
    parts: ConvexParts


def solid(name: str, scale: FloatArray) -> Solid:
    """A solid of MADE, stretched along its axes (3,). What contains it and is convex does so and is so stretched, too;
    and what reaches beyond it reaches beyond it by no more than the largest stretch as far.
    """
    triangles, parts = _split(name)
    stretched = tuple(ConvexMesh(part.vertices * scale) for part in parts)
    return Solid(triangles * scale, ConvexParts(stretched, MADE[name][1] * float(scale.max()), ""))


@lru_cache
def _split(name: str) -> tuple[FloatArray, tuple[ConvexMesh, ...]]:
    make, tolerance = MADE[name]
    triangles = make()
    surface = surface_of(triangles.reshape(-1, 3), np.arange(3 * len(triangles)).reshape(-1, 3))
    return triangles, split_of(surface, f"bench {triangles.tobytes().hex()}", tolerance)


def open_box(size: Vector, wall: float) -> FloatArray:
    """The triangles (F, 3, 3) [m] of a box that is open above, around the middle of its floor's lower side."""
    x, y, z = size
    outer = [[i * x / 2.0, j * y / 2.0, k * z] for i in (-1, 1) for j in (-1, 1) for k in (0, 1)]
    width, depth = x / 2.0 - wall, y / 2.0 - wall
    inner = [[i * width, j * depth, z if k else wall] for i in (-1, 1) for j in (-1, 1) for k in (0, 1)]
    sides = [(0, 2, 6, 4), (0, 4, 5, 1), (4, 6, 7, 5), (6, 2, 3, 7), (2, 0, 1, 3)]
    rim = [(1, 5, 13, 9), (5, 7, 15, 13), (7, 3, 11, 15), (3, 1, 9, 11)]
    inside = [tuple(8 + corner for corner in side[::-1]) for side in sides]
    return _quads(np.array(outer + inner), [*sides, *inside, *rim])


def drawn_up(outline: shapely.Polygon, height: float) -> FloatArray:
    """The triangles (F, 3, 3) [m] of a polygon, with its holes, drawn upwards from z = 0."""
    outline = shapely.orient_polygons(outline)
    found: list[FloatArray] = []
    for part in shapely.get_parts(shapely.constrained_delaunay_triangles(outline)):
        flat = shapely.get_coordinates(shapely.orient_polygons(part))[:3]
        found += [_at(flat, height), _at(flat[::-1], 0.0)]
    for ring in (outline.exterior, *outline.interiors):
        for start, end in zip(ring.coords[:-1], ring.coords[1:], strict=True):
            corners = np.array([[*start, 0.0], [*end, 0.0], [*end, height], [*start, height]])
            found += [corners[[0, 1, 2]], corners[[0, 2, 3]]]
    return np.array(found)


def ring(radius: float, wall: float, sides: int) -> shapely.Polygon:
    """A regular polygon with corners at a radius [m], and in it a hole of the same kind that leaves a wall."""
    turns = np.arange(sides) * (2.0 * np.pi / sides)
    ways = np.column_stack([np.cos(turns), np.sin(turns)])
    return shapely.Polygon(radius * ways, [(radius - wall) * ways])


def stl(triangles: FloatArray) -> bytes:
    """The bytes of a binary STL file; its numbers have single precision."""
    written = np.zeros(len(triangles), dtype=[("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("unused", "<u2")])
    written["corners"] = triangles
    return bytes(80) + len(triangles).to_bytes(4, "little") + written.tobytes()


def _at(flat: FloatArray, height: float) -> FloatArray:
    return np.column_stack([flat, np.full(len(flat), height)])


def _quads(corners: FloatArray, quads: Sequence[tuple[int, ...]]) -> FloatArray:
    return np.array([corners[[a, b, c]] for p, q, r, s in quads for a, b, c in ((p, q, r), (p, r, s))])
