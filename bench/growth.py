"""How time grows with obstacles and with rows: the forecast and the whole review, for one Panda and for two.

`make bench` prints a table and writes bench/growth.json: `rows` of study, robot, what, size, median_ms, p99_ms, and
`exponents` of study, robot, what, whole, end: the slopes of time over size, both as logarithms, fitted to all sizes,
and between the two largest, where what every review costs anyway weighs least. 1 is linear.

Obstacles: a few stand near the arm, always the same; all others are far, primitives of four kinds or convex meshes of
32 corners, each another one. `still` shows every review the same scene, as a camera does that follows things at rest;
`moving` shows each thing elsewhere each time. Rows: all joints swing together, each row as fast as in any other
chunk, so that more rows are a longer way.

What moves is timed after all that stands still: what is kept of one scene would be displaced by the other's.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final, TypeAlias, TypedDict

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from bench.courses import CROWD, Course, case_of
from bench.speed import FORECAST, REVIEW, milliseconds_of, wanted
from interlock import BulletPhysics
from interlock.arrays import FloatArray
from interlock.decide import decide
from interlock.geometry import Box, Capsule, ConvexMesh, Cylinder, Pose, Shape, Sphere
from interlock.rules import Rule, RuleSet
from interlock.scene import SceneObject
from interlock_rules import load
from interlock_rules.clearance import MinimumClearance

RESULTS: Final = Path(__file__).with_name("growth.json")
ROBOTS: Final = {"one arm": "panda-tabletop", "two arms": "pandas-facing"}
OBSTACLES: Final = (10, 30, 100, 300, 1000)
ROWS: Final = (10, 20, 50, 100, 200)
USUAL: Final = 50  # rows, where obstacles grow
NEAR: Final = ("box", "can", "ball", "crate", "lamp")  # of the crowd
SWING_S: Final = 2.0
SWING_RAD: Final = 0.15
CORNERS: Final = 32
FAR_M: Final = (2.5, 4.0)  # from the first arm's base; the second stands at 1.3 m and reaches 0.9 m
MOVED_M: Final = 0.01
OBJECTS: Final = Rule("CLEAR-OF-OBJECTS", MinimumClearance(("robot", "objects"), 0.01), "What is seen is not struck.")

Key: TypeAlias = tuple[str, str, str, int]


class Row(TypedDict):
    """Times of one size of a study."""

    study: str
    robot: str
    what: str
    size: int
    median_ms: float
    p99_ms: float


class Exponent(TypedDict):
    """How the median grows in a study, as a power of the size."""

    study: str
    robot: str
    what: str
    whole: float
    end: float


class Growth(TypedDict):
    """All that is written."""

    chunks: int
    rows: list[Row]
    exponents: list[Exponent]


@dataclass(frozen=True, slots=True, eq=False)
class Stand:
    """A robot among things that are near, with rules that take any number of rows."""

    name: str
    rules: RuleSet
    physics: BulletPhysics


@dataclass(frozen=True, slots=True, eq=False)
class Size:
    """One size of a study: the course of each round, and whether what it shows moves."""

    study: str
    stand: Stand
    size: int
    course: Callable[[int], Course]
    moving: bool = False


def stand_of(name: str) -> Stand:
    """The stand of that name."""
    rules = load(ROBOTS[name])
    if not any("objects" in rule.limit.between for rule in rules.rules if isinstance(rule.limit, MinimumClearance)):
        rules = replace(rules, rules=(*rules.rules, OBJECTS))
    rules = replace(rules, accepts=replace(rules.accepts, rows_min=1, rows_max=max(ROWS)))
    return Stand(name, rules, BulletPhysics(rules.profile, rules.cell))


def swing(stand: Stand, rows: int, generator: np.random.Generator) -> Course:
    """A course of so many rows with nothing around it but the cell: forth and back about a pose above the bench."""
    ready = np.array(stand.rules.profile.poses[-1].positions)
    start = ready + generator.uniform(-0.1, 0.1, len(ready))
    way = generator.uniform(-SWING_RAD, SWING_RAD, len(ready))
    times = np.arange(1, rows + 1) * stand.rules.accepts.period_s
    path = start + (0.5 - 0.5 * np.cos(2.0 * np.pi * times / SWING_S))[:, None] * way
    case = case_of(stand.rules, start, path)
    return Course("free", path, replace(case, scene=replace(case.scene, objects=())))


def far_shape(index: int, generator: np.random.Generator, *, mesh: bool) -> Shape:
    """A shape of 5 to 20 cm: the kinds of primitives in turn, or a hull of points on an ellipsoid."""
    x, y, z = (float(edge) for edge in generator.uniform(0.05, 0.2, 3))
    if mesh:
        points = generator.normal(size=(CORNERS, 3))
        points /= np.linalg.norm(points, axis=1, keepdims=True)
        return ConvexMesh(points * np.array([x, y, z]) / 2.0)
    kinds = (Box((x, y, z)), Cylinder(x / 2.0, y), Sphere(x / 2.0), Capsule(x / 2.0, y))
    return kinds[index % len(kinds)]


def scattered(count: int, seed: int, *, mesh: bool) -> tuple[SceneObject, ...]:
    """So many things, at least len(NEAR): first those near the arm, then those far from it, on all sides above the
    floor.
    """
    near = [SceneObject(name, shape, Pose(place), 0, 0.0, 0.0) for name, shape, place in CROWD if name in NEAR]
    generator = np.random.default_rng(seed)
    far: list[SceneObject] = []
    for index in range(count - len(near)):
        way = generator.normal(size=3)
        way[2] = abs(way[2])
        x, y, z = (way / np.linalg.norm(way) * generator.uniform(*FAR_M)).tolist()
        shape = far_shape(index, generator, mesh=mesh)
        far.append(SceneObject(f"far {index}", shape, Pose((x, y, z)), 0, 0.0, 0.0))
    return (*near, *far)


def among(course: Course, things: Sequence[SceneObject], by: FloatArray | None = None) -> Course:
    """The course with these things around it, seen now, each moved by (3,) [m] if anything is said."""
    now = course.case.now_ns
    step = np.zeros(3) if by is None else by
    seen = tuple(
        replace(item, seen_ns=now, pose=Pose(tuple((np.array(item.pose.xyz) + step).tolist()))) for item in things
    )
    return replace(course, case=replace(course.case, scene=replace(course.case.scene, objects=seen)))


def studies(seed: int, obstacles: Sequence[int] = OBSTACLES, rows: Sequence[int] = ROWS) -> Iterator[Size]:
    """All sizes of all studies."""
    for name in ROBOTS:
        stand = stand_of(name)
        for count in rows:
            yield Size("rows", stand, count, partial(_swings, stand, count, seed))
        for mesh in (False, True):
            for moving in (False, True):
                kind = f"{'convex meshes' if mesh else 'primitives'}, {'moving' if moving else 'still'}"
                for count in obstacles:
                    things = scattered(count, seed, mesh=mesh)
                    course = partial(_surrounded, stand, things, seed, moving=moving)
                    yield Size(kind, stand, count, course, moving)


def _swings(stand: Stand, rows: int, seed: int, number: int) -> Course:
    return swing(stand, rows, np.random.default_rng([seed, number]))


def _surrounded(stand: Stand, things: Sequence[SceneObject], seed: int, number: int, *, moving: bool) -> Course:
    generator = np.random.default_rng([seed, number])
    course = swing(stand, USUAL, generator)
    by = generator.uniform(-MOVED_M, MOVED_M, 3)
    return among(course, things, by if moving else None)


def timed(sizes: Sequence[Size], count: int) -> Mapping[Key, list[float]]:
    """Milliseconds of so many reviews, and forecasts, of each size, after one that does not count; all take turns.

    Where things move, each call sees them elsewhere: a forecast that was just asked of the same scene would know it.
    """
    taken: dict[Key, list[float]] = {}
    for number in track(range(-1, count), "rounds of growth", console=Console(stderr=True)):
        for one in sizes:
            first, second = one.course(2 * number + 2), one.course(2 * number + 3)
            about = wanted(one.stand.physics, first)
            work: dict[str, Callable[[], object]] = {
                FORECAST: partial(one.stand.physics.forecast, about.motion, first.case.scene, about.demands),
                REVIEW: partial(decide, second.case, one.stand.physics),
            }
            for what, call in work.items():
                milliseconds = milliseconds_of(call)
                if number >= 0:
                    taken.setdefault((one.study, one.stand.name, what, one.size), []).append(milliseconds)
    return taken


def slopes(sizes: Sequence[int], medians: Sequence[float]) -> tuple[float, float]:
    """The exponent of medians over sizes fitted to all of them, and that between the last two."""
    x, y = np.log(np.array(sizes, dtype=np.float64)), np.log(np.array(medians))
    return float(np.polyfit(x, y, 1)[0]), float((y[-1] - y[-2]) / (x[-1] - x[-2]))


def grown(taken: Mapping[Key, Sequence[float]]) -> Growth:
    """The figures."""
    rows: list[Row] = [
        {
            "study": study,
            "robot": robot,
            "what": what,
            "size": size,
            "median_ms": round(float(np.median(times)), 3),
            "p99_ms": round(float(np.quantile(times, 0.99)), 3),
        }
        for (study, robot, what, size), times in sorted(taken.items())
    ]
    exponents: list[Exponent] = []
    for study, robot, what in dict.fromkeys((row["study"], row["robot"], row["what"]) for row in rows):
        mine = [row for row in rows if (row["study"], row["robot"], row["what"]) == (study, robot, what)]
        whole, end = slopes([row["size"] for row in mine], [row["median_ms"] for row in mine])
        exponents.append(
            {
                "study": study,
                "robot": robot,
                "what": what,
                "whole": round(whole, 2),
                "end": round(end, 2),
            }
        )
    return {"chunks": min(map(len, taken.values())), "rows": rows, "exponents": exponents}


def shown(found: Growth) -> Table:
    """The exponents, with the times at both ends, as a table."""
    table = Table("study", "robot", "what", title=f"growth, {found['chunks']} chunks of each size")
    for name in ("sizes", "median [ms]", "exponent", "at the end"):
        table.add_column(name, justify="right")
    for one in found["exponents"]:
        key = (one["study"], one["robot"], one["what"])
        mine = [row for row in found["rows"] if (row["study"], row["robot"], row["what"]) == key]
        table.add_row(
            *key,
            f"{mine[0]['size']} to {mine[-1]['size']}",
            f"{mine[0]['median_ms']:.2f} to {mine[-1]['median_ms']:.2f}",
            f"{one['whole']:.2f}",
            f"{one['end']:.2f}",
        )
    return table


def main(arguments: Sequence[str]) -> int:
    """The command; its exit code."""
    parser = argparse.ArgumentParser(description="How time grows with obstacles and with rows.")
    parser.add_argument("--count", type=int, default=30, help="chunks of each size; default 30")
    parser.add_argument("--seed", type=int, default=1, help="which chunks")
    parser.add_argument("--obstacles", type=int, nargs="+", default=OBSTACLES, help="how many; at least two sizes")
    parser.add_argument("--rows", type=int, nargs="+", default=ROWS, help="how many; at least two sizes")
    parser.add_argument("--write", type=Path, default=RESULTS, help="where the figures go")
    given = parser.parse_args(arguments)
    sizes = tuple(studies(given.seed, given.obstacles, given.rows))
    gc.collect()
    gc.freeze()
    passes = [[one for one in sizes if one.moving == moving] for moving in (False, True)]
    found = grown({key: times for some in passes for key, times in timed(some, given.count).items()})
    given.write.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    Console().print(shown(found))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
