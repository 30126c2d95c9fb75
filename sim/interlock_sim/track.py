"""What the simulated controller sends: a command a millisecond, straight between rows, rounded at the corners."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from interlock.arrays import FloatArray, IntArray, floats
from interlock.motion import Plan
from interlock.stopping import Stop

STEP_NS = 1_000_000  # the motors are commanded at 1 kHz
EASING = 60  # steps over which a change of plan without notice is taken up
ROUNDING = 20  # a corner between two straight lines is rounded over so many steps: one row at 50 Hz


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """Commands a step apart from `start_ns` on: positions (K, n) [rad] joined by lines, gripper values (K, g).

    Before the first and after the last the robot rests. Any float64 is held: a naive driver hands on what it gets.
    """

    start_ns: int
    positions: FloatArray
    grippers: FloatArray

    def __post_init__(self) -> None:
        object.__setattr__(self, "positions", floats("positions", self.positions, 2))
        object.__setattr__(self, "grippers", floats("grippers", self.grippers, 2))
        if not len(self.positions) == len(self.grippers) >= 1:
            raise ValueError(f"a track of {len(self.positions)} positions has {len(self.grippers)} grippers")

    @property
    def end_ns(self) -> int:
        """When the last command is due."""
        return self.start_ns + STEP_NS * (len(self.positions) - 1)

    def index(self, when_ns: int) -> int:
        """Which command is due at a moment."""
        return min(max((when_ns - self.start_ns) // STEP_NS, 0), len(self.positions) - 1)

    def window(self, start_ns: int, count: int) -> tuple[FloatArray, FloatArray]:
        """So many commands from start_ns on: positions (count, n) and grippers (count, g)."""
        first = (start_ns - self.start_ns) // STEP_NS
        chosen = np.clip(np.arange(first, first + count), 0, len(self.positions) - 1)
        return self.positions[chosen], self.grippers[chosen]

    def rounded(self, start_ns: int) -> FloatArray:
        """Positions (K, n) from start_ns to rest, each the mean over ROUNDING steps around it.

        The mean turns the jump of velocity between two rows into the constant acceleration `(v1 - v0) / period` by
        which a row is judged, and leaves the straight lines by an eighth of `a * period ** 2` at most (0.5 mrad at
        10 rad/s^2). Without it the motors would have to make each jump within one step. A NaN stays in its window.
        """
        half = ROUNDING // 2
        count = max((self.end_ns - start_ns) // STEP_NS, 0) + 1 + half
        raw, _ = self.window(start_ns - half * STEP_NS, count + 2 * half)
        weights = np.full(ROUNDING + 1, 1.0 / ROUNDING)
        weights[[0, -1]] /= 2.0  # the trapezoidal rule: exact on straight lines
        joints = range(raw.shape[1])
        return np.stack([np.convolve(raw[:, joint], weights, mode="valid") for joint in joints], axis=1)


def eased(commands: FloatArray, position: FloatArray, velocity: FloatArray) -> FloatArray:
    """The commands (K, n), begun from what was commanded until now: position (n,) [rad] and velocity (n,) [rad/s].

    Rounding looks half a row ahead; a plan that begins at once changes what it saw. The difference is let go of along a
    cubic over EASING steps, where the motors would otherwise have to make up for it within one.
    """
    step_s = STEP_NS / 1e9
    count = min(EASING, len(commands))
    off = position - commands[0]
    drift = EASING * step_s * (velocity - (commands[min(1, len(commands) - 1)] - commands[0]) / step_s)
    share = np.arange(count)[:, None] / EASING
    left = (1.0 + 2.0 * share) * (1.0 - share) ** 2 * off + share * (1.0 - share) ** 2 * drift
    found = commands.copy()
    found[:count] += left
    return found


def at_rest(now_ns: int, positions: FloatArray, grippers: FloatArray) -> Track:
    """The track that holds positions (n,) and gripper values (g,)."""
    return Track(now_ns, positions[None, :], grippers[None, :])


def spliced(track: Track, times_ns: IntArray, positions: FloatArray, grippers: FloatArray, now_ns: int) -> Track:
    """The track that keeps to the old one until now, or times_ns[0] if that is later, and then takes to the nodes.

    Positions (N, n) are linear between nodes, grippers (N, g) hold until the next one, as in a `Plan`. As much of the
    past is kept as shapes the command of now.
    """
    begin_ns = now_ns - ROUNDING * STEP_NS
    end_ns = max(int(times_ns[-1]), now_ns)
    count = -((begin_ns - end_ns) // STEP_NS) + 1
    when = begin_ns + STEP_NS * np.arange(count, dtype=np.int64)
    old_positions, old_grippers = track.window(begin_ns, count)
    since = (when - times_ns[0]).astype(np.float64)
    nodes = (times_ns - times_ns[0]).astype(np.float64)
    new_positions = _between(since, nodes, positions)
    held = np.clip(np.searchsorted(times_ns, when, side="right") - 1, 0, len(times_ns) - 1)
    new = when >= max(now_ns, int(times_ns[0]))
    return Track(
        begin_ns,
        np.where(new[:, None], new_positions, old_positions),
        np.where(new[:, None], grippers[held], old_grippers),
    )


def following(track: Track, plan: Plan, now_ns: int) -> Track:
    """The track that goes over to a plan at the plan's own time."""
    return spliced(track, plan.times_ns, plan.positions, plan.grippers, now_ns)


def stopped(track: Track, plan: Plan, now_ns: int) -> Track:
    """The track that stops along a plan that it follows, as the plan was judged for it.

    It begins half a rounding after now: what comes before has shaped the command of now.
    """
    begin_ns = now_ns + STEP_NS * (ROUNDING // 2)
    stop = Stop(plan, begin_ns).commands(STEP_NS)
    return spliced(track, stop.times_ns, stop.positions, stop.grippers, now_ns)


def _between(when: FloatArray, nodes: FloatArray, values: FloatArray) -> FloatArray:
    """Values (M, n) at `when` (M,), linear between values (K, n) at nodes (K,), and constant outside."""
    return np.stack([np.interp(when, nodes, values[:, column]) for column in range(values.shape[1])], axis=1)
