"""The convex hull of each link, from its URDF's collision geometry: never smaller than that, never empty."""

from __future__ import annotations

import hashlib
import io
import math

import numpy as np
import trimesh
from scipy.spatial import ConvexHull, QhullError

from .arrays import FloatArray, IntArray, frozen
from .errors import UnusableInput
from .geometry import Box, ConvexMesh, Cylinder, Sphere
from .urdf import Collision, Mesh, UrdfLink

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
    kind = mesh.file.suffix.lower().removeprefix(".")
    if kind not in {"obj", "stl", "ply", "off"}:
        raise UnusableInput(f"mesh {mesh.file.name}: {kind!r} is not read; convert it to obj or stl")
    content = mesh.file.read_bytes()
    if hashlib.sha256(content).hexdigest() != mesh.sha256:
        raise UnusableInput(f"mesh {mesh.file.name} was changed since its URDF was read; load the robot again")
    points = read_mesh(content, kind, mesh.file.name)[0] * np.array(mesh.scale)
    if len(points) == 0 or not np.isfinite(points).all():
        raise UnusableInput(f"mesh {mesh.file.name} has no vertices, or some that are not finite")
    return frozen(points)


def read_mesh(content: bytes, kind: str, name: str) -> tuple[FloatArray, IntArray]:
    """The vertices (V, 3) and the triangles (F, 3), by index, of a mesh file's bytes, as they stand there; raises
    UnusableInput where they are no mesh of that kind. No other file is opened.
    """
    try:
        found = trimesh.load_mesh(io.BytesIO(content), file_type=kind, process=False)
        triangles = np.asarray(getattr(found, "faces", ()), dtype=np.int64).reshape(-1, 3)
        return np.asarray(found.vertices, dtype=np.float64), triangles
    except Exception as error:  # a parser of foreign files may raise anything
        raise UnusableInput(f"mesh {name} cannot be read: {error!r}") from error


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
