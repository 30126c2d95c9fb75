"""How replay computes a recorded decision again: the same core, with rule sets read back from the record itself."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from interlock.bullet_physics import BulletPhysics
from interlock.decide import decide, late
from interlock.errors import UnusableInput
from interlock.jsonform import Json, canonical
from interlock.physics import Physics
from interlock.record import decision_json, read_case
from interlock.rules import RuleSet
from interlock_audit_logs import Again, BlobReader, json_reader
from interlock_rules import from_meaning


def open_again() -> Again:
    """A function from a review's body to its decision, computed again; each rule set and its physics are built once."""
    known: dict[str, tuple[RuleSet, Physics]] = {}

    def rules_and_physics(meaning: Json) -> tuple[RuleSet, Physics]:
        name = hashlib.sha256(canonical(meaning)).hexdigest()
        if name not in known:
            rules = from_meaning(meaning)
            known[name] = rules, BulletPhysics(rules.profile, rules.cell)
        return known[name]

    def again(body: Mapping[str, Json], blobs: BlobReader) -> Json:
        case = read_case(body["case"], json_reader(blobs), lambda meaning: rules_and_physics(meaning)[0])
        _, physics = rules_and_physics(case.rules.meaning)
        elapsed_ns, allowed_ns = _timing(body.get("timing"))
        return decision_json(late(case, decide(case, physics), elapsed_ns, allowed_ns))

    return again


def _timing(value: Json) -> tuple[int, int]:
    """How long the decision took and how long it might take [ns], as recorded (F-20)."""
    if not isinstance(value, Mapping):
        raise UnusableInput("a review needs its timing")
    elapsed, allowed = value.get("elapsed_ns"), value.get("allowed_ns")
    if not isinstance(elapsed, str) or not isinstance(allowed, str):
        raise UnusableInput("timing needs elapsed_ns and allowed_ns as decimal text")
    return int(elapsed), int(allowed)
