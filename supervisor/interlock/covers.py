"""Balls that together contain a convex hull, by construction: the hull is cut by planes, and each piece gets a ball.

A piece of a convex hull between planes is the convex hull of its corners: those of the hull between the planes, and
where segments between corners cross a plane. A ball that contains the corners contains the piece, and the pieces are
the whole hull.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from scipy.spatial import ConvexHull, QhullError

from .arrays import FloatArray, frozen
from .geometry import Box, ConvexMesh, HalfSpace
from .kept import Kept
from .shapes import Side, planes_of

BALLS: Final = 16  # more make each query slower, and fewer leave more to PyBullet
ROUNDS: Final = 20
KEPT: Final = 4096  # shapes; more than all robots of a process, their fingers and what they hold
ROUNDING: Final = 1e-9  # relative to a radius: what sums and roots may be off


def cover(points: FloatArray, balls: int = BALLS) -> FloatArray:
    """Balls (S, 4), S <= `balls`, centres and radii [m], that contain the convex hull of points (P, 3)."""
    pieces = [(_Piece(points), ball_around(points))]
    while len(pieces) < balls:
        widest = max(range(len(pieces)), key=lambda index: float(pieces[index][1][3]))
        piece, ball = pieces[widest]
        halves = [(half, ball_around(half.points)) for half in piece.halves()]
        if not max(float(half[3]) for _, half in halves) < float(ball[3]):
            break
        pieces[widest : widest + 1] = halves
    return frozen(np.array([ball for _, ball in pieces]))


class _Piece:
    """The convex hull of points (P, 3), and the ends (E, 2) of segments among which all of its edges are."""

    def __init__(self, points: FloatArray) -> None:
        try:
            hull = ConvexHull(points)
        except (QhullError, ValueError):  # too flat to have a volume: every two points may be an edge
            ends = np.triu_indices(len(points), 1)
            self.points, self.ends = points, np.stack(ends, axis=1)
            return
        sides = hull.simplices[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)
        place = np.zeros(len(points), dtype=np.int64)
        place[hull.vertices] = np.arange(len(hull.vertices))
        self.points, self.ends = points[hull.vertices], np.unique(np.sort(place[sides], axis=1), axis=0)

    def halves(self) -> tuple[_Piece, _Piece]:
        """The piece cut across its longest direction, in the middle; the cut belongs to both."""
        _, _, axes = np.linalg.svd(self.points - self.points.mean(axis=0), full_matrices=False)
        along = self.points @ axes[0]
        across = along - (along.min() + along.max()) / 2.0
        one, other = across[self.ends[:, 0]], across[self.ends[:, 1]]
        cut = np.flatnonzero(one * other < 0.0)
        share = (one[cut] / (one[cut] - other[cut]))[:, None]
        start, end = self.points[self.ends[cut, 0]], self.points[self.ends[cut, 1]]
        crossings = start + share * (end - start)
        below, above = (np.concatenate([self.points[side], crossings]) for side in (across <= 0.0, across >= 0.0))
        return _Piece(below), _Piece(above)


_BALLS: Final = Kept[tuple[str, bytes], FloatArray](KEPT)
_PLANES: Final = Kept[str, FloatArray](KEPT)


def balls_of(side: Side) -> FloatArray:
    """Balls (S, 4) in the frame of the side's link that contain the side; found once for each shape and place."""
    return _BALLS.of((side.key, side.offset.tobytes()), lambda: _balls(side))


def sides_of(side: Side) -> FloatArray:
    """The planes (K, 4) of a shape, in its own frame; found once for each shape."""
    return _PLANES.of(side.key, lambda: planes_of(side.shape))


def _balls(side: Side) -> FloatArray:
    match side.shape:
        case ConvexMesh(vertices=vertices):
            found = cover(vertices)
        case Box(size=(x, y, z)):
            corners = [[i * x, j * y, k * z] for i in (-0.5, 0.5) for j in (-0.5, 0.5) for k in (-0.5, 0.5)]
            found = cover(np.array(corners))
        case HalfSpace():
            return np.empty((0, 4))
        case _:
            return np.append(side.centre, side.ball)[None]
    return np.column_stack([found[:, :3] @ side.offset[:3, :3].T + side.offset[:3, 3], found[:, 3]])


def ball_around(points: FloatArray) -> FloatArray:
    """A ball (4,) that contains points (P, 3), not much larger than the smallest (Badoiu and Clarkson, 2003)."""
    centre = (points.min(axis=0) + points.max(axis=0)) / 2.0
    best, radius = centre, math.inf
    for step in range(1, ROUNDS + 1):
        away = np.sqrt(((points - centre) ** 2).sum(axis=1))
        furthest = int(away.argmax())
        if float(away[furthest]) < radius:
            best, radius = centre, float(away[furthest])
        centre = centre + (points[furthest] - centre) / (step + 1.0)
    return np.append(best, radius * (1.0 + ROUNDING))
