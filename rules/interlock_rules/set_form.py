"""A rule set's file as its author writes it; `set_file` makes a rule set of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, ConfigDict, Field, WithJsonSchema

from interlock.rules import Reaction

from .case_form import CaseForm
from .forms import FORM, Count, Digest, Name, Text, parse_count
from .quantities import Duration

# An object whose keys depend on its `kind`: read in a second step, rule by rule.
RuleTree = dict[str, Any]


@dataclass(frozen=True, slots=True)
class RowsRange:
    """The fewest and the most rows that a chunk may have; written `10 to 64`."""

    least: int
    most: int


def parse_rows(text: object) -> RowsRange:
    """Two whole numbers joined by ` to `; raises ValueError."""
    least, joined, most = text.partition(" to ") if isinstance(text, str) else ("", "", "")
    if not joined:
        raise ValueError(f"{text!r} is no range of rows: expected two whole numbers, as in '10 to 64'")
    return RowsRange(parse_count(least), parse_count(most))


Rows = Annotated[
    RowsRange,
    BeforeValidator(parse_rows),
    WithJsonSchema({"type": "string", "pattern": "^[0-9]+ to [0-9]+$", "examples": ["10 to 64"]}),
]


@dataclass(frozen=True, slots=True)
class AcceptsForm:
    """What is taken from a policy: layouts of the profile, the period of rows, how many there are and how many are
    executed before the next chunk is due, the normalisation that was undone, and the SHA-256 of its statistics, which
    an adapter tells; none where the normalisation is none.
    """

    layout: tuple[Name, ...]
    period: Duration
    rows: Rows
    execute: Count
    normalisation: Literal["none", "z_score", "quantile"]
    statistics: Digest | None = None


@dataclass(frozen=True, slots=True)
class FreshnessForm:
    """How old an observation, a robot state, the objects of a scene and, where a tracker sees them, people may be."""

    observation: Duration
    state: Duration
    objects: Duration
    people: Duration | None = None


@dataclass(frozen=True, slots=True)
class WhenForm:
    """In which of the set's modes a rule applies; it also does where the mode is unknown."""

    mode: Name | tuple[Name, ...]


@dataclass(frozen=True, slots=True)
class RuleForm:
    """What every rule has, whatever its kind."""

    __pydantic_config__: ClassVar[ConfigDict] = FORM
    id: Name
    because: Text
    on_violation: Reaction = "veto"
    when: WhenForm | None = None
    hazard: Name | None = None


@dataclass(frozen=True, slots=True)
class SetForm:
    """A rule set's file: one robot in one cell, what is accepted from a policy, the rules, and cases."""

    __pydantic_config__: ClassVar[ConfigDict] = FORM
    format: Literal["interlock/ruleset/1"]
    name: Name
    serial: Count
    robot: Name
    cell: Name
    modes: Annotated[tuple[Name, ...], Field(min_length=1)]
    accepts: AcceptsForm
    freshness: FreshnessForm
    people: Literal["none", "tracker"]
    """`none`: nobody is ever near, for the reason in `people_because`. `tracker`: the scene says who is where, and
    rules of kind `separation` or `contact_energy` read it.
    """
    people_because: Text
    """Why nobody is near, or which tracker sees all who are."""
    rules: Annotated[tuple[RuleTree, ...], Field(min_length=1)]
    tests: tuple[CaseForm, ...] = ()
    people_lost: Literal["veto", "stop"] = "veto"
    """With a tracker: what follows where it says nothing of people, or nothing that is fresh."""
