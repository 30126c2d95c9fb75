"""What a rule set means, as canonical JSON in SI units: what its digest is of, and what replay builds it from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

from pydantic import ValidationError

from interlock.errors import UnusableInput
from interlock.jsonform import Json, digest, from_json, to_json
from interlock.profile import Profile
from interlock.rules import Accepts, Freshness, Limit, Reaction, Rule, RuleSet, When
from interlock.scene import Cell

from .kinds import KINDS
from .reading import adapter

FORMAT: Final = "interlock/meaning/1"


@dataclass(frozen=True, slots=True)
class Head:
    """Everything that a rule set means, except its rules."""

    format: Literal["interlock/meaning/1"]
    name: str
    serial: int
    profile: Profile
    cell: Cell
    modes: tuple[str, ...]
    accepts: Accepts
    freshness: Freshness
    people: Literal["none", "tracker"]
    people_because: str
    people_lost: Literal["veto", "stop"]


@dataclass(frozen=True, slots=True)
class RuleHead:
    """Everything that a rule means, except its limit."""

    id: str
    because: str
    on_violation: Reaction
    when: When
    hazard: str


def rule_set(head: Head, rules: tuple[Rule, ...], places: Mapping[str, str]) -> RuleSet:
    """The rule set with its meaning and digest; no provocations yet. Raises ValueError if it enforces nothing."""
    meaning = {**cast(dict[str, Json], to_json(head)), "rules": [to_json(rule) for rule in rules]}
    return RuleSet(
        name=head.name,
        serial=head.serial,
        profile=head.profile,
        cell=head.cell,
        modes=head.modes,
        accepts=head.accepts,
        freshness=head.freshness,
        people=head.people,
        people_lost=head.people_lost,
        rules=rules,
        meaning=meaning,
        digest=digest(meaning),
        profile_digest=head.profile.digest,
        places=places,
    )


def from_meaning(meaning: Json) -> RuleSet:
    """The rule set that a meaning was taken from, with the same digest and without places; raises UnusableInput."""
    if not isinstance(meaning, Mapping) or not isinstance(meaning.get("rules"), list | tuple):
        raise UnusableInput("the meaning of a rule set is an object with rules; this is none")
    head = from_json(Head, {key: value for key, value in meaning.items() if key != "rules"}, "meaning")
    trees = cast(list[Json], meaning["rules"])
    rules = tuple(_rule(tree, f"meaning.rules[{index}]") for index, tree in enumerate(trees))
    try:
        found = rule_set(head, rules, {})
    except ValueError as error:
        raise UnusableInput(f"meaning: {error}") from error
    if found.digest != digest(meaning):
        raise UnusableInput(
            "this meaning was not written by this version: what is read back from it has another digest"
        )
    return found


def _rule(tree: Json, where: str) -> Rule:
    if not isinstance(tree, Mapping) or not isinstance(tree.get("limit"), Mapping):
        raise UnusableInput(f"{where}: expected an object with a limit")
    head = from_json(RuleHead, {key: value for key, value in tree.items() if key != "limit"}, where)
    limit = _limit(cast(Mapping[str, Json], tree["limit"]), f"{where}.limit")
    return Rule(head.id, limit, head.because, head.on_violation, head.when, head.hazard)


def _limit(tree: Mapping[str, Json], where: str) -> Limit:
    kind = tree.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise UnusableInput(f"{where}: kind must be one of {', '.join(KINDS)}, got {kind!r}")
    fields: dict[str, Any] = {key: value for key, value in tree.items() if key != "kind"}
    try:
        return cast(Limit, adapter(KINDS[kind]).validate_json(json.dumps(fields), by_name=True, by_alias=False))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(step) for step in first["loc"])
        raise UnusableInput(f"{where}.{place}: {first['msg'].removeprefix('Value error, ')}") from error
