"""`interlock demo`: every task and fault in a simulated cell, without and with the supervisor, and the record of it."""

from __future__ import annotations

import json
import multiprocessing
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Annotated, Final, Literal, cast

import numpy as np
import typer
from rich.console import Console

from interlock.errors import InterlockError
from interlock.jsonform import Json
from interlock_audit_logs import AuditLog, Verification, open_log, verify
from interlock_sim.demo import broken, jobs, summary

from .demo_pipe import Append, Failed, Finished, Order, Paint, Painted, Replay, Replayed, Report, Seen, keep
from .demo_screen import Screen, show
from .demo_worker import work

QUICK_SEEDS, FULL_SEEDS = 3, 20
RUNS: Final = Path("audit_logs/runs")
NOT_KEPT: Final = 1  # the exit code where the demo does not show what it promises


class DemoFailed(InterlockError):
    """A process of the demo met an error."""


@dataclass(slots=True)
class Progress:
    """What has been reported so far. `first`: the first record that each rule refused, which gets a picture."""

    finished: list[Finished] = field(default_factory=list[Finished])
    first: dict[str, int] = field(default_factory=dict[str, int])
    reviews: int = 0
    identical: int = 0
    pictures: list[str] = field(default_factory=list[str])

    @property
    def replayed(self) -> bool:
        """Whether there were decisions, and every one came out the same, byte by byte."""
        return 0 < self.reviews == self.identical

    def take(self, report: Report) -> None:
        """Notes what a process reports."""
        match report:
            case Finished():
                self.finished.append(report)
            case Replayed():
                self.reviews += report.reviews
                self.identical += report.identical
            case Painted():
                self.pictures.append(str(report.picture))

    def saw(self, seen: Seen) -> None:
        """Notes the first refusal by each rule."""
        if seen.reaction == "veto" and seen.record is not None:
            self.first.setdefault(seen.rule, seen.record)


def demo(
    *,
    quick: Annotated[bool, typer.Option("--quick", help=f"{QUICK_SEEDS} seeds instead of {FULL_SEEDS}.")] = False,
    seeds: Annotated[int | None, typer.Option("--seeds", min=1, help="So many seeds.")] = None,
    rules: Annotated[str, typer.Option("--rules", help="The rule set.")] = "panda-tabletop",
    directory: Annotated[Path | None, typer.Option("--log", help=f"Where the record goes; new in {RUNS}.")] = None,
    processes: Annotated[int, typer.Option("--processes", min=1)] = 2,
    realtime: Annotated[bool, typer.Option("--realtime", help="Simulated time no faster than real.")] = False,
    form: Annotated[Literal["text", "json"], typer.Option("--format")] = "text",
) -> None:
    """Nominal episodes and every fault, without and with the supervisor. Exit 1: it did not show what it promises."""
    where = directory or RUNS / f"demo-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    count = seeds or (QUICK_SEEDS if quick else FULL_SEEDS)
    began = time.monotonic()
    progress = Progress()
    console = Console()
    with Screen(console if form == "text" else None) as screen, _workers(processes, rules, realtime=realtime) as pipes:
        with open_log(where) as log:
            _run(pipes, jobs(count), log, progress, screen, "episodes")
        verified = verify(where)
        if directory is None:
            point_to(where)
        _run(pipes, _orders(where, progress, len(pipes)), None, progress, screen, "replay and pictures")
    figures = _figures(where, verified, progress) | {"seconds": round(time.monotonic() - began, 1)}
    if form == "json":
        typer.echo(json.dumps(figures, indent=2))
    else:
        show(console, figures)
    raise typer.Exit(NOT_KEPT if figures["broken"] else 0)


def point_to(run: Path) -> None:
    """`latest` beside the runs leads to this one."""
    latest, new = run.parent / "latest", run.parent / f".latest-{run.name}"
    new.symlink_to(run.name)
    new.replace(latest)


@contextmanager
def _workers(count: int, rules: str, *, realtime: bool) -> Generator[list[Connection]]:
    """Processes that do what their pipes say; at the end they are told to stop."""
    context = multiprocessing.get_context("spawn")  # a forked PyBullet shares its client with its parent
    pairs = [context.Pipe() for _ in range(count)]
    started = [context.Process(target=work, args=(there, rules), kwargs={"realtime": realtime}) for _, there in pairs]
    try:
        for process in started:
            process.start()
        for _, there in pairs:
            there.close()  # so that a process that dies is an end of file here, and not a silence
        yield [here for here, _ in pairs]
        for here, _ in pairs:
            here.send(None)
        for process in started:
            process.join(10.0)
    finally:
        for process in started:
            process.terminate()


def _run(
    pipes: Sequence[Connection],
    orders: Sequence[Order],
    log: AuditLog | None,
    progress: Progress,
    screen: Screen,
    what: str,
) -> None:
    """Hands out the orders one by one, keeps the record for the processes, and takes their reports."""
    screen.begin(what, len(orders))
    waiting = list(reversed(orders))
    busy = [pipe for pipe in pipes if _hand_out(pipe, waiting)]
    while busy:
        for pipe in cast("list[Connection]", wait(busy)):
            match message := _received(pipe):
                case Append():
                    pipe.send("no log is open" if log is None else keep(log, message))
                case Seen():
                    progress.saw(message)
                    screen.saw(message)
                case Failed():
                    raise DemoFailed(message.text)
                case _:
                    progress.take(message)
                    screen.took(message)
                    if not _hand_out(pipe, waiting):
                        busy.remove(pipe)


def _received(pipe: Connection) -> Append | Seen | Failed | Report:
    try:
        message: Append | Seen | Failed | Report = pipe.recv()
    except EOFError:
        return Failed("a process of the demo died")
    return message


def _hand_out(pipe: Connection, waiting: list[Order]) -> bool:
    if waiting:
        pipe.send(waiting.pop())
        return True
    return False


def _orders(where: Path, progress: Progress, processes: int) -> list[Order]:
    """To replay everything in equal shares, and to draw the first refusal by each rule."""
    folder = where / "pictures"
    folder.mkdir(exist_ok=True)
    shares: list[Order] = [Replay(where, first, processes) for first in range(processes)]
    firsts = sorted(progress.first.items())
    return shares + [Paint(where, record, folder / f"{rule.replace(':', '-')}.png") for rule, record in firsts]


def _figures(where: Path, verified: Verification, progress: Progress) -> dict[str, Json]:
    done = [finished.done for finished in progress.finished]
    wrong = list(broken(done))
    wrong += [] if verified.ok else ["the log does not verify"]
    wrong += [] if progress.replayed else ["not every decision replays to identical bytes"]
    log: dict[str, Json] = {
        "path": str(where),
        "records": verified.records,
        "verified": verified.ok,
        "head": verified.head,
        "decisions": progress.reviews,
        "replayed_identical": progress.replayed,
    }
    figures: dict[str, Json] = {"review_ms": _review_ms(progress.finished), "log": log}
    return {**summary(done), **figures, "pictures": sorted(progress.pictures), "broken": wrong}


def _review_ms(finished: Sequence[Finished]) -> dict[str, Json]:
    times = [ms for one in finished for ms in one.review_ms]
    return {f"p{share}": round(float(np.percentile(times, share)), 2) if times else None for share in (50, 99)}
