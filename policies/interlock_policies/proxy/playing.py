"""What a client does with the rows that it is sent, and the rows that make it do what is wanted; pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from interlock.arrays import FloatArray, frozen
from interlock.chunk import Channel, Layout
from interlock.errors import UnusableInput
from interlock.fields import check_fields
from interlock.motion import Plan
from interlock.profile import Gripper, Profile
from interlock.rules import MOST_ROWS


@dataclass(frozen=True, slots=True)
class Playing:
    """A client that plays rows 0 to `horizon` - 1 of a reply, one a period, and then asks again; while it waits nothing
    tells the robot to brake.

    The last `settle` of them hold, so that the robot has come to rest when it is observed again: what it does lags
    behind what it is told. Each row's columns mean what `layout` says. Raises UnusableInput for a layout whose rows
    cannot be made from a plan: only joints and grippers can, and every joint needs a column.
    """

    layout: Layout
    profile: Profile
    period_s: float
    horizon: int
    settle: int = 2

    def __post_init__(self) -> None:
        check_fields(self)
        if not (self.settle >= 0 and self.settle + 2 <= self.horizon <= MOST_ROWS):
            raise UnusableInput(
                f"a client that plays {self.horizon} rows of a reply, {self.settle} of them to settle, cannot be "
                f"brought to rest within them; expected {self.settle + 2} to {MOST_ROWS}"
            )
        if not 0.0 < self.period_s < math.inf:
            raise ValueError(f"period_s must be positive and finite, got {self.period_s}")
        joints, hands = set(self.profile.joint_names), {gripper.name for gripper in self.profile.grippers}
        for channel in self.layout.channels:
            arm = channel.name in joints and channel.quantity in {"joint_position", "joint_velocity"}
            if not arm and not (channel.name in hands and channel.quantity == "gripper"):
                raise UnusableInput(
                    f"layout {self.layout.name!r}: no row of {channel.quantity} of {channel.name!r} can be made from a "
                    "plan; the proxy speaks joint positions, joint velocities and grippers"
                )
        if missing := joints - {channel.name for channel in self.layout.channels}:
            raise UnusableInput(f"layout {self.layout.name!r}: no column commands {', '.join(sorted(missing))}")

    @property
    def columns(self) -> int:
        """How many numbers a row has."""
        return len(self.layout.channels)

    def due_ns(self, first_row_ns: int, row: int) -> int:
        """When a row is due [ns]: rounded as the nodes of a plan are."""
        return first_row_ns + round(row * self.period_s * 1e9)

    @property
    def moving(self) -> int:
        """Within how many periods of row 0 the robot must have been told to rest."""
        return self.horizon - self.settle

    @property
    def speaks_velocity(self) -> bool:
        """Whether rows say how fast joints go, and not where to."""
        return any(channel.quantity == "joint_velocity" for channel in self.layout.channels)

    def rows_of(self, plan: Plan, first_row_ns: int, count: int, anchor: FloatArray) -> FloatArray:
        """Rows (count, C) that lead a client along a plan, from its place at `first_row_ns`: row k to that of k + 1
        periods later; behind the plan's end they hold. anchor (n,): where the client thinks the joints were observed.
        """
        when = np.array([self.due_ns(first_row_ns, index) for index in range(count + 1)], dtype=np.int64)
        # As `Plan.at` has it, for all rows at once: a call for each would be half of what the proxy costs.
        since = (when - plan.times_ns[0]).astype(np.float64)
        nodes = (plan.times_ns - plan.times_ns[0]).astype(np.float64)
        places = np.empty((count + 1, plan.positions.shape[1]))
        for joint in range(places.shape[1]):
            places[:, joint] = np.interp(since, nodes, plan.positions[:, joint])
        held = np.clip(np.searchsorted(plan.times_ns, when[1:], side="right") - 1, 0, None)
        return self._said(places, plan.grippers[held], anchor)

    def hold(self, positions: FloatArray, grippers: FloatArray, count: int, anchor: FloatArray) -> FloatArray:
        """Rows (count, C) that keep the joints at positions (n,) [rad] and the hands at grippers (g,)."""
        return self._said(np.tile(positions, (count + 1, 1)), np.tile(grippers, (count, 1)), anchor)

    def _said(self, places: FloatArray, hands: FloatArray, anchor: FloatArray) -> FloatArray:
        """Rows (T, C) for places (T + 1, n), the first of them where it begins, and hands (T, g)."""
        joints, grippers = self.profile.joint_names, {hand.name: hand for hand in self.profile.grippers}
        names = tuple(grippers)
        said = [
            _hand(channel, grippers[channel.name], hands[:, names.index(channel.name)])
            if channel.quantity == "gripper"
            else self._joint(channel, places[:, joints.index(channel.name)], anchor[joints.index(channel.name)])
            for channel in self.layout.channels
        ]
        return frozen(np.ascontiguousarray(np.column_stack(said)))

    def _joint(self, channel: Channel, places: FloatArray, anchor: float) -> FloatArray:
        if channel.quantity == "joint_velocity":
            return np.diff(places) / self.period_s
        if channel.reference == "delta_from_previous":
            return np.diff(places)
        return places[1:] - anchor if channel.reference == "delta_from_observation" else places[1:]


def _hand(channel: Channel, gripper: Gripper, values: FloatArray) -> FloatArray:
    """A gripper's values as its channel says them: what `lower.gripper_value` undoes."""
    share = (values - gripper.closed) / (gripper.open - gripper.closed)
    if channel.polarity == "zero_open":
        share = 1.0 - share
    elif channel.unit != "ratio":
        return values
    return share if channel.unit == "ratio" else gripper.closed + share * (gripper.open - gripper.closed)
