"""Faults that lead the arm somewhere else, smoothly and within the joints' limits: a policy that is sure of itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

import numpy as np
from scipy.interpolate import BPoly
from scipy.spatial.transform import Rotation

from interlock.arrays import FloatArray
from interlock.chunk import ActionChunk
from interlock.geometry import Vector

from .faulty import Corruption, Moment
from .inverse import solve
from .path import PEAK_SPEED
from .poses import TOOL_DOWN
from .tasks import start_positions

Goal: TypeAlias = Callable[[Moment], FloatArray]
"""Where to, as joint positions (n,) [rad]."""

SHORTEST_S = 0.4
SWEEP_M_S = 0.98  # just below the 1 m/s that a rule may ask for
SWEEP_ROWS = np.concatenate([np.arange(1, 11) / 11.0, np.ones(3), np.arange(10, 0, -1) / 11.0])  # each in full steps
TO_ROD_STEPS = 6.5  # the rod is met in the middle of the twelfth row
OVERLAP_M = 0.002  # how far the fingertips reach below the top of the rod: there they are 13 mm thin
TIP_M = 0.00885  # from the tool point to the fingertips, along the hand
CLOSING_M_S = 0.08
THERE_RAD = 0.002


def steered(goal: Goal, share: float) -> Corruption:
    """Leaves the path for a goal, from wherever the reference is, at up to a share of the joints' speed."""

    def corrupt(chunk: ActionChunk, moment: Moment) -> ActionChunk:
        there = goal(moment)
        rows = _way(chunk, moment, there, share)
        return replace(chunk, values=np.concatenate([rows, chunk.values[:, len(there) :]], axis=1))

    return corrupt


def _way(chunk: ActionChunk, moment: Moment, there: FloatArray, share: float) -> FloatArray:
    """Rows (T, n) of a quintic from the reference to rest at `there` (n,)."""
    reference = moment.asked.reference
    limits = share * np.array([joint.velocity for joint in moment.profile.joints])
    duration_s = max(SHORTEST_S, float((PEAK_SPEED * np.abs(there - reference.positions) / limits).max()))
    still = np.zeros_like(there)
    move = BPoly.from_derivatives(
        [0.0, duration_s], [[reference.positions, reference.velocities, still], [there, still, still]]
    )
    reached_s = np.minimum(chunk.period_s * np.arange(1.0, len(chunk.values) + 1.0), duration_s)
    rows: FloatArray = np.asarray(move(reached_s), dtype=np.float64)
    return rows


def pose(*positions: float) -> Goal:
    """Joint positions [rad]."""
    goal = np.array(positions)
    return lambda _: goal


def tool_at(xyz: Vector) -> Goal:
    """Where the tool is at a place [m, world], pointing down."""
    return lambda moment: _with_tool(moment, moment.asked.reference.positions, xyz, 0.0)


def _with_tool(moment: Moment, near: FloatArray, xyz: Vector, yaw: float) -> FloatArray:
    """Joint positions (n,) near `near` (n,) with the tool at a place, pointing down, turned by a yaw [rad]."""
    target = np.eye(4)
    target[:3, :3] = (Rotation.from_euler("z", yaw) * Rotation.from_quat(TOOL_DOWN)).as_matrix()
    target[:3, 3] = xyz
    found: FloatArray = solve(moment.tool.forward, target[None], near[None], moment.tool.lower, moment.tool.upper)[0]
    return found


def tunnelling(chunk: ActionChunk, moment: Moment) -> ActionChunk:
    """Sweeps the closed fingers through a thin rod between two rows: each row clears it, each step is within limits.

    First it goes beside the rod, then turns joint 1 so that the fingers, thin side forward, pass it in one step.
    """
    x, y, middle = moment.task.things[0].pose.xyz
    radius, bearing = float(np.hypot(x, y)), float(np.arctan2(y, x))
    step = SWEEP_M_S * chunk.period_s / radius
    angle = bearing - TO_ROD_STEPS * step
    beside = (radius * float(np.cos(angle)), radius * float(np.sin(angle)), 2.0 * middle + TIP_M - OVERLAP_M)
    begin = _with_tool(moment, start_positions(moment.profile), beside, angle + np.pi / 2.0)
    here, count = moment.asked.reference.positions, len(chunk.values)
    if np.abs(here - begin).max() < THERE_RAD:
        turned = step * np.cumsum(np.concatenate([SWEEP_ROWS, np.zeros(count - len(SWEEP_ROWS))]))
        rows = begin + turned[:, None] * np.eye(len(here))[0]
    else:
        swept = here[0] > begin[0] + TO_ROD_STEPS * step
        rows = _way(chunk, moment, here if swept else begin, 0.5)
    closing = CLOSING_M_S * chunk.period_s * np.arange(1.0, count + 1.0)
    hand = np.maximum(moment.asked.reference.grippers[0] - closing, 0.0)
    return replace(chunk, values=np.concatenate([rows, hand[:, None]], axis=1))
