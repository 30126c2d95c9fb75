"""A limit on how fast the joints must be for a speed of the tool: how near the arm may come to a singularity (F-34).

Between nodes: let T be the sum of what all joints turn from the nearest sample on, l the longest lever there (the
largest velocity of the tool point for one joint at 1 rad/s) and L the `length`. Turning joint i changes the lever of
joint j by at most the larger of the two, so that levers grow at most as exp(T), and turns an axis by at most its own
turn: the weighted Jacobian, and with it each of its singular values, changes by at most
T sqrt(n) sqrt((l exp(T))^2 + L^2).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar, Final

import numpy as np
from pydantic import ConfigDict

from interlock.arrays import FloatArray
from interlock.case import Case
from interlock.errors import UnusableInput
from interlock.motion import Motion, RobotModel
from interlock.rules import Clearance, Demand, Trace

from .bodies import TCP
from .kind import Fault, Provoked, Setup
from .provoking import hold_still
from .quantities import quantity
from .reader import STRICT
from .searching import lowest, the_model
from .tool import no_tool
from .traces import trace, unknown

PIECES: Final = 8  # samples of an interval
ROUNDING_M: Final = 1e-12  # of a singular value: what is smaller may be none


@dataclass(frozen=True, slots=True)
class Singularity:
    """The joints never need more than `max` of speed for a speed of the tool, at any instant of the motion.

    margin = `max` - a, in rad/m; shape (N,). a is the Euclidean speed of all joints that 1 m/s of the tool centre
    point needs in the worst direction, a turn of the tool counted as the travel of a point `length` away: one over the
    smallest singular value of the Jacobian, its turns times `length`. Between nodes it is bounded (see the module). It
    grows without end towards a singularity; slowing does not help. For an arm of fewer than six joints only the
    directions count that it has.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    kind: ClassVar[str] = "singularity"
    max: Annotated[float, quantity("amplification", "positive")]
    """The highest speed of the joints for a speed of the tool: 50 rad/m is 0.5 rad/s of the joints for 10 mm/s."""
    length: Annotated[float, quantity("length", "positive")]
    """The distance at which a turn of the tool counts as travel, such as that from the flange to the fingertips."""

    def demands(self, case: Case, motion: Motion) -> tuple[Demand, ...]:
        """Nothing is asked of the forecast."""
        del case, motion
        return ()

    def measure(self, case: Case, motion: Motion, clearances: tuple[Clearance, ...]) -> tuple[Trace, ...]:
        """One trace: what the joints need at most in the interval before each node."""
        del case, clearances
        model = motion.model
        if model is None or TCP not in model.tool_offsets:
            return (unknown(motion, "rad/m", "joint speed for a speed of the tool"),)
        value = needed(model, motion.positions, self.length)
        limit, places = np.full(len(motion), self.max), motion.tool_points[TCP][:, :3, 3]
        what = "joint speed for a speed of the tool"
        return (trace(motion, limit - value, value, limit, "rad/m", (TCP,), what, places),)

    def faults(self, setup: Setup) -> tuple[Fault, ...]:
        """A robot without a tool point, or with one whose joints mimic others."""
        if found := no_tool(setup):
            return found
        try:
            the_model(setup).tool(setup.home[None], TCP)
        except UnusableInput as error:
            return (Fault("kind", str(error)),)
        return ()

    def provoke(self, setup: Setup) -> Provoked:
        """The arm stands nearer to a singularity than `max` allows."""

        def slack(positions: FloatArray) -> FloatArray:
            return self.max * smallest(the_model(setup), positions, self.length)[0] - 1.0

        return hold_still(setup, lowest(setup, slack, -0.02, f"needs more than {self.max:g} rad/m"))


def smallest(model: RobotModel, positions: FloatArray, length: float) -> tuple[FloatArray, FloatArray]:
    """The smallest singular value [m] of the weighted Jacobian and the longest lever [m], each (N,), NaN where
    positions (N, n) are.
    """
    least, lever = np.full(len(positions), np.nan), np.full(len(positions), np.nan)
    known = np.isfinite(positions).all(axis=1)
    jacobians = model.tool(positions[known], TCP)[1] * np.array([1.0, 1.0, 1.0, length, length, length])[:, None]
    least[known] = np.linalg.svd(jacobians, compute_uv=False)[:, -1]
    lever[known] = np.linalg.norm(jacobians[:, :3], axis=1).max(axis=1)
    return least, lever


def needed(model: RobotModel, positions: FloatArray, length: float) -> FloatArray:
    """The largest amplification [rad/m] (N,) from node i - 1 to node i of positions (N, n); at node 0 its own."""
    count, joints = positions.shape
    before = np.concatenate([positions[:1], positions[:-1]])
    share = np.linspace(0.0, 1.0, PIECES + 1)[:, None]
    fine = before[:, None] + share * (positions - before)[:, None]
    least, lever = (found.reshape(count, PIECES + 1) for found in smallest(model, fine.reshape(-1, joints), length))
    turned = np.abs(positions - before).sum(axis=1) / (2.0 * PIECES)
    reach = lever.max(axis=1) * np.exp(turned)
    sure = least.min(axis=1) - turned * math.sqrt(joints) * np.hypot(reach, length) - ROUNDING_M
    with np.errstate(divide="ignore"):
        return np.asarray(1.0 / np.where(sure <= 0.0, 0.0, sure))
