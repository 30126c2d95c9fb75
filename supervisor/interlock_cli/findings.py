"""How a verdict is shown, in `interlock check` and in `interlock audit show`, and which of its findings tells most."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from rich.table import Table
from rich.text import Text

from interlock.verdict import Attempt, Decision, Finding, Verdict

from .plain import plain
from .printing import counted, print_line, print_table

COLOURS: Final = {"log": "cyan", "warn": "yellow", "slow": "yellow", "truncate": "yellow", "veto": "red"}
OUTCOMES: Final = {"permit": "green", "slow": "yellow", "truncate": "yellow", "veto": "red", "stop": "bold red"}
COUNTS_VETOES: Final = "check:vetoes"  # it only follows from what else is violated


def telling(decision: Decision) -> Finding:
    """What a decision turns on: what was violated worst in what was proposed, but for the count of vetoes, which only
    follows; where nothing was, what came nearest to its limit without standing on it by design.
    """
    findings = decision.attempts[0].verdict.findings  # violated ones first, worst first
    return worst(findings) or nearest(findings) or findings[0]


def worst(findings: Iterable[Finding]) -> Finding | None:
    """The first that is violated, of findings that are in order; the count of vetoes is left out."""
    return next((finding for finding in findings if not finding.ok and finding.rule != COUNTS_VETOES), None)


def nearest(findings: Iterable[Finding]) -> Finding | None:
    """What holds with the least margin, as a share of its limit; what stands exactly on its limit is left out."""
    return min((finding for finding in findings if finding.margin > 0.0), key=lambda found: found.share, default=None)


def print_decision(decision: Decision, by: str, places: Mapping[str, str], *, every: bool) -> None:
    """Prints what was decided, `by` whom, what was tried on the way, and the verdict that the decision rests on.

    `places`: where each rule stands. `every`: the findings that hold too, one by one.
    """
    print_line(f"{decision.reaction} {by}", f"bold {OUTCOMES[decision.reaction]}")
    if decision.permitted:
        last = decision.start_row + decision.rows - 1
        print_line(f"rows {decision.start_row} to {last} and their brake; {decision.progress:.0%} of the path proposed")
    if decision.permitted and len(decision.attempts) > 1:
        print_line("as proposed it was refused:")
        _print_findings(decision.attempts[0].verdict.violated, places)
    for attempt in decision.attempts[1:]:
        print_line(_amendment(attempt))
    print_verdict(decision.verdict, places, every=every)


def _amendment(attempt: Attempt) -> str:
    wrong = worst(attempt.verdict.findings)
    refused = "refused" if wrong is None else f"refused by {wrong.rule}"
    return f"amended: {attempt.amendment}: {'allowed' if attempt.verdict.allowed else refused}"


def print_verdict(verdict: Verdict, places: Mapping[str, str], *, every: bool) -> None:
    """Prints each violated finding whole, and what holds in one line, or one by one."""
    _print_findings(verdict.findings if every else verdict.violated, places)
    if verdict.escape:
        print_line("The start violates already; this motion leads out of it.")
    holding = _holding([finding for finding in verdict.findings if finding.ok])
    if all(finding.rule.startswith("check:") for finding in verdict.findings):
        holding += "; no rule was asked"
    print_line(holding if every else f"{holding} (--all shows them)")


def _print_findings(findings: Sequence[Finding], places: Mapping[str, str]) -> None:
    """Prints findings whole, one below the other."""
    if findings:
        grid = Table.grid(padding=(0, 1, 0, 0))
        grid.add_column(no_wrap=True)
        grid.add_column(overflow="fold")
        for finding in findings:
            grid.add_row(*_cells(finding, places.get(finding.rule, "")))
        print_table(grid)


def _cells(finding: Finding, place: str) -> tuple[Text, Text]:
    """The reaction, or ok; and the rule with its message, over numbers and places."""
    mark = Text("ok", "green") if finding.ok else Text(finding.reaction, COLOURS.get(finding.reaction, "bold red"))
    body = Text.assemble((plain(finding.rule), "bold"), ": ", plain(finding.message))
    details = "; ".join(plain(part) for part in (*finding.details, *([place] if place else [])))
    return mark, body.append(f"\n{details}", "dim") if details else body


def _holding(holding: Iterable[Finding]) -> str:
    """What holds, in one line: how many rules and checks, and what comes nearest to its limit."""
    found = list(holding)
    rules = {finding.rule for finding in found}
    checks = {rule for rule in rules if rule.startswith("check:")}
    near = nearest(found)
    text = f"{counted(len(rules - checks), 'rule')} and {counted(len(checks), 'check')} hold"
    on = sorted({finding.rule for finding in found if finding.margin == 0.0})
    text += f", {', '.join(on)} exactly on the limit" if on else ""
    if near is None or not math.isfinite(near.margin):
        return text
    unit = f" {near.unit}" if near.unit else ""
    return f"{text}; the closest, by share of its limit, is {near.rule} by {near.margin:.4g}{unit}"
