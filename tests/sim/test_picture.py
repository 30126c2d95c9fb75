"""Pictures of refusals."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread

from interlock.bullet_physics import BulletPhysics
from interlock.case import Case, Memory
from interlock.chunk import ActionChunk
from interlock.judge import judge
from interlock.rules import RuleSet
from interlock_rules import load
from interlock_rules.example import standing_still
from interlock_sim.picture import draw, first_bad
from interlock_sim.tasks import start_positions


@pytest.fixture(scope="module")
def rules() -> RuleSet:
    return load("panda-tabletop")


@pytest.fixture(scope="module")
def physics(rules: RuleSet) -> BulletPhysics:
    return BulletPhysics(rules.profile, rules.cell)


def case_of(rules: RuleSet, lean: float) -> Case:
    """At the start pose, with rows that lean joint 2 forward by an angle [rad] in one second."""
    state, chunk, scene = standing_still(rules, 10**9)
    assert isinstance(chunk, ActionChunk)
    start = start_positions(rules.profile)
    values = np.tile(np.append(start, chunk.values[0, -1]), (len(chunk.values), 1))
    values[:, 1] += lean * (1.0 - np.cos(np.linspace(0.0, np.pi, len(values)))) / 2.0
    chunk = replace(chunk, values=values, mask=np.ones(values.shape, dtype=np.bool_), anchor=None)
    return Case(10**9, chunk, replace(state, positions=start), scene, Memory(), rules)


@pytest.mark.parametrize("lean", [1.3, np.nan], ids=["a rule", "a check"])
def test_a_refusal_is_drawn_and_what_is_wrong_is_red(
    rules: RuleSet, physics: BulletPhysics, tmp_path: Path, lean: float
) -> None:
    case = case_of(rules, lean)

    finding = draw(case, judge(case, physics), tmp_path / "veto.png", "record 7: drift, seed 0")

    image = imread(tmp_path / "veto.png")[:400, :, :3]  # the photograph
    red = (image[:, :, 0] > 0.6) & (image[:, :, 1] < 0.25)
    assert finding.rule.startswith("check:") == np.isnan(lean)
    assert np.ptp(image) > 0.9
    assert red.any() == bool(finding.links)


@pytest.mark.parametrize(
    ("margin", "first"),
    [([0.0, 0.1], None), ([0.2, 0.0, -0.1, -0.3], 2), ([0.2, np.nan, -0.1], 1), ([], None)],
    ids=["none", "below", "nan", "empty"],
)
def test_the_first_bad_row_is_the_first_that_is_not_inside(margin: list[float], first: int | None) -> None:
    assert first_bad(np.array(margin)) == first


@pytest.mark.parametrize("lean", [1.3, np.nan], ids=["a rule", "a check"])
def test_the_picture_says_which_record_and_which_row(
    rules: RuleSet, physics: BulletPhysics, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lean: float
) -> None:
    drawn: list[Figure] = []

    def saved(figure: Figure, *_arguments: Any, **_options: Any) -> None:
        drawn.append(figure)

    monkeypatch.setattr(Figure, "savefig", saved)
    case = case_of(rules, lean)

    draw(case, judge(case, physics), tmp_path / "veto.png", "record 7: drift, seed 0")

    (figure,) = drawn
    labels = [line.get_label() for line in figure.axes[1].lines]
    assert figure.get_suptitle() == "record 7: drift, seed 0"
    assert len([label for label in labels if re.fullmatch(r"first bad: row \d+", str(label))]) == 1
