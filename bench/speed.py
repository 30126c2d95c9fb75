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

from bench.courses import Course, Scenario, courses
from bench.naive import NaiveWorld
from interlock import BulletPhysics
from interlock.build import propose
from interlock.chunk import ActionChunk
from interlock.decide import decide
from interlock.lower import layout_of, lower
from interlock.physics import Physics
from interlock_rules import load

RESULTS: Final = Path(__file__).with_name("results.json")
RULES: Final = "panda-tabletop"
NAIVE: Final = "naive PyBullet loop"
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
                NAIVE: partial(world.contacts, one.rows),
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
    world, physics = NaiveWorld(rules.profile, rules.cell), BulletPhysics(rules.profile, rules.cell)
    found = courses(rules, world, count, seed)
    gc.collect()
    gc.freeze()
    return rows(timed(found, physics, world))


def shown(found: Sequence[Row], count: int) -> Table:
    """The figures as a table."""
    table = Table("method", "scenario", title=f"50 x 7 chunks in the cell of {RULES}, {count} of each scenario")
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
    parser.add_argument("--count", type=int, default=100, help="chunks of each scenario; default 100")
    parser.add_argument("--seed", type=int, default=1, help="which chunks")
    parser.add_argument("--write", type=Path, default=RESULTS, help="where the rows go")
    given = parser.parse_args(arguments)
    found = measured(given.count, given.seed)
    given.write.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    Console().print(shown(found, given.count))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
