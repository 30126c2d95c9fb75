"""How a case's robot gets somewhere: joint positions for a place of the tool, and a quintic from rest to rest."""

from __future__ import annotations

import numpy as np
from scipy.optimize import least_squares

from interlock.arrays import FloatArray
from interlock.motion import RobotModel
from interlock.profile import Profile

CLOSE_M = 1e-4  # and 1e-4 of the length of an axis: 0.1 mrad


class OutOfReach(Exception):
    """No joint positions within the limits put the tool there."""


def tool_poses(model: RobotModel, positions: FloatArray) -> FloatArray:
    """World poses (N, 4, 4) of the first tool point for joint positions (N, n) [rad]."""
    link, offset = model.tool_offsets["tcp"]
    return np.asarray(model.forward(positions)[:, model.links.index(link)] @ offset)


def reach(model: RobotModel, profile: Profile, seed: FloatArray, point: FloatArray, axes: FloatArray) -> FloatArray:
    """Joint positions (n,) near the seed that put the tool at a point (3,) [m, world].

    `axes` (3, 3): the tool's x, y and z in the world; a column of NaN is free. Raises OutOfReach.
    """
    lower = np.array([joint.lower for joint in profile.joints])
    upper = np.array([joint.upper for joint in profile.joints])
    wanted = np.column_stack([axes, point])
    judged = ~np.isnan(wanted)

    def errors(positions: FloatArray) -> FloatArray:
        return np.asarray((tool_poses(model, positions[None])[0, :3] - wanted)[judged])

    found = least_squares(
        errors, np.clip(seed, lower, upper), bounds=(lower, upper), xtol=1e-12, ftol=1e-12, gtol=1e-12
    )
    if not np.abs(found.fun).max() <= CLOSE_M:
        miss = float(np.linalg.norm(tool_poses(model, found.x[None])[0, :3, 3] - point))
        raise OutOfReach(
            f"the tool stays {miss:.3f} m from {np.round(point, 3).tolist()}, or cannot turn as it should there"
        )
    return np.asarray(found.x)


def quintic(rows: int) -> FloatArray:
    """Shares (rows,) of a way, from rest to rest: without a jump in speed or acceleration; the last is 1."""
    t = np.arange(1, rows + 1) / rows
    return np.asarray(t**3 * (10.0 - 15.0 * t + 6.0 * t**2))
