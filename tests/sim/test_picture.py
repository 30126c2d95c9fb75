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
from interlock.checks import flag
from interlock.chunk import ActionChunk
from interlock.geometry import Box, Pose, Sphere
from interlock.judge import Judgement, judge
from interlock.rules import RuleSet, Trace
from interlock.scene import SceneObject
from interlock.verdict import Finding, Verdict
from interlock_rules import load
from interlock_rules.example import standing_still
from interlock_sim.photo import photograph, pixel, view
from interlock_sim.picture import draw, first_bad, numbers
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
    labels = [str(line.get_label()) for line in figure.axes[1].lines]
    marked = [label for label in labels if re.fullmatch(r"(worst|first bad): row \d+", label)]
    caption = re.search(r"row \d+", figure.axes[0].get_title(loc="left"))
    assert figure.get_suptitle() == "record 7: drift, seed 0"
    assert len([label for label in marked if label.startswith("first bad")]) == 1
    assert caption is not None
    assert marked[0].endswith(f": {caption[0]}")
    assert [text.get_text() for text in figure.legends[0].get_texts()] == figure.axes[1].get_legend_handles_labels()[1]


def finding_of(rule: str, value: float, unit: str = "s", **more: Any) -> Finding:
    kind = "check" if rule.startswith("check:") else "clearance"
    return Finding(rule, kind, "veto", 0.5 - value, value, 0.5, unit, "age of it", **more)


@pytest.mark.parametrize(
    ("finding", "why", "said"),
    [
        (finding_of("check:freshness", 0.75), "", "age of it: 0.75 s, limit 0.5 s"),
        (finding_of("check:period", 0.75, ""), "", "age of it: 0.75, limit 0.5"),
        (flag("finite", False, "17 values are not finite"), "", "17 values are not finite"),
        (finding_of("NEAR", np.nan), "too far", "age of it (limit 0.5 s): too far"),
        (finding_of("NEAR", np.nan, ""), "", "age of it"),
    ],
    ids=["a number", "no unit", "met or not", "undecided", "undecided, and not known why"],
)
def test_the_caption_has_value_limit_and_unit(finding: Finding, why: str, said: str) -> None:
    assert numbers(finding, why) == said


def told(monkeypatch: pytest.MonkeyPatch, case: Case, judgement: Judgement, rule: str | None, path: Path) -> list[str]:
    """The titles of both halves of a picture."""
    drawn: list[Figure] = []

    def saved(figure: Figure, *_arguments: Any, **_options: Any) -> None:
        drawn.append(figure)

    monkeypatch.setattr(Figure, "savefig", saved)
    draw(case, judgement, path, "", rule)
    return [axes.get_title(loc="left").replace("\n", " ") for axes in drawn[0].axes]


def with_trace(judgement: Judgement, rule: str, at: int) -> Judgement:
    """The judgement, in which the only trace of a rule is NaN at a node."""
    motion = judgement.motion
    assert motion is not None
    limit = np.ones(len(motion))
    value = np.where(np.arange(len(motion)) == at, np.nan, 0.5)
    trace = Trace(limit - value, value, limit, "rad", ((),), np.zeros(len(motion), dtype=np.int64), None, "tilt")
    finding = Finding(rule, "tilt", "veto", np.nan, np.nan, 1.0, "rad", "tilt")
    return replace(judgement, verdict=Verdict((finding,)), traces=((rule, (trace,)),))


@pytest.mark.parametrize(("jump", "said"), [(0.9, "panda_joint3 turns 0.9 rad"), (0.0, "bounded closely enough")])
def test_the_picture_says_why_a_margin_is_undecided(
    rules: RuleSet, physics: BulletPhysics, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jump: float, said: str
) -> None:
    case = case_of(rules, 0.0)
    judgement = with_trace(judge(case, physics), "TILT", 5)
    assert judgement.motion is not None
    positions = judgement.motion.positions.copy()
    positions[5:, 2] += jump
    judgement = replace(judgement, motion=replace(judgement.motion, positions=positions))

    above, below = told(monkeypatch, case, judgement, "TILT", tmp_path / "veto.png")

    assert above.startswith("TILT, ")
    assert below.startswith("tilt (limit 1 rad): undecided")
    assert said in below


@pytest.mark.parametrize(
    ("others", "said"),
    [((), "an input is missing"), ((flag("forecast", False, "undecided: 9 of 9 queries"),), "9 of 9 queries")],
    ids=["no input", "no forecast"],
)
def test_the_picture_says_why_a_rule_has_no_trace(
    rules: RuleSet,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    others: tuple[Finding, ...],
    said: str,
) -> None:
    case = case_of(rules, 0.0)
    unmeasured = Finding("NEAR", "clearance", "veto", np.nan, np.nan, 0.0, "", "undecided")
    judgement = Judgement(Verdict((unmeasured, *others)))

    assert told(monkeypatch, case, judgement, None, tmp_path / "veto.png")[1] == f"undecided: {said}"


def test_another_rule_than_the_worst_is_shown_with_a_number_if_it_has_one(
    rules: RuleSet, physics: BulletPhysics, tmp_path: Path
) -> None:
    case = case_of(rules, 1.3)
    judgement = judge(case, physics)
    near = finding_of("NEAR", 0.75)
    findings = (*judgement.verdict.findings, replace(near, margin=np.nan, value=np.nan), near)
    judgement = replace(judgement, verdict=Verdict(findings))

    assert draw(case, judgement, tmp_path / "veto.png", "", "NEAR") == near
    with pytest.raises(KeyError, match="FAR was not judged"):
        draw(case, judgement, tmp_path / "veto.png", "", "FAR")


def test_where_nothing_is_near_and_where_nothing_is_known_look_different(
    rules: RuleSet, physics: BulletPhysics, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = case_of(rules, 1.3)
    judgement = with_trace(judge(case, physics), "TILT", 10)
    ((name, (trace,)),) = judgement.traces
    far = np.where(np.arange(len(trace.margin)) < 3, np.inf, trace.margin)
    findings = (*judgement.verdict.findings, finding_of("NEAR", 1.0), finding_of("FAR", 1.0))
    drawn: list[Figure] = []

    def saved(figure: Figure, *_arguments: Any, **_options: Any) -> None:
        drawn.append(figure)

    monkeypatch.setattr(Figure, "savefig", saved)
    shown = replace(judgement, traces=((name, (replace(trace, margin=far),)),), verdict=Verdict(findings))
    draw(case, shown, tmp_path / "veto.png", "")

    below = drawn[0].axes[1]
    assert {"nothing near", "undecided"} <= set(below.get_legend_handles_labels()[1])
    assert below.get_title(loc="left").replace("\n", " ").endswith("; 2 more violated")


@pytest.mark.parametrize("straight", [True, False], ids=["an arm that stands upright", "an arm that reaches far"])
def test_the_whole_arm_is_in_the_frame(straight: bool) -> None:  # noqa: FBT001
    place = (0.0, 0.1, 1.3) if straight else (0.9, -0.6, 0.9)

    eye, target = view(replace(finding_of("NEAR", 1.0), point=place), [place, (0.0, 0.0, 0.0)], (1.25, -0.42, 0.8))

    for x, y in (pixel(eye, target, place) or (0.0, 0.0), pixel(eye, target, (0.0, 0.0, 0.0)) or (0.0, 0.0)):
        assert 15.0 < x < 625.0
        assert 15.0 < y < 465.0
    assert pixel(eye, target, (2.0 * eye[0], 2.0 * eye[1], 2.0 * eye[2])) is None  # behind the camera


def test_the_ring_is_where_the_camera_sees_the_place(rules: RuleSet) -> None:
    case = case_of(rules, 0.0)
    finding = replace(finding_of("NEAR", 1.0, links=("rod",)), point=(0.5, -0.3, 0.1))
    rod = SceneObject("rod", Sphere(0.02), Pose((0.5, -0.3, 0.1)), 10**9, 0.0, 0.0)
    case = replace(case, scene=replace(case.scene, objects=(rod,)))

    photo = photograph(case, case.state.positions, case.state.grippers, None, finding)

    red = (photo.image[:, :, 0] > 120) & (photo.image[:, :, 1] < 60)
    rows, columns = np.nonzero(red)
    assert photo.point is not None
    assert photo.point == pytest.approx((columns.mean(), rows.mean()), abs=4.0)


@pytest.mark.parametrize("wall", [False, True], ids=["nothing in the way", "a wall in front"])
def test_what_is_wrong_is_seen_past_what_hides_it(rules: RuleSet, wall: bool) -> None:  # noqa: FBT001
    case = case_of(rules, 0.0)
    rod = SceneObject("rod", Sphere(0.03), Pose((0.5, -0.3, 0.1)), 10**9, 0.0, 0.0)
    front = SceneObject("wall", Box((0.02, 0.6, 0.6)), Pose((0.6, -0.3, 0.3)), 10**9, 0.0, 0.0)
    case = replace(case, scene=replace(case.scene, objects=(rod, front) if wall else (rod,)))

    finding = finding_of("NEAR", 1.0, links=("rod",), point=(0.5, -0.3, 0.1))
    photo = photograph(case, case.state.positions, case.state.grippers, None, finding)

    red = (photo.image[:, :, 0] > 120) & (photo.image[:, :, 1] < 60)
    assert np.count_nonzero(red) > 100
