"""Recorded motion is cut and anchored as the page says, and every refusal gets a cause that the data bears out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from bench.causes import LAG, START, STREAM, UNKNOWN
from bench.episodes import Episode, read_episodes
from bench.recordings import DATA, RULES, figures, main, replayed
from bench.replaying import pieces
from bench.shape import BACK, LOOK_M, RULE, SHARES, alone, off_path, refused, remains, section, with_share
from bench.telling import page
from interlock.arrays import FloatArray
from interlock.lower import reference_at
from interlock.rules import RuleSet
from interlock_rules import load
from interlock_rules.clearance import MinimumClearance

ROWS = 75
PERIOD_S = 1.0 / 30.0
ELBOW, WRIST_YAW = 10, 13


@pytest.fixture(scope="module")
def rules() -> RuleSet:
    return load(RULES)


@pytest.fixture
def commands(rules: RuleSet) -> FloatArray:
    """The ready pose with open hands; the right elbow swings slowly."""
    still = np.concatenate([rules.profile.poses[0].positions, np.ones(len(rules.profile.grippers))])
    found = np.tile(still, (ROWS, 1))
    found[:, ELBOW] -= 0.2 * (1.0 - np.cos(np.arange(ROWS) * np.pi / ROWS))
    return found


def episode(commands: FloatArray, measured: FloatArray | None = None) -> Episode:
    """By default the arm is in each row where it was told to be in the row before."""
    followed = np.vstack([commands[:1], commands[:-1]])
    return Episode(7, PERIOD_S, followed if measured is None else measured, commands)


def test_calm_motion_passes(rules: RuleSet, commands: FloatArray) -> None:
    outcomes = replayed([episode(commands)], rules)

    assert [one.decision.reaction for one in outcomes] == ["permit"] * 5
    assert [one.violations for one in outcomes] == [()] * 5


def test_every_chunk_starts_from_what_was_sent_before_it(rules: RuleSet, commands: FloatArray) -> None:
    third = list(pieces(episode(commands), rules))[2]

    case = third.case
    due = case.now_ns + 20_000_000
    reference = reference_at(case.memory, case.state, due, case.now_ns)

    sent = commands[:, : len(rules.profile.joints)]
    np.testing.assert_allclose(reference.positions, sent[29])
    np.testing.assert_allclose(reference.velocities, (sent[29] - sent[28]) / PERIOD_S, atol=1e-6)
    np.testing.assert_allclose(case.state.positions, sent[28])


def test_what_is_too_short_for_a_chunk_is_left_out(rules: RuleSet, commands: FloatArray) -> None:
    rows = [piece.row for piece in pieces(episode(commands[:44]), rules)]

    assert rows == [0, 15]


def test_a_first_command_beside_the_measured_pose_is_told_from_a_leap(rules: RuleSet, commands: FloatArray) -> None:
    measured = episode(commands).measured.copy()
    measured[0, ELBOW] += 0.06

    outcomes = replayed([episode(commands, measured)], rules)

    assert [cause for one in outcomes for _, cause in one.violations] == [START]
    assert outcomes[0].decision.reaction == "slow"


def test_a_leap_after_a_standstill_is_a_stalled_stream(rules: RuleSet, commands: FloatArray) -> None:
    commands[40:, WRIST_YAW] += 0.06

    outcomes = replayed([episode(commands)], rules)

    assert {cause for one in outcomes for _, cause in one.violations} == {STREAM}


def test_an_arm_that_falls_behind_is_a_lag(rules: RuleSet, commands: FloatArray) -> None:
    measured = episode(commands).measured.copy()
    measured[29, ELBOW] += 0.12

    outcomes = replayed([episode(commands, measured)], rules)

    assert [(one.piece.row, cause) for one in outcomes for _, cause in one.violations] == [(30, LAG)]


def test_what_fits_no_cause_is_said_to_be_unknown(rules: RuleSet, commands: FloatArray) -> None:
    commands[:, WRIST_YAW] = 1.6  # beyond the margin of the end stop, and nothing moved there

    outcomes = replayed([episode(commands)], rules)

    assert {cause for one in outcomes for _, cause in one.violations} == {UNKNOWN}


def test_the_page_names_every_rule_and_cause(rules: RuleSet, commands: FloatArray) -> None:
    commands[40:, WRIST_YAW] += 0.06

    outcomes = replayed([episode(commands)], rules)

    text = page(outcomes)
    assert [rule.id for rule in rules.rules if rule.id not in text] == []
    assert STREAM.because in text
    assert "| 39 | 40 |" in text


def test_without_data_the_command_says_what_it_needs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--data", str(tmp_path)]) == 2
    assert "expected meta/info.json" in capsys.readouterr().err


def test_the_figures_add_up(rules: RuleSet, commands: FloatArray) -> None:
    found = figures(replayed([episode(commands)], rules))

    assert json.dumps(found) == '{"episodes": 1, "chunks": 5, "permit": 5, "rules": {}, "causes": {}}'


def test_no_refusal_of_real_motion_is_unexplained(rules: RuleSet) -> None:
    if not DATA.is_dir():
        pytest.skip(f"needs the recorded episodes: {DATA.relative_to(DATA.parents[2])} beside the repository")
    chosen = [one for one in read_episodes(DATA) if one.index in {1, 39}]

    outcomes = replayed(chosen, rules)

    assert {cause for one in outcomes for _, cause in one.violations} == {START, STREAM, LAG}


def test_what_is_too_near_only_for_its_tracking_error_is_told_from_what_is_too_near(
    rules: RuleSet, commands: FloatArray
) -> None:
    replay = episode(commands[: 2 * BACK])

    found = remains([replay], rules)

    assert (refused(found, rules, SHARES[0]), refused(found, rules, SHARES[-1])) == (2, 0)
    worst = min(one.finding.value for one in found)
    assert f"| 100% | 2 | 2 | {worst:.3f} | episode 7, row " in "\n".join(section(found, [replay], rules))


def test_a_share_of_the_tracking_error_changes_nothing_else(rules: RuleSet) -> None:
    part = with_share(rules.profile, 0.5)

    assert [joint.tracking for joint in part.joints] == [0.5 * joint.tracking for joint in rules.profile.joints]
    assert with_share(part, 2.0) == rules.profile


@pytest.mark.parametrize(("lagging", "tracking"), [(True, "profile"), (False, "none")])
def test_the_rule_is_judged_alone_and_the_profile_stays(
    rules: RuleSet, tracking: Literal["profile", "none"], *, lagging: bool
) -> None:
    found = alone(rules, lagging=lagging)

    wanted = MinimumClearance(("robot", "robot"), LOOK_M, (), tracking)
    assert [(rule.id, rule.limit) for rule in found.rules] == [(RULE, wanted)]
    assert found.profile == rules.profile


def test_at_every_share_every_chunk_meets_the_rule(rules: RuleSet, commands: FloatArray) -> None:
    measured = episode(commands).measured.copy()
    measured[:, WRIST_YAW] -= 0.8 * rules.profile.joints[WRIST_YAW].tracking

    found = remains([episode(commands[: 2 * BACK], measured[: 2 * BACK])], rules)

    assert [sum(one.share == share for one in found) for share in SHARES] == [2, 2, 2, 2]


def test_an_arm_that_only_lags_is_on_its_path_and_one_that_sags_is_not(rules: RuleSet, commands: FloatArray) -> None:
    late = np.vstack([commands[:1]] * 5 + [commands[:-5]])
    sagging = late.copy()
    sagging[:, WRIST_YAW] -= 0.5 * rules.profile.joints[WRIST_YAW].tracking

    lag, sag = (off_path(episode(commands, measured), rules.profile) for measured in (late, sagging))

    np.testing.assert_allclose(lag, np.zeros(ROWS - BACK), atol=1e-9)
    np.testing.assert_allclose(sag, 0.5 * np.ones(ROWS - BACK))
