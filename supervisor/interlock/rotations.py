"""What the numbers of a rotation mean, by the convention that their channels name; no two conventions are told apart by
their numbers alone.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from scipy.spatial.transform import Rotation as Turn

from .arrays import FloatArray
from .chunk import Rotation, Unit
from .geometry import QUATERNION_NORM_TOLERANCE

# Each form of a rotation with its coordinates, in the order of their columns. rXY is row X, column Y of the matrix.
COORDINATES: Final[dict[Rotation, tuple[str, ...]]] = {
    "rotvec": ("rx", "ry", "rz"),  # axis times angle
    "rpy_xyz": ("roll", "pitch", "yaw"),  # about the fixed x, y, z, as in a URDF: Rz(yaw) Ry(pitch) Rx(roll)
    "quat_xyzw": ("qx", "qy", "qz", "qw"),
    "quat_wxyz": ("qw", "qx", "qy", "qz"),
    "rot6d": ("r00", "r10", "r20", "r01", "r11", "r21"),  # the first two columns (Zhou et al., CVPR 2019)
    "rot6d_rows": ("r00", "r01", "r02", "r10", "r11", "r12"),  # the first two rows, as PyTorch3D writes it
    "matrix": ("r00", "r01", "r02", "r10", "r11", "r12", "r20", "r21", "r22"),
}
MATRIX_TOLERANCE: Final = 1e-3  # like a quaternion's: what is further off is another convention
SIX_TOLERANCE: Final = 0.1  # a network's six numbers are made orthogonal here; further off they are something else
MOST_TURN: Final = 2.0 * math.pi  # an angle beyond this is not in radians


def unit_of(rotation: Rotation) -> Unit:
    """The unit of a form's numbers."""
    return "rad" if rotation in ("rotvec", "rpy_xyz") else "ratio"


def fault(rotation: Rotation, values: FloatArray) -> tuple[int, str] | None:
    """The first row of values (R, C) that is no rotation in this form, and why; None where all are. NaN is none."""
    with np.errstate(all="ignore"):  # what is not finite, or overflows, is refused below
        return _fault(rotation, values)


def _fault(rotation: Rotation, values: FloatArray) -> tuple[int, str] | None:
    if rotation == "rotvec":
        size, limit, what = np.linalg.norm(values, axis=1), MOST_TURN, "turns more than once; is it in degrees?"
    elif rotation == "rpy_xyz":
        size, limit, what = np.abs(values).max(axis=1), MOST_TURN, "has an angle above 2 pi rad; is it in degrees?"
    elif rotation in ("quat_xyzw", "quat_wxyz"):
        size = np.abs(np.linalg.norm(values, axis=1) - 1.0)
        limit, what = QUATERNION_NORM_TOLERANCE, f"must have norm 1 within {QUATERNION_NORM_TOLERANCE}"
    elif rotation == "matrix":
        return _matrix_fault(values.reshape(-1, 3, 3))
    else:
        pairs = values.reshape(-1, 2, 3)
        size = np.abs(pairs @ np.swapaxes(pairs, 1, 2) - np.eye(2)).max(axis=(1, 2))
        limit, what = SIX_TOLERANCE, f"must be two unit vectors at right angles within {SIX_TOLERANCE}"
    bad = np.flatnonzero(~(size <= limit))
    return None if not len(bad) else (int(bad[0]), f"{rotation} {what}")


def _matrix_fault(matrices: FloatArray) -> tuple[int, str] | None:
    off = np.abs(matrices @ np.swapaxes(matrices, 1, 2) - np.eye(3)).max(axis=(1, 2))
    left = ~(np.linalg.det(matrices) > 0.0)
    bad = np.flatnonzero(~(off <= MATRIX_TOLERANCE) | left)
    if not len(bad):
        return None
    row = int(bad[0])
    askew = not off[row] <= MATRIX_TOLERANCE
    return row, "matrix must have orthogonal unit columns" if askew else "matrix is left-handed: its determinant is -1"


def matrices(rotation: Rotation, values: FloatArray) -> FloatArray:
    """Rotation matrices (R, 3, 3) of rows of values (R, C) without a `fault`; q and -q give the same."""
    match rotation:
        case "rotvec":
            return np.asarray(Turn.from_rotvec(values).as_matrix())
        case "rpy_xyz":
            return np.asarray(Turn.from_euler("xyz", values).as_matrix())
        case "quat_xyzw":
            return np.asarray(Turn.from_quat(values).as_matrix())
        case "quat_wxyz":
            return np.asarray(Turn.from_quat(np.roll(values, -1, axis=1)).as_matrix())
        case "matrix":
            return _orthogonal(values.reshape(-1, 3, 3)[:, :, 0], values.reshape(-1, 3, 3)[:, :, 1])
        case "rot6d_rows":
            return np.swapaxes(_orthogonal(values[:, :3], values[:, 3:]), 1, 2)
        case _:
            return _orthogonal(values[:, :3], values[:, 3:])


def _orthogonal(first: FloatArray, second: FloatArray) -> FloatArray:
    """Right-handed matrices (R, 3, 3) whose first column is along `first`, the second as near to `second` as can be."""
    x: FloatArray = first / np.linalg.norm(first, axis=1, keepdims=True)
    across = second - (second * x).sum(axis=1, keepdims=True) * x
    y: FloatArray = across / np.linalg.norm(across, axis=1, keepdims=True)
    return np.stack([x, y, np.cross(x, y)], axis=2)


def rotvecs(found: FloatArray) -> FloatArray:
    """The shortest rotation vectors (R, 3) [rad] of rotation matrices (R, 3, 3)."""
    return np.asarray(Turn.from_matrix(found).as_rotvec())
