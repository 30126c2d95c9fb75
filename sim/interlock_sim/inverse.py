"""Joint positions that put the tool where it is wanted: damped least squares, for a whole path at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from scipy.spatial.transform import Rotation

from interlock.arrays import FloatArray
from interlock.errors import InterlockError

Forward: TypeAlias = Callable[[FloatArray], FloatArray]
"""World poses (N, 4, 4) of the tool for joint positions (N, n) [rad]."""

DAMPING = 1e-3
NUDGE_RAD = 1e-6
CLOSE = 1e-5  # m and rad
STEP_RAD = 0.3
ROUNDS = 60


class OutOfReach(InterlockError):
    """No joint positions within the limits put the tool there."""


def solve(forward: Forward, targets: FloatArray, guess: FloatArray, lower: FloatArray, upper: FloatArray) -> FloatArray:
    """Joint positions (N, n) [rad] within lower and upper (n,), near guess (N, n), with the tool at targets (N, 4, 4).

    Each is within 0.01 mm and 0.01 mrad. Where joints are redundant the guess decides, so a smooth guess gives a smooth
    path. Raises OutOfReach.
    """
    positions = guess.copy()
    error = _error(forward(positions), targets)
    for _ in range(ROUNDS):
        if np.abs(error).max() < CLOSE:
            return positions
        jacobian = _jacobian(forward, positions)
        square = jacobian @ jacobian.transpose(0, 2, 1) + DAMPING**2 * np.eye(6)
        step = (jacobian.transpose(0, 2, 1) @ np.linalg.solve(square, error[:, :, None]))[:, :, 0]
        longest = np.abs(step).max(axis=1, keepdims=True)
        positions = np.clip(positions + step * np.minimum(1.0, STEP_RAD / np.maximum(longest, STEP_RAD)), lower, upper)
        error = _error(forward(positions), targets)
    worst = int(np.abs(error).max(axis=1).argmax())
    raise OutOfReach(
        f"the tool stays {np.linalg.norm(error[worst, :3]):.4f} m from {targets[worst, :3, 3].round(3).tolist()}"
    )


def _error(poses: FloatArray, targets: FloatArray) -> FloatArray:
    """From poses to targets, in the world: (N, 6) as m and rad."""
    turn = Rotation.from_matrix(targets[:, :3, :3] @ poses[:, :3, :3].transpose(0, 2, 1)).as_rotvec()
    return np.concatenate([targets[:, :3, 3] - poses[:, :3, 3], turn], axis=1)


def _jacobian(forward: Forward, positions: FloatArray) -> FloatArray:
    """Change of the tool's pose per rad of each joint, (N, 6, n)."""
    count, joints = positions.shape
    nudged = positions[:, None, :] + NUDGE_RAD * np.eye(joints)
    moved = forward(nudged.reshape(-1, joints))
    base = np.repeat(forward(positions), joints, axis=0)
    return (_error(base, moved) / NUDGE_RAD).reshape(count, joints, 6).transpose(0, 2, 1)
