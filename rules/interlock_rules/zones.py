"""Zones that bodies stay in or stay out of: prisms over polygons with holes, judged over the whole swept motion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from pydantic import ConfigDict

from interlock.arrays import FloatArray, where_least
from interlock.case import Case
from interlock.motion import Motion
from interlock.rules import Clearance, Demand, Trace
from interlock.scene import Zone

from .answers import from_clearance
from .bodies import TCP, body_faults, moving_parts
from .kind import Fault, Provoked, Setup
from .prisms import beside_m, inside_m, outside_m
from .problems import nearest
from .provoking import hold_still
from .reader import STRICT
from .searching import corners_of, in_hand, lowest
from .swept import sweep
from .traces import silent, trace, unknown


@dataclass(frozen=True, slots=True)
class KeepIn:
    """Every point of `body` stays inside `zone` at every instant: plan view and heights.

    margin = the distance from the zone's boundary of the hull of the corners at both ends of an interval, less the
    sagitta and the tracking error, in m; shape (N,) a part; negative for how far it sticks out. So the path between two
    nodes inside a concave zone is judged too (F-30), and the elbow as well as the hand (F-24). Links that no joint
    moves are left out.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    kind: ClassVar[str] = "keep_in"
    zone: str
    """The zone of the cell."""
    body: tuple[str, ...]
    """What of the robot: `tcp`, `gripper`, `held`, links by name, or `robot` for all of it."""

    def demands(self, case: Case, motion: Motion) -> tuple[Demand, ...]:
        """Nothing is asked of the forecast."""
        del case, motion
        return ()

    def measure(self, case: Case, motion: Motion, clearances: tuple[Clearance, ...]) -> tuple[Trace, ...]:
        """One trace a part: what remains to the boundary."""
        del clearances
        quantity = f"distance inside zone {self.zone}"
        if motion.model is None:
            return (unknown(motion, "m", quantity),)
        zone, found = case.rules.cell.zone(self.zone), moving_parts(self.body, motion, case.rules.profile)
        return tuple(_in(zone, case, motion, part) for part in found) or (silent(motion, "m", quantity),)

    def faults(self, setup: Setup) -> tuple[Fault, ...]:
        """An unknown zone or body."""
        return zone_faults(setup, "zone", self.zone) + body_faults(setup, self.body)

    def provoke(self, setup: Setup) -> Provoked:
        """The arm stands with its body outside."""
        zone = setup.cell.zone(self.zone)

        def slack(positions: FloatArray) -> FloatArray:
            return np.asarray(-beside_m(zone, corners_of(setup, self.body, positions)).max(axis=1))

        return hold_still(setup, lowest(setup, slack, -0.01, f"leaves zone {self.zone!r}"), held=in_hand(self.body))


@dataclass(frozen=True, slots=True)
class KeepOut:
    """No point of `body` enters `zone` at any instant.

    margin = the distance to the zone that certainly remains after tracking error, in m; shape (N,); touching is
    outside. The forecast answers for links and what is held, with the zone as a prism; the tool centre point is
    measured here. Links that no joint moves are left out.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    kind: ClassVar[str] = "keep_out"
    zone: str
    """The zone of the cell."""
    body: tuple[str, ...]
    """What of the robot: `tcp`, `gripper`, `held`, links by name, or `robot` for all of it."""

    def demands(self, case: Case, motion: Motion) -> tuple[Demand, ...]:
        """All parts but the tool point against the zone's prism, on every interval."""
        found = moving_parts(self.body, motion, case.rules.profile)
        links = tuple(part for part in found if part != TCP)
        if motion.model is None or not links:
            return ()
        return (Demand(links, (self.zone,), 0.0, np.full(len(motion), True)),)

    def measure(self, case: Case, motion: Motion, clearances: tuple[Clearance, ...]) -> tuple[Trace, ...]:
        """One trace for the tool point, one for all other parts."""
        quantity = f"distance to zone {self.zone}"
        if motion.model is None:
            return (unknown(motion, "m", quantity),)
        demands = self.demands(case, motion)
        found = tuple(
            from_clearance(motion, demand, clearance, quantity)
            for demand, clearance in zip(demands, clearances, strict=True)
        )
        if TCP in self.body:
            found += (self._tool(case, motion, quantity),)
        return found or (silent(motion, "m", quantity),)

    def _tool(self, case: Case, motion: Motion, quantity: str) -> Trace:
        swept = sweep(TCP, motion, case.rules.profile)
        if swept is None:
            return unknown(motion, "m", quantity)
        margin = outside_m(case.rules.cell.zone(self.zone), swept)
        return trace(motion, margin, margin, np.zeros(len(motion)), "m", (TCP, self.zone), quantity, swept.points[:, 0])

    def faults(self, setup: Setup) -> tuple[Fault, ...]:
        """An unknown zone or body."""
        return zone_faults(setup, "zone", self.zone) + body_faults(setup, self.body)

    def provoke(self, setup: Setup) -> Provoked:
        """The arm stands with a corner of its body inside."""
        zone = setup.cell.zone(self.zone)

        def slack(positions: FloatArray) -> FloatArray:
            return np.asarray(beside_m(zone, corners_of(setup, self.body, positions)).min(axis=1))

        return hold_still(setup, lowest(setup, slack, -0.005, f"enters zone {self.zone!r}"), held=in_hand(self.body))


def _in(zone: Zone, case: Case, motion: Motion, part: str) -> Trace:
    quantity = f"distance of {part} inside zone {zone.name}"
    swept = sweep(part, motion, case.rules.profile)
    if swept is None:
        return unknown(motion, "m", quantity)
    margin = inside_m(zone, swept)
    places = swept.middles
    if not (margin >= 0.0).all():
        node = where_least(margin)
        places = places.copy()
        places[node] = _outermost(zone, swept.points[node])
    return trace(motion, margin, margin, np.zeros(len(motion)), "m", (part, zone.name), quantity, places)


def _outermost(zone: Zone, corners: FloatArray) -> FloatArray:
    """Of the corners (V, 3) of a body the one that is furthest outside of a zone; NaN where they are nowhere."""
    beside = beside_m(zone, corners[None])[0] if np.isfinite(corners).all() else np.full(len(corners), np.nan)
    place: FloatArray = corners[int(np.argmax(beside))]
    return place


def zone_faults(setup: Setup, field: str, name: str) -> tuple[Fault, ...]:
    """What is wrong with the name of a zone."""
    known = [zone.name for zone in setup.cell.zones]
    return () if name in known else (Fault(field, f'no zone "{name}"{nearest(name, known)}'),)
