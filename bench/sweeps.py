"""The referee's eyes: what a motion of a robot comes near to, seen without any of the code that is being judged.

Pinocchio reads the URDF, its meshes and its kinematics; coal makes the hulls and measures their distances. A motion is
sampled so densely that no point of the robot moves by more than STEP_M from one sample to the next. A sample is left
out only where a ball around the one and a box around the other say that both are far apart, or where the distance at
one before it, less all that moved since, says enough. Around the nearest sample it looks again, FINER times as densely.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import numpy as np

from bench.arms import Arm
from bench.engines import Gauge, Part, Thing, Witness, at_least, coal_hull
from interlock.arrays import BoolArray, FloatArray, IntArray
from interlock.geometry import ConvexMesh

STEP_M: Final = 1e-3
FINER: Final = 16
DEEP_M: Final = 5e-3  # it touches, and nobody asks how deep it gets
# What a clear motion keeps beyond tracking error and the growth of objects, stated here and in `make referee`:
FINGER_M: Final = 1.5e-3  # fingers are widened to whole millimetres, and by half of one
OBJECT_M: Final = 1.5e-3  # objects are rounded up to whole millimetres: a capsule's ends by 1 mm and half of one
SAMPLED_M: Final = 0.5e-3  # between two samples 1 mm apart


@dataclass(frozen=True, slots=True, eq=False)
class Way:
    """A motion: joint positions (N, n) [rad], straight from node to node, at times (N,) [s] from now, and what the
    gripper was told at least and at most until then (N,) [m]. intervals (N,): of samples, the interval each is from.
    late_s: how much later [s] the robot may be anywhere on it, where it is stopped on the way.
    """

    times: FloatArray
    positions: FloatArray
    least: FloatArray
    most: FloatArray
    intervals: IntArray = field(default_factory=lambda: np.zeros(1, dtype=np.int64))
    late_s: float = 0.0

    def at(self, moments: FloatArray, intervals: IntArray) -> Way:
        """The way at shares (S,) of intervals (S,), which end at the nodes that they name; times are those of ends."""
        share = moments[:, None]
        between = (1.0 - share) * self.positions[intervals - 1] + share * self.positions[intervals]
        return Way(self.times[intervals], between, self.least[intervals], self.most[intervals], intervals, self.late_s)


@dataclass(slots=True)
class Seen:
    """What a sweep saw: the least gap [m] after the growth of objects, and the least room [m] after all that is stated,
    both exact where they are small (a sample that says that all is far is enough);
    between which two, at which joint positions (n,) and openings, and how far the growth had come there [m].
    """

    gap: float = np.inf
    room: float = np.inf
    pair: tuple[str, str] = ("", "")
    tight: tuple[str, str] = ("", "")
    positions: FloatArray = field(default_factory=lambda: np.empty(0))
    opening: float = 0.0
    grown: float = 0.0
    samples: int = 0


def along(path: FloatArray, places: FloatArray) -> FloatArray:
    """Points (S, n) of a polyline (N >= 2, n) at places (S,) from 0 to N - 1, in segments."""
    segment = np.minimum(places.astype(np.int64), len(path) - 2)
    share = (places - segment)[:, None]
    return np.asarray((1.0 - share) * path[segment] + share * path[segment + 1])


class _Mover:
    """A part along a sampled way: its poses (S, 4, 4) and the ball around it there (S, 4); `solid`: the part is really
    there, and not only in what is allowed for.
    """

    __slots__ = ("_places", "_travelled", "ball", "opening", "part", "poses", "shape", "solid", "what")

    def __init__(self, part: int, what: Part, poses: FloatArray, opening: FloatArray, *, solid: bool) -> None:
        self.part, self.what, self.shape = part, what, what.shape
        self.poses, self.opening, self.solid = poses, opening, solid
        ball = what.ball
        middles = poses[:, :3, :3] @ ball[:3] + poses[:, :3, 3]
        self.ball = np.column_stack([middles, np.full(len(poses), ball[3])])
        self._travelled: FloatArray | None = None
        self._places: dict[int, Any] = {}

    @property
    def name(self) -> str:
        """The part's."""
        return self.what.name

    @property
    def travelled(self) -> FloatArray:
        """The path [m] that none of its points exceeds up to each sample (S,)."""
        if self._travelled is None:
            self._travelled = np.append(0.0, np.cumsum(_chords(self.poses, self.what.box)))
        return self._travelled

    def place(self, gauge: Gauge, sample: int) -> Any:
        """Its pose at a sample, as coal takes it."""
        if sample not in self._places:
            self._places[sample] = gauge.placed(self.poses[sample])
        return self._places[sample]


_Pair: TypeAlias = tuple[_Mover, _Mover | Thing]


@dataclass(slots=True)
class _Sweep:
    """A sweep under way: the samples, what may be lost at each interval, and what was seen so far."""

    way: Way
    fine: Way
    levers: FloatArray
    turned: FloatArray
    seen: Seen
    lost: dict[tuple[int, tuple[int, ...]], FloatArray] = field(
        default_factory=dict[tuple[int, tuple[int, ...]], FloatArray]
    )


class Referee:
    """Sweeps of one arm; pairs that are allowed to touch are never looked at."""

    def __init__(self, arm: Arm) -> None:
        profile = arm.profile
        self.arm = arm
        self.gauge = Gauge()
        self.witness = Witness()
        self.errors = np.array([joint.tracking for joint in profile.joints])
        self.allowed = {frozenset((pair.a, pair.b)) for pair in profile.allowed_collisions}
        self._losses: dict[tuple[int, ...], float] = {}

    def sweep(self, way: Way, things: Sequence[Thing]) -> Seen:
        """The least that a motion leaves of any distance.

        1. For each two, how far apart they are at least at each sample; those that are never near are put off.
        2. The others are measured wherever they may be near.
        3. Of those that were put off, the nearest are measured once, while they may be the nearest of all.
        4. The four nearest are looked at again, more finely.
        """
        fine = self._sampled(way)
        frames = self.arm.frames(fine.positions)
        levers = self.arm.levers(self.arm.frames(way.positions))
        turned = np.abs(np.diff(way.positions, axis=0, prepend=way.positions[:1]))
        movers = [mover for part in range(len(self.arm.parts)) for mover in self._movers(part, frames, fine)]
        run = _Sweep(way, fine, levers, turned, Seen(samples=len(fine.times)))
        far: list[tuple[float, int, _Pair]] = []
        nearest: list[tuple[float, int, _Pair]] = []
        for pair, least in self._pairs(movers, things, fine):
            need = max(self._loses_at_most(pair) + _stated(*pair, way.late_s), 2.0 * STEP_M) + STEP_M
            near = least <= need
            if not near.any():
                far.append((float(least.min()), int(np.argmin(least)), pair))
                continue
            found = self._walk(run, pair, near)
            if found is not None:
                nearest.append((*found, pair))
        for bound, sample, pair in sorted(far, key=lambda item: item[0]):
            if bound >= run.seen.gap:
                break
            self._measure(run, pair, sample, self._lost(run, pair))
        for _, sample, pair in sorted(nearest, key=lambda item: item[0])[:4]:
            self._again(fine, sample, pair, run.seen)
        return run.seen

    def _turning(self, pair: _Pair) -> tuple[int, ...]:
        """The joints between two."""
        return self.arm.between(pair[0].part, None if isinstance(pair[1], Thing) else pair[1].part)

    def _loses_at_most(self, pair: _Pair) -> float:
        """What tracking errors may take of the distance of two at most [m], however they stand."""
        parts = tuple(one.part for one in pair if isinstance(one, _Mover))
        if parts not in self._losses:
            joints = list(self._turning(pair))
            reach = self.arm.reach
            self._losses[parts] = max(float((self.errors[joints] * reach[part, joints]).sum()) for part in parts)
        return self._losses[parts]

    def _deviation(self, run: _Sweep, part: int, joints: tuple[int, ...]) -> FloatArray:
        """How far tracking errors may bring a part from its place on each interval (N,) [m], by the formula that
        `interlock.reach` derives, from levers (N, P, n) at the nodes and what each joint turns (N, n).

        Each joint turns the part about its axis, at a lever that is the larger of those at both ends of the interval,
        and what the joints between the axis and the part move in half of it and by their own errors.
        """
        if (part, joints) not in run.lost:
            found, later = np.zeros(len(run.turned)), np.zeros(len(run.turned))
            for joint in joints:
                most, levers = self.arm.reach[part, joint], run.levers[:, part, joint]
                lever = np.maximum(levers, np.append(levers[:1], levers[:-1]))
                found += self.errors[joint] * np.minimum(lever + later, most)
                later += (self.errors[joint] + run.turned[:, joint] / 2.0) * most
            run.lost[part, joints] = found
        return run.lost[part, joints]

    def _lost(self, run: _Sweep, pair: _Pair) -> FloatArray:
        """What two must keep beyond growth to count as clear, at each sample (S,) [m]."""
        joints = self._turning(pair)
        each = [self._deviation(run, one.part, joints) for one in pair if isinstance(one, _Mover)]
        return np.asarray(np.max(each, axis=0)[run.fine.intervals] + _stated(*pair, run.fine.late_s))

    def start(self, way: Way, things: Sequence[Thing]) -> float:
        """The least gap [m] at the first node."""
        first = Way(way.times[:1], way.positions[:1], way.least[:1], way.most[:1])
        return self.sweep(first, things).gap

    def _sampled(self, way: Way) -> Way:
        if len(way.times) == 1:
            return way
        frames = self.arm.frames(way.positions)
        chords = np.zeros(len(way.times) - 1)
        for index, part in enumerate(self.arm.parts):
            chords = np.maximum(chords, _chords(frames[:, self.arm.parents[index]], part.box))
        counts = np.maximum(1, np.ceil(chords * 1.2 / STEP_M).astype(np.int64))  # a fifth more: arcs, uneven chords
        intervals = np.repeat(np.arange(1, len(way.times)), counts)
        shares = np.concatenate([np.arange(1.0, count + 1.0) / count for count in counts.tolist()])
        return way.at(np.append(0.0, shares), np.append(1, intervals))

    def _movers(self, index: int, frames: FloatArray, fine: Way) -> Iterator[_Mover]:
        """A part; a finger where it may be: at the least, the most and the middle that it was told, and a hull of all
        of that, which is only allowed for.
        """
        part = self.arm.parts[index]
        if part.name not in self.arm.slides or np.ptp([fine.least, fine.most]) == 0.0:
            yield _Mover(index, part, self.arm.poses(frames, index, fine.least), fine.least, solid=True)
            return
        for opening in (fine.least, (fine.least + fine.most) / 2.0, fine.most):
            yield _Mover(index, part, self.arm.poses(frames, index, opening), opening, solid=True)
        low, high = float(fine.least.min()), float(fine.most.max())
        slide = self.arm.slides[part.name]
        swept = np.vstack([part.corners + low * slide, part.corners + high * slide])
        shut = np.zeros_like(fine.least)
        whole = Part(part.name, coal_hull(swept), swept)
        yield _Mover(index, whole, self.arm.poses(frames, index, shut), shut, solid=False)

    def _pairs(
        self, movers: Sequence[_Mover], things: Sequence[Thing], fine: Way
    ) -> Iterator[tuple[_Pair, FloatArray]]:
        """All twos that may come near, and how far apart they are at least (S,) [m]."""
        moving = [mover for mover in movers if self.arm.above[mover.part]]
        balls = {id(mover): mover.ball for mover in movers}
        for thing in things:
            grown = _growth(thing, fine.times)
            among = moving if thing.fixed else movers
            far = at_least(np.array([balls[id(mover)] for mover in among]), thing.pose, thing.ends) - grown
            yield from (((mover, thing), least) for mover, least in zip(among, far, strict=True))
        for place, one in enumerate(movers):
            for other in movers[place + 1 :]:
                moves = self.arm.above[one.part] != self.arm.above[other.part]
                if moves and frozenset((one.name, other.name)) not in self.allowed:
                    apart = np.sqrt(((one.ball[:, :3] - other.ball[:, :3]) ** 2).sum(axis=1))
                    least = apart - one.ball[:, 3] - other.ball[:, 3]
                    if least.min() < 2.0 * STEP_M + self._loses_at_most((one, other)):
                        least = np.maximum(least, at_least(one.ball, other.poses, other.what.ends))
                        least = np.maximum(least, at_least(other.ball, one.poses, one.what.ends))
                    yield (one, other), least

    def _walk(self, run: _Sweep, pair: _Pair, near: BoolArray) -> tuple[float, int] | None:
        """Takes in all samples that may matter; the nearest of them, and its gap, if it is near at all."""
        (mover, other), fine, seen = pair, run.fine, run.seen
        lost = self._lost(run, pair)
        moved: FloatArray = mover.travelled + (
            _growth(other, fine.times) if isinstance(other, Thing) else other.travelled
        )
        solid = mover.solid and (isinstance(other, Thing) or other.solid)
        places: IntArray = np.flatnonzero(near)
        most = float(lost.max())
        least, where, turn = np.inf, 0, 0
        while turn < len(places):
            sample = int(places[turn])
            gap = self._measure(run, pair, sample, lost)
            if gap < least:
                least, where = gap, sample
            if solid and gap < -DEEP_M:
                break
            room = gap - (most + STEP_M if seen.room > 0.0 else STEP_M)
            until = int(np.searchsorted(moved, float(moved[sample]) + room, side="right"))
            turn = max(turn + 1, int(np.searchsorted(places, until)))
        return (least, where) if solid and least < 2.0 * STEP_M else None

    def _measure(self, run: _Sweep, pair: _Pair, sample: int, lost: FloatArray) -> float:
        """The gap [m] of two at a sample after growth, noted if it is the least, or what is left after `lost` (S,)."""
        (mover, other), fine, seen = pair, run.fine, run.seen
        at = self.gauge.placed(other.pose) if isinstance(other, Thing) else other.place(self.gauge, sample)
        grown = float(_growth(other, fine.times)[sample])
        gap = self.gauge.distance(mover.shape, mover.place(self.gauge, sample), other.shape, at) - grown
        if gap - lost[sample] < seen.room:
            seen.room, seen.tight = gap - float(lost[sample]), (mover.name, other.name)
        if mover.solid and (isinstance(other, Thing) or other.solid) and gap < seen.gap:
            seen.gap, seen.pair, seen.positions = gap, (mover.name, other.name), fine.positions[sample]
            seen.opening, seen.grown = float(mover.opening[sample]), grown
        return gap

    def _again(self, fine: Way, sample: int, pair: _Pair, seen: Seen) -> None:
        """Looks again between the neighbours of a sample."""
        mover, other = pair
        ends = fine.positions[max(sample - 1, 0) : sample + 2]
        shares = np.linspace(0.0, len(ends) - 1.0, FINER * (len(ends) - 1) + 1)
        positions = along(ends, shares) if len(ends) > 1 else ends
        frames = self.arm.frames(positions)
        ours = self.arm.poses(frames, mover.part, np.full(len(positions), mover.opening[sample]))
        theirs: FloatArray | None = None
        if isinstance(other, _Mover):
            theirs = self.arm.poses(frames, other.part, np.full(len(positions), other.opening[sample]))
        grown = float(_growth(other, fine.times)[sample])
        for row, pose in enumerate(ours):
            at = self.gauge.placed(other.pose if isinstance(other, Thing) else theirs[row])  # type: ignore[index]
            gap = self.gauge.distance(mover.shape, self.gauge.placed(pose), other.shape, at) - grown
            if gap < seen.gap:
                seen.gap, seen.pair, seen.positions = gap, (mover.name, other.name), positions[row]
                seen.opening, seen.grown = float(mover.opening[sample]), grown

    def astray(self, seen: Seen, things: Sequence[Thing]) -> float:
        """The gap [m] at the nearest place of a sweep, each joint off by its tracking error in the direction that
        brings the two nearest.
        """
        if not len(seen.positions):
            return np.inf
        step = 1e-4
        count = len(self.errors)
        here, *nudged = self._gaps(seen, seen.positions + step * np.eye(count + 1, count, -1), things)
        slopes = np.array(nudged) - here
        return self._gaps(seen, (seen.positions - np.sign(slopes) * self.errors)[None], things)[0]

    def asked(self, seen: Seen, things: Sequence[Thing]) -> float:
        """The gap [m] at the nearest place of a sweep as PyBullet sees it."""
        if not len(seen.positions):
            return np.inf
        frames, opening = self.arm.frames(seen.positions[None]), np.array([seen.opening])
        parts = {part.name: index for index, part in enumerate(self.arm.parts)}
        placed = {name: self.arm.poses(frames, parts[name], opening)[0] for name in seen.pair if name in parts}
        first, second = seen.pair
        thing = next((thing for thing in things if thing.name == second), None)
        others = (ConvexMesh(self.arm.parts[parts[second]].corners),) if thing is None else thing.convex
        here = placed[second] if thing is None else thing.pose
        corners = self.arm.parts[parts[first]].corners
        return self.witness.distance(corners, placed[first], others, here) - seen.grown

    def _gaps(self, seen: Seen, positions: FloatArray, things: Sequence[Thing]) -> list[float]:
        """The gap [m] of the nearest two at each of some positions (R, n)."""
        frames = self.arm.frames(positions)
        names = [part.name for part in self.arm.parts]
        opening = np.full(len(positions), seen.opening)
        first = names.index(seen.pair[0])
        ours = [self.gauge.placed(pose) for pose in self.arm.poses(frames, first, opening)]
        for thing in things:
            if thing.name == seen.pair[1]:
                theirs, shape = [self.gauge.placed(thing.pose)] * len(ours), thing.shape
                break
        else:
            second = names.index(seen.pair[1])
            theirs = [self.gauge.placed(pose) for pose in self.arm.poses(frames, second, opening)]
            shape = self.arm.parts[second].shape
        mine = self.arm.parts[first].shape
        return [
            self.gauge.distance(mine, there, shape, here) - seen.grown for there, here in zip(ours, theirs, strict=True)
        ]


def _chords(poses: FloatArray, box: FloatArray) -> FloatArray:
    """How far [m] the furthest corner of a box (8, 3) moves from each pose (S, 4, 4) to the next; (S - 1,)."""
    corners = box @ np.swapaxes(poses[:, :3, :3], 1, 2) + poses[:, None, :3, 3]
    return np.asarray(np.sqrt((np.diff(corners, axis=0) ** 2).sum(axis=2).max(axis=1)))


def _growth(other: _Mover | Thing, times: FloatArray) -> FloatArray:
    """What is lost of the distance to a thing (S,) [m] at times (S,) [s]."""
    if isinstance(other, _Mover):
        return np.zeros_like(times)
    return other.uncertainty + other.speed * times


def _stated(mover: _Mover, other: _Mover | Thing, late_s: float) -> float:
    """What a pair must keep beyond tracking error and growth [m] to count as clear, so much later [s]."""
    fingers = sum("finger" in name for name in (mover.name, other.name))
    seen = isinstance(other, Thing) and not other.fixed
    excess = other.excess if isinstance(other, Thing) else 0.0
    later = other.speed * late_s if isinstance(other, Thing) else 0.0
    return FINGER_M * fingers + (OBJECT_M if seen else 0.0) + excess + SAMPLED_M + later
