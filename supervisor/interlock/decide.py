"""The one pure decision: judge what is proposed, amend it where its rules say so, and judge again; everything on
record.

1. Judge the proposal. Allowed: permit it.
2. Only slowable violations: slow the path, at most three times, each judged from the start.
3. Still violated, or a rule says truncate: cut before the first refused point, once, judged from the start.
4. Otherwise veto; stop where a rule says so, where vetoes have become too many, or where an escape takes too long.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from .amend import SLOWEST, cut, factor, slowed
from .build import Proposal
from .case import Case
from .checks import flag
from .judge import Judgement, judge, ordered
from .physics import Physics
from .rules import SEVERITY
from .verdict import Attempt, Decision, Outcome, Verdict

SLOWINGS: Final = 3


def decide(case: Case, physics: Physics) -> Decision:
    """What is permitted of a case's chunk; pure: the same case gives the same bytes."""
    first = judge(case, physics)
    attempts = [_attempt("as proposed", first)]
    proposal = first.proposal
    if proposal is None:
        return _refused(case, attempts)
    if first.verdict.allowed:
        return _permitted("permit", proposal, attempts)
    if SEVERITY[first.verdict.reaction] <= SEVERITY["truncate"]:
        amended = _slow(case, first, proposal, physics, attempts) or _cut(case, first, proposal, physics, attempts)
        if amended is not None:
            return amended
    return _refused(case, attempts)


def _attempt(amendment: str, judgement: Judgement) -> Attempt:
    rows = judgement.proposal.path.commit if judgement.proposal is not None else 0
    return Attempt(amendment, rows, judgement.verdict)


def _slow(
    case: Case, first: Judgement, proposal: Proposal, physics: Physics, attempts: list[Attempt]
) -> Decision | None:
    judgement, speed = first, 1.0
    for _ in range(SLOWINGS):
        by = factor(judgement, proposal.path, speed, case.rules.profile)
        if by is None or speed * by < SLOWEST:
            return None
        speed *= by
        path = slowed(proposal.path, speed, case.rules.profile, physics.model)
        judgement = judge(case, physics, path)
        attempts.append(_attempt(f"slowed to {speed:.3f}", judgement))
        if judgement.proposal is not None and judgement.verdict.allowed:
            return _permitted("slow", judgement.proposal, attempts)
    return None


def _cut(
    case: Case, first: Judgement, proposal: Proposal, physics: Physics, attempts: list[Attempt]
) -> Decision | None:
    path = cut(proposal, first)
    if path is None:
        return None
    judgement = judge(case, physics, path)
    attempts.append(_attempt(f"cut to {path.commit} rows", judgement))
    if judgement.proposal is not None and judgement.verdict.allowed:
        return _permitted("truncate", judgement.proposal, attempts)
    return None


def _permitted(reaction: Outcome, proposal: Proposal, attempts: list[Attempt]) -> Decision:
    path = proposal.path
    return Decision(
        reaction=reaction,
        start_row=path.start_row,
        rows=path.commit,
        progress=min(1.0, float(path.covered[path.commit - 1]) / attempts[0].rows),
        attempts=tuple(attempts),
        plan=proposal.plan,
    )


def _refused(case: Case, attempts: list[Attempt]) -> Decision:
    """A veto; a stop if a rule asks for it, or if this is one veto too many in a row."""
    stop = attempts[0].verdict.reaction == "stop"
    limit = case.rules.profile.vetoes_before_stop
    if not stop and case.memory.vetoes + 1 >= limit:
        stop = True
        attempts[0] = _with(attempts[0], f"{case.memory.vetoes + 1} vetoes in a row; the profile stops at {limit}")
    return Decision("stop" if stop else "veto", 0, 0, 0.0, tuple(attempts), None)


def _with(attempt: Attempt, message: str) -> Attempt:
    findings = (*attempt.verdict.findings, flag("vetoes", False, message, "stop"))
    return replace(attempt, verdict=Verdict(ordered(findings)))


def late(case: Case, decision: Decision, elapsed_ns: int, allowed_ns: int) -> Decision:
    """F-20: a permit that took longer than the time left before its first row is a veto, and counts as one; a refusal
    is never late.
    """
    if not decision.permitted or elapsed_ns <= allowed_ns:
        return decision
    message = f"decided after {elapsed_ns / 1e6:.1f} ms; the first row was due after {allowed_ns / 1e6:.1f} ms"
    verdict = Verdict((flag("late", False, message), *decision.verdict.findings))
    return _refused(case, [Attempt("too late", 0, verdict), *decision.attempts])


def unrecorded(decision: Decision, why: str) -> Decision:
    """F-42: what could not be put on record does not move: a stop."""
    attempt = Attempt("not on record", 0, Verdict((flag("log", False, f"no record, no motion: {why}", "stop"),)))
    return Decision("stop", 0, 0, 0.0, (attempt, *decision.attempts), None)
