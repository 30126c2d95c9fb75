"""Random triples of a robot, a cell and a chunk for the referee: each the same again for the same seed and index.

BLOCK neighbours share a robot, its mount and its cell, because a cell takes 0.5 s to load; objects, slots and the chunk
are each case's own. Bodies are put beside the arm's way so that most come within some millimetres of it. Whatever is
too near to the arm where it starts is left out: the way out of a violation is another question (F-31).

Some bodies are not convex: crates, angles and tubes of all sizes. The judge has their convex parts, the referee their
surface. Some cells have a crate before the hand, open towards it, and the hand goes into it ("crate").
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

import numpy as np
from scipy.spatial.transform import Rotation

from bench.arms import Arm
from bench.engines import Gauge, Part, Thing, at_least, coal_shape, coal_surface
from bench.solids import MADE, Solid, solid
from bench.sweeps import Referee, Way, along
from interlock import BulletPhysics
from interlock.arrays import FloatArray
from interlock.case import Case, Memory
from interlock.decide import decide
from interlock.geometry import Box, Capsule, ConvexMesh, Cylinder, HalfSpace, Pose, Shape, Sphere
from interlock.lower import joint_limits
from interlock.physics import Physics
from interlock.profile import Profile
from interlock.rules import Accepts, Freshness, Reaction, Rule, RuleSet
from interlock.scene import Body, Cell, Scene, SceneObject
from interlock_rules import load_profile
from interlock_rules.clearance import MinimumClearance
from interlock_rules.proposals import Asked, Start, chunk_of, state_of

ROBOTS: Final = {"franka_panda": 0.44, "ur10": 0.16, "xarm7": 0.16, "so101": 0.14, "pandas_facing": 0.1}  # how often
BLOCK: Final = 64
NOW_NS: Final = 1_000_000_000
RATES_HZ: Final = (5, 10, 20, 50)
CLEAR_M: Final = 0.02  # from things, where a stage starts
APART_M: Final = 0.01  # from everything, where a case starts: the UR10's wrist is never 20 mm from its forearm
TRIES: Final = 1000
EXACT_RAD: Final = 1e-6  # tracking error of a robot whose margin hides no miss
PLACES: Final = 12
MOVED: Final = 3  # joints that turn a part, if things are put beside it: the others hardly move
THIN_M: Final = 2e-3
KINDS: Final = ("full", "even", "smooth", "wave", "slot", "fold")
CRATES: Final = 0.25  # of cells have one before the hand
CONCAVE: Final = 0.25  # of bodies are not convex
KINDS_OFTEN: Final = (0.25, 0.18, 0.18, 0.14, 0.15, 0.1)
FOLDS: Final = 12  # poses that are tried for one in which the arm touches itself
RULES: Final = ("CELL", "OBJECTS", "SELF")


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """What the cases of a block share: robot, cell, the referee and the physics, and the way that they vary."""

    profile: Profile
    cell: Cell
    referee: Referee
    physics: Physics
    start: FloatArray
    end: FloatArray
    digest: str
    fixed: tuple[Thing, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Triple:
    """One case for the judge, and the things around the robot for the referee."""

    index: int
    kind: str
    case: Case
    things: tuple[Thing, ...]


class _Draw:
    """Chance."""

    def __init__(self, seed: int, *place: int) -> None:
        self.chance = np.random.default_rng([seed, *place])

    def one_in(self, often: float) -> bool:
        return bool(self.chance.random() < often)

    def between(self, low: float, high: float) -> float:
        return float(self.chance.uniform(low, high))

    def wide(self, low: float, high: float) -> float:
        """Between low and high, small ones as often as large ones."""
        return float(np.exp(self.chance.uniform(math.log(low), math.log(high))))

    def direction(self) -> FloatArray:
        found = self.chance.normal(size=3)
        return np.asarray(found / np.linalg.norm(found))

    def turn(self) -> tuple[float, float, float, float]:
        x, y, z, w = self.chance.normal(size=4)
        length = math.sqrt(x * x + y * y + z * z + w * w)
        return float(x / length), float(y / length), float(z / length), float(w / length)


def _shape(draw: _Draw) -> Shape:
    """A shape of some size, many of them thin."""
    kinds: tuple[Callable[[], Shape], ...] = (
        lambda: Box((draw.wide(0.01, 0.4), draw.wide(0.01, 0.4), draw.wide(0.01, 0.4))),
        lambda: Box((draw.wide(THIN_M, 0.01), draw.wide(THIN_M, 0.02), draw.wide(0.1, 0.8))),
        lambda: Box((draw.wide(0.05, 0.6), draw.wide(0.05, 0.6), draw.wide(THIN_M, 0.005))),
        lambda: Sphere(draw.wide(THIN_M / 2.0, 0.15)),
        lambda: Cylinder(draw.wide(THIN_M / 2.0, 0.01), draw.wide(0.05, 0.8)),
        lambda: Cylinder(draw.wide(0.02, 0.2), draw.wide(THIN_M, 0.3)),
        lambda: Capsule(draw.wide(THIN_M / 2.0, 0.1), draw.wide(0.02, 0.6)),
        lambda: _mesh(draw),
    )
    return kinds[int(draw.chance.integers(len(kinds)))]()


def _mesh(draw: _Draw) -> ConvexMesh:
    sizes = np.array([draw.wide(THIN_M, 0.3) for _ in range(3)])
    return ConvexMesh(draw.chance.uniform(-0.5, 0.5, (int(draw.chance.integers(4, 24)), 3)) * sizes)


def _gap(draw: _Draw) -> float:
    """How near [m] something is put to the way: many graze it."""
    ranges = ((-0.002, 0.004), (-0.002, 0.02), (-0.04, -0.001), (0.015, 0.08))
    low, high = ranges[int(draw.chance.choice(4, p=[0.25, 0.3, 0.1, 0.35]))]
    return draw.between(low, high)


class _Places:
    """Some places of the arm along a way, to put things beside."""

    def __init__(self, arm: Arm, gauge: Gauge, positions: FloatArray, opening: float) -> None:
        self.arm, self.gauge = arm, gauge
        frames = arm.frames(positions)
        wide = np.full(len(positions), opening)
        self.poses = [arm.poses(frames, part, wide) for part in range(len(arm.parts))]
        self.balls = [_balls(part, poses) for part, poses in zip(arm.parts, self.poses, strict=True)]
        self.moved = [part for part, above in enumerate(arm.above) if len(above) >= MOVED]

    def beside(self, draw: _Draw, shape: Shape | Solid, gap: float) -> Pose:
        """A pose in which a shape, somewhere at the arm's way, comes as near to it as the gap says, or about that."""
        part = int(draw.chance.choice(self.moved))
        row = int(draw.chance.integers(1, len(self.poses[part])))
        there, corners = self.poses[part][row], self.arm.parts[part].corners
        corner = there[:3, :3] @ corners[int(draw.chance.integers(len(corners)))] + there[:3, 3]
        pose = Pose((0.0, 0.0, 0.0), draw.turn())
        where = corner + 0.1 * draw.direction()
        for _ in range(3):
            pose = replace(pose, xyz=tuple(where.tolist()))
            distance, normal = self._nearest(shape, pose)
            where = where + (gap - distance) * normal
        return replace(pose, xyz=tuple(where.tolist()))

    def _nearest(self, shape: Shape | Solid, pose: Pose) -> tuple[float, FloatArray]:
        """The least distance over the way, and the normal from the arm to the shape there."""
        best, normal = math.inf, np.zeros(3)
        thing = _fixed("", shape, pose)
        at = self.gauge.placed(thing.pose)
        far = at_least(np.array([self.balls[part] for part in self.moved]), thing.pose, thing.ends)
        for place in np.argsort(far, axis=None):
            nth, row = divmod(int(place), far.shape[1])
            if far[nth, row] > best:
                break
            part = self.moved[nth]
            there = self.gauge.placed(self.poses[part][row])
            distance = self.gauge.distance(self.arm.parts[part].shape, there, thing.shape, at)
            if distance < best:
                best, normal = distance, self.gauge.apart()
        return best, normal

    def clear_at_first(self, shape: Shape | Solid, pose: Pose, gap: float) -> bool:
        """Whether the arm keeps a gap from a shape where the way starts."""
        thing = _fixed("", shape, pose)
        at = self.gauge.placed(thing.pose)
        return all(
            at_least(balls[0], thing.pose, thing.ends) > gap
            or self.gauge.distance(part.shape, self.gauge.placed(poses[0]), thing.shape, at) > gap
            for part, poses, balls in zip(self.arm.parts, self.poses, self.balls, strict=True)
        )


def _balls(part: Part, poses: FloatArray) -> FloatArray:
    """The balls (S, 4) around a part at its poses (S, 4, 4)."""
    ball = part.ball
    return np.column_stack([poses[:, :3, :3] @ ball[:3] + poses[:, :3, 3], np.full(len(poses), ball[3])])


def _fixed(name: str, shape: Shape | Solid, pose: Pose) -> Thing:
    if isinstance(shape, Solid):
        count = len(shape.triangles)
        surface = coal_surface(shape.triangles.reshape(-1, 3), np.arange(3 * count).reshape(-1, 3))
        excess = shape.parts.tolerance_m
        return Thing(name, surface, pose.matrix(), 0.0, 0.0, fixed=True, excess=excess, convex=shape.parts.parts)
    return Thing(name, coal_shape(shape), pose.matrix(), 0.0, 0.0, fixed=True, convex=(shape,))


def _concave(draw: _Draw) -> Solid:
    """A crate, an angle or a tube of some size."""
    return solid(str(draw.chance.choice(list(MADE))), np.array([draw.wide(0.3, 1.2) for _ in range(3)]))


def _corners_of_hand(arm: Arm, positions: FloatArray, opening: float) -> tuple[FloatArray, FloatArray]:
    """The tool's pose (4, 4) at positions (n,), and the hand's corners (V, 3) in its frame."""
    frames = arm.frames(positions[None])
    here = arm.tool(frames)[0]
    corners: list[FloatArray] = []
    for part in arm.hand:
        pose = arm.poses(frames, part, np.full(1, opening))[0]
        world = arm.parts[part].corners @ pose[:3, :3].T + pose[:3, 3]
        corners.append((world - here[:3, 3]) @ here[:3, :3])
    return here, np.concatenate(corners)


def _crate(draw: _Draw, arm: Arm, positions: FloatArray) -> tuple[Solid, Pose]:
    """A crate before the hand, open towards it, wide enough for the hand with 10 mm or more to spare."""
    here, hand = _corners_of_hand(arm, positions, 0.08)
    low, high = hand.min(axis=0), hand.max(axis=0)
    width = (high - low)[:2] + 2.0 * np.array([draw.wide(0.01, 0.08), draw.wide(0.01, 0.08)])
    found = solid("crate", np.array([*(width / (0.3 - 2.0 * 0.004)), draw.between(0.3, 0.8)]))
    height = float(found.triangles[..., 2].max())
    middle = np.append((low + high)[:2] / 2.0, high[2] + 2.0 * CLEAR_M + 0.01 + height)
    place = here[:3, :3] @ middle + here[:3, 3]
    facing = here[:3, :3] @ np.diag([1.0, -1.0, -1.0])  # its opening faces the hand
    return found, Pose(tuple(place.tolist()), _quaternion(facing))


def _still(positions: FloatArray, opening: float) -> Way:
    """Standing."""
    return Way(np.zeros(1), positions[None], np.full(1, opening), np.full(1, opening))


def _apart(referee: Referee, positions: FloatArray) -> bool:
    """Whether an arm is clear of itself."""
    return referee.start(_still(positions, 0.04), ()) > APART_M


def _ends(draw: _Draw, referee: Referee) -> tuple[FloatArray, FloatArray]:
    """Two poses, the first clear of itself; now and then the second is anywhere, and the arm may fold into itself."""
    profile = referee.arm.profile
    lower, upper = (joint_limits(profile, name) for name in ("lower", "upper"))
    room = 0.05
    for _ in range(TRIES):
        start = draw.chance.uniform(lower + room, upper - room)
        if draw.one_in(0.6):
            start = np.array(profile.poses[-1].positions) + draw.chance.uniform(-0.4, 0.4, len(lower))
        start = np.clip(start, lower + room, upper - room)
        if _apart(referee, start):
            break
    else:
        raise RuntimeError(f"{profile.name}: none of {TRIES} poses is clear of itself")
    reach = float(draw.chance.choice([0.15, 0.4, 1.0]))
    end = start + draw.chance.uniform(-reach, reach, len(lower))
    if draw.one_in(0.25):
        end = draw.chance.uniform(lower, upper)
    return start, np.clip(end, lower + room, upper - room)


@lru_cache
def robot(name: str) -> Profile:
    """A shipped robot; raises UnusableInput where what it is read from is not installed."""
    return load_profile(name)


@lru_cache
def arm(name: str) -> Arm:
    """A shipped robot as the referee reads it, at the origin."""
    return Arm(robot(name), np.eye(4))


def stage(seed: int, block: int) -> Stage:
    """The robot and the cell of a block."""
    draw = _Draw(seed, 0, block)
    name = str(draw.chance.choice(list(ROBOTS), p=list(ROBOTS.values())))
    profile = robot(name)
    if draw.one_in(0.6):
        profile = replace(profile, joints=tuple(replace(joint, tracking=EXACT_RAD) for joint in profile.joints))
    mount = Pose()
    if draw.one_in(0.3):
        x, y, z, w = draw.turn()
        mount = Pose((draw.between(-1, 1), draw.between(-1, 1), draw.between(0, 1)), (x, y, z, w))
    referee = Referee(arm(name).stood(profile, np.asarray(mount.matrix())))
    start, end = _ends(draw, referee)
    shares = np.linspace(0.0, 1.0, PLACES)[:, None]
    places = _Places(referee.arm, referee.gauge, (1.0 - shares) * start + shares * end, 0.08)
    drawn: list[tuple[str, Shape | Solid, Pose]] = []
    if draw.one_in(CRATES):
        drawn.append(("crate", *_crate(draw, referee.arm, start)))
    for number in range(int(draw.chance.integers(0, 5))):
        flat = draw.one_in(0.15)
        shape = HalfSpace((0.0, 0.0, 1.0)) if flat else _concave(draw) if draw.one_in(CONCAVE) else _shape(draw)
        drawn.append((f"body{number}", shape, places.beside(draw, shape, _gap(draw))))
    drawn = [(name, shape, pose) for name, shape, pose in drawn if places.clear_at_first(shape, pose, 2.0 * CLEAR_M)]
    bodies = tuple(Body(name, shape.parts if isinstance(shape, Solid) else shape, pose) for name, shape, pose in drawn)
    cell = Cell("random", mount, bodies, ())
    fixed = tuple(_fixed(name, shape, pose) for name, shape, pose in drawn)
    return Stage(profile, cell, referee, BulletPhysics(profile, cell), start, end, profile.digest, fixed)


def _rules(on: Stage, period_s: float, rows: int, reaction: Reaction) -> RuleSet:
    """Clearance of everything, with nothing to keep but what is certain: min 0."""
    between = (("robot", "cell"), ("robot", "objects"), ("robot", "robot"))
    rules = tuple(
        Rule(name, MinimumClearance(pair, 0.0), "The referee asks.", reaction)
        for name, pair in zip(RULES, between, strict=True)
    )
    return RuleSet(
        name="referee",
        serial=1,
        profile=on.profile,
        cell=on.cell,
        modes=("automatic",),
        accepts=Accepts(on.profile.layouts[:1], period_s, 1, max(rows, 1), max(rows, 1), "none"),
        freshness=Freshness(60.0, 60.0, 60.0),
        people="none",
        rules=rules,
        meaning={},
        digest="",
        profile_digest=on.digest,
    )


class _Maker:
    """One case of a stage in the making."""

    def __init__(self, on: Stage, seed: int, index: int) -> None:
        self.on, self.index = on, index
        self.draw = _Draw(seed, 1, index)
        self.arm, self.gauge = on.referee.arm, on.referee.gauge
        self.lower, self.upper = (joint_limits(on.profile, name) + bound for name, bound in _BOUNDS)
        self.period_s = 1.0 / int(self.draw.chance.choice(RATES_HZ))
        self.count = int(self.draw.chance.integers(3, max(5, round(1.6 / self.period_s)) + 1))
        self.fixed = on.fixed
        self.hands = len(on.profile.grippers)
        self.opening = float(self.draw.chance.choice([0.0, 0.04, 0.08])) if self.hands else 0.0
        self.start = self._start()

    def _start(self) -> FloatArray:
        """Where the case starts: near the stage's start, clear of everything."""
        for _ in range(8):
            moved = self.on.start + self.draw.chance.uniform(-0.06, 0.06, len(self.lower))
            start = np.clip(moved, self.lower, self.upper)
            if self.on.referee.start(_still(start, self.opening), self.fixed) > APART_M:
                return np.asarray(start)
        return self.on.start

    def rows(self) -> tuple[str, FloatArray]:
        """What kind of motion it is, and its rows (T, n): never faster than the joints are."""
        speed = joint_limits(self.on.profile, "velocity")
        end = np.clip(self.on.end + self.draw.chance.uniform(-0.05, 0.05, len(self.lower)), self.lower, self.upper)
        along = np.arange(1, self.count + 1) / self.count
        kind = str(self.draw.chance.choice(KINDS, p=KINDS_OFTEN))
        crate = any(thing.name == "crate" for thing in self.fixed)
        if kind == "slot" or (crate and kind in {"even", "smooth"}):
            found = self._ahead(0.05 if crate else 0.0)
            if found is not None:
                return "crate" if crate else kind, found
            kind = "even"
        if kind == "fold":
            end = self._folded(end)
        if kind in {"full", "fold"}:
            seconds = float(np.max(np.abs(end - self.start) / speed))
            along = np.minimum(1.0, np.arange(1, self.count + 1) * self.period_s / max(seconds, 1e-9))
        if kind == "smooth":
            along = along**3 * (10.0 - 15.0 * along + 6.0 * along**2)
        rows = self.start + along[:, None] * (end - self.start)
        if kind == "wave":
            turns, size = (self.draw.chance.uniform(*ends, len(end)) for ends in ((0.5, 2.0), (0.0, 0.3)))
            rows = rows + size * np.sin(2.0 * math.pi * turns * along[:, None])
        return kind, self.slowed(np.clip(rows, self.lower, self.upper), self.start)

    def _folded(self, end: FloatArray) -> FloatArray:
        """A pose in which the arm touches itself, if one is found; the end as it is, if not."""
        for _ in range(FOLDS):
            pose = self.draw.chance.uniform(self.lower, self.upper)
            if self.on.referee.start(_still(pose, self.opening), ()) < 0.0:
                return np.asarray(pose)
        return end

    def slowed(self, rows: FloatArray, start: FloatArray) -> FloatArray:
        """Rows drawn towards their start, where they are too fast."""
        limit = joint_limits(self.on.profile, "velocity") * self.period_s
        steps = np.abs(np.diff(np.vstack([start[None], rows]), axis=0))
        return np.asarray(start + min(1.0, (1.0 - 1e-9) / float((steps / limit).max())) * (rows - start))

    def _ahead(self, further: float) -> FloatArray | None:
        """Rows along which the hand goes straight ahead, by damped least squares; None where they leave the limits."""
        depth = further + self.draw.between(0.04, 0.12)
        at = self.start
        rows: list[FloatArray] = []
        wanted = depth / self.count
        hand = self.arm.hand[0]
        for _ in range(self.count):
            for _ in range(2):
                jacobian = self.arm.jacobian(at, hand)
                ahead = self.arm.tool(self.arm.frames(at[None]))[0, :3, 2]
                twist = np.concatenate([ahead * wanted / 2.0, np.zeros(3)])
                damped = jacobian @ jacobian.T + 1e-6 * np.eye(6)
                at = at + jacobian.T @ np.linalg.solve(damped, twist)
            rows.append(at)
        found = np.array(rows)
        if not bool(((found >= self.lower) & (found <= self.upper)).all()):
            return None
        return self.slowed(found, self.start)

    def slot(self, rows: FloatArray) -> list[tuple[Shape, Pose]]:
        """Two plates that the hand goes between in the last row, with some millimetres to spare."""
        across, thick = int(self.draw.chance.integers(2)), self.draw.wide(THIN_M, 0.02)
        spare = self.draw.between(-0.0005, 0.006) + float(self.draw.one_in(0.5)) * 0.012
        here, hull = _corners_of_hand(self.arm, rows[-1], self.opening)
        low, high = hull.min(axis=0), hull.max(axis=0)
        inside, size = self.draw.between(0.01, 0.06), np.array([0.3, 0.3, 0.1])
        size[across] = thick
        found: list[tuple[Shape, Pose]] = []
        for side in (-1.0, 1.0):
            middle = (low + high) / 2.0
            edge = low[across] if side < 0.0 else high[across]
            middle[across] = edge + side * (spare + thick / 2.0)
            middle[2] = high[2] - inside + 0.05
            world = here[:3, :3] @ middle + here[:3, 3]
            found.append((Box(tuple(size.tolist())), Pose(tuple(world.tolist()), _quaternion(here[:3, :3]))))
        return found

    def objects(self, kind: str, rows: FloatArray) -> tuple[SceneObject, ...]:
        """What was seen: the slot, or some things beside the way, each clear of the arm where it starts."""
        way = np.vstack([self.start[None], rows])
        shares = np.linspace(0.0, len(rows), PLACES)
        places = _Places(self.arm, self.gauge, along(way, shares), self.opening)
        if kind == "slot":
            drawn = self.slot(rows)
        else:
            shapes = [_shape(self.draw) for _ in range(int(self.draw.chance.integers(0, 5)))]
            drawn = [(shape, places.beside(self.draw, shape, _gap(self.draw))) for shape in shapes]
        found: list[SceneObject] = []
        for number, (shape, pose) in enumerate(drawn):
            uncertain = self.draw.between(0.0, 0.005) if self.draw.one_in(0.2) else 0.0
            speed = self.draw.between(0.0, 0.03) if self.draw.one_in(0.15) else 0.0
            if places.clear_at_first(shape, pose, CLEAR_M + uncertain):
                found.append(SceneObject(f"object{number}", shape, pose, NOW_NS, uncertain, speed))
        return tuple(found)

    def case(self) -> Triple:
        """The case."""
        kind, rows = self.rows()
        horizon = int(self.draw.chance.integers(1, len(rows) + 1)) if self.draw.one_in(0.4) else None
        objects = self.objects(kind, rows[:horizon])
        grippers = np.full((len(rows), self.hands), self.opening)
        if self.hands and self.draw.one_in(0.15):
            grippers = np.full_like(grippers, self.draw.between(0.0, 0.08))
            kind += "-grip"
        reaction: Reaction = "truncate" if self.draw.one_in(0.4) else "veto"
        rules = _rules(self.on, self.period_s, max(len(rows), 40), reaction)
        start = Start(self.start, np.full(self.hands, self.opening), "automatic", objects)
        state = state_of(rules, start, NOW_NS)
        first = NOW_NS + round(self.period_s * 1e9)
        chunk = chunk_of(rules, Asked(state, self.start, first, 0, horizon), rows, grippers)
        case = Case(NOW_NS, chunk, state, start.scene(NOW_NS), Memory(), rules)
        if self.draw.one_in(0.25):
            later = self._relay(case)
            if later is not None:
                kind, case = f"{kind}-relay", later
        return Triple(self.index, kind, case, (*self.fixed, *things_of(case)))

    def _relay(self, case: Case) -> Case | None:
        """A chunk that takes over in the middle of what is permitted of a case; None where nothing is."""
        decision = decide(case, self.on.physics)
        plan = decision.plan
        if plan is None:
            return None
        now = case.now_ns + int(self.draw.between(0.2, 0.9) * (plan.end_ns - case.now_ns))
        first = now + round(self.period_s * 1e9)
        reference, command = plan.at(first), plan.at(now)
        speed = joint_limits(self.on.profile, "velocity") * self.period_s
        step = (1.0 - 1e-9) * speed * self.draw.chance.uniform(-1.0, 1.0, len(speed))
        if self.draw.one_in(0.5):
            step = reference.velocities * self.period_s * self.draw.between(0.3, 1.0)
        rows = reference.positions + np.cumsum(np.tile(step, (self.count, 1)), axis=0)
        inside = ((rows >= self.lower) & (rows <= self.upper)).all(axis=1)
        rows = rows[: int(np.argmin(np.append(inside, False)))]
        if not len(rows):
            return None
        errors = np.array([joint.tracking for joint in self.on.profile.joints])
        measured = command.positions + 0.9 * errors * self.draw.chance.uniform(-1.0, 1.0, len(speed))
        start = Start(measured, command.grippers, "automatic")
        state = replace(state_of(case.rules, start, now), velocities=command.velocities)
        grippers = np.tile(reference.grippers, (len(rows), 1))
        chunk = chunk_of(case.rules, Asked(state, reference.positions, first, 1), rows, grippers)
        objects = case.scene.objects or ()
        return Case(now, chunk, state, Scene("automatic", objects), case.memory.after(case, decision), case.rules)


_BOUNDS: Final = (("lower", 0.01), ("upper", -0.01))


def things_of(case: Case) -> tuple[Thing, ...]:
    """The objects of a case's scene for the referee, as they are, and what is lost of their distance from now on."""
    return tuple(
        Thing(
            item.name, coal_shape(item.shape), item.pose.matrix(),
            item.uncertainty_m + (item.speed_m_s or 0.0) * (case.now_ns - item.seen_ns) / 1e9,
            item.speed_m_s or 0.0, fixed=False, convex=(item.shape,),
        )
        for item in case.scene.objects or ()
    )  # fmt: skip


def triple(on: Stage, seed: int, index: int) -> Triple:
    """The case of an index on the stage of its block."""
    return _Maker(on, seed, index).case()


def _quaternion(rotation: FloatArray) -> tuple[float, float, float, float]:
    x, y, z, w = Rotation.from_matrix(rotation).as_quat().tolist()
    return x, y, z, w


def chosen(indices: Sequence[int], seed: int) -> list[tuple[Stage, Triple]]:
    """Some cases with their stages."""
    stages: dict[int, Stage] = {}
    found: list[tuple[Stage, Triple]] = []
    for index in indices:
        block = index // BLOCK
        if block not in stages:
            stages[block] = stage(seed, block)
        found.append((stages[block], triple(stages[block], seed, index)))
    return found
