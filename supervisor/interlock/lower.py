"""Lowering: what a chunk's columns mean, worked out into one commanded joint path that starts at the reference.

Only called with a chunk that passed the checks. Knows references, deltas, velocities and grippers; leaves time after
the last permitted row to `braking` and the world to `build`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import numpy as np

from .arrays import FloatArray, frozen
from .cartesian import Target, targets_of, wanted
from .case import Case, Memory
from .chunk import ActionChunk, Channel, Layout
from .errors import UnusableInput
from .inverse import FEWEST_JOINTS, Arm, Followed, follow, moved_by, strayed
from .kept import kept
from .motion import Reference, RobotModel
from .profile import Gripper, Joint, Profile
from .rotations import rotvecs
from .scene import RobotState


@dataclass(frozen=True, slots=True, eq=False)
class JointPath:
    """Rows from the take-over on: positions (R, n) [rad] and gripper values (R, g), reached at start_ns + (i + 1) *
    period_ns.

    reference: the command at start_ns. The first `commit` rows are to be permitted; those after them only guide the
    brake. covered: how far along the proposed rows each row is (R,), in rows; as proposed: 1, 2, 3, ... followed: for
    rows of a tool point, how well the joints follow them, and a slowed path too; rows from the first that they cannot
    follow on are NaN.
    """

    start_row: int
    start_ns: int
    period_ns: int
    reference: Reference
    positions: FloatArray
    grippers: FloatArray
    commit: int
    covered: FloatArray
    followed: tuple[Followed, ...] = ()

    @property
    def rows_end_ns(self) -> int:
        """When the last row to be permitted is reached."""
        return self.start_ns + self.commit * self.period_ns


def period_ns(chunk: ActionChunk) -> int:
    """The period in whole nanoseconds."""
    return round(chunk.period_s * 1e9)


def layout_of(case: Case, chunk: ActionChunk) -> Layout | None:
    """The accepted layout that the chunk names, or None."""
    return next((layout for layout in case.rules.accepts.layouts if layout.digest == chunk.layout), None)


def due_ns(chunk: ActionChunk) -> int:
    """When row 0 is due [ns]; raises UnusableInput where the stamp is missing."""
    if chunk.stamps.first_row_ns is None:
        raise UnusableInput("the chunk does not say when its first row is due")
    return chunk.stamps.first_row_ns


def first_row_left(chunk: ActionChunk, now_ns: int) -> int:
    """The first row that is not past when it takes over; needs a first-row stamp."""
    return max(0, -((due_ns(chunk) - now_ns) // period_ns(chunk)))


def commanded_rows(chunk: ActionChunk) -> int:
    """How many leading rows carry any command; rows masked from there to the end are padding (F-06)."""
    rows = np.flatnonzero(chunk.mask.any(axis=1))
    return int(rows[-1]) + 1 if len(rows) else 0


def reference_at(memory: Memory, state: RobotState, when_ns: int, now_ns: int) -> Reference:
    """The reference at a moment: the committed plan while it runs, the measured pose at rest (no ratchet, F-16)."""
    if memory.plan is not None and now_ns < memory.plan.end_ns:
        return memory.plan.at(when_ns)
    rest = np.zeros(len(state.positions))
    return Reference(state.positions, frozen(rest), frozen(rest.copy()), _commanded_grippers(memory, state))


def _commanded_grippers(memory: Memory, state: RobotState) -> FloatArray:
    return state.grippers if memory.plan is None else memory.plan.grippers[-1]


def lower(case: Case, chunk: ActionChunk, layout: Layout, model: RobotModel | None = None) -> JointPath:
    """The commanded path of a chunk that passed every check, from the first row left to the last row commanded.

    Rows of a tool point need the robot's model. Whether they can be followed is told, for the checks, by `followed`.
    """
    due = due_ns(chunk)
    start_row = first_row_left(chunk, case.now_ns)
    start_ns = due + start_row * period_ns(chunk)
    reference = reference_at(case.memory, case.state, start_ns, case.now_ns)
    origin = reference_at(case.memory, case.state, due, case.now_ns)
    rows = commanded_rows(chunk)
    profile = case.rules.profile
    columns = {channel.name: index for index, channel in enumerate(layout.channels)}
    positions = np.column_stack([
        _joint(chunk, layout.channels[columns[name]], columns[name], joint, start_row, rows, reference, origin)
        if name in columns else np.full(rows - start_row, reference.positions[joint])
        for joint, name in enumerate(profile.joint_names)
    ])  # fmt: skip
    targets = targets_of(layout)
    followed: tuple[Followed, ...] = ()
    if targets:
        given = frozenset(joint for joint, name in enumerate(profile.joint_names) if name in columns)
        at = _Seen(reference, origin, given)
        positions, followed = _followed(case, chunk, targets, model, at, start_row, rows, positions)
    grippers = np.empty((rows - start_row, len(profile.grippers)))
    for index, gripper in enumerate(profile.grippers):
        grippers[:, index] = _gripper(chunk, layout, gripper, start_row, rows, float(reference.grippers[index]))
    horizon = rows if chunk.horizon is None else chunk.horizon
    return JointPath(
        start_row=start_row,
        start_ns=start_ns,
        period_ns=period_ns(chunk),
        reference=reference,
        positions=frozen(np.ascontiguousarray(positions)),
        grippers=frozen(grippers),
        commit=min(horizon, rows - start_row),
        covered=frozen(np.arange(1.0, rows - start_row + 1.0)),
        followed=followed,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """From where rows of tool points go on: the references at the take-over and at row 0; and the joints that have
    columns of their own.
    """

    reference: Reference
    origin: Reference
    given: frozenset[int]


def _followed(
    case: Case, chunk: ActionChunk, targets: tuple[Target, ...], model: RobotModel | None, at: _Seen,
    start_row: int, rows: int, positions: FloatArray,
) -> tuple[FloatArray, tuple[Followed, ...]]:  # fmt: skip
    """Joint positions (R, n) that bring each tool point along its rows, and how well; NaN where none do."""
    if model is None:
        raise UnusableInput("rows of a tool point need the robot's model")
    profile = case.rules.profile
    reference = at.reference.positions
    found = [Followed(what, math.nan, 0.0, "", 0, tool) for tool, what in _whose(targets, at.given, profile, model)]
    if found:
        return frozen(np.full_like(positions, np.nan)), tuple(found)
    result = positions.copy()
    for target in targets:
        arm = _arm(model, target.tool, reference, profile)
        anchor = arm.at(_anchor(chunk) if target.reference == "delta_from_observation" else reference).pose
        origin = arm.at(at.origin.positions).pose
        poses = wanted(target, chunk, rows, case.rules.cell.mount.matrix(), anchor, origin)[start_row:]
        step = _first_step(arm, reference, poses[0], chunk.period_s, joint_limits(profile, "velocity"))
        found += step
        result[:, arm.joints] = np.nan
        if all(one.ok for one in step):
            solved, how = follow(arm, reference, poses)
            result[:, arm.joints] = solved[:, arm.joints]
            found += how
    return frozen(result), tuple(found)


def _arm(model: RobotModel, tool: str, reference: FloatArray, profile: Profile) -> Arm:
    lower, upper = (joint_limits(profile, name) for name in ("lower", "upper"))
    limits = (np.minimum(lower, reference), np.maximum(upper, reference))  # it may stand a little beyond
    return Arm(model, tool, moved_by(model, reference, tool), *limits)


def followed_slower(
    path: JointPath, positions: FloatArray, along: FloatArray, model: RobotModel | None, profile: Profile
) -> tuple[Followed, ...]:
    """How well the tools keep to their ways where a path is driven through other places on it: positions (K, n), with
    `along` (K,) how far along its rows each is. Slowing helps: shorter motions cut smaller corners.
    """
    tools = dict.fromkeys(one.tool for one in path.followed)
    if not tools:
        return ()
    if model is None:
        raise UnusableInput("rows of a tool point need the robot's model")
    start = path.reference.positions
    line, nodes = np.vstack([start, path.positions]), np.vstack([start, positions])
    found = list[Followed]()
    for tool in tools:
        arm = _arm(model, tool, start, profile)
        found += strayed(arm, line, nodes, np.concatenate([[0.0], along]))
    return tuple(replace(one, reaction="slow") for one in found)


def unfollowable(layout: Layout, profile: Profile, model: RobotModel) -> list[str]:
    """Why the robot's joints cannot follow a layout's tool points, whatever the rows; the layout has no `problems`.

    Raises UnusableInput where the model cannot tell.
    """
    names = {channel.name for channel in layout.channels}
    given = frozenset(joint for joint, name in enumerate(profile.joint_names) if name in names)
    targets = targets_of(layout)
    return [what for _, what in _whose(targets, given, profile, model)] if targets else []


def _whose(
    targets: tuple[Target, ...], given: frozenset[int], profile: Profile, model: RobotModel
) -> list[tuple[str, str]]:
    """Tool points, and what is wrong with the joints that move them: too few, commanded twice, or not at all."""
    found, taken = list[tuple[str, str]](), set(given)
    middle = np.array([(joint.lower + joint.upper) / 2.0 for joint in profile.joints])
    for target in targets:
        tool = target.tool
        joints: set[int] = set(moved_by(model, middle, tool).tolist())
        if len(joints) < FEWEST_JOINTS:
            found.append((tool, f"{len(joints)} joints move {tool}; its place and rotation need {FEWEST_JOINTS}"))
        if joints & taken:
            both = ", ".join(profile.joint_names[joint] for joint in sorted(joints & taken))
            found.append(
                (tool, f"{both} would be commanded twice: by {tool}, and by a column or tool point of its own")
            )
        taken |= joints
    if idle := [name for joint, name in enumerate(profile.joint_names) if joint not in taken]:
        found.append((targets[0].tool, f"no column commands {', '.join(idle)}"))
    return found


def _first_step(
    arm: Arm, reference: FloatArray, first: FloatArray, period_s: float, speed: FloatArray
) -> list[Followed]:
    """F-14: how fast the tool would have to be to reach its first row, and how fast it is at most, all joints at their
    limits: levers grow at most as the exponential of the turn.
    """
    poses, jacobians = arm.model.tool(reference[None], arm.tool)
    speeds = speed[arm.joints]
    levers = np.linalg.norm(jacobians[0][:3, arm.joints], axis=0)
    most = float(levers.max() * speeds.sum() * np.exp(speeds.sum() * period_s))
    travel = float(np.linalg.norm(first[:3, 3] - poses[0, :3, 3])) / period_s
    turn = float(np.linalg.norm(rotvecs((first[:3, :3] @ poses[0, :3, :3].T)[None]))) / period_s
    what = "of the tool from the reference to the first row"
    return [
        Followed(f"speed {what}", travel, most, "m/s", 0, arm.tool, "seam"),
        Followed(f"turn {what}", turn, float(speeds.sum()), "rad/s", 0, arm.tool, "seam"),
    ]


def _joint(
    chunk: ActionChunk,
    channel: Channel,
    column: int,
    joint: int,
    start_row: int,
    rows: int,
    reference: Reference,
    origin: Reference,
) -> FloatArray:
    values = chunk.values[:rows, column]
    if channel.quantity == "joint_velocity":
        steps = np.cumsum(values[start_row:] * chunk.period_s)
        return np.asarray(reference.positions[joint] + steps)
    if channel.reference == "delta_from_previous":
        return np.asarray(origin.positions[joint] + np.cumsum(values))[start_row:]
    if channel.reference == "delta_from_observation":
        return np.asarray(_anchor(chunk)[joint] + values[start_row:])
    return values[start_row:]


def _anchor(chunk: ActionChunk) -> FloatArray:
    if chunk.anchor is None:
        raise UnusableInput("delta_from_observation needs an anchor")
    return chunk.anchor


def _gripper(
    chunk: ActionChunk, layout: Layout, gripper: Gripper, start_row: int, rows: int, held: float
) -> FloatArray:
    """Gripper values in the profile's unit; a masked cell holds the value before it."""
    found = np.full(rows - start_row, held)
    column = next((i for i, channel in enumerate(layout.channels) if channel.name == gripper.name), None)
    if column is None:
        return found
    commanded = np.maximum.accumulate(np.where(chunk.mask[:rows, column], np.arange(rows), -1))[start_row:]
    told = commanded >= 0
    found[told] = gripper_value(gripper, layout.channels[column], chunk.values[commanded[told], column])
    return found


def gripper_value(gripper: Gripper, channel: Channel, value: FloatArray) -> FloatArray:
    """A channel's values in the gripper's own unit and polarity (F-10)."""
    share = value if channel.unit == "ratio" else (value - gripper.closed) / (gripper.open - gripper.closed)
    if channel.polarity == "zero_open":
        share = 1.0 - share
    return gripper.closed + share * (gripper.open - gripper.closed)


def joint_limits(profile: Profile, name: str) -> FloatArray:
    """One limit of all joints (n,), NaN where the profile gives none."""
    return _limits(profile)[name]


@kept
def _limits(profile: Profile) -> Mapping[str, FloatArray]:
    names = [field.name for field in fields(Joint) if field.name not in {"name", "source"}]
    return {name: frozen(np.array([_number(getattr(joint, name)) for joint in profile.joints])) for name in names}


def _number(limit: float | None) -> float:
    return math.nan if limit is None else limit
