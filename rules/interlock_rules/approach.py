"""How near a person may be to a robot that moves: the numbers of speed and separation, and nothing of shapes.

With constant speeds the distance that must be kept is Sp = vh (Tr + Ts) + vr Tr + Ss + C + Zd + Zr (ISO/TS 15066, now
ISO 10218-2:2025 Annex L, from secondary sources). A robot at vr that is brought to rest with a deceleration a, after a
time T in which nothing is relied on, has Ts = T + vr / a and Ss = vr T + vr^2 / 2a; solved for vr, with X what is left
of the distance once C, Zd, Zr and vh (Tr + T) are taken off, and b = Tr + T + vh / a:

    vr = 2 X / (b + sqrt(b^2 + 2 X / a)),        0 where X is not positive.

Is it enough to judge the places ahead against where a person was seen, when all of them will have moved by then? The
supervisor judges the rest of a plan again within `RECHECK_NS` of a change, and at every tick asks whether what the
tracker says is fresh. So a person is never further from where the last judgement had them than they can walk in the
track's age then, which is taken off here, and the longer of recheck and freshness, and a tick: `least_reaction`, which
Tr must cover. A plan that fails brakes from the node that it is at, whose own speed and distance were judged with that
Tr. So nothing more is taken off for later nodes. It is not enough for a plan that nobody judges again, and a rule set
with a tracker is refused where there are no ticks. Nothing shrinks the distance for a robot or a person that recedes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Final, Literal

import numpy as np
from pydantic import ConfigDict

from interlock.arrays import FloatArray
from interlock.geometry import FARTHEST_M
from interlock.lower import joint_limits
from interlock.profile import Profile
from interlock.rules import RECHECK_NS
from interlock.scene import Person

from .forms import Text
from .kind import Fault, Setup
from .quantities import Acceleration, Duration, Length, Speed
from .reader import STRICT

ROUNDED: Final = 1.0 + 1e-9  # 100 ms and 20 ms are 120 ms, and in binary a little more
FINE_M: Final = 0.040  # up to here a detection capability [m] says how far somebody gets in before being seen
ALWAYS_SEEN_M: Final = 0.014
REACHING_IN: Final = 8.0
COARSE_M: Final = 0.850  # all of these four: ISO 13855, from secondary sources


@dataclass(frozen=True, slots=True)
class OwnStop:
    """How the robot comes to rest, where its profile does not say it or says it of something else. Either `time` or
    `deceleration`.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    source: Text
    """Where the number was measured, or who states it."""
    time: Duration | None = None
    """The longest time that a stop takes, from whatever speed; the robot is taken to go on at its speed meanwhile."""
    deceleration: Acceleration | None = None
    """The least deceleration of any point of the robot in a stop; what passes before it begins is in `reaction`."""


@dataclass(frozen=True, slots=True)
class Stop:
    """After `time_s` in which nothing is relied on, a constant `deceleration` [m/s^2], which may be infinite."""

    time_s: float
    deceleration: float


@dataclass(frozen=True, slots=True)
class Approach:
    """How a person may approach, how long the robot takes to notice and to stop, and what nobody knows exactly."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    person_speed: Speed
    """How fast a person is taken to walk, straight at the robot; 1.6 m/s, or 2 m/s for a reaching hand (ISO 13855)."""
    reaction: Duration
    """From what the tracker sees to the moment when the robot begins to brake: the age of what it says, the time until
    the plan is judged again, the review, and the way to the robot.
    """
    robot_uncertainty: Length
    """How far the robot can be from where it is measured, in the tracker's frame; its tracking error comes on top."""
    speed: Literal["assumed", "measured"] = "assumed"
    """`assumed`: a person walks at `person_speed`, or faster if that was measured. `measured`: as fast as was measured,
    at least `least_speed`; at `person_speed` where it was not.
    """
    least_speed: Speed | None = None
    """With `speed: measured`: what a person is taken for who stands, or walks slower than this, and may start to."""
    intrusion: Length | None = None
    """How far somebody gets in before the tracker sees them, as its maker states it. Either this or `detection`."""
    detection: Length | None = None
    """The detection capability of a light curtain or scanner, from which the intrusion follows."""
    stopping: OwnStop | None = None
    """How the robot comes to rest; left out: as the profile's `stopping` was measured."""

    @property
    def intrusion_m(self) -> float:
        """C [m]; NaN where it is not said once."""
        if (self.intrusion is None) == (self.detection is None):
            return math.nan
        if self.detection is None:
            return math.nan if self.intrusion is None else self.intrusion
        return max(0.0, REACHING_IN * (self.detection - ALWAYS_SEEN_M)) if self.detection <= FINE_M else COARSE_M

    def walking(self, person: Person) -> float:
        """How fast a person is taken to come nearer (vh) [m/s], whatever way they were seen to go; NaN where what was
        measured is no speed.
        """
        measured = person.speed_m_s
        if measured is None:
            return self.person_speed
        if not 0.0 <= measured < math.inf:
            return math.nan
        least = self.least_speed if self.speed == "measured" else self.person_speed
        return math.nan if least is None else max(least, measured)

    def stop(self, profile: Profile) -> Stop | None:
        """How the robot stops; None where nobody says it, or not of every joint. Of a profile, the longest time of any
        joint, also by its angle.
        """
        own, measured = self.stopping, profile.stopping
        if own is not None:
            return Stop(own.time or 0.0, own.deceleration or math.inf)
        if measured is None or len(measured.angles) != len(profile.joints):
            return None
        turned = np.array(measured.angles) / joint_limits(profile, "velocity")
        return Stop(max(measured.time_s, float(turned.max())), math.inf)

    def gone(self, person: Person, now_ns: int) -> float:
        """What is taken off the distance [m] from where a person was seen, the track's own uncertainty apart: C, Zr and
        how far they can have come since. NaN where they were seen in the future.
        """
        age = (now_ns - person.seen_ns) / 1e9
        return self.intrusion_m + self.robot_uncertainty + self.walking(person) * (age if age >= 0.0 else math.nan)

    def needed(self, speed: FloatArray, rest_s: FloatArray, walking: float, stop: Stop) -> FloatArray:
        """The distance (N,) [m], without what is `gone`, that speeds (N,) [m/s] need; rest_s (N,): how long a planned
        brake takes, which counts where it is longer than what is stated: 0 where none is planned.
        """
        on = self.reaction + stop.time_s
        stated = walking * (on + speed / stop.deceleration)
        planned = walking * (self.reaction + rest_s)
        return np.asarray(np.maximum(stated, planned) + speed * on + speed**2 / (2.0 * stop.deceleration))

    def allowed(self, left: FloatArray, rest_s: FloatArray, walking: float, stop: Stop) -> FloatArray:
        """The largest speed (N,) [m/s] whose `needed` distance is at most what is left (N,) [m]; 0 where none is, NaN
        where that is not known.
        """
        on = self.reaction + stop.time_s
        stated = _largest(left - walking * on, on + walking / stop.deceleration, stop.deceleration)
        planned = _largest(left - walking * (self.reaction + rest_s), on, stop.deceleration)
        return np.asarray(np.minimum(stated, planned))

    def faults(self, setup: Setup) -> tuple[Fault, ...]:
        """What can never be right: nobody looks for people, too short a reaction, a stop that nobody measured."""
        found: tuple[Fault, ...] = ()
        if setup.people_s is None:
            said = "the set says people: none, so this rule would refuse every motion; say people: tracker"
            found += (Fault("kind", said),)
        elif not self.reaction * ROUNDED >= (least := least_reaction(setup.people_s, setup.period_s)):
            said = (
                f"{self.reaction:g} s is too short: {max(setup.people_s, RECHECK_NS / 1e9):g} s pass until a change is "
                f"judged, and {setup.period_s:g} s until the next tick; it must be at least {least:g} s, and the "
                "review and the way to the robot come on top"
            )
            found += (Fault("approach.reaction", said),)
        if (self.intrusion is None) == (self.detection is None):
            said = "say either intrusion, as the tracker's maker states it, or detection, its detection capability"
            found += (Fault("approach", said),)
        if (self.speed == "measured") != (self.least_speed is not None):
            said = "least_speed goes with `speed: measured`: how fast somebody is taken to be who stands and may walk"
            found += (Fault("approach", said),)
        own = self.stopping
        if own is not None and (own.time is None) == (own.deceleration is None):
            found += (Fault("approach.stopping", "say either time or deceleration"),)
        if own is None and setup.profile.stopping is None:
            said = (
                f"nobody measured how {setup.profile.name} stops: add `stopping` to its profile (time, angles, source),"
                " or to this rule (time or deceleration, and source)"
            )
            found += (Fault("approach", said),)
        return found


def _largest(room: FloatArray, slope: FloatArray | float, deceleration: float) -> FloatArray:
    """The speed v (N,) for which slope v + v^2 / 2 deceleration is the room (N,); 0 where there is none."""
    left = np.minimum(np.maximum(room, 0.0), FARTHEST_M)  # both keep NaN
    return np.asarray(2.0 * left / (slope + np.sqrt(np.square(slope) + 2.0 * left / deceleration)))


def least_reaction(people_s: float, period_s: float) -> float:
    """How long [s] it can take until a person who began to walk is judged where they are: nothing new is told for as
    long as it may be old, or what is told waits for the next recheck; and that falls on a tick.
    """
    return max(people_s, RECHECK_NS / 1e9) + period_s
