"""Allowed is a conjunction with at least one enforced term, and a decision cannot say what it does not permit."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from interlock.verdict import Attempt, Decision, Finding, Verdict
from tests.supervisor.toy import plan, ramp


def finding(margin: float, reaction: Any = "veto") -> Finding:
    return Finding("R", "k", reaction, margin, 0.0, 1.0, "", "")


@pytest.mark.parametrize(
    ("findings", "allowed", "reaction"),
    [
        ((), False, "veto"),
        ((finding(1.0, "log"), finding(1.0, "warn")), False, "veto"),
        ((finding(-1.0, "warn"),), False, "veto"),
        ((finding(0.0),), True, "log"),
        ((finding(-0.0),), True, "log"),
        ((finding(math.nan),), False, "veto"),
        ((finding(-math.inf, "slow"),), False, "slow"),
        ((finding(1.0), finding(-1.0, "warn")), True, "log"),
        ((finding(-1.0, "slow"), finding(-1.0, "truncate"), finding(1.0, "stop")), False, "truncate"),
        ((finding(-1.0, "stop"), finding(-1.0, "slow")), False, "stop"),
    ],
)
def test_F38_nothing_enforced_allows_nothing_and_nan_is_never_ok(
    findings: tuple[Finding, ...],
    allowed: bool,  # noqa: FBT001 - a case
    reaction: str,
) -> None:
    verdict = Verdict(findings)

    assert verdict.allowed is allowed
    assert verdict.reaction == reaction
    assert len(verdict.violated) == sum(not found.ok for found in findings)


GOOD, BAD = (Attempt("as proposed", 2, Verdict((finding(margin),))) for margin in (1.0, -1.0))
PLAN = plan(ramp(3)[:, :2], 0)


@pytest.mark.parametrize(
    ("reaction", "rows", "attempts", "with_plan"),
    [
        ("permit", 2, (GOOD,), False),
        ("permit", 0, (GOOD,), True),
        ("permit", 2, (), True),
        ("slow", 2, (GOOD, BAD), True),
        ("truncate", 2, (BAD,), True),
        ("veto", 0, (BAD,), True),
        ("stop", 2, (BAD,), False),
        ("veto", 0, (), False),
    ],
)
def test_a_decision_that_contradicts_itself_cannot_be_made(
    reaction: Any,
    rows: int,
    attempts: tuple[Attempt, ...],
    with_plan: bool,  # noqa: FBT001 - a case
) -> None:
    with pytest.raises(ValueError, match=r"permits nothing|needs"):
        Decision(reaction, 0, rows, 1.0, attempts, PLAN if with_plan else None)


def test_a_permit_rests_on_its_last_judgement_and_a_refusal_on_its_first() -> None:
    permit = Decision("slow", 0, 2, 1.0, (BAD, GOOD), PLAN)
    veto = Decision("veto", 0, 0, 0.0, (BAD, GOOD), None)

    assert permit.verdict.allowed
    assert permit.permitted
    assert not veto.verdict.allowed
    assert not veto.permitted


def test_a_finding_says_its_numbers_on_one_line() -> None:
    found = Finding(
        "KEEP-IN", "keep_in", "veto", -0.25, 1.25, 1.0, "m", "reach", 7, 0.14, "row", ("hand",), (1.0, 0.0, 0.5)
    )

    assert str(found) == (
        "KEEP-IN: reach (1.25 m, limit 1 m, beyond it by 0.25 m; row 7, 0.14 s ahead; hand; at (1.000, 0.000, 0.500) m)"
    )
    assert str(replace(found, margin=0.5, row=-1, links=(), point=None)) == (
        "KEEP-IN: reach (1.25 m, limit 1 m, margin 0.5 m; row)"
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"margin": math.nan}, "R:  (undecided: something that it rests on is unknown"),
        ({"margin": math.inf, "value": -math.inf}, "R:  (nothing to measure)"),
        ({"margin": -math.inf, "value": math.inf}, "R:  (inf, limit 1)"),
        ({"kind": "check"}, "R: "),
        ({"kind": "check", "unit": "s"}, "R:  (0 s, limit 1 s, beyond it by 1 s)"),
    ],
)
def test_a_finding_says_what_it_cannot_say_in_numbers(changes: dict[str, Any], said: str) -> None:
    assert str(replace(finding(-1.0), **changes)).startswith(said)
