"""Closed loops that something interrupts, again and again: the robot must always come to rest, and harm nothing.

`make interrupt N=200` runs the scripted expert in the simulated cell under a supervisor. At some moment something goes
wrong, by chance: no answer any more, garbage, NaN, rows that jump, rows that lead into the table, an answer that comes
late, a policy or a rule that raises, readings that stand still, jump or are none, a scene that nobody sees, an obstacle
that appears where the hand is, a brake, a stop. When the robot rests it goes on from there, until the next. Violations
are counted by the physics, every millisecond: contacts that nobody intended, joints beyond position, speed and torque;
and by this file, from what was measured: speeds that change more quickly than the joints may, the tool outside of its
zone, a thing that falls, a robot that does not come to rest. None of that asks the judge. The last line printed is
JSON: {"interruptions", "violations"}; exit code 1 where there are violations.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache, partial
from multiprocessing import get_context
from typing import ClassVar, Final

import numpy as np
import shapely
from rich.console import Console
from rich.progress import Progress

from bench.nowhere import Nowhere
from interlock import BulletPhysics, Supervisor
from interlock.arrays import FloatArray, where_least
from interlock.case import Case
from interlock.chunk import ActionChunk, Malformed
from interlock.geometry import Pose, Sphere
from interlock.lower import joint_limits
from interlock.motion import Motion
from interlock.robots import Asked, Policy, run
from interlock.rules import Clearance, Demand, Limit, RuleSet, Trace
from interlock.scene import RobotState, Scene, SceneObject
from interlock.self_test import SelfTest
from interlock_rules import load
from interlock_sim.episode import BEGIN_NS, Episode, Stage, set_stage
from interlock_sim.tasks import TASKS

RULES: Final = "panda-tabletop"
ZONE: Final = "bench"
MS: Final = 1_000_000
AFTER_S: Final = (0.1, 0.9)  # from the beginning, and from each rest, to what goes wrong next
REST_S: Final = 2.5  # longer than any plan of the rule set, with its brake
PROMPT_S: Final = 0.35  # where it was told to stop; most plans would go on for longer
STILL_RAD_S: Final = 0.01
STILL_NS: Final = 100 * MS  # at rest for so long
WINDOW: Final = 4  # readings, 5 ms apart, over which a change of speed is taken: a row period
LOOSE: Final = 1.1  # motors follow what they are told as springs do
FALL_M_S: Final = 0.7  # faster than any hand here goes
LONGEST_NS: Final = 60_000_000_000  # of an episode
MOST_TOLD: Final = 20  # violations of an episode that are told


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
    values = chunk.values.copy()
    values[:, 1] += 0.9 * np.linspace(0.0, 1.0, len(values)) ** 2
    return replace(chunk, values=values)


def _raises(_chunk: ActionChunk, _now_ns: int) -> ActionChunk:
    raise Broke("the policy raised")


def _late(chunk: ActionChunk, now_ns: int) -> ActionChunk | None:
    first_ns = chunk.stamps.first_row_ns
    return chunk if first_ns is None or now_ns > first_ns + 300 * MS else None


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

    kind: ClassVar[str] = "fickle"
    limit: Limit
    now: Now

    def demands(self, case: Case, motion: Motion) -> tuple[Demand, ...]:
        """As it is."""
        return self.limit.demands(case, motion)

    def measure(self, case: Case, motion: Motion, clearances: tuple[Clearance, ...]) -> tuple[Trace, ...]:
        """As it is, unless it raises Broke."""
        if self.now.wrong.rule:
            raise Broke("a rule raised")
        return self.limit.measure(case, motion, clearances)


class Breaking:
    """The policy of an episode, until something is wrong with its answers."""

    def __init__(self, policy: Policy, now: Now) -> None:
        self._policy, self._now = policy, now
        self._kept: ActionChunk | None = None

    def ask(self, asked: Asked) -> None:
        """Asks the policy."""
        self._kept = None
        self._policy.ask(asked)

    def answer(self, now_ns: int) -> ActionChunk | Malformed | None:
        """The policy's answer, or what is made of it; raises Broke."""
        found = self._policy.answer(now_ns)
        spoil = self._now.wrong.answer
        if spoil is None:
            return found
        self._kept = found if isinstance(found, ActionChunk) else self._kept
        told = None if self._kept is None else spoil(self._kept, now_ns)
        self._kept = None if told is not None else self._kept
        return told


class Misread:
    """The robot of an episode, until something is wrong with what is read of it."""

    def __init__(self, stage: Stage, now: Now) -> None:
        self._stage, self._now = stage, now
        self.follow, self.brake = stage.robot.follow, stage.robot.brake

    def read(self) -> tuple[RobotState, Scene]:
        """What was measured, or what is made of it."""
        state, scene = self._stage.robot.read()
        self._now.first = state if self._now.first is None else self._now.first
        spoil = self._now.wrong.reading
        if spoil is None:
            return state, scene
        return spoil(state, scene, self._now.first, tool_point(self._stage))


def tool_point(stage: Stage) -> FloatArray:
    """Where the tool is (3,) [m, world], by the expert's kinematics."""
    return np.asarray(stage.tool.forward(np.array([stage.world.positions]))[0, :3, 3])


class Watched:
    """The clock of an episode: looks at what is measured every 5 ms, and lets go wrong what is to."""

    def __init__(self, stage: Stage, rules: RuleSet, now: Now, chance: np.random.Generator) -> None:
        self.stage, self.now, self.chance = stage, now, chance
        self.found: list[str] = []
        self.kinds: list[str] = []
        self.supervisor: Supervisor | None = None
        self._limits: FloatArray = LOOSE * joint_limits(rules.profile, "acceleration")
        zone = rules.cell.zone(ZONE)
        self._polygon, self._low, self._high = zone.polygon, zone.z_min, zone.z_max
        self._speeds: deque[FloatArray] = deque(maxlen=WINDOW + 1)
        self._still_since_ns: int | None = None
        self._seen = 0
        self.next_ns = self.later()

    def later(self) -> int:
        """When something goes wrong next."""
        return self.now_ns() + round(self.chance.uniform(*AFTER_S) * 1e9)

    def now_ns(self) -> int:
        """The time of the world."""
        return self.stage.world.now_ns

    def sleep_until(self, when_ns: int) -> None:
        """Runs the world up to then."""
        while self.now_ns() < when_ns:
            self.stage.world.run_until(min(self.now_ns() + 5 * MS, when_ns))
            self._look()
            if self.now.since_ns is None and self.now_ns() >= self.next_ns and self.supervisor is not None:
                self._begin(self.supervisor)

    def _begin(self, supervisor: Supervisor) -> None:
        kind = str(self.chance.choice(list(WRONG)))
        self.kinds.append(kind)
        self.now.begin(WRONG[kind], self.now_ns())
        if self.now.wrong.told:
            self.stage.robot.brake()
        if self.now.wrong.told == "stop":
            supervisor.stop("somebody pressed it")
        elif self.now.wrong.told == "brake":
            supervisor.braked()

    @property
    def rests(self) -> bool:
        """Whether the robot has stood still for a while since something went wrong."""
        since = self._still_since_ns
        begun = self.now.since_ns
        return since is not None and begun is not None and self.now_ns() - max(since, begun) >= STILL_NS

    @property
    def over(self) -> bool:
        """Whether it should have come to rest by now."""
        begun = self.now.since_ns
        return begun is not None and self.now_ns() - begun > self.within_s * 1e9

    @property
    def within_s(self) -> float:
        """How soon the robot must be found at rest [s]."""
        return (PROMPT_S if self.now.wrong.told else REST_S) + STILL_NS / 1e9

    def _look(self) -> None:
        world = self.stage.world
        speeds = np.array(world.velocities)
        self._speeds.append(speeds)
        if not bool((np.abs(speeds) < STILL_RAD_S).all()):
            self._still_since_ns = None
        elif self._still_since_ns is None:
            self._still_since_ns = self.now_ns()
        if len(self._speeds) == WINDOW + 1:
            change: FloatArray = np.abs(self._speeds[-1] - self._speeds[0]) / (WINDOW * 5e-3)
            if not bool((change <= self._limits).all()):
                joint = where_least(self._limits - change)
                self._note(f"joint {joint + 1} changes its speed by {change[joint]:.1f} rad/s^2")
        place: list[float] = tool_point(self.stage).tolist()
        x, y, z = place
        if not (bool(shapely.intersects_xy(self._polygon, x, y)) and self._low <= z <= self._high):
            self._note(f"the tool is at ({x:.3f}, {y:.3f}, {z:.3f}) m, outside of {ZONE}")
        for thing in self.stage.task.things:
            if not world.speed_of(thing.name) < FALL_M_S:
                self._note(f"{thing.name} falls")

    def _note(self, what: str) -> None:
        if len(self.found) < MOST_TOLD:
            self.found.append(f"{self.kinds[-1] if self.kinds else 'nothing wrong yet'}: {what}")

    def physics_says(self) -> list[str]:
        """Contacts and limits, as the physics saw them."""
        watch = self.stage.world.watch
        told = [f"{one.pair[0]} meets {one.pair[1]}, {one.depth_m * 1e3:.1f} mm deep" for one in watch.contacts]
        told += [
            f"{one.joint}: {one.quantity} {one.value:.3f}, limit {one.limit:.3f}" for one in watch.excesses.values()
        ]
        return [
            f"{', '.join(self.kinds[-1:])}: {what}" for what in (*told, *(["nobody can see"] if watch.blind else []))
        ]


@dataclass(frozen=True, slots=True)
class Told:
    """What came of an episode: what went wrong in it, in order, and violations in words."""

    kinds: tuple[str, ...]
    violations: tuple[str, ...]


class Cell:
    """One supervisor's rules, physics and self-test, for one episode after another."""

    def __init__(self) -> None:
        plain = load(RULES)
        self.now = Now()
        rules = [replace(rule, limit=Fickle(rule.limit, self.now)) for rule in plain.rules[:1]]
        self.rules = replace(plain, rules=(*rules, *plain.rules[1:]))
        self.physics = BulletPhysics(plain.profile, plain.cell)
        self.proof = SelfTest(self.rules, self.physics)

    def episode(self, seed: int) -> Told:
        """One episode, from its beginning to its end, however often it is interrupted."""
        chance = np.random.default_rng([seed, 5])
        self.now.end()
        stage = set_stage(self.rules.profile, self.rules.cell, Episode(str(chance.choice(list(TASKS))), seed), BEGIN_NS)
        try:
            watched = Watched(stage, self.rules, self.now, chance)
            supervisor = Supervisor(
                self.rules, Nowhere(), self.physics, now_ns=watched.now_ns, elapsed_ns=lambda: 0, self_test=self.proof
            )
            watched.supervisor = supervisor
            policy, robot = Breaking(stage.policy, self.now), Misread(stage, self.now)
            late_ns = BEGIN_NS + LONGEST_NS
            while not stage.done() and watched.now_ns() < late_ns:
                ends = partial(_ended, watched, stage)
                with suppress(Broke):
                    run(supervisor, policy, robot, watched, done=ends)
                if self.now.since_ns is None:
                    break
                while not (watched.rests or watched.over):
                    watched.sleep_until(watched.now_ns() + 5 * MS)
                if not watched.rests:
                    watched.found.append(f"{watched.kinds[-1]}: not at rest {watched.within_s:g} s later")
                if supervisor.memory.state == "stopped":
                    supervisor.reset("interrupting", "it rests, and goes on from there")
                self.now.end()
                watched.next_ns = watched.later()
            return Told(tuple(watched.kinds), (*watched.found, *watched.physics_says()))
        finally:
            stage.world.close()


def _ended(watched: Watched, stage: Stage) -> bool:
    return watched.rests or watched.over or (watched.now.since_ns is None and stage.done())


@cache
def _cell() -> Cell:
    return Cell()


def _work(seed: int) -> Told:
    return _cell().episode(seed)


def told(count: int, seed: int, workers: int) -> Iterator[Told]:
    """Episodes of a seed, one after the other, until so many interruptions have been."""
    seeds = (seed * 1_000_000 + number for number in range(count))  # each has one at least, or none is missed
    if workers == 1:
        yield from map(_work, seeds)
        return
    with get_context("spawn").Pool(workers) as pool:
        yield from pool.imap(_work, seeds)


def main(arguments: Sequence[str]) -> int:
    """The command; its exit code."""
    parser = argparse.ArgumentParser(description="Interrupted loops: each comes to rest, and harms nothing.")
    parser.add_argument("--count", type=int, default=200, help="how many interruptions, at least; default 200")
    parser.add_argument("--seed", type=int, default=1, help="which episodes")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes; default one a core")
    given = parser.parse_args(arguments)
    kinds, violations = Counter[str](), list[str]()
    with Progress(console=Console(stderr=True)) as shown:
        bar = shown.add_task("interruptions", total=given.count)
        for one in told(given.count, given.seed, given.workers):
            kinds.update(one.kinds)
            violations += one.violations
            shown.update(bar, completed=min(kinds.total(), given.count))
            if kinds.total() >= given.count:
                break
    for line in violations:
        print(line, file=sys.stderr)
    print(", ".join(f"{kind} {count}" for kind, count in kinds.most_common()), file=sys.stderr)
    print(json.dumps({"interruptions": kinds.total(), "violations": len(violations)}))
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
