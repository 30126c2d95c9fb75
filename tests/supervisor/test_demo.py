"""`interlock demo`: its processes, its record and its figures."""

from __future__ import annotations

import io
import json
import math
import multiprocessing
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from rich.console import Console
from typer.testing import CliRunner

from interlock.errors import LogDegraded
from interlock.jsonform import Json
from interlock.log import Entry
from interlock.verdict import Attempt, Decision, Finding, Verdict
from interlock_cli import demo_run
from interlock_cli.demo_pipe import Append, Failed, Finished, Paint, Painted, PipeLog, Refusal, Seen, keep
from interlock_cli.demo_run import DemoFailed, Progress, beginning
from interlock_cli.demo_screen import Screen, show, show_pictures
from interlock_cli.demo_worker import Bench, refusals, smooth, work
from interlock_cli.main import app
from interlock_rules import load
from interlock_sim.demo import Done, Job, summary
from interlock_sim.episode import Judged, Outcome
from interlock_sim.faults import FAULTS
from interlock_sim.watch import Contact

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
    monkeypatch.setattr(demo_run, "jobs", few)
    monkeypatch.setattr(demo_run, "broken", nothing)

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
    assert found["picture_problems"] == []


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
        demo_run.point_to(tmp_path / name)

    assert (tmp_path / "latest").resolve() == (tmp_path / "demo-2").resolve()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["demo-1", "demo-2", "latest"]


FITTING = {"elbow_into_post": "CLEAR-OF-CELL", "self_collision": "CLEAR-OF-SELF"}


@pytest.mark.slow
def test_faults_into_the_post_and_into_itself_are_refused_by_the_rule_for_it_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def these(seeds: int) -> tuple[Job, ...]:
        return tuple(Job("reach", seed, name, by) for name in FITTING for seed in range(seeds) for by in (True, False))

    monkeypatch.setattr(demo_run, "jobs", these)
    monkeypatch.setattr(demo_run, "broken", nothing)

    ran = CliRunner().invoke(app, ["demo", "--seeds", "8", "--format", "json", "--log", str(tmp_path / "log")])

    found: Mapping[str, Any] = json.loads(ran.stdout)
    for fault in found["faults"]:
        if fault["name"] in FITTING:
            alone, judged = fault["unsupervised"], fault["supervised"]
            assert alone["contacts"] >= alone["limit_violations"] == alone["episodes"] == 8
            assert judged["episodes"] == judged["latched"] == 8
            assert judged["contacts"] == judged["limit_violations"] == 0
            assert judged["by_rule"] == {FITTING[fault["name"]]: judged["vetoes"]}
    assert {Path(picture).stem for picture in found["pictures"]} == set(FITTING.values())


NAN = Job("reach", 0, "nan", supervised=True)
FINITE = (Refusal("check:finite", -1.0, turns=True, smooth=False),)


def test_of_each_rule_the_clearest_refusal_is_drawn(tmp_path: Path) -> None:
    seen = (
        ("A", 1, (Refusal("A", math.nan, turns=True, smooth=True),)),
        ("A", 2, (Refusal("A", -9.0, turns=True, smooth=False),)),
        ("B", 3, (Refusal("B", -1.0, turns=True, smooth=True), Refusal("A", -5.0, turns=False, smooth=True))),
        ("A", 4, (Refusal("A", -0.5, turns=True, smooth=True), Refusal("C", -0.5, turns=False, smooth=True))),
        ("A", 5, (Refusal("A", -0.7, turns=True, smooth=True),)),
        ("A", 6, (Refusal("A", -7.0, turns=True, smooth=True, others=2),)),
        ("A", 7, (Refusal("A", -1.1, turns=True, smooth=True, others=1),)),
        ("A", None, (Refusal("A", -8.0, turns=True, smooth=True),)),
    )
    drawn: list[Mapping[str, int]] = []
    progress = Progress()
    for rule, record, why in seen:
        progress.saw(Seen(NAN, 0.1, "veto", rule, -1.0, "", record, why))
        orders = [cast("Paint", order) for order in demo_run.paintings(tmp_path, tmp_path, progress)]
        drawn.append({order.rule: order.record for order in orders})
    progress.saw(Seen(NAN, 0.1, "stop", "A", -1.0, "", 7, (Refusal("A", -9.0, turns=True, smooth=True),)))

    assert [orders["A"] for orders in drawn] == [1, 2, 3, 4, 5, 6, 7, 7]
    assert drawn[-1] == {"A": 7, "B": 3}
    assert progress.clearest["A"][1].record == 7


@pytest.mark.parametrize(
    ("rows", "said"),
    [([[0.0, 0.0], [0.09, 0.0]], True), ([[0.0, 0.0], [0.0, 0.11]], False), ([[0.0], [math.nan]], False)],
    ids=["an arm's", "a jump", "no number"],
)
def test_rows_that_jump_are_not_smooth(rows: list[list[float]], said: bool) -> None:  # noqa: FBT001
    assert smooth(np.array(rows)) == said


def test_a_refusal_names_all_that_was_violated_and_what_it_turned_on() -> None:
    findings = (
        Finding("A", "clearance", "veto", -0.01, 0.01, 0.02, "m", "distance"),
        Finding("B", "keep_in", "veto", -0.3, -0.3, 0.0, "m", "inside"),
        Finding("C", "keep_in", "veto", 0.3, 0.3, 0.0, "m", "inside"),
    )
    decision = Decision("veto", 0, 0, 0.0, (Attempt("as proposed", 0, Verdict(findings)),), None)

    found = refusals(decision, smooth=True)

    assert found == (
        Refusal("A", -0.5, turns=True, smooth=True, others=1),
        Refusal("B", -0.3, turns=False, smooth=True, others=1),
    )


def test_a_picture_that_cannot_be_drawn_is_named_and_the_others_are_drawn(tmp_path: Path) -> None:
    here, there = multiprocessing.Pipe()
    bench = Bench(load("panda-tabletop"), there, realtime=False)

    painted = bench.do(Paint(tmp_path / "no log", 3, NAN, tmp_path / "nan.png", "check:finite"))

    here.close()
    assert isinstance(painted, Painted)
    assert "there is no log here" in painted.problem


@pytest.mark.parametrize(
    "end",
    [Painted(Paint(Path("log"), 3, NAN, Path("nan.png"), "check:finite"), "a reason"), DemoFailed("a reason")],
    ids=["one", "all"],
)
def test_pictures_are_best_effort_and_a_lost_one_is_a_bug(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: Painted | DemoFailed
) -> None:
    def run(_pipes: object, orders: Sequence[object], _log: object, progress: Progress, *_: object) -> None:
        if isinstance(end, DemoFailed) and isinstance(orders[0], Paint):
            raise end
        if isinstance(orders[0], Paint):
            progress.take(cast("Painted", end))
        else:
            progress.saw(Seen(NAN, 0.1, "veto", "check:finite", -1.0, "", 3, FINITE))

    monkeypatch.setattr(demo_run, "_run", run)

    def workers(_wanted: object) -> nullcontext[list[None]]:
        return nullcontext([None])

    monkeypatch.setattr(demo_run, "_workers", workers)

    ran = CliRunner().invoke(app, ["demo", "--seeds", "1", "--log", str(tmp_path / "log")])

    lines = ran.stdout.splitlines()
    assert ran.exit_code == 70
    assert lines[0] == "38 episodes, without and with the supervisor: about a minute"
    summarised = next(index for index, line in enumerate(lines) if line.startswith("Log "))
    lost = next(index for index, line in enumerate(lines) if line.startswith("NOT DRAWN"))
    assert summarised < lost
    assert "a reason" in lines[lost]
    assert isinstance(end, DemoFailed) or "nan.png, record 3: nan, seed 0" in lines[lost]


def test_the_forecast_of_its_duration_grows_with_the_episodes() -> None:
    assert beginning(JOBS * 100, realtime=False).endswith("about 5 minutes")
    assert beginning(JOBS, realtime=True).endswith("in real time")


def figures() -> dict[str, Json]:
    judged = Judged(12, 0, {"CLEAR-OF-OBJECTS": 10, "check:normalisation": 2}, latched=True)
    outcome = Outcome(False, (), (), blind=False, duration_s=1.0, judged=judged)
    done = [Done(Job(fault.task, 0, fault.name, supervised=True), outcome) for fault in FAULTS]
    log: Json = {
        "path": "log",
        "head": "0" * 64,
        "verified": True,
        "records": 1,
        "decisions": 1,
        "replayed_identical": 1,
    }
    more: dict[str, Json] = {"log": log, "review_ms": {"p50": 1.0, "p99": 2.0}, "broken": [], "seconds": 1.0}
    return summary(done) | more


@pytest.mark.parametrize("columns", ["80", "120", None])
def test_no_name_is_cut_in_the_summary(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: str | None
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False) if columns is None else monkeypatch.setenv("COLUMNS", columns)

    show(figures())

    words = capsys.readouterr().out.split()
    assert "\u2026" not in "".join(words)
    assert {fault.name for fault in FAULTS} <= set(words)
    assert words.count("CLEAR-OF-OBJECTS") == words.count("check:normalisation") == len(FAULTS)


def test_what_could_not_be_drawn_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    show_pictures({"pictures": ["a.png"], "picture_problems": ["b.png: no"]})

    assert capsys.readouterr().out == "Picture a.png\nNOT DRAWN: b.png: no\n"


def test_decisions_and_episodes_have_tables_of_their_own() -> None:
    console = Console(width=80, file=io.StringIO())
    touch = Contact(("panda_hand", "post"), 1, 0.001, (0.0, 0.0, 0.0))
    job = Job("reach", 12, "degrees_for_radians", supervised=False)
    outcome = Outcome(False, (touch,), (), blind=False, duration_s=12.34, judged=None)
    with Screen(None) as screen:
        screen.begin("episodes", 1)
        screen.saw(Seen(job, 12.34, "truncate", "CLEAR-OF-OBJECTS", -12.3, "rad/s^2", 7))
        screen.took(Finished(Done(job, outcome), ()))

    console.print(screen.view())

    text = " ".join(cast("io.StringIO", console.file).getvalue().split())
    assert "episode at decision turns on margin" in text
    assert "degrees_for_radians, seed 12 12.34 s truncate CLEAR-OF-OBJECTS -12.3" in text
    assert "episode took supervisor result harm" in text
    assert "degrees_for_radians, seed 12 12.34 s without not done 1 contact" in text
    assert "\u2026" not in text


def test_without_a_terminal_nothing_is_drawn_while_it_runs(capsys: pytest.CaptureFixture[str]) -> None:
    with Screen(Console()) as screen:
        screen.begin("episodes", 1)
        screen.saw(Seen(NAN, 0.1, "veto", "check:finite", -1.0, "", 3, FINITE))

    assert capsys.readouterr().out == ""
