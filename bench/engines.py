"""The engines of the extra `referee`: coal's shapes and distances, and bounds on them by arithmetic."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from interlock._bullet import Bullet
from interlock.arrays import FloatArray, IntArray
from interlock.geometry import Box, Capsule, ConvexMesh, Cylinder, HalfSpace, Shape, Sphere
from interlock.shapes import side

HULL_M: Final = 1e-3  # by which Bullet draws a hull larger
EVERYWHERE: Final = np.array([[-np.inf] * 3, [np.inf] * 3])


class MissingEngine(Exception):
    """A library of the extra `referee` is not installed."""


def engine(name: str) -> Any:
    """An engine of the extra `referee`, untyped; raises MissingEngine with what to install."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise MissingEngine(f"{name} is not installed: pip install 'interlock-vla[referee]'") from error


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A convex part: its name, coal's shape, and its corners (V, 3) [m] in the frame that it moves with."""

    name: str
    shape: Any
    corners: FloatArray

    @property
    def ends(self) -> FloatArray:
        """The least and the largest coordinates (2, 3)."""
        return np.array([self.corners.min(axis=0), self.corners.max(axis=0)])

    @property
    def box(self) -> FloatArray:
        """The corners (8, 3) of a box around it: none of its points moves further than the furthest of them."""
        ends = self.ends
        return np.array([[ends[i, 0], ends[j, 1], ends[k, 2]] for i in (0, 1) for j in (0, 1) for k in (0, 1)])

    @property
    def ball(self) -> FloatArray:
        """A ball (4,) around the middle of its box."""
        middle = self.ends.mean(axis=0)
        return np.append(middle, np.linalg.norm(self.corners - middle, axis=1).max())


@dataclass(frozen=True, slots=True, eq=False)
class Thing:
    """Something around the robot: coal's shape at a pose (4, 4); what is lost of its distance now [m] and with each
    second [m/s]; whether it is fixed in the cell, or an object that was seen; what more than the stated margin it
    may be larger than this shape [m], because it was split into convex parts; and the shapes that PyBullet is shown.
    """

    name: str
    shape: Any
    pose: FloatArray
    uncertainty: float
    speed: float
    fixed: bool
    excess: float = 0.0
    convex: tuple[Shape, ...] = ()

    @property
    def ends(self) -> FloatArray:
        """The least and the largest coordinates (2, 3) in its own frame, as coal has them; a half space is everywhere,
        but for the side that it has.
        """
        self.shape.computeLocalAABB()
        box = self.shape.aabb_local
        found = np.array([box.min_, box.max_])
        return np.where(np.abs(found) > 1e6, EVERYWHERE, found)


def coal_hull(corners: FloatArray) -> Any:
    """Coal's convex hull of points (V, 3)."""
    coal = engine("coal")
    points = coal.StdVec_Vec3s()
    points.extend(list(corners))
    return coal.Convex.convexHull(points, True, "Qt")  # keeps triangles


def coal_surface(corners: FloatArray, triangles: IntArray) -> Any:
    """Coal's tree of triangles (F, 3) between corners (V, 3): the surface itself, nothing convex about it."""
    coal = engine("coal")
    surface = coal.BVHModelOBBRSS()
    surface.beginModel(len(triangles), len(corners))
    points, faces = coal.StdVec_Vec3s(), coal.StdVec_Triangle()
    points.extend(list(corners))
    faces.extend([coal.Triangle(*face) for face in triangles.tolist()])
    surface.addSubModel(points, faces)
    surface.endModel()
    return surface


def coal_shape(shape: Shape) -> Any:
    """A shape of a scene as coal's."""
    coal = engine("coal")
    match shape:
        case Box(size=size):
            return coal.Box(*size)
        case Sphere(radius=radius):
            return coal.Sphere(radius)
        case Cylinder(radius=radius, length=length):
            return coal.Cylinder(radius, length)
        case Capsule(radius=radius, length=length):
            return coal.Capsule(radius, length)
        case ConvexMesh(vertices=vertices):
            return coal_hull(vertices)
        case HalfSpace(normal=normal):
            return coal.Halfspace(np.array(normal), 0.0)


class Gauge:
    """Coal's signed distance between two shapes."""

    def __init__(self) -> None:
        coal = engine("coal")
        self._coal = coal
        self._request = coal.DistanceRequest()
        self._request.enable_signed_distance = True
        self._result = coal.DistanceResult()

    def placed(self, pose: FloatArray) -> Any:
        """A pose (4, 4) as coal takes it."""
        return self._coal.Transform3s(pose[:3, :3], pose[:3, 3])

    def distance(self, one: Any, there: Any, other: Any, here: Any) -> float:
        """Distance [m] of two shapes, placed; negative: how deep they are in each other."""
        self._result.clear()
        return float(self._coal.distance(one, there, other, here, self._request, self._result))

    def apart(self) -> FloatArray:
        """The unit normal (3,) of the last answer, from the first shape to the second."""
        return np.array(self._result.normal)


def at_least(balls: FloatArray, poses: FloatArray, ends: FloatArray) -> FloatArray:
    """How far [m] balls (..., 4) of the world are at least from a box of these ends (2, 3) at poses (..., 4, 4)."""
    away = balls[..., :3] - poses[..., :3, 3]
    inside = np.einsum("...j,...jk->...k", away, poses[..., :3, :3])
    outside = np.maximum(np.maximum(ends[0] - inside, inside - ends[1]), 0.0)
    return np.asarray(np.sqrt((outside**2).sum(axis=-1)) - balls[..., 3])


class Witness:
    """PyBullet's signed distance, its margins taken out: it draws hulls 1 mm larger, and rounds edges by 0.73 mm."""

    def __init__(self) -> None:
        self._bullet = Bullet()

    def distance(self, corners: FloatArray, there: FloatArray, others: Sequence[Shape], here: FloatArray) -> float:
        """Least distance [m] between a hull of corners (V, 3) and convex shapes, at poses (4, 4)."""
        ours, pose = side(ConvexMesh(corners), np.eye(4), 0), np.linalg.inv(here) @ there
        found = [
            self._bullet.nearest(ours, side(other, np.eye(4), 0), pose).distance
            + HULL_M * (2.0 if isinstance(other, ConvexMesh) else 1.0)
            for other in others
        ]
        return min(found)
