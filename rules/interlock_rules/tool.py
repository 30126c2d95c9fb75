"""Limits on the tool and on points of the arm in the world: speed and orientation, sound between nodes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from pydantic import ConfigDict

from interlock.arrays import FloatArray
from interlock.case import Case
from interlock.geometry import Vector
from interlock.lower import joint_limits
from interlock.motion import Motion
from interlock.rules import Clearance, Demand, Trace

from .bodies import TCP, body_faults, moving_parts, shapeless
from .kind import Fault, Provoked, Setup
from .provoking import hold_still, sprint
from .quantities import Angle, Direction, Speed
from .reader import STRICT
from .searching import corners_of, in_hand, lowest, the_model
from .swept import sweep, turn
from .traces import below, silent, trace, unknown


@dataclass(frozen=True, slots=True)
class TcpSpeed:
    """The tool centre point is never faster than `max`, in the rows and their brake.

    margin = `max` - v, in m/s; shape (N,). v is the chord between two nodes plus four times the sagitta, over the
    interval's time: nowhere in the interval is the point faster.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    kind: ClassVar[str] = "tcp_speed"
    max: Speed
    """The highest speed of the tool centre point."""

    def demands(self, case: Case, motion: Motion) -> tuple[Demand, ...]:
        """Nothing is asked of the forecast."""
        del case, motion
        return ()

    def measure(self, case: Case, motion: Motion, clearances: tuple[Clearance, ...]) -> tuple[Trace, ...]:
        """One trace: the speed of the tool centre point."""
        del clearances
        return (_speed(case, motion, TCP, self.max),)

    def faults(self, setup: Setup) -> tuple[Fault, ...]:
        """A robot without a tool point."""
        return no_tool(setup)

    def provoke(self, setup: Setup) -> Provoked:
        """All joints move at nearly full speed, so that the tool is too fast."""
        return sprint(setup, fastest(setup, (TCP,), self.max))


@dataclass(frozen=True, slots=True)
class LinkSpeed:
    """No point of `body` is ever faster than `max`, in the rows and their brake.

    margin = `max` - v, in m/s; shape (N,) a part. v is that of its fastest corner, as for `tcp_speed`. Fixed links are
    left out.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    kind: ClassVar[str] = "link_speed"
    max: Speed
    """The highest speed of any point of the body."""
    body: tuple[str, ...]
    """What of the robot: links by name, `gripper`, `held`, `tcp`, or `robot` for all of it."""

    def demands(self, case: Case, motion: Motion) -> tuple[Demand, ...]:
        """Nothing is asked of the forecast."""
        del case, motion
        return ()

    def measure(self, case: Case, motion: Motion, clearances: tuple[Clearance, ...]) -> tuple[Trace, ...]:
        """One trace a part: the speed of its fastest point."""
        del clearances
        if motion.model is None:
            return (unknown(motion, "m/s", "speed"),)
        found = moving_parts(self.body, motion, case.rules.profile)
        return tuple(_speed(case, motion, part, self.max) for part in found) or (silent(motion, "m/s", "speed"),)

    def faults(self, setup: Setup) -> tuple[Fault, ...]:
        """A robot without a shape, and unknown bodies."""
        return body_faults(setup, self.body)

    def provoke(self, setup: Setup) -> Provoked:
        """All joints move at nearly full speed, so that the body is too fast."""
        return sprint(setup, fastest(setup, self.body, self.max), in_hand(self.body))


def _speed(case: Case, motion: Motion, part: str, most: float) -> Trace:
    swept = sweep(part, motion, case.rules.profile)
    if swept is None:
        return unknown(motion, "m/s", f"speed of {part}")
    value, limit = swept.speed(motion.times_s), np.full(len(motion), most)
    return below(motion, value, limit, motion.proposed(), "m/s", (part,), f"speed of {part}", swept.middles)


def fastest(setup: Setup, body: tuple[str, ...], most: float) -> tuple[FloatArray, FloatArray]:
    """Positions and velocities (n,) at 95 % of the profile's in which a point of the body is faster than
    `most` [m/s].
    """
    rates = 0.95 * joint_limits(setup.profile, "velocity")

    def slack(positions: FloatArray) -> FloatArray:
        return most - _quickest(setup, body, positions, rates)[0]

    pose = lowest(setup, slack, -0.02 * most, f"lets {', '.join(body)} reach {most:g} m/s")
    return pose, _quickest(setup, body, pose[None], rates)[1][0]


def _quickest(setup: Setup, body: tuple[str, ...], at: FloatArray, rates: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The speed [m/s] (M,) of the fastest corner at positions (M, n), and the joint velocities (M, n) that give it."""
    places = corners_of(setup, body, at)
    total, signs = np.zeros_like(places), np.ones((*places.shape[:2], len(rates)))
    for joint, rate in enumerate(rates):
        step = np.zeros(len(rates))
        step[joint] = 1e-6
        column = (corners_of(setup, body, at + step) - places) * rate / 1e-6
        signs[..., joint] = np.where((total * column).sum(axis=2) < 0.0, -1.0, 1.0)
        total += signs[..., joint, None] * column
    speed = np.linalg.norm(total, axis=2)
    best = speed.argmax(axis=1)
    return speed.max(axis=1), signs[np.arange(len(at)), best] * rates


def no_tool(setup: Setup) -> tuple[Fault, ...]:
    """What is wrong with a rule about the tool point of a robot that has none."""
    if setup.model is None:
        return (shapeless(setup),)
    if TCP not in setup.model.tool_offsets:
        return (Fault("kind", f"the profile {setup.profile.name!r} names no tool point; add one to tool_points"),)
    return ()


@dataclass(frozen=True, slots=True)
class TcpOrientation:
    """The tool's `axis` never tilts more than `max` from `towards`, at any instant of the motion.

    margin = `max` - (tilt at the worse end + bow + tracking error), in rad; shape (N,). Between two nodes the axis
    leaves the great circle between its directions by at most the bow, asin((3/16 w^2) / cos(w / 2)), where w is the sum
    of what all joints turn (swept.py); up to 90 degrees of tilt a great circle tilts no further than at its ends.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    kind: ClassVar[str] = "tcp_orientation"
    axis: Direction
    """The axis of the tool, in the frame of the tool point."""
    towards: Direction
    """The direction in which it points, in the world."""
    max: Angle
    """The largest tilt between the two, at most 90 degrees."""

    def __post_init__(self) -> None:
        if not 0.0 <= self.max <= math.pi / 2.0:
            raise ValueError(f"max must be from 0 deg to 90 deg, got {math.degrees(self.max):g} deg")

    def demands(self, case: Case, motion: Motion) -> tuple[Demand, ...]:
        """Nothing is asked of the forecast."""
        del case, motion
        return ()

    def measure(self, case: Case, motion: Motion, clearances: tuple[Clearance, ...]) -> tuple[Trace, ...]:
        """One trace: the tilt of the tool."""
        del clearances
        poses = motion.tool_points.get(TCP)
        if poses is None or poses.shape != (len(motion), 4, 4):
            return (unknown(motion, "rad", "tilt of the tool"),)
        tilt, angle = tilt_rad(poses, self.axis, self.towards), turn(motion)
        worse = np.maximum(tilt, np.concatenate([tilt[:1], tilt[:-1]]))
        with np.errstate(invalid="ignore"):  # a turn too wide for the bound has no bow: NaN, a violation
            bow = np.arcsin(3.0 / 16.0 * angle**2 / np.cos(np.minimum(angle, np.pi) / 2.0))
        value = worse + bow + joint_limits(case.rules.profile, "tracking").sum()
        limit = np.full(len(motion), self.max)
        return (trace(motion, limit - value, value, limit, "rad", (TCP,), "tilt of the tool", poses[:, :3, 3]),)

    def faults(self, setup: Setup) -> tuple[Fault, ...]:
        """A robot without a tool point."""
        return no_tool(setup)

    def provoke(self, setup: Setup) -> Provoked:
        """The arm stands with its tool tilted too far."""

        def slack(positions: FloatArray) -> FloatArray:
            model = the_model(setup)
            link, offset = model.tool_offsets[TCP]
            return self.max - tilt_rad(
                model.forward(positions)[:, model.links.index(link)] @ offset, self.axis, self.towards
            )

        return hold_still(setup, lowest(setup, slack, -0.02, "tilts the tool too far"))


def tilt_rad(poses: FloatArray, axis: Vector, towards: Vector) -> FloatArray:
    """The angle [rad, 0 to pi] (N,) between an axis of frames with poses (N, 4, 4) and a direction in the world."""
    found, wanted = poses[:, :3, :3] @ np.asarray(axis), np.asarray(towards)
    x, y, z = towards
    across = found @ np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])  # the cross product with the direction
    return np.asarray(np.arctan2(np.linalg.norm(across, axis=1), found @ wanted))
