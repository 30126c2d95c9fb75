"""`interlock audit`, run as a command over small logs; replay is handed a stand-in for the physics."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from interlock.case import Case, Memory
from interlock.decide import decide
from interlock.errors import UnusableInput
from interlock.jsonform import Json, canonical, to_json
from interlock.record import decision_json, review_body
from interlock.rules import RuleSet
from interlock.verdict import Attempt, Decision, Finding, Verdict
from interlock_audit_logs import Again, BlobReader, blob_reader, json_reader, open_log, read_log
from interlock_cli import audit
from interlock_rules import load
from interlock_rules.example import standing_still
from tests.supervisor.toy import Physics

HOSTILE = "pick\nup \x1b[2J[bold red]the\u202ecup\u2028\x9b31m"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    with open_log(tmp_path / "log") as log:
        log.append("review", {"case": {"instruction": HOSTILE}, "decision": {"reaction": "veto", "margin": -0.5}})
        log.append("note", {"reason": HOSTILE})
    return tmp_path / "log"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(audit.app, [str(argument) for argument in arguments], env={"COLUMNS": "200"})


def placed(command: tuple[object, ...], directory: Path) -> tuple[object, ...]:
    """The command with the directory where it belongs: before an index."""
    return (command[0], directory, *command[1:])


def again(margin: float) -> Again:
    def recompute(_body: Mapping[str, Json], _blobs: BlobReader) -> Json:
        return {"reaction": "veto", "margin": margin}

    return recompute


def test_list_names_every_record_and_what_it_says(directory: Path) -> None:
    shown = run("list", directory)

    assert shown.exit_code == 0
    for word in ("start", "review", "veto", "note", "stop"):
        assert word in shown.stdout


def test_list_takes_one_kind_and_the_last_ones(directory: Path) -> None:
    found = json.loads(run("list", directory, "--kind", "review", "--last", 1, "--format", "json").stdout)

    assert [record["kind"] for record in found["records"]] == ["review"]


def test_show_prints_the_whole_record(directory: Path) -> None:
    found = json.loads(run("show", directory, 1, "--format", "json").stdout)

    assert found["body"]["decision"] == {"margin": -0.5, "reaction": "veto"}
    assert found["digest"] == list(read_log(directory))[1].digest
    assert "margin" in run("show", directory, 1).stdout


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("command", [("list",), ("show", 1), ("show", 2)])
def test_F48_text_from_a_policy_stays_harmless(directory: Path, command: tuple[object, ...], form: str) -> None:
    shown = run(*placed(command, directory), "--format", form).stdout

    assert not set(shown) & {"\x1b", "\u202e", "\u2028", "\x9b", "\r"}
    if command[0] == "show":
        assert "[bold red]" in shown
        assert json.dumps(HOSTILE)[1:8] in shown or "pick\\nup" in shown


def test_F48_problems_in_a_log_are_printed_harmlessly(directory: Path) -> None:
    (directory / "000000.jsonl").write_bytes(b'{"format":"\x1b[2J\xe2\x80\xae"}\n')

    for command in (("verify",), ("list",), ("verify", "--format", "json")):
        shown = run(*command, directory)
        assert shown.exit_code == 4
        assert not set(shown.output) & {"\x1b", "\u202e"}


def test_verify_says_what_a_missing_head_leaves_open(directory: Path) -> None:
    shown = run("verify", directory)

    assert shown.exit_code == 0
    assert "verified: 4 records" in shown.stdout
    assert "Without --head" in shown.stdout


def test_verify_takes_any_noted_head(directory: Path) -> None:
    for record in read_log(directory):
        shown = run("verify", directory, "--head", record.digest)
        assert (shown.exit_code, "Without" in shown.stdout) == (0, False)


def test_F42_verify_fails_a_log_that_was_cut_off(directory: Path) -> None:
    head = list(read_log(directory))[-1].digest
    path = directory / "000000.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))

    shown = run("verify", directory, "--head", head, "--format", "json")

    assert shown.exit_code == 4
    assert json.loads(shown.stdout)["ok"] is False
    assert "is not in this log" in run("verify", directory, "--head", head).stdout


def test_a_broken_log_is_neither_listed_nor_shown_as_if_it_were_whole(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "_again", lambda: again(-0.5))
    path = directory / "000000.jsonl"
    path.write_bytes(path.read_bytes().replace(b"veto", b"none"))

    for command in (("list",), ("show", 3), ("replay",)):
        shown = run(*placed(command, directory))
        assert shown.exit_code == 4
        assert "000000.jsonl:2: record 1" in shown.stderr


@pytest.mark.parametrize("command", [("list",), ("show", 0), ("verify",), ("replay",)])
def test_where_there_is_no_log_the_command_says_so(
    tmp_path: Path, command: tuple[object, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "_again", lambda: again(-0.5))

    shown = run(*placed(command, tmp_path / "absent"))

    assert shown.exit_code == 2
    assert "there is no log here" in shown.stderr


def test_what_the_log_does_not_hold_is_unusable(directory: Path) -> None:
    assert "holds no record 99" in run("show", directory, 99).stderr
    assert run("verify", directory, "--head", "abc").exit_code == 2


def test_replay_says_that_every_decision_came_out_the_same(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "_again", lambda: again(-0.5))

    shown = run("replay", directory)

    assert shown.exit_code == 0
    assert "1 replayed: 1 identical, 0 same decision elsewhere, 0 different" in shown.stdout


def test_replay_shows_every_difference_and_fails(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "_again", lambda: again(-0.25))

    shown = run("replay", directory)
    found = json.loads(run("replay", directory, "--format", "json").stdout)

    assert shown.exit_code == 4
    assert "$.margin" in shown.stdout
    assert found["others"][0]["differences"][0]["apart"] == 0.25


def test_a_log_without_decisions_has_nothing_to_replay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "_again", lambda: again(0.0))
    open_log(tmp_path).close()

    shown = run("replay", tmp_path)

    assert shown.exit_code == 2
    assert "no decision to replay" in shown.stderr


def test_what_a_list_leaves_out_is_said(directory: Path) -> None:
    shown = run("list", directory, "--last", 1).stdout

    assert "the last 1 of 4 records; --last N shows more, --all shows all" in shown
    assert "the last" not in run("list", directory, "--last", 1, "--all").stdout
    assert json.loads(run("list", directory, "--last", 1, "--format", "json").stdout)["total"] == 4


def test_the_index_comes_last_and_the_directory_may_be_left_out(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (directory.parent / "audit_logs/runs").mkdir(parents=True)
    (directory.parent / "audit_logs/runs/latest").symlink_to(directory)
    monkeypatch.chdir(directory.parent)

    assert run("show", 1).stdout == run("show", directory, 1).stdout
    for wrong in ((1, directory), (directory,), (directory, directory, 1), (directory, "-1")):
        assert run("show", *wrong).exit_code == 2


REFUSED = Decision(
    "veto",
    0,
    0,
    0.0,
    (
        Attempt(
            "as proposed",
            0,
            Verdict(
                (
                    Finding("check:vetoes", "check", "stop", -1.0, 5.0, 4.0, "", "vetoes in a row"),
                    Finding("KEEP-OUT", "zone", "veto", math.nan, math.nan, 0.0, "m", "distance to the zone", row=7),
                    Finding("TORQUE", "joint_torque", "veto", 2.0, 8.0, 10.0, "N m", "torque of joint 1"),
                )
            ),
        ),
    ),
    None,
)


@pytest.fixture
def decided(tmp_path: Path) -> Path:
    """A log with a refusal whose verdict, and one of whose arrays, are blobs, and a recheck."""
    found = cast("dict[str, Json]", decision_json(REFUSED))
    verdict = canonical(to_json(REFUSED.verdict))
    rows = canonical(to_json(np.array([[0.5, np.nan], [-1.5, 2.0], [0.0, 0.0], [1.0, 1.0], [0.0, 0.0]])))
    names = {hashlib.sha256(content).hexdigest(): content for content in (verdict, rows)}
    in_verdict, in_rows = names
    found["attempts"] = [{"amendment": "as proposed", "rows": 0, "verdict": {"blob": in_verdict}}]
    case: Json = {
        "chunk": {"values": {"blob": in_rows}, "mask": to_json(np.array([True, False]))},
        "rules": {
            "name": "some",
            "rules": [
                {"id": "KEEP-OUT", "because": "Glass.", "limit": {"kind": "keep_out", "zone": "screen", "min": None}},
                {"id": "TORQUE", "because": "Gears.", "limit": {"kind": "joint_torque"}},
            ],
        },
    }
    with open_log(tmp_path / "log") as log:
        log.append("review", {"decision": found, "case": case}, blobs=names)
        log.append("recheck", {"verdict": {"blob": in_verdict}}, blobs={in_verdict: verdict})
    return tmp_path / "log"


def test_a_list_names_the_rule_that_refused_on_one_line_of_80_columns(decided: Path) -> None:
    shown = CliRunner().invoke(audit.app, ["list", str(decided)], env={"COLUMNS": "80"}).stdout

    lines = [line for line in shown.splitlines() if " review " in line or " recheck " in line]
    assert [line.split()[0] for line in lines] == ["1", "2"]
    assert all(line.rstrip().endswith("veto KEEP-OUT") for line in lines)
    assert all(re.search(r" \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}Z ", line) for line in lines)


def test_a_record_shows_its_decision_and_its_arrays_in_short(decided: Path) -> None:
    shown = run("show", decided, 1).stdout

    lines = shown.splitlines()
    assert lines[2] == "veto on record"
    assert any("veto KEEP-OUT: distance to the zone" in line for line in lines)
    assert any("row 7" in line for line in lines)
    assert any(
        line.split() == ["case.chunk.values", "5", "x", "2:", "-1.5", "to", "2,", "1", "not", "finite"]
        for line in lines
    )
    assert any(line.split() == ["case.chunk.mask", "2:", "1", "of", "2", "true"] for line in lines)
    assert not re.search(r"\bf64\b", shown)  # a digest may hold these characters
    assert "TORQUE" not in "".join(line for line in lines if line.startswith("ok"))
    assert "TORQUE: torque of joint 1" in run("show", decided, 1, "--all").stdout
    assert "veto KEEP-OUT" in run("show", decided, 2).stdout


def test_a_blob_that_is_gone_is_said_and_the_rest_is_shown(decided: Path) -> None:
    for blob in (decided / "blobs").iterdir():
        blob.unlink()

    shown = run("show", decided, 1)

    assert shown.exit_code == 0
    assert "No such file" in shown.stdout
    assert "case.chunk.mask" in shown.stdout
    assert run("list", decided).exit_code == 0


def test_replay_counts_only_in_a_terminal(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "_again", lambda: again(-0.5))
    quiet = run("replay", directory)
    monkeypatch.setattr("interlock_cli.audit._in_terminal", lambda: True)

    counted = run("replay", directory, "--format", "json")

    assert quiet.stderr == ""
    assert json.loads(counted.stdout)["identical"] == 1


def test_a_refusal_shows_what_its_rule_says_and_why(decided: Path) -> None:
    lines = run("show", decided, 1).stdout.splitlines()

    (at,) = [place for place, line in enumerate(lines) if line.startswith("in rule set some (m, rad, s")]
    assert lines[at + 1].split() == ["rule", "says", "because"]
    assert lines[at + 3].split() == ["KEEP-OUT", "kind", "keep_out;", "zone", "screen", "Glass."]
    assert not any(line.startswith("TORQUE") for line in lines)


def test_a_recheck_shows_what_it_did(decided: Path) -> None:
    assert "stop: the committed plan is braked at once" in run("show", decided, 2).stdout.splitlines()


def test_a_kind_that_no_record_is_of_is_unusable(directory: Path) -> None:
    shown = run("list", directory, "--kind", "nope")

    assert shown.exit_code == 2
    assert "no record is of kind 'nope'; there are: start, review, note, stop" in shown.stderr


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log with a refusal by the shipped set."""
    rules = load("panda-tabletop")
    state, chunk, scene = standing_still(rules, 10**9)
    case = Case(10**9, replace(chunk, values=chunk.values * np.nan), state, scene, Memory(), rules)
    body = review_body(case, decide(case, Physics()), 0, 10**9)
    directory = tmp_path_factory.mktemp("shipped")
    with open_log(directory / "log") as log:
        log.append("review", body.body, blobs=body.blobs)
    return directory


def test_the_lines_of_a_shipped_sets_rules_are_named(shipped: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = list(read_log(shipped / "log"))[1]
    read_blob = json_reader(blob_reader(shipped / "log"))
    rules = load("panda-tabletop")

    assert audit.places_of(record, read_blob, None) == rules.places
    assert audit.places_of(record, read_blob, "panda-tabletop") == rules.places
    with pytest.raises(UnusableInput, match="record 1 was judged by another rule set: 'panda-tabletop', 1"):
        audit.places_of(record, read_blob, "g1-arms")
    other = load("g1-arms")
    monkeypatch.setattr("interlock_rules.load", {"panda-tabletop": other}.__getitem__)
    assert audit.places_of(record, read_blob, None) == {}


def unusable(name: str) -> RuleSet:
    raise UnusableInput(f"{name} was opened")


def test_a_shipped_set_that_cannot_be_loaded_names_no_lines(shipped: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = list(read_log(shipped / "log"))[1]
    monkeypatch.setattr("interlock_rules.load", unusable)

    assert audit.places_of(record, json_reader(blob_reader(shipped / "log")), None) == {}


def test_a_path_that_a_log_holds_as_a_name_is_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []

    def noted(name: str) -> RuleSet:
        opened.append(name)
        return unusable(name)

    monkeypatch.setattr("interlock_rules.load", noted)
    with open_log(tmp_path / "log") as log:
        log.append("review", {"decision": decision_json(REFUSED), "case": {"rules": {"name": "runs/x.yaml"}}})

    assert run("show", tmp_path / "log", 1).exit_code == 0
    assert opened == []


def test_the_lines_of_a_set_that_is_not_shipped_are_not_guessed(decided: Path) -> None:
    assert run("show", decided, 1).exit_code == 0
    shown = run("show", decided, 1, "--rules", "some")
    assert shown.exit_code == 2
    assert "'some'" in shown.stderr or '"some"' in shown.stderr
