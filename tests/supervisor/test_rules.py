"""Two files of one name: the rule sets of the core, and the commands about rule files."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from interlock.errors import UnusableInput
from interlock.rules import Accepts, Freshness, When
from interlock_cli.rules import app
from tests.rules.golden import SMALL
from tests.supervisor.toy import LAYOUTS, Reach, Speed, rule, rules


def run(*arguments: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], env={"COLUMNS": "200"})
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


@pytest.fixture
def complete(tmp_path: Path) -> Path:
    """The small set with one rule, a case that it stops and one that it lets pass."""
    golden = SMALL.parents[1]
    for folder in ("robots", "cells"):
        (tmp_path / folder).symlink_to(golden / folder)
    text = SMALL.read_text()
    rules = text[: text.index("  - id: SPEED")]
    case = """
  - name: turning too far is refused
    from: home
    chunk: {go_to: {joints: [1.55 rad, 0 rad]}, in: 3 s}
    expect: {veto: POSITION}
"""
    path = tmp_path / "complete.yaml"
    path.write_text(rules.replace("[automatic, manual]", "[automatic]") + text[text.index("tests:") :] + case)
    return path


def test_lint_shows_remarks_with_their_lines_and_fails() -> None:
    code, output = run("lint", SMALL)

    assert code == 1
    assert "error fast-in-manual" in output
    assert "modes: [automatic, manual]" in output
    assert output.splitlines()[-1] == "1 error, 7 warnings, 2 notes"


def test_lint_passes_where_there_are_only_notes() -> None:
    assert run("lint", "panda-tabletop")[0] == 0


def test_lint_leaves_notes_out_if_asked() -> None:
    assert run("lint", "panda-tabletop", "--no-notes") == (0, "0 errors, 0 warnings, 0 notes\n")


def test_lint_as_json_names_every_place() -> None:
    code, output = run("lint", SMALL, "--format", "json")

    found: Any = json.loads(output)
    assert code == 1
    assert found["format"] == "interlock/lint/1"
    assert {"id", "severity", "file", "line", "column", "message"} == set(found["remarks"][0])


def test_cases_that_show_everything_pass(complete: Path) -> None:
    code, output = run("test", complete)

    assert (code, output.splitlines()[-1]) == (0, "  2 of 2 cases as expected, 0 missing")


def test_a_case_that_comes_out_otherwise_is_explained(complete: Path) -> None:
    complete.write_text(complete.read_text().replace("{veto: POSITION}", "permitted"))

    code, output = run("test", complete)

    assert code == 1
    assert "expected permitted; got veto: POSITION" in output
    assert "POSITION: no case that it stops" in output


def test_a_set_without_cases_fails(complete: Path) -> None:
    complete.write_text(complete.read_text().split("tests:")[0])

    code, output = run("test", complete)

    assert code == 1
    assert "no case at all, which is a failure" in output
    assert "POSITION: no case that it lets pass" in output


def test_cases_as_json(complete: Path) -> None:
    code, output = run("test", complete, "--format", "json")

    found: Any = json.loads(output)
    assert code == 0
    assert found["sets"][str(complete)]["passed"] is True
    assert [case["got"] for case in found["sets"][str(complete)]["cases"]] == ["permitted", "veto: POSITION"]


def test_a_set_that_does_not_load_is_unusable() -> None:
    with pytest.raises(UnusableInput):
        run("test", "no-such-set")

    code, output = run("lint", SMALL, "no-such-set")

    assert code == 2
    assert "error unreadable" in output


@pytest.mark.parametrize("name", ["ruleset", "profile", "cell"])
def test_schema_is_json(name: str) -> None:
    code, output = run("schema", name)

    assert (code, json.loads(output)["title"]) == (0, f"interlock/{name}/1")


@pytest.mark.parametrize("reaction", ["log", "warn"])
def test_F38_a_set_that_enforces_nothing_is_refused(reaction: str) -> None:
    with pytest.raises(ValueError, match="enforces nothing"):
        rules(rule(Speed(), reaction), rule(Reach(), reaction))


def test_a_rule_cannot_take_the_name_of_a_check() -> None:
    with pytest.raises(ValueError, match="cannot begin with check:"):
        rules(rule(Speed(), id="check:speed"))


def test_a_mode_is_named_once() -> None:
    with pytest.raises(ValueError, match="a mode is named twice"):
        rules(modes=("automatic", "automatic"))


def test_a_rule_id_is_used_once() -> None:
    with pytest.raises(ValueError, match="used twice"):
        rules(rule(Speed()), rule(Reach(), id="SPEED"))


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"period_s": math.nan}, "period"),
        ({"period_s": 0.0}, "period"),
        ({"period_s": math.inf}, "period"),
        ({"rows_min": 0}, "rows"),
        ({"rows_min": 65}, "rows"),
        ({"execute": 0}, "execute"),
        ({"execute": 65}, "execute"),
    ],
)
def test_F13_what_is_accepted_is_a_rate_and_a_range_of_rows(changes: dict[str, Any], problem: str) -> None:
    good: dict[str, Any] = {"layouts": LAYOUTS, "period_s": 0.02, "rows_min": 1, "rows_max": 64, "execute": 25}

    with pytest.raises(ValueError, match=problem):
        Accepts(**{**good, **changes}, normalisation="none")


@pytest.mark.parametrize(("kind", "digest"), [("none", "0" * 64), ("z_score", ""), ("quantile", "")])
def test_F08_a_normalisation_is_accepted_with_its_statistics_alone(kind: str, digest: str) -> None:
    with pytest.raises(ValueError, match="name the digest of the statistics"):
        Accepts(LAYOUTS, 0.02, 1, 64, 25, kind, digest)


@pytest.mark.parametrize("bad", [0.0, -1.0, math.nan, math.inf])
@pytest.mark.parametrize("name", ["observation_s", "state_s", "objects_s", "people_s"])
def test_F18_nothing_is_fresh_for_ever(name: str, bad: float) -> None:
    with pytest.raises(ValueError, match=name):
        Freshness(**{"observation_s": 0.5, "state_s": 0.05, "objects_s": 0.2, name: bad})


MODES = {"always": ((), "automatic"), "in its mode": (("manual",), "manual"), "in any unknown one": (("manual",), None)}


@pytest.mark.parametrize("what", MODES)
def test_F38_a_rule_applies_unless_the_mode_is_known_to_be_another(what: str) -> None:
    modes, mode = MODES[what]

    assert When(modes).applies(mode)
    assert not When(("manual",)).applies("automatic")


@pytest.mark.parametrize(("people", "people_s"), [("tracker", None), ("none", 0.1)])
def test_F38_a_tracker_and_only_a_tracker_has_a_limit_to_its_age(people: Any, people_s: float | None) -> None:
    with pytest.raises(ValueError, match="a tracker needs one"):
        rules(people=people, freshness=Freshness(0.5, 0.05, 0.2, people_s))
