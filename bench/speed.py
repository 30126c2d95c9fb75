"""How long a review takes, and a forecast alone, beside a naive PyBullet loop over the same chunks, interleaved.

`make bench` prints a table and writes bench/results.json: rows of method, scenario, median_ms, p99_ms, ratio_to_naive.
The ratio is that of the medians in the same scenario; machines differ in milliseconds and much less in ratios.
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
from typing import Final, TypeAlias, TypedDict

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from bench.courses import Course, Scenario, courses, crowd, world_of
from bench.naive import NaiveWorld
from interlock import BulletPhysics
from interlock.arrays import FloatArray
from interlock.build import propose
from interlock.chunk import ActionChunk
from interlock.decide import decide
from interlock.lower import layout_of, lower
from interlock.obstacles import placed
from interlock.pairs import Pair, Pairs
from interlock.physics import Physics
from interlock.robot_model import UrdfRobot
from interlock.shapes import WORLD
from interlock_rules import load

RESULTS: Final = Path(__file__).with_name("results.json")
RULES: Final = "panda-tabletop"
NAIVE: Final = "naive PyBullet loop"
DENSE: Final = "the same loop, every millimetre"
BALLS: Final = "balls alone, undecided where they meet"
STEP_M: Final = 1e-3
LEAST_M: Final = 0.02  # what a rule asks for
WARM_UP: Final = 3

Times: TypeAlias = dict[tuple[str, Scenario], list[float]]


class Row(TypedDict):
    """One line of the results."""

    method: str
    scenario: str
    median_ms: float
    p99_ms: float
    ratio_to_naive: float


def prepared_forecast(physics: Physics, course: Course) -> Callable[[], object]:
    """The forecast of all that the rules demand of a course, ready to be called: its motion is built before."""
    case, chunk = course.case, course.case.chunk
    layout = layout_of(case, chunk) if isinstance(chunk, ActionChunk) else None
    if not isinstance(chunk, ActionChunk) or layout is None:
        raise TypeError("a course has a chunk in an accepted layout")
    motion = propose(case, lower(case, chunk, layout), physics).motion
    active = [rule.limit for rule in case.rules.rules if rule.when.applies(case.scene.mode)]
    demands = tuple(chain.from_iterable(limit.demands(case, motion) for limit in active))
    return partial(physics.forecast, motion, case.scene, demands)


def dense(physics: Physics, rows: FloatArray) -> FloatArray:
    """The rows with as many between them that no corner of a link moves much further than STEP_M."""
    model = physics.model
    if model is None:
        raise TypeError("the bench needs a robot with a shape")
    poses = model.forward(rows)
    moved = np.zeros(len(rows) - 1)
    for index, link in enumerate(model.links):
        corners = model.vertices.get(link, np.zeros((1, 3)))
        places = corners @ np.swapaxes(poses[:, index, :3, :3], 1, 2) + poses[:, index, None, :3, 3]
        moved = np.maximum(moved, np.linalg.norm(np.diff(places, axis=0), axis=2).max(axis=1))
    counts = np.maximum(1, np.ceil(moved / STEP_M).astype(int))
    parts = [
        start + np.linspace(0.0, 1.0, count, endpoint=False)[:, None] * (end - start)
        for start, end, count in zip(rows[:-1], rows[1:], counts.tolist(), strict=True)
    ]
    return np.concatenate([*parts, rows[-1:]])


def prepared_balls(physics: Physics, course: Course) -> Callable[[], object]:
    """The look at all pairs of the robot, the cell and the crowd by balls and boxes alone, ready to be called."""
    model = physics.model
    if not isinstance(model, UrdfRobot):
        raise TypeError("the bench needs a robot with a shape")
    cell = course.case.rules.cell
    shapes = [(body.shape, body.pose) for body in cell.bodies] + [(thing.shape, thing.pose) for thing in crowd()]
    around = [found for shape, pose in shapes if (found := placed(shape, pose, WORLD)) is not None]
    moving = [link for link in model.sides if link not in model.fixed]
    pairs = Pairs(
        [Pair((link, ""), model.sides[link], side, model.route("", link)) for link in moving for side in around],
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


def timed(found: Mapping[Scenario, Sequence[Course]], physics: Physics, world: NaiveWorld) -> Times:
    """Milliseconds of every method on every course; all take turns, so that all see the same machine."""
    taken: Times = {}
    rounds = list(zip(*found.values(), strict=True))
    warm_up = rounds[:WARM_UP]
    for number, course in enumerate(track([*warm_up, *rounds], "rounds", console=Console(stderr=True))):
        for one in course:
            work: dict[str, Callable[[], object]] = {
                "review": partial(decide, one.case, physics),
                "forecast": prepared_forecast(physics, one),
                BALLS: prepared_balls(physics, one),
                NAIVE: partial(world.contacts, one.rows),
                DENSE: partial(world.contacts, dense(physics, one.rows)),
            }
            for method, call in work.items():
                milliseconds = _milliseconds(call)
                if number >= len(warm_up):
                    taken.setdefault((method, one.scenario), []).append(milliseconds)
    return taken


def _milliseconds(call: Callable[[], object]) -> float:
    began = time.perf_counter_ns()
    call()
    return (time.perf_counter_ns() - began) / 1e6


def rows(taken: Times) -> list[Row]:
    """The figures, method by method."""
    return [
        {
            "method": method,
            "scenario": scenario,
            "median_ms": round(float(np.median(times)), 3),
            "p99_ms": round(float(np.quantile(times, 0.99)), 3),
            "ratio_to_naive": round(float(np.median(times) / np.median(taken[NAIVE, scenario])), 3),
        }
        for (method, scenario), times in sorted(taken.items())
    ]


def measured(count: int, seed: int) -> list[Row]:
    """The figures of a run over so many chunks of each scenario."""
    rules = load(RULES)
    world, physics = world_of(rules), BulletPhysics(rules.profile, rules.cell)
    found = courses(rules, world, count, seed)
    gc.collect()
    gc.freeze()
    return rows(timed(found, physics, world))


def shown(found: Sequence[Row], count: int) -> Table:
    """The figures as a table."""
    table = Table(
        "method",
        "scenario",
        title=f"50 x 7 chunks in the cell of {RULES} with a crowd (21 shapes), {count} of each scenario",
    )
    for name in ("median [ms]", "p99 [ms]", "ratio to naive"):
        table.add_column(name, justify="right")
    for row in found:
        table.add_row(
            row["method"],
            row["scenario"],
            f"{row['median_ms']:.2f}",
            f"{row['p99_ms']:.2f}",
            f"{row['ratio_to_naive']:.2f}",
        )
    return table


def main(arguments: Sequence[str]) -> int:
    """The command; its exit code."""
    parser = argparse.ArgumentParser(description="How long a review takes, beside a naive PyBullet loop.")
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
