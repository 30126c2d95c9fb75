"""One episode: a task, perhaps a fault, a seed, and either a supervisor or none; what came of it."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from interlock.profile import Profile
from interlock.robots import Clock, Policy, Robot
from interlock.scene import Cell

from .expert import Expert
from .faulty import Fault, Faulty
from .policy import SimPolicy
from .robot import SimClock, SimRobot
from .tasks import TASKS, Task, start_positions
from .tool import Tool, tool_of
from .unsupervised import run_unsupervised
from .watch import Contact, Excess
from .world import World

MODE = "automatic"
BEGIN_NS = 1_000_000_000  # a monotonic clock never shows 0, so nothing may rest on it
SPARE_S = 0.5  # what an episode may take longer than the expert's path, and by what share of it where nothing is wrong
SPARE_SHARE = 0.5
CRASH_NS = 300_000_000  # how long an unsupervised robot is watched after its first contact
REST_NS = 1_000_000_000  # how long contacts are still counted after the end, at most
AT_REST_RAD_S = 0.01


@dataclass(frozen=True, slots=True)
class Episode:
    """Which episode: a task of TASKS, a fault or none, and the seed of all chance in it."""

    task: str
    seed: int
    fault: Fault | None = None

    def rng(self) -> np.random.Generator:
        """The chance of this episode; the same with and without a supervisor, and with and without a fault."""
        return np.random.default_rng([self.seed, zlib.crc32(self.task.encode())])


@dataclass(frozen=True, slots=True)
class Judged:
    """What a supervisor did in an episode: refusals, amendments, refusals by rule, whether it ended latched, how often
    a recheck of the committed plan braked the arm, and how many chunks it reviewed.
    """

    vetoes: int = 0
    amended: int = 0
    by_rule: Mapping[str, int] = field(default_factory=dict[str, int])
    latched: bool = False
    rechecks: int = 0
    reviews: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an episode. `duration_s` is until success or the end; `blind`: a NaN silenced the physics."""

    success: bool
    contacts: tuple[Contact, ...]
    excesses: tuple[Excess, ...]
    blind: bool
    duration_s: float
    judged: Judged | None = None

    @property
    def limit_violated(self) -> bool:
        """Whether a measured position, velocity or torque was beyond 100 %, or could not be measured."""
        return self.blind or bool(self.excesses)

    @property
    def harmed(self) -> bool:
        """Whether anything happened that must not; what nobody could see counts."""
        return self.limit_violated or bool(self.contacts)


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """Everything that an episode needs, set up and waiting."""

    world: World
    robot: SimRobot
    clock: SimClock
    policy: Policy
    task: Task
    tool: Tool
    done: Callable[[], bool]


MakePolicy = Callable[[World, Task, str], Policy]
"""A policy in the place of the scripted expert: from the world that it sees, its task, and the name of its session."""

Supervise = Callable[[Policy, Robot, Clock, Callable[[], bool]], Judged]
"""Runs the closed loop under a supervisor until it is done or latched: policy, robot, clock, done."""


def run_episode(
    profile: Profile,
    cell: Cell,
    episode: Episode,
    supervise: Supervise | None,
    begin_ns: int = BEGIN_NS,
    make_policy: MakePolicy | None = None,
) -> Outcome:
    """One episode under a supervisor, or, where there is none, with the chunks played as they come.

    Its clock begins at `begin_ns`, so that episodes can follow one another on one supervisor's clock. The policy is the
    scripted expert where none is made.
    """
    stage = set_stage(profile, cell, episode, begin_ns, make_policy)
    try:
        judged = None
        if supervise is None:
            run_unsupervised(
                stage.policy,
                stage.world,
                mode=MODE,
                target=stage.task.target,
                until=lambda: stage.done() or _has_crashed(stage.world),
            )
        else:
            judged = supervise(stage.policy, stage.robot, stage.clock, stage.done)
        ended_ns = stage.world.now_ns
        stage.robot.brake()
        _until_rest(stage.world)
        return _outcome(stage, (ended_ns - begin_ns) / 1e9, judged)
    finally:
        stage.world.close()


def set_stage(
    profile: Profile,
    cell: Cell,
    episode: Episode,
    begin_ns: int = BEGIN_NS,
    make_policy: MakePolicy | None = None,
) -> Stage:
    """The world, the robot and the policy of an episode; whoever asks for it closes its world."""
    rng = episode.rng()
    tool = tool_of(profile, cell.mount)
    start = start_positions(profile)
    task = TASKS[episode.task](cell, tool, start, rng)
    path = task.path(profile, tool, rng)
    world = World(
        profile, cell, task.things, task.intended, positions=start, grippers=np.array([task.hand]), start_ns=begin_ns
    )
    session = f"{episode.task}-{episode.fault.name if episode.fault else 'nominal'}-{episode.seed}-{begin_ns}"
    policy: Policy
    if make_policy is None:
        policy = SimPolicy(Expert(path, rng), profile, rng, session=session, instruction=task.instruction)
    else:
        policy = make_policy(world, task, session)
    if episode.fault is not None:
        onset_ns = begin_ns + round(episode.fault.onset_s * 1e9)
        policy = Faulty(policy, episode.fault, onset_ns, profile=profile, tool=tool, task=task, rng=rng)
    share = SPARE_SHARE if episode.fault is None else 0.0
    limit_ns = begin_ns + round((path.end_s * (1.0 + share) + SPARE_S) * 1e9)
    return Stage(
        world=world,
        robot=SimRobot(world, MODE, task.target),
        clock=SimClock(world),
        policy=policy,
        task=task,
        tool=tool,
        done=lambda: world.now_ns >= limit_ns or task.done(world, tool),
    )


def _has_crashed(world: World) -> bool:
    contacts = world.watch.contacts
    return bool(contacts) and world.now_ns >= contacts[0].at_ns + CRASH_NS


def _until_rest(world: World) -> None:
    end_ns = world.now_ns + REST_NS
    while world.now_ns < end_ns and not all(abs(velocity) < AT_REST_RAD_S for velocity in world.velocities):
        world.run_until(world.now_ns + 20_000_000)


def _outcome(stage: Stage, duration_s: float, judged: Judged | None) -> Outcome:
    world = stage.world
    return Outcome(
        success=not world.watch.blind and stage.task.done(world, stage.tool),
        contacts=tuple(world.watch.contacts),
        excesses=tuple(world.watch.excesses.values()),
        blind=world.watch.blind,
        duration_s=duration_s,
        judged=judged,
    )
