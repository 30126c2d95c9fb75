"""The last hop to a controller that takes rows, after whatever blends, buffers or interpolates them: what goes out is
the permitted plan, or a brake along it, whatever comes in (F-15).
"""

from __future__ import annotations

import math
import threading
import time
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from interlock.arrays import FloatArray, floats, frozen
from interlock.errors import PermitRefused, UnusableInput
from interlock.lower import joint_limits
from interlock.measured import unusable
from interlock.motion import Plan
from interlock.permit import Permit
from interlock.scene import RobotState
from interlock.stopping import Stop
from interlock.supervisor import Supervisor

TOLERANCE: Final = 0.001  # rad of a joint, and share of a gripper's travel: more than float32 and a clock read twice


@dataclass(frozen=True, slots=True, eq=False)
class Sent:
    """What the controller is told now: `row` (n + g,), joints [rad] and then grippers in the profile's order.

    `passed`: the row that came in agrees with what was permitted. If not, `why` says what was found, and this row and
    all after it are a brake, until a new permit is followed.
    """

    row: FloatArray
    passed: bool
    why: str = ""


class Gate:
    """What stands between whoever sends rows and the robot's controller; called at the controller's rate.

    `step` compares each row with the plan that was permitted, joint by joint, over one row period before and after now;
    what is sent is the plan's own command, so that a row can hold the robot back and never lead it elsewhere. The robot
    brakes along its path where a row, the state, or the time since the last step is not as permitted, and where the
    supervisor has forgotten the plan; that is on record. `state` is where the robot rests before the first permit.

    tolerance: rad of a joint, and share of a gripper's travel. Calls from several threads wait for each other. Raises
    UnusableInput for a state that is not this robot's, or not finite.
    """

    def __init__(
        self,
        supervisor: Supervisor,
        state: RobotState,
        *,
        tolerance: float = TOLERANCE,
        now_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        profile = supervisor.rules.profile
        if not 0.0 <= tolerance < math.inf:
            raise ValueError(f"tolerance must be finite and not negative, got {tolerance}")
        self._supervisor, self._now_ns, self._turn = supervisor, now_ns, threading.RLock()
        self._period_ns = round(supervisor.rules.accepts.period_s * 1e9)
        travels = np.array([abs(gripper.open - gripper.closed) for gripper in profile.grippers])
        self._tolerances = tolerance * np.concatenate([np.ones(len(profile.joints)), travels])
        self._joints = len(profile.joints)
        self._tracking = joint_limits(profile, "tracking")
        fault = unusable(state, profile)
        if fault:
            raise UnusableInput(f"a gate begins where the robot rests: {fault}")
        now = now_ns()
        positions, grippers = state.positions[None], state.grippers[None]
        self._brake: Stop | None = None
        self._stepped_ns: int = now
        self._take(Plan(np.array([now]), positions, grippers, rows_end_ns=now), now)

    def follow(self, permit: Permit) -> None:
        """Goes over to a permitted plan. Raises PermitRefused, also for a plan that does not begin where the robot was
        told to be; it brakes then.
        """
        with self._turn:
            now = self._now_ns()
            told = self._row(now)
            plan = permit.use(self._supervisor.rules.profile_digest, now)
            off = np.abs(plan.at(now).positions - told[: self._joints])
            if not bool((off <= self._tracking).all()):
                joint = int(np.argmax(off - self._tracking))
                why = f"a plan begins {off[joint]:.4f} rad from where joint {self._joint(joint)} was told to be"
                self._refuse(why, now)
                raise PermitRefused(f"{why}; ask for another review")
            self._take(plan, now)

    def step(self, row: npt.ArrayLike, state: RobotState) -> Sent:
        """What to tell the controller now, given the row that would be sent (n + g,) and the measured state. Never
        raises for what comes in: whatever it is, the answer is a row of what was permitted.
        """
        with self._turn:
            now = self._now_ns()
            if self._brake is None:
                why = self._late(now) or self._forgotten(now) or self._off(state, now) or self._other(row, now)
                if why:
                    self._refuse(why, now)
            else:
                lost_ns = max(now - self._stepped_ns - self._period_ns, 0)
                self._brake = self._brake.later(lost_ns) if lost_ns else self._brake
            self._stepped_ns = now
            return Sent(self._row(now), self._brake is None, self._why)

    def brake(self) -> None:
        """Comes to rest along the plan; what comes next needs a new permit."""
        with self._turn:
            if self._brake is None:
                self._refuse("the robot was told to brake", self._now_ns())

    def _row(self, now_ns: int) -> FloatArray:
        if self._brake is None:
            return frozen(self._told(now_ns))
        row = self._told(self._brake.place(now_ns))
        row[self._joints :] = self._told(self._brake.place_ns)[self._joints :]
        return frozen(row)

    def _told(self, when_ns: int) -> FloatArray:
        """What the plan commands at a moment (n + g,), like `Plan.at`."""
        times, nodes = self._times, self._nodes
        after = bisect_left(times, when_ns)
        if after in {0, len(times)}:
            return np.array(nodes[min(after, len(times) - 1)])
        before, end = times[after - 1], times[after]
        row: FloatArray = nodes[after - 1] + (when_ns - before) / (end - before) * (nodes[after] - nodes[after - 1])
        row[self._joints :] = nodes[after if when_ns == end else after - 1, self._joints :]
        return row

    def _take(self, plan: Plan, now_ns: int) -> None:
        self._plan, self._brake, self._why, self._stepped_ns = plan, None, "", now_ns
        self._times: list[int] = plan.times_ns.tolist()
        self._nodes = np.hstack([plan.positions, plan.grippers])

    def _late(self, now_ns: int) -> str:
        since = now_ns - self._stepped_ns
        if 0 <= since <= self._period_ns or self._stepped_ns >= self._plan.end_ns:  # at rest nothing is late
            return ""
        return f"the last step was {since / 1e6:.1f} ms ago; at most one row period, {self._period_ns / 1e6:.1f} ms"

    def _forgotten(self, now_ns: int) -> str:
        """What the supervisor holds to be the committed plan is another one, or none."""
        memory = self._supervisor.memory
        if memory.state == "stopped":
            return f"the supervisor is stopped: {memory.latch}"
        if memory.plan is self._plan or now_ns >= self._plan.end_ns:
            return ""
        if memory.plan is None:
            return "the supervisor has forgotten the plan: the robot is to brake"
        due = now_ns >= memory.plan.rows_start_ns
        return "a later plan was permitted and is due, and nobody followed it" if due else ""

    def _off(self, state: object, now_ns: int) -> str:
        fault = unusable(state, self._supervisor.rules.profile)
        if fault or not isinstance(state, RobotState):
            return fault
        age, limit = (now_ns - state.seen_ns) / 1e9, self._supervisor.rules.freshness.state_s
        if not 0.0 <= age <= limit:
            return f"the state is {age:.3f} s old; at most {limit:g} s"
        off = np.abs(state.positions - self._told(state.seen_ns)[: self._joints])
        if not bool((off <= self._tracking).all()):
            joint = int(np.argmax(off - self._tracking))
            limit = float(self._tracking[joint])
            return f"joint {self._joint(joint)} is {off[joint]:.4f} rad from where it was told to be; at most {limit:g}"
        return ""

    def _other(self, row: npt.ArrayLike, now_ns: int) -> str:
        """How the row differs from everything that is permitted within a period of now."""
        try:
            found = floats("row", row, 1)
        except Exception as error:  # noqa: BLE001 - a foreign object may raise anything
            return f"the row cannot be read: {type(error).__name__}: {error}"
        if found.shape != self._tolerances.shape:
            return f"the row has shape {found.shape}, expected {self._tolerances.shape}: joints, then grippers"
        low, high = self._window(now_ns)
        beyond = np.maximum(low - found, found - high) - self._tolerances
        if bool((beyond <= 0.0).all()):
            return ""
        worst = int(np.argmax(np.where(np.isnan(beyond), np.inf, beyond)))
        permitted = f"{low[worst]:.6g} to {high[worst]:.6g}"
        return f"{self._joint(worst)} would be sent to {found[worst]:.6g}; permitted: {permitted}"

    def _window(self, now_ns: int) -> tuple[FloatArray, FloatArray]:
        since, until = now_ns - self._period_ns, now_ns + self._period_ns
        first, last = bisect_left(self._times, since), bisect_left(self._times, until)
        every = np.vstack([self._told(since), self._nodes[first:last], self._told(until)])
        return every.min(axis=0), every.max(axis=0)

    def _joint(self, place: int) -> str:
        profile = self._supervisor.rules.profile
        return [*profile.joint_names, *(gripper.name for gripper in profile.grippers)][place]

    def _refuse(self, why: str, now_ns: int) -> None:
        """Begins the brake from what was last sent, if none is under way, then puts it on record."""
        if self._brake is None:
            self._brake = Stop(self._plan, max(self._stepped_ns, now_ns - self._period_ns), self._stepped_ns)
        self._why = why
        self._supervisor.departed(why)
