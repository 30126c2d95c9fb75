"""`interlock rules`: lints rule sets, runs their cases, prints the schemas of their files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Final, Literal

import typer
from rich.text import Text

from interlock.jsonform import Json
from interlock_rules import load_report
from interlock_rules.cases import Report, Result, run_cases
from interlock_rules.lint import Remark
from interlock_rules.lint import lint as lint_set
from interlock_rules.schemas import schema as schema_of

from .plain import plain
from .printing import console, counted

app = typer.Typer(no_args_is_help=True)

Sets = Annotated[list[str], typer.Argument(help="Shipped rule sets by name, or files.")]
Form = Annotated[Literal["text", "json"], typer.Option("--format", help="For people, or one JSON object.")]
UNUSABLE: Final = 2
COLOURS: Final = {"error": "bold red", "warning": "yellow", "note": "cyan"}


@app.command()
def lint(
    sets: Sets, *, notes: Annotated[bool, typer.Option(help="Show notes too.")] = True, form: Form = "text"
) -> None:
    """Show every mistake that can be seen without a robot. Exit 1: an error or a warning, 2: a file cannot be read."""
    remarks = [remark for name in sets for remark in lint_set(name) if notes or remark.severity != "note"]
    if form == "json":
        typer.echo(json.dumps({"format": "interlock/lint/1", "remarks": [_remark(one) for one in remarks]}, indent=2))
    else:
        _show_remarks(remarks)
    if any(remark.id == "unreadable" for remark in remarks):
        raise typer.Exit(UNUSABLE)
    raise typer.Exit(int(any(remark.severity != "note" for remark in remarks)))


@app.command("test")
def run_tests(sets: Sets, *, form: Form = "text") -> None:
    """Run the cases of rule sets. Exit 1: a case came out otherwise, or a rule has none that it stops, or lets pass."""
    reports = {name: _run(name) for name in sets}
    if form == "json":
        found: Json = {"format": "interlock/cases/1", "sets": {name: _report(one) for name, one in reports.items()}}
        typer.echo(json.dumps(found, indent=2))
    else:
        for name, report in reports.items():
            _show_report(name, report)
    raise typer.Exit(int(not all(report.passed for report in reports.values())))


@app.command()
def schema(
    name: Annotated[Literal["ruleset", "profile", "cell", "regions"], typer.Argument(help="Which kind of file.")],
) -> None:
    """Print the JSON Schema of a kind of file, for editors."""
    typer.echo(json.dumps(schema_of(name), indent=2))


def _run(name: str) -> Report:
    from interlock.bullet_physics import BulletPhysics  # noqa: PLC0415 - slow to import, and lint needs none

    loaded = load_report(name)
    return run_cases(loaded, BulletPhysics(loaded.rules.profile, loaded.rules.cell))


def _remark(remark: Remark) -> Json:
    place = remark.problem.place
    return {
        "id": remark.id,
        "severity": remark.severity,
        "file": place.source,
        "line": place.line,
        "column": place.column,
        "message": remark.problem.message,
    }


def _show_remarks(remarks: Sequence[Remark]) -> None:
    for remark in remarks:
        _print(Text(f"{remark.severity} {remark.id}", style=COLOURS[remark.severity]))
        _say(remark.problem.text.splitlines())
    counts = [counted(sum(one.severity == name for one in remarks), name) for name in COLOURS]
    _print(Text(", ".join(counts)))


def _say(lines: Sequence[str]) -> None:
    for line in lines:
        _print(Text(plain(line)))


def _print(*parts: Text) -> None:
    console().print(*parts, soft_wrap=True)


def _report(report: Report) -> Json:
    return {
        "passed": report.passed,
        "cases": [_result(result) for result in report.results],
        "never_stop": list(report.never_stop),
        "never_pass": list(report.never_pass),
    }


def _result(result: Result) -> Json:
    return {
        "name": result.name,
        "place": result.place.text,
        "passed": result.passed,
        "expected": result.expected,
        "got": result.got,
    }


def _show_report(name: str, report: Report) -> None:
    _print(Text(plain(name), style="bold"))
    for result in report.results:
        mark = Text("  ok    ", style="green") if result.passed else Text("  FAILED", style="bold red")
        _print(mark, Text(plain(result.name)))
        if not result.passed:
            _say([f"         {result.place.text}: expected {result.expected}; got {result.got}"])
    missing = [f"  {rule}: no case that it stops" for rule in report.never_stop]
    missing += [f"  {rule}: no case that it lets pass" for rule in report.never_pass]
    missing += [] if report.results else ["  no case at all, which is a failure"]
    _say(missing)
    passed = sum(result.passed for result in report.results)
    _print(Text(f"  {passed} of {counted(len(report.results), 'case')} as expected, {len(missing)} missing"))
