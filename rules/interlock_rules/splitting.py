"""Convex parts that together contain a solid, shown to contain it, and shown to reach no further than a tolerance.

What a splitter returns is not trusted. Its parts are grown, and of the grown parts three things are shown:

1. They contain the whole surface (`holds`). A triangle whose three corners are in one part is in that part, because
   the part is convex; one whose corners are in different parts is halved. A corner in no part is the end of it. This
   is exact, to 1 nm of rounding: no distance between samples is left to allow for.
2. No point of them is further than the tolerance from the solid (`fits`). The distance from the solid changes by no
   more than a point moves: in a cube with the distance s at its middle and half a diagonal r it is at most s + r.
   Cubes that meet a part are cut into eight until s + r is within the tolerance.
3. Between them is no gap in the solid that has room for a ball of the tolerance's radius: the middle of every cube that
   is in the solid is in a part, and cubes that no part contains alone have r at most the tolerance, so that every such
   ball has a middle of a cube in it.

From 1 follows that a gap in the solid that were left is cut off from everything outside: what starts outside the solid
passes through its surface, and so through a part, before it is in the gap.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product
from typing import Final

import numpy as np
from scipy.spatial import ConvexHull, QhullError

from interlock import kernels_solids
from interlock.arrays import BoolArray, FloatArray
from interlock.geometry import ConvexMesh
from interlock.hulls import convex_hull

from .splitter import pieces_of
from .surfaces import Surface

THRESHOLDS: Final = (0.1, 0.05, 0.02, 0.01)  # what coacd takes for convex enough: coarse first, for fewer parts
GROWTHS: Final = (1.0 / 16.0, 1.0 / 4.0)  # of the tolerance
PROCEDURE: Final = "2"  # another, where the same mesh would be split otherwise: it names what the cache holds
ROUNDING_M: Final = 1e-9  # what qhull's planes and their sums may be off: "in a part" means to this
FINEST: Final = 1.0 / 16.0  # of the tolerance: half a diagonal of the smallest cubes; of the growth: the smallest edge
COARSEST: Final = 16  # cubes along the longest edge, to begin with
MOST: Final = 2_000_000  # cubes or triangles under way
_WAYS: Final = np.array([[x, y, z] for x in (-1.0, 1.0) for y in (-1.0, 1.0) for z in (-1.0, 1.0)])


class TooCoarse(ValueError):
    """No split of a mesh keeps its tolerance."""


def split(surface: Surface, tolerance: float) -> tuple[ConvexMesh, ...]:
    """Convex parts that contain the solid and are within the tolerance [m] of it: its hull where that is enough, else
    coacd's parts, grown, of the coarsest split that does.

    The same again for the same surface, tolerance and version of coacd. Raises TooCoarse, MissingSplitter,
    SplitterFailed, or ValueError where the solid has no volume.
    """
    try:
        whole = (convex_hull(surface.corners),)
    except QhullError as error:
        raise ValueError("all of its corners lie in one plane") from error
    if fits(whole, surface, tolerance):
        return whole
    for threshold in THRESHOLDS:
        raw = pieces_of(surface.bodies, threshold)
        for growth in GROWTHS:
            parts = tuple(grown(piece, growth * tolerance) for piece in raw)
            if holds(parts, surface, tolerance):
                if fits(parts, surface, tolerance):
                    return parts
                break
    raise TooCoarse(
        f"none of {len(THRESHOLDS)} splits keeps the tolerance of {tolerance * 1e3:g} mm; state a larger one, or make "
        "the mesh simpler"
    )


def grown(corners: FloatArray, growth: float) -> ConvexMesh:
    """The hull of corners (V, 3), each moved by `growth` [m] both ways along all three axes: it contains all that is
    within `growth` of the hull, and reaches at most sqrt(3) of it further.
    """
    return convex_hull((corners[:, None] + growth * _WAYS).reshape(-1, 3))


def holds(parts: Sequence[ConvexMesh], surface: Surface, tolerance: float) -> bool:
    """Whether every point of the surface is in a part. False also where it is not shown with halves of triangles that
    are a sixteenth of the least growth, for a tolerance [m], or with too many of them; and without parts.
    """
    try:
        planes = _planes(parts)
    except QhullError:  # a part without a volume
        return False
    if not parts:
        return False
    triangles, finest = surface.pieces, FINEST * GROWTHS[0] * tolerance
    while len(triangles):
        inside = _within(planes, triangles.reshape(-1, 3)).reshape(-1, 3, len(parts))
        if not inside.any(axis=2).all():
            return False
        in_one = np.asarray(inside.all(axis=1)).any(axis=1)
        triangles = _halves(triangles[~in_one])
        longest = np.sqrt(((np.roll(triangles, -1, axis=1) - triangles) ** 2).sum(axis=2).max(axis=1, initial=0.0))
        if len(triangles) > MOST or bool((longest <= finest).any()):
            return False
    return True


def _halves(triangles: FloatArray) -> FloatArray:
    """Triangles (F, 3, 3), each cut in the middle of its longest edge: (2 F, 3, 3)."""
    lengths = ((np.roll(triangles, -1, axis=1) - triangles) ** 2).sum(axis=2)
    order = (lengths.argmax(axis=1)[:, None] + np.arange(3)) % 3
    first, second, third = np.moveaxis(np.take_along_axis(triangles, order[:, :, None], axis=1), 1, 0)
    middle = (first + second) / 2.0
    return np.concatenate([np.stack([first, middle, third], axis=1), np.stack([middle, second, third], axis=1)])


def fits(parts: Sequence[ConvexMesh], surface: Surface, tolerance: float) -> bool:
    """Whether no point of the parts, which hold the surface, is further than the tolerance [m] from the solid, and they
    leave no gap in it with room for a ball of that radius. False also where it is not shown with cubes of which half a
    diagonal is a sixteenth of the tolerance, or with too many.
    """
    planes = _planes(parts)
    starts = np.cumsum([0, *(len(own) for own in planes)])
    corners = np.concatenate([part.vertices for part in parts])
    low, high = corners.min(axis=0), corners.max(axis=0)
    half = float((high - low).max()) / COARSEST / 2.0
    counts = np.ceil((high - low) / (2.0 * half)).astype(np.int64)
    grid = np.array(list(product(*map(range, counts.tolist()))), dtype=np.float64)
    cubes: FloatArray = low + (grid + 0.5) * 2.0 * half
    skin = surface.pieces, surface.balls
    while True:
        wrong, left = kernels_solids.open_cubes(
            cubes, half, np.concatenate(planes), starts, *skin, tolerance, ROUNDING_M
        )
        if wrong >= 0:
            return False
        cubes = cubes[left]
        if not len(cubes):
            return True
        if 8 * len(cubes) > MOST or half * math.sqrt(3.0) <= FINEST * tolerance:
            return False
        half /= 2.0
        cubes = (cubes[:, None] + half * _WAYS).reshape(-1, 3)


def _planes(parts: Sequence[ConvexMesh]) -> list[FloatArray]:
    """The sides (K, 4) of each part, outwards."""
    return [np.asarray(ConvexHull(part.vertices).equations) for part in parts]


def _within(planes: Sequence[FloatArray], points: FloatArray) -> BoolArray:
    """Which points (N, 3) are in which parts (N, P); to ROUNDING_M."""
    return np.stack([(points @ own[:, :3].T + own[:, 3]).max(axis=1) <= ROUNDING_M for own in planes], axis=1)
