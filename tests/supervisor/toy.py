"""A robot of two joints and a hand, three small rules, and what stands in for physics and the log: all as data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np

from interlock.arrays import FloatArray
from interlock.case import Case, Memory
from interlock.chunk import ActionChunk, Channel, Layout, Malformed, Stamps
from interlock.errors import ForecastExhausted, LogDegraded
from interlock.geometry import Pose
from interlock.jsonform import Json, digest
from interlock.log import Entry
from interlock.motion import Motion, Plan, RobotModel
from interlock.profile import Gripper, Joint, Profile
from interlock.rules import Accepts, Clearance, Demand, Freshness, Limit, Provocation, Rule, RuleSet, Trace
from interlock.scene import Cell, Held, RobotState, Scene

MS = 1_000_000
NOW = 10_000 * MS
PERIOD = 20 * MS
PERIOD_S = 0.02
START = (0.1, 0.2)
OPEN = 0.08


def _columns(name: str, quantity: Any = "joint_position", reference: Any = "absolute", unit: Any = "rad") -> Layout:
    joints = tuple(Channel(joint, "arm", quantity, reference, unit, "joint") for joint in ("a", "b"))
    return Layout(name, (*joints, Channel("hand", "hand", "gripper", "absolute", "m", "tool", polarity="zero_closed")))


ABSOLUTE = _columns("absolute")
SINCE_SEEN = _columns("since_seen", reference="delta_from_observation")
SINCE_LAST = _columns("since_last", reference="delta_from_previous")
SPEEDS = _columns("speeds", quantity="joint_velocity", unit="rad/s")
LAYOUTS = (ABSOLUTE, SINCE_SEEN, SINCE_LAST, SPEEDS)


def joint(name: str, **changes: Any) -> Joint:
    return replace(Joint(name, -2.0, 2.0, 1.0, 10.0, 0.05, "made up", jerk=5000.0), **changes)


def profile(**changes: Any) -> Profile:
    hand = Gripper("hand", 0.0, OPEN, "m", 0.1, "made up")
    return replace(Profile("toy", (joint("a"), joint("b")), (hand,), LAYOUTS, 1000.0, "linear"), **changes)


def _trace(motion: Motion, margin: FloatArray, value: FloatArray, limit: float, unit: str, name: str) -> Trace:
    which = np.zeros(len(motion), dtype=np.int64)
    return Trace(margin, value, np.full(len(motion), limit), unit, ((name,),), which, quantity=f"{unit} of {name}")


@dataclass(frozen=True, slots=True)
class Speed:
    """No joint is faster than `most` [rad/s] in rows and brake."""

    kind: ClassVar[str] = "toy_speed"
    most: float = 0.5

    def demands(self, case: Case, motion: Motion) -> tuple[Demand, ...]:
        del case, motion
        return ()

    def measure(self, case: Case, motion: Motion, clearances: tuple[Clearance, ...]) -> tuple[Trace, ...]:
        del clearances
        speed = np.abs(motion.velocities)
        margin = np.where(motion.proposed()[:, None], self.most - speed, np.inf)
        return tuple(
            _trace(motion, margin[:, index], speed[:, index], self.most, "rad/s", name)
            for index, name in enumerate(case.rules.profile.joint_names)
        )


@dataclass(frozen=True, slots=True)
class Reach:
    """Every joint stays below `most` [rad]; one trace a joint, or one of the worst joint only (`together`)."""

    kind: ClassVar[str] = "toy_reach"
    most: float = 1.5
    together: bool = False

    def demands(self, case: Case, motion: Motion) -> tuple[Demand, ...]:
        del case, motion
        return ()

    def measure(self, case: Case, motion: Motion, clearances: tuple[Clearance, ...]) -> tuple[Trace, ...]:
        del clearances
        room, names = self.most - motion.positions, case.rules.profile.joint_names
        if self.together:
            which = np.argmin(room, axis=1).astype(np.int64)
            worst = room.min(axis=1)
            limit = np.full(len(motion), self.most)
            return (Trace(worst, self.most - worst, limit, "rad", tuple((name,) for name in names), which),)
        return tuple(
            _trace(motion, room[:, index], motion.positions[:, index], self.most, "rad", name)
            for index, name in enumerate(names)
        )


@dataclass(frozen=True, slots=True)
class Apart:
    """The arm keeps `least` [m] from everything, as the forecast answers."""

    kind: ClassVar[str] = "toy_apart"
    least: float = 0.02

    def demands(self, case: Case, motion: Motion) -> tuple[Demand, ...]:
        del case
        return (Demand(("arm",), ("post", "wall"), self.least, np.full(len(motion), True)),)

    def measure(self, case: Case, motion: Motion, clearances: tuple[Clearance, ...]) -> tuple[Trace, ...]:
        del case
        (found,) = clearances
        limit = np.full(len(motion), self.least)
        gap = found.at_least_m
        return (Trace(gap - limit, gap, limit, "m", found.pairs, found.pair, found.points[:, 0], "gap"),)


@dataclass(frozen=True, slots=True)
class Scripted:
    """Whatever the test says."""

    kind: ClassVar[str] = "toy_scripted"
    script: Callable[[Motion], tuple[Trace, ...]]

    def demands(self, case: Case, motion: Motion) -> tuple[Demand, ...]:
        del case, motion
        return ()

    def measure(self, case: Case, motion: Motion, clearances: tuple[Clearance, ...]) -> tuple[Trace, ...]:
        del case, clearances
        return self.script(motion)


def rule(limit: Limit, reaction: Any = "veto", **changes: Any) -> Rule:
    return replace(Rule(limit.kind.removeprefix("toy_").upper(), limit, "because", reaction), **changes)


RULES = (rule(Speed(), "slow"), rule(Reach()), rule(Apart()))


def rules(*chosen: Rule, provocations: tuple[Provocation, ...] = (), **changes: Any) -> RuleSet:
    robot: Profile = changes.pop("profile", profile())
    return replace(
        RuleSet(
            name="toy",
            serial=1,
            profile=robot,
            cell=Cell("cell", Pose(), (), ()),
            modes=("automatic", "manual"),
            accepts=Accepts(robot.layouts, PERIOD_S, 1, 64, 25, "none"),
            freshness=Freshness(0.5, 0.05, 0.2),
            people="none",
            rules=chosen or RULES,
            meaning={"name": "toy"},
            digest=digest({"name": "toy"}),
            profile_digest=robot.digest,
            provocations=provocations,
        ),
        **changes,
    )


def state(positions: Sequence[float] = START, **changes: Any) -> RobotState:
    made = RobotState(NOW, ("a", "b"), np.array(positions), np.zeros(len(positions)), np.array([OPEN]))
    return replace(made, **changes)


def ramp(rows: int = 10, speed: Sequence[float] = (0.2, 0.1), start: Sequence[float] = START) -> FloatArray:
    """Rows from `start` at a constant speed [rad/s], hand open."""
    joints = np.array(start) + np.arange(1, rows + 1)[:, None] * PERIOD_S * np.array(speed)
    return np.column_stack([joints, np.full(rows, OPEN)])


def stamps(now_ns: int = NOW, **changes: Any) -> Stamps:
    made = Stamps(now_ns - 50 * MS, now_ns - 40 * MS, now_ns - MS, now_ns, now_ns + 5000 * MS)
    return replace(made, **changes)


def chunk(values: FloatArray | None = None, **changes: Any) -> ActionChunk:
    found = ramp() if values is None else values
    made = ActionChunk(
        id="c",
        session="s",
        sequence=1,
        layout=ABSOLUTE.digest,
        profile=profile().digest,
        values=found,
        mask=np.ones(found.shape, dtype=np.bool_),
        period_s=PERIOD_S,
        horizon=None,
        stamps=stamps(),
        anchor=np.array(START),
    )
    return replace(made, **changes)


def case(proposal: ActionChunk | Malformed | None = None, **changes: Any) -> Case:
    made = Case(NOW, chunk() if proposal is None else proposal, state(), Scene("automatic", ()), Memory(), rules())
    return replace(made, **changes)


def plan(rows: FloatArray, start_ns: int, grippers: float = OPEN, rows_end_ns: int | None = None) -> Plan:
    """A plan of joint rows a period apart."""
    times = start_ns + PERIOD * np.arange(len(rows), dtype=np.int64)
    end = int(times[-1]) if rows_end_ns is None else rows_end_ns
    return Plan(times, rows[:, :2], np.full((len(rows), 1), grippers), end)


Gap = Callable[[FloatArray], FloatArray]


@dataclass
class Physics:
    """Scripted physics: gaps [m] of positions (N, n) by pair, torques of accelerations, a budget, and no model."""

    gaps: Mapping[tuple[str, str], Gap] = field(default_factory=dict[tuple[str, str], Gap])
    torque: Callable[[FloatArray], FloatArray] | None = None
    model: RobotModel | None = None
    exhausted: bool = False
    answers_missing: int = 0
    asked: int = 0

    def torques(
        self, positions: FloatArray, velocities: FloatArray, accelerations: FloatArray, held: Held | None
    ) -> FloatArray | None:
        del positions, velocities, held
        return None if self.torque is None else self.torque(accelerations)

    def forecast(self, motion: Motion, scene: Scene, demands: tuple[Demand, ...]) -> tuple[Clearance, ...]:
        del scene
        self.asked += 1
        if self.exhausted:
            raise ForecastExhausted("1000 queries used up")
        return tuple(self._answer(motion, demand) for demand in demands)[self.answers_missing :]

    def _answer(self, motion: Motion, demand: Demand) -> Clearance:
        pairs = tuple(pair for pair in self.gaps if pair not in demand.exclude)
        gaps = np.array([self.gaps[pair](motion.positions) for pair in pairs]).reshape(len(pairs), len(motion))
        far = np.full((1, len(motion)), np.inf)
        nearest = np.argmin(np.vstack([gaps, far]), axis=0)
        least = np.vstack([gaps, far]).min(axis=0)
        pair = np.where(nearest == len(pairs), -1, nearest).astype(np.int64)
        return Clearance(least, pair, pairs, np.zeros((len(motion), 2, 3)), len(pairs))


@dataclass
class Arm:
    """Two bars of 1 m in a plane, as a robot model with one tool point at the tip."""

    links: tuple[str, ...] = ("base", "upper", "fore")
    fixed: frozenset[str] = frozenset({"base"})
    vertices: Mapping[str, FloatArray] = field(default_factory=dict[str, FloatArray])

    @property
    def tool_offsets(self) -> Mapping[str, tuple[str, FloatArray]]:
        offset = np.eye(4)
        offset[0, 3] = 1.0
        return {"tcp": ("fore", offset)}

    def forward(self, positions: FloatArray) -> FloatArray:
        poses = np.tile(np.eye(4), (len(positions), 3, 1, 1))
        for link, angle in ((1, positions[:, 0]), (2, positions[:, 0] + positions[:, 1])):
            poses[:, link, 0, 0], poses[:, link, 0, 1] = np.cos(angle), -np.sin(angle)
            poses[:, link, 1, 0], poses[:, link, 1, 1] = np.sin(angle), np.cos(angle)
        poses[:, 2, 0, 3], poses[:, 2, 1, 3] = np.cos(positions[:, 0]), np.sin(positions[:, 0])
        return poses

    def tool(self, positions: FloatArray, name: str) -> tuple[FloatArray, FloatArray]:
        link, offset = self.tool_offsets[name]
        frames = self.forward(positions)
        poses = frames[:, self.links.index(link)] @ offset
        jacobians = np.zeros((len(positions), 6, 2))
        for joint in (0, 1):
            lever = poses[:, :2, 3] - frames[:, joint + 1, :2, 3]
            jacobians[:, 0, joint], jacobians[:, 1, joint], jacobians[:, 5, joint] = -lever[:, 1], lever[:, 0], 1.0
        return poses, jacobians

    def sagitta(self, positions: FloatArray, link: str) -> FloatArray:
        del link
        return np.zeros(len(positions))

    def reach_error(self, positions: FloatArray, link: str) -> FloatArray:
        del link
        return np.zeros(len(positions))


@dataclass
class Ticket:
    """A promise that the test keeps or breaks."""

    entry: Entry
    log: Log

    def written(self, timeout_s: float) -> Entry:
        if self.log.late:
            raise LogDegraded(f"not written within {timeout_s} s")
        return self.entry

    def durable(self, timeout_s: float) -> Entry:
        if not self.log.syncs:
            raise LogDegraded(f"not durable within {timeout_s} s")
        self.log.durable.append(self.entry.index)
        return self.entry


@dataclass
class Log:
    """A log in memory: `late` breaks tickets, `syncs` keeps what is durable, `degraded` takes nothing."""

    late: bool = False
    syncs: bool = True
    degraded: str | None = None
    records: list[tuple[str, Mapping[str, Json], Mapping[str, bytes]]] = field(
        default_factory=list[tuple[str, Mapping[str, Json], Mapping[str, bytes]]]
    )
    durable: list[int] = field(default_factory=list[int])

    @property
    def kinds(self) -> list[str]:
        return [kind for kind, _, _ in self.records]

    def append(self, kind: str, body: Mapping[str, Json], *, blobs: Mapping[str, bytes], urgent: bool) -> Ticket:
        del urgent
        if self.degraded is not None:
            raise LogDegraded(self.degraded)
        self.records.append((kind, body, dict(blobs)))
        return Ticket(Entry(len(self.records) - 1, "0" * 64), self)
