"""How long a review takes, and a forecast alone, beside what others do with the same chunks, interleaved in one run.

`make bench` prints a table and writes bench/results.json: rows of method, scenario, chunks, median_ms, p99_ms,
ratio_to_naive, p99_ratio_to_naive. The ratios are those to the median, and to the 99th percentile, of a naive PyBullet
loop in the same scenario; machines differ in milliseconds and much less in ratios. A method whose engine is not
installed is left out.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias, TypedDict

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from bench.courses import Course, Scenario, courses, crowd, world_of
from bench.engines import MissingEngine
from bench.naive import NaiveWorld
from bench.parts import Parts, parts_of, robot_of
from bench.sampled import DenseWorld
from bench.waypoints import COAL, MUJOCO, CoalWaypoints, MujocoWaypoints, Waypoints
from interlock import BulletPhysics
from interlock.build import propose
from interlock.chunk import ActionChunk
from interlock.decide import decide
from interlock.lower import layout_of, lower
from interlock.motion import Motion
from interlock.pairs import Pair, Pairs
from interlock.physics import Physics
from interlock.rules import Demand, RuleSet
from interlock_rules import load

RESULTS: Final = Path(__file__).with_name("results.json")
RULES: Final = "panda-tabletop"
REVIEW: Final = "review"
FORECAST: Final = "forecast"
NAIVE: Final = "naive PyBullet loop"
DENSE: Final = "dense sampling, every millimetre"
BALLS: Final = "balls alone, undecided where they meet"
LEAST_M: Final = 0.02  # what a rule asks for
WARM_UP: Final = 3

Times: TypeAlias = dict[tuple[str, Scenario], list[float]]


class Row(TypedDict):
    """One line of the results."""

    method: str
    scenario: Scenario
    chunks: int
    median_ms: float
    p99_ms: float
    ratio_to_naive: float
    p99_ratio_to_naive: float


class Wanted(NamedTuple):
    """The motion of a case, and all that its rules demand of the forecast."""

    motion: Motion
    demands: tuple[Demand, ...]


def wanted(physics: Physics, course: Course) -> Wanted:
    """What a forecast of a course is about. Raises TypeError for a chunk in no accepted layout."""
    case, chunk = course.case, course.case.chunk
    layout = layout_of(case, chunk) if isinstance(chunk, ActionChunk) else None
    if not isinstance(chunk, ActionChunk) or layout is None:
        raise TypeError("a course has a chunk in an accepted layout")
    motion = propose(case, lower(case, chunk, layout), physics).motion
    active = [rule.limit for rule in case.rules.rules if rule.when.applies(case.scene.mode)]
    return Wanted(motion, tuple(chain.from_iterable(limit.demands(case, motion) for limit in active)))


def prepared_balls(parts: Parts, course: Course) -> Callable[[], object]:
    """The look at all pairs of the robot, the cell and the crowd by balls and boxes alone, ready to be called."""
    model = parts.model
    pairs = Pairs(
        [
            Pair((link, ""), model.sides[link], side, model.route("", link))
            for link in parts.moving
            for side in parts.things
        ],
        model.errors,
    )
    lost = np.column_stack([pairs.loose, np.zeros(len(pairs.loose))])
    rows = course.rows
    every, times = np.ones((1, len(rows)), dtype=np.bool_), np.zeros(len(rows))
    need = np.full(len(rows), LEAST_M)

    def look() -> None:
        frames, bent = model.frames(rows), pairs.bends(model.steps(rows))
        _, clear, remains = pairs.look(frames, bent, lost, times, np.array([LEAST_M]), every, every)
        for place in np.flatnonzero(~clear).tolist():
            pairs.pairs[place].raise_low(frames, pairs.sagitta(bent, place), need, remains[place])

    return look


class Methods:
    """All that is timed, ready for any course."""

    def __init__(self, rules: RuleSet, physics: BulletPhysics, world: NaiveWorld) -> None:
        self._physics, self._world = physics, world
        self._parts = parts_of(robot_of(physics), rules.cell, crowd())
        self._dense = DenseWorld(self._parts, rules.cell)
        self._engines = engines(self._parts)

    def of(self, course: Course) -> Mapping[str, Callable[[], object]]:
        """Every method, ready to be called: what a course is about, and where it is sampled, is worked out before."""
        case = course.case
        about = wanted(self._physics, course)
        asked = self._dense.asked(about.motion, case.scene, about.demands)
        return {
            REVIEW: partial(decide, case, self._physics),
            FORECAST: partial(self._physics.forecast, about.motion, case.scene, about.demands),
            BALLS: prepared_balls(self._parts, course),
            NAIVE: partial(self._world.contacts, course.rows),
            **{name: partial(engine.touching, course.rows) for name, engine in self._engines.items()},
            DENSE: partial(self._dense.room, asked),
        }


def engines(parts: Parts) -> dict[str, Waypoints]:
    """The other engines; says on stderr which is not installed, and what would install it."""
    found: dict[str, Waypoints] = {}
    for name, make in ((COAL, CoalWaypoints), (MUJOCO, MujocoWaypoints)):
        try:
            found[name] = make(parts)
        except MissingEngine as error:
            print(f"{name} is left out: {error}", file=sys.stderr)
    return found


def timed(found: Mapping[Scenario, Sequence[Course]], methods: Methods) -> Times:
    """Milliseconds of every method on every course; all take turns, so that all see the same machine."""
    taken: Times = {}
    rounds = list(zip(*found.values(), strict=True))
    warm_up = rounds[:WARM_UP]
    for number, course in enumerate(track([*warm_up, *rounds], "rounds", console=Console(stderr=True))):
        for one in course:
            for method, call in methods.of(one).items():
                milliseconds = milliseconds_of(call)
                if number >= len(warm_up):
                    taken.setdefault((method, one.scenario), []).append(milliseconds)
    return taken


def milliseconds_of(call: Callable[[], object]) -> float:
    """How long a call takes."""
    began = time.perf_counter_ns()
    call()
    return (time.perf_counter_ns() - began) / 1e6


def rows(taken: Times) -> list[Row]:
    """The figures, method by method."""
    found: list[Row] = []
    for (method, scenario), times in sorted(taken.items()):
        naive = taken[NAIVE, scenario]
        median, p99 = float(np.median(times)), float(np.quantile(times, 0.99))
        found.append(
            {
                "method": method,
                "scenario": scenario,
                "chunks": len(times),
                "median_ms": round(median, 3),
                "p99_ms": round(p99, 3),
                "ratio_to_naive": round(median / float(np.median(naive)), 3),
                "p99_ratio_to_naive": round(p99 / float(np.quantile(naive, 0.99)), 3),
            }
        )
    return found


def measured(count: int, seed: int) -> list[Row]:
    """The figures of a run over so many chunks of each scenario."""
    rules = load(RULES)
    world, physics = world_of(rules), BulletPhysics(rules.profile, rules.cell)
    found, methods = courses(rules, world, count, seed), Methods(rules, physics, world)
    gc.collect()
    gc.freeze()
    return rows(timed(found, methods))


def shown(found: Sequence[Row], count: int) -> Table:
    """The figures as a table."""
    table = Table(
        "method",
        "scenario",
        title=f"50 x 7 chunks in the cell of {RULES} with a crowd (21 shapes), {count} of each scenario",
    )
    for name in ("median [ms]", "p99 [ms]", "ratio to naive", "of p99"):
        table.add_column(name, justify="right")
    for row in found:
        table.add_row(
            row["method"],
            row["scenario"],
            f"{row['median_ms']:.2f}",
            f"{row['p99_ms']:.2f}",
            f"{row['ratio_to_naive']:.2f}",
            f"{row['p99_ratio_to_naive']:.2f}",
        )
    return table


def main(arguments: Sequence[str]) -> int:
    """The command; its exit code."""
    parser = argparse.ArgumentParser(description="How long a review takes, beside what others do.")
    parser.add_argument("--count", type=int, default=300, help="chunks of each scenario; default 300")
    parser.add_argument("--seed", type=int, default=1, help="which chunks")
    parser.add_argument("--write", type=Path, default=RESULTS, help="where the rows go")
    given = parser.parse_args(arguments)
    found = measured(given.count, given.seed)
    given.write.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    Console().print(shown(found, given.count))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
