"""Actions that come one by one, or a few at a time, judged as rows of a chunk before they are executed: what to execute
instead of what is not permitted, for whatever environment steps once a row period.

What an environment's numbers mean is for its wiring, and who steps it for the shells, `gym_env` and `inspect_approver`.
"""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Final, Generic, Protocol, TypeVar, cast

import numpy as np

from interlock.arrays import FloatArray, floats, frozen
from interlock.braking import brake
from interlock.chunk import ActionChunk, Layout, Malformed, Stamps, all_commanded
from interlock.errors import InterlockError, UnusableInput
from interlock.lower import gripper_value, joint_limits
from interlock.measured import unusable
from interlock.motion import Plan, Reference
from interlock.scene import RobotState, Scene
from interlock.stopping import slowing_limits
from interlock.supervisor import Review, Supervisor

from .answer import raw_digest

Action = TypeVar("Action")
LONGEST: Final = 300  # characters of why an action is no row
RESET: Final = "the environment was reset: it moved the robot past the supervisor"


class NothingToExecute(InterlockError):
    """There is no action that would brake or hold the robot: nobody knows where it is, or the wiring makes none."""


class SteppedClock:
    """The time of an environment: it stands still but for the environment's steps."""

    def __init__(self, now_ns: int = 1_000_000_000) -> None:
        self._now_ns = now_ns

    def now_ns(self) -> int:
        """The environment's time [ns]."""
        return self._now_ns

    def advance(self, period_ns: int) -> None:
        """A step has passed."""
        self._now_ns += period_ns

    @staticmethod
    def still() -> int:
        """What a supervisor measures the length of a review with, where the environment waits for it: nothing."""
        return 0


class Wiring(Protocol[Action]):
    """What an environment's observations and actions mean, in the terms of a rule set."""

    layout: Layout
    """What the columns of `row` mean."""
    period_s: float
    """How much time [s] one step of the environment takes."""

    def see(self, now_ns: int) -> tuple[RobotState, Scene]:
        """Where the robot and the things around it are now."""
        ...

    def row(self, action: Action, state: RobotState) -> FloatArray:
        """What the environment would make of an action: a row (C,) in the layout. May raise anything."""
        ...

    def action(self, told: Reference, state: RobotState) -> Action:
        """The action that leads to a place within one step."""
        ...


@dataclass(frozen=True, slots=True)
class OnRecord:
    """The index of a review's record; None where there was no review, or none that waited for its record. Two are equal
    whatever it is: the same step in the same place is told in the same words.
    """

    index: int | None = field(compare=False)


@dataclass(frozen=True, slots=True, eq=False)
class Step(Generic[Action]):
    """What one action came to: what is `executed` in its place, the review, and `why` there was none. Of several in a
    row, what is executed first.
    """

    raw: Action
    executed: Action
    review: Review | None
    why: str = ""

    @property
    def reaction(self) -> str:
        """Of the review; `brake` where there was none."""
        return "brake" if self.review is None else self.review.decision.reaction

    @property
    def told(self) -> dict[str, object]:
        """What is told of it, the same whenever it is asked for the same action in the same place."""
        violated = () if self.review is None else self.review.decision.verdict.violated
        entry = None if self.review is None else self.review.entry
        return {
            "reaction": self.reaction,
            "raw": deepcopy(self.raw),
            "executed": deepcopy(self.executed),
            "violated": [str(finding) for finding in violated],
            "why": self.why,
            "record": OnRecord(None if entry is None else entry.index),
        }


class StepByStep(Generic[Action]):
    """One robot whose actions are judged one row at a time, or so many `rows`. What is permitted as it stands is
    executed as it stands; of what is slowed, what was permitted; instead of what is refused the brake behind the last
    permitted row, and at rest a hold. A robot that may not go on, or whose supervisor stops, brakes along its plan.

    Of several rows an action is a sequence of so many: each is read as if the one before it had come to its end, so
    the layout must be of absolute joint positions; the first is executed as it stands, the others lead to where the
    plan is. The supervisor has `clock.now_ns` for its clock, and `clock.still` for `elapsed_ns`. Raises UnusableInput
    for a rule set that takes no chunks of so many rows, no rows of the wiring's layout, normalised ones, or another
    period.
    """

    def __init__(
        self, supervisor: Supervisor, wiring: Wiring[Action], clock: SteppedClock, session: str, rows: int = 1
    ) -> None:
        accepts = supervisor.rules.accepts
        if not accepts.rows_min <= rows <= min(accepts.rows_max, accepts.execute):
            raise UnusableInput(f"{supervisor.rules.name}: takes {accepts.rows_min} to {accepts.rows_max} rows and "
                                f"executes {accepts.execute}; a step has {rows}")  # fmt: skip
        if not abs(wiring.period_s / accepts.period_s - 1.0) <= 1e-3:
            raise UnusableInput(f"{supervisor.rules.name}: takes rows of {accepts.period_s:g} s; a step of the "
                                f"environment takes {wiring.period_s:g} s")  # fmt: skip
        if wiring.layout.digest not in {layout.digest for layout in accepts.layouts}:
            raise UnusableInput(f"{supervisor.rules.name}: takes no rows of the layout {wiring.layout.name!r}")
        if accepts.normalisation != "none":
            raise UnusableInput(f"{supervisor.rules.name}: takes normalised policies; an environment's actions are not")
        places = {(channel.quantity, channel.reference) for channel in wiring.layout.channels}
        if rows > 1 and not places <= {("joint_position", "absolute"), ("gripper", "absolute")}:
            raise UnusableInput(
                f"layout {wiring.layout.name!r}: several rows in a step must be absolute joint positions"
            )
        self._supervisor, self._wiring, self._clock = supervisor, wiring, clock
        self._rows = rows
        self._session = session
        self._period_ns = round(accepts.period_s * 1e9)
        self._sequence = 0
        self._plan: Plan | None = None
        self._rest: Reference | None = None
        self._still_ns = 0  # until when a robot that was found off its plan is left where it is

    @property
    def plan(self) -> Plan | None:
        """The permitted plan that the robot follows, or has followed to its end; None after a reset."""
        return self._plan

    @property
    def under_way(self) -> bool:
        """Whether a plan runs, or its brake."""
        return self._plan is not None and self._clock.now_ns() < self._plan.end_ns

    @property
    def stopped(self) -> str:
        """Why the supervisor is stopped, or nothing."""
        memory = self._supervisor.memory
        return memory.latch if memory.state == "stopped" else ""

    def passed(self) -> None:
        """One row period has passed."""
        self._clock.advance(self._period_ns)

    def forget(self, why: str = RESET) -> None:
        """The robot was moved by others: what comes next starts from where it is measured. That is on record."""
        self._supervisor.departed(_readable(why))
        self._plan = self._rest = None
        self._still_ns = 0

    def failed(self, error: BaseException) -> None:
        """A step was begun, and nobody knows how it ended: what comes next is a brake along the plan. That is on
        record.
        """
        self._supervisor.departed(_readable(f"a step failed: {type(error).__name__}: {error}"))

    def judge(self, action: Action) -> Step[Action]:
        """What is to be executed of an action, now; of the rest of several rows `go_on` tells. Raises NothingToExecute,
        and what the wiring raises where it sees.
        """
        now = self._clock.now_ns()
        state, scene = self._wiring.see(now)
        if self._must_brake(state, scene, now):
            return Step(action, self._held(state, now), None, "the robot is braking")
        try:
            review = self._supervisor.review(self._proposed(action, state, now), state, scene)
        except Exception as error:  # noqa: BLE001 - the supervisor has it on record; nothing is permitted any more
            self._supervisor.stop(f"a review failed: {type(error).__name__}")
            self._brake(now)
            return Step(action, self._held(state, now), None, "a review failed")
        if review.permit is None:
            if review.decision.reaction == "stop":
                self._brake(now)
            return Step(action, self._held(state, now), review)
        self._plan = review.permit.use(self._supervisor.rules.profile_digest, now)
        if review.decision.reaction == "permit":
            return Step(action, action if self._rows == 1 else self._each(action)[0], review)
        return Step(action, self._held(state, now), review)

    def go_on(self) -> Action:
        """What is executed a row period later, of the rows that were permitted or of their brake. Raises as `judge`."""
        now = self._clock.now_ns()
        state, scene = self._wiring.see(now)
        self._must_brake(state, scene, now)
        return self._held(state, now)

    def _must_brake(self, state: RobotState, scene: Scene, now_ns: int) -> bool:
        """Whether the robot is under way on a plan that the supervisor has forgotten, or takes back now: it brakes, and
        rests before it is asked.
        """
        goes_on = self._supervisor.tick(state, scene)
        own = self._plan
        forgotten = own is not None and now_ns < own.end_ns and self._supervisor.memory.plan is not own
        if forgotten:
            self._brake(now_ns)
        return not goes_on or forgotten or now_ns < self._still_ns

    def _brake(self, now_ns: int) -> None:
        """Where rows are left of the plan, the shortest brake along them takes their place, step by step; where there
        is none, the plan goes on to its own, which was judged.
        """
        plan, period = self._plan, self._period_ns
        if plan is None or now_ns >= plan.rows_end_ns:
            return
        profile = self._supervisor.rules.profile
        told = plan.at(now_ns)
        before = np.stack([plan.at(now_ns - period).positions, told.positions])
        ahead = np.stack([plan.at(when).positions for when in range(now_ns + period, plan.end_ns + period, period)])
        found = brake(before, ahead, joint_limits(profile, "velocity"), slowing_limits(profile), period / 1e9)
        if found.fits:
            nodes = np.concatenate([before[1:], found.positions])
            times = now_ns + period * np.arange(len(nodes), dtype=np.int64)
            self._plan = Plan(times, nodes, np.tile(told.grippers, (len(nodes), 1)), rows_end_ns=now_ns)

    def _held(self, state: RobotState, now_ns: int) -> Action:
        """The action that goes on with the plan, which ends in a brake, or stays at rest; raises NothingToExecute."""
        found = self._wiring.action(self._told(state, now_ns), state)
        numbers = np.asarray(found)
        if numbers.dtype.kind == "f" and not bool(np.isfinite(numbers).all()):
            raise NothingToExecute(f"the action that would hold the robot is not finite: {_readable(str(numbers))}")
        return found

    def _told(self, state: RobotState, now_ns: int) -> Reference:
        """Where the robot is to be a row period from now: on its plan, or where it came to rest. A robot that is not
        where its plan has it stays where it is: the way back was not judged. One that cannot be read does as it was
        told.
        """
        seen = not unusable(state, self._supervisor.rules.profile)
        if seen:
            self._let_go(state, now_ns)
        if self._plan is not None:
            return self._plan.at(now_ns + self._period_ns)
        if self._rest is None:
            if not seen:
                raise NothingToExecute(
                    "nobody knows where the robot is, and it was told nothing yet: it cannot be held"
                )
            still = frozen(np.zeros(len(state.positions)))
            self._rest = Reference(state.positions, still, still, state.grippers)
        return self._rest

    def _let_go(self, state: RobotState, now_ns: int) -> None:
        """Forgets a plan, or a place of rest, that the robot is farther from than its tracking error."""
        tracking = joint_limits(self._supervisor.rules.profile, "tracking")
        if self._plan is not None:
            if not bool((np.abs(state.positions - self._plan.at(now_ns).positions) <= tracking).all()):
                self._still_ns, self._plan, self._rest = self._plan.end_ns, None, None
        elif self._rest is not None and not bool((np.abs(state.positions - self._rest.positions) <= tracking).all()):
            self._rest = None

    def _proposed(self, action: Action, state: RobotState, now_ns: int) -> ActionChunk | Malformed:
        """A chunk of its rows, the first due now."""
        self._sequence += 1
        digest = raw_digest(action)
        try:
            values = np.stack(self._values(action, state))
            if raw_digest(action) != digest:
                raise ValueError("the wiring changed it while it read it")  # noqa: TRY301 - as what else may be wrong
        except Exception as error:  # noqa: BLE001 - a policy's action may be anything
            what = "row" if self._rows == 1 else f"sequence of {self._rows} rows"
            why = f"the action is no {what}: {type(error).__name__}: {error}"
            return Malformed(why[:LONGEST], digest, self._session, now_ns)
        ends = now_ns + self._rows * self._period_ns
        return ActionChunk(
            id=f"{self._session}-{self._sequence}",
            session=self._session,
            sequence=self._sequence,
            layout=self._wiring.layout.digest,
            profile=self._supervisor.rules.profile_digest,
            values=values,
            mask=all_commanded(values),
            period_s=self._supervisor.rules.accepts.period_s,
            horizon=self._rows,
            stamps=Stamps(state.seen_ns, now_ns, now_ns, now_ns, ends),
            anchor=state.positions,
            raw_digest=digest,
        )

    def _values(self, action: Action, state: RobotState) -> list[FloatArray]:
        """The rows (C,) of an action; raises anything."""
        if self._rows == 1:
            return [floats("an action's row", self._wiring.row(action, state), 1)]
        found = list[FloatArray]()
        for one in self._each(action):
            found.append(floats("an action's row", self._wiring.row(one, state), 1))
            state = self._after(found[-1], state)
        return found

    def _each(self, action: object) -> tuple[Action, ...]:
        """The actions of several rows; raises TypeError or ValueError for what is not so many."""
        found = tuple(cast("Iterable[Action]", action))
        if len(found) != self._rows:
            raise ValueError(f"{len(found)} actions, expected {self._rows}")
        return found

    def _after(self, row: FloatArray, state: RobotState) -> RobotState:
        """The state of a robot that came to the end of a row of absolute places."""
        profile, channels = self._supervisor.rules.profile, self._wiring.layout.channels
        if row.shape != (len(channels),):
            raise ValueError(f"a row has shape {row.shape}, expected {(len(channels),)}")
        places = {channel.name: row[column : column + 1] for column, channel in enumerate(channels)}
        columns = {channel.name: channel for channel in channels}
        grippers = [
            gripper_value(hand, columns[hand.name], places[hand.name])[0] if hand.name in places else held
            for hand, held in zip(profile.grippers, state.grippers.tolist(), strict=True)
        ]
        positions = np.concatenate([places[name] for name in profile.joint_names])
        return replace(state, positions=positions, grippers=np.array(grippers))


def _readable(why: str) -> str:
    """As much of a sentence as goes on record, whatever text is in it."""
    return why[:LONGEST].encode("utf-8", "replace").decode("utf-8")
