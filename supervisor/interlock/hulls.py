"""The convex hull of each link, from the collision geometry of its URDF: never smaller than the geometry, never empty."""

from __future__ import annotations

import io
import math

import numpy as np
import trimesh
from scipy.spatial import ConvexHull, QhullError

from .arrays import FloatArray, frozen
from .errors import UnusableInput
from .geometry import Box, ConvexMesh, Cylinder, Sphere
from .urdf import Collision, Mesh, UrdfLink

SIDES = 48  # of the prism around a cylinder: 0.2 % of the radius too large


def hull_of(link: UrdfLink) -> ConvexMesh | None:
    """The hull of everything the link can hit with, in the link's frame; None only where the URDF gives no collision geometry."""
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
    match collision.geometry:
        case Mesh():
            points = _read(collision.geometry)
        case Box(size=size):
            points = _grid(size[0] / 2.0, size[1] / 2.0, size[2] / 2.0)
        case Cylinder(radius=radius, length=length):
            points = _prism(radius, length)
        case Sphere(radius=radius):
            ball = trimesh.creation.icosphere(subdivisions=3)
            points = np.asarray(ball.vertices) * (
                radius / float(np.einsum("ij,ij->i", ball.face_normals, ball.triangles[:, 0]).min())
            )
    moved: FloatArray = points @ collision.origin[:3, :3].T + collision.origin[:3, 3]
    return moved


def _read(mesh: Mesh) -> FloatArray:
    """All vertices of a mesh file, scaled; its materials and textures are never looked at."""
    kind = mesh.file.suffix.lower().removeprefix(".")
    if kind not in {"obj", "stl", "ply", "off"}:
        raise UnusableInput(f"mesh {mesh.file.name}: {kind!r} is not read; convert it to obj or stl")
    try:
        found = trimesh.load_mesh(io.BytesIO(mesh.file.read_bytes()), file_type=kind, process=False)
    except Exception as error:  # a parser of foreign files may raise anything
        raise UnusableInput(f"mesh {mesh.file.name} cannot be read: {error!r}") from error
    points = np.asarray(found.vertices, dtype=np.float64) * np.array(mesh.scale)
    if len(points) == 0 or not np.isfinite(points).all():
        raise UnusableInput(f"mesh {mesh.file.name} has no vertices, or some that are not finite")
    return frozen(points)


def _grid(x: float, y: float, z: float) -> FloatArray:
    return np.array([[i * x, j * y, k * z] for i in (-1, 1) for j in (-1, 1) for k in (-1, 1)], dtype=np.float64)


def _prism(radius: float, length: float) -> FloatArray:
    angles = np.arange(SIDES) * (2.0 * math.pi / SIDES)
    ring = np.column_stack([np.cos(angles), np.sin(angles)]) * (radius / math.cos(math.pi / SIDES))
    return np.array([[x, y, z] for x, y in ring.tolist() for z in (-length / 2.0, length / 2.0)])
