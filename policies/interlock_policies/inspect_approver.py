"""An approver for Inspect Robots: an action reaches its embodiment only as far as it was permitted."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

import numpy as np

from interlock.arrays import FloatArray
from interlock.errors import UnusableInput
from interlock.supervisor import Review, Supervisor

from .step_by_step import StepByStep, SteppedClock, Wiring

try:
    SafetyAbort: type[Exception] = importlib.import_module("inspect_robots.errors").SafetyAbort
    _limiter: Any = importlib.import_module("inspect_robots.approver").DeltaLimitApprover
except ImportError as error:
    raise UnusableInput("SupervisedApprover needs Inspect Robots: pip install 'interlock-vla[inspect]'") from error


class Proposed(Protocol):
    """What is used of Inspect Robots' `Action`, a frozen dataclass."""

    @property
    def data(self) -> Any:
        """The numbers."""
        ...

    @property
    def meta(self) -> Mapping[str, Any]:
        """What goes with them."""
        ...


class SupervisedApprover:
    """An `Approver` that judges every action as one row, as `StepByStep` does it; a step is one row period.

    What is permitted as it stands is returned as the same object. In place of anything else comes an action with what
    is to be executed, `clamped` in its `meta`, so that Inspect Robots counts it, and `interlock`: the reaction and the
    violated rules. When the supervisor stops, the brake is returned step by step, whatever is proposed, and once that
    has come to rest SafetyAbort is raised, which halts the evaluation; that is not reset here. Of approvers in a chain
    this must be the last: what comes after it was not judged.

    A trial begins where `store` is another one: the embodiment was reset, past the supervisor. The wiring's `action`
    and `row` speak of `Action.data`. Raises UnusableInput for rules and a wiring that do not fit.
    """

    def __init__(
        self, supervisor: Supervisor, wiring: Wiring[FloatArray], clock: SteppedClock, *, session: str = "inspect"
    ) -> None:
        self._judging = StepByStep(supervisor, wiring, clock, session)
        self._store: dict[str, Any] | None = None
        self.last: Review | None = None  # of the last action; None where the robot braked unasked

    def review(self, action: Any, store: dict[str, Any]) -> Any:
        """The action to execute; raises SafetyAbort."""
        if self._store is not store:
            self._store = store
            self._judging.forget()
        self._judging.passed()  # the action before it was executed, or a reset
        self._abort()
        proposed: Proposed = action
        step = self._judging.judge(proposed.data)
        self.last = step.review
        self._abort()
        if step.executed is proposed.data:
            return action
        executed = np.asarray(step.executed)
        _limiter.rewind_reference(store, executed)
        told = {name: step.told[name] for name in ("reaction", "violated", "why")}
        return replace(action, data=executed, meta={**proposed.meta, "clamped": True, "interlock": told})

    def _abort(self) -> None:
        stopped = self._judging.stopped
        if stopped and not self._judging.under_way:  # an embodiment that is halted while it moves brakes as it likes
            raise SafetyAbort(f"the supervisor is stopped: {stopped}")
