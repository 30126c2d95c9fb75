"""What must remain between the robot and everything near it at every instant, and where less is enough."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Final, Literal

import numpy as np
from pydantic import ConfigDict, Field

from interlock.arrays import BoolArray, FloatArray
from interlock.case import Case
from interlock.motion import Motion
from interlock.rules import Clearance, Demand, Trace

from .answers import from_clearance
from .bodies import TCP, ambiguous, bodies_of, shapeless
from .closing_in import provoke_clearance
from .kind import Fault, Provoked, Setup
from .pairs import Group, demands_of, groups_of
from .prisms import is_inside
from .quantities import Length, Speed
from .reader import STRICT
from .swept import Swept, gap_free_speed, sweep
from .traces import silent, unknown
from .words import except_faults, pair_faults
from .zones import zone_faults

DEEPEST_M: Final = 0.05  # what goes deeper is driven into something, however it is tracked


@dataclass(frozen=True, slots=True)
class LessIn:
    """Between the two of `pair` less suffices while the tool centre point is in one of the zones for the whole
    interval.

    `min: contact`: they may touch there. The arm must not drive the one deeper into the other than `depth`, the hand
    taken as wide as it was measured: that its fingers close on something is what contact is for. Without a depth their
    distance is not judged there at all.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    pair: tuple[str, str]
    """Two bodies, as in `between`."""
    min: Length | Literal["contact"]
    """What is enough: a length, or `contact`."""
    zone: tuple[str, ...]
    """The zones of the cell, at least one."""
    max_speed: Speed | None = None
    """The tool centre point is at most this fast there; left out: its speed is not asked for."""
    depth: Length | None = None
    """With `min: contact`: how deep at most, tracking error and uncertainty included, more than 0, at most 0.05 m."""

    @property
    def contact(self) -> float:
        """What `min: contact` leaves to be kept [m]: less than nothing, or nothing at all."""
        return -np.inf if self.depth is None else -self.depth

    def active(self, case: Case, motion: Motion) -> BoolArray:
        """On which intervals (N,) this holds; nowhere where the tool point is not known."""
        swept = sweep(TCP, motion, case.rules.profile)
        if swept is None:
            return np.zeros(len(motion), dtype=np.bool_)
        found = np.zeros(len(motion), dtype=np.bool_)
        for name in self.zone:
            found |= _within(name, swept, case, motion)
        if self.max_speed is not None and found.any():
            found &= gap_free_speed(swept, motion) <= self.max_speed
        return found


def _within(zone: str, tool: Swept, case: Case, motion: Motion) -> BoolArray:
    """On which intervals (N,) the tool centre point is in a zone; worked out once for all rules that ask."""
    return motion.once(("tool in", zone), lambda: is_inside(case.rules.cell.zone(zone), tool))


@dataclass(frozen=True, slots=True)
class _Least:
    """What a group of pairs must keep on each interval (N,) [m], -inf: not judged. apart: the fingers anywhere that
    they may be; touching: the fingers where they were measured, on intervals on which the pairs may touch.
    """

    apart: FloatArray
    touching: FloatArray


@dataclass(frozen=True, slots=True)
class MinimumClearance:
    """The bodies named in `between` keep `min` at every instant, except where `except` asks for less.

    margin = what certainly remains after tracking error (see `tracking`) and the uncertainty of objects, less what is
    demanded, in m; shape (N,); one trace for each different demand. Not judged: allowed collisions of the profile, the
    hand with what it holds, and links that no joint moves with each other and with the fixed cell. Where nothing is
    near there is nothing to measure; a scene that does not have what is named is a violation.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    kind: ClassVar[str] = "clearance"
    between: tuple[str, str]
    """A body of the robot (`robot`, `gripper`, `held`, a link), and another or something around it: `cell` or one of
    its bodies, `objects`, `target`, or `object:<name>`.
    """
    min: Length
    """What remains between them."""
    exceptions: Annotated[tuple[LessIn, ...], Field(alias="except")] = ()
    """Where less is enough."""
    tracking: Literal["profile", "none"] = "profile"
    """Whether the profile's tracking error is taken off what remains. With `none` the commands alone are judged: what
    they bring together is refused for certain, what only the arm's lag brings together is not.
    """

    def demands(self, case: Case, motion: Motion) -> tuple[Demand, ...]:
        """Each pair with its minimum on each interval, in as few questions as that takes."""
        return self._demands(case, motion) or ()

    def _demands(self, case: Case, motion: Motion) -> tuple[Demand, ...] | None:
        """The same, worked out once a motion; None where something is missing."""
        return motion.once(("demands", self), lambda: self._asked(case, motion))

    def _asked(self, case: Case, motion: Motion) -> tuple[Demand, ...] | None:
        model = motion.model
        if model is None or motion.once("ambiguous", lambda: ambiguous(case, model)):
            return None
        exceptions = tuple(less.pair for less in self.exceptions)
        groups = groups_of(self.between, exceptions, bodies_of(case, motion, model))
        if groups is None:
            return None
        least = [(group, self._least(group, case, motion)) for group in groups]
        lagging = self.tracking == "profile"
        apart = demands_of([(group, one.apart) for group, one in least], lagging=lagging)
        touching = [(group, one.touching) for group, one in least if one.touching.max() > -np.inf]
        return (*apart, *demands_of(touching, closing=True, lagging=lagging))

    def _least(self, group: Group, case: Case, motion: Motion) -> _Least:
        """What the pairs of a group must keep."""
        apart, touching = np.full(len(motion), self.min), np.full(len(motion), np.inf)
        for less in (self.exceptions[index] for index in group.exceptions):
            active = less.active(case, motion)
            enough = -np.inf if less.min == "contact" else less.min
            apart[active] = np.minimum(apart[active], enough)
            if less.min == "contact":
                touching[active] = np.minimum(touching[active], less.contact)
        touching[touching >= 0.0] = -np.inf
        return _Least(apart, touching)

    def measure(self, case: Case, motion: Motion, clearances: tuple[Clearance, ...]) -> tuple[Trace, ...]:
        """One trace a demand: what remains of it."""
        quantity = f"distance between {self.between[0]} and {self.between[1]}"
        demands = self._demands(case, motion)
        if demands is None:
            return (unknown(motion, "m", quantity),)
        found = tuple(
            from_clearance(motion, demand, clearance, quantity)
            for demand, clearance in zip(demands, clearances, strict=True)
        )
        return found or (silent(motion, "m", quantity),)

    def faults(self, setup: Setup) -> tuple[Fault, ...]:
        """Unknown bodies and zones, and exceptions that never do anything."""
        if setup.model is None:
            return (shapeless(setup),)
        found = pair_faults(setup, setup.model, "between", self.between)
        for index, less in enumerate(self.exceptions):
            here = f"except[{index}]"
            found += except_faults(setup, setup.model, f"{here}.pair", less.pair, self.between)
            found += tuple(
                fault for i, name in enumerate(less.zone) for fault in zone_faults(setup, f"{here}.zone[{i}]", name)
            )
            if not less.zone:
                found += (Fault(f"{here}.zone", "name at least one zone"),)
            if less.depth is not None and less.min != "contact":
                found += (Fault(f"{here}.depth", "a depth goes with `min: contact`"),)
            if less.depth is not None and not 0.0 < less.depth <= DEEPEST_M:
                said = f"{less.depth:g} m is no depth of a contact; it must be more than 0 and at most {DEEPEST_M:g} m"
                found += (Fault(f"{here}.depth", said),)
            if less.min != "contact" and not less.min < self.min:
                found += (Fault(f"{here}.min", f"{less.min:g} m is no less than {self.min:g} m, so this does nothing"),)
        return found

    def provoke(self, setup: Setup) -> Provoked:
        """The arm stands where two of the bodies are in each other."""
        return provoke_clearance(setup, self.between)
