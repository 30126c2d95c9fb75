"""Whether memory grows with reviews: `make memory` prints it every tenth of the way, and the growth.

Each review sees other chunks and a crowd that has moved, so that nothing can be kept that must not be. The last line is
JSON, which --write keeps: {"reviews", "first_mb", "last_mb", "growth_mb", "seen_mb"}, the first measured after the
first tenth, seen_mb after each; exit 1 where the growth is more than ALLOWED_MB.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, TypedDict

import numpy as np

from bench.courses import courses, world_of
from interlock import BulletPhysics
from interlock.case import Case
from interlock.decide import decide
from interlock.geometry import Pose
from interlock_rules import load

RESULTS: Final = Path(__file__).with_name("memory.json")
RULES: Final = "panda-tabletop"
ALLOWED_MB: Final = 16.0
MOVED_M: Final = 0.01
PAGE: Final = 4096


class Memory(TypedDict):
    """What is written: the memory [MB] after the first tenth, at the end, the difference, and after each tenth."""

    reviews: int
    first_mb: float
    last_mb: float
    growth_mb: float
    seen_mb: list[float]


def resident_mb() -> float:
    """The memory of this process that is in RAM [MB], as Linux counts it."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * PAGE / 1e6


def moved(case: Case, generator: np.random.Generator) -> Case:
    """The case with every object of its scene somewhere else, nearby."""
    objects = tuple(
        replace(item, pose=Pose(tuple((np.array(item.pose.xyz) + by).tolist()), item.pose.quat_xyzw))
        for item, by in zip(
            case.scene.objects or (),
            generator.uniform(-MOVED_M, MOVED_M, (len(case.scene.objects or ()), 3)),
            strict=True,
        )
    )
    return replace(case, scene=replace(case.scene, objects=objects))


def grown(count: int, seed: int) -> list[float]:
    """The memory [MB] after each tenth of so many reviews."""
    rules = load(RULES)
    physics = BulletPhysics(rules.profile, rules.cell)
    found = [course.case for some in courses(rules, world_of(rules), 5, seed).values() for course in some]
    generator = np.random.default_rng(seed)
    tenth, seen = max(1, count // 10), list[float]()
    for number in range(count):
        decide(moved(found[number % len(found)], generator), physics)
        if (number + 1) % tenth == 0:
            gc.collect()
            seen.append(resident_mb())
            print(f"{number + 1} reviews: {seen[-1]:.1f} MB", file=sys.stderr)
    return seen


def told(count: int, seen: Sequence[float]) -> Memory:
    """The figures of so many reviews, to a tenth of a megabyte."""
    return {
        "reviews": count,
        "first_mb": round(seen[0], 1),
        "last_mb": round(seen[-1], 1),
        "growth_mb": round(seen[-1] - seen[0], 1),
        "seen_mb": [round(value, 1) for value in seen],
    }


def main(arguments: Sequence[str]) -> int:
    """The command; its exit code."""
    parser = argparse.ArgumentParser(description="Whether memory grows with reviews.")
    parser.add_argument("--count", type=int, default=100_000, help="reviews; default 100,000")
    parser.add_argument("--seed", type=int, default=1, help="which chunks")
    parser.add_argument("--write", type=Path, help="where the last line is kept, too")
    given = parser.parse_args(arguments)
    seen = grown(given.count, given.seed)
    growth = seen[-1] - seen[0]
    figures = told(given.count, seen)
    print(json.dumps(figures))
    if given.write is not None:
        given.write.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return 0 if growth <= ALLOWED_MB else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
