"""For every rule a case that it must refuse, made by its kind: what the supervisor tests itself with (F-44)."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import numpy as np

from interlock.case import Case, Memory
from interlock.motion import RobotModel
from interlock.profile import Profile
from interlock.robot_model import UrdfRobot
from interlock.rules import Accepts, Provocation, Rule, RuleSet
from interlock.scene import Cell

from .kind import Kind, NoProvocation, Setup
from .proposals import Asked, Start, chunk_of, state_of
from .reading import Reading


def setup_of(profile: Profile, cell: Cell, accepts: Accepts, people_s: float | None = None) -> Setup:
    """What the rules of a set are loaded into; raises UnusableInput where the URDF cannot be used. people_s: how old
    people of a scene may be; None: no tracker.
    """
    model = None if profile.urdf is None else cast(RobotModel, UrdfRobot(profile, cell))
    middle = [(joint.lower + joint.upper) / 2.0 for joint in profile.joints]
    home = np.array(profile.poses[0].positions if profile.poses else middle)
    return Setup(profile, cell, model, home, accepts.period_s, accepts.rows_max, people_s)


def with_provocations(rules: RuleSet, setup: Setup, reading: Reading) -> RuleSet:
    """The rule set with one provocation for every rule; notes a rule that could not be provoked, with its place."""
    found: list[Provocation] = []
    for index, rule in enumerate(rules.rules):
        try:
            found.append(_provocation(rules, rule, setup))
        except NoProvocation as error:
            reading.note(
                ("rules", index), f"nothing was found that this rule refuses, so it cannot be trusted: {error}"
            )
    return replace(rules, provocations=tuple(found))


def _provocation(rules: RuleSet, rule: Rule, setup: Setup) -> Provocation:
    provoked = cast(Kind, rule.limit).provoke(setup)
    start = Start(
        positions=provoked.start,
        grippers=np.array([gripper.open for gripper in rules.profile.grippers]),
        mode=(*rule.when.mode, *rules.modes)[0],
        objects=provoked.objects,
        target=provoked.target,
        held=provoked.held,
        people=provoked.people if rules.people == "tracker" else None,
    )
    state = state_of(rules, start, 0)
    asked = Asked(state, state.positions, first_row_ns=round(rules.accepts.period_s * 1e9))
    chunk = chunk_of(rules, asked, provoked.rows, provoked.grippers)
    return Provocation(rule.id, Case(0, chunk, state, start.scene(0), Memory(), rules))
