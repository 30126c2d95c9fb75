"""Convex shapes as the forecast measures them: how far they reach in a direction, and the box and ball around them."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np
from scipy.spatial import ConvexHull

from . import kernels, kernels_planes
from .arrays import FloatArray
from .geometry import Box, Capsule, ConvexMesh, Cylinder, HalfSpace, Shape, Sphere

WORLD = -1  # the link that never moves: the last of the frames


class Solid(NamedTuple):
    """A shape as the kernels take it: `kernels.from_solid` and `kernels_planes.support` say what kind and size (3,)
    mean; corners (V, 3) of a convex mesh.
    """

    kind: int
    size: FloatArray
    corners: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """A shape at `offset` (4, 4) in the frame of a link, by its index; the world is the last link.

    key: the same for the same shape. low, high (3,): the box around the shape, along its own axes, in its own frame.
    centre (3,) and ball: a ball around it, in the link's frame; reach: the largest distance [m] of any of its points
    from the link's origin.
    """

    shape: Shape
    key: str
    offset: FloatArray
    link: int
    low: FloatArray
    high: FloatArray
    centre: FloatArray
    ball: float
    reach: float
    solid: Solid

    @property
    def endless(self) -> bool:
        """Whether it is a half-space: all below z = 0 in the frame `offset`."""
        return self.solid.kind == kernels.FLOOR


def side(shape: Shape, offset: FloatArray, link: int) -> Side:
    """A side, with the box and the ball around it; a half-space is turned so that its normal is its z axis."""
    if isinstance(shape, HalfSpace):
        turned = offset @ upright(np.array(shape.normal))
        edges = np.full(3, -math.inf), np.array([math.inf, math.inf, 0.0])
        floor = HalfSpace((0.0, 0.0, 1.0))
        return Side(floor, repr(floor), turned, link, *edges, np.zeros(3), math.inf, math.inf, solid_of(floor))
    low, high = -support(shape, -np.eye(3)), support(shape, np.eye(3))
    middle = (low + high) / 2.0
    ball = _ball(shape, middle)
    centre = offset[:3, :3] @ middle + offset[:3, 3]
    if isinstance(shape, ConvexMesh):
        key = hashlib.sha256(shape.vertices.tobytes()).hexdigest()
        reach = _furthest(shape.vertices @ offset[:3, :3].T + offset[:3, 3])
    else:
        key, reach = repr(shape), float(np.linalg.norm(centre)) + ball
    return Side(shape, key, offset, link, low, high, centre, ball, reach, solid_of(shape))


def at(one: Side, offset: FloatArray) -> Side:
    """The same shape at another offset (4, 4) in the frame of its link."""
    if one.endless:
        return replace(one, offset=offset)
    centre = offset[:3, :3] @ ((one.low + one.high) / 2.0) + offset[:3, 3]
    return replace(one, offset=offset, centre=centre, reach=float(np.linalg.norm(centre)) + one.ball)


def point(link: int) -> Side:
    """The origin of a link that has no shape."""
    still = np.zeros(3)
    tiny = Sphere(1e-9)
    return Side(tiny, "", np.eye(4), link, still, still, still, 0.0, 0.0, solid_of(tiny))


def support(shape: Shape, directions: FloatArray) -> FloatArray:
    """Largest p . d over the points p of the shape, in its frame, for directions d (K, 3); (K,), inf if unbounded."""
    match shape:
        case Box():
            return np.asarray(np.abs(directions) @ (np.array(shape.size) / 2.0))
        case Sphere():
            return np.asarray(shape.radius * np.linalg.norm(directions, axis=1))
        case Cylinder():
            rounded = shape.radius * np.hypot(directions[:, 0], directions[:, 1])
            return np.asarray(rounded + shape.length / 2.0 * np.abs(directions[:, 2]))
        case Capsule():
            rounded = shape.radius * np.linalg.norm(directions, axis=1)
            return np.asarray(rounded + shape.length / 2.0 * np.abs(directions[:, 2]))
        case ConvexMesh():
            return np.asarray((directions @ shape.vertices.T).max(axis=1))
        case _:
            aligned = np.linalg.norm(np.cross(directions, shape.normal), axis=1) <= 1e-12
            return np.where(aligned & (directions @ np.array(shape.normal) > 0.0), 0.0, math.inf)


def separation(first: Side, second: Side, poses: FloatArray, normal: FloatArray) -> FloatArray:
    """Least of n . p over the first minus largest over the second (N,) [m], for poses (N, 4, 4) of the first in the
    frame of the second and a unit normal n (3,) there: never more than their signed distance.
    """
    return kernels_planes.gaps(poses, normal, *first.solid, *second.solid)


NO_CORNERS: Final = np.empty((0, 3))


def solid_of(shape: Shape) -> Solid:
    """The shape as the kernels take it."""
    match shape:
        case Box():
            return Solid(kernels.BOX, np.array(shape.size) / 2.0, NO_CORNERS)
        case Sphere():
            return Solid(kernels.BALL, np.array([shape.radius, 0.0, 0.0]), NO_CORNERS)
        case Cylinder():
            return Solid(kernels.CYLINDER, np.array([shape.radius, shape.length / 2.0, 0.0]), NO_CORNERS)
        case Capsule():
            return Solid(kernels.CAPSULE, np.array([shape.radius, shape.length / 2.0, 0.0]), NO_CORNERS)
        case ConvexMesh(vertices=vertices):
            return Solid(kernels.PLANES, np.zeros(3), vertices)
        case _:
            return Solid(kernels.FLOOR, np.zeros(3), NO_CORNERS)


def planes_of(shape: Shape) -> FloatArray:
    """The sides of a convex mesh, or the one of a half-space, as `kernels.from_solid` takes them: (K, 4)."""
    match shape:
        case ConvexMesh(vertices=vertices):
            return np.asarray(ConvexHull(vertices).equations)
        case HalfSpace():
            return np.array([[*shape.normal, 0.0]])
        case _:
            return np.empty((0, 4))


def rounded_up(shape: Shape) -> Shape:
    """The shape, at most 1 mm larger, in whole millimetres; meshes and half-spaces as they are."""
    match shape:
        case Box(size=(x, y, z)):
            return Box((_millimetres(x), _millimetres(y), _millimetres(z)))
        case Sphere(radius=radius):
            return Sphere(_millimetres(radius))
        case Cylinder(radius=radius, length=length):
            return Cylinder(_millimetres(radius), _millimetres(length))
        case Capsule(radius=radius, length=length):
            return Capsule(_millimetres(radius), _millimetres(length))
        case _:
            return shape


def _millimetres(length: float) -> float:
    return max(1, math.ceil(length * 1e3 - 1e-6)) / 1e3


def _ball(shape: Shape, middle: FloatArray) -> float:
    """The radius of a ball about the middle of the shape's box."""
    match shape:
        case Sphere():
            return shape.radius
        case Capsule():
            return shape.radius + shape.length / 2.0
        case Cylinder():
            return math.hypot(shape.radius, shape.length / 2.0)
        case ConvexMesh():
            return _furthest(shape.vertices - middle)
        case _:
            return float(np.linalg.norm(support(shape, np.eye(3))))


def _furthest(points: FloatArray) -> float:
    return float(np.linalg.norm(points, axis=1).max())


def upright(normal: FloatArray) -> FloatArray:
    """A rotation (4, 4) that takes the z axis to a normal (3,)."""
    up = normal / np.linalg.norm(normal)
    across = np.eye(3)[int(np.abs(up).argmin())]
    x = np.cross(across, up)
    x /= np.linalg.norm(x)
    turn = np.eye(4)
    turn[:3, :3] = np.column_stack([x, np.cross(up, x), up])
    return turn
