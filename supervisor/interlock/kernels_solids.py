"""The arithmetic of solids, in plain loops over plain arrays, compiled once: how far points are from one, and which
convex parts cubes meet.

Compiled functions call those of their own file alone, and none uses fast-math.
"""

from __future__ import annotations

import math

import numpy as np

from .arrays import BoolArray, FloatArray, IntArray
from .compiled import compiled

FLAT = 1e-8  # height of a triangle over its longest edge; of a flatter one the edges alone are measured


@compiled
def outside(points: FloatArray, triangles: FloatArray, balls: FloatArray) -> FloatArray:
    """How far [m] points (N, 3) are outside of the solid that triangles (F, 3, 3) enclose, negative inside; (N,). Balls
    (F, 4) are around the triangles.
    """
    found = np.empty(len(points))
    for index in range(len(points)):
        found[index] = signed(points[index], triangles, balls)
    return found


@compiled
def signed(point: FloatArray, triangles: FloatArray, balls: FloatArray) -> float:
    """The distance [m] of a point (3,) from the triangles, negative where they wind around it more than half a time."""
    found = away(point, triangles, balls)
    return -found if winds(point, triangles) > 0.5 else found


@compiled
def away(point: FloatArray, triangles: FloatArray, balls: FloatArray) -> float:
    """The distance [m] of a point (3,) from the nearest of triangles (F, 3, 3)."""
    best = math.inf
    for index in range(len(triangles)):
        x, y, z = point[0] - balls[index, 0], point[1] - balls[index, 1], point[2] - balls[index, 2]
        reach = best + balls[index, 3]
        if x * x + y * y + z * z <= reach * reach:
            best = min(best, from_triangle(point, triangles[index]))
    return best


@compiled
def from_triangle(point: FloatArray, triangle: FloatArray) -> float:
    """The distance [m] of a point (3,) from a triangle (3, 3): from its plane where the point is above it, else from
    its nearest edge.
    """
    ux, uy, uz = triangle[1, 0] - triangle[0, 0], triangle[1, 1] - triangle[0, 1], triangle[1, 2] - triangle[0, 2]
    vx, vy, vz = triangle[2, 0] - triangle[0, 0], triangle[2, 1] - triangle[0, 1], triangle[2, 2] - triangle[0, 2]
    nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
    area = math.sqrt(nx * nx + ny * ny + nz * nz)
    above, best, longest = True, math.inf, 0.0
    for first in range(3):
        second = (first + 1) % 3
        ex, ey, ez = (
            triangle[second, 0] - triangle[first, 0],
            triangle[second, 1] - triangle[first, 1],
            triangle[second, 2] - triangle[first, 2],
        )
        px, py, pz = point[0] - triangle[first, 0], point[1] - triangle[first, 1], point[2] - triangle[first, 2]
        length = ex * ex + ey * ey + ez * ez
        along = px * ex + py * ey + pz * ez
        share = min(along / length, 1.0) if along > 0.0 else 0.0
        dx, dy, dz = px - share * ex, py - share * ey, pz - share * ez
        best = min(best, math.sqrt(dx * dx + dy * dy + dz * dz))
        longest = max(longest, length)
        above = above and (ey * pz - ez * py) * nx + (ez * px - ex * pz) * ny + (ex * py - ey * px) * nz >= 0.0
    if not above or area <= FLAT * longest:
        return best
    px, py, pz = point[0] - triangle[0, 0], point[1] - triangle[0, 1], point[2] - triangle[0, 2]
    return float(abs(px * nx + py * ny + pz * nz) / area)


@compiled
def winds(point: FloatArray, triangles: FloatArray) -> float:
    """How many times triangles (F, 3, 3) wind around a point (3,): the sum of their solid angles over 4 pi (Van
    Oosterom and Strackee, 1983).
    """
    total = 0.0
    for index in range(len(triangles)):
        ax, ay, az = (
            triangles[index, 0, 0] - point[0],
            triangles[index, 0, 1] - point[1],
            triangles[index, 0, 2] - point[2],
        )
        bx, by, bz = (
            triangles[index, 1, 0] - point[0],
            triangles[index, 1, 1] - point[1],
            triangles[index, 1, 2] - point[2],
        )
        cx, cy, cz = (
            triangles[index, 2, 0] - point[0],
            triangles[index, 2, 1] - point[1],
            triangles[index, 2, 2] - point[2],
        )
        a, b, c = (
            math.sqrt(ax * ax + ay * ay + az * az),
            math.sqrt(bx * bx + by * by + bz * bz),
            math.sqrt(cx * cx + cy * cy + cz * cz),
        )
        volume = ax * (by * cz - bz * cy) + ay * (bz * cx - bx * cz) + az * (bx * cy - by * cx)
        rest = (
            a * b * c
            + (ax * bx + ay * by + az * bz) * c
            + (bx * cx + by * cy + bz * cz) * a
            + (cx * ax + cy * ay + cz * az) * b
        )
        total += math.atan2(volume, rest)
    return total / (2.0 * math.pi)


@compiled
def open_cubes(
    middles: FloatArray,
    half: float,
    planes: FloatArray,
    starts: IntArray,
    triangles: FloatArray,
    balls: FloatArray,
    tolerance: float,
    slack: float,
) -> tuple[int, BoolArray]:
    """The first cube that shows that convex parts do not keep to a solid, or -1; and which cubes (N,) must be cut
    further to show that they do. Cubes have half an edge [m] around middles (N, 3); part p has the sides
    planes[starts[p]:starts[p + 1]] (K, 4). They do not where a middle is in a part and further than the tolerance [m]
    from the solid, or in the solid and, by `slack` [m], in no part.

    No point of a cube is further along a normal than its middle is by more than half an edge times the sum of what the
    normal has along each axis; nor further from the solid by more than half a diagonal.
    """
    found = np.zeros(len(middles), dtype=np.bool_)
    across = half * math.sqrt(3.0)
    for index in range(len(middles)):
        x, y, z = middles[index, 0], middles[index, 1], middles[index, 2]
        met, alone, within = False, False, False
        for part in range(len(starts) - 1):
            at, low, high = -math.inf, -math.inf, -math.inf
            for side in range(starts[part], starts[part + 1]):
                value = planes[side, 0] * x + planes[side, 1] * y + planes[side, 2] * z + planes[side, 3]
                reach = half * (abs(planes[side, 0]) + abs(planes[side, 1]) + abs(planes[side, 2]))
                at, low, high = max(at, value), max(low, value - reach), max(high, value + reach)
                if low > slack:
                    break
            met = met or low <= slack
            within = within or at <= slack
            alone = alone or high <= -slack
        if within:
            near = away(middles[index], triangles, balls)
            if near + across <= tolerance and (alone or across <= tolerance):
                continue
            apart = -near if winds(middles[index], triangles) > 0.5 else near
        else:
            apart = signed(middles[index], triangles, balls)
            if apart < 0.0:
                return index, found
        if within and apart > tolerance:
            return index, found
        found[index] = met and (apart + across > tolerance or (not alone and across > tolerance))
    return -1, found
