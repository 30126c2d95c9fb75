"""A Panda on its bench with people around it: the golden rule set, cases of it, and a body made of capsules."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from interlock.arrays import FloatArray
from interlock.case import Case, Memory
from interlock.rules import RuleSet
from interlock.scene import BodyPart, Person
from interlock_rules import load
from interlock_rules.proposals import Asked, Start, chunk_of, state_of
from interlock_rules.reaching import quintic
from tests.rules.golden import GOLDEN

SET = GOLDEN / "valid" / "set-people.yaml"
PERIOD_NS = 20_000_000


def people_rules() -> RuleSet:
    return load(SET)


def human(name: str, x: float, y: float, seen_ns: int = 0) -> Person:
    """Somebody upright at a place of the floor, both hands held out towards the robot."""
    side = 1.0 if x > 0.0 else -1.0
    found = [
        BodyPart("head", (x, y, 1.62), (x, y, 1.7), 0.12),
        BodyPart("trunk", (x, y, 0.95), (x, y, 1.4), 0.2),
    ]
    for offset in (-0.25, 0.25):
        elbow, wrist = (x, y + offset, 1.1), (x - 0.3 * side, y + offset, 1.0)
        found += [
            BodyPart("arm", (x, y + offset, 1.4), elbow, 0.06),
            BodyPart("arm", elbow, wrist, 0.05),
            BodyPart("hand", wrist, (x - 0.4 * side, y + offset, 1.0), 0.05),
            BodyPart("leg", (x, y + offset / 2.0, 0.1), (x, y + offset / 2.0, 0.9), 0.09),
        ]
    return Person(name, tuple(found), seen_ns, 0.05)


def turned(rules: RuleSet, by: float = 0.5, rows: int = 50) -> FloatArray:
    """Rows from the pose `ready` on, in which the first joint turns by that much [rad] and comes to rest."""
    ready = np.array(rules.profile.poses[1].positions)
    return np.asarray(ready + quintic(rows)[:, None] * by * np.eye(len(ready))[0])


def case_beside(rules: RuleSet, people: Iterable[Person], rows: FloatArray | None = None) -> Case:
    """A case at the time 0, from rest in the pose `ready`."""
    found = turned(rules) if rows is None else rows
    ready = np.array(rules.profile.poses[1].positions)
    start = Start(ready, np.array([0.08]), "automatic", (), None, None, tuple(people))
    state = state_of(rules, start, 0)
    chunk = chunk_of(rules, Asked(state, ready, PERIOD_NS, 0, 25), found, np.full((len(found), 1), 0.08))
    return Case(0, chunk, state, start.scene(0), Memory(), rules)


def seen_at(people: Sequence[Person], seen_ns: int) -> tuple[Person, ...]:
    return tuple(replace(person, seen_ns=seen_ns) for person in people)
