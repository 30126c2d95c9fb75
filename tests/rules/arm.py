"""A planar arm of three links that turn about the vertical, its cell, and motions of it, without PyBullet.

All of it stands at z = 0.5 m, so that distances can be worked out exactly in the plan view, by shapely.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
import shapely
from typing_extensions import override

from interlock.arrays import FloatArray
from interlock.case import Case, Memory
from interlock.chunk import Channel, Layout, Malformed
from interlock.geometry import Box, Cylinder, Pose, Sphere
from interlock.motion import Motion, Phase
from interlock.profile import AllowedCollision, Gripper, Inertia, Joint, Profile, ToolPoint
from interlock.rules import Accepts, Clearance, Demand, Freshness, Limit, Rule, RuleSet, Trace
from interlock.scene import Body, BodyPart, Cell, Held, Person, RobotState, Scene, SceneObject, Zone
from interlock_rules.kind import Kind, Provoked, Setup
from interlock_rules.swept import sweep

LENGTHS = (0.4, 0.3, 0.1)
HEIGHT = 0.5
PERIOD = 0.02
LINKS = ("base", "upper", "fore", "hand", "flange")
SHAPED = ("base", "upper", "fore", "hand")
HOME = np.array([0.3, 0.5, 0.4])


def bar(start: float, end: float, half: float) -> FloatArray:
    return np.array([[x, y, z] for x in (start, end) for y in (-half, half) for z in (-half, half)])


@dataclass(frozen=True)
class Arm:
    """The RobotModel; `stiff` bounds nothing, so that margins are exact."""

    tracking: float = 0.0
    stiff: bool = True

    links = LINKS
    fixed = frozenset({"base"})

    @property
    def vertices(self) -> Mapping[str, FloatArray]:
        found = {name: bar(0.0, length, 0.02) for name, length in zip(SHAPED[1:], LENGTHS, strict=True)}
        return {"base": bar(-0.05, 0.05, 0.05), **found}

    @property
    def tool_offsets(self) -> Mapping[str, tuple[str, FloatArray]]:
        offset = np.eye(4)
        offset[0, 3] = 0.05
        return {"tcp": ("flange", offset), "tip": ("flange", offset)}

    def forward(self, positions: FloatArray) -> FloatArray:
        poses = np.tile(np.eye(4), (len(positions), 5, 1, 1))
        poses[:, 0, 2, 3] = HEIGHT
        angle, place = np.zeros(len(positions)), np.zeros((len(positions), 3))
        place[:, 2] = HEIGHT
        for joint, length in enumerate(LENGTHS):
            angle = angle + positions[:, joint]
            along = np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1)
            poses[:, joint + 1] = frames(angle, place)
            place = place + length * along
        poses[:, 4] = frames(angle, place)
        return poses

    def tool(self, positions: FloatArray, name: str) -> tuple[FloatArray, FloatArray]:
        link, offset = self.tool_offsets[name]
        frames_ = self.forward(positions)
        poses = frames_[:, LINKS.index(link)] @ offset
        lever = poses[:, None, :2, 3] - frames_[:, 1:4, :2, 3]
        jacobians = np.zeros((len(positions), 6, 3))
        jacobians[:, 0], jacobians[:, 1], jacobians[:, 5] = -lever[..., 1], lever[..., 0], 1.0
        return poses, jacobians

    def sagitta(self, positions: FloatArray, link: str) -> FloatArray:  # noqa: ARG002 - the same for all
        turn = np.abs(np.diff(positions, axis=0, prepend=positions[:1])).sum(axis=1)
        return np.asarray(turn**2 * (0.0 if self.stiff else sum(LENGTHS) / 8.0))

    def reach_error(self, positions: FloatArray, link: str) -> FloatArray:  # noqa: ARG002 - the same for all
        return np.asarray(0.0 * positions.sum(axis=1) + 3 * self.tracking * sum(LENGTHS))


class Bare(Arm):
    """The arm without a tool point."""

    @property
    @override
    def tool_offsets(self) -> Mapping[str, tuple[str, FloatArray]]:
        return {}


def frames(angle: FloatArray, place: FloatArray) -> FloatArray:
    found = np.tile(np.eye(4), (len(angle), 1, 1))
    found[:, 0, 0], found[:, 0, 1] = np.cos(angle), -np.sin(angle)
    found[:, 1, 0], found[:, 1, 1] = np.sin(angle), np.cos(angle)
    found[:, :3, 3] = place
    return found


def square(half: float, x: float = 0.0, y: float = 0.0) -> tuple[tuple[float, float], ...]:
    return ((x - half, y - half), (x + half, y - half), (x + half, y + half), (x - half, y + half))


LAYOUT = Layout(
    "absolute", tuple(Channel(f"j{i}", "arm", "joint_position", "absolute", "rad", "joint") for i in (1, 2, 3))
)
PROFILE = Profile(
    name="planar",
    joints=tuple(Joint(f"j{i}", -2.5, 2.5, 2.0, 10.0, 1e-12, "test", 500.0, 50.0) for i in (1, 2, 3)),
    grippers=(Gripper("hand", 0.0, 0.08, "m", 0.1, "test", 20.0),),
    layouts=(LAYOUT,),
    control_rate_hz=1000.0,
    interpolation="linear",
    flange="flange",
    hand_links=("hand",),
    tool_points=(ToolPoint("tip", "flange", Pose((0.05, 0.0, 0.0))), ToolPoint("elbow", "upper", Pose())),
    inertias=tuple(
        Inertia(link, mass, (0.0, 0.0, 0.0), (1.0, 0.0, 0.0, 1.0, 0.0, 1.0), "test")
        for link, mass in (("base", 9.0), ("upper", 3.0), ("fore", 2.0), ("hand", 1.0))
    ),
    allowed_collisions=tuple(
        AllowedCollision(a, b, "neighbours") for a, b in (("base", "upper"), ("upper", "fore"), ("hand", "fore"))
    ),
)
CELL = Cell(
    name="bench",
    mount=Pose(),
    bodies=(
        Body("post", Cylinder(0.05, 1.0), Pose((-0.548, 0.548, 0.5))),
        Body("wall", Box((0.05, 2.0, 1.0)), Pose((-0.7, 0.0, 0.5))),
    ),
    zones=(
        Zone("hall", square(0.78), z_min=0.0, z_max=1.0),
        Zone("bench", square(0.2, 0.45, 0.45), z_min=0.0, z_max=1.0),
        Zone("screen", square(0.1, -0.3, -0.5), z_min=0.0, z_max=1.0),
    ),
)
SETUP = Setup(PROFILE, CELL, Arm(), HOME, PERIOD, 10, 0.1)
NOTHING = Scene("automatic", (), None, ())


def cubic(setup: Setup) -> Setup:
    return replace(setup, profile=replace(setup.profile, interpolation="cubic"))


def case_of(limit: object, scene: Scene = NOTHING, held: Held | None = None, setup: Setup = SETUP) -> Case:
    """A case with one rule; what was proposed does not matter to a kind, which is given the motion."""
    rules = RuleSet(
        name="one",
        serial=1,
        profile=setup.profile,
        cell=setup.cell,
        modes=("automatic",),
        accepts=Accepts(setup.profile.layouts, PERIOD, 1, 64, 1, "none"),
        freshness=Freshness(1.0, 1.0, 1.0),
        people="none",
        rules=(Rule("ONE", cast(Limit, limit), "test"),),
        meaning=None,
        digest="",
        profile_digest="",
    )
    state = RobotState(0, setup.profile.joint_names, setup.home, np.zeros(3), np.array([0.08]), held)
    return Case(0, Malformed("none", ""), state, scene, Memory(), rules)


def motion_of(
    positions: FloatArray | list[FloatArray],
    grippers: FloatArray | None = None,
    held: Held | None = None,
    brake: int = 1,
    setup: Setup = SETUP,
) -> Motion:
    """The first node is measured and commanded, the last `brake` nodes are the brake, all between are rows."""
    path = np.concatenate([np.asarray(positions)[:1], np.asarray(positions)])
    count = len(path)
    seconds = np.maximum(np.arange(count) - 1, 0) * PERIOD
    velocities = np.diff(path, axis=0, prepend=path[:1]) / PERIOD
    accelerations = np.diff(velocities, axis=0, prepend=velocities[:1]) / PERIOD
    phase = np.array([Phase.MEASURED] * 2 + [Phase.ROW] * (count - 2 - brake) + [Phase.BRAKE] * brake, dtype=np.int64)
    model = cast(Any, setup.model)
    poses = model.forward(path) if model is not None else np.empty((count, 0, 4, 4))
    tools = {} if model is None else {n: poses[:, LINKS.index(k)] @ t for n, (k, t) in model.tool_offsets.items()}
    opened = np.full((count, 1), 0.08) if grippers is None else np.concatenate([grippers[:1], grippers])
    return Motion(
        now_ns=0,
        times_s=seconds,
        phase=phase,
        row=np.where(phase == Phase.ROW, np.arange(count) - 2, -1),
        positions=path,
        velocities=velocities,
        accelerations=accelerations,
        jerks=np.diff(accelerations, axis=0, prepend=accelerations[:1]) / PERIOD,
        grippers=opened,
        torques=accelerations * 4.0,
        poses=poses,
        tool_points=tools,
        held=held,
        measured_grippers=opened[0],
        model=model,
        late_s=np.zeros(count),
    )


def provoked_motion(provoked: Provoked, setup: Setup) -> Motion:
    rows = np.concatenate([provoked.start[None], provoked.rows, provoked.rows[-1:]])
    grippers = np.concatenate([provoked.grippers[:1], provoked.grippers, provoked.grippers[-1:]])
    return motion_of(rows, grippers, provoked.held, setup=setup)


def still(count: int = 5, at: FloatArray = HOME) -> FloatArray:
    return np.tile(at, (count, 1))


def moving(step: float, count: int = 6, joint: int = 0) -> FloatArray:
    """From home, one joint turns by the same step in each row."""
    found = still(count)
    found[:, joint] += step * np.arange(count)
    return found


def judge(limit: Kind, motion: Motion, case: Case | None = None) -> tuple[Trace, ...]:
    """The traces of one rule, with distances in the plan view as its forecast."""
    case = case_of(limit) if case is None else case
    motion = replace(motion)  # what is known of it depends on its case
    demands = limit.demands(case, motion)
    return limit.measure(case, motion, tuple(forecast(demand, motion, case) for demand in demands))


def ok(traces: tuple[Trace, ...]) -> bool:
    """Allowed, as the judge reads traces: NaN never is, and no trace at all is not."""
    return bool(traces) and all(bool((trace.margin >= 0.0).all()) for trace in traces)


def worst(traces: tuple[Trace, ...]) -> float:
    return float(min(trace.margin.min() for trace in traces))


def forecast(demand: Demand, motion: Motion, case: Case) -> Clearance:
    """What remains between the hulls of both ends of each interval, in the plan view; negative where they overlap."""
    pairs = [
        (a, b) for a in demand.links for b in demand.others if a != b and (min(a, b), max(a, b)) not in demand.exclude
    ]
    motion = motion if demand.lagging else replace(motion, model=Arm())
    count = len(motion)
    gaps = np.full((max(1, len(pairs)), count), np.inf)
    for index, (a, b) in enumerate(pairs):
        for node in np.flatnonzero(demand.intervals):
            gaps[index, node] = gap(footprint(a, motion, case, int(node)), footprint(b, motion, case, int(node)))
    nearest = gaps.argmin(axis=0)
    points = np.full((count, 2, 3), np.nan)
    return Clearance(gaps.min(axis=0), np.where(demand.intervals, nearest, -1), tuple(pairs), points, 0)


def gap(one: Any, other: Any) -> float:
    if one is None or other is None:
        return float("nan")
    overlap = one.intersection(other)
    return float(-np.sqrt(overlap.area)) if overlap.area > 0.0 else float(one.distance(other))


def footprint(name: str, motion: Motion, case: Case, node: int) -> Any:
    for item in case.scene.objects or ():
        if item.name == name:
            return disc(item.shape, item.pose)
    if not all(math.isfinite(person.uncertainty_m) for person in case.scene.people or ()):
        return None
    shadows = [
        shapely.LineString([part.start[:2], part.end[:2]]).buffer(part.radius_m + person.uncertainty_m, 64)
        for person in case.scene.people or ()
        for part in person.parts
        if person.named(part.region) == name
    ]
    if shadows:
        return shapely.union_all(shadows)
    for body in case.rules.cell.bodies:
        if body.name == name:
            return disc(body.shape, body.pose)
    if name in {zone.name for zone in case.rules.cell.zones}:
        return case.rules.cell.zone(name).polygon
    swept = sweep(name, motion, case.rules.profile)
    assert swept is not None, name
    corners, growth = swept.both_ends()[node, :, :2], float(swept.growth()[node])
    if not np.isfinite([*corners.flat, growth]).all():
        return None
    return shapely.MultiPoint(corners).convex_hull.buffer(growth)


def disc(shape: object, pose: Pose) -> Any:
    if isinstance(shape, Box):
        x, y, _ = shape.size
        return shapely.box(pose.xyz[0] - x / 2, pose.xyz[1] - y / 2, pose.xyz[0] + x / 2, pose.xyz[1] + y / 2)
    return shapely.Point(pose.xyz[:2]).buffer(cast(Any, shape).radius)


def walker(x: float, y: float, name: str = "anna", **changes: Any) -> Person:
    """Somebody who stands at a place: a column of 0.3 m radius, seen now, with a head on top of it."""
    column = BodyPart("trunk", (x, y, 0.0), (x, y, 1.4), 0.3)
    return replace(Person(name, (column, BodyPart("head", (x, y, 1.6), (x, y, 1.7), 0.1)), 0, 0.0), **changes)


def with_people(*people: Person) -> Scene:
    return replace(NOTHING, people=people)


def ball(name: str, x: float, y: float, radius: float = 0.03) -> SceneObject:
    return SceneObject(name, Sphere(radius), Pose((x, y, HEIGHT)), 0, 0.0, 0.0)
