"""A Gymnasium environment under a supervisor: an action reaches it only as far as it was permitted."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, TypeVar

from interlock.errors import InterlockError, UnusableInput
from interlock.motion import Plan
from interlock.supervisor import Review, Supervisor

from .step_by_step import StepByStep, SteppedClock, Wiring

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


class StoppedEnvironment(InterlockError):
    """The supervisor is stopped, and nobody said who takes on its reset."""


class SupervisedEnv(Wrapper[Observation, Action, Observation, Action]):
    """An environment whose every action is judged as one row, as `StepByStep` does it; a step is one row period.

    `info["interlock"]` says of each step: `reaction`, `raw` and `executed` action, `violated` rules, and `stopped`, why
    the supervisor is, with which the episode is truncated; `review` has all of it, and the index of its record. `reset`
    moves the robot past the supervisor, as a simulation may; what it knew of the motion is forgotten, and a latched
    stop is reset in the name of `reset_by`, or StoppedEnvironment is raised. What the environment raises comes out
    after a brake. Raises UnusableInput for rules and a wiring that do not fit.
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
        self._judging = StepByStep(supervisor, wiring, clock, session)
        self._supervisor, self._reset_by = supervisor, reset_by
        self.review: Review | None = None  # of the last step; None where it braked unasked

    @property
    def plan(self) -> Plan | None:
        """The permitted plan that the robot follows, or has followed to its end; None after a reset."""
        return self._judging.plan

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """A new episode. Raises StoppedEnvironment."""
        if stopped := self._judging.stopped:
            if not self._reset_by:
                raise StoppedEnvironment(
                    f"the supervisor is stopped: {stopped}; call its reset(name, why), or hand in reset_by"
                )
            self._supervisor.reset(self._reset_by, "the environment was reset")
        self._judging.forget()
        observation, info = self.env.reset(seed=seed, options=options)
        self._judging.passed()
        return observation, info

    def step(self, action: Action) -> tuple[Observation, Any, bool, bool, dict[str, Any]]:
        """One row period: of the action, as much as is permitted."""
        step = self._judging.judge(action)
        self.review = step.review
        try:
            observation, reward, terminated, truncated, info = self.env.step(step.executed)
        except BaseException:
            self._judging.forget()
            raise
        self._judging.passed()
        stopped = self._judging.stopped
        said = {**info, "interlock": {**step.told, "stopped": stopped}}
        return observation, reward, terminated, truncated or bool(stopped), said
