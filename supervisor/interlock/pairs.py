"""Two convex shapes along a joint path: certified bounds of their distance, with no sampling in between.

A unit normal n gives sep(q), `shapes.separation`: never more than their signed distance, whatever n is, and equal to it
for the right n. Along an interval of the joint path each point of the
first shape stays within the sagitta s of its chord, seen from the second, so that the distance is nowhere below

    min(sep(start), sep(end)) - s.

A ball around the first and a box around the second say the same, coarsely, of all pairs at once; many balls that
contain the first, and the second's own shape or balls that contain it, say it closer. `kernels.py` does the arithmetic.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from . import kernels, kernels_planes
from .arrays import BoolArray, FloatArray, IntArray
from .covers import balls_of, sides_of
from .reach import Route
from .shapes import WORLD, Side

NONE: Final = np.empty((0, 4))
NOTHING: Final = np.empty(0)
NOWHERE: Final = np.zeros(3)
HERE: Final = np.eye(4)


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """Two shapes, the way from the second's link to the first's, and whether tracking error counts on it."""

    names: tuple[str, str]
    first: Side
    second: Side
    way: Route
    lagging: bool = True

    def relative(self, frames: FloatArray) -> FloatArray:
        """Poses (N, 4, 4) of the first shape in the frame of the second, for frames (N, L, 4, 4)."""
        ours, theirs = self.first, self.second
        return kernels_planes.relative(frames, ours.link, ours.offset, theirs.link, theirs.offset)

    def closer(self, look: Look, errors: FloatArray, bent: FloatArray, remains: FloatArray, lost: FloatArray) -> Closer:
        """A closer look where a coarse one says what remains (N,) and what it took as lost (2,); errors (m,) of joint
        values, bent (2, N) of its way.
        """
        ours, way = self.first, self.way
        return Closer(*kernels.closer(
            look.frames, look.steps, bent, remains, lost, look.growth, look.times, look.need, look.least,
            look.marked, look.one, look.other, ours.link, ours.centre, ours.ball, ours.reach, balls_of(ours),
            errors if self.lagging else NOTHING, way.columns, way.gains, way.links, way.axes, way.reaches,
            self.second.link, *self._covers(),
        ))  # fmt: skip

    def raise_low(self, frames: FloatArray, sagitta: FloatArray, wanted: FloatArray, low: FloatArray) -> None:
        """Raises a bound low (N,) [m] where it is below wanted (N,), by the balls that contain the first."""
        links = np.array([self.first.link, self.second.link])
        kernels.covered(frames, links, balls_of(self.first), *self._covers(), sagitta, wanted, low)

    def _covers(self) -> tuple[FloatArray, int, FloatArray, FloatArray, FloatArray]:
        """The offset, the kind, the size, the planes and the balls of the second, as `kernels.covered` takes them."""
        theirs = self.second
        if theirs.link == WORLD:
            return theirs.offset, theirs.solid.kind, theirs.solid.size, sides_of(theirs), NONE
        return HERE, kernels.PLANES, NOWHERE, NONE, balls_of(theirs)


class Look(NamedTuple):
    """What a closer look takes, besides the pair: frames (N, L, 4, 4), steps (N, m) and times (N,) of the motion; what
    is lost of the pair (2,), at the time 0 and each second; what its demand needs [m], and the least (N,) that is known
    of it; where it is judged: the intervals of the demand and of both shapes (N,).
    """

    frames: FloatArray
    steps: FloatArray
    times: FloatArray
    growth: FloatArray
    need: float
    least: FloatArray
    marked: BoolArray
    one: BoolArray
    other: BoolArray


class Closer(NamedTuple):
    """What it says: the bound of the distance (N,), what is asked of it (3, N) as `kernels.asked` has it, the
    sagitta (N,); whether all that is lost is finite; whether the bound is below what is asked.
    """

    low: FloatArray
    asked: FloatArray
    sagitta: FloatArray
    sound: bool
    below: bool


class Pairs:
    """Some pairs, and all that a look at them takes, as arrays: made once, for many motions."""

    def __init__(
        self, pairs: Sequence[Pair], errors: FloatArray, rows: Sequence[tuple[int, int, int, int]] = ()
    ) -> None:
        """For the tracking errors (m,) of the joint values. rows: for each pair the two rows of the masks that say on
        which intervals these are its shapes, its demand, and the place of the second among all that moves from motion
        to motion, 0 if it does not; left out: all 0.
        """
        self.pairs = tuple(pairs)
        each = rows or [(0, 0, 0, 0)] * len(pairs)
        routes = _places([id(pair.way) for pair in pairs])
        firsts = _places([id(pair.first) for pair in pairs])
        ways = tuple({id(pair.way): pair.way for pair in pairs}.values())
        bodies = tuple({id(pair.first): pair.first for pair in pairs}.values())
        seconds = _places([(id(pair.second), moved) for pair, (*_, moved) in zip(pairs, each, strict=True)])
        self.routes = _padded(ways)
        self.links = np.array([body.link for body in bodies], dtype=np.int64)
        self.places = np.array([body.centre for body in bodies]).reshape(-1, 3)
        self.which = np.array([
            [pair.second.link, way, one, other, first, demand, second]
            for pair, way, first, second, (one, other, demand, _) in zip(
                pairs, routes, firsts, seconds, each, strict=True
            )
        ], dtype=np.int64)  # fmt: skip
        self.shapes = np.array([
            [pair.first.ball, pair.first.reach, *pair.second.low, *pair.second.high] for pair in pairs
        ])  # fmt: skip
        places = {
            second: (pair.second.offset, moved) for pair, second, (*_, moved) in zip(pairs, seconds, each, strict=True)
        }
        self.offsets = np.stack([offset for offset, _ in places.values()])
        self.moved = np.array([moved for _, moved in places.values()], dtype=np.int64)
        self.loose = np.array([pair.lagging * pair.way.loosest(errors, pair.first.reach) for pair in pairs])

    def bends(self, steps: FloatArray) -> FloatArray:
        """What `sagitta` needs, for steps (N, m) of the joint values."""
        return kernels.bends(steps, *self.routes)

    def sagitta(self, bent: FloatArray, place: int) -> FloatArray:
        """How far [m] a point of the first of a pair leaves its chord, seen from the second, on each interval (N,)."""
        parts = bent[self.which[place, 1]]
        return np.asarray(parts[0] + self.shapes[place, 1] * parts[1])

    def look(
        self, frames: FloatArray, bent: FloatArray, lost: FloatArray, times: FloatArray, needs: FloatArray,
        marked: BoolArray, when: BoolArray, moved: FloatArray | None = None,
    ) -> tuple[FloatArray, BoolArray, FloatArray]:  # fmt: skip
        """A ball around each first, a box around each second; `kernels.coarse` says what goes in and comes out.

        moved (M, 4, 4): the offsets of all that moves, by its place; left out: where they were when this was made.
        """
        offsets = self.offsets if moved is None else kernels.chosen(self.offsets, moved, self.moved)
        middles = kernels.centres(frames, self.links, self.places)
        return kernels.coarse(frames, bent, self.which, middles, self.shapes, offsets, lost, times, needs, marked, when)

    def lows(self, frames: FloatArray, bent: FloatArray) -> FloatArray:
        """A lower bound (P, N) [m] of the distance on each interval, -inf where the ball's centre is in the box."""
        count = len(frames)
        every = np.ones((1, count), dtype=np.bool_)
        nothing = np.zeros((len(self.pairs), 2))
        return self.look(frames, bent, nothing, np.zeros(count), np.array([np.inf]), every, every)[2]


def _places(things: Sequence[Hashable]) -> list[int]:
    """For each thing its place among those that differ."""
    known: dict[Hashable, int] = {}
    return [known.setdefault(thing, len(known)) for thing in things]


def _padded(ways: Sequence[Route]) -> tuple[IntArray, IntArray, FloatArray, FloatArray]:
    """The counts (R,), columns, gains and reaches (R, K) of routes."""
    counts = np.array([len(way.columns) for way in ways], dtype=np.int64)
    shape = (len(ways), max(1, int(counts.max(initial=0))))
    columns, gains, reaches = np.zeros(shape, dtype=np.int64), np.zeros(shape), np.zeros(shape)
    for row, way in enumerate(ways):
        columns[row, : counts[row]], gains[row, : counts[row]] = way.columns, way.gains
        reaches[row, : counts[row]] = way.reaches
    return counts, columns, gains, reaches
