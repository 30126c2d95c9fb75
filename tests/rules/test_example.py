"""The example chunk is one that its rule set permits, and says what it needs where there is none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from interlock.bullet_physics import BulletPhysics
from interlock.case import Case, Memory
from interlock.chunk import Normalisation
from interlock.decide import decide
from interlock.errors import UnusableInput
from interlock.self_test import SelfTest
from interlock_rules import load
from interlock_rules.example import standing_still
from tests.rules.golden import GOLDEN

NOW = 5_000_000_000


@pytest.mark.parametrize("name", ["panda-tabletop", "panda-tabletop-strict", "g1-arms"])
def test_standing_still_is_permitted_by_every_shipped_set(name: str) -> None:
    rules = load(name)
    state, chunk, scene = standing_still(rules, NOW)

    decision = decide(Case(NOW, chunk, state, scene, Memory(), rules), BulletPhysics(rules.profile, rules.cell))

    assert decision.reaction == "permit"
    assert decision.rows == rules.accepts.execute


def test_a_set_with_a_tracker_is_shown_a_cell_in_which_nobody_is() -> None:
    rules = load(GOLDEN / "valid" / "set-people.yaml")
    physics = BulletPhysics(rules.profile, rules.cell)
    state, chunk, scene = standing_still(rules, NOW)

    assert scene.people == ()
    assert decide(Case(NOW, chunk, state, scene, Memory(), rules), physics).reaction == "permit"


def test_F08_F44_a_set_that_accepts_normalised_policies_can_start_and_permits_what_names_its_statistics() -> None:
    rules = load(GOLDEN / "valid" / "set-normalised.yaml")
    physics = BulletPhysics(rules.profile, rules.cell)
    state, chunk, scene = standing_still(rules, NOW)
    other = replace(chunk, normalisation=Normalisation("z_score", "", "0" * 64))

    SelfTest(rules, physics).require(rules, physics)
    decided = [decide(Case(NOW, made, state, scene, Memory(), rules), physics) for made in (chunk, other)]

    assert [decision.reaction for decision in decided] == ["permit", "veto"]


def test_a_set_without_a_pose_or_an_absolute_layout_has_no_example() -> None:
    rules = load("g1-arms")

    with pytest.raises(UnusableInput, match="a named pose"):
        standing_still(replace(rules, profile=replace(rules.profile, poses=())), NOW)
