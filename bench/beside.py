"""How long a review takes beside people, against the same review beside nobody, interleaved in one run.

`python -m bench.beside` prints a table: how many people, the median review [ms], and its ratio to the one without them.
Their bodies change a little from review to review, as a tracker sees them, and all of them are near enough to count.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from rich.console import Console
from rich.table import Table

from interlock import BulletPhysics
from interlock.case import Case, Memory
from interlock.decide import decide
from interlock.rules import Rule, RuleSet
from interlock.scene import BodyPart, Person
from interlock_rules import load
from interlock_rules.approach import Approach, OwnStop
from interlock_rules.proposals import Asked, Start, chunk_of, state_of
from interlock_rules.reaching import quintic
from interlock_rules.separation import Separation

RULES: Final = "panda-tabletop"
SIZES: Final = (0, 1, 3, 10)
NEAR_M: Final = 1.8  # from the robot's base; beyond its reach, and within what a motion must look at
TREMBLE_M: Final = 0.01
APPROACH: Final = Approach(1.6, 0.2, 0.01, intrusion=0.1, stopping=OwnStop("made up", deceleration=3.333))


def with_people(rules: RuleSet) -> RuleSet:
    """The rule set with a tracker, and a rule of separation before all others."""
    rule = Rule("PEOPLE", Separation(("robot",), APPROACH), "a bench", "slow")
    fresh = replace(rules.freshness, people_s=0.1)
    return replace(rules, people="tracker", freshness=fresh, rules=(rule, *rules.rules))


def person(index: int, count: int, chance: np.random.Generator) -> Person:
    """One of several who stand around the front of the bench: head, trunk, arms, hands and legs, eight capsules."""
    angle = np.pi * ((index + 0.5) / count - 0.5)
    x, y = NEAR_M * np.cos(angle), NEAR_M * np.sin(angle)
    limbs = [("head", 0.0, 1.6, 1.7, 0.12), ("trunk", 0.0, 0.95, 1.4, 0.2)]
    limbs += [
        (region, side * 0.25, low, high, radius)
        for side in (-1.0, 1.0)
        for region, low, high, radius in (("arm", 1.1, 1.4, 0.06), ("hand", 0.95, 1.1, 0.05), ("leg", 0.1, 0.9, 0.09))
    ]
    parts: list[BodyPart] = []
    for region, aside, low, high, radius in limbs:
        ends = np.array([[x, y + aside, low], [x, y + aside, high]])
        (a, b, c), (d, e, f) = (ends + chance.normal(0.0, TREMBLE_M, (2, 3))).tolist()
        parts.append(BodyPart(region, (a, b, c), (d, e, f), radius))
    return Person(f"p{index}", tuple(parts), 0, 0.05)


def case_of(rules: RuleSet, people: Sequence[Person]) -> Case:
    """A swing of the first joint from the pose `ready`, at rest at both ends."""
    ready = np.array(rules.profile.poses[1].positions)
    rows = ready + quintic(50)[:, None] * 0.4 * np.eye(len(ready))[0]
    start = Start(ready, np.array([gripper.open for gripper in rules.profile.grippers]), rules.modes[0])
    state = state_of(rules, start, 0)
    chunk = chunk_of(rules, Asked(state, ready, 20_000_000, 0, 25), rows, np.tile(start.grippers, (50, 1)))
    return Case(0, chunk, state, replace(start.scene(0), people=tuple(people)), Memory(), rules)


def timed(count: int, seed: int, sizes: Sequence[int] = SIZES) -> dict[int, float]:
    """The median review [ms] for each number of people; a review that is refused would not be a fair one."""
    rules, chance = with_people(load(RULES)), np.random.default_rng(seed)
    physics = BulletPhysics(rules.profile, rules.cell)
    times: dict[int, list[float]] = {size: [] for size in sizes}
    for turn in range(count + 1):
        for size in sizes:
            case = case_of(rules, [person(index, size, chance) for index in range(size)])
            began = time.perf_counter()
            decision = decide(case, physics)
            if turn:  # the first of each warms up
                times[size].append((time.perf_counter() - began) * 1e3)
            if decision.reaction != "permit":
                raise RuntimeError(f"beside {size} people the swing is no permit but a {decision.reaction}")
    return {size: float(np.median(found)) for size, found in times.items()}


def main(arguments: Sequence[str]) -> int:
    """The command; its exit code."""
    parser = argparse.ArgumentParser(description="How long a review takes beside people.")
    parser.add_argument("--count", type=int, default=50, help="reviews for each number of people; default 50")
    parser.add_argument("--seed", type=int, default=1, help="which bodies")
    given = parser.parse_args(arguments)
    found = timed(given.count, given.seed)
    table = Table("people", "median review [ms]", "ratio")
    for size, median in found.items():
        table.add_row(str(size), f"{median:.1f}", f"{median / found[0]:.1f}")
    Console().print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
