"""Speed and separation: the nearer a person is, the slower each part of the robot, down to standing still."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from pydantic import ConfigDict

from interlock.case import Case
from interlock.motion import Motion
from interlock.rules import Clearance, Demand, Trace
from interlock.scene import BodyPart, Person

from .approach import Approach
from .kind import Fault, Provoked, Setup
from .people import UNIT, Near, Watched, ask, part_faults, traces_of, watched
from .provoking import sprint
from .reader import STRICT
from .searching import corners_of, in_hand
from .tool import fastest
from .traces import unknown

PROVOKED_M_S = 0.05  # a speed that nobody may have who is touched
INTRUDER = Person("provocation", (), 0, 0.0)


@dataclass(frozen=True, slots=True)
class Separation:
    """No part of `body` is ever faster than it may be at its distance from each person: it comes to rest before they
    are reached, walking straight at it all the while.

    margin = the largest speed that the distance allows (`approach.py`) - the speed that no point of the part exceeds in
    the interval, in m/s; shape (N,), in the rows, their brake and what is left of the committed plan; one trace a part.
    At exactly the limit it is inside; standing still it always is. The distance is the forecast's: certain throughout
    the interval, after tracking error and the track's uncertainty. A scene that does not say who is there is a
    violation; one that says that nobody is leaves nothing to measure. No rated safety function.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    kind: ClassVar[str] = "separation"
    body: tuple[str, ...]
    """What of the robot: links by name, `gripper`, `held`, or `robot` for all of it."""
    approach: Approach
    """How a person may approach, and how the robot stops."""

    def demands(self, case: Case, motion: Motion) -> tuple[Demand, ...]:
        """One for each part and person, as far as the part's highest speed needs."""
        near = self._near(case, motion)
        return () if near is None else tuple(question.demand for question in near.questions)

    def _near(self, case: Case, motion: Motion) -> Near | None:
        """The same, worked out once a motion; None where something is missing."""
        return motion.once(("people", self), lambda: self._asked(case, motion))

    def _asked(self, case: Case, motion: Motion) -> Near | None:
        people = case.scene.people
        parts = None if people is None else watched(self.body, case, motion, people)
        if people is None or parts is None:
            return None
        still = np.zeros(len(motion))
        all_of = [Watched(part, person, person.regions, value, still) for part, value in parts for person in people]
        return ask(self.approach, case, motion, all_of)

    def measure(self, case: Case, motion: Motion, clearances: tuple[Clearance, ...]) -> tuple[Trace, ...]:
        """One trace a part: its speed, and what the distance to the person allows who allows least."""
        near = self._near(case, motion)
        if near is None:
            return (unknown(motion, UNIT, "speed near people"),)
        return traces_of(self.approach, motion, near, clearances, [one.watched.base for one in near.questions])

    def faults(self, setup: Setup) -> tuple[Fault, ...]:
        """A set without a tracker, a reaction that is too short, a stop that nobody measured, unknown bodies."""
        return (*self.approach.faults(setup), *part_faults(setup, self.body))

    def provoke(self, setup: Setup) -> Provoked:
        """All joints move at nearly full speed past somebody who stands in the body's way."""
        return provoke_near(setup, self.body)


def provoke_near(setup: Setup, body: tuple[str, ...]) -> Provoked:
    """A motion of the body through a person, whose one part has the region `head`."""
    pose, velocities = fastest(setup, body, PROVOKED_M_S)
    x, y, z = corners_of(setup, body, pose[None])[0].mean(axis=0).tolist()
    part = BodyPart("head", (x, y, z - 0.5), (x, y, z + 0.5), 0.3)
    return replace(sprint(setup, (pose, velocities), in_hand(body)), people=(replace(INTRUDER, parts=(part,)),))
