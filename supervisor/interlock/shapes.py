"""Convex shapes as the forecast measures them: how far they reach in a direction, and the box and ball around them."""

from __future__ import annotations

import numpy as np

from .arrays import FloatArray
from .geometry import Box, Capsule, ConvexMesh, Cylinder, HalfSpace, Shape, Sphere


def support(shape: Shape, directions: FloatArray) -> FloatArray:
    """Largest p . d over the points p of the shape, in its own frame, for directions d (K, 3); (K,), inf where unbounded."""
    match shape:
        case Box():
            return np.asarray(np.abs(directions) @ (np.array(shape.size) / 2.0))
        case Sphere():
            return np.asarray(shape.radius * np.linalg.norm(directions, axis=1))
        case Cylinder():
            round_part = shape.radius * np.hypot(directions[:, 0], directions[:, 1])
            return np.asarray(round_part + shape.length / 2.0 * np.abs(directions[:, 2]))
        case Capsule():
            round_part = shape.radius * np.linalg.norm(directions, axis=1)
            return np.asarray(round_part + shape.length / 2.0 * np.abs(directions[:, 2]))
        case ConvexMesh():
            return np.asarray((shape.vertices @ directions.T).max(axis=0))
        case HalfSpace():
            aligned = np.linalg.norm(np.cross(directions, unit_normal(shape)), axis=1) <= 1e-12
            return np.where(aligned & (directions @ unit_normal(shape) > 0.0), 0.0, np.inf)


def box_around(shape: Shape) -> tuple[FloatArray, FloatArray]:
    """The lowest and the highest corner (3,) of the smallest box around the shape, along the axes of its own frame."""
    return -support(shape, -np.eye(3)), support(shape, np.eye(3))


def ball_around(shape: Shape) -> tuple[FloatArray, float]:
    """The centre (3,) and radius of a ball around a bounded shape; the smallest but for meshes, where it is near."""
    low, high = box_around(shape)
    centre = (low + high) / 2.0
    match shape:
        case Sphere():
            radius = shape.radius
        case Capsule():
            radius = shape.radius + shape.length / 2.0
        case Cylinder():
            radius = float(np.hypot(shape.radius, shape.length / 2.0))
        case ConvexMesh():
            radius = float(np.linalg.norm(shape.vertices - centre, axis=1).max())
        case _:
            radius = float(np.linalg.norm(high - centre))
    return centre, radius


def gap_to(shape: Shape, points: FloatArray) -> FloatArray:
    """A lower bound [m] of the distance from points (..., 3), in the shape's frame, to the shape; below 0 only for half-spaces."""
    if isinstance(shape, HalfSpace):
        return np.asarray(points @ unit_normal(shape))
    low, high = box_around(shape)
    outside = np.maximum(np.abs(points - (low + high) / 2.0) - (high - low) / 2.0, 0.0)
    return np.asarray(np.linalg.norm(outside, axis=-1))


def unit_normal(shape: HalfSpace) -> FloatArray:
    """The normal (3,), at length 1 exactly."""
    normal = np.array(shape.normal)
    return np.asarray(normal / np.linalg.norm(normal))
