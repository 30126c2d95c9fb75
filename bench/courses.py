"""Chunks for timing, in three scenarios: far from everything, close by, and into something; each 50 rows of a Panda."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np

from bench.naive import FAR, NaiveWorld
from interlock.arrays import FloatArray
from interlock.case import Case, Memory
from interlock.rules import RuleSet
from interlock_rules.proposals import Asked, Start, chunk_of, state_of
from interlock_rules.reaching import quintic

Scenario: TypeAlias = Literal["free", "near", "hit"]

# The smallest distance [m] to the cell along the way, from and to.
GAPS: Final[dict[Scenario, tuple[float, float]]] = {"free": (0.08, FAR), "near": (0.007, 0.029), "hit": (-0.1, -0.002)}
ROWS: Final = 50
STEPS: Final = 24  # places at which a way is measured


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """One chunk: its scenario, its rows (50, n) [rad], and the case that asks for it."""

    scenario: Scenario
    rows: FloatArray
    case: Case


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
                found[scenario].append(Course(scenario, rows, _case(rules, start, rows)))
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


def _case(rules: RuleSet, start: FloatArray, rows: FloatArray) -> Case:
    now_ns = 1_000_000_000
    grippers = np.array([gripper.open for gripper in rules.profile.grippers])
    at_rest = Start(start, grippers, rules.modes[0])
    state = state_of(rules, at_rest, now_ns)
    due = now_ns + round(rules.accepts.period_s * 1e9)
    chunk = chunk_of(rules, Asked(state, start, due), rows, np.tile(grippers, (len(rows), 1)))
    return Case(now_ns, chunk, state, at_rest.scene(now_ns), Memory(), rules)
