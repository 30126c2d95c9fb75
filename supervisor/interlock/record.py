"""What a review puts on record: its whole case and its decision, so that replay needs nothing else; and the way back.

What is large or repeats (the rule set, long arrays, many objects) becomes a blob, named by the SHA-256 of its canonical
JSON.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias, cast

from .case import Case, Memory
from .chunk import ActionChunk, Malformed
from .errors import UnusableInput
from .jsonform import Json, canonical, from_json, to_json
from .rules import RuleSet
from .scene import RobotState, Scene
from .verdict import Decision, Verdict

LoadRules: TypeAlias = Callable[[Json], RuleSet]
ReadBlob: TypeAlias = Callable[[str], Json]

LONGEST_INLINE: Final = 8192  # characters of base64 in a record's line; longer arrays become blobs
_MEANINGS: Final[dict[str, bytes]] = {}  # canonical bytes of the rule set in use, by digest
LONGEST_PART: Final = 9000  # bytes of a chunk, a memory, a plan or a verdict; so that all of them fit a line of 65,535


@dataclass(frozen=True, slots=True)
class Body:
    """The body of one record, and the blobs that it names."""

    body: Mapping[str, Json]
    blobs: Mapping[str, bytes] = field(default_factory=dict[str, bytes])


def review_body(case: Case, decision: Decision, elapsed_ns: int, allowed_ns: int) -> Body:
    """A review: everything that went in, what came out, and how long it took [ns] against how long it might take."""
    blobs: dict[str, bytes] = {}
    body = {
        "case": case_json(case, blobs),
        "timing": {"elapsed_ns": str(elapsed_ns), "allowed_ns": str(allowed_ns)},
        "decision": _decision(decision, blobs),
    }
    return Body(body, blobs)


def recheck_body(case: Case, verdict: Verdict) -> Body:
    """A recheck of the committed plan that refuses what is left of it."""
    blobs: dict[str, bytes] = {}
    return Body({"case": case_json(case, blobs), "verdict": _part(to_json(verdict), blobs)}, blobs)


def case_json(case: Case, blobs: dict[str, bytes]) -> Json:
    """The JSON form of a case; the rule set, and what is large, goes to `blobs`."""
    what = None if case.chunk is None else "malformed" if isinstance(case.chunk, Malformed) else "chunk"
    found: dict[str, Json] = {
        "now_ns": str(case.now_ns),
        "proposal": what,
        "chunk": _part(to_json(case.chunk), blobs),
        "state": _part(to_json(case.state), blobs),
        "scene": _part(to_json(case.scene), blobs),
        "memory": _part(to_json(case.memory), blobs),
        "rules": _rules(case.rules, blobs),
    }
    return found


def read_case(value: Json, read_blob: ReadBlob, load_rules: LoadRules) -> Case:
    """The case back from its JSON form; raises UnusableInput."""
    found = resolved(value, read_blob)
    if not isinstance(found, Mapping) or set(found) != {
        "now_ns",
        "proposal",
        "chunk",
        "state",
        "scene",
        "memory",
        "rules",
    }:
        raise UnusableInput("a case needs now_ns, proposal, chunk, state, scene, memory and rules")
    return Case(
        now_ns=from_json(int, found["now_ns"], "now_ns"),
        chunk=_read_chunk(found["proposal"], found["chunk"]),
        state=from_json(RobotState, found["state"]),
        scene=from_json(Scene, found["scene"]),
        memory=from_json(Memory, found["memory"]),
        rules=load_rules(found["rules"]),
    )


def _read_chunk(proposal: Json, value: Json) -> ActionChunk | Malformed | None:
    if proposal == "chunk":
        return from_json(ActionChunk, value)
    if proposal == "malformed":
        return from_json(Malformed, value)
    if proposal is None and value is None:
        return None
    raise UnusableInput("a proposal is a chunk, malformed, or null with no chunk")


def decision_json(decision: Decision) -> Json:
    """The JSON form of a decision as a record holds it."""
    return _decision(decision, {})


def _decision(decision: Decision, blobs: dict[str, bytes]) -> Json:
    attempts = [
        {"amendment": attempt.amendment, "rows": attempt.rows, "verdict": _part(to_json(attempt.verdict), blobs)}
        for attempt in decision.attempts
    ]
    plan = _part(to_json(decision.plan), blobs)
    return {**cast(Mapping[str, Json], to_json(decision)), "attempts": attempts, "plan": plan}


def _part(value: Json, blobs: dict[str, bytes]) -> Json:
    small = _with_blobs(value, blobs)
    return _blob(small, blobs) if len(canonical(small)) > LONGEST_PART else small


def _rules(rules: RuleSet, blobs: dict[str, bytes]) -> Json:
    """The rule set's meaning as a blob, written out once for each set that is in use."""
    raw = _MEANINGS.get(rules.digest)
    if raw is None:
        raw = canonical(rules.meaning)
        if hashlib.sha256(raw).hexdigest() != rules.digest:
            raise UnusableInput(f"rule set {rules.name!r} is not what its digest {rules.digest[:12]} says")
        _MEANINGS.clear()
        _MEANINGS[rules.digest] = raw
    blobs[rules.digest] = raw
    return {"blob": rules.digest}


def _blob(value: Json, blobs: dict[str, bytes]) -> Json:
    raw = canonical(value)
    name = hashlib.sha256(raw).hexdigest()
    blobs[name] = raw
    return {"blob": name}


def _with_blobs(value: Json, blobs: dict[str, bytes]) -> Json:
    if isinstance(value, Mapping):
        packed = next((value[key] for key in ("f64", "i64", "b8") if key in value), None)
        if isinstance(packed, str) and len(packed) > LONGEST_INLINE:
            return _blob(value, blobs)
        return {key: _with_blobs(item, blobs) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_with_blobs(item, blobs) for item in value]
    return value


def resolved(value: Json, read_blob: ReadBlob) -> Json:
    """A part of a record with what its blobs hold in their place; raises what `read_blob` raises."""
    if isinstance(value, Mapping):
        name = value.get("blob")
        if set(value) == {"blob"} and isinstance(name, str):
            return resolved(read_blob(name), read_blob)
        return {key: resolved(item, read_blob) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [resolved(item, read_blob) for item in value]
    return value
