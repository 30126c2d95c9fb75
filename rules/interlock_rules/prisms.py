"""How deep inside or how far outside a zone a swept body is: its plan view, heights apart, growth on top.

The body between two nodes lies in the hull of its corners at both, grown; so a zone may be concave and have holes.
Where a zone is convex, the sides of its polygon say how deep a hull is; shapely says it of all others, and of whatever
is so near a side that rounding would decide. What is beyond a side of the zone's own hull is outside of any zone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import shapely

from interlock import kernels
from interlock.arrays import BoolArray, FloatArray
from interlock.kept import kept
from interlock.scene import Zone

from .swept import Swept

_plane: Any = shapely  # its stubs leave the type of an array of geometries open

LEAST_DEPTH_M: Final = 1e-9  # what is across a boundary is so by this much at least, and never just touches it
NO_LENGTH_M: Final = 1e-12  # a side as short as the smallest floats has a length whose square is 0, and no direction
SHORTEST_SIDE_M: Final = 1e-3  # the direction of a shorter one is rounding error, a metre away from it
UP_AND_DOWN: Final = np.vstack([np.eye(3), -np.eye(3)])


@dataclass(frozen=True, slots=True, eq=False)
class _Plan:
    """A zone in the plan view: its polygon, the boundary of that, and the planes of the prism around its convex hull.

    A plane is an inward unit normal n, of normals (E + 2, 3), and an offset c, of offsets (E + 2,): a point p is
    n . p + c inside of it. The last two are the floor and the ceiling; there are no others if a side has next to no
    length. `convex`: the polygon is its hull, and has sides. `blunt`: no two sides meet at less than a right angle, so
    that what sticks out across one of them is as far from the polygon as from it.
    """

    polygon: shapely.Polygon
    boundary: Any
    normals: FloatArray
    offsets: FloatArray
    convex: bool
    blunt: bool


@kept
def _plan(zone: Zone) -> _Plan:
    polygon = zone.polygon
    shapely.prepare(polygon)
    normals, offsets = _sides(polygon.convex_hull)
    turns = (normals * np.roll(normals, -1, axis=0)).sum(axis=1)
    return _Plan(
        polygon,
        polygon.boundary,
        np.vstack([normals, np.array([[0.0, 0.0, 1.0], [0.0, 0.0, -1.0]])]),
        np.append(offsets, [-zone.z_min, zone.z_max]),
        bool(len(normals) > 0 and polygon.convex_hull.equals(polygon)),
        bool((turns >= 0.0).all()),
    )


def _sides(hull: Any) -> tuple[FloatArray, FloatArray]:
    """Normals and offsets of the sides of a convex polygon, in order; none where a side has next to no length."""
    corners = shapely.get_coordinates(shapely.normalize(hull))  # clockwise, the first again at the end
    along = np.diff(corners, axis=0)
    lengths = np.hypot(along[:, 0], along[:, 1])
    if not (lengths >= SHORTEST_SIDE_M).all():
        return np.empty((0, 3)), np.empty(0)
    normals = np.column_stack([along[:, 1], -along[:, 0]]) / lengths[:, None]
    return np.column_stack([normals, np.zeros(len(normals))]), -(normals * corners[:-1]).sum(axis=1)


def inside_m(zone: Zone, swept: Swept) -> FloatArray:
    """How far [m] (N,) the body is, at least, from the boundary of a zone that it must be inside of, on each interval.

    0: it touches the boundary from inside. Negative: how far it sticks out. NaN where the motion is not finite.
    """
    return _inside(_plan(zone), swept, exact=True)


def is_inside(zone: Zone, swept: Swept) -> BoolArray:
    """Whether the body is inside a zone throughout each interval (N,); what is not finite is not."""
    return np.asarray(_inside(_plan(zone), swept, exact=False) >= 0.0)


def _inside(plan: _Plan, swept: Swept, *, exact: bool) -> FloatArray:
    """The same as `inside_m`; `exact`: how far the body sticks out counts, otherwise only that it does."""
    growth = swept.growth()
    most = len(plan.normals) if not exact else int(plan.convex and plan.blunt)
    margin, heights, open_ = kernels.in_prism(
        swept.poses, swept.corners, plan.normals, plan.offsets, growth, LEAST_DEPTH_M, plan.convex, most
    )
    if open_.any():
        margin[open_] = np.minimum(_depth_inside(plan, swept, open_, growth), heights[open_]) - growth[open_]
    return margin


def outside_m(zone: Zone, swept: Swept) -> FloatArray:
    """How far [m] (N,) the body is from a zone that it must stay out of, throughout each interval; at least.

    0: it touches the zone from outside. Negative: how deep it is in. NaN where the motion is not finite.
    """
    (low, high), growth = _extent(swept), swept.growth()
    finite = _finite(low, high, growth)
    margin = np.full(len(growth), np.nan)
    above = np.maximum(low[finite, 2] - zone.z_max, zone.z_min - high[finite, 2])  # negative: heights overlap so much
    beside = _distance_outside(_plan(zone), swept.both_ends()[finite, :, :2])
    apart = np.hypot(np.maximum(above, 0.0), np.maximum(beside, 0.0))
    margin[finite] = np.where((above < 0.0) & (beside < 0.0), np.maximum(above, beside), apart) - growth[finite]
    return margin


def _extent(swept: Swept) -> tuple[FloatArray, FloatArray]:
    """The smallest and the largest coordinates (N, 3) [m, world] of the corners at both ends of each interval."""
    least = swept.least_along(UP_AND_DOWN)
    return least[:, :3], -least[:, 3:]


def _finite(low: FloatArray, high: FloatArray, growth: FloatArray) -> BoolArray:
    return np.asarray(np.isfinite(low).all(axis=1) & np.isfinite(high).all(axis=1) & np.isfinite(growth))


def _hulls(corners: FloatArray) -> Any:
    """The convex hull in the plan view of each row of corners (M, W, 2): M geometries."""
    count, width, _ = corners.shape
    corners = np.where(np.abs(corners) < NO_LENGTH_M, 0.0, corners)
    return _plane.convex_hull(
        _plane.multipoints(corners.reshape(-1, 2), indices=np.repeat(np.arange(count, dtype=np.int64), width))
    )


def _depth_inside(plan: _Plan, swept: Swept, some: BoolArray, growth: FloatArray) -> FloatArray:
    """Distance [m] (M,) of the hull from the polygon's boundary, negative for how far it sticks out, at least; on M of
    all intervals (N,).
    """
    low, high = _extent(swept)
    room = _room(plan, low[some].min(axis=0), high[some].max(axis=0))
    if room > 0.0 and room >= growth[some].max():
        return np.full(int(some.sum()), room)  # a box around all of them is inside, growth and all
    return _depth_of_hulls(plan, _hulls(swept.both_ends()[some, :, :2]))


def _room(plan: _Plan, low: FloatArray, high: FloatArray) -> float:
    """Distance [m] of a box in the plan view from the polygon's boundary; 0 where it is not inside."""
    box: Any = _plane.box(low[0], low[1], high[0], high[1])
    return float(plan.boundary.distance(box)) if plan.polygon.covers(box) else 0.0


def _depth_of_hulls(plan: _Plan, hulls: Any) -> FloatArray:
    """Distance [m] (M,) of each hull from the polygon's boundary, negative for how far it sticks out."""
    depth = np.asarray(_plane.distance(plan.boundary, hulls))
    for index in np.flatnonzero(~_plane.covers(plan.polygon, hulls)):
        depth[index] = -_depth(plan.boundary, hulls[index].difference(plan.polygon))
    return depth


def _distance_outside(plan: _Plan, corners: FloatArray) -> FloatArray:
    """Distance [m] (M,) of each hull from the polygon, negative for how deep it is in."""
    if len(corners) == 0:
        return np.empty(0)
    hulls = _hulls(corners)
    distance = np.asarray(_plane.distance(plan.polygon, hulls))
    for index in np.flatnonzero(_plane.intersects(plan.polygon, hulls) & ~_plane.touches(plan.polygon, hulls)):
        distance[index] = -_depth(plan.boundary, hulls[index].intersection(plan.polygon))
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
