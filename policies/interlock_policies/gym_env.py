"""A Gymnasium environment under a supervisor: an action reaches it only as far as it was permitted."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from interlock.errors import InterlockError, UnusableInput
from interlock.motion import Plan
from interlock.supervisor import Review, Supervisor

from .step_by_step import RESET, StepByStep, SteppedClock, Wiring

if TYPE_CHECKING:
    import gymnasium
    from gymnasium import Wrapper
    from gymnasium.spaces import Box
    from gymnasium.vector.utils import batch_space
else:
    try:
        Wrapper = importlib.import_module("gymnasium").Wrapper
        Box = importlib.import_module("gymnasium.spaces").Box
        batch_space = importlib.import_module("gymnasium.vector.utils").batch_space
    except ImportError as error:
        raise UnusableInput("SupervisedEnv needs gymnasium: pip install 'interlock-vla[gym]'") from error

Observation = TypeVar("Observation")
Action = TypeVar("Action")


class StoppedEnvironment(InterlockError):
    """The supervisor is stopped, and nobody said who takes on its reset."""


class SupervisedEnv(Wrapper[Observation, Action, Observation, Action]):
    """An environment whose every action is judged as one row, as `StepByStep` does it; a step is one row period.

    With `rows` above 1 an action is an array of so many of the environment's, judged as one chunk; a step is so many of
    the environment's, until the episode ends, and its reward their sum.

    `info["interlock"]` says of each step: `reaction`, `raw` and `executed` action (of several rows, all that were),
    `violated` rules, `record.index`, and `stopped`, why the supervisor is, with which the episode is truncated;
    `review` has all of it. `reset` moves the robot past the supervisor, as a simulation may, and says so in `info` and
    on record; what was known of the motion is forgotten, and a latched stop is reset in the name of `reset_by`, or
    StoppedEnvironment is raised. What the environment or the wiring raises comes out, and the next steps brake. Raises
    UnusableInput for rules and a wiring that do not fit, and for several rows of actions that are no arrays of numbers.
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
        rows: int = 1,
    ) -> None:
        super().__init__(env)
        self._judging = StepByStep(supervisor, wiring, clock, session, rows)
        self._rows = rows
        if rows > 1:
            space: Any = env.action_space
            if not isinstance(space, Box):
                raise UnusableInput(f"several rows in a step need actions of numbers, not {space}")
            self.action_space = batch_space(space, rows)
        self._supervisor, self._reset_by = supervisor, reset_by
        self.review: Review | None = None  # of the last step; None where it braked unasked

    @property
    def spec(self) -> None:  # type: ignore[override] # gymnasium's own wrapper does it, too
        """None: an environment that was made again from a name would be another robot under the same supervisor."""
        return

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
        return observation, {**info, "interlock": {"reaction": "reset", "why": RESET}}

    def step(self, action: Action) -> tuple[Observation, Any, bool, bool, dict[str, Any]]:
        """One row period, or `rows` of them: of the action, as much as is permitted."""
        try:
            step = self._judging.judge(action)
            self.review = step.review
            executed = [step.executed]
            observation, reward, terminated, truncated, info = self._period(step.executed)
            while len(executed) < self._rows and not (terminated or truncated):
                executed.append(self._judging.go_on())
                observation, more, terminated, truncated, info = self._period(executed[-1])
                reward = float(reward) + float(more)
        except BaseException as error:
            self._judging.failed(error)
            raise
        stopped = self._judging.stopped
        told = {**step.told, "stopped": stopped}
        if self._rows > 1:
            told["executed"] = np.stack([np.asarray(one) for one in executed])
        return observation, reward, terminated, truncated or bool(stopped), {**info, "interlock": told}

    def _period(self, action: Action) -> tuple[Observation, Any, bool, bool, dict[str, Any]]:
        found = self.env.step(action)
        self._judging.passed()
        return found
