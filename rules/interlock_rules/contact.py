"""Power and force: where a person can be touched, nothing is faster than a contact with that region allows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from pydantic import ConfigDict

from interlock.arrays import FloatArray
from interlock.case import Case
from interlock.motion import Motion, Phase
from interlock.profile import Profile
from interlock.rules import Clearance, Demand, Trace
from interlock.scene import Person

from .approach import Approach
from .bodies import CELL, shaped
from .kind import Fault, Provoked, Setup
from .people import UNIT, Near, Watched, ask, part_faults, traces_of, watched
from .problems import nearest
from .quantities import Area
from .reader import STRICT
from .regions import TABLE, Contact, Most, Regions
from .separation import provoke_near
from .traces import unknown


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """What is asked of a motion: near whom, and for each part that moves how near it comes to what people can be
    clamped against; the effective mass of the robot [kg].
    """

    near: Near
    parts: tuple[str, ...]
    clamps: tuple[Demand, ...]
    mass_kg: float


@dataclass(frozen=True, slots=True)
class ContactEnergy:
    """No part of `body` is ever faster than a contact with any region of a person's body allows, wherever it can come
    to one; further away it is as fast as it can be brought to rest from before it does (`separation`).

    margin = the larger of these two speeds - the speed that no point of the part exceeds, in m/s; shape (N,), one trace
    a part. The speed of a contact is v = min(F, p A) / sqrt(mu k), from E = F^2 / 2k = mu v^2 / 2 (ISO/TS 15066 Annex
    A, now ISO 10218-2:2025 Annex M, from secondary sources): F, p, k of the region, A the contact's area, 1 / mu = 1 /
    mH + 1 / mR, mR = M / 2 + mL: half of the moving links and all of the hand and what it holds. Quasi-static limits
    count where the part comes so near to something named in `clamped_by` that the region fits no longer between; there
    the body cannot give way, so that mu = mR. A region without a permitted contact, as the head, and one that the table
    does not have, may not be touched. mR is the standard's estimate, and no bound near a singularity; what is clamped
    between two parts of the robot is not seen. No rated safety function.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    kind: ClassVar[str] = "contact_energy"
    body: tuple[str, ...]
    """What of the robot: links by name, `gripper`, `held`, or `robot` for all of it."""
    approach: Approach
    """How a person may approach, and how the robot stops."""
    regions: Annotated[Regions, TABLE]
    """The table of body regions, a file in the folder `regions` beside the rule set."""
    contact_area: Area
    """The smallest area with which the robot can touch; edges and corners have a small one."""
    clamped_by: tuple[str, ...]
    """What of the cell a part of a body can be clamped against: its bodies by name, or `cell` for all; may be empty."""

    def demands(self, case: Case, motion: Motion) -> tuple[Demand, ...]:
        """For each part how near it comes to what clamps, then for each part, person and region how near to them."""
        asked = self._once(case, motion)
        return () if asked is None else (*asked.clamps, *(question.demand for question in asked.near.questions))

    def _once(self, case: Case, motion: Motion) -> _Asked | None:
        """The same, worked out once a motion; None where something is missing."""
        return motion.once(("people", self), lambda: self._ask(case, motion))

    def _ask(self, case: Case, motion: Motion) -> _Asked | None:
        people, profile = case.scene.people, case.rules.profile
        parts = None if people is None else watched(self.body, case, motion, people)
        mass_kg = moving_kg(profile, motion)
        if people is None or parts is None or not 0.0 < mass_kg < math.inf:
            return None
        speeds = {region: self._speeds(region, mass_kg) for person in people for region in person.regions}
        all_of = [
            Watched(part, person, (region,), value, np.full(len(motion), min(speeds[region])))
            for part, value in parts
            for person in people
            for region in person.regions
        ]
        near = ask(self.approach, case, motion, all_of)
        if near is None:
            return None
        bodies = self._bodies(tuple(body.name for body in case.rules.cell.bodies))
        widest = max((thickness(person, region) for person in people for region in person.regions), default=0.0)
        least = widest + self.approach.robot_uncertainty
        known = bool(people) and bool(bodies) and math.isfinite(least)
        clamps = tuple(
            Demand((part,), bodies, least, (motion.phase >= Phase.COMMITTED) & (value > 0.0))
            for part, value in parts
            if known
        )
        return _Asked(near, tuple(part for part, _ in parts) if known else (), clamps, mass_kg)

    def _bodies(self, cell: tuple[str, ...]) -> tuple[str, ...]:
        return cell if CELL in self.clamped_by else self.clamped_by

    def _speeds(self, region: str, mass_kg: float) -> tuple[float, float]:
        """The speed [m/s] at which a region may be touched while it can give way, and where it cannot."""
        contact = self.regions.contact(region)
        if contact is None:
            return 0.0, 0.0
        free = 1.0 / (1.0 / contact.mass_kg + 1.0 / mass_kg)
        return (
            contact_speed(contact, contact.transient, free, self.contact_area),
            contact_speed(contact, contact.quasi_static, mass_kg, self.contact_area),
        )

    def measure(self, case: Case, motion: Motion, clearances: tuple[Clearance, ...]) -> tuple[Trace, ...]:
        """One trace a part: its speed, and what the person and the region allow that allow least."""
        asked = self._once(case, motion)
        if asked is None:
            return (unknown(motion, UNIT, "speed near people"),)
        count = len(asked.clamps)
        gaps = dict(zip(asked.parts, clearances[:count], strict=False))
        bases = [self._base(question.watched, gaps, asked.mass_kg) for question in asked.near.questions]
        return traces_of(self.approach, motion, asked.near, clearances[count:], bases)

    def _base(self, one: Watched, gaps: dict[str, Clearance], mass_kg: float) -> FloatArray:
        """The speed (N,) at which a region may be touched by a part, interval by interval."""
        (region,) = one.regions
        free, clamped = self._speeds(region, mass_kg)
        gap = gaps.get(one.part)
        if gap is None:
            return np.full(len(one.value), min(free, clamped) if self.clamped_by else free)
        if gap.at_least_m.shape != one.value.shape:
            return np.full(len(one.value), min(free, clamped))
        wide = gap.at_least_m - self.approach.robot_uncertainty >= thickness(one.person, region)
        return np.where(wide, free, min(free, clamped))

    def faults(self, setup: Setup) -> tuple[Fault, ...]:
        """Those of `separation`; what is not in the cell cannot clamp, and what has no mass has no energy."""
        known = (CELL, *(body.name for body in setup.cell.bodies))
        unknown_bodies = tuple(
            Fault(f"clamped_by[{index}]", f'no body "{word}" in cell {setup.cell.name}{nearest(word, known)}')
            for index, word in enumerate(self.clamped_by)
            if word not in known
        )
        found = (*self.approach.faults(setup), *part_faults(setup, self.body), *unknown_bodies)
        missing = () if setup.model is None else weightless(setup)
        if missing:
            said = f"the profile gives no mass of {', '.join(missing)}: add them to inertias, with their source"
            found += (Fault("kind", said),)
        return found

    def provoke(self, setup: Setup) -> Provoked:
        """All joints move at nearly full speed through somebody's head."""
        return provoke_near(setup, self.body)


def contact_speed(contact: Contact, most: Most, mass_kg: float, area_m2: float) -> float:
    """The speed [m/s] at which a contact with an effective mass reaches its largest force or pressure."""
    force = min(most.force_n, most.pressure_pa * area_m2)
    return force / math.sqrt(mass_kg * contact.stiffness_n_m)


def moving_kg(profile: Profile, motion: Motion) -> float:
    """The effective mass of the robot mR [kg]: half of all links that joints move, and all of the hand and what it
    holds. NaN where that is not known.
    """
    fixed = frozenset[str]() if motion.model is None else motion.model.fixed
    moving = [one for one in profile.inertias if one.link not in fixed]
    hand = sum(one.mass_kg for one in moving if one.link in profile.hand_links)
    arm = sum(one.mass_kg for one in moving if one.link not in profile.hand_links)
    held = 0.0 if motion.held is None else motion.held.mass_kg
    return arm / 2.0 + hand + (held if held >= 0.0 else math.nan)


def thickness(person: Person, region: str) -> float:
    """How wide [m] a gap must be at most for the thickest part of a region to be clamped in it."""
    return 2.0 * max(part.radius_m + person.uncertainty_m for part in person.parts if part.region == region)


def weightless(setup: Setup) -> tuple[str, ...]:
    """The links with a shape that joints move, and of which the profile gives no mass."""
    if setup.model is None:
        return ()
    known = {one.link for one in setup.profile.inertias}
    return tuple(link for link in shaped(setup.model) if link not in known and link not in setup.model.fixed)
