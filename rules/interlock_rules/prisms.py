"""How deep inside or how far outside a zone a swept body is: shapely on the plan view, heights apart, growth on top.

The body between two nodes lies in the hull of its corners at both, grown; so a zone may be concave and have holes.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import shapely

from interlock.arrays import BoolArray, FloatArray
from interlock.scene import Zone

from .swept import Swept

_plane: Any = shapely  # its stubs leave the type of an array of geometries open

LEAST_DEPTH_M: Final = 1e-9  # what is across a boundary is so by this much at least, and never just touches it
NO_LENGTH_M: Final = 1e-12  # a side as short as the smallest floats has a length whose square is 0, and no direction


def inside_m(zone: Zone, swept: Swept) -> FloatArray:
    """How far [m] (N,) the body is, at least, from the boundary of a zone that it must be inside of, on each interval.

    0: it touches the boundary from inside. Negative: how far it sticks out. NaN where the motion is not finite.
    """
    points, growth = swept.both_ends(), swept.growth()
    finite = _finite(points, growth)
    margin = np.full(len(growth), np.nan)
    low, high = points[finite, :, 2].min(axis=1), points[finite, :, 2].max(axis=1)
    across = _depth_inside(zone.polygon, points[finite, :, :2], growth[finite])
    margin[finite] = np.minimum(across, np.minimum(low - zone.z_min, zone.z_max - high)) - growth[finite]
    return margin


def is_inside(zone: Zone, swept: Swept) -> BoolArray:
    """Whether the body is inside a zone throughout each interval (N,); what is not finite is not."""
    points, growth = swept.both_ends(), swept.growth()
    low, high = points.min(axis=1), points.max(axis=1)
    x_min, y_min, x_max, y_max = zone.polygon.bounds
    corner, opposite = np.array([x_min, y_min, zone.z_min]), np.array([x_max, y_max, zone.z_max])
    found = ((low - growth[:, None] >= corner) & (high + growth[:, None] <= opposite)).all(axis=1)
    if found.any():
        hulls = _hulls(points[found, :, :2])
        boundary: Any = zone.polygon.boundary
        found[found] = _plane.covers(zone.polygon, hulls) & (_plane.distance(boundary, hulls) >= growth[found])
    return np.asarray(found)


def outside_m(zone: Zone, swept: Swept) -> FloatArray:
    """How far [m] (N,) the body is from a zone that it must stay out of, throughout each interval; at least.

    0: it touches the zone from outside. Negative: how deep it is in. NaN where the motion is not finite.
    """
    points, growth = swept.both_ends(), swept.growth()
    finite = _finite(points, growth)
    margin = np.full(len(growth), np.nan)
    low, high = points[finite, :, 2].min(axis=1), points[finite, :, 2].max(axis=1)
    above = np.maximum(low - zone.z_max, zone.z_min - high)  # negative: the heights overlap by that much
    beside = _distance_outside(zone.polygon, points[finite, :, :2])
    apart = np.hypot(np.maximum(above, 0.0), np.maximum(beside, 0.0))
    margin[finite] = np.where((above < 0.0) & (beside < 0.0), np.maximum(above, beside), apart) - growth[finite]
    return margin


def _finite(points: FloatArray, growth: FloatArray) -> BoolArray:
    return np.asarray(np.isfinite(points).all(axis=(1, 2)) & np.isfinite(growth))


def _hulls(corners: FloatArray) -> Any:
    """The convex hull in the plan view of each row of corners (M, W, 2): M geometries."""
    count, width, _ = corners.shape
    corners = np.where(np.abs(corners) < NO_LENGTH_M, 0.0, corners)
    return _plane.convex_hull(
        _plane.multipoints(corners.reshape(-1, 2), indices=np.repeat(np.arange(count, dtype=np.int64), width))
    )


def _depth_inside(polygon: shapely.Polygon, corners: FloatArray, growth: FloatArray) -> FloatArray:
    """Distance [m] (M,) of each hull from the polygon's boundary, negative for how far it sticks out."""
    if len(corners) == 0:
        return np.empty(0)
    boundary: Any = polygon.boundary
    around: Any = _plane.box(*corners.min(axis=(0, 1)).tolist(), *corners.max(axis=(0, 1)).tolist())
    if polygon.covers(around) and boundary.distance(around) >= growth.max():
        return np.full(len(corners), boundary.distance(around))  # a box around all of them is inside, growth and all
    hulls = _hulls(corners)
    _plane.prepare(polygon)
    depth = np.asarray(_plane.distance(boundary, hulls))
    for index in np.flatnonzero(~_plane.covers(polygon, hulls)):
        depth[index] = -_depth(boundary, hulls[index].difference(polygon))
    return depth


def _distance_outside(polygon: shapely.Polygon, corners: FloatArray) -> FloatArray:
    """Distance [m] (M,) of each hull from the polygon, negative for how deep it is in."""
    if len(corners) == 0:
        return np.empty(0)
    hulls = _hulls(corners)
    _plane.prepare(polygon)
    distance = np.asarray(_plane.distance(polygon, hulls))
    for index in np.flatnonzero(_plane.intersects(polygon, hulls) & ~_plane.touches(polygon, hulls)):
        distance[index] = -_depth(polygon.boundary, hulls[index].intersection(polygon))
    return distance


def _depth(boundary: Any, across: Any) -> float:
    """How far [m] what lies across a boundary reaches beyond it, at its corners and the middle of its pieces."""
    pieces = _plane.get_parts(across)
    probes = np.concatenate([_plane.centroid(pieces), _plane.points(_plane.get_coordinates(across))])
    return max(LEAST_DEPTH_M, float(np.max(_plane.distance(boundary, probes), initial=0.0)))


def beside_m(zone: Zone, points: FloatArray) -> FloatArray:
    """How far [m] single points (M, V, 3) are from a zone, at least; negative for how deep they are in (M, V)."""
    plan = _plane.points(points[..., :2])
    outside: FloatArray = _plane.distance(zone.polygon, plan)
    depth: FloatArray = _plane.distance(zone.polygon.boundary, plan)
    apart = np.where(outside > 0.0, outside, -depth)
    return np.asarray(np.maximum(apart, np.maximum(zone.z_min - points[..., 2], points[..., 2] - zone.z_max)))
