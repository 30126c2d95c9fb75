"""The robot without a supervisor: chunks go to the motors as they come. It exists in the simulation only (F-43)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from interlock.arrays import frozen
from interlock.chunk import ActionChunk
from interlock.motion import Reference
from interlock.robots import Asked, Policy

from .policy import EXECUTED
from .robot import Sensors, SimClock
from .track import ROUNDING, STEP_NS, spliced
from .world import World

TICK_NS = 20_000_000
AHEAD_NS = 300_000_000  # the next chunk is asked for so long before the executed rows end


class Unsupervised:
    """Drives a simulated world with chunks of joint positions, absolute or from row to row, whatever is in them."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._from_row_to_row = {
            layout.digest
            for layout in world.profile.layouts
            if any(channel.reference == "delta_from_previous" for channel in layout.channels)
        }
        self.rows_end_ns = world.now_ns

    def play(self, chunk: ActionChunk) -> None:
        """Replaces what was commanded: from the command at the chunk's first row on, straight from row to row."""
        period_ns = round(chunk.period_s * 1e9)
        now_ns = self._world.now_ns
        first_ns = chunk.stamps.first_row_ns if chunk.stamps.first_row_ns is not None else now_ns
        first_ns = max(first_ns, now_ns)
        start, hands = self._world.track.window(first_ns, 1)
        count = start.shape[1]
        times = first_ns + period_ns * np.arange(len(chunk.values) + 1, dtype=np.int64)
        rows = chunk.values[:, :count]
        if chunk.layout in self._from_row_to_row:
            rows = start + np.cumsum(rows, axis=0)
        positions = np.concatenate([start, rows])
        # A gripper's value is sent when its row begins, and held until the next.
        grippers = np.concatenate([chunk.values[:, count:], chunk.values[-1:, count:]]) if hands.size else hands
        self._world.follow(spliced(self._world.track, times, positions, grippers, now_ns))
        self.rows_end_ns = first_ns + period_ns * min(chunk.horizon or EXECUTED, len(chunk.values))

    def reference(self, when_ns: int) -> Reference:
        """What is commanded at a moment."""
        positions, hands = self._world.track.window(when_ns - 2 * ROUNDING * STEP_NS, 2 * ROUNDING + 1)
        before, middle, last = positions[0], positions[ROUNDING], positions[-1]
        period_s = ROUNDING * STEP_NS / 1e9
        velocity = (last - middle) / period_s
        bend = (last - 2.0 * middle + before) / period_s**2
        return Reference(frozen(last.copy()), frozen(velocity), frozen(bend), frozen(hands[-1].copy()))


def run_unsupervised(policy: Policy, world: World, *, mode: str, target: str | None, until: Callable[[], bool]) -> None:
    """The closed loop without a judge: asks and plays until `until` is true, or a NaN has silenced the physics."""
    clock, driver, sensors = SimClock(world), Unsupervised(world), Sensors(world, mode, target)
    waiting, sequence = False, 0
    while not until() and not world.watch.blind:
        now_ns = clock.now_ns()
        state, scene = sensors.read()
        if not waiting and now_ns >= driver.rows_end_ns - AHEAD_NS:
            first_ns = max(driver.rows_end_ns, now_ns + AHEAD_NS)
            policy.ask(Asked(now_ns, state, scene, first_ns, driver.reference(first_ns), sequence))
            waiting, sequence = True, sequence + 1
        chunk = policy.answer(now_ns)
        if chunk is not None:
            waiting = False
            if isinstance(chunk, ActionChunk):
                driver.play(chunk)
        clock.sleep_until(now_ns + TICK_NS)
