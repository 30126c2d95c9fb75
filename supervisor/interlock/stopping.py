"""Stops on the way: how quickly a plan may be stopped at any moment, and what a robot is told that stops along it.

A stop lets the time of the plan run ever more slowly, until it stands: the robot stays on the path that was judged, and
is nowhere faster than it was to be. What a stop changes is when the robot is where, and what its drives must do; both
are worked out before the plan is permitted, for all moments at which it can begin.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from ruckig import ControlInterface, InputParameter, Result, Ruckig, Trajectory

from . import kernels_motion
from .arrays import FloatArray, IntArray, frozen
from .braking import LONGEST_S
from .kept import kept
from .lower import joint_limits
from .motion import Plan, Reference
from .physics import Physics
from .profile import Profile
from .scene import Held

NS: Final = 1e9
MOST_JERK: Final = 1e6  # 1/s^2: a stop that begins within 0.1 ms begins at once
LEAD: Final = 2  # nodes of a motion before it begins: what was measured, and the command of now
QUICKEST_S: Final = 0.02  # no stop is shorter, however slow the robot is
SHARE: Final = 0.5  # of what a joint may jerk that a stop may take where rows are joined smoothly: curves need the rest


@dataclass(frozen=True, slots=True, eq=False)
class Stops:
    """How quickly the speed of time may fall [1/s] in a stop that begins on the interval that ends at each node of a
    motion (N,), 0 where there is none before the plan's own end; by how much later than planned [s] a stop may still
    be under way there (N,); how quickly that fall may itself change [1/s^2]; and the longest time to rest [s].
    """

    rates: FloatArray
    late_s: FloatArray
    jerk: float
    longest_s: float


@kept
def slowing_limits(profile: Profile) -> FloatArray:
    """How quickly each joint may be brought to rest (n,) [rad/s^2]: by its limit, and no more quickly than was measured
    from full speed, in time and in angle.
    """
    most, speed, measured = joint_limits(profile, "acceleration"), joint_limits(profile, "velocity"), profile.stopping
    if measured is None:
        return most
    return frozen(np.minimum.reduce([most, speed / measured.time_s, speed**2 / (2.0 * np.array(measured.angles))]))


class Nodes(Protocol):
    """Nodes of a motion: the first is what was measured, the second the command of now."""

    @property
    def seconds(self) -> FloatArray:
        """From now (N,) [s]."""
        ...

    @property
    def positions(self) -> FloatArray:
        """As in a `Motion` (N, n)."""
        ...

    @property
    def velocities(self) -> FloatArray:
        """As in a `Motion` (N, n)."""
        ...

    @property
    def accelerations(self) -> FloatArray:
        """As in a `Motion` (N, n)."""
        ...

    @property
    def jerks(self) -> FloatArray | None:
        """As in a `Motion` (N, n)."""
        ...


def stops_of(
    nodes: Nodes, torques: FloatArray | None, held: Held | None, profile: Profile, physics: Physics, period_s: float
) -> Stops:
    """The stops on the way from the command of now to rest, with torques (N, n) as planned."""
    smooth = profile.interpolation == "cubic"
    zeros = np.zeros_like(nodes.positions)
    still = physics.torques(nodes.positions, zeros, zeros, held)
    slowing = physics.torques(nodes.positions, zeros, nodes.velocities, held)
    drives, jolts = joint_limits(profile, "torque"), _given(joint_limits(profile, "jerk"))
    if torques is None or still is None or slowing is None:
        torques, still, slowing, drives = zeros, zeros, zeros, np.full(len(drives), math.inf)
    jerk = _jerk(jolts, nodes.velocities) * (SHARE if smooth else 1.0)
    rates = kernels_motion.stop_rates(
        nodes.seconds, nodes.velocities, nodes.accelerations, torques, still, slowing - still,
        zeros if nodes.jerks is None else nodes.jerks, joint_limits(profile, "acceleration"),
        slowing_limits(profile), drives, jolts if smooth else np.full(len(jolts), math.inf), jerk, 1.0 / QUICKEST_S,
        1.0 / LONGEST_S, LEAD, max(1, round(period_s * profile.control_rate_hz)) if smooth else 1,
    )  # fmt: skip
    late_s = kernels_motion.delays(nodes.seconds, rates, jerk)
    return Stops(frozen(rates), frozen(late_s), jerk, _longest(nodes.seconds, rates, jerk))


def _given(limit: FloatArray) -> FloatArray:
    """Limits (n,), of which those that the profile does not name limit nothing."""
    return np.where(np.isnan(limit), math.inf, limit)


def _jerk(limit: FloatArray, velocities: FloatArray) -> float:
    """How quickly the fall of the speed of time may change [1/s^2], so that no joint jerks beyond its limit."""
    fastest = np.abs(velocities).max(axis=0)
    most = limit / np.maximum(fastest, 1e-9)
    return float(min(most.min(), MOST_JERK)) if np.isfinite(fastest).all() else MOST_JERK


def _longest(seconds: FloatArray, rates: FloatArray, jerk: float) -> float:
    """The longest time to rest [s] from any moment behind node 1."""
    left = (seconds[-1] - seconds[1:-1]).tolist()
    lengths = [
        kernels_motion.stop_length(rate, jerk) if rate > 0.0 else own
        for rate, own in zip(rates[2:].tolist(), left, strict=True)
    ]
    return float(np.array(lengths).max(initial=0.0))


def rates_of(times: IntArray, known: IntArray, rates: FloatArray) -> FloatArray:
    """The rates (P,) of a plan's intervals that end at times (P,): the least of those (N,) that are known to end at
    others, of the nodes of a motion, and lie in each; 0 for what is past.
    """
    first = np.maximum(np.searchsorted(known, np.concatenate([times[:1], times[:-1]]), side="right"), LEAD)
    last = np.searchsorted(known, times, side="left")
    found = np.zeros(len(times))
    for place in range(len(times)):
        inside = rates[first[place] : last[place] + 1]
        if len(inside):
            found[place] = inside.min()
    return found


def late_of(plan: Plan, now_ns: int, seconds: FloatArray) -> FloatArray:
    """As in `Stops.late_s`, for what is left of a permitted plan, at so many seconds (N,) from now."""
    rates = _at(plan, now_ns + np.rint(seconds * NS).astype(np.int64))
    return frozen(kernels_motion.delays(seconds, rates, plan.stop_jerk))


def _at(plan: Plan, when_ns: IntArray) -> FloatArray:
    """The rates of the intervals of a plan in which moments (M,) lie; 0 before and after it."""
    place = np.searchsorted(plan.times_ns, when_ns, side="left")
    return np.asarray(np.append(plan.stop_rates, 0.0)[place])


class Stop:
    """What a robot is told that stops along a plan, from `began_ns` on, when it was at `place_ns` of the plan.

    A robot whose plan has not begun stays where it is; one that is at a place from which there is no stop goes on to
    the plan's own end. Grippers keep what they were told at that place: nothing is let go of, and nothing taken.
    """

    def __init__(self, plan: Plan, began_ns: int, place_ns: int | None = None) -> None:
        self.plan, self.began_ns = plan, began_ns
        self.place_ns = began_ns if place_ns is None else place_ns
        rate = float(_at(plan, np.array([self.place_ns]))[0])
        self._way = _fall(rate, plan.stop_jerk) if rate > 0.0 else None

    @property
    def end_ns(self) -> int:
        """When the robot is at rest."""
        if not int(self.plan.times_ns[0]) < self.place_ns < self.plan.end_ns:
            return self.began_ns
        if self._way is None:
            return self.began_ns + self.plan.end_ns - self.place_ns
        return self.began_ns + math.ceil(self._way.duration * NS)

    def later(self, by_ns: int) -> Stop:
        """The same stop, so much later."""
        return Stop(self.plan, self.began_ns + by_ns, self.place_ns)

    def place(self, now_ns: int) -> int:
        """How far along the plan [ns] the robot is told to be."""
        since_ns = max(now_ns - self.began_ns, 0)
        if self.place_ns <= int(self.plan.times_ns[0]):
            return self.place_ns
        if self._way is None:
            return self.place_ns + since_ns
        along, _, _ = self._way.at_time(min(since_ns / NS, self._way.duration))
        return self.place_ns + min(round(along[0] * NS), since_ns)

    def at(self, now_ns: int) -> Reference:
        """The command at a moment."""
        there, hands = self.plan.at(self.place(now_ns)), self.plan.at(self.place_ns).grippers
        if self.place_ns <= int(self.plan.times_ns[0]) or now_ns >= self.end_ns:
            zeros = np.zeros_like(there.positions)
            return Reference(there.positions, frozen(zeros), frozen(zeros.copy()), hands)
        speed, fall = 1.0, 0.0
        if self._way is not None:
            _, (speed,), (fall,) = self._way.at_time(max(now_ns - self.began_ns, 0) / NS)
        return Reference(
            there.positions, frozen(speed * there.velocities),
            frozen(speed * speed * there.accelerations + fall * there.velocities), hands,
        )  # fmt: skip

    def commands(self, step_ns: int) -> Plan:
        """The stop as a plan of its own, a node each `step_ns`, for robots that are told whole trajectories."""
        count = -((self.began_ns - self.end_ns) // step_ns)
        times = self.began_ns + step_ns * np.arange(count + 1, dtype=np.int64)
        nodes = [self.at(when) for when in times.tolist()]
        return Plan(
            times, np.stack([node.positions for node in nodes]), np.stack([node.grippers for node in nodes]),
            rows_end_ns=self.began_ns, rows_start_ns=self.began_ns,
        )  # fmt: skip


def _fall(rate: float, jerk: float) -> Trajectory | None:
    """The place [s] of the plan's time and its speed, from 0 and 1 to rest; None where none is found."""
    given, found = InputParameter(1), Trajectory(1)
    given.control_interface = ControlInterface.Velocity
    given.current_position, given.current_velocity, given.current_acceleration = [0.0], [1.0], [0.0]
    given.target_velocity, given.target_acceleration = [0.0], [0.0]
    given.max_acceleration, given.max_jerk = [rate], [jerk]
    return found if Ruckig(1).calculate(given, found) == Result.Working else None
