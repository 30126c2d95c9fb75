"""Limits on what the hand is told and can do: how far it opens, how fast it moves, how hard it grips."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from pydantic import ConfigDict

from interlock.arrays import FloatArray
from interlock.case import Case
from interlock.motion import Motion
from interlock.profile import Gripper
from interlock.rules import Clearance, Demand, Trace

from .kind import Fault, Provoked, Setup
from .provoking import hand, hold_still
from .quantities import Force, GripperRange, GripperSpeed
from .reader import STRICT
from .traces import below, constant, per_second, trace, unknown


@dataclass(frozen=True, slots=True)
class GripperLimits:
    """Every gripper is told values in `width` only, moves at most at `max_speed`, and grips with at most `max_force`.

    Three traces a gripper, each (N,), judged in the rows and their brake (F-10):
    width: min(g - low, high - g), in the gripper's unit.
    speed: `max_speed` - min(rate, s): a hand that is told to open in one step moves at the speed s of its own driver,
    as the profile gives it, and no faster than what it is told, rate = |g_i - g_(i-1)| / dt. So steps are fine for a
    driver that is slow enough, and a faster one must be led in small steps. force: `max_force` - the force that the
    driver is set to, as the profile gives it.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    kind: ClassVar[str] = "gripper"
    width: GripperRange
    """The values that a gripper may be told, both ends included."""
    max_speed: GripperSpeed
    """The highest speed of the fingers, in the gripper's unit a second."""
    max_force: Force
    """The highest force that a gripper's driver may be set to."""

    def demands(self, case: Case, motion: Motion) -> tuple[Demand, ...]:
        """Nothing is asked of the forecast."""
        del case, motion
        return ()

    def measure(self, case: Case, motion: Motion, clearances: tuple[Clearance, ...]) -> tuple[Trace, ...]:
        """Width, speed and force of every gripper; NaN for a robot without one."""
        del clearances
        grippers = case.rules.profile.grippers
        if not grippers or motion.grippers.shape != (len(motion), len(grippers)):
            return (unknown(motion, self.width.unit, "gripper"),)
        return tuple(
            found
            for index, gripper in enumerate(grippers)
            for found in self._one(motion, gripper, motion.grippers[:, index])
        )

    def _one(self, motion: Motion, gripper: Gripper, values: FloatArray) -> tuple[Trace, ...]:
        unit, name = self.width.unit, gripper.name
        if gripper.unit != unit or gripper.unit != self.max_speed.unit:
            return (unknown(motion, unit, f"values of {name}"),)
        low = values - self.width.low < self.width.high - values
        bound = np.where(low, self.width.low, self.width.high)
        room = np.minimum(values - self.width.low, self.width.high - values)
        room = np.where(motion.proposed() | np.isnan(values), room, np.inf)
        rate = np.minimum(per_second(np.abs(np.diff(values, prepend=values[:1])), motion.times_s), gripper.speed)
        most = np.full(len(motion), self.max_speed.value)
        force = np.nan if gripper.force_n is None else gripper.force_n
        return (
            trace(motion, room, values, bound, unit, (name,), f"width of {name}"),
            below(motion, rate, most, motion.proposed(), f"{unit}/s", (name,), f"speed of {name}"),
            constant(motion, force, self.max_force, "N", (name,), f"force of {name}"),
        )

    def faults(self, setup: Setup) -> tuple[Fault, ...]:
        """A robot without a gripper, one in another unit, and one whose force is not known."""
        grippers = setup.profile.grippers
        if not grippers:
            return (Fault("kind", f"the profile {setup.profile.name!r} has no gripper"),)
        found = [
            Fault(field, f"gripper {gripper.name!r} is in {gripper.unit}; this is in {unit}")
            for gripper in grippers
            for field, unit in (("width", self.width.unit), ("max_speed", self.max_speed.unit))
            if gripper.unit != unit
        ]
        unset = [gripper.name for gripper in grippers if gripper.force_n is None]
        found += [Fault("max_force", f"the profile gives no force of gripper {name!r}; add it") for name in unset]
        return tuple(found)

    def provoke(self, setup: Setup) -> Provoked:
        """The arm stands still, and every gripper is told to open further than `width` by a tenth of its span."""
        beyond = self.width.high + 0.1 * (self.width.high - self.width.low)
        return hand(hold_still(setup, setup.home), beyond)
