"""What the demo's processes say to one another, and a log at the other end of a pipe: one writer keeps the record."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TypeAlias

from interlock.errors import LogDegraded
from interlock.jsonform import Json
from interlock.log import Entry, Log
from interlock_sim.demo import Done, Job

PATIENCE_S = 5.0


@dataclass(frozen=True, slots=True)
class Append:
    """A record for the log; the answer is an `Entry`, or a text that says why there is none."""

    kind: str
    body: Mapping[str, Json]
    blobs: Mapping[str, bytes]
    urgent: bool


@dataclass(frozen=True, slots=True)
class Refusal:
    """One rule that refused, and how well a picture of it would show why.

    share: the margin as a share of the limit, NaN where it is undecided. turns: whether the decision turns on this
    rule. smooth: whether the rows follow one another as an arm moves, so that bodies that meet are seen together.
    others: how many more findings were violated.
    """

    rule: str
    share: float
    turns: bool
    smooth: bool
    others: int = 0

    @property
    def clearness(self) -> tuple[bool, bool, bool, float, int, float]:
        """The larger, the clearer: a number before none, an arm's motion before a jump, beyond the limit by as much
        again, what is alone, then how far beyond it is.
        """
        beyond = -self.share if math.isfinite(self.share) else 0.0
        return math.isfinite(self.share), self.smooth, self.turns, min(beyond, 1.0), -self.others, beyond


@dataclass(frozen=True, slots=True)
class Seen:
    """One decision, for people to follow: the episode, when [s], the reaction, the worst finding and its record, and
    all that refused.
    """

    job: Job
    at_s: float
    reaction: str
    rule: str
    margin: float
    unit: str
    record: int | None
    refusals: tuple[Refusal, ...] = ()


@dataclass(frozen=True, slots=True)
class Finished:
    """An episode's end, and how long its reviews took [ms of wall time]."""

    done: Done
    review_ms: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Replay:
    """An order: compute again every `of`-th review of the log in `directory`, from number `first` on."""

    directory: Path
    first: int
    of: int


@dataclass(frozen=True, slots=True)
class Replayed:
    """How many reviews were computed again, and how many of them gave the same bytes."""

    reviews: int
    identical: int


@dataclass(frozen=True, slots=True)
class Paint:
    """An order: draw what a rule refused in the record of this index, in which episode."""

    directory: Path
    record: int
    job: Job
    picture: Path
    rule: str

    @property
    def title(self) -> str:
        """The record and the episode, for people."""
        return f"record {self.record}: {self.job.name}"


@dataclass(frozen=True, slots=True)
class Painted:
    """A picture is there; or it is not, and `problem` says why."""

    order: Paint
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Failed:
    """A worker met an error that it cannot answer for; the demo ends."""

    text: str


Order: TypeAlias = Job | Replay | Paint
Report: TypeAlias = Finished | Replayed | Painted


class PipeTicket:
    """The promise for a record that the other end has already kept."""

    def __init__(self, entry: Entry) -> None:
        self._entry = entry

    def written(self, timeout_s: float) -> Entry:
        """The record's entry."""
        del timeout_s
        return self._entry

    def durable(self, timeout_s: float) -> Entry:
        """The record's entry; an urgent record was durable before the other end answered."""
        del timeout_s
        return self._entry


class PipeLog:
    """A log (`interlock.log.Log`) whose writer is another process; each record is on disk before `append` returns."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._degraded: str | None = None
        self.rechecks = 0  # how many plans were braked by a recheck

    @property
    def degraded(self) -> str | None:
        """Why nothing may be permitted any more, or None."""
        return self._degraded

    def append(self, kind: str, body: Mapping[str, Json], *, blobs: Mapping[str, bytes], urgent: bool) -> PipeTicket:
        """Sends one record, and waits for its entry; raises LogDegraded."""
        self.rechecks += kind == "recheck"
        self._pipe.send(Append(kind, body, blobs, urgent))
        answer = self._pipe.recv()
        if not isinstance(answer, Entry):
            self._degraded = str(answer)
            raise LogDegraded(self._degraded)
        return PipeTicket(answer)


def keep(log: Log, record: Append) -> Entry | str:
    """The other end: appends a record and says what became of it."""
    try:
        ticket = log.append(record.kind, record.body, blobs=record.blobs, urgent=record.urgent)
        return ticket.durable(PATIENCE_S) if record.urgent else ticket.written(PATIENCE_S)
    except LogDegraded as error:
        return str(error)
