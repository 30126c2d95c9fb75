"""Actions that come one by one, each judged as one row before it is executed: what to execute instead of what is not
permitted, for whatever environment steps once a row period.

What an environment's numbers mean is for its wiring, and who steps it for the shells, `gym_env` and `inspect_approver`.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar

import numpy as np

from interlock.arrays import FloatArray, floats
from interlock.chunk import ActionChunk, Layout, Malformed, Stamps, all_commanded
from interlock.errors import UnusableInput
from interlock.lower import joint_limits
from interlock.motion import Plan, Reference
from interlock.scene import RobotState, Scene
from interlock.supervisor import Review, Supervisor

from .answer import raw_digest

Action = TypeVar("Action")
LIFETIME_NS: Final = 1_000_000_000  # a chunk of one row is of no use for longer
LONGEST: Final = 300  # characters of why an action is no row


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


@dataclass(frozen=True, slots=True, eq=False)
class Step(Generic[Action]):
    """What one action came to: what is `executed` in its place, the review, and `why` there was none."""

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
        return {
            "reaction": self.reaction,
            "raw": deepcopy(self.raw),
            "executed": deepcopy(self.executed),
            "violated": [str(finding) for finding in violated],
            "why": self.why,
        }


class StepByStep(Generic[Action]):
    """One robot whose actions are judged one row at a time. What is permitted as it stands is executed as it stands; of
    what is slowed, what was permitted; instead of what is refused the brake behind the last permitted row, and at rest
    a hold.

    The supervisor has `clock.now_ns` for its clock, and `clock.still` for `elapsed_ns`. Raises UnusableInput for a rule
    set that takes no chunks of one row, no rows of the wiring's layout, normalised ones, or another period.
    """

    def __init__(self, supervisor: Supervisor, wiring: Wiring[Action], clock: SteppedClock, session: str) -> None:
        accepts = supervisor.rules.accepts
        if accepts.rows_min != 1:
            raise UnusableInput(f"{supervisor.rules.name}: takes {accepts.rows_min} rows and more; a step is one row")
        if not abs(wiring.period_s / accepts.period_s - 1.0) <= 1e-3:
            raise UnusableInput(f"{supervisor.rules.name}: takes rows of {accepts.period_s:g} s; a step of the "
                                f"environment takes {wiring.period_s:g} s")  # fmt: skip
        if wiring.layout.digest not in {layout.digest for layout in accepts.layouts}:
            raise UnusableInput(f"{supervisor.rules.name}: takes no rows of the layout {wiring.layout.name!r}")
        if accepts.normalisation != "none":
            raise UnusableInput(f"{supervisor.rules.name}: takes normalised policies; an environment's actions are not")
        self._supervisor, self._wiring, self._clock = supervisor, wiring, clock
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
    def stopped(self) -> str:
        """Why the supervisor is stopped, or nothing."""
        memory = self._supervisor.memory
        return memory.latch if memory.state == "stopped" else ""

    def passed(self) -> None:
        """One row period has passed."""
        self._clock.advance(self._period_ns)

    def forget(self) -> None:
        """The robot is somewhere else, or nobody knows where: what comes next starts from where it is measured."""
        self._supervisor.braked()
        self._plan = self._rest = None
        self._still_ns = 0

    def judge(self, action: Action) -> Step[Action]:
        """What is to be executed of an action."""
        now = self._clock.now_ns()
        state, scene = self._wiring.see(now)
        if not self._supervisor.tick(state, scene) or self._braking(now):
            return Step(action, self._held(state, now), None, "the robot is braking")
        try:
            review = self._supervisor.review(self._proposed(action, state, now), state, scene)
        except Exception as error:  # noqa: BLE001 - the supervisor has it on record; nothing is permitted any more
            self._supervisor.stop(f"a review failed: {type(error).__name__}")
            return Step(action, self._held(state, now), None, "a review failed")
        if review.permit is None:
            return Step(action, self._held(state, now), review)
        self._plan = review.permit.use(self._supervisor.rules.profile_digest, now)
        if review.decision.reaction == "permit":
            return Step(action, action, review)
        return Step(action, self._held(state, now), review)

    def _braking(self, now_ns: int) -> bool:
        """Whether the robot is under way on a plan that the supervisor has forgotten: it rests before it is asked."""
        own = self._plan
        forgotten = own is not None and now_ns < own.end_ns and self._supervisor.memory.plan is not own
        return forgotten or now_ns < self._still_ns

    def _held(self, state: RobotState, now_ns: int) -> Action:
        """The action that goes on with the plan, which ends in a brake; at rest, that stays where the robot came to.
        A robot that is not where its plan has it stays where it is: the way back was not judged.
        """
        tracking = joint_limits(self._supervisor.rules.profile, "tracking")
        if self._plan is not None:
            off = np.abs(state.positions - self._plan.at(now_ns).positions)
            if not bool((off <= tracking).all()):
                self._still_ns, self._plan, self._rest = self._plan.end_ns, None, None
        elif self._rest is not None and not bool((np.abs(state.positions - self._rest.positions) <= tracking).all()):
            self._rest = None
        if self._plan is not None:
            told = self._plan.at(now_ns + self._period_ns)
        else:
            if self._rest is None:
                still = np.zeros_like(state.positions)
                self._rest = Reference(state.positions, still, still, state.grippers)
            told = self._rest
        return self._wiring.action(told, state)

    def _proposed(self, action: Action, state: RobotState, now_ns: int) -> ActionChunk | Malformed:
        """A chunk of one row, due now."""
        self._sequence += 1
        digest = raw_digest(action)
        try:
            row = floats("an action's row", self._wiring.row(action, state), 1)
            if raw_digest(action) != digest:
                raise ValueError("the wiring changed it while it read it")  # noqa: TRY301 - as what else may be wrong
        except Exception as error:  # noqa: BLE001 - a policy's action may be anything
            why = f"the action is no row: {type(error).__name__}: {error}"
            return Malformed(why[:LONGEST], digest, self._session, now_ns)
        values = np.array([row])
        return ActionChunk(
            id=f"{self._session}-{self._sequence}",
            session=self._session,
            sequence=self._sequence,
            layout=self._wiring.layout.digest,
            profile=self._supervisor.rules.profile_digest,
            values=values,
            mask=all_commanded(values),
            period_s=self._supervisor.rules.accepts.period_s,
            horizon=1,
            stamps=Stamps(state.seen_ns, now_ns, now_ns, now_ns, now_ns + LIFETIME_NS),
            anchor=state.positions,
            raw_digest=digest,
        )
