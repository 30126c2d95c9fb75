"""What a rule set's cases come to: the robot is walked through each by the same decision that a policy meets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np

from interlock.arrays import FloatArray
from interlock.case import Case, Memory
from interlock.decide import decide
from interlock.errors import UnusableInput
from interlock.motion import Plan
from interlock.physics import Physics
from interlock.rules import RuleSet
from interlock.scene import RobotState
from interlock.verdict import Decision, Finding, Outcome

from .case_form import CaseForm, ExpectForm
from .loading import Loaded
from .problems import Place
from .proposals import Asked, chunk_of, state_of
from .reaching import OutOfReach
from .routes import Route, route_of

WORDS: Final[dict[Outcome, str]] = {"slow": "slowed", "truncate": "cut", "veto": "veto", "stop": "stop"}


@dataclass(frozen=True, slots=True)
class Result:
    """One case: whether it came out as expected, what did come out, and by which rules it was stopped or let pass."""

    name: str
    place: Place
    passed: bool
    expected: str
    got: str
    stopped_by: tuple[str, ...] = ()
    passed_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """All cases of a rule set, and what they do not show: rules that stop no case, or let none pass."""

    results: tuple[Result, ...]
    never_stop: tuple[str, ...]
    never_pass: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """At least one case, all as expected, and both kinds of case for every rule; a skip is never a pass."""
        complete = not self.never_stop and not self.never_pass
        return bool(self.results) and complete and all(result.passed for result in self.results)


def run_cases(loaded: Loaded, physics: Physics) -> Report:
    """The outcome of every case of a rule set."""
    results = [_run(case, index, loaded, physics) for index, case in enumerate(loaded.form.tests)]
    ids = [rule.id for rule in loaded.rules.rules]
    stop = {rule for result in results if result.passed for rule in result.stopped_by}
    let_pass = {rule for result in results if result.passed for rule in result.passed_by}
    return Report(
        tuple(results),
        tuple(rule for rule in ids if rule not in stop),
        tuple(rule for rule in ids if rule not in let_pass),
    )


def _run(case: CaseForm, index: int, loaded: Loaded, physics: Physics) -> Result:
    place, expected = loaded.document.place(("tests", index)), _expected(case.expect)
    try:
        route = route_of(case, loaded.rules, physics.model)
        decision = walk(loaded.rules, route, physics)
    except (ValueError, OutOfReach, UnusableInput) as error:
        return Result(case.name, place, passed=False, expected=_said(expected), got=f"no case: {error}")
    violated = _ids(finding for finding in decision.attempts[0].verdict.violated)
    outcome = "permitted" if decision.reaction == "permit" else WORDS[decision.reaction]
    passed = outcome == expected[0] and (not expected[1] or expected[1] in violated)
    rules = {rule.id for rule in loaded.rules.rules}
    return Result(
        name=case.name,
        place=place,
        passed=passed,
        expected=_said(expected),
        got=_said((outcome, ", ".join(violated))),
        stopped_by=(expected[1],) if expected[1] else (),
        passed_by=tuple(sorted(rules & set(_ids(decision.verdict.findings)))) if decision.reaction == "permit" else (),
    )


def _ids(findings: Iterable[Finding]) -> list[str]:
    return list(dict.fromkeys(finding.rule for finding in findings))


def _expected(expect: str | ExpectForm) -> tuple[str, str]:
    """The outcome, and the rule that must be among the violated (empty: none)."""
    if isinstance(expect, str):
        return expect, ""
    found = [(word, rule) for word in WORDS.values() if (rule := getattr(expect, word)) is not None]
    return found[0] if len(found) == 1 else ("exactly one of veto, stop, slowed, cut", "")


def _said(outcome: tuple[str, str]) -> str:
    return f"{outcome[0]}: {outcome[1]}" if outcome[1] else outcome[0]


def walk(rules: RuleSet, route: Route, physics: Physics) -> Decision:
    """The decision that ends a route: the first that is no plain permit, or the last of all its chunks.

    Chunks follow each other as from a policy that answers one period ahead; each starts where the last one ends.
    """
    state, reference, memory, number = state_of(rules, route.start, 0), route.start.positions, Memory(), 0
    execute, period_ns = rules.accepts.execute, round(rules.accepts.period_s * 1e9)
    while True:
        first, now_ns = number * execute, number * execute * period_ns
        last = first + execute >= len(route.rows)
        asked = Asked(state, reference, now_ns + period_ns, number, None if last else execute)
        chunk = chunk_of(rules, asked, _window(rules, route.rows, first), _window(rules, route.grippers, first))
        case = Case(now_ns, chunk, state, route.start.scene(now_ns), memory, rules)
        decision = decide(case, physics)
        if last or decision.reaction != "permit" or decision.plan is None:
            return decision
        memory, reference, number = memory.after(case, decision), route.rows[first + execute - 1], number + 1
        state = _measured(rules, route, decision.plan, now_ns + execute * period_ns)


def _window(rules: RuleSet, rows: FloatArray, first: int) -> FloatArray:
    """As many rows as a chunk may have, from `first` on; a route that ends earlier stands still at its end."""
    found = rows[first : first + rules.accepts.rows_max]
    missing = max(0, rules.accepts.rows_min - len(found))
    return np.vstack([found, np.repeat(found[-1:], missing, axis=0)])


def _measured(rules: RuleSet, route: Route, plan: Plan, now_ns: int) -> RobotState:
    """The robot exactly where its committed plan has it."""
    command = plan.at(now_ns)
    return RobotState(
        now_ns, rules.profile.joint_names, command.positions, command.velocities, command.grippers, route.start.held
    )
