"""Lowering: what a chunk's columns mean, worked out into one commanded joint path that starts at the reference.

Only called with a chunk that passed the checks. Knows references, deltas, velocities and grippers; leaves time after
the last permitted row to `braking` and the world to `build`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .arrays import FloatArray, frozen
from .case import Case, Memory
from .chunk import ActionChunk, Channel, Layout
from .errors import UnusableInput
from .motion import Reference
from .profile import Gripper, Profile
from .scene import RobotState


@dataclass(frozen=True, slots=True, eq=False)
class JointPath:
    """Rows from the take-over on: positions (R, n) [rad] and gripper values (R, g), reached at start_ns + (i + 1) *
    period_ns.

    reference: the command at start_ns. The first `commit` rows are to be permitted; those after them only guide the
    brake. covered: how far along the proposed rows each row is (R,), in rows; as proposed: 1, 2, 3, ...
    """

    start_row: int
    start_ns: int
    period_ns: int
    reference: Reference
    positions: FloatArray
    grippers: FloatArray
    commit: int
    covered: FloatArray

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


def lower(case: Case, chunk: ActionChunk, layout: Layout) -> JointPath:
    """The commanded path of a chunk that passed every check, from the first row left to the last row commanded."""
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
        for joint, name in enumerate(profile.joint_names)
    ])  # fmt: skip
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
    )


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
        if chunk.anchor is None:
            raise UnusableInput("delta_from_observation needs an anchor")
        return np.asarray(chunk.anchor[joint] + values[start_row:])
    return values[start_row:]


def _gripper(
    chunk: ActionChunk, layout: Layout, gripper: Gripper, start_row: int, rows: int, held: float
) -> FloatArray:
    """Gripper values in the profile's unit; a masked cell holds the value before it."""
    found = np.full(rows - start_row, held)
    column = next((i for i, channel in enumerate(layout.channels) if channel.name == gripper.name), None)
    if column is None:
        return found
    last = held
    for row in range(rows):
        if chunk.mask[row, column]:
            last = gripper_value(gripper, layout.channels[column], float(chunk.values[row, column]))
        if row >= start_row:
            found[row - start_row] = last
    return found


def gripper_value(gripper: Gripper, channel: Channel, value: float) -> float:
    """A channel's value in the gripper's own unit and polarity (F-10)."""
    share = value if channel.unit == "ratio" else (value - gripper.closed) / (gripper.open - gripper.closed)
    if channel.polarity == "zero_open":
        share = 1.0 - share
    return gripper.closed + share * (gripper.open - gripper.closed)


def joint_limits(profile: Profile, name: str) -> FloatArray:
    """One limit of all joints (n,), NaN where the profile gives none."""
    return np.array([math.nan if (value := getattr(joint, name)) is None else value for joint in profile.joints])
