"""A motion as the judge sees it: what the robot will do from now to rest, node by node, in joint space and in the
world.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Protocol, TypeVar

import numpy as np

from .arrays import FloatArray, IntArray, floats, frozen, whole, wholes
from .scene import Held

T = TypeVar("T")


class Phase(IntEnum):
    """What the interval that ends at a node belongs to."""

    MEASURED = 0  # the measured pose, and the gap from it to the command of now
    COMMITTED = 1  # the rest of the committed plan, up to the take-over
    ROW = 2  # a row of the proposal
    BRAKE = 3  # the brake behind the last permitted row


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """Commanded position [rad], velocity [rad/s], acceleration [rad/s^2], each (n,), and gripper values (g,), at one
    moment.
    """

    positions: FloatArray
    velocities: FloatArray
    accelerations: FloatArray
    grippers: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """A commanded motion that ends at rest: positions (N, n) [rad] and gripper values (N, g) at increasing times (N,)
    [ns].

    Positions are linear between nodes; gripper values hold until the next node. Before the first node and after the
    last the robot rests there. `rows_start_ns` is when the permitted rows take over from what was committed before, of
    which the plan holds the rest; `rows_end_ns` is when they end and the brake begins. stop_rates (N,) [1/s]: how
    quickly the speed of time may fall in a stop that begins on the interval that ends at each node, 0 where there is
    none before the plan's own end; stop_jerk [1/s^2]: how quickly that fall may change (`stopping.Stop`).
    """

    times_ns: IntArray
    positions: FloatArray
    grippers: FloatArray
    rows_end_ns: int
    rows_start_ns: int = 0
    stop_rates: FloatArray = field(default_factory=lambda: np.empty(0))  # none: it is stopped nowhere
    stop_jerk: float = 1.0

    def __post_init__(self) -> None:
        times = wholes("times_ns", self.times_ns)
        object.__setattr__(self, "times_ns", times)
        object.__setattr__(self, "positions", floats("positions", self.positions, 2))
        object.__setattr__(self, "grippers", floats("grippers", self.grippers, 2))
        whole("rows_end_ns", self.rows_end_ns)
        whole("rows_start_ns", self.rows_start_ns)
        if len(times) == 0 or not (times[1:] > times[:-1]).all():
            raise ValueError("times_ns must be increasing times, at least one")
        if len(self.positions) != len(times) or len(self.grippers) != len(times):
            raise ValueError(
                f"a plan of {len(times)} times has {len(self.positions)} positions, {len(self.grippers)} grippers"
            )
        if not (np.isfinite(self.positions).all() and np.isfinite(self.grippers).all()):
            raise ValueError("a plan must be finite")
        rates = floats("stop_rates", self.stop_rates, 1)
        object.__setattr__(self, "stop_rates", rates if len(rates) else frozen(np.zeros(len(times))))
        if len(self.stop_rates) != len(times) or not ((self.stop_rates >= 0.0) & (self.stop_rates < np.inf)).all():
            raise ValueError(f"a plan of {len(times)} times needs as many stop_rates, finite and none negative")
        if not 0.0 < self.stop_jerk < np.inf:
            raise ValueError(f"stop_jerk must be positive and finite, got {self.stop_jerk}")

    @property
    def end_ns(self) -> int:
        """When the robot is at rest."""
        return int(self.times_ns[-1])

    def at(self, now_ns: int) -> Reference:
        """The command at a moment; velocity and acceleration are those of the interval that ends or lies there."""
        last = len(self.times_ns) - 1
        grippers = self.grippers[max(int(np.searchsorted(self.times_ns, now_ns, side="right")) - 1, 0)]
        rest = np.zeros(self.positions.shape[1])
        index = int(np.searchsorted(self.times_ns, now_ns, side="left"))  # the interval (index - 1, index] holds now
        if index == 0 or index > last:
            return Reference(self.positions[min(index, last)], frozen(rest), frozen(rest.copy()), grippers)
        velocity = self._velocity(index)
        before = self._velocity(index - 1)
        seconds = (int(self.times_ns[index]) - int(self.times_ns[index - 1])) / 1e9
        share = (now_ns - int(self.times_ns[index - 1])) / (int(self.times_ns[index]) - int(self.times_ns[index - 1]))
        position = self.positions[index - 1] + share * (self.positions[index] - self.positions[index - 1])
        return Reference(frozen(position), frozen(velocity), frozen((velocity - before) / seconds), grippers)

    def _velocity(self, index: int) -> FloatArray:
        if index < 1:
            return np.zeros_like(self.positions[0])
        seconds = (int(self.times_ns[index]) - int(self.times_ns[index - 1])) / 1e9
        return frozen((self.positions[index] - self.positions[index - 1]) * (1.0 / seconds))


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """Everything from now to rest, at N nodes. Interval i is the straight joint path from node i - 1 to node i.

    times_s (N,): seconds from now. phase (N,): a Phase for the interval that ends at each node. row (N,): the chunk's
    row, or -1. positions, velocities, accelerations, jerks (N, n): joint space; velocity i is that of interval i,
    acceleration i the step from velocity i - 1 over the period; jerks are None where rows are joined by straight lines.
    grippers (N, g). torques (N, n) [N m], or None where the profile has no inertias. links: names; poses (N, L, 4, 4):
    each link in the world, or L = 0 where the profile has no URDF. now_ns: the moment that seconds count from, on the
    clock of the stamps. tool_points: the world poses (N, 4, 4) of each named tool point. late_s (N,): by how much later
    than planned [s] the robot may still be on an interval, where it is stopped on the way.
    """

    now_ns: int
    times_s: FloatArray
    phase: IntArray
    row: IntArray
    positions: FloatArray
    velocities: FloatArray
    accelerations: FloatArray
    jerks: FloatArray | None
    grippers: FloatArray
    torques: FloatArray | None
    poses: FloatArray
    tool_points: Mapping[str, FloatArray]
    held: Held | None
    measured_grippers: FloatArray
    model: RobotModel | None
    late_s: FloatArray
    _known: dict[Hashable, Any] = field(default_factory=dict[Hashable, Any], init=False, repr=False)

    def __len__(self) -> int:
        return len(self.times_s)

    def once(self, key: Hashable, work: Callable[[], T]) -> T:
        """What `work` returns, worked out once: it may depend on the motion, on its case and on the key alone."""
        if key not in self._known:
            self._known[key] = work()
        found: T = self._known[key]
        return found

    def proposed(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Which nodes (N,) belong to the proposal: its rows and its brake."""
        return self.once("proposed", lambda: np.asarray(self.phase >= Phase.ROW))

    def braking(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Which nodes (N,) belong to the brake."""
        return self.once("braking", lambda: np.asarray(self.phase == Phase.BRAKE))


class RobotModel(Protocol):
    """The robot's shape, as far as rules need it; all in metres. Built once, from a profile with a URDF and a cell's
    mount.
    """

    @property
    def links(self) -> tuple[str, ...]:
        """Names of all links that have a collision shape or are named by the profile, fixed base first; axis L of
        poses.
        """
        ...

    @property
    def fixed(self) -> frozenset[str]:
        """Links that no joint moves."""
        ...

    @property
    def vertices(self) -> Mapping[str, FloatArray]:
        """Corners (V, 3) of each link's convex hull in the link's frame; fingers swept over their full travel."""
        ...

    @property
    def tool_offsets(self) -> Mapping[str, tuple[str, FloatArray]]:
        """Each tool point by name: its link, and its pose (4, 4) in that link's frame. The first one is also named
        `tcp`.
        """
        ...

    def forward(self, positions: FloatArray) -> FloatArray:
        """World poses (N, L, 4, 4) of all links for joint positions (N, n) [rad]."""
        ...

    def tool(self, positions: FloatArray, name: str) -> tuple[FloatArray, FloatArray]:
        """World poses (N, 4, 4) of a tool point for joint positions (N, n) [rad], and its Jacobians (N, 6, n): by how
        much each joint moves it [m/rad], then turns it [rad/rad], along the axes of the world.
        """
        ...

    def sagitta(self, positions: FloatArray, link: str) -> FloatArray:
        """For joint positions (N, n): how far [m] any point of the link (held object included, if the link is `held`)
        can leave the straight chord between its places at node i - 1 and node i; shape (N,), 0 at node 0; rigorous.
        """
        ...

    def reach_error(self, positions: FloatArray, link: str) -> FloatArray:
        """How far [m] any point of the link can be from its commanded place under the profile's tracking error; (N,);
        rigorous.
        """
        ...
