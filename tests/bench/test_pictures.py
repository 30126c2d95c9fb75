"""The docs' pictures show what they say: which case is chosen, and what a stricter question changes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.pictures import MORE_M, PICTURES, asked_for_more, nearest
from interlock.case import Case, Memory
from interlock.judge import Judgement
from interlock.verdict import Finding, Verdict
from interlock_rules import load
from interlock_rules.clearance import MinimumClearance
from interlock_rules.example import standing_still

NEAR, HIT = PICTURES


def case() -> Case:
    rules = load("panda-tabletop")
    state, chunk, scene = standing_still(rules, 10**9)
    return Case(10**9, chunk, state, scene, Memory(), rules)


def judged(margin: float, rule: str = NEAR.rule) -> Judgement:
    return Judgement(Verdict((Finding(rule, "clearance", "veto", margin, 0.0, 0.01, "m", "distance"),)))


def test_the_nearest_of_what_is_allowed_and_the_worst_of_what_is_not_are_chosen() -> None:
    one = case()
    found = [(one, judged(margin)) for margin in (0.03, 0.01, -0.01, -0.02, float("nan"))]

    assert nearest(found, NEAR)[1] is found[1][1]
    assert nearest(found, HIT)[1] is found[3][1]
    with pytest.raises(ValueError, match="near-miss: no case"):
        nearest([(one, judged(0.01, "TORQUE"))], NEAR)


def test_more_is_asked_of_one_rule_alone() -> None:
    asked = case()

    changed = [
        (one.id, one.limit, other.limit)
        for one, other in zip(asked.rules.rules, asked_for_more(asked, NEAR.rule).rules.rules, strict=True)
        if one != other
    ]

    ((name, before, after),) = changed
    assert name == NEAR.rule
    assert isinstance(before, MinimumClearance)
    assert after == replace(before, min=before.min + MORE_M)
