"""The driver tells a noticed change from an unnoticed one, and does not trust a set-up that tells nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.copies import Copies, Target
from bench.mutate import ROOT, Change, Report, changes, explained, judging_code, mutate, shown

SOURCE = "def allowed(speed):\n    return speed <= 1\n"
TEST = "from rule import allowed\n\n\ndef test_rule():\n    assert allowed(1)\n    assert not allowed({too_fast})\n"
CANARY = "rules.rule.allowed: 'speed <= 1' -> 'speed > 1'"


def repository(root: Path, *, too_fast: float) -> tuple[Change, ...]:
    """A small repository in which one function is tested; its mutants."""
    (root / "rules").mkdir(parents=True)
    (root / "tests").mkdir()
    (root / "rules/rule.py").write_text(SOURCE)
    (root / "tests/test_rule.py").write_text(TEST.format(too_fast=too_fast))
    return changes(root, [Target("rules/rule.py", ("tests",))])


def tried(root: Path, scratch: Path, candidates: tuple[Change, ...], canary: str = CANARY) -> Report:
    return mutate(candidates, candidates, canary, Copies(root, scratch, 2), 2)


@pytest.mark.slow
def test_a_survivor_is_what_no_test_notices(tmp_path: Path) -> None:
    candidates = repository(tmp_path / "repository", too_fast=3)

    report = tried(tmp_path / "repository", tmp_path, candidates)

    assert report.tried == len(candidates) == 5
    assert [change.mutant.name for change in report.survivors] == ["rules.rule.allowed: '1' -> '2'"]
    assert (tmp_path / "repository/rules/rule.py").read_text() == SOURCE


def test_a_canary_that_lives_ends_the_run(tmp_path: Path) -> None:
    candidates = repository(tmp_path / "repository", too_fast=3)

    with pytest.raises(RuntimeError, match="the canary lives"):
        tried(tmp_path / "repository", tmp_path, candidates, canary="rules.rule.allowed: '1' -> '2'")


def test_a_change_of_nothing_that_dies_ends_the_run(tmp_path: Path) -> None:
    candidates = repository(tmp_path / "repository", too_fast=1)

    with pytest.raises(RuntimeError, match="fails without any change"):
        tried(tmp_path / "repository", tmp_path, candidates)


def test_a_canary_that_is_gone_ends_the_run(tmp_path: Path) -> None:
    candidates = repository(tmp_path / "repository", too_fast=3)

    with pytest.raises(RuntimeError, match="no mutant is called"):
        tried(tmp_path / "repository", tmp_path, candidates, canary="gone")


def test_tests_that_are_not_there_end_the_run(tmp_path: Path) -> None:
    candidates = repository(tmp_path / "repository", too_fast=3)
    (tmp_path / "repository/tests/test_rule.py").unlink()

    with pytest.raises(RuntimeError, match="there are no tests"):
        tried(tmp_path / "repository", tmp_path, candidates)


def test_an_unexplained_survivor_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    candidates = repository(tmp_path, too_fast=3)
    report = Report(7, candidates[:1])
    name = candidates[0].mutant.name

    unexplained = shown(report, {}, [])
    accepted = shown(report, {name: "The same for every input."}, [])

    assert (unexplained, accepted) == (1, 0)
    figures = [line for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    assert figures == [
        '{"mutants": 7, "killed": 6, "survived": 1, "explained": 0}',
        '{"mutants": 7, "killed": 6, "survived": 1, "explained": 1}',
    ]


def test_reasons_are_for_mutants_that_exist(tmp_path: Path) -> None:
    candidates = repository(tmp_path, too_fast=3)

    assert explained(candidates, {"gone": "a reason", CANARY: " "}) == [
        "no such mutant: gone",
        f"no reason given: {CANARY}",
    ]


def test_the_judging_code_has_tests() -> None:
    assert [target for target in judging_code(ROOT) if not all((ROOT / tests).exists() for tests in target.tests)] == []
