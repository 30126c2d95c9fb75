"""Joint positions row by row as a chunk that a rule set accepts, and a robot at rest as the cell would report it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from interlock.arrays import FloatArray
from interlock.chunk import ActionChunk, Channel, Layout, Stamps, all_commanded
from interlock.errors import UnusableInput
from interlock.profile import Gripper
from interlock.rules import RuleSet
from interlock.scene import Held, Person, RobotState, Scene, SceneObject

SESSION = "case"


@dataclass(frozen=True, slots=True, eq=False)
class Start:
    """A robot at rest: positions (n,) [rad], gripper values (g,), what is around it and what it holds; people None: no
    tracker looks for them.
    """

    positions: FloatArray
    grippers: FloatArray
    mode: str | None
    objects: tuple[SceneObject, ...] = ()
    target: str | None = None
    held: Held | None = None
    people: tuple[Person, ...] | None = None

    def scene(self, now_ns: int) -> Scene:
        """What is around the robot, as seen now."""
        people = None if self.people is None else tuple(replace(person, seen_ns=now_ns) for person in self.people)
        return Scene(self.mode, tuple(replace(item, seen_ns=now_ns) for item in self.objects), self.target, people)


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """What a chunk is written for: the state that was observed, the command (n,) [rad] when its first row takes over,
    when that is [ns], the chunk's number, and how many rows are executed (None: all).
    """

    state: RobotState
    reference: FloatArray
    first_row_ns: int
    sequence: int = 0
    horizon: int | None = None


def chunk_of(rules: RuleSet, asked: Asked, rows: FloatArray, grippers: FloatArray) -> ActionChunk:
    """Rows (T, n) of absolute positions [rad] and gripper values (T, g) in the first accepted layout that fits.

    Raises UnusableInput where none can.
    """
    period_ns = round(rules.accepts.period_s * 1e9)
    layout, seen_ns = _layout(rules), asked.state.seen_ns
    values = np.column_stack([_column(rules, channel, asked, rows, grippers) for channel in layout.channels])
    return ActionChunk(
        id=f"{SESSION}-{asked.sequence}",
        session=SESSION,
        sequence=asked.sequence,
        layout=layout.digest,
        profile=rules.profile_digest,
        values=values,
        mask=all_commanded(values),
        period_s=rules.accepts.period_s,
        horizon=asked.horizon,
        stamps=Stamps(seen_ns, seen_ns, seen_ns, asked.first_row_ns, asked.first_row_ns + (len(rows) + 1) * period_ns),
        anchor=asked.state.positions,
        normalisation=rules.accepts.undone,
    )


def state_of(rules: RuleSet, start: Start, now_ns: int) -> RobotState:
    """The robot at rest, as measured now."""
    rest = np.zeros_like(start.positions)
    return RobotState(now_ns, rules.profile.joint_names, start.positions, rest, start.grippers, start.held)


def _layout(rules: RuleSet) -> Layout:
    for layout in rules.accepts.layouts:
        if all(_writable(rules, channel) for channel in layout.channels):
            return layout
    raise UnusableInput(f"{rules.name}: no accepted layout commands joints and grippers alone; no case can be written")


def _writable(rules: RuleSet, channel: Channel) -> bool:
    grippers = [gripper.name for gripper in rules.profile.grippers]
    joint = channel.name in rules.profile.joint_names and channel.quantity in {"joint_position", "joint_velocity"}
    return joint or (channel.name in grippers and channel.quantity == "gripper")


def _column(rules: RuleSet, channel: Channel, asked: Asked, rows: FloatArray, grippers: FloatArray) -> FloatArray:
    profile = rules.profile
    if channel.quantity == "gripper":
        index = [gripper.name for gripper in profile.grippers].index(channel.name)
        return _gripper(profile.grippers[index], channel, grippers[:, index])
    joint = profile.joint_names.index(channel.name)
    path = rows[:, joint]
    steps = np.diff(path, prepend=asked.reference[joint])
    if channel.quantity == "joint_velocity":
        return np.asarray(steps / rules.accepts.period_s)
    if channel.reference == "delta_from_previous":
        return np.asarray(steps)
    return np.asarray(path - asked.state.positions[joint]) if channel.reference == "delta_from_observation" else path


def _gripper(gripper: Gripper, channel: Channel, values: FloatArray) -> FloatArray:
    """Values in the gripper's unit as the channel's unit and polarity write them."""
    share = (values - gripper.closed) / (gripper.open - gripper.closed)
    share = 1.0 - share if channel.polarity == "zero_open" else share
    return share if channel.unit == "ratio" else np.asarray(gripper.closed + share * (gripper.open - gripper.closed))
