"""Whether memory grows with reviews: `make memory` prints it every tenth of the way, and the growth.

Each review sees other chunks and a crowd that has moved, so that nothing can be kept that must not be. The last line is
JSON: {"reviews", "first_mb", "last_mb", "growth_mb"}, the first measured after the first tenth; exit 1 where the growth
is more than ALLOWED_MB.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from bench.courses import courses, world_of
from interlock import BulletPhysics
from interlock.case import Case
from interlock.decide import decide
from interlock.geometry import Pose
from interlock_rules import load

RULES: Final = "panda-tabletop"
ALLOWED_MB: Final = 16.0
MOVED_M: Final = 0.01
PAGE: Final = 4096


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


def grown(count: int, seed: int) -> tuple[float, float]:
    """The memory [MB] after a tenth of so many reviews, and after all of them."""
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
    return seen[0], seen[-1]


def main(arguments: Sequence[str]) -> int:
    """The command; its exit code."""
    parser = argparse.ArgumentParser(description="Whether memory grows with reviews.")
    parser.add_argument("--count", type=int, default=100_000, help="reviews; default 100,000")
    parser.add_argument("--seed", type=int, default=1, help="which chunks")
    given = parser.parse_args(arguments)
    first, last = grown(given.count, given.seed)
    growth = last - first
    figures = {"reviews": given.count, "first_mb": first, "last_mb": last, "growth_mb": growth}
    print(json.dumps({name: round(value, 1) for name, value in figures.items()}))
    return 0 if growth <= ALLOWED_MB else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
