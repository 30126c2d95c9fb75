"""How a case's robot gets somewhere: joint positions for a place of the tool, and a quintic from rest to rest."""

from __future__ import annotations

from typing import Final

import numpy as np

from interlock.arrays import FloatArray
from interlock.motion import RobotModel
from interlock.profile import Profile

CLOSE: Final = 1e-5  # m, and of the length of an axis
DAMPING: Final = 1e-3
NUDGE_RAD: Final = 1e-6
STEP_RAD: Final = 0.3
ROUNDS: Final = 80


class OutOfReach(Exception):
    """No joint positions within the limits put the tool there."""


def tool_poses(model: RobotModel, positions: FloatArray) -> FloatArray:
    """World poses (N, 4, 4) of the first tool point for joint positions (N, n) [rad]."""
    link, offset = model.tool_offsets["tcp"]
    return np.asarray(model.forward(positions)[:, model.links.index(link)] @ offset)


def reach(model: RobotModel, profile: Profile, seed: FloatArray, point: FloatArray, axes: FloatArray) -> FloatArray:
    """Joint positions (n,) near the seed that put the tool at a point (3,) [m, world], by damped least squares.

    `axes` (3, 3): the tool's x, y and z in the world; a column of NaN is free. Raises OutOfReach.
    """
    lower = np.array([joint.lower for joint in profile.joints])
    upper = np.array([joint.upper for joint in profile.joints])
    wanted = np.column_stack([axes, point])
    judged = ~np.isnan(wanted)
    nudges = np.vstack([np.zeros((1, len(seed))), NUDGE_RAD * np.eye(len(seed))])
    positions: FloatArray = seed
    for _ in range(ROUNDS):
        places = tool_poses(model, positions + nudges)[:, :3][:, judged]
        error = wanted[judged] - places[0]
        if np.abs(error).max() <= CLOSE:
            return positions
        jacobian = (places[1:] - places[0]).T / NUDGE_RAD
        square = jacobian @ jacobian.T + DAMPING**2 * np.eye(len(error))
        step: FloatArray = jacobian.T @ np.asarray(np.linalg.solve(square, error), dtype=np.float64)
        positions = np.clip(positions + step * min(1.0, STEP_RAD / np.abs(step).max()), lower, upper)
    raise OutOfReach(f"the tool cannot be at {np.round(point, 3).tolist()} and turned as it should be there")


def quintic(rows: int) -> FloatArray:
    """Shares (rows,) of a way, from rest to rest: without a jump in speed or acceleration; the last is 1."""
    t = np.arange(1, rows + 1) / rows
    return np.asarray(t**3 * (10.0 - 15.0 * t + 6.0 * t**2))
