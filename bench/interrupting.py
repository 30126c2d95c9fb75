"""Closed loops that something interrupts, again and again: does the robot come to rest each time, and harm nothing?

`make interrupt N=200` runs the scripted expert in the simulated cell under a supervisor. At a moment by chance something
goes wrong, by chance: no answer any more, garbage, NaN, rows that jump, rows that lead into the table, an answer that
comes late, a policy or a rule that raises, readings that stand still or jump, a scene that nobody sees, an obstacle that
appears where the hand will be, a brake, a stop. When the robot rests it goes on from there. Violations are counted by
the physics, every millisecond: contacts that nobody intended, joints beyond position, speed and torque; and by this
file, from what was measured: speed changed more quickly than the joints may, the tool outside of its zone, a thing that
falls, a robot that does not come to rest. None of this asks the judge. The last line printed is JSON: {"interruptions",
"violations"}; exit code 1 where there are any.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from typing import Final

import numpy as np
import shapely
from rich.console import Console
from rich.progress import track

from bench.nowhere import Nowhere
from interlock import BulletPhysics, Supervisor
from interlock.arrays import FloatArray
from interlock.case import Case
from interlock.chunk import ActionChunk, Malformed
from interlock.geometry import Pose, Sphere
from interlock.motion import Motion
from interlock.robots import Asked, Policy, run
from interlock.rules import Clearance, Demand, Limit, Rule, RuleSet, Trace
from interlock.scene import RobotState, Scene, SceneObject
from interlock.self_test import SelfTest
from interlock_rules import load
from interlock_sim.episode import BEGIN_NS, Episode, Stage, set_stage
from interlock_sim.robot import SimClock, SimRobot
from interlock_sim.tasks import TASKS

RULES: Final = "panda-tabletop"
ZONE: Final = "bench"
MS: Final = 1_000_000
AFTER_S: Final = (0.1, 0.9)  # from the beginning, and from each rest, to what goes wrong next
REST_S: Final = 2.5  # longer than any plan of the rule set, with its brake
STILL_RAD_S: Final = 0.01
STILL_NS: Final = 100 * MS  # at rest for so long
WINDOW: Final = 4  # readings, 5 ms apart, over which a change of speed is taken: a row period
LOOSE: Final = 1.1  # motors follow what they are told as springs do
FALL_M_S: Final = 0.7  # faster than any hand here goes
TASK: Final = 5  # interruptions that a worker is given at once


class Broke(Exception):
    """What a policy or a rule raises here."""


@dataclass(frozen=True, slots=True)
class Wrong:
    """What goes wrong, at most one thing of each side: of what the policy answers, of what is read, of what else."""

    answer: Callable[[ActionChunk, int], ActionChunk | Malformed | None] | None = None
    reading: Callable[[RobotState, Scene, RobotState, FloatArray], tuple[RobotState, Scene]] | None = None
    rule: bool = False
    told: str = ""


def _nan(chunk: ActionChunk, _now_ns: int) -> ActionChunk:
    values = chunk.values.copy()
    values[len(values) // 2, 1] = np.nan
    return replace(chunk, values=values)


def _far(chunk: ActionChunk, _now_ns: int) -> ActionChunk:
    return replace(chunk, values=chunk.values + 0.3 * (np.arange(chunk.values.shape[1]) < 4))


def _down(chunk: ActionChunk, _now_ns: int) -> ActionChunk:
    lean = np.linspace(0.0, 0.9, len(chunk.values))[:, None] ** 2 * (np.arange(chunk.values.shape[1]) == 1)
    return replace(chunk, values=chunk.values + lean)


def _raises(_chunk: ActionChunk, _now_ns: int) -> ActionChunk:
    raise Broke("the policy raised")


def _late(chunk: ActionChunk, now_ns: int) -> ActionChunk | None:
    return chunk if now_ns > chunk.stamps.first_row_ns + 300 * MS else None


def _stale(_state: RobotState, scene: Scene, first: RobotState, _hand: FloatArray) -> tuple[RobotState, Scene]:
    return first, scene


def _off(state: RobotState, scene: Scene, _first: RobotState, _hand: FloatArray) -> tuple[RobotState, Scene]:
    return replace(state, positions=state.positions + 0.2), scene


def _lost(state: RobotState, scene: Scene, _first: RobotState, _hand: FloatArray) -> tuple[RobotState, Scene]:
    return replace(state, positions=state.positions * np.nan), scene


def _unseen(state: RobotState, scene: Scene, _first: RobotState, _hand: FloatArray) -> tuple[RobotState, Scene]:
    return state, replace(scene, objects=None)


def _obstacle(state: RobotState, scene: Scene, _first: RobotState, hand: FloatArray) -> tuple[RobotState, Scene]:
    x, y, z = hand.tolist()
    ball = SceneObject("obstacle", Sphere(0.04), Pose((x, y, z)), state.seen_ns, 0.002, 0.0)
    return state, replace(scene, objects=(*(scene.objects or ()), ball))


WRONG: Final[dict[str, Wrong]] = {
    "no answer": Wrong(answer=lambda _chunk, _now_ns: None),
    "garbage": Wrong(answer=lambda chunk, _now_ns: Malformed("garbage", chunk.id)),
    "NaN": Wrong(answer=_nan),
    "rows that jump": Wrong(answer=_far),
    "rows into the table": Wrong(answer=_down),
    "a late answer": Wrong(answer=_late),
    "a policy that raises": Wrong(answer=_raises),
    "a rule that raises": Wrong(rule=True),
    "stale readings": Wrong(reading=_stale),
    "readings that jump": Wrong(reading=_off),
    "readings of NaN": Wrong(reading=_lost),
    "a scene unseen": Wrong(reading=_unseen),
    "an obstacle": Wrong(reading=_obstacle),
    "a brake": Wrong(told="brake"),
    "a stop": Wrong(told="stop"),
}


@dataclass(slots=True)
class Now:
    """What is wrong now, since when, and what was read last before it."""

    wrong: Wrong = field(default_factory=Wrong)
    since_ns: int | None = None
    first: RobotState | None = None

    def begin(self, wrong: Wrong, now_ns: int) -> None:
        """From now on this is wrong."""
        self.wrong, self.since_ns, self.first = wrong, now_ns, None

    def end(self) -> None:
        """Nothing is wrong any more."""
        self.wrong, self.since_ns, self.first = Wrong(), None, None


@dataclass(frozen=True, slots=True)
class Fickle:
    """A rule's limit that raises while it is to."""

    limit: Limit
    now: Now

    @property
    def kind(self) -> str:  # type: ignore[override]
        """As it is."""
        return self.limit.kind

    def demands(self, case: Case, motion: Motion) -> tuple[Demand, ...]:
        """As it is."""
        return self.limit.demands(case, motion)

    def measure(self, case: Case, motion: Motion, clearances: tuple[Clearance, ...]) -> tuple[Trace, ...]:
        """As it is, unless it raises Broke."""
        if self.now.wrong.rule:
            raise Broke("a rule raised")
        return self.limit.measure(case, motion, clearances)
