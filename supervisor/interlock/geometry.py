"""Poses and shapes: plain numbers in metres and radians that the cell, the scene and held objects are made of."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

import numpy as np

from .arrays import FloatArray, floats, frozen
from .fields import check_fields

Vector: TypeAlias = tuple[float, float, float]
Quaternion: TypeAlias = tuple[float, float, float, float]

FARTHEST_M = 1e6  # no pose and no corner of a shape is further away; squares of it stay exact enough, and finite
LARGEST_M = 1e4  # of a shape; more is a unit mistaken, and overflows what is computed from it
QUATERNION_NORM_TOLERANCE = 1e-3  # a norm further off than this is not rounding, it is another convention


@dataclass(frozen=True, slots=True)
class Pose:
    """A rigid transform: position [m] and unit quaternion x, y, z, w. Holds what a sensor sent; `fault` judges it."""

    xyz: Vector = (0.0, 0.0, 0.0)
    quat_xyzw: Quaternion = (0.0, 0.0, 0.0, 1.0)

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def fault(self) -> str | None:
        """Why this is no rigid transform, or None."""
        x, y, z, w = self.quat_xyzw
        if not all(map(math.isfinite, (*self.xyz, x, y, z, w))):
            return "a pose must be finite"
        if not max(map(abs, self.xyz)) <= FARTHEST_M:
            return f"a pose must be within {FARTHEST_M:g} m, got {self.xyz}"
        norm = math.sqrt(x * x + y * y + z * z + w * w)
        if not abs(norm - 1.0) <= QUATERNION_NORM_TOLERANCE:
            return f"a quaternion must have norm 1 within {QUATERNION_NORM_TOLERANCE}, got {norm:.6g}"
        return None

    def matrix(self) -> FloatArray:
        """The homogeneous matrix, shape (4, 4); the quaternion is normalised. Raises ValueError where `fault` is not
        None.
        """
        if self.fault is not None:
            raise ValueError(self.fault)
        x, y, z, w = np.asarray(self.quat_xyzw) / np.linalg.norm(self.quat_xyzw)
        matrix = np.eye(4)
        matrix[:3, :3] = [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
        matrix[:3, 3] = self.xyz
        return frozen(matrix)


def _positive(**values: float) -> None:
    for name, value in values.items():
        if not 0.0 < value < math.inf:
            raise ValueError(f"{name} must be positive and finite, got {value}")
        if not value <= LARGEST_M:
            raise ValueError(f"{name} must be at most {LARGEST_M:g} m, got {value:g}")


@dataclass(frozen=True, slots=True)
class Box:
    """A box centred at its pose; full edge lengths [m] along x, y, z."""

    kind: ClassVar[str] = "box"
    size: Vector

    def __post_init__(self) -> None:
        check_fields(self)
        _positive(size_x=self.size[0], size_y=self.size[1], size_z=self.size[2])


@dataclass(frozen=True, slots=True)
class Sphere:
    """A ball centred at its pose; radius [m]."""

    kind: ClassVar[str] = "sphere"
    radius: float

    def __post_init__(self) -> None:
        check_fields(self)
        _positive(radius=self.radius)


@dataclass(frozen=True, slots=True)
class Cylinder:
    """A cylinder along z, centred at its pose; radius and full length [m]."""

    kind: ClassVar[str] = "cylinder"
    radius: float
    length: float

    def __post_init__(self) -> None:
        check_fields(self)
        _positive(radius=self.radius, length=self.length)


@dataclass(frozen=True, slots=True)
class Capsule:
    """A capsule along z, centred at its pose; radius, and length [m] between the centres of its two caps."""

    kind: ClassVar[str] = "capsule"
    radius: float
    length: float

    def __post_init__(self) -> None:
        check_fields(self)
        _positive(radius=self.radius, length=self.length)


@dataclass(frozen=True, slots=True, eq=False)
class ConvexMesh:
    """The convex hull of points [m], shape (V, 3) with V >= 4, in the frame of its pose."""

    kind: ClassVar[str] = "convex_mesh"
    vertices: FloatArray

    def __post_init__(self) -> None:
        vertices = floats("vertices", self.vertices, 2)
        if vertices.shape[1] != 3 or len(vertices) < 4 or not (np.abs(vertices) <= FARTHEST_M).all():
            raise ValueError(f"vertices must be finite and of shape (V >= 4, 3), got {vertices.shape}")
        if np.linalg.matrix_rank(vertices - vertices[0], tol=1e-9) < 3:
            raise ValueError("vertices must span a volume; these lie in one plane")
        object.__setattr__(self, "vertices", vertices)


@dataclass(frozen=True, slots=True)
class HalfSpace:
    """All points p with normal . (p - origin of its pose) <= 0, as a floor with normal (0, 0, 1); normal in the pose's
    frame.
    """

    kind: ClassVar[str] = "half_space"
    normal: Vector

    def __post_init__(self) -> None:
        check_fields(self)
        norm = math.sqrt(sum(value * value for value in self.normal))
        if not abs(norm - 1.0) <= QUATERNION_NORM_TOLERANCE:
            raise ValueError(f"normal must have length 1, got {norm:.6g}")


Shape: TypeAlias = Box | Sphere | Cylinder | Capsule | ConvexMesh | HalfSpace


@dataclass(frozen=True, slots=True, eq=False)
class ConvexParts:
    """A solid that need not be convex, as convex meshes in one frame: together they contain it, and none reaches
    further than `tolerance_m` beyond it; and the SHA-256 [hex] of the file that it was read from.
    """

    kind: ClassVar[str] = "convex_parts"
    parts: tuple[ConvexMesh, ...]
    tolerance_m: float
    mesh_sha256: str

    def __post_init__(self) -> None:
        check_fields(self)
        if not self.parts:
            raise ValueError("a solid needs at least one convex part")
        _positive(tolerance_m=self.tolerance_m)
