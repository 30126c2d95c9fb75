"""Which pairs of parts a clearance is about, and the demands on the forecast that ask for each pair's own minimum.

Which pairs there are depends on names alone. So they are found once for all motions that the same names are around.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeAlias

from interlock.arrays import FloatArray
from interlock.rules import Demand

from .bodies import Bodies, around, is_robot, robot_parts

Pair: TypeAlias = tuple[str, str]

KEPT: Final = 256  # rules and scenes whose pairs are kept


@dataclass(frozen=True, slots=True)
class Group:
    """Pairs, in order, of which the same exceptions speak: the indices of those."""

    pairs: tuple[Pair, ...]
    exceptions: tuple[int, ...]


@lru_cache(maxsize=KEPT)
def groups_of(between: Pair, exceptions: tuple[Pair, ...], bodies: Bodies) -> tuple[Group, ...] | None:
    """All pairs that are judged, by the exceptions that speak of them; None where a thing in `between` is missing."""
    found = pairs_of(between, bodies)
    if found is None:
        return None
    spoken_of = [pairs_of(words, bodies) or frozenset() for words in exceptions]
    groups: dict[tuple[int, ...], list[Pair]] = {}
    for pair in sorted(found - never_judged(found, bodies)):
        speaking = tuple(index for index, pairs in enumerate(spoken_of) if pair in pairs)
        groups.setdefault(speaking, []).append(pair)
    return tuple(Group(tuple(pairs), speaking) for speaking, pairs in groups.items())


def pairs_of(words: Pair, bodies: Bodies) -> frozenset[Pair] | None:
    """Every pair (part of the robot, part or thing around it) that two words stand for; None where a thing is missing.

    Pairs of the robot with itself are in alphabetical order, each once.
    """
    one, other = words if is_robot(words[0], bodies.links) else (words[1], words[0])
    links = robot_parts(one, bodies.shaped, bodies.hand, in_hand=bodies.in_hand)
    if is_robot(other, bodies.links):
        found = robot_parts(other, bodies.shaped, bodies.hand, in_hand=bodies.in_hand)
        return frozenset((min(a, b), max(a, b)) for a in links for b in found if a != b)
    things = around(other, bodies)
    return None if things is None else frozenset((a, b) for a in links for b in things)


def never_judged(pairs: Iterable[Pair], bodies: Bodies) -> frozenset[Pair]:
    """Those pairs that are allowed to touch: the profile's allowed collisions, the hand and what it holds, and links
    that no joint moves with each other and with the fixed cell, where nothing can change.
    """
    return frozenset(
        (a, b)
        for a, b in pairs
        if (min(a, b), max(a, b)) in bodies.allowed or (a in bodies.fixed and (b in bodies.fixed or b in bodies.cell))
    )


def demands_of(
    least: Sequence[tuple[Group, FloatArray]], *, closing: bool = False, lagging: bool = True
) -> tuple[Demand, ...]:
    """One demand for each minimum that a group of pairs has, on the intervals where it has it; least: (N,) [m], not
    finite: none. closing, lagging: as in Demand.
    """
    alike: dict[bytes, tuple[list[tuple[Pair, ...]], FloatArray]] = {}
    for group, minima in least:
        alike.setdefault(minima.tobytes(), ([], minima))[0].append(group.pairs)
    found: list[Demand] = []
    for groups, minima in alike.values():
        levels = sorted(level for level in set(minima.tolist()) if math.isfinite(level))
        links, others, exclude = _product(tuple(groups)) if levels else ((), (), frozenset[Pair]())
        found += [Demand(links, others, level, minima == level, exclude, closing, lagging) for level in levels]
    return tuple(found)


@lru_cache(maxsize=KEPT)
def _product(groups: tuple[tuple[Pair, ...], ...]) -> tuple[tuple[str, ...], tuple[str, ...], frozenset[Pair]]:
    """The links and others whose product holds all pairs of some groups, and the pairs of that product that are not
    among them.
    """
    pairs = [pair for group in groups for pair in group]
    links, others = (tuple(sorted({pair[side] for pair in pairs})) for side in (0, 1))
    product = {(min(a, b), max(a, b)) for a in links for b in others}
    return links, others, frozenset(product - {(min(a, b), max(a, b)) for a, b in pairs})
