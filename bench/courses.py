"""Chunks for timing, in three scenarios: far from everything, close by, and into something; each 50 rows of a Panda."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias

import numpy as np

from bench.naive import FAR, NaiveWorld
from interlock.arrays import FloatArray
from interlock.case import Case, Memory
from interlock.geometry import Box, Cylinder, Pose, Sphere
from interlock.rules import RuleSet
from interlock.scene import Body, SceneObject
from interlock_rules.proposals import Asked, Start, chunk_of, state_of
from interlock_rules.reaching import quintic

Scenario: TypeAlias = Literal["free", "near", "hit"]

# The smallest distance [m] to the cell along the way, from and to.
GAPS: Final[dict[Scenario, tuple[float, float]]] = {"free": (0.08, FAR), "near": (0.007, 0.029), "hit": (-0.1, -0.002)}
WALL: Final = 0.02
CROWD: Final = (  # with the cell's ten bodies 21 shapes: walls, things on and under the table, and somebody behind it
    ("back wall", Box((WALL, 2.0, 2.0)), (-0.7, 0.0, 0.5)),
    ("left wall", Box((2.4, WALL, 2.0)), (0.3, 1.0, 0.5)),
    ("ceiling", Box((2.4, 2.0, WALL)), (0.3, 0.0, 1.6)),
    ("crate", Box((0.2, 0.2, 0.2)), (-0.2, -0.45, 0.1)),
    ("box", Box((0.05, 0.05, 0.05)), (0.6, -0.28, 0.025)),
    ("can", Cylinder(0.033, 0.12), (0.42, 0.02, 0.06)),
    ("ball", Sphere(0.04), (0.62, 0.03, 0.04)),
    ("lamp", Cylinder(0.03, 0.5), (0.1, -0.6, 0.25)),
    ("legs", Cylinder(0.2, 0.9), (1.3, 0.4, 0.0)),
    ("body", Cylinder(0.25, 0.7), (1.3, 0.4, 0.8)),
    ("head", Sphere(0.13), (1.3, 0.4, 1.3)),
)
ROWS: Final = 50
STEPS: Final = 24  # places at which a way is measured


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """One chunk: its scenario, its rows (50, n) [rad], and the case that asks for it."""

    scenario: Scenario
    rows: FloatArray
    case: Case


def crowd(now_ns: int = 0) -> tuple[SceneObject, ...]:
    """What stands about, as a camera sees it at that moment."""
    return tuple(SceneObject(name, shape, Pose(place), now_ns, 0.0, 0.0) for name, shape, place in CROWD)


def world_of(rules: RuleSet) -> NaiveWorld:
    """The robot of the rules among the bodies of its cell and the crowd."""
    bodies = tuple(Body(thing.name, thing.shape, thing.pose) for thing in crowd())
    return NaiveWorld(rules.profile, replace(rules.cell, bodies=(*rules.cell.bodies, *bodies)))


def courses(rules: RuleSet, world: NaiveWorld, count: int, seed: int) -> dict[Scenario, list[Course]]:
    """So many courses of each scenario: straight in joint space, from a pose above the bench, at rest at both ends."""
    generator = np.random.default_rng(seed)
    found: dict[Scenario, list[Course]] = {scenario: [] for scenario in GAPS}
    ready = np.array(rules.profile.poses[-1].positions)
    while any(len(some) < count for some in found.values()):
        start = ready + generator.uniform(-0.1, 0.1, len(ready))
        way = generator.uniform(-0.5, 0.5, len(ready))
        for scenario, end in _ends(world, start, way):
            if len(found[scenario]) < count:
                rows = start + quintic(ROWS)[:, None] * (end - start)
                found[scenario].append(Course(scenario, rows, case_of(rules, start, rows)))
    return found


def _ends(world: NaiveWorld, start: FloatArray, way: FloatArray) -> Iterator[tuple[Scenario, FloatArray]]:
    """For each scenario the furthest point of a way up to which it is that, where there is one; half as far if free."""
    places = [start + share * way for share in np.linspace(0.0, 1.0, STEPS + 1)]
    gaps = np.minimum.accumulate([world.gap_m(place) for place in places])
    if gaps[0] < GAPS["free"][0]:
        return
    for scenario, (low, high) in GAPS.items():
        fitting = np.flatnonzero((gaps >= low) & (gaps <= high))
        if len(fitting) and fitting[-1] > STEPS // 4:
            furthest = int(fitting[-1])
            yield scenario, places[furthest // 2 if scenario == "free" else furthest]


def case_of(rules: RuleSet, start: FloatArray, rows: FloatArray) -> Case:
    """The case that asks for rows (T, n) [rad] from a start (n,) at rest, with the crowd around."""
    now_ns = 1_000_000_000
    grippers = np.array([gripper.open for gripper in rules.profile.grippers])
    at_rest = Start(start, grippers, rules.modes[0])
    state = state_of(rules, at_rest, now_ns)
    due = now_ns + round(rules.accepts.period_s * 1e9)
    chunk = chunk_of(rules, Asked(state, start, due), rows, np.tile(grippers, (len(rows), 1)))
    return Case(now_ns, chunk, state, replace(at_rest.scene(now_ns), objects=crowd(now_ns)), Memory(), rules)
