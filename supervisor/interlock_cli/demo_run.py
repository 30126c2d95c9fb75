"""What `interlock demo` does: every task and fault in a simulated cell, without and with the supervisor, on record."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Final, Literal, cast

import numpy as np

from interlock.errors import InterlockError
from interlock.jsonform import Json
from interlock_audit_logs import AuditLog, Verification, open_log, verify
from interlock_sim.demo import Job, broken, jobs, policy_jobs, policy_summary, summary

from .demo_pipe import Append, Failed, Finished, Order, Paint, Painted, Refusal, Replay, Replayed, Report, Seen, keep
from .demo_policy import require_torch
from .demo_screen import Screen, show, show_pictures, show_policy
from .demo_worker import work
from .printing import console, print_json, print_line

NOT_KEPT: Final = 1  # the exit code where the demo does not show what it promises
BUG: Final = 70  # that of a picture that could not be drawn
EPISODE_S: Final = 0.5  # how long an episode and its replay take on two cores, for a rough forecast


class DemoFailed(InterlockError):
    """A process of the demo met an error."""


@dataclass(slots=True)
class Progress:
    """What has been reported so far.

    kinds: the rules that refusals turned on; each gets a picture. clearest: by rule, the refusal that shows it best.
    """

    finished: list[Finished] = field(default_factory=list[Finished])
    kinds: set[str] = field(default_factory=set[str])
    clearest: dict[str, tuple[Refusal, Seen]] = field(default_factory=dict[str, tuple[Refusal, Seen]])
    reviews: int = 0
    identical: int = 0
    painted: list[Painted] = field(default_factory=list[Painted])

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
                self.painted.append(report)

    def saw(self, seen: Seen) -> None:
        """Notes a veto where it shows one of its rules better than those before."""
        if seen.reaction != "veto" or seen.record is None:
            return
        self.kinds.add(seen.rule)
        for refusal in seen.refusals:
            known = self.clearest.get(refusal.rule)
            if known is None or refusal.clearness > known[0].clearness:
                self.clearest[refusal.rule] = refusal, seen


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked of the demo; `directory` None: a new folder in `runs`, to which `latest` leads from then on."""

    seeds: int
    rules: str
    directory: Path | None
    runs: Path
    processes: int
    realtime: bool
    form: Literal["text", "json"]
    policy: str | None = None

    @property
    def jobs(self) -> tuple[Job, ...]:
        """The episodes."""
        return jobs(self.seeds) if self.policy is None else policy_jobs(self.policy, self.seeds)


def run_demo(wanted: Wanted) -> int:
    """Runs the demo and prints its figures, then the pictures, of which any may fail; the exit code."""
    if wanted.policy is not None:
        require_torch()
    where = wanted.directory or wanted.runs / f"demo-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    began = time.monotonic()
    progress, episodes, text = Progress(), wanted.jobs, wanted.form == "text"
    if text:
        print_line(beginning(episodes, realtime=wanted.realtime))
    with _workers(wanted) as pipes:
        with Screen(console() if text else None) as screen:
            with open_log(where) as log:
                _run(pipes, episodes, log, progress, screen, "episodes")
            verified = verify(where)
            if wanted.directory is None:
                point_to(where)
            shares = [Replay(where, first, len(pipes)) for first in range(len(pipes))]
            _run(pipes, shares, None, progress, screen, "replay")
        figures = _figures(wanted, where, verified, progress) | {"seconds": round(time.monotonic() - began, 1)}
        if text:
            (show if wanted.policy is None else show_policy)(figures)
        figures |= _paint(pipes, where, progress)
    if text:
        show_pictures(figures)
    else:
        print_json(figures)
    return BUG if figures["picture_problems"] else NOT_KEPT if figures["broken"] else 0


def beginning(episodes: Sequence[Job], *, realtime: bool) -> str:
    """What begins, and how long it takes, roughly."""
    minutes = max(1, round(len(episodes) * EPISODE_S / 60.0))
    long = "about a minute" if minutes == 1 else f"about {minutes} minutes"
    return f"{len(episodes)} episodes, without and with the supervisor: {'in real time' if realtime else long}"


def point_to(run: Path) -> None:
    """`latest` beside the runs leads to this one."""
    latest, new = run.parent / "latest", run.parent / f".latest-{run.name}"
    new.symlink_to(run.name)
    new.replace(latest)


@contextmanager
def _workers(wanted: Wanted) -> Generator[list[Connection]]:
    """Processes that do what their pipes say; at the end they are told to stop."""
    context = multiprocessing.get_context("spawn")  # a forked PyBullet shares its client with its parent
    pairs = [context.Pipe() for _ in range(wanted.processes)]
    how = {"realtime": wanted.realtime, "policy": wanted.policy}
    started = [context.Process(target=work, args=(there, wanted.rules), kwargs=how) for _, there in pairs]
    try:
        for process in started:
            process.start()
        for _, there in pairs:
            there.close()  # so that a process that dies is an end of file here, and not a silence
        yield [here for here, _ in pairs]
        for here, _ in pairs:
            with suppress(OSError):  # of a process that died while it drew
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


def _paint(pipes: Sequence[Connection], where: Path, progress: Progress) -> dict[str, Json]:
    """Has the clearest refusal by each rule drawn: the pictures there are, and what went wrong with the others."""
    folder = where / "pictures"
    wrong: list[str] = []
    try:
        folder.mkdir(exist_ok=True)
        _run(pipes, paintings(where, folder, progress), None, progress, Screen(None), "pictures")
    except (DemoFailed, OSError) as error:
        wrong.append(f"no more pictures: {error}")
    wrong += [f"{one.order.picture.name}, {one.order.title}: {one.problem}" for one in progress.painted if one.problem]
    return {
        "pictures": sorted(str(one.order.picture) for one in progress.painted if not one.problem),
        "picture_problems": wrong,
    }


def paintings(where: Path, folder: Path, progress: Progress) -> list[Order]:
    """What to draw in `folder`: of each rule that a refusal turned on, the refusal that shows it best."""
    return [
        Paint(where, seen.record, seen.job, folder / f"{rule.replace(':', '-')}.png", rule)
        for rule, (_, seen) in sorted(progress.clearest.items())
        if rule in progress.kinds and seen.record is not None
    ]


def _figures(wanted: Wanted, where: Path, verified: Verification, progress: Progress) -> dict[str, Json]:
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
    found = summary(done) if wanted.policy is None else policy_summary(wanted.policy, done)
    return {**found, **figures, "broken": wrong}


def _review_ms(finished: Sequence[Finished]) -> dict[str, Json]:
    times = [ms for one in finished for ms in one.review_ms]
    return {f"p{share}": round(float(np.percentile(times, share)), 2) if times else None for share in (50, 99)}
