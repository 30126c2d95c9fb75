"""`interlock demo`: its processes, its record and its figures."""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from interlock.errors import LogDegraded
from interlock.jsonform import Json
from interlock.log import Entry
from interlock.verdict import Attempt, Decision, Finding, Verdict
from interlock_cli import demo as demo_command
from interlock_cli.demo_pipe import Append, Failed, PipeLog, keep
from interlock_cli.demo_worker import telling, work
from interlock_cli.main import app
from interlock_sim.demo import Done, Job

JOBS = (
    Job("reach", 0, None, supervised=True),
    Job("reach", 0, None, supervised=False),
    Job("reach", 0, "nan", supervised=True),
    Job("reach", 0, "nan", supervised=False),
    Job("reach", 0, "tunnelling", supervised=True),
    Job("reach", 0, "tunnelling", supervised=False),
)


def few(seeds: int) -> tuple[Job, ...]:
    return JOBS * seeds


def nothing(done: Sequence[Done]) -> tuple[str, ...]:
    """Most faults are left out here, so most promises are not kept."""
    del done
    return ()


@pytest.mark.slow
def test_a_small_demo_keeps_its_promises_and_its_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo_command, "jobs", few)
    monkeypatch.setattr(demo_command, "broken", nothing)

    ran = CliRunner().invoke(app, ["demo", "--seeds", "1", "--format", "json", "--log", str(tmp_path / "log")])

    found: Mapping[str, Any] = json.loads(ran.stdout)
    faults = {fault["name"]: fault for fault in found["faults"]}
    assert ran.exit_code == 0
    assert found["nominal"]["success"] == found["nominal"]["episodes"] == 1
    assert found["nominal"]["vetoes"] == found["nominal"]["contacts"] == 0
    assert faults["nan"]["unsupervised"]["limit_violations"] == 1
    assert faults["tunnelling"]["unsupervised"]["contacts"] > 0
    assert faults["tunnelling"]["supervised"]["contacts"] == 0
    assert faults["nan"]["supervised"]["by_rule"]["check:finite"] > 0
    assert found["log"]["verified"]
    assert found["log"]["replayed_identical"]
    assert found["log"]["decisions"] > 10
    assert {Path(picture).name for picture in found["pictures"]} >= {"check-finite.png", "CLEAR-OF-OBJECTS.png"}
    assert all(Path(picture).stat().st_size > 10_000 for picture in found["pictures"])


def test_a_process_says_what_went_wrong() -> None:
    here, there = multiprocessing.Pipe()

    work(there, "no-such-rules", realtime=False)

    failed = here.recv()
    assert isinstance(failed, Failed)
    assert "no-such-rules" in failed.text


class Ticket:
    def written(self, timeout_s: float) -> Entry:
        del timeout_s
        return Entry(7, "written")

    def durable(self, timeout_s: float) -> Entry:
        del timeout_s
        return Entry(7, "durable")


class FakeLog:
    degraded: str | None = None

    def append(self, kind: str, body: Mapping[str, Json], *, blobs: Mapping[str, bytes], urgent: bool) -> Ticket:
        del kind, body, blobs, urgent
        if self.degraded is not None:
            raise LogDegraded(self.degraded)
        return Ticket()


@pytest.mark.parametrize(("urgent", "digest"), [(False, "written"), (True, "durable")])
def test_an_urgent_record_is_durable_before_it_is_answered(urgent: bool, digest: str) -> None:  # noqa: FBT001
    assert keep(FakeLog(), Append("review", {}, {}, urgent)) == Entry(7, digest)


def test_a_log_that_takes_no_more_degrades_at_the_other_end_too() -> None:
    here, there = multiprocessing.Pipe()
    broken = FakeLog()
    broken.degraded = "the disk is full"
    log = PipeLog(there)
    here.send(keep(broken, Append("review", {}, {}, urgent=True)))

    with pytest.raises(LogDegraded, match="the disk is full"):
        log.append("review", {}, blobs={}, urgent=True)

    assert log.degraded == "the disk is full"


def test_latest_leads_to_the_last_run(tmp_path: Path) -> None:
    for name in ("demo-1", "demo-2"):
        (tmp_path / name).mkdir()
        demo_command.point_to(tmp_path / name)

    assert (tmp_path / "latest").resolve() == (tmp_path / "demo-2").resolve()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["demo-1", "demo-2", "latest"]


def finding(rule: str, margin: float, limit: float = 1.0) -> Finding:
    return Finding(rule, "kind", "veto", margin, 0.0, limit, "m", "text")


@pytest.mark.parametrize(
    ("findings", "rule"),
    [
        ((finding("check:vetoes", -1.0), finding("KEEP-IN", -0.1), finding("TORQUE", 0.5)), "KEEP-IN"),
        ((finding("check:vetoes", -1.0), finding("TORQUE", 0.5)), "TORQUE"),
        ((finding("GRIPPER", 0.0), finding("TORQUE", 9.0, 60.0), finding("KEEP-OUT", 0.2, 1.0)), "TORQUE"),
        ((finding("check:latch", -1.0, 0.0),), "check:latch"),
    ],
)
def test_a_decision_is_told_by_what_it_turns_on(findings: tuple[Finding, ...], rule: str) -> None:
    decision = Decision("veto", 0, 0, 0.0, (Attempt("as proposed", 0, Verdict(findings)),), None)

    assert telling(decision).rule == rule
