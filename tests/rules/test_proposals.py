"""The same rows, written in every layout that can carry them, are the same motion for the judge."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from interlock import checks
from interlock.case import Case, Memory
from interlock.chunk import Layout
from interlock.errors import UnusableInput
from interlock.lower import layout_of, lower
from interlock.rules import RuleSet
from interlock_rules import load
from interlock_rules.proposals import Asked, Start, chunk_of, state_of
from tests.rules.golden import SMALL

RULES = load("panda-tabletop")
SMALL_RULES = load(SMALL)
START = Start(np.array(RULES.profile.poses[0].positions), np.array([0.08]), "automatic")
ROWS = START.positions + 0.001 * np.arange(1, 31)[:, None] ** 1.5 * np.linspace(-1.0, 1.0, 7)
GRIPPERS = np.linspace(0.08, 0.02, 30)[:, None]


def with_layout(layout: Layout) -> RuleSet:
    return replace(RULES, accepts=replace(RULES.accepts, layouts=(layout,)))


@pytest.mark.parametrize("layout", RULES.accepts.layouts, ids=lambda layout: layout.name)
def test_F07_every_layout_carries_the_same_rows(layout: Layout) -> None:
    rules = with_layout(layout)
    state = state_of(rules, START, 0)
    chunk = chunk_of(rules, Asked(state, state.positions, first_row_ns=20_000_000), ROWS, GRIPPERS)
    case = Case(0, chunk, state, START.scene(0), Memory(), rules)

    found = layout_of(case, chunk)

    assert found == layout
    path = lower(case, chunk, layout)
    assert np.abs(path.positions - ROWS).max() < 1e-12
    assert np.abs(path.grippers - GRIPPERS).max() < 1e-12


def test_F08_F44_a_set_that_accepts_normalised_policies_can_be_provoked() -> None:
    undone = replace(RULES.accepts, normalisation="z_score", statistics="a" * 64)
    rules = replace(RULES, accepts=undone)
    state = state_of(rules, START, 0)

    chunk = chunk_of(rules, Asked(state, state.positions, first_row_ns=20_000_000), ROWS, GRIPPERS)

    assert chunk.normalisation == undone.undone
    assert all(
        finding.ok for finding in checks.normalisation(Case(0, chunk, state, START.scene(0), Memory(), rules), chunk)
    )


@pytest.mark.parametrize("polarity", ["zero_closed", "zero_open"])
def test_F10_a_gripper_as_a_ratio_of_either_polarity_is_the_same_width(polarity: str) -> None:
    layout = RULES.accepts.layouts[0]
    hand = replace(layout.channels[-1], unit="ratio", polarity=polarity)  # type: ignore[arg-type]
    rules = with_layout(Layout("ratio", (*layout.channels[:-1], hand)))
    state = state_of(rules, START, 0)

    chunk = chunk_of(rules, Asked(state, state.positions, first_row_ns=20_000_000), ROWS, GRIPPERS)

    path = lower(Case(0, chunk, state, START.scene(0), Memory(), rules), chunk, rules.accepts.layouts[0])
    assert np.abs(path.grippers - GRIPPERS).max() < 1e-12


def test_a_set_that_accepts_no_joints_has_no_cases() -> None:
    base = replace(RULES.accepts.layouts[0].channels[0], name="base", quantity="base_velocity")

    with pytest.raises(UnusableInput, match="no case can be written"):
        chunk_of(with_layout(Layout("base", (base,))), Asked(state_of(RULES, START, 0), ROWS[0], 0), ROWS, GRIPPERS)
