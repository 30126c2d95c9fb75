"""Parts of the robot and people near them along a motion: what is asked of the forecast, and the speed that it allows.

A part may always stand still, always move at its `base` speed, and faster where the distance to that person allows it:
at each interval the least distance, after tracking error and the track's uncertainty, and the speed that no point of
the part exceeds in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from interlock.arrays import BoolArray, FloatArray
from interlock.case import Case
from interlock.motion import Motion, Phase
from interlock.rules import Clearance, Demand, Trace
from interlock.scene import Person

from .approach import Approach, Stop
from .bodies import TCP, body_faults, moving_parts
from .kind import Fault, Setup
from .swept import sweep
from .traces import silent, unknown

LOOKED: Final = 0.94  # of the speed that is allowed: slower parts are not measured, 5 % of margin is seen to be there
UNIT: Final = "m/s"


@dataclass(frozen=True, slots=True, eq=False)
class Watched:
    """A part of the robot, a person, and the regions of their body that are looked at together. value (N,): the speed
    [m/s] that no point of the part exceeds in each interval. base (N,): the speed that is allowed at any distance.
    """

    part: str
    person: Person
    regions: tuple[str, ...]
    value: FloatArray
    base: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """What one part and one person are about: a demand, what is taken off its answer [m], how fast the person walks."""

    watched: Watched
    demand: Demand
    gone: float
    walking: float


@dataclass(frozen=True, slots=True, eq=False)
class Near:
    """All questions of a motion, how the robot stops, how long (N,) [s] its own brake takes from each interval on, and
    which intervals are judged (N,).
    """

    questions: tuple[Question, ...]
    stop: Stop
    rest_s: FloatArray
    judged: BoolArray


def watched(
    body: tuple[str, ...], case: Case, motion: Motion, people: Sequence[Person]
) -> tuple[tuple[str, FloatArray], ...] | None:
    """Every part that can move with its speed (N,) [m/s]; None where the robot or a person is not known."""
    if motion.model is None or any(not person.parts for person in people):
        return None
    found: list[tuple[str, FloatArray]] = []
    for part in moving_parts(body, motion, case.rules.profile):
        swept = sweep(part, motion, case.rules.profile)
        if swept is None:
            return None
        found.append((part, swept.speed(motion.times_s)))
    return tuple(found)


def ask(approach: Approach, case: Case, motion: Motion, all_of: Sequence[Watched]) -> Near | None:
    """The questions of all that is watched; None where nobody says how the robot stops. Where a part is slower than
    LOOKED of its base speed nothing is asked; elsewhere as far as the fastest such interval needs, and a little more.
    """
    stop = approach.stop(case.rules.profile)
    if stop is None:
        return None
    judged, rest_s = motion.phase >= Phase.COMMITTED, resting(motion)
    questions: list[Question] = []
    for one in all_of:
        walking = approach.walking(one.person)
        moving = judged & (one.value > one.base * LOOKED) & np.isfinite(one.value)
        need = approach.needed(one.value[moving] / LOOKED, rest_s[moving], walking, stop)
        gone = approach.gone(one.person, case.now_ns)
        others = tuple(one.person.named(region) for region in one.regions)
        least = float(need.max(initial=0.0)) + gone
        known = np.isfinite(least)
        demand = Demand((one.part,), others, least if known else 0.0, moving & known)
        questions.append(Question(one, demand, gone, walking))
    return Near(tuple(questions), stop, rest_s, judged)


def resting(motion: Motion) -> FloatArray:
    """How long [s] (N,) the robot takes to come to rest from the beginning of each interval of the motion's own brake;
    0 elsewhere, where the brake is one that nobody has planned yet.
    """
    began = np.concatenate([motion.times_s[:1], motion.times_s[:-1]])
    return np.where(motion.braking(), motion.times_s[-1] - began, 0.0)


def traces_of(
    approach: Approach, motion: Motion, near: Near, clearances: Sequence[Clearance], bases: Sequence[FloatArray]
) -> tuple[Trace, ...]:
    """One trace a part: its speed, and the least that any person allows it; bases (N,): as in `Watched`, known better
    by now.
    """
    by_part: dict[str, list[Trace]] = {}
    for question, clearance, base in zip(near.questions, clearances, bases, strict=True):
        found = _trace(approach, motion, near, question, clearance, base)
        by_part.setdefault(question.watched.part, []).append(found)
    return tuple(_least(motion, found) for found in by_part.values()) or (silent(motion, UNIT, "speed"),)


def _trace(
    approach: Approach, motion: Motion, near: Near, question: Question, clearance: Clearance, base: FloatArray
) -> Trace:
    """The speed of a part beside one person; what does not move is inside, what is no number is not."""
    one, asked = question.watched, question.demand.intervals
    if clearance.at_least_m.shape != asked.shape or not np.isfinite(question.gone):
        return unknown(motion, UNIT, f"speed of {one.part}")
    left = np.where(asked, clearance.at_least_m - question.gone, 0.0)
    allowed = approach.allowed(left, near.rest_s, question.walking, near.stop)
    limit = np.where(asked, np.maximum(base, allowed), base)
    margin = np.where(one.value == 0.0, np.inf, limit - one.value)
    margin = np.where(near.judged | np.isnan(one.value), margin, np.inf)
    node = int(np.argmin(np.where(np.isnan(margin), -np.inf, margin)))
    where = f", {clearance.at_least_m[node]:.3f} m from {one.person.name}" if asked[node] else ""
    places = clearance.points[:, 0]
    return Trace(margin, one.value, limit, UNIT, clearance.pairs, clearance.pair, places, f"speed of {one.part}{where}")


def _least(motion: Motion, traces: Sequence[Trace]) -> Trace:
    """Of several traces of one part the least margin at every node, NaN less than any."""
    margins = np.stack([trace.margin for trace in traces])
    found = np.argmin(np.where(np.isnan(margins), -np.inf, margins), axis=0)
    nodes = np.arange(len(motion))
    starts = np.cumsum([0, *(len(trace.names) for trace in traces)])[found]
    which = np.stack([trace.which for trace in traces])[found, nodes]
    margin = margins[found, nodes]
    worst = int(np.argmin(np.where(np.isnan(margin), -np.inf, margin)))
    return Trace(
        margin=margin,
        value=traces[0].value,
        limit=np.stack([trace.limit for trace in traces])[found, nodes],
        unit=UNIT,
        names=tuple(name for trace in traces for name in trace.names),
        which=np.where(which < 0, -1, which + starts),
        points=np.stack([_points(trace, motion) for trace in traces])[found, nodes],
        quantity=traces[int(found[worst])].quantity,
    )


def _points(trace: Trace, motion: Motion) -> FloatArray:
    return np.full((len(motion), 3), np.nan) if trace.points is None else trace.points


def part_faults(setup: Setup, body: tuple[str, ...]) -> tuple[Fault, ...]:
    """What is wrong with a list of bodies that are measured against people: a point has no shape to measure."""
    points = tuple(
        Fault(f"body[{index}]", "the tool point has no shape; name gripper, or the link that carries it")
        for index, word in enumerate(body)
        if word == TCP
    )
    return (*body_faults(setup, body), *points)
