"""`interlock check`: one review from files; and `interlock example`, which writes files to begin with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Literal

import typer

from interlock.case import Case, Memory
from interlock.chunk import ActionChunk
from interlock.decide import decide
from interlock.errors import UnusableInput
from interlock.jsonform import Json, from_json, parse, to_json, written_out
from interlock.rules import RuleSet
from interlock.scene import RobotState, Scene
from interlock.schema import json_schema
from interlock.verdict import Decision, Finding
from interlock_rules import load
from interlock_rules.example import standing_still

from .findings import print_decision
from .printing import print_json

EXAMPLE_NS: Final = 1_000_000_000
LONGEST: Final = 16 * 1024 * 1024  # bytes of one input file

RulesOption = Annotated[str, typer.Option("--rules", help="A shipped rule set by name, or a file.")]


def check(
    rules: RulesOption,
    state: Annotated[Path, typer.Option("--state", help="The robot's state, as JSON.")],
    chunk: Annotated[Path, typer.Option("--chunk", help="The chunk, as JSON; arrays may be nested lists.")],
    scene: Annotated[Path | None, typer.Option("--scene", help="Mode and objects, as JSON.")] = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="Show also what holds, one by one.")] = False,
    form: Annotated[Literal["text", "json"], typer.Option("--format")] = "text",
) -> None:
    """Reviews one chunk, as at the moment it was received. Exit 0: permitted or amended, 1: refused, 2: unusable."""
    from interlock.bullet_physics import BulletPhysics  # noqa: PLC0415 - slow to import, and --help needs none

    rule_set = load(rules)
    found = _named(read_json(chunk), rule_set)
    proposal = from_json(ActionChunk, found, "chunk")
    if proposal.stamps.received_ns is None:
        raise UnusableInput(f"{chunk}: stamps.received_ns is missing; the review happens at that moment")
    case = Case(
        now_ns=proposal.stamps.received_ns,
        chunk=proposal,
        state=from_json(RobotState, read_json(state), "state"),
        scene=Scene(mode=None, objects=None) if scene is None else from_json(Scene, read_json(scene), "scene"),
        memory=Memory(),
        rules=rule_set,
    )
    decision = decide(case, BulletPhysics(rule_set.profile, rule_set.cell))
    if form == "json":
        print_json(as_json(decision))
    else:
        print_decision(decision, f"by rule set {rule_set.name}, serial {rule_set.serial}", rule_set.places, every=every)
    raise typer.Exit(0 if decision.permitted else 1)


def example(
    rules: RulesOption,
    directory: Annotated[Path, typer.Argument(help="Where to write state.json, chunk.json and scene.json.")],
) -> None:
    """Writes a state, a scene and a chunk that this rule set permits: the robot rests in its first pose."""
    rule_set = load(rules)
    directory.mkdir(parents=True, exist_ok=True)
    for name, value in zip(("state", "chunk", "scene"), standing_still(rule_set, EXAMPLE_NS), strict=True):
        path = directory / f"{name}.json"
        path.write_text(json.dumps(written_out(to_json(value)), indent=2) + "\n", encoding="utf-8")
        typer.echo(path)


FORMS: Final = {"chunk": ActionChunk, "state": RobotState, "scene": Scene, "decision": Decision}


def schema(form: Annotated[Literal["chunk", "state", "scene", "decision"], typer.Argument()]) -> None:
    """Prints the JSON Schema of a chunk, a state, a scene or a recorded decision."""
    typer.echo(json.dumps(json_schema(FORMS[form]), indent=2))


def as_json(decision: Decision) -> Json:
    """What `--format json` prints: the decision, and every finding of the verdict that it rests on."""
    return {
        "format": "interlock/decision/1",
        "reaction": decision.reaction,
        "permitted": decision.permitted,
        "start_row": decision.start_row,
        "permitted_rows": decision.rows,
        "progress": decision.progress,
        "attempts": [attempt.amendment for attempt in decision.attempts],
        "findings": [{"ok": finding.ok, **_fields(finding)} for finding in decision.verdict.findings],
    }


def _fields(finding: Finding) -> Mapping[str, Json]:
    found = to_json(finding)
    return found if isinstance(found, Mapping) else {}


def read_json(path: Path) -> Json:
    """The JSON in a file of at most LONGEST bytes; raises UnusableInput."""
    try:
        with path.open("rb") as file:
            raw = file.read(LONGEST + 1)
    except OSError as error:
        raise UnusableInput(f"{path}: {error.strerror}") from error
    if len(raw) > LONGEST:
        raise UnusableInput(f"{path}: a file may hold at most {LONGEST // 1024 // 1024} MiB")
    return parse(raw, str(path))


def _named(value: Json, rules: RuleSet) -> Json:
    """A chunk file may name its layout and profile; what they stand for is this rule set's, to the byte."""
    if not isinstance(value, Mapping):
        return value
    digests = {layout.name: layout.digest for layout in rules.accepts.layouts}
    layout, profile = value.get("layout"), value.get("profile")
    return {
        **value,
        "layout": digests.get(layout, layout) if isinstance(layout, str) else layout,
        "profile": rules.profile_digest if profile == rules.profile.name else profile,
    }
