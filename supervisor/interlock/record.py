"""What a review puts on record: its whole case and its decision, so that replay needs nothing else; and the way back.

What is large or repeats (rule set, scene, long arrays) becomes a blob, named by the SHA-256 of its canonical JSON.
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
from .verdict import Decision

LoadRules: TypeAlias = Callable[[Json], RuleSet]
ReadBlob: TypeAlias = Callable[[str], Json]

LONGEST_INLINE: Final = 8192  # characters of base64 in a record's line; longer arrays become blobs


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
        "decision": _with_blobs(to_json(decision), blobs),
    }
    return Body(body, blobs)


def case_json(case: Case, blobs: dict[str, bytes]) -> Json:
    """The JSON form of a case; rule set and scene go to `blobs`."""
    what = None if case.chunk is None else "malformed" if isinstance(case.chunk, Malformed) else "chunk"
    found: dict[str, Json] = {
        "now_ns": str(case.now_ns),
        "proposal": what,
        "chunk": to_json(case.chunk),
        "state": to_json(case.state),
        "scene": _blob(to_json(case.scene), blobs),
        "memory": to_json(case.memory),
        "rules": _blob(case.rules.meaning, blobs),
    }
    return _with_blobs(found, blobs)


def read_case(value: Json, read_blob: ReadBlob, load_rules: LoadRules) -> Case:
    """The case back from its JSON form; raises UnusableInput."""
    found = _resolved(value, read_blob)
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
    forms: dict[str, type[ActionChunk | Malformed]] = {"chunk": ActionChunk, "malformed": Malformed}
    form = forms.get(str(found["proposal"]))
    return Case(
        now_ns=int(cast(str, found["now_ns"])),
        chunk=None if form is None else from_json(form, found["chunk"]),
        state=from_json(RobotState, found["state"]),
        scene=from_json(Scene, found["scene"]),
        memory=from_json(Memory, found["memory"]),
        rules=load_rules(found["rules"]),
    )


def decision_json(decision: Decision) -> Json:
    """The JSON form of a decision as a record holds it."""
    return _with_blobs(to_json(decision), {})


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


def _resolved(value: Json, read_blob: ReadBlob) -> Json:
    if isinstance(value, Mapping):
        name = value.get("blob")
        if set(value) == {"blob"} and isinstance(name, str):
            return read_blob(name)
        return {key: _resolved(item, read_blob) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_resolved(item, read_blob) for item in value]
    return value
