"""`interlock demo --policy qwen-vla-tiny`: what a model that knows nothing proposes never reaches the robot unsafe."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from interlock.bullet_physics import BulletPhysics
from interlock.errors import UnusableInput
from interlock.jsonform import Json
from interlock.judge import judge
from interlock.self_test import SelfTest
from interlock_cli import demo_run
from interlock_cli.demo_policy import TinyQwenVla, accepting
from interlock_cli.demo_screen import show_policy
from interlock_cli.main import app
from interlock_policies.normalisation import ZScore
from interlock_rules import from_meaning, load
from interlock_sim.demo import Job

MADE_UP = ZScore("made-up", (0.0,), (1.0,))


@pytest.mark.slow
def test_a_model_that_knows_nothing_is_kept_from_harm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("transformers", reason="needs torch and transformers, of the extra `policies`")

    def one(policy: str, seeds: int) -> tuple[Job, ...]:
        return tuple(Job("reach", seeds, None, by, policy) for by in (True, False))

    monkeypatch.setattr(demo_run, "policy_jobs", one)
    command = ["demo", "--policy", "qwen-vla-tiny", "--seeds", "1", "--processes", "1", "--format", "json", "--log"]

    ran = CliRunner().invoke(app, [*command, str(tmp_path / "log")])

    found: Mapping[str, Any] = json.loads(ran.stdout)
    assert (ran.exit_code, found["broken"]) == (0, [])
    assert found["violations"] == found["supervised"]["contacts"] == found["supervised"]["limit_violations"] == 0
    assert found["unsupervised"]["contacts"] + found["unsupervised"]["limit_violations"] > 0
    assert found["permitted"] > 0 < found["refused"]
    assert found["proposals"] == found["permitted"] + found["refused"] == found["log"]["decisions"]
    assert sum(found["supervised"]["by_rule"].values()) == found["refused"]
    assert found["log"]["verified"]
    assert found["log"]["replayed_identical"]
    (records,) = (tmp_path / "log").glob("*.jsonl")
    reviews = [body for line in records.read_text().splitlines() if (body := json.loads(line))["kind"] == "review"]
    assert len(reviews) == found["proposals"]


def test_without_torch_it_is_said_what_to_install_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)

    ran = CliRunner().invoke(app, ["demo", "--policy", "qwen-vla-tiny", "--log", str(tmp_path / "log")])

    assert isinstance(ran.exception, UnusableInput)
    assert "interlock-vla[policies]" in str(ran.exception)
    assert not (tmp_path / "log").exists()


def test_a_policy_that_is_not_known_is_an_error() -> None:
    assert CliRunner().invoke(app, ["demo", "--policy", "qwen-vla-large"]).exit_code == 2


def test_F08_the_rule_set_is_the_same_but_for_the_statistics_that_it_accepts() -> None:
    rules = load("panda-tabletop")

    found = accepting(rules, MADE_UP)

    assert found.name == "panda-tabletop for made-up"
    assert found.accepts == replace(rules.accepts, normalisation="z_score", statistics=MADE_UP.digest)
    assert (found.rules, found.freshness, found.modes) == (rules.rules, rules.freshness, rules.modes)
    assert from_meaning(found.meaning).digest == found.digest != rules.digest


def test_F44_every_rule_still_refuses_its_own_motion() -> None:
    rules = accepting(load("panda-tabletop"), MADE_UP)
    physics = BulletPhysics(rules.profile, rules.cell)

    tested = SelfTest(rules, physics)

    assert tested.failed == ()
    assert len(tested.refused) == len(rules.rules)
    for provocation in rules.provocations:  # and not for its statistics
        violated = {finding.rule for finding in judge(provocation.case, physics).verdict.violated}
        assert not any(rule.startswith("check:") for rule in violated)


def test_a_rule_set_without_rows_that_count_from_one_another_is_refused() -> None:
    pytest.importorskip("transformers", reason="needs torch and transformers, of the extra `policies`")
    rules = load("panda-tabletop")
    absolute = replace(rules.accepts, layouts=rules.accepts.layouts[:1])

    with pytest.raises(UnusableInput, match="accepts no layout of delta_from_previous"):
        TinyQwenVla(replace(rules, accepts=absolute))


def test_figures_are_said_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    judged: dict[str, Json] = {
        "episodes": 6,
        "contacts": 0,
        "limit_violations": 0,
        "amended": 28,
        "rechecks": 1,
        "latched": 6,
    }
    log: Json = {
        "path": "here",
        "records": 70,
        "verified": True,
        "head": "h",
        "decisions": 62,
        "replayed_identical": True,
    }

    show_policy(
        {
            "policy": "qwen-vla-tiny",
            "proposals": 62,
            "permitted": 30,
            "refused": 32,
            "violations": 0,
            "supervised": {**judged, "by_rule": {"KEEP-IN": 30, "JOINT-ACCELERATION": 2}},
            "unsupervised": {"episodes": 6, "contacts": 12, "limit_violations": 6},
            "review_ms": {"p50": 70.0, "p99": 200.0},
            "log": log,
            "broken": [],
            "seconds": 77.4,
        }
    )

    said = " ".join(capsys.readouterr().out.split())
    assert "KEEP-IN 30 JOINT-ACCELERATION 2" in said
    assert "in 6 episodes: 62 proposals, 32 refused, 30 permitted, 28 of them amended; 1 plan braked" in said
    assert "0 violations by the physics' own count, with the supervisor: 0 contacts, 0 episodes beyond a limit" in said
    assert "without: 12 and 6, in 6 episodes." in said
    assert "70 records, verified; all of 62 decisions replay byte by byte." in said
