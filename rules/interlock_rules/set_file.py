"""From a rule set's file, its robot and its cell to the rule set: names resolved, every rule read by its kind."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from interlock.checks import unsupported
from interlock.chunk import Layout
from interlock.errors import UnusableInput
from interlock.lower import unfollowable
from interlock.profile import Profile
from interlock.rules import Accepts, Freshness, Rule, When

from .contact import ContactEnergy
from .kind import Kind, Setup
from .kinds import KINDS
from .problems import BadFile, nearest
from .reading import Reading, keys_at
from .regions import Regions
from .separation import Separation
from .set_form import RuleForm, SetForm
from .yaml_text import Path

Table: TypeAlias = Callable[[str], Regions]

OF_PEOPLE: Final = (Separation.kind, ContactEnergy.kind)  # the kinds that read what a tracker says
OF_EVERY_RULE: Final = ("kind", *keys_at(RuleForm, ()))


@dataclass(frozen=True, slots=True)
class Parts:
    """What a rule set's file says, its names resolved."""

    form: SetForm
    accepts: Accepts
    freshness: Freshness
    rules: tuple[Rule, ...]


def read_set(form: SetForm, reading: Reading, profile: Profile, regions: Table) -> Parts | None:
    """The parts of a rule set; None, with every problem noted, where something is wrong. regions: the table of body
    regions of a name; raises UnusableInput.
    """
    accepts = reading.build(("accepts",), lambda: _accepts(form, reading, profile))
    fresh = form.freshness
    freshness = Freshness(fresh.observation, fresh.state, fresh.objects, fresh.people)
    rules = tuple(
        rule for index, tree in enumerate(form.rules) if (rule := _rule(form, reading, tree, ("rules", index), regions))
    )
    _refuse_twice(form, reading)
    _note_people(form, reading)
    if reading.problems or accepts is None:
        return None
    return Parts(form, accepts, freshness, rules)


def _accepts(form: SetForm, reading: Reading, profile: Profile) -> Accepts | None:
    known = {layout.name: layout for layout in profile.layouts}
    for index, name in enumerate(form.accepts.layout):
        if name not in known:
            reading.note(("accepts", "layout", index), f'unknown layout "{name}"{nearest(name, known)}')
    if not form.accepts.layout:
        reading.note(("accepts", "layout"), "name at least one layout of the profile")
    return Accepts(
        layouts=tuple(known[name] for name in form.accepts.layout if name in known),
        period_s=form.accepts.period,
        rows_min=form.accepts.rows.least,
        rows_max=form.accepts.rows.most,
        execute=form.accepts.execute,
        normalisation=form.accepts.normalisation,
        statistics=form.accepts.statistics or "",
    )


def _rule(form: SetForm, reading: Reading, tree: Mapping[str, Any], at: Path, regions: Table) -> Rule | None:
    kind = tree.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        said = '"kind" is missing' if kind is None else f'unknown kind "{kind}"{nearest(str(kind), KINDS)}'
        reading.note((*at, "kind"), said)
        return None
    own = {key: value for key, value in tree.items() if key not in OF_EVERY_RULE}
    if kind == ContactEnergy.kind and isinstance(own.get("regions"), str):
        own["regions"] = _table(own["regions"], reading, (*at, "regions"), regions)
        if own["regions"] is None:
            return None
    head = reading.read(RuleForm, {key: value for key, value in tree.items() if key in OF_EVERY_RULE[1:]}, at)
    limit = reading.read(KINDS[kind], own, at, also=OF_EVERY_RULE)
    if head is None or limit is None:
        return None
    when = When() if head.when is None else _when(form, reading, head.when.mode, at)
    return Rule(head.id, limit, head.because, head.on_violation, when, head.hazard or "")


def _table(name: str, reading: Reading, at: Path, regions: Table) -> Regions | None:
    """The table of body regions that a rule names; a file that is wrong raises BadFile, with places of its own."""
    try:
        return regions(name)
    except BadFile:
        raise
    except UnusableInput as error:
        reading.note(at, str(error))
        return None


def _when(form: SetForm, reading: Reading, mode: str | Sequence[str], at: Path) -> When:
    named = (mode,) if isinstance(mode, str) else tuple(mode)
    for index, name in enumerate(named):
        if name not in form.modes:
            place = (*at, "when", "mode", index)
            reading.note(place, f'unknown mode "{name}"{nearest(name, form.modes)}')
    return When(named)


def _note_people(form: SetForm, reading: Reading) -> None:
    """F-39: a tracker is read by a rule, and has a limit to its age; without one nothing is ever that old, or lost."""
    tracked = form.people == "tracker"
    if tracked and not any(tree.get("kind") in OF_PEOPLE for tree in form.rules):
        said = f"a tracker that no rule reads; add a rule of kind {' or '.join(OF_PEOPLE)}, or say none and why"
        reading.note(("people",), said)
    if tracked and form.freshness.people is None:
        reading.note(("freshness",), 'with a tracker, "people" is missing: how old may be what it says, as in 100 ms')
    if not tracked and form.freshness.people is not None:
        reading.note(("freshness", "people"), "people: none has no tracker, so nothing is ever this old; leave it out")
    if not tracked and form.people_lost != "veto":
        reading.note(("people_lost",), "people: none has no tracker that could be lost; leave it out")


def _refuse_twice(form: SetForm, reading: Reading) -> None:
    seen: dict[object, int] = {}
    for index, tree in enumerate(form.rules):
        name = tree.get("id")
        if name in seen:
            reading.note(("rules", index, "id"), f'rule "{name}" is there twice; first as rule {seen[name] + 1}')
        seen.setdefault(name, index)


def note_layouts(reading: Reading, setup: Setup, layouts: Sequence[Layout]) -> None:
    """Notes every accepted layout, of which no chunk could ever be permitted on this robot, with the reason."""
    for index, layout in enumerate(layouts):
        wrong = list(unsupported(layout, setup.profile))
        if not wrong and setup.model is not None:
            try:
                wrong = unfollowable(layout, setup.profile, setup.model)
            except UnusableInput as error:
                wrong = [str(error)]
        for message in wrong:
            said = f'layout "{layout.name}" cannot be honoured: {message}; leave it out, or mend it in the profile'
            reading.note(("accepts", "layout", index), said)


def note_faults(reading: Reading, rules: Sequence[Rule], setup: Setup) -> None:
    """Notes every mistake that a kind sees in its own rule (unknown zones, links, bodies and the like), and every
    hazard that the cell's register does not have.
    """
    hazards = [hazard.id for hazard in setup.cell.hazards]
    for index, rule in enumerate(rules):
        if rule.hazard and rule.hazard not in hazards:
            reading.note(
                ("rules", index, "hazard"),
                f'no hazard "{rule.hazard}" in the register of cell {setup.cell.name}, which has: '
                f"{', '.join(hazards) or 'none'}; name one of those, or add it there",
            )
        limit: Kind = rule.limit  # type: ignore[assignment]
        for fault in limit.faults(setup):
            reading.note(("rules", index, *field_path(fault.field)), fault.message)


def field_path(text: str) -> Path:
    """The path that a fault's field means: `except[0].pair` is under `except`, its first item, under `pair`."""
    steps = re.findall(r"[^.\[\]]+", text)
    return tuple(int(step) if step.isdigit() else step for step in steps)
