"""A closed surface of triangles: what makes it the skin of a solid, and how far points are from that solid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from interlock import kernels_solids
from interlock.arrays import FloatArray, IntArray, frozen

ROUNDING: Final = 1e-9  # relative to a radius: what sums and roots may be off


@dataclass(frozen=True, slots=True, eq=False)
class Surface:
    """Triangles (F, 3), by index, between corners (V, 3) [m], outwards counter-clockwise, without an edge that is open.

    Made by `surface_of`, which sees to that. What it bounds is a solid: what it winds around more than half a time, so
    that bodies in one another are their union, and a skin that faces inwards makes a hollow.
    """

    corners: FloatArray
    triangles: IntArray

    @property
    def pieces(self) -> FloatArray:
        """The corners of each triangle (F, 3, 3)."""
        return np.ascontiguousarray(self.corners[self.triangles])

    @property
    def balls(self) -> FloatArray:
        """A ball (F, 4) around each triangle."""
        middles = self.pieces.mean(axis=1)
        radii = np.sqrt(((self.pieces - middles[:, None]) ** 2).sum(axis=2).max(axis=1)) * (1.0 + ROUNDING)
        return np.column_stack([middles, radii])

    @property
    def bodies(self) -> tuple[Surface, ...]:
        """The surfaces of which no two share an edge, where each bounds a solid alone: what all of them bound is their
        union. Only itself where it is of one piece, or a piece makes a hollow or nothing in the others.
        """
        count, piece = _pieces_by_edges(self.triangles)
        bodies = tuple(_body(self.corners, self.triangles[piece == number]) for number in range(count))
        return bodies if count > 1 and all(_volume(body.corners, body.triangles) > 0.0 for body in bodies) else (self,)

    def outside(self, points: FloatArray) -> FloatArray:
        """How far [m] points (N, 3) are outside of the solid, negative inside: the distance from its surface (N,)."""
        return kernels_solids.outside(points, self.pieces, self.balls)


def surface_of(corners: FloatArray, triangles: IntArray) -> Surface:
    """The surface of a mesh: corners (V, 3) [m] in the same place become one, and triangles (F, 3) without an area by
    that are left out. Raises ValueError where it bounds no solid: what was found, and what to do.

    Every edge is passed as often in one direction as in the other: then the surface is closed, all its triangles face
    to the same side, and the winding number is whole away from it.
    """
    if not np.isfinite(corners).all():
        raise ValueError("some of its corners are not finite")
    if triangles.size and not 0 <= triangles.min() <= triangles.max() < len(corners):
        raise ValueError(f"a triangle names a corner that is none of {len(corners)} corners")
    merged, place = np.unique(corners, axis=0, return_inverse=True)
    faces = place.reshape(-1)[triangles]
    faces = faces[(faces != np.roll(faces, 1, axis=1)).all(axis=1)]
    if not len(faces):
        raise ValueError("it has no triangles")
    _refuse_open(merged, faces)
    _refuse_loose(merged, faces)
    volume = _volume(merged, faces)
    if not volume > 0.0:
        raise ValueError(f"it encloses {volume:g} m^3: its triangles face inwards; turn them round")
    faces.flags.writeable = False
    return Surface(frozen(merged), faces)


def _volume(corners: FloatArray, faces: IntArray) -> float:
    """What faces (F, 3) that are closed enclose [m^3]."""
    a, b, c = np.moveaxis(corners[faces], 1, 0)
    return float(np.einsum("fi,fi->", a, np.cross(b, c)) / 6.0)


def _pieces_by_edges(faces: IntArray) -> tuple[int, IntArray]:
    """How many pieces faces (F, 3) fall into that no edge joins, and in which each is (F,), in the faces' order."""
    edges = np.sort(faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    which = np.unique(edges, axis=0, return_inverse=True)[1].reshape(-1)
    joined = np.repeat(np.arange(len(faces)), 3), len(faces) + which  # a face and an edge of it
    nodes = len(faces) + len(edges)
    graph = coo_array((np.ones(len(which)), joined), shape=(nodes, nodes))
    label = np.asarray(connected_components(graph, directed=False)[1][: len(faces)], dtype=np.int64)
    return int(label.max()) + 1, label


def _body(corners: FloatArray, faces: IntArray) -> Surface:
    used, place = np.unique(faces, return_inverse=True)
    return Surface(frozen(corners[used]), place.reshape(-1, 3).astype(np.int64))


def _refuse_loose(corners: FloatArray, faces: IntArray) -> None:
    """Raises ValueError unless every corner is one of faces (F, 3): another stands for something that is missing."""
    loose = np.setdiff1d(np.arange(len(corners)), faces)
    if len(loose):
        raise ValueError(
            f"{len(loose)} of its corners are in no triangle that has an area, as the one at "
            f"{corners[loose[0]].round(6).tolist()} [m]; remove them, or add the triangles that are missing"
        )


def _refuse_open(corners: FloatArray, faces: IntArray) -> None:
    """Raises ValueError unless every edge of faces (F, 3) is passed as often forwards as backwards."""
    edges = faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)
    forwards = edges[:, 0] < edges[:, 1]
    known, which = np.unique(np.sort(edges, axis=1), axis=0, return_inverse=True)
    passed = np.zeros((2, len(known)), dtype=np.int64)
    np.add.at(passed, (forwards.astype(np.int64), which.reshape(-1)), 1)
    uneven = np.flatnonzero(passed[0] != passed[1])
    if not len(uneven):
        return
    where = " to ".join(str(corners[corner].round(6).tolist()) for corner in known[uneven[0]].tolist())
    if (passed.sum(axis=0) % 2).any():
        raise ValueError(
            f"it is not closed: {len(uneven)} of {len(known)} edges have no triangle on one side, as the one from "
            f"{where} [m]; a body needs a closed surface: repair the mesh"
        )
    raise ValueError(
        f"its triangles do not all face outwards: those at {len(uneven)} of {len(known)} edges contradict each other, "
        f"as at the one from {where} [m]; make their winding consistent"
    )
