"""One process of the demo: runs episodes with and without a supervisor, replays records, draws pictures."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from interlock.arrays import FloatArray
from interlock.bullet_physics import BulletPhysics
from interlock.chunk import ActionChunk, Malformed
from interlock.jsonform import Json, from_json
from interlock.judge import judge
from interlock.record import read_case, resolved
from interlock.robots import Asked, Clock, Policy, Robot, run
from interlock.rules import RuleSet
from interlock.supervisor import Review, Supervisor
from interlock.verdict import Decision, Verdict
from interlock_audit_logs import Record, blob_reader, fingerprint, json_reader, read_log, replay
from interlock_rules import load
from interlock_sim.demo import Done, Job
from interlock_sim.episode import BEGIN_NS, Judged, run_episode
from interlock_sim.picture import LARGE_RAD, draw

from .again import open_again
from .demo_pipe import Failed, Finished, Order, Paint, Painted, PipeLog, Refusal, Replay, Replayed, Report, Seen
from .demo_policy import TinyQwenVla
from .findings import telling

EPISODE_NS = 60_000_000_000  # from the begin of one episode to that of the next, on the supervisor's clock
AMENDED = ("slow", "truncate")


def work(pipe: Connection, rules: str, *, realtime: bool, policy: str | None = None) -> None:
    """Does what the pipe orders until it orders None. An error is reported, not raised: nobody would see it here."""
    try:
        tiny = None if policy is None else TinyQwenVla(load(rules))
        bench = Bench(load(rules) if tiny is None else tiny.rules, pipe, realtime=realtime, tiny=tiny)
        while (order := pipe.recv()) is not None:
            pipe.send(bench.do(order))
    except EOFError:
        return  # whoever gave the orders is gone
    except Exception as error:  # noqa: BLE001 - the other end says it, and ends the demo
        pipe.send(Failed(f"{type(error).__name__}: {error}"))


class Bench:
    """One supervisor, and the simulated worlds that it is put in one after the other."""

    def __init__(self, rules: RuleSet, pipe: Connection, *, realtime: bool, tiny: TinyQwenVla | None = None) -> None:
        self._rules = rules
        self._tiny = tiny
        self._pipe = pipe
        self._realtime = realtime
        self._physics = BulletPhysics(rules.profile, rules.cell)
        self._clock: Clock | None = None
        self._supervisor: Supervisor | None = None
        self._log = PipeLog(pipe)
        self._begin_ns = BEGIN_NS
        self._read: dict[Path, tuple[Record, ...]] = {}

    def do(self, order: Order) -> Report:
        """Carries out one order."""
        match order:
            case Job():
                return self._episode(order)
            case Replay():
                return self._replay(order)
            case Paint():
                return self._paint(order)

    def _episode(self, job: Job) -> Finished:
        self._begin_ns += EPISODE_NS
        watched = Watched(self._pipe, job, self._begin_ns)

        def supervise(policy: Policy, robot: Robot, clock: Clock, done: Callable[[], bool]) -> Judged:
            self._clock = Paced(clock) if self._realtime else clock
            supervisor, before = self._ready(), self._log.rechecks
            run(supervisor, watched.timed(policy), robot, self._clock, done=done, on_review=watched.review)
            return watched.judged(supervisor, self._log.rechecks - before)

        outcome = run_episode(
            self._rules.profile,
            self._rules.cell,
            job.episode,
            supervise if job.supervised else None,
            self._begin_ns,
            None if self._tiny is None else self._tiny.maker(job.seed),
        )
        return Finished(Done(job, outcome), tuple(watched.review_ms))

    def _ready(self) -> Supervisor:
        """The supervisor as if it had just been started: only its log goes on."""
        supervisor = self._supervisor
        if supervisor is None:
            elapsed_ns = time.monotonic_ns if self._realtime else lambda: 0
            supervisor = Supervisor(self._rules, self._log, self._physics, now_ns=self._now_ns, elapsed_ns=elapsed_ns)
            self._supervisor = supervisor
            return supervisor
        if supervisor.memory.state != "stopped":
            supervisor.stop("the episode is over")
        supervisor.reset("interlock demo", "another episode begins, in another world")
        return supervisor

    def _now_ns(self) -> int:
        return 0 if self._clock is None else self._clock.now_ns()

    def _replay(self, order: Replay) -> Replayed:
        records = _every(order.of, order.first, self._records(order.directory))
        found = replay(records, blob_reader(order.directory), open_again(), environment=fingerprint())
        return Replayed(found.replayed, found.identical)

    def _records(self, directory: Path) -> tuple[Record, ...]:
        """All records of a finished log; read once."""
        if directory not in self._read:
            self._read[directory] = tuple(read_log(directory))
        return self._read[directory]

    def _paint(self, order: Paint) -> Painted:
        """A picture is worth less than the figures: what goes wrong with one is reported, and the next is drawn."""
        try:
            record = self._records(order.directory)[order.record]
            read_blob = json_reader(blob_reader(order.directory))
            case = read_case(record.body["case"], read_blob, lambda _: self._rules)
            judged = replace(judge(case, self._physics), verdict=_recorded(record, read_blob))
            draw(case, judged, order.picture, order.title, order.rule)
        except Exception as error:  # noqa: BLE001 - the other end says it, once the figures are printed
            return Painted(order, f"{type(error).__name__}: {error}")
        return Painted(order)


def _recorded(record: Record, read_blob: Callable[[str], Json]) -> Verdict:
    """What the record's decision turned on: the judgement of what was proposed, or that it came too late."""
    decision = from_json(Decision, resolved(record.body["decision"], read_blob))
    return decision.attempts[0].verdict


def _every(of: int, first: int, records: Iterable[Record]) -> Iterator[Record]:
    """Every `of`-th review from number `first` on, and all that is no review."""
    number = 0
    for record in records:
        if record.kind != "review":
            yield record
            continue
        if number % of == first:
            yield record
        number += 1


def smooth(rows: FloatArray) -> bool:
    """Whether rows (T, n + g) of positions follow one another as an arm can move; NaN does not."""
    return bool((np.abs(np.diff(rows, axis=0)) <= LARGE_RAD).all())


def refusals(decision: Decision, *, smooth: bool) -> tuple[Refusal, ...]:
    """Every rule and check that what was proposed violates; none where it is permitted."""
    if decision.permitted:
        return ()
    turns, violated = telling(decision).rule, decision.attempts[0].verdict.violated
    return tuple(
        Refusal(
            rule=finding.rule,
            share=finding.margin / (abs(finding.limit) or 1.0),
            turns=finding.rule == turns,
            smooth=smooth,
            others=len(violated) - 1,
        )
        for finding in violated
    )


class Watched:
    """What happened in one supervised episode, review by review."""

    def __init__(self, pipe: Connection, job: Job, begin_ns: int) -> None:
        self._pipe = pipe
        self._job = job
        self._begin_ns = begin_ns
        self._smooth = False
        self._answered = (0, 0.0)  # when the chunk under review came: on the episode's clock, and on the wall's
        self._vetoes = self._amended = 0
        self._by_rule: Counter[str] = Counter()
        self.review_ms: list[float] = []

    def timed(self, policy: Policy) -> Policy:
        """The policy, whose every answer starts the watch."""
        return _Timed(policy, self)

    def answered(self, now_ns: int, chunk: ActionChunk | Malformed) -> None:
        """A chunk has come, and its review begins."""
        self._smooth = isinstance(chunk, ActionChunk) and smooth(chunk.values)
        self._answered = (now_ns, time.perf_counter())

    def review(self, review: Review) -> None:
        """A review is over."""
        now_ns, began = self._answered
        self.review_ms.append(1e3 * (time.perf_counter() - began))
        decision = review.decision
        finding = telling(decision)
        self._amended += decision.reaction in AMENDED
        if not decision.permitted:
            self._vetoes += 1
            self._by_rule[finding.rule] += 1
        at_s = (now_ns - self._begin_ns) / 1e9
        record = None if review.entry is None else review.entry.index
        why = refusals(decision, smooth=self._smooth)
        self._pipe.send(
            Seen(self._job, at_s, decision.reaction, finding.rule, finding.margin, finding.unit, record, why)
        )

    def judged(self, supervisor: Supervisor, rechecks: int) -> Judged:
        """The whole episode, in which so many rechecks braked the arm."""
        stopped = supervisor.memory.state == "stopped"
        return Judged(self._vetoes, self._amended, dict(self._by_rule), stopped, rechecks, len(self.review_ms))


class _Timed:
    def __init__(self, policy: Policy, watched: Watched) -> None:
        self._policy = policy
        self._watched = watched

    def ask(self, asked: Asked) -> None:
        self._policy.ask(asked)

    def answer(self, now_ns: int) -> ActionChunk | Malformed | None:
        chunk = self._policy.answer(now_ns)
        if chunk is not None:
            self._watched.answered(now_ns, chunk)
        return chunk


class Paced:
    """A simulated clock that never runs ahead of the wall's."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._offset_ns = time.monotonic_ns() - clock.now_ns()

    def now_ns(self) -> int:
        """The simulated time [ns]."""
        return self._clock.now_ns()

    def sleep_until(self, when_ns: int) -> None:
        """Steps the simulation, then waits for the wall's clock to come to the same moment."""
        self._clock.sleep_until(when_ns)
        time.sleep(max(0, when_ns + self._offset_ns - time.monotonic_ns()) / 1e9)
