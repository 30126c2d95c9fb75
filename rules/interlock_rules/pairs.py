"""Which pairs of parts a clearance is about, and the demands on the forecast that ask for each pair's own minimum."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

import numpy as np

from interlock.arrays import FloatArray
from interlock.case import Case
from interlock.motion import Motion, RobotModel
from interlock.profile import Profile
from interlock.rules import Demand

from .bodies import HELD, around, is_robot, parts

Pair: TypeAlias = tuple[str, str]


def pairs_of(words: Pair, case: Case, motion: Motion, model: RobotModel) -> frozenset[Pair] | None:
    """Every pair (part of the robot, part or thing around it) that two words stand for; None where a thing is missing.

    Pairs of the robot with itself are in alphabetical order, each once.
    """
    profile = case.rules.profile
    one, other = words if is_robot(words[0], model) else (words[1], words[0])
    links = parts(one, motion, profile)
    if is_robot(other, model):
        found = parts(other, motion, profile)
        return frozenset((min(a, b), max(a, b)) for a in links for b in found if a != b)
    things = around(other, case)
    return None if things is None else frozenset((a, b) for a in links for b in things)


def never_judged(pairs: Iterable[Pair], case: Case, model: RobotModel) -> frozenset[Pair]:
    """Those pairs that are allowed to touch: the profile's allowed collisions, the hand and what it holds, and links
    that no joint moves with each other and with the fixed cell, where nothing can change.
    """
    profile = case.rules.profile
    allowed = allowed_collisions(profile)
    bodies = {body.name for body in case.rules.cell.bodies}
    return frozenset(
        (a, b)
        for a, b in pairs
        if (min(a, b), max(a, b)) in allowed or (a in model.fixed and (b in model.fixed or b in bodies))
    )


def allowed_collisions(profile: Profile) -> frozenset[Pair]:
    """The profile's, in alphabetical order, and what the hand holds with the hand."""
    named = ((pair.a, pair.b) for pair in profile.allowed_collisions)
    hand = ((HELD, link) for link in profile.hand_links)
    return frozenset((min(a, b), max(a, b)) for pairs in (named, hand) for a, b in pairs)


def demands_of(least: Mapping[Pair, FloatArray], *, closing: bool = False) -> tuple[Demand, ...]:
    """One demand for each minimum that a group of pairs has, on the intervals where it has it; least: (N,) [m], -inf:
    none. closing: as in Demand.

    A demand asks for all links against all others; pairs of that product that are not in the group are excluded.
    """
    groups: dict[bytes, list[Pair]] = {}
    for pair in sorted(least):
        groups.setdefault(least[pair].tobytes(), []).append(pair)
    found: list[Demand] = []
    for group in groups.values():
        minima = least[group[0]]
        links, others = (tuple(sorted({pair[side] for pair in group})) for side in (0, 1))
        product = {(min(a, b), max(a, b)) for a in links for b in others}
        exclude = frozenset(product - {(min(a, b), max(a, b)) for a, b in group})
        levels = np.unique(minima[np.isfinite(minima)])
        found += [Demand(links, others, float(level), minima == level, exclude, closing) for level in levels]
    return tuple(found)
