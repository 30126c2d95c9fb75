"""A Gymnasium environment under a supervisor: an action reaches it only as far as it was permitted.

Each step is one row of a chunk, and one row period of the environment's own time. What a wiring says of the environment
(where its robot is, what an action means, which action leads where) is for its own file.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

import numpy as np

from interlock.arrays import FloatArray, floats
from interlock.chunk import ActionChunk, Layout, Malformed, Stamps, all_commanded
from interlock.errors import InterlockError, UnusableInput
from interlock.motion import Plan, Reference
from interlock.scene import RobotState, Scene
from interlock.supervisor import Review, Supervisor

from .answer import raw_digest

if TYPE_CHECKING:
    import gymnasium
    from gymnasium import Wrapper
else:
    try:
        Wrapper = importlib.import_module("gymnasium").Wrapper
    except ImportError as error:
        raise UnusableInput("SupervisedEnv needs gymnasium: pip install 'interlock-vla[gym]'") from error

Observation = TypeVar("Observation")
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


class StoppedEnvironment(InterlockError):
    """The supervisor is stopped, and nobody said who takes on its reset."""


@dataclass(frozen=True, slots=True, eq=False)
class _Step:
    """What a step came to: the action that is executed, what was reviewed, and why nothing was, where it was not."""

    executed: Any
    review: Review | None
    why: str = ""


class SupervisedEnv(Wrapper[Observation, Action, Observation, Action]):
    """An environment whose every action is reviewed first. What is permitted as it stands is executed as it stands; of
    what is slowed, what was permitted; instead of what is refused the brake behind the last permitted row, and at rest
    a hold.

    `info["interlock"]` says of each step: `reaction`, `raw` and `executed` action, `violated` rules, and `stopped`, why
    the supervisor is, with which the episode is truncated; `review` has all of it, and the index of its record. `reset`
    moves the robot past the supervisor, as a simulation may; what it knew of the motion is forgotten, and a latched
    stop is reset in the name of `reset_by`, or StoppedEnvironment is raised. What the environment raises comes out
    after a brake.

    The supervisor has `clock.now_ns` for its clock, and `clock.still` for `elapsed_ns`. Raises UnusableInput for a rule
    set that takes no chunks of one row, no rows of the wiring's layout, or another period.
    """

    def __init__(
        self,
        env: gymnasium.Env[Observation, Action],
        supervisor: Supervisor,
        wiring: Wiring[Action],
        clock: SteppedClock,
        *,
        session: str = "gymnasium",
        reset_by: str = "",
    ) -> None:
        super().__init__(env)
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
        self._session, self._reset_by = session, reset_by
        self._period_ns = round(accepts.period_s * 1e9)
        self._sequence = 0
        self._plan: Plan | None = None
        self._rest: Reference | None = None
        self.review: Review | None = None  # of the last step; None where it braked unasked

    @property
    def plan(self) -> Plan | None:
        """The permitted plan that the robot follows, or has followed to its end; None after a reset."""
        return self._plan

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """A new episode. Raises StoppedEnvironment."""
        memory = self._supervisor.memory
        if memory.state == "stopped":
            if not self._reset_by:
                raise StoppedEnvironment(
                    f"the supervisor is stopped: {memory.latch}; call its reset(name, why), or hand in reset_by"
                )
            self._supervisor.reset(self._reset_by, "the environment was reset")
        self._forget()
        observation, info = self.env.reset(seed=seed, options=options)
        self._clock.advance(self._period_ns)
        return observation, info

    def step(self, action: Action) -> tuple[Observation, Any, bool, bool, dict[str, Any]]:
        """One row period: of the action, as much as is permitted."""
        step = self._judged(action)
        self.review = step.review
        try:
            observation, reward, terminated, truncated, info = self.env.step(step.executed)
        except BaseException:
            self._forget()
            raise
        self._clock.advance(self._period_ns)
        memory = self._supervisor.memory
        stopped = memory.latch if memory.state == "stopped" else ""
        said = {**info, "interlock": _told(action, step, stopped)}
        return observation, reward, terminated, truncated or bool(stopped), said

    def _judged(self, action: Action) -> _Step:
        """What is to be executed of an action."""
        now = self._clock.now_ns()
        state, scene = self._wiring.see(now)
        if not self._supervisor.tick(state, scene) or self._braking(now):
            return _Step(self._held(state, now), None, "the robot is braking")
        try:
            review = self._supervisor.review(self._proposed(action, state, now), state, scene)
        except Exception as error:  # noqa: BLE001 - the supervisor has it on record; nothing is permitted any more
            self._supervisor.stop(f"a review failed: {type(error).__name__}")
            return _Step(self._held(state, now), None, "a review failed")
        if review.permit is None:
            return _Step(self._held(state, now), review)
        self._plan = review.permit.use(self._supervisor.rules.profile_digest, now)
        if review.decision.reaction == "permit":
            return _Step(action, review)
        return _Step(self._held(state, now), review)

    def _braking(self, now_ns: int) -> bool:
        """Whether the robot is under way on a plan that the supervisor has forgotten: it rests before it is asked."""
        own = self._plan
        return own is not None and now_ns < own.end_ns and self._supervisor.memory.plan is not own

    def _held(self, state: RobotState, now_ns: int) -> Action:
        """The action that goes on with the plan, which ends in a brake; at rest, that stays where the robot came to."""
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
        try:
            row = floats("an action's row", self._wiring.row(action, state), 1)
        except Exception as error:  # noqa: BLE001 - a policy's action may be anything
            why = f"the action is no row: {type(error).__name__}: {error}"
            return Malformed(why[:LONGEST], raw_digest(action), self._session, now_ns)
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
            raw_digest=raw_digest(action),
        )

    def _forget(self) -> None:
        self._supervisor.braked()
        self._plan = self._rest = None


def _told(action: object, step: _Step, stopped: str) -> Mapping[str, object]:
    review = step.review
    decision = None if review is None else review.decision
    return {
        "reaction": "brake" if decision is None else decision.reaction,
        "raw": action,
        "executed": step.executed,
        "violated": [] if decision is None else [str(finding) for finding in decision.verdict.violated],
        "stopped": stopped,
        "why": step.why,
    }
