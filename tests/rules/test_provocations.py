"""F-44: every rule of every shipped set refuses its own provocation."""

from __future__ import annotations

import pytest

from interlock.bullet_physics import BulletPhysics
from interlock.judge import judge
from interlock.rules import Provocation
from interlock_rules import load
from interlock_rules.files import shipped


@pytest.fixture(scope="module", params=shipped("sets"))
def name(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


def refused(item: Provocation, physics: BulletPhysics) -> bool:
    return any(finding.rule == item.rule for finding in judge(item.case, physics).verdict.violated)


def test_F44_every_rule_refuses_its_own_provocation(name: str) -> None:
    rules = load(name)
    physics = BulletPhysics(rules.profile, rules.cell)

    assert [item.rule for item in rules.provocations if not refused(item, physics)] == []


def test_a_provocation_is_asked_in_a_mode_in_which_its_rule_applies(name: str) -> None:
    rules = {rule.id: rule for rule in load(name).rules}

    assert all(rules[item.rule].when.applies(item.case.scene.mode) for item in load(name).provocations)
