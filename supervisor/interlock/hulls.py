"""The convex hull of each link, from its URDF's collision geometry: never smaller than that, never empty."""

from __future__ import annotations

import hashlib
import math

import numpy as np
from scipy.spatial import ConvexHull, QhullError

from .arrays import FloatArray, frozen
from .errors import UnusableInput
from .geometry import Box, ConvexMesh, Cylinder, Sphere
from .mesh_formats import MESH_BYTES, read_corners
from .urdf import Collision, Mesh, UrdfLink, bytes_of

SIDES = 48  # of the prism around a cylinder: 0.2 % of the radius too large
GLOBE = 600  # points around a sphere: about 1 % of the radius too large


def hull_of(link: UrdfLink) -> ConvexMesh | None:
    """The hull of all that the link can hit with, in its frame; None only where the URDF gives no geometry."""
    if not link.collisions:
        return None
    try:
        return convex_hull(np.concatenate([_corners(collision) for collision in link.collisions]))
    except (QhullError, ValueError) as error:
        raise UnusableInput(f"link {link.name!r} has collision geometry without a volume: {error}") from error


def convex_hull(points: FloatArray) -> ConvexMesh:
    """The hull of points (P, 3), its corners in the order of the points."""
    return ConvexMesh(points[np.sort(ConvexHull(points).vertices)])


def swept(hull: ConvexMesh, direction: FloatArray, low: float, high: float) -> ConvexMesh:
    """The hull of a hull that slides from low to high [m] along a direction (3,) in its own frame."""
    return convex_hull(np.concatenate([hull.vertices + low * direction, hull.vertices + high * direction]))


def _corners(collision: Collision) -> FloatArray:
    points = _points(collision.geometry)
    moved: FloatArray = points @ collision.origin[:3, :3].T + collision.origin[:3, 3]
    return moved


def _points(geometry: Box | Sphere | Cylinder | Mesh) -> FloatArray:
    match geometry:
        case Mesh():
            return _read(geometry)
        case Box(size=(x, y, z)):
            return _grid(x / 2.0, y / 2.0, z / 2.0)
        case Cylinder(radius=radius, length=length):
            return _prism(radius, length)
        case _:
            return _globe(geometry.radius)


def _read(mesh: Mesh) -> FloatArray:
    """All vertices of a mesh file, scaled; its materials and textures are never looked at."""
    content = bytes_of(mesh.file, MESH_BYTES)
    if hashlib.sha256(content).hexdigest() != mesh.sha256:
        raise UnusableInput(f"mesh {mesh.file.name} was changed since its URDF was read; load the robot again")
    with np.errstate(over="ignore"):
        points = read_corners(content, mesh.file.suffix.lower().removeprefix("."), mesh.file.name) * np.array(
            mesh.scale
        )
    if not np.isfinite(points).all():
        raise UnusableInput(f"mesh {mesh.file.name}, scaled by {mesh.scale}, is not finite; mend the scale")
    return frozen(points)


def _grid(x: float, y: float, z: float) -> FloatArray:
    return np.array([[i * x, j * y, k * z] for i in (-1, 1) for j in (-1, 1) for k in (-1, 1)], dtype=np.float64)


def _prism(radius: float, length: float) -> FloatArray:
    angles = np.arange(SIDES) * (2.0 * math.pi / SIDES)
    ring = np.column_stack([np.cos(angles), np.sin(angles)]) * (radius / math.cos(math.pi / SIDES))
    return np.array([[x, y, z] for x, y in ring.tolist() for z in (-length / 2.0, length / 2.0)])


def _globe(radius: float) -> FloatArray:
    """Points on a Fibonacci spiral, so far out that the ball lies inside their hull."""
    heights = 1.0 - 2.0 * (np.arange(GLOBE) + 0.5) / GLOBE
    turns = np.arange(GLOBE) * (math.pi * (3.0 - math.sqrt(5.0)))
    width = np.sqrt(1.0 - heights**2)
    points = np.column_stack([width * np.cos(turns), width * np.sin(turns), heights])
    inner = -float(ConvexHull(points).equations[:, 3].max())
    return np.asarray(points * (radius / inner))
