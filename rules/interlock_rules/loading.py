"""Loading: from a name or a path to a rule set that can be enforced, and what an author should know about it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from interlock.errors import UnusableInput
from interlock.profile import Profile
from interlock.rules import RuleSet
from interlock.scene import Cell

from .cell_file import read_cell
from .files import beside, find, read_file
from .kind import Setup
from .meaning import Head, rule_set
from .profile_file import read_profile
from .provocations import setup_of, with_provocations
from .reading import Reading
from .regions import Regions, read_regions
from .robot_check import Difference, fit
from .set_file import Parts, note_faults, note_layouts, read_set
from .set_form import SetForm
from .yaml_text import Document


@dataclass(frozen=True, slots=True)
class Robot:
    """A profile, where its limits and the URDF's differ, and the file that it was read from."""

    profile: Profile
    differences: tuple[Difference, ...]
    document: Document


@dataclass(frozen=True, slots=True)
class Loaded:
    """A rule set, and all that it was read from: its form with the cases, its file, its robot, its cell's file."""

    rules: RuleSet
    form: SetForm
    document: Document
    robot: Robot
    cell_document: Document
    setup: Setup


def load(name_or_path: str | Path) -> RuleSet:
    """The rule set of a shipped name or of a file; raises UnusableInput with the place of everything that is wrong."""
    return load_report(name_or_path).rules


def load_profile(name_or_path: str | Path) -> Profile:
    """The profile of a shipped robot or of a file, tightened by its URDF; raises UnusableInput."""
    return _robot(read_file(find("robots", name_or_path))).profile


def load_cell(name_or_path: str | Path) -> Cell:
    """The shipped cell of that name, or that of a file; raises UnusableInput."""
    path = find("cells", name_or_path)
    return read_cell(read_file(path), path.parent)


def load_regions(name_or_path: str | Path) -> Regions:
    """The shipped table of body regions of that name, or that of a file; raises UnusableInput."""
    return read_regions(read_file(find("regions", name_or_path)))


def load_report(name_or_path: str | Path) -> Loaded:
    """The rule set with all that it was read from; raises UnusableInput as `load` does.

    1. Read the set's form, then the robot and the cell that it names.
    2. Resolve names, and read every rule by its kind, with the tables that it names.
    3. Ask of every accepted layout whether the robot can follow it, and every rule for its mistakes.
    4. Ask every rule for a case that it must refuse.
    """
    path = find("sets", name_or_path)
    document = read_file(path)
    reading = Reading(document)
    form = reading.end(reading.read(SetForm, document.root.tree))
    robot = _robot(read_file(_named(reading, "robot", form.robot, path)))
    cell_path = _named(reading, "cell", form.cell, path)
    cell_document = read_file(cell_path)
    cell = read_cell(cell_document, cell_path.parent)
    parts = reading.end(read_set(form, reading, robot.profile, partial(_regions, path)))
    setup = setup_of(robot.profile, cell, parts.accepts, parts.freshness.people_s)
    note_layouts(reading, setup, parts.accepts.layouts)
    note_faults(reading, parts.rules, setup)
    rules = reading.end(reading.build(("rules",), lambda: _rule_set(parts, document, setup)))
    rules = reading.end(with_provocations(rules, setup, reading))
    return Loaded(rules, form, document, robot, cell_document, setup)


def _regions(set_path: Path, name: str) -> Regions:
    return load_regions(beside("regions", name, set_path))


def _robot(document: Document) -> Robot:
    reading = Reading(document)
    profile, differences = fit(read_profile(document), reading)
    return reading.end(Robot(profile, differences, document))


def _named(reading: Reading, key: str, name: str, set_path: Path) -> Path:
    """The file that the set names under a key; raises BadFile at that key where there is none."""
    try:
        return beside("robots" if key == "robot" else "cells", name, set_path)
    except UnusableInput as error:
        reading.note((key,), str(error))
        return reading.end(None)


def _rule_set(parts: Parts, document: Document, setup: Setup) -> RuleSet:
    form = parts.form
    head = Head(
        format="interlock/meaning/1",
        name=form.name,
        serial=form.serial,
        profile=setup.profile,
        cell=setup.cell,
        modes=form.modes,
        accepts=parts.accepts,
        freshness=parts.freshness,
        people=form.people,
        people_because=form.people_because,
        people_lost=form.people_lost,
    )
    places = {rule.id: document.place(("rules", index)).text for index, rule in enumerate(parts.rules)}
    return rule_set(head, parts.rules, places)
