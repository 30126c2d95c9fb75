"""The referee's eyes: what a motion of a robot comes near to, seen without any of the code that is being judged.

Pinocchio reads the URDF, its meshes and its kinematics; coal makes the hulls and measures their distances. A motion is
sampled so densely that no point of the robot moves by more than STEP_M from one sample to the next; a sample is left
out only where the distance of one before it, less all that moved since, says enough. Around the nearest sample it looks
again, FINER times as densely.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from itertools import combinations
from typing import Any, Final

import numpy as np

from interlock.arrays import FloatArray, IntArray
from interlock.geometry import Box, Capsule, ConvexMesh, Cylinder, HalfSpace, Shape, Sphere
from interlock.profile import Profile

STEP_M: Final = 1e-3
FINER: Final = 16
DEEP_M: Final = 5e-3  # it touches, and nobody asks how deep it gets
# What a clear motion keeps beyond tracking error and the growth of objects, stated here and in `make referee`:
FINGER_M: Final = 1.5e-3  # fingers are widened to whole millimetres, and by half of one
OBJECT_M: Final = 1.5e-3  # objects are rounded up to whole millimetres: a capsule's ends by 1 mm and half of one
SAMPLED_M: Final = 0.5e-3  # between two samples 1 mm apart


class MissingEngine(Exception):
    """A library of the extra `referee` is not installed."""


def engine(name: str) -> Any:
    """An engine of the extra `referee`, untyped; raises MissingEngine with what to install."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise MissingEngine(f"{name} is not installed: pip install 'interlock-vla[referee]'") from error


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A convex part: its name, coal's shape, and its corners (V, 3) [m] in the frame that it moves with."""

    name: str
    shape: Any
    corners: FloatArray

    @property
    def box(self) -> FloatArray:
        """The corners (8, 3) of a box around it: none of its points moves further than the furthest of them."""
        ends = np.array([self.corners.min(axis=0), self.corners.max(axis=0)])
        return np.array([[ends[i, 0], ends[j, 1], ends[k, 2]] for i in (0, 1) for j in (0, 1) for k in (0, 1)])


@dataclass(frozen=True, slots=True, eq=False)
class Thing:
    """Something around the robot: coal's shape at a pose (4, 4); what is lost of its distance now [m] and with each
    second [m/s]; whether it is fixed in the cell, or an object that was seen.
    """

    name: str
    shape: Any
    pose: FloatArray
    uncertainty: float
    speed: float
    fixed: bool


@dataclass(frozen=True, slots=True, eq=False)
class Way:
    """A motion: joint positions (N, n) [rad], straight from node to node, at times (N,) [s] from now, and what the
    gripper was told at least and at most until then (N,) [m]. intervals (N,): of samples, the interval each is from.
    """

    times: FloatArray
    positions: FloatArray
    least: FloatArray
    most: FloatArray
    intervals: IntArray = field(default_factory=lambda: np.zeros(1, dtype=np.int64))

    def at(self, moments: FloatArray, intervals: IntArray) -> Way:
        """The way at shares (S,) of intervals (S,), which end at the nodes that they name; times are those of ends."""
        share = moments[:, None]
        between = (1.0 - share) * self.positions[intervals - 1] + share * self.positions[intervals]
        return Way(self.times[intervals], between, self.least[intervals], self.most[intervals], intervals)


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


def coal_hull(corners: FloatArray) -> Any:
    """Coal's convex hull of points (V, 3)."""
    coal = engine("coal")
    points = coal.StdVec_Vec3s()
    points.extend(list(corners))
    return coal.Convex.convexHull(points, True, "Qt")  # keeps triangles


def coal_shape(shape: Shape) -> Any:
    """A shape of a scene as coal's."""
    coal = engine("coal")
    match shape:
        case Box(size=size):
            return coal.Box(*size)
        case Sphere(radius=radius):
            return coal.Sphere(radius)
        case Cylinder(radius=radius, length=length):
            return coal.Cylinder(radius, length)
        case Capsule(radius=radius, length=length):
            return coal.Capsule(radius, length)
        case ConvexMesh(vertices=vertices):
            return coal_hull(vertices)
        case HalfSpace(normal=normal):
            return coal.Halfspace(np.array(normal), 0.0)


class Gauge:
    """Coal's signed distance between two shapes."""

    def __init__(self) -> None:
        coal = engine("coal")
        self._coal = coal
        self._request = coal.DistanceRequest()
        self._request.enable_signed_distance = True
        self._result = coal.DistanceResult()

    def placed(self, pose: FloatArray) -> Any:
        """A pose (4, 4) as coal takes it."""
        return self._coal.Transform3s(pose[:3, :3], pose[:3, 3])

    def distance(self, one: Any, there: Any, other: Any, here: Any) -> float:
        """Distance [m] of two shapes, placed; negative: how deep they are in each other."""
        self._result.clear()
        return float(self._coal.distance(one, there, other, here, self._request, self._result))

    def apart(self) -> FloatArray:
        """The unit normal (3,) of the last answer, from the first shape to the second."""
        return np.array(self._result.normal)


class Arm:
    """A robot as Pinocchio reads it from its URDF: parts, poses, axes. Joints turn about their own z axes."""

    def __init__(self, profile: Profile, mount: FloatArray) -> None:
        """The root link stands at mount (4, 4) in the world. Raises ValueError for a robot of another kind."""
        if profile.urdf is None or len(profile.grippers) != 1:
            raise ValueError(f"{profile.name}: the referee needs a URDF and one gripper")
        pin = engine("pinocchio")
        root = files(profile.urdf.package)
        path = str(root / profile.urdf.path)
        folder = path.rpartition("/")[0]
        self._pin, self.profile, self.mount = pin, profile, mount
        self.model = pin.buildModelFromUrdf(path)
        self.data = self.model.createData()
        self.joints = [self.model.getJointId(name) for name in profile.joint_names]
        if any(self.model.joints[joint].shortname() != "JointModelRZ" for joint in self.joints):
            raise ValueError(f"{profile.name}: a joint turns about another axis than z")
        self._placements = [np.array(place.homogeneous) for place in self.model.jointPlacements]
        geometry = pin.buildGeomFromUrdf(self.model, path, pin.COLLISION, package_dirs=[folder])
        self.parts = tuple(self._part(item) for item in geometry.geometryObjects)
        self.parents = [int(item.parentJoint) for item in geometry.geometryObjects]
        self.slides = {name: self._slide(finger.joint, finger.share) for name, finger in self._fingers()}
        self.balls = np.array([_ball(part) for part in self.parts])
        self.lengths = [float(np.linalg.norm(place[:3, 3])) for place in self._placements]
        self.widest = max(abs(profile.grippers[0].open), abs(profile.grippers[0].closed))
        self.above = [{joint for joint in self.joints if self._moves(joint, parent)} for parent in self.parents]

    def _part(self, item: Any) -> Part:
        item.geometry.buildConvexHull(True, "Qt")
        hull = item.geometry.convex
        corners = np.array([hull.point(index) for index in range(hull.num_points)])
        moved = corners @ item.placement.rotation.T + item.placement.translation
        return Part(self.model.frames[item.parentFrame].name, coal_hull(moved), moved)

    def _fingers(self) -> Iterator[tuple[str, Any]]:
        for finger in self.profile.grippers[0].fingers:
            joint = self.model.getJointId(finger.joint)
            for part, parent in zip(self.parts, self.parents, strict=True):
                if parent == joint:
                    yield part.name, finger

    def _slide(self, name: str, share: float) -> FloatArray:
        """How a finger slides with its gripper's value (3,), in its own frame."""
        joint = self.model.getJointId(name)
        places: list[FloatArray] = []
        for value in (0.0, 1.0):
            q = self._pin.neutral(self.model)
            q[self.model.joints[joint].idx_q] = value
            self._pin.forwardKinematics(self.model, self.data, q)
            places.append(np.array(self.data.oMi[joint].homogeneous))
        return np.asarray(places[0][:3, :3].T @ (places[1] - places[0])[:3, 3] * share)

    def _moves(self, joint: int, parent: int) -> bool:
        return joint in list(self.model.supports[parent])

    def frames(self, positions: FloatArray) -> FloatArray:
        """Poses (S, J, 4, 4) of all of Pinocchio's joints in the world, fingers at 0, for positions (S, n) [rad].

        Pinocchio's own recursion takes one row at a time; here the same placements are chained for all rows at once.
        """
        found = np.empty((len(positions), self.model.njoints, 4, 4))
        found[:, 0] = self.mount
        for joint in range(1, self.model.njoints):
            found[:, joint] = found[:, self.model.parents[joint]] @ self._placements[joint]
            if joint in self.joints:
                values = positions[:, self.joints.index(joint)]
                found[:, joint] = found[:, joint] @ _about_z(values)
        return found

    def jacobian(self, positions: FloatArray, part: int) -> FloatArray:
        """The velocity of a part's origin and its rate of turn, world axes, for each joint's speed; (6, n)."""
        q = self._pin.neutral(self.model)
        q[[self.model.joints[joint].idx_q for joint in self.joints]] = positions
        place = self._pin.ReferenceFrame.LOCAL_WORLD_ALIGNED
        self._pin.computeJointJacobians(self.model, self.data, q)
        columns = [self.model.joints[joint].idx_v for joint in self.joints]
        whole = np.array(self._pin.getJointJacobian(self.model, self.data, self.parents[part], place))[:, columns]
        turn = np.kron(np.eye(2), self.mount[:3, :3])
        return np.asarray(turn @ whole, dtype=np.float64)

    def poses(self, frames: FloatArray, part: int, opening: FloatArray) -> FloatArray:
        """Poses (S, 4, 4) of a part at gripper values (S,) [m]."""
        found = frames[:, self.parents[part]].copy()
        slide = self.slides.get(self.parts[part].name)
        if slide is not None:
            found[:, :3, 3] += (found[:, :3, :3] @ slide) * opening[:, None]
        return found

    def levers(self, frames: FloatArray) -> FloatArray:
        """Distance [m] from the axis of each joint to the furthest point of a ball around each part; (S, P, n)."""
        turning = frames[:, self.joints]
        axes, origins = turning[..., :3, 2], turning[..., :3, 3]
        held = frames[:, self.parents]
        middles = (held[:, :, :3, :3] @ self.balls[:, :3, None])[..., 0] + held[:, :, :3, 3]
        arms = np.asarray(np.cross(axes[:, None], middles[:, :, None] - origins[:, None]), dtype=np.float64)
        return np.asarray(np.sqrt((arms**2).sum(axis=3)) + self.balls[:, 3, None])

    def reach(self, part: int, joint: int) -> float:
        """From the axis of a joint to the furthest point of a part [m], at most: all lengths on the way, in a line."""
        up: list[int] = list(self.model.supports[self.parents[part]])
        down: list[int] = list(self.model.supports[joint])
        way = [hop for hop in (*up, *down) if (hop in up) != (hop in down)]
        slide = self.slides.get(self.parts[part].name, np.zeros(3))
        furthest = float(np.linalg.norm(self.parts[part].corners, axis=1).max())
        return sum(self.lengths[hop] for hop in way) + furthest + self.widest * float(np.linalg.norm(slide))

    def between(self, one: int, other: int | None) -> list[int]:
        """The places among the profile's joints of those that turn one part against another, or against the world."""
        theirs: set[int] = set() if other is None else self.above[other]
        return [place for place, joint in enumerate(self.joints) if joint in self.above[one] ^ theirs]


def along(path: FloatArray, places: FloatArray) -> FloatArray:
    """Points (S, n) of a polyline (N >= 2, n) at places (S,) from 0 to N - 1, in segments."""
    segment = np.minimum(places.astype(np.int64), len(path) - 2)
    share = (places - segment)[:, None]
    return np.asarray((1.0 - share) * path[segment] + share * path[segment + 1])


def _about_z(angles: FloatArray) -> FloatArray:
    """Turns (S, 4, 4) about the z axis by angles (S,) [rad]."""
    found = np.tile(np.eye(4), (len(angles), 1, 1))
    found[:, 0, 0] = found[:, 1, 1] = np.cos(angles)
    found[:, 1, 0] = np.sin(angles)
    found[:, 0, 1] = -found[:, 1, 0]
    return found


def _ball(part: Part) -> FloatArray:
    """A ball (4,) around the middle of a part's box, in the frame that it moves with."""
    middle = part.box.mean(axis=0)
    return np.append(middle, np.linalg.norm(part.corners - middle, axis=1).max())


@dataclass(frozen=True, slots=True, eq=False)
class _Mover:
    """A part along a sampled way: its poses (S, 4, 4), the path [m] that none of its points exceeds up to each sample
    (S,), the ball around it there (S, 4); `solid`: the part is really there, and not only in what is allowed for.
    """

    part: int
    name: str
    shape: Any
    poses: FloatArray
    travelled: FloatArray
    ball: FloatArray
    opening: FloatArray
    solid: bool
    places: dict[int, Any]


class Referee:
    """Sweeps of one arm; pairs that are allowed to touch are never looked at."""

    def __init__(self, profile: Profile, mount: FloatArray) -> None:
        self.arm = Arm(profile, mount)
        self.gauge = Gauge()
        self.errors = np.array([joint.tracking for joint in profile.joints])
        self.allowed = {frozenset((pair.a, pair.b)) for pair in profile.allowed_collisions}

    def sweep(self, way: Way, things: Sequence[Thing]) -> Seen:
        """The least that a motion leaves of any distance."""
        fine = self._sampled(way)
        frames = self.arm.frames(fine.positions)
        levers = self.arm.levers(self.arm.frames(way.positions))
        turned = np.abs(np.diff(way.positions, axis=0, prepend=way.positions[:1]))
        movers = [mover for part in range(len(self.arm.parts)) for mover in self._movers(part, frames, fine)]
        seen = Seen(samples=len(fine.times))
        nearest: list[tuple[float, int, _Mover, _Mover | Thing]] = []
        for mover, other in self._pairs(movers, things):
            joints = self.arm.between(mover.part, None if isinstance(other, Thing) else other.part)
            lost = self._deviation(levers, turned, mover.part, joints)
            if isinstance(other, _Mover):
                lost = np.maximum(lost, self._deviation(levers, turned, other.part, joints))
            lost = lost[fine.intervals]
            found = self._walk(mover, other, fine, lost + _stated(mover, other), seen)
            if found is not None:
                nearest.append((*found, mover, other))
        for _, sample, mover, other in sorted(nearest, key=lambda item: item[0])[:4]:
            self._again(fine, sample, mover, other, seen)
        return seen

    def _deviation(self, levers: FloatArray, turned: FloatArray, part: int, joints: Sequence[int]) -> FloatArray:
        """How far tracking errors may bring a part from its place on each interval (N,) [m], by the formula that
        `interlock.reach` derives, from levers (N, P, n) at the nodes and what each joint turns (N, n).

        Each joint turns the part about its axis, at a lever that is the larger of those at both ends of the interval,
        and what the joints between the axis and the part move in half of it and by their own errors.
        """
        inward = sorted(joints, key=lambda joint: self.arm.reach(part, self.arm.joints[joint]))
        found, later = np.zeros(len(turned)), np.zeros(len(turned))
        for joint in inward:
            most = self.arm.reach(part, self.arm.joints[joint])
            lever = np.maximum(levers[:, part, joint], np.append(levers[:1, part, joint], levers[:-1, part, joint]))
            found += self.errors[joint] * np.minimum(lever + later, most)
            later += (self.errors[joint] + turned[:, joint] / 2.0) * most
        return found

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
            yield self._mover(index, part, frames, fine.least, solid=True)
            return
        for opening in (fine.least, (fine.least + fine.most) / 2.0, fine.most):
            yield self._mover(index, part, frames, opening, solid=True)
        low, high = float(fine.least.min()), float(fine.most.max())
        slide = self.arm.slides[part.name]
        swept = np.vstack([part.corners + low * slide, part.corners + high * slide])
        yield self._mover(
            index, Part(part.name, coal_hull(swept), swept), frames, np.zeros_like(fine.least), solid=False
        )

    def _mover(self, index: int, part: Part, frames: FloatArray, opening: FloatArray, *, solid: bool) -> _Mover:
        poses = self.arm.poses(frames, index, opening)
        ball = _ball(part)
        middles = poses[:, :3, :3] @ ball[:3] + poses[:, :3, 3]
        return _Mover(
            index, part.name, part.shape, poses, np.append(0.0, np.cumsum(_chords(poses, part.box))),
            np.column_stack([middles, np.full(len(poses), ball[3])]), opening, solid, {},
        )  # fmt: skip

    def _pairs(self, movers: Sequence[_Mover], things: Sequence[Thing]) -> Iterator[tuple[_Mover, _Mover | Thing]]:
        for mover in movers:
            still = not self.arm.above[mover.part]
            yield from ((mover, thing) for thing in things if not (still and thing.fixed))
        for one, other in combinations(movers, 2):
            moves = self.arm.above[one.part] != self.arm.above[other.part]
            if moves and frozenset((one.name, other.name)) not in self.allowed:
                yield one, other

    def _walk(
        self, mover: _Mover, other: _Mover | Thing, fine: Way, lost: FloatArray, seen: Seen
    ) -> tuple[float, int] | None:
        """Takes in all samples that may matter; the nearest of them, and its gap, if it is near at all."""
        grown = _growth(other, fine.times)
        if isinstance(other, Thing):
            moved = mover.travelled + grown
            solid = mover.solid
            here = self.gauge.placed(other.pose)
        else:
            moved = mover.travelled + other.travelled
            solid = mover.solid and other.solid
            apart = np.linalg.norm(mover.ball[:, :3] - other.ball[:, :3], axis=1) - mover.ball[:, 3] - other.ball[:, 3]
            if bool((apart > lost.max() + SAMPLED_M).all()):
                return None
            here = None
        least, where, sample, last = np.inf, 0, 0, len(fine.times)
        while sample < last:
            there = self._place(mover, sample)
            at = self._place(other, sample) if isinstance(other, _Mover) else here
            gap = self.gauge.distance(mover.shape, there, other.shape, at) - grown[sample]
            if gap < least:
                least, where = gap, sample
            self._note(seen, gap, gap - lost[sample], mover, other, fine, sample, solid=solid)
            if solid and gap < -DEEP_M:
                break
            room = gap - (float(lost.max()) + STEP_M if seen.room > 0.0 else STEP_M)
            sample = max(sample + 1, int(np.searchsorted(moved, moved[sample] + room, side="right")))
        return (least, where) if solid and least < 2.0 * STEP_M else None

    def _place(self, mover: _Mover, sample: int) -> Any:
        if sample not in mover.places:
            mover.places[sample] = self.gauge.placed(mover.poses[sample])
        return mover.places[sample]

    def _note(
        self, seen: Seen, gap: float, room: float, mover: _Mover, other: _Mover | Thing, fine: Way, sample: int, *,
        solid: bool,
    ) -> None:  # fmt: skip
        names = (mover.name, other.name)
        if room < seen.room:
            seen.room, seen.tight = room, names
        if solid and gap < seen.gap:
            seen.gap, seen.pair, seen.positions = gap, names, fine.positions[sample]
            seen.opening = float(mover.opening[sample])
            seen.grown = float(_growth(other, fine.times)[sample])

    def _again(self, fine: Way, sample: int, mover: _Mover, other: _Mover | Thing, seen: Seen) -> None:
        """Looks again between the neighbours of a sample."""
        ends = fine.positions[max(sample - 1, 0) : sample + 2]
        shares = np.linspace(0.0, len(ends) - 1.0, FINER * (len(ends) - 1) + 1)
        positions = along(ends, shares)
        frames = self.arm.frames(positions)
        ours = self.arm.poses(frames, mover.part, np.full(len(positions), mover.opening[sample]))
        theirs = None
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
        here = self._gap(seen, seen.positions, things)
        step = 1e-4
        slopes = [self._gap(seen, seen.positions + step * unit, things) - here for unit in np.eye(len(self.errors))]
        return self._gap(seen, seen.positions - np.sign(slopes) * self.errors, things)

    def _gap(self, seen: Seen, positions: FloatArray, things: Sequence[Thing]) -> float:
        frames = self.arm.frames(positions[None])
        names = [part.name for part in self.arm.parts]
        opening = np.array([seen.opening])
        first = names.index(seen.pair[0])
        there = self.gauge.placed(self.arm.poses(frames, first, opening)[0])
        for thing in things:
            if thing.name == seen.pair[1]:
                at = self.gauge.placed(thing.pose)
                return self.gauge.distance(self.arm.parts[first].shape, there, thing.shape, at) - seen.grown
        second = names.index(seen.pair[1])
        at = self.gauge.placed(self.arm.poses(frames, second, opening)[0])
        return self.gauge.distance(self.arm.parts[first].shape, there, self.arm.parts[second].shape, at)


def _chords(poses: FloatArray, box: FloatArray) -> FloatArray:
    """How far [m] the furthest corner of a box (8, 3) moves from each pose (S, 4, 4) to the next; (S - 1,)."""
    corners = box @ np.swapaxes(poses[:, :3, :3], 1, 2) + poses[:, None, :3, 3]
    return np.asarray(np.sqrt((np.diff(corners, axis=0) ** 2).sum(axis=2).max(axis=1)))


def _growth(other: _Mover | Thing, times: FloatArray) -> FloatArray:
    """What is lost of the distance to a thing (S,) [m] at times (S,) [s]."""
    if isinstance(other, _Mover):
        return np.zeros_like(times)
    return other.uncertainty + other.speed * times


def _stated(mover: _Mover, other: _Mover | Thing) -> float:
    """What a pair must keep beyond tracking error and growth [m] to count as clear."""
    fingers = sum("finger" in name for name in (mover.name, other.name))
    seen = isinstance(other, Thing) and not other.fixed
    return FINGER_M * fingers + (OBJECT_M if seen else 0.0) + SAMPLED_M
