"""Limits on what the drives must bear: the torque of every joint, and the load in the hand that it was
worked out for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from pydantic import ConfigDict

from interlock.case import Case
from interlock.geometry import Pose, Sphere, Vector
from interlock.motion import Motion
from interlock.profile import Profile
from interlock.rules import Clearance, Demand, Trace
from interlock.scene import Held

from .kind import Fault, Provoked, Setup
from .per_joint import at_most, idle, limits
from .problems import nearest
from .provoking import hold_still
from .quantities import Coordinate, Mass, TorqueOrShare
from .reader import STRICT
from .traces import constant

FLANGE = "flange"


@dataclass(frozen=True, slots=True)
class Payload:
    """The most that the hand may hold, as a data sheet's load diagram: a mass, and where its centre may be."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    max_mass: Mass
    """The heaviest object; the mass itself is the held object's."""
    at: tuple[Coordinate, Coordinate, Coordinate]
    """Where the centre of the heaviest object may be; a lighter one may be further out, with the same moment."""
    frame: str
    """What `at` is measured in: `flange`, or a tool point on the flange."""


@dataclass(frozen=True, slots=True)
class JointTorque:
    """No joint needs more torque than `max` in the rows and their brake, and the hand holds no more than `payload`.

    margin = limit - |torque|, in N m; shape (N,) a joint; gravity and the held object are in the torque. limit is
    `max`, never above the profile's value; in the brake it is 100 % of the profile. Torques that nobody worked out are
    a violation. Two more traces, the same at every node: `max_mass` - mass, in kg, and `max_mass` |`at`| - mass |c|, in
    kg m, where c is the centre of the held object in `frame`.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    kind: ClassVar[str] = "joint_torque"
    max: TorqueOrShare
    """The highest torque of a joint: a value, or a share of the profile's."""
    payload: Payload
    """The most that the hand may hold."""

    def demands(self, case: Case, motion: Motion) -> tuple[Demand, ...]:
        """Nothing is asked of the forecast."""
        del case, motion
        return ()

    def measure(self, case: Case, motion: Motion, clearances: tuple[Clearance, ...]) -> tuple[Trace, ...]:
        """One trace a joint, one of the held mass, one of its moment."""
        del clearances
        profile, held = case.rules.profile, motion.held
        most = limits(motion, profile, "torque", self.max)
        torques = at_most(profile, motion, motion.torques, most, motion.proposed(), "N m", "torque")
        heaviest = self.payload.max_mass
        mass = 0.0 if held is None else held.mass_kg if held.mass_kg >= 0.0 else np.nan
        arm = 0.0 if held is None else _centre_m(profile, self.payload.frame, held)
        reach = float(np.linalg.norm(self.payload.at))
        names = () if held is None else (held.name,)
        return (
            *torques,
            constant(motion, mass, heaviest, "kg", names, "mass in the hand"),
            constant(motion, mass * arm, heaviest * reach, "kg m", names, "moment of what the hand holds"),
        )

    def faults(self, setup: Setup) -> tuple[Fault, ...]:
        """A limit that nothing can measure or that never does anything, and an unknown frame."""
        profile = setup.profile
        found = idle(profile, "max", "torque", self.max)
        if not profile.inertias:
            found += (Fault("kind", f"the profile {profile.name!r} has no inertias, so torque is unknown; add them"),)
        frames = [FLANGE, *(tool.name for tool in profile.tool_points if tool.link == profile.flange)]
        if self.payload.frame not in frames:
            found += (Fault("payload.frame", f"no frame {self.payload.frame!r}{nearest(self.payload.frame, frames)}"),)
        return found

    def provoke(self, setup: Setup) -> Provoked:
        """The arm stands still, and the hand holds 1.5 times the heaviest object."""
        held = Held(
            "provocation", Sphere(0.01), _origin(setup.profile, self.payload.frame), 1.5 * self.payload.max_mass
        )
        return hold_still(setup, setup.home, held=held)


def _origin(profile: Profile, frame: str) -> Pose:
    """Where a frame is in the flange's."""
    return next((tool.pose for tool in profile.tool_points if tool.name == frame), Pose())


def _centre_m(profile: Profile, frame: str, held: Held) -> float:
    """How far [m] the centre of the held object is from the origin of a frame on the flange."""
    origin: Vector = _origin(profile, frame).xyz
    return float(np.linalg.norm(np.subtract(held.pose.xyz, origin)))
