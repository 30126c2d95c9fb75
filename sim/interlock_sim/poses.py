"""Rigid transforms as matrices (4, 4) and back."""

from __future__ import annotations

from scipy.spatial.transform import Rotation

from interlock.arrays import FloatArray
from interlock.geometry import Pose, Quaternion, Vector

TOOL_DOWN: Quaternion = (1.0, 0.0, 0.0, 0.0)  # the hand's z axis points down, its x axis along the world's


def pose_of(matrix: FloatArray) -> Pose:
    """The pose of a homogeneous matrix, shape (4, 4)."""
    xyz: Vector = (float(matrix[0, 3]), float(matrix[1, 3]), float(matrix[2, 3]))
    x, y, z, w = Rotation.from_matrix(matrix[:3, :3]).as_quat().tolist()
    return Pose(xyz, (x, y, z, w))
