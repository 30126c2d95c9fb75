"""Solids that are not convex, with what is true of them by plain geometry of the plane."""

from __future__ import annotations

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from bench.solids import drawn_up, ring
from interlock.arrays import FloatArray
from interlock_rules.surfaces import Surface, surface_of

ANGLE = shapely.Polygon([(0.0, 0.0), (0.3, 0.0), (0.3, 0.1), (0.1, 0.1), (0.1, 0.3), (0.0, 0.3)])
TUBE = ring(0.1, 0.02, 16)
HEIGHT = 0.2


def surface(triangles: FloatArray) -> Surface:
    """The surface of triangles (F, 3, 3)."""
    return surface_of(triangles.reshape(-1, 3), np.arange(3 * len(triangles)).reshape(-1, 3))


def drawn(outline: shapely.Polygon) -> Surface:
    """The surface of a polygon drawn up by HEIGHT."""
    return surface(drawn_up(outline, HEIGHT))


def outside(outline: BaseGeometry, points: FloatArray) -> FloatArray:
    """How far points (N, 3) are outside of a polygon drawn up by HEIGHT, negative inside, by shapely."""
    flat = [shapely.Point(x, y) for x, y in points[:, :2].tolist()]
    above = np.maximum(-points[:, 2], points[:, 2] - HEIGHT)
    beyond, edge = (np.array([of.distance(point) for point in flat]) for of in (outline, outline.boundary))
    inside = (beyond == 0.0) & (above < 0.0)
    return np.asarray(np.where(inside, -np.minimum(edge, -above), np.hypot(beyond, np.maximum(above, 0.0))))


def on(triangles: FloatArray, count: int, generator: np.random.Generator) -> FloatArray:
    """Points (count, 3) of triangles (F, 3, 3), of each as many as of any other."""
    weights = generator.dirichlet(np.full(3, 0.5), count)  # many near edges and corners
    return np.asarray((weights[:, :, None] * triangles[generator.integers(len(triangles), size=count)]).sum(axis=1))
