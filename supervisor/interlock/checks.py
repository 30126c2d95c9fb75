"""The built-in checks, which no file can switch off: may this chunk be judged at all, here and now.

Each is a function from a case to findings, in the visible table `CHECKS`. A chunk that fails one never meets a rule.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from operator import attrgetter
from typing import Final, TypeAlias

import numpy as np

from .arrays import BoolArray, FloatArray, where_least
from .braking import LONGEST_S
from .build import Proposal
from .cartesian import is_cartesian, problems, rotation_fault, targets_of
from .case import Case
from .chunk import ActionChunk, Channel, Layout, Normalisation
from .kept import kept
from .lower import JointPath, commanded_rows, first_row_left, joint_limits, layout_of, period_ns, reference_at
from .measured import astray
from .motion import Phase
from .profile import Profile
from .rules import Reaction
from .scene import Person, SceneObject
from .verdict import Finding

Check: TypeAlias = Callable[[Case, ActionChunk], Iterator[Finding]]
Standing: TypeAlias = Callable[[Case], Iterator[Finding]]

JOINT_UNITS: Final = {"joint_position": "rad", "joint_velocity": "rad/s"}
RATE_TOLERANCE: Final = 1e-3
TRAVEL_SLACK: Final = 0.1  # of its travel: so far beyond its ends a joint or gripper may measure itself
HELD: Final = "held"  # what the hand holds, in rules
LARGEST: Final = 1e6  # no joint, speed, gripper or mass has such a value, in any unit; what follows from it is finite


def flag(name: str, ok: bool, message: str, reaction: Reaction = "veto") -> Finding:  # noqa: FBT001 - the flag itself
    """A check that is met or not; margin 1 or -1."""
    return Finding(f"check:{name}", "check", reaction, 1.0 if ok else -1.0, 1.0 if ok else 0.0, 1.0, "", message)


def within(
    name: str, value: float, limit: float, unit: str, message: str, reaction: Reaction = "veto",
    links: tuple[str, ...] = (),
) -> Finding:  # fmt: skip
    """A check that a value is at most a limit; NaN is not."""
    return Finding(f"check:{name}", "check", reaction, limit - value, value, limit, unit, message, links=links)


def finite(_case: Case, chunk: ActionChunk) -> Iterator[Finding]:
    """F-01: every commanded value is a number, of a size that arithmetic keeps finite; what is masked is not read."""
    if chunk.mask.shape == chunk.values.shape:
        bad = chunk.mask & ~_sane(chunk.values)
        count = int(np.count_nonzero(bad))
        row, column = np.unravel_index(int(bad.argmax()), bad.shape) if count else (0, 0)
        where = f"; the first at row {row}, column {column}" if count else ""
        yield flag("finite", not count, f"{count} commanded values are not finite, or above {LARGEST:g}{where}")
    else:
        yield flag("finite", False, f"mask {chunk.mask.shape} and values {chunk.values.shape} differ in shape")
    if chunk.anchor is not None:
        yield flag("finite", bool(_sane(chunk.anchor).all()), f"the anchor must be finite, and at most {LARGEST:g}")


def _sane(values: FloatArray) -> BoolArray:
    return np.asarray(np.abs(values) <= LARGEST)


def shape(case: Case, chunk: ActionChunk) -> Iterator[Finding]:
    """F-05: as many rows as accepted, and as many columns as the layout has."""
    rows, columns = chunk.values.shape
    accepts, layout = case.rules.accepts, layout_of(case, chunk)
    yield flag(
        "shape",
        accepts.rows_min <= rows <= accepts.rows_max,
        f"{rows} rows; accepted: {accepts.rows_min} to {accepts.rows_max}",
    )
    expected = len(layout.channels) if layout is not None else -1
    yield flag(
        "shape", columns == expected, f"{columns} columns; the layout has {expected if layout else 'no known width'}"
    )


def _short(name: str) -> str:
    """A name, or of a digest as much as tells it apart."""
    return name[:12] if len(name) == 64 else name[:60]


def layout(case: Case, chunk: ActionChunk) -> Iterator[Finding]:
    """F-07, F-10, F-11: the layout is one that the rule set accepts, and every column in it can be judged."""
    found = layout_of(case, chunk)
    known = ", ".join(item.name for item in case.rules.accepts.layouts)
    yield flag("layout", found is not None, f"layout {_short(chunk.layout)!r}; accepted: {known}")
    if found is not None:
        wrong = unsupported(found, case.rules.profile)
        yield flag("layout", not wrong, "; ".join(wrong) or f"layout {found.name} commands every joint once")
        anchored = any(channel.reference == "delta_from_observation" for channel in found.channels)
        right = chunk.anchor is not None and chunk.anchor.shape == (len(case.rules.profile.joints),)
        yield flag(
            "layout",
            right or not anchored,
            "delta_from_observation needs the joint positions of the observation as anchor",
        )


@kept
def unsupported(layout: Layout, profile: Profile) -> tuple[str, ...]:
    """Why a layout cannot be judged on this robot; empty where it can."""
    joints, grippers = set(profile.joint_names), {gripper.name: gripper.unit for gripper in profile.grippers}
    names = [channel.name for channel in layout.channels]
    found = [f"{name!r} is commanded twice" for name in sorted({name for name in names if names.count(name) > 1})]
    found += problems(layout, profile)
    if not any(is_cartesian(channel) for channel in layout.channels):
        found += [f"joint {name!r} has no column" for name in profile.joint_names if name not in names]
    for channel in layout.channels:
        if channel.name in joints:
            found += _joint_problems(channel)
        elif channel.name in grippers:
            found += _gripper_problems(channel, grippers[channel.name])
        elif not is_cartesian(channel):
            found.append(
                f"{channel.name!r} ({channel.quantity}) is not supported yet: no joint or gripper of {profile.name}"
            )
    return tuple(found)


def _joint_problems(channel: Channel) -> list[str]:
    unit = JOINT_UNITS.get(channel.quantity)
    if unit is None:
        return [f"{channel.quantity} for joint {channel.name!r} is not supported yet"]
    if channel.unit != unit or channel.frame != "joint":
        return [f"joint {channel.name!r} must be in {unit} and frame joint, got {channel.unit} and {channel.frame}"]
    if channel.quantity == "joint_velocity" and channel.reference != "absolute":
        return [f"velocities of joint {channel.name!r} must be absolute, got {channel.reference}"]
    return []


def _gripper_problems(channel: Channel, unit: str) -> list[str]:
    if channel.quantity != "gripper" or channel.reference != "absolute":
        return [
            f"gripper {channel.name!r} must be an absolute gripper channel, got {channel.reference} {channel.quantity}"
        ]
    if channel.unit not in ("ratio", unit):
        return [f"gripper {channel.name!r} must be in {unit} or ratio, got {channel.unit}"]
    if channel.polarity == "none":
        return [f"gripper {channel.name!r} needs a polarity: zero_closed or zero_open"]
    return []


def profile(case: Case, chunk: ActionChunk) -> Iterator[Finding]:
    """The chunk was made for this robot profile, to the byte."""
    expected = case.rules.profile_digest
    yield flag(
        "profile",
        chunk.profile == expected,
        f"made for profile {chunk.profile[:12]!r}; this robot is {expected[:12]!r}",
    )


def normalisation(case: Case, chunk: ActionChunk) -> Iterator[Finding]:
    """F-08: values are physical, and only a normalisation that the rule set accepts was undone on the way, with those
    very statistics.
    """
    found = Normalisation("none", "", "") if chunk.normalisation is None else chunk.normalisation
    expected = case.rules.accepts.undone
    yield flag(
        "normalisation",
        chunk.space == "physical",
        f"values in space {chunk.space!r}; only physical values are accepted",
    )
    kinds = f"normalisation {found.kind!r}; accepted: {expected.kind!r}"
    yield flag("normalisation", found.kind == expected.kind, kinds)
    digests = f"statistics {found.key[:60]!r} of digest {_short(found.digest)!r}; accepted: {_short(expected.digest)!r}"
    yield flag("normalisation", found.digest == expected.digest, digests)


def decode(_case: Case, chunk: ActionChunk) -> Iterator[Finding]:
    """F-12: the decoder succeeded; a fallback is somebody else's motion."""
    yield flag("decode", chunk.decode == "ok", f"the decoder said {chunk.decode!r}; only 'ok' is accepted")


def mask(case: Case, chunk: ActionChunk) -> Iterator[Finding]:
    """F-06: padding at the end is left out; a row that commands only some joints, or part of a pose, is refused."""
    found = layout_of(case, chunk)
    if found is None or chunk.mask.shape != chunk.values.shape or chunk.mask.shape[1] != len(found.channels):
        yield flag("mask", False, f"a mask of shape {chunk.mask.shape} cannot be read")
        return
    rows = commanded_rows(chunk)
    joints = case.rules.profile.joint_names
    moving = [i for i, channel in enumerate(found.channels) if channel.name in joints or is_cartesian(channel)]
    whole = bool(chunk.mask[:rows, moving].all())
    yield flag("mask", rows >= 1 and whole, f"{rows} commanded rows; each must command every joint, or the whole pose")


def rotation(case: Case, chunk: ActionChunk) -> Iterator[Finding]:
    """F-09: the numbers of every rotation are one, in the form that their channels name."""
    found = layout_of(case, chunk)
    if found is None or problems(found, case.rules.profile) or chunk.values.shape[1] != len(found.channels):
        return  # refused by others
    for target in targets_of(found):
        wrong = rotation_fault(target, chunk.values[: commanded_rows(chunk)])
        said = f"rotations of {target.tool} are {target.rotation}" if wrong is None else f"row {wrong[0]}: {wrong[1]}"
        yield flag("rotation", wrong is None, said)


def period(case: Case, chunk: ActionChunk) -> Iterator[Finding]:
    """F-13, F-17: the period is the accepted one, within 1e-3 of its rate."""
    expected = case.rules.accepts.period_s
    off = abs(chunk.period_s / expected - 1.0)
    yield within("period", off, RATE_TOLERANCE, "", f"period {chunk.period_s:g} s; accepted: {expected:g} s")


def horizon(case: Case, chunk: ActionChunk) -> Iterator[Finding]:
    """The rows to execute are rows that exist, and no more than the rule set executes before it asks again."""
    limit = min(case.rules.accepts.execute, len(chunk.values))
    found = len(chunk.values) if chunk.horizon is None else chunk.horizon
    right = found >= 1 and (chunk.horizon is None or found <= limit)
    yield flag("horizon", right, f"{found} rows to execute; accepted: 1 to {limit}, or unknown")


def stamps(case: Case, chunk: ActionChunk) -> Iterator[Finding]:
    """F-17, F-18: every stamp is there, on the one clock, in order, and rows are left to execute."""
    found = chunk.stamps
    yield flag("stamps", found.clock == "monotonic", f"stamps of clock {found.clock!r}; expected 'monotonic'")
    named = (found.observation_ns, found.request_ns, found.received_ns)
    if any(stamp is None for stamp in (*named, found.first_row_ns, found.expiry_ns)):
        yield flag(
            "stamps", False, "a stamp is missing: observation, request, received, first row and expiry are needed"
        )
        return
    ordered = [stamp for stamp in (*named, case.now_ns) if stamp is not None]
    ahead = ", ".join(f"{(stamp - case.now_ns) / 1e6:g} ms" for stamp in ordered)
    said = f"observation, request, received and now must follow each other; they are at {ahead} from now"
    yield flag("stamps", ordered == sorted(ordered), said)
    yield flag("stamps", ordered[0] >= 0, "stamps must not be negative")
    due = found.first_row_ns
    seen = found.observation_ns
    yield flag(
        "stamps", due is not None and seen is not None and due >= seen, "row 0 cannot be due before it was observed"
    )
    if _usable_period(chunk):
        left = commanded_rows(chunk) - first_row_left(chunk, case.now_ns)
        yield flag(
            "stamps", left >= 1, f"{left} rows are left to execute; all rows are past when this chunk takes over"
        )


def _usable_period(chunk: ActionChunk) -> bool:
    return 1e-6 <= chunk.period_s <= 60.0 and chunk.mask.shape == chunk.values.shape


def expiry(case: Case, chunk: ActionChunk) -> Iterator[Finding]:
    """F-18: the chunk expires after its last committed row."""
    last = _last_committed_ns(case, chunk)
    found = chunk.stamps.expiry_ns
    late = math.nan if last is None or found is None else (last - found) / 1e9
    yield within("expiry", late, 0.0, "s", "the last committed row must be due before the chunk expires")


def _last_committed_ns(case: Case, chunk: ActionChunk) -> int | None:
    if chunk.stamps.first_row_ns is None or not _usable_period(chunk):
        return None
    start = first_row_left(chunk, case.now_ns)
    rows = commanded_rows(chunk) - start
    return chunk.stamps.first_row_ns + (start + min(rows, chunk.horizon or rows)) * period_ns(chunk)


def sequence(case: Case, chunk: ActionChunk) -> Iterator[Finding]:
    """F-18: sequence numbers grow within a session, and observations get newer."""
    memory = case.memory
    fresh = chunk.session != memory.session
    yield flag("sequence", bool(chunk.session), "the session must have a name")
    last = -1 if fresh else memory.sequence
    yield flag("sequence", chunk.sequence > last, f"sequence {chunk.sequence}; it must be above {last}")
    seen = chunk.stamps.observation_ns
    newer = seen is not None and seen > memory.observation_ns
    yield flag(
        "sequence",
        newer,
        f"observation at {seen} ns; it must be newer than {memory.observation_ns} ns, the last one judged",
    )


def state(case: Case) -> Iterator[Finding]:
    """F-03: the robot's state has the profile's joints and grippers, in order, and is finite."""
    found, known = case.state, case.rules.profile
    yield flag(
        "state", found.joints == known.joint_names, f"state of joints {found.joints}; expected {known.joint_names}"
    )
    sizes = (len(found.positions), len(found.velocities), len(found.grippers))
    expected = (len(known.joints), len(known.joints), len(known.grippers))
    yield flag("state", sizes == expected, f"{sizes} positions, velocities and grippers; expected {expected}")
    numbers = np.concatenate([found.positions, found.velocities, found.grippers])
    yield flag("state", bool(_sane(numbers).all()), f"state values must be finite, and at most {LARGEST:g}")
    slacks = [TRAVEL_SLACK * (joint.upper - joint.lower) for joint in known.joints]
    for what in astray(known, found.positions, found.grippers, slacks, TRAVEL_SLACK):
        said = f"{what.name} at {what.value:g} {what.unit}; it moves from {what.low:g} to {what.high:g}"
        yield flag("state", False, said)
    if found.held is not None:
        good = found.held.pose.fault is None and 0.0 <= found.held.mass_kg <= LARGEST
        said = "a rigid transform and a finite mass" if good else found.held.pose.fault or f"{found.held.mass_kg} kg"
        yield flag("state", good, f"held {found.held.name!r}: {said}")


def scene(case: Case) -> Iterator[Finding]:
    """The mode is one of the set's, or unknown (then every rule applies); each object has a name and is known whole."""
    found = case.scene
    known = found.mode is None or found.mode in case.rules.modes
    yield flag("scene", known, f"mode {found.mode!r}; the rule set has: {', '.join(case.rules.modes)}")
    objects = found.objects or ()
    names = [item.name for item in objects]
    taken = set(names) & {HELD, *(body.name for body in case.rules.cell.bodies)}
    told = f"every object needs a name of its own, that no body of the cell has and that is not {HELD!r}, got {names}"
    yield flag("scene", len(set(names)) == len(names) and not taken, told)
    for item in objects:
        problem = _object_problem(item)
        if problem is not None:
            yield flag("scene", False, f"object {item.name!r}: {problem}")


def people(case: Case) -> Iterator[Finding]:
    """F-38: who is there is known wherever a tracker is to say so; each person has a name and is known whole."""
    found, lost = case.scene.people, case.rules.people_lost
    if case.rules.people == "tracker":
        told = "the tracker says who is there" if found is not None else "the tracker says nothing of people"
        yield flag("people", found is not None, told, lost)
    elif found:
        yield flag("people", False, f"{len(found)} people in the scene; no rule reads them, as the set says none", lost)
    names = [person.name for person in found or ()]
    if len(set(names)) != len(names):
        yield flag("people", False, f"every person needs a name of their own, got {names}", lost)
    for person in found or ():
        problem = _person_problem(person)
        if problem is not None:
            yield flag("people", False, f"person {person.name!r}: {problem}", lost)


def _person_problem(person: Person) -> str | None:
    if not person.parts:
        return "no part of the body is known"
    if person.speed_m_s is not None and not 0.0 <= person.speed_m_s <= LARGEST:
        return f"a speed of {person.speed_m_s} m/s; it must be from 0 to {LARGEST:g}, or not measured"
    if not 0.0 <= person.uncertainty_m <= LARGEST:
        return f"an uncertainty of {person.uncertainty_m} m; it must be from 0 to {LARGEST:g}"
    return next((f"{part.region!r}: {part.fault}" for part in person.parts if part.fault is not None), None)


def _object_problem(item: SceneObject) -> str | None:
    if item.pose.fault is not None:
        return item.pose.fault
    if item.speed_m_s is None:
        return "its speed is unknown"
    if not (0.0 <= item.speed_m_s <= LARGEST and 0.0 <= item.uncertainty_m <= LARGEST):
        return f"speed {item.speed_m_s} m/s and uncertainty {item.uncertainty_m} m must be from 0 to {LARGEST:g}"
    return None


def freshness(case: Case) -> Iterator[Finding]:
    """F-18: robot state, objects and people are fresh now, and none is from the future."""
    limits, objects, now_ns = case.rules.freshness, case.scene.objects or (), case.now_ns
    yield _age("robot state", now_ns, case.state.seen_ns, limits.state_s)
    fresh = all(0.0 <= (now_ns - item.seen_ns) / 1e9 <= limits.objects_s for item in objects)
    told = (min(objects, key=_SEEN_NS),) if objects and fresh else objects  # of those that are fresh, the oldest
    for item in told:
        yield _age(f"object {item.name!r}", now_ns, item.seen_ns, limits.objects_s)
    for person in case.scene.people or ():
        if limits.people_s is not None:
            age = _age(f"person {person.name!r}", now_ns, person.seen_ns, limits.people_s)
            yield replace(age, reaction=case.rules.people_lost)


def observation(case: Case, chunk: ActionChunk) -> Iterator[Finding]:
    """F-18: the observation is fresh enough when its first row is executed, not only when it arrives."""
    age, stamps = math.nan, chunk.stamps
    if stamps.observation_ns is not None and stamps.first_row_ns is not None and _usable_period(chunk):
        start = stamps.first_row_ns + first_row_left(chunk, case.now_ns) * period_ns(chunk)
        age = (start - stamps.observation_ns) / 1e9
    limit = case.rules.freshness.observation_s
    yield within("freshness", age, limit, "s", "age of the observation when the first row is executed")


_SEEN_NS: Final = attrgetter("seen_ns")


def _age(what: str, now_ns: int, seen_ns: int, limit_s: float) -> Finding:
    age = (now_ns - seen_ns) / 1e9
    return within("freshness", age if age >= 0.0 else math.nan, limit_s, "s", f"age of the {what}")


def latch(case: Case) -> Iterator[Finding]:
    """A supervisor that stopped refuses everything until a named person resets it."""
    stopped = case.memory.state == "stopped"
    yield flag("latch", not stopped, f"stopped: {case.memory.latch}" if stopped else "not stopped", "stop")


def followed(path: JointPath) -> Iterator[Finding]:
    """F-34: the joints follow the rows of a tool point, at the rows and between them, far from any singularity."""
    for one in path.followed:
        finding = within(one.check, one.value, one.limit, one.unit, one.what, one.reaction, links=(one.tool,))
        yield replace(finding, row=path.start_row + one.row)


def seam(case: Case, path: JointPath) -> Iterator[Finding]:
    """F-14: the step from the reference to the first row is at most the profile's speed times the period."""
    speed = joint_limits(case.rules.profile, "velocity")
    steps = np.abs(path.positions[0] - path.reference.positions) / (path.period_ns / 1e9)
    worst = where_least(speed - steps)
    joint = case.rules.profile.joint_names[worst]
    what = "step from the reference to the first row"
    yield within("seam", float(steps[worst]), float(speed[worst]), "rad/s", what, links=(joint,))


def tracking(case: Case) -> Iterator[Finding]:
    """F-16: the arm is where it was told to be, and at rest where it was told to rest."""
    profile, found, plan = case.rules.profile, case.state, case.memory.plan
    limit = joint_limits(profile, "tracking")
    if plan is not None and case.now_ns < plan.end_ns:
        command = reference_at(case.memory, found, found.seen_ns, case.now_ns)
        off, unit, what = (
            np.abs(found.positions - command.positions),
            "rad",
            "distance between measured and commanded position",
        )
    else:
        limit = limit / case.rules.accepts.period_s
        off, unit, what = np.abs(found.velocities), "rad/s", "measured speed at rest"
    worst = where_least(limit - off)
    yield within("tracking", float(off[worst]), float(limit[worst]), unit, what, links=(profile.joint_names[worst],))


def stopping(case: Case, proposal: Proposal) -> Iterator[Finding]:
    """F-32: there is a brake behind the rows, within 100 % of the profile's speed, acceleration and torque."""
    fits = proposal.brake_fits
    yield flag(
        "brake",
        fits,
        "a brake within the profile's speed and acceleration" if fits else "no brake brings the arm to rest in time",
    )
    yield within("brake", proposal.longest_stop_s, LONGEST_S, "s", "time to rest from the slowest moment on")
    motion, profile = proposal.motion, case.rules.profile
    if motion.torques is not None:
        yield _braking(profile, motion.torques[motion.braking()], joint_limits(profile, "torque"), "N m", "torque")
    limit = joint_limits(profile, "jerk")
    if motion.jerks is not None and not np.isnan(limit).all():
        named = np.where(np.isnan(limit), np.inf, limit)  # a jerk that the profile does not name is not limited
        yield _braking(profile, motion.jerks[motion.braking()], named, "rad/s^3", "jerk")


def _braking(profile: Profile, found: FloatArray, limit: FloatArray, unit: str, what: str) -> Finding:
    """The worst of what braking takes (B, n), against limits (n,)."""
    over = np.abs(found) - limit
    node, joint = np.unravel_index(int(np.argmax(np.where(np.isnan(over), np.inf, over))), over.shape)
    value, most = float(np.abs(found[node, joint])), float(limit[joint])
    name = profile.joint_names[int(joint)]
    return within("brake", value, most, unit, f"{what} while braking", links=(name,))


def hand(case: Case) -> Iterator[Finding]:
    """F-38: what is held is in the one gripper that there is; asked beside the rules, which may have more to say."""
    held, hands = case.state.held, case.rules.profile.grippers
    if held is not None:
        names = ", ".join(hand.name for hand in hands)
        said = f"held {held.name!r}: a state does not say by which of {names}, so nobody knows where it is"
        yield flag("hand", len(hands) <= 1, said)


def speed(case: Case, proposal: Proposal) -> Iterator[Finding]:
    """F-39: no row is faster than the profile's joints are, whatever a rule set leaves out; slowing can help."""
    limit = joint_limits(case.rules.profile, "velocity")
    found = np.abs(proposal.motion.velocities[proposal.motion.phase == Phase.ROW])
    over = found - limit * (1.0 + 1e-9)
    row, joint = np.unravel_index(int(np.argmax(np.where(np.isnan(over), np.inf, over))), over.shape)
    yield within(
        "speed", float(found[row, joint]), float(limit[joint] * (1.0 + 1e-9)), "rad/s", "speed of a row", "slow",
        links=(case.rules.profile.joint_names[int(joint)],),
    )  # fmt: skip


CHECKS: Final[tuple[Check, ...]] = (
    finite, shape, layout, profile, normalisation, decode, mask, rotation, period, horizon, stamps, expiry, sequence,
    observation,
)  # fmt: skip
STANDING: Final[tuple[Standing, ...]] = (
    latch,
    state,
    scene,
    people,
    freshness,
)  # these need no chunk, and hold at every tick; `tracking` follows them, once the state can be read
