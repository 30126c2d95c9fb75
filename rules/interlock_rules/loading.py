"""Loading: from a name or a path to a rule set that can be enforced, and what an author should know about it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from interlock.profile import Profile
from interlock.rules import RuleSet
from interlock.scene import Cell

from .cell_file import read_cell
from .files import beside, find, read_file
from .meaning import Head, rule_set
from .profile_file import read_profile
from .reading import Reading
from .set_file import Parts, read_set
from .set_form import SetForm
from .yaml_text import Document


@dataclass(frozen=True, slots=True)
class Loaded:
    """A rule set, and what it was read from: its form with the cases, and the three documents."""

    rules: RuleSet
    form: SetForm
    document: Document
    profile_document: Document
    cell_document: Document


def load(name_or_path: str | Path) -> RuleSet:
    """The rule set of a shipped name or of a file; raises UnusableInput with the place of everything that is wrong."""
    return load_report(name_or_path).rules


def load_profile(name_or_path: str | Path) -> Profile:
    """The profile of a shipped robot or of a file; raises UnusableInput."""
    return read_profile(read_file(find("robots", name_or_path)))


def load_cell(name_or_path: str | Path) -> Cell:
    """The shipped cell of that name, or that of a file; raises UnusableInput."""
    return read_cell(read_file(find("cells", name_or_path)))


def load_report(name_or_path: str | Path) -> Loaded:
    """The rule set with what it was read from; raises UnusableInput as `load` does."""
    path = find("sets", name_or_path)
    document = read_file(path)
    reading = Reading(document)
    form = reading.end(reading.read(SetForm, document.root.tree))
    profile_document = read_file(beside("robots", form.robot, path))
    cell_document = read_file(beside("cells", form.cell, path))
    profile, cell = read_profile(profile_document), read_cell(cell_document)
    parts = reading.end(read_set(form, reading, profile))
    rules = reading.end(reading.build(("rules",), lambda: _rule_set(parts, document, profile, cell)))
    return Loaded(rules, form, document, profile_document, cell_document)


def _rule_set(parts: Parts, document: Document, profile: Profile, cell: Cell) -> RuleSet:
    form = parts.form
    head = Head(
        format="interlock/meaning/1",
        name=form.name,
        serial=form.serial,
        profile=profile,
        cell=cell,
        modes=form.modes,
        accepts=parts.accepts,
        freshness=parts.freshness,
        people=form.people,
        people_because=form.people_because,
    )
    places = {rule.id: document.place(("rules", index)).text for index, rule in enumerate(parts.rules)}
    return rule_set(head, parts.rules, places)
