"""Limits on single joints: position, speed, acceleration and jerk; each joint is measured on its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from pydantic import ConfigDict

from interlock.arrays import FloatArray
from interlock.case import Case
from interlock.lower import joint_limits
from interlock.motion import Motion, Phase
from interlock.profile import Profile
from interlock.rules import Clearance, Demand, Trace

from .kind import Fault, Provoked, Setup
from .per_joint import at_most, bound, idle, limits, per_joint
from .provoking import approach, nudge
from .quantities import Angle, AngularAccelerationOrShare, AngularJerkOrShare, AngularSpeedOrShare
from .reader import STRICT
from .traces import unknown


@dataclass(frozen=True, slots=True)
class JointPosition:
    """Every joint stays `margin` [rad] away from both ends of its travel, at every node of the motion.

    margin = min(q - lower, upper - q) - `margin`, in rad; shape (N,) a joint. Joint paths are straight between nodes,
    so nodes are enough.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    kind: ClassVar[str] = "joint_position"
    margin: Angle
    """How far every joint stays away from both ends of its travel."""

    def demands(self, case: Case, motion: Motion) -> tuple[Demand, ...]:
        """Nothing is asked of the forecast."""
        del case, motion
        return ()

    def measure(self, case: Case, motion: Motion, clearances: tuple[Clearance, ...]) -> tuple[Trace, ...]:
        """One trace a joint: how far it is from the nearer end."""
        del clearances
        profile = case.rules.profile
        if motion.positions.shape != (len(motion), len(profile.joints)):
            return (unknown(motion, "rad", "joint positions"),)
        lower, upper = joint_limits(profile, "lower"), joint_limits(profile, "upper")
        room = np.minimum(motion.positions - lower, upper - motion.positions)
        limit = np.full(room.shape, self.margin)
        return per_joint(profile, motion, room - limit, room, limit, "rad", "distance to the end of travel")

    def faults(self, setup: Setup) -> tuple[Fault, ...]:
        """A margin that leaves a joint no travel."""
        narrow = [joint for joint in setup.profile.joints if not joint.lower + self.margin < joint.upper - self.margin]
        return tuple(Fault("margin", f"leaves joint {joint.name!r} no travel; make it smaller") for joint in narrow)

    def provoke(self, setup: Setup) -> Provoked:
        """The first joint goes half a margin (at least 0.01 rad) too close to its upper end."""
        beyond = np.array(setup.home)
        beyond[0] = setup.profile.joints[0].upper - self.margin + max(self.margin / 2.0, 0.01)
        return approach(setup, beyond)


@dataclass(frozen=True, slots=True)
class JointVelocity:
    """No joint is faster than `max`, nor too fast to stop before the end of its travel, in the rows and their brake.

    margin = limit - |v|, in rad/s; shape (N,) a joint. limit is `max`, and never above the profile's value. With
    `towards_stop` = a [rad/s^2] it is also at most sqrt(2 a d): d is the distance, at the end of the interval, to the
    end of travel that the joint moves towards; beyond that end it is 0. Moving away from an end is not slowed by it.
    In the brake both are 100 % of the profile: what the rules keep back is for braking.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    kind: ClassVar[str] = "joint_velocity"
    max: AngularSpeedOrShare
    """The highest speed of a joint: a value, or a share of the profile's."""
    towards_stop: AngularAccelerationOrShare | None = None
    """The deceleration with which a joint must be able to stop before the end of its travel; left out: not judged."""

    def demands(self, case: Case, motion: Motion) -> tuple[Demand, ...]:
        """Nothing is asked of the forecast."""
        del case, motion
        return ()

    def measure(self, case: Case, motion: Motion, clearances: tuple[Clearance, ...]) -> tuple[Trace, ...]:
        """One trace a joint: its speed."""
        del clearances
        profile, size = case.rules.profile, (len(motion), len(case.rules.profile.joints))
        most = limits(motion, profile, "velocity", self.max)
        if self.towards_stop is not None:
            if motion.positions.shape != size or motion.velocities.shape != size:
                return (unknown(motion, "rad/s", "joint speeds"),)
            brake = limits(motion, profile, "acceleration", self.towards_stop)
            most = np.minimum(most, np.sqrt(2.0 * brake * _room_ahead(motion, profile)))
        return at_most(profile, motion, motion.velocities, most, motion.proposed(), "rad/s", "speed")

    def faults(self, setup: Setup) -> tuple[Fault, ...]:
        """Limits above everything that the profile gives, which would never do anything."""
        found = idle(setup.profile, "max", "velocity", self.max)
        if self.towards_stop is not None:
            found += idle(setup.profile, "towards_stop", "acceleration", self.towards_stop)
        return found

    def provoke(self, setup: Setup) -> Provoked:
        """The first joint moves 2 % faster than `max` allows, after a first row at half of that."""
        return nudge(setup, 1.02 * float(bound(setup.profile, "velocity", self.max)[0]) * setup.period_s)


def _room_ahead(motion: Motion, profile: Profile) -> FloatArray:
    """How far [rad] (N, n) each joint is from the end that it moves towards, 0 beyond it; +inf at rest."""
    up = joint_limits(profile, "upper") - motion.positions
    down = motion.positions - joint_limits(profile, "lower")
    ahead = np.where(motion.velocities > 0.0, up, np.where(motion.velocities < 0.0, down, np.inf))
    return np.maximum(ahead, 0.0) + 0.0 * motion.positions  # a NaN position is NaN at rest, too


@dataclass(frozen=True, slots=True)
class JointAcceleration:
    """No joint accelerates or brakes harder than `max`, in the rows and their brake.

    margin = limit - |a|, in rad/s^2; shape (N,) a joint. limit is `max`, never above the profile's value; in the brake
    it is 100 % of the profile. With `interpolation: linear` a is the step of velocity between two rows over the period,
    the reference's velocity first; otherwise it is sampled at the control rate.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    kind: ClassVar[str] = "joint_acceleration"
    max: AngularAccelerationOrShare
    """The highest acceleration of a joint: a value, or a share of the profile's."""

    def demands(self, case: Case, motion: Motion) -> tuple[Demand, ...]:
        """Nothing is asked of the forecast."""
        del case, motion
        return ()

    def measure(self, case: Case, motion: Motion, clearances: tuple[Clearance, ...]) -> tuple[Trace, ...]:
        """One trace a joint: its acceleration."""
        del clearances
        profile = case.rules.profile
        most = limits(motion, profile, "acceleration", self.max)
        return at_most(profile, motion, motion.accelerations, most, motion.proposed(), "rad/s^2", "acceleration")

    def faults(self, setup: Setup) -> tuple[Fault, ...]:
        """A limit above everything that the profile gives, which would never do anything."""
        return idle(setup.profile, "max", "acceleration", self.max)

    def provoke(self, setup: Setup) -> Provoked:
        """The first joint is told to start at once, with more than the acceleration that `max` allows."""
        return nudge(setup, 3.0 * float(bound(setup.profile, "acceleration", self.max)[0]) * setup.period_s**2)


@dataclass(frozen=True, slots=True)
class JointJerk:
    """No joint changes its acceleration faster than `max`, in the rows.

    margin = limit - |jerk|, in rad/s^3; shape (N,) a joint; sampled at the control rate. The brake has no limit of
    jerk: it is as hard as the profile allows. Where rows are joined by straight lines (`interpolation: linear`) there
    is no jerk, and this rule is an error at load; a motion without jerk is a missing input.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    kind: ClassVar[str] = "joint_jerk"
    max: AngularJerkOrShare
    """The highest jerk of a joint: a value, or a share of the profile's."""

    def demands(self, case: Case, motion: Motion) -> tuple[Demand, ...]:
        """Nothing is asked of the forecast."""
        del case, motion
        return ()

    def measure(self, case: Case, motion: Motion, clearances: tuple[Clearance, ...]) -> tuple[Trace, ...]:
        """One trace a joint: its jerk."""
        del clearances
        profile = case.rules.profile
        most = limits(motion, profile, "jerk", self.max)
        return at_most(profile, motion, motion.jerks, most, motion.phase == Phase.ROW, "rad/s^3", "jerk")

    def faults(self, setup: Setup) -> tuple[Fault, ...]:
        """Nothing to measure, or nothing to measure it by."""
        if setup.profile.interpolation == "linear":
            return (Fault("kind", "rows are joined by straight lines, which have no jerk; use joint_acceleration"),)
        return idle(setup.profile, "max", "jerk", self.max)

    def provoke(self, setup: Setup) -> Provoked:
        """The first joint is told to start at once, with more than the jerk that `max` allows."""
        return nudge(setup, 3.0 * float(bound(setup.profile, "jerk", self.max)[0]) * setup.period_s**3)
