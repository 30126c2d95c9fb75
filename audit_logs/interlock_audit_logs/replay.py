"""Every recorded decision computed again and compared, byte by byte; how a decision is computed is handed in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from interlock.jsonform import Json, canonical

from .blobs import BlobReader
from .chain import START
from .compare import Difference, differences
from .record import Record

TOLERANCE: Final = 1e-9  # how far margins may lie apart in another environment

Again = Callable[[Mapping[str, Json], BlobReader], Json]
Outcome = Literal["identical", "same decision", "different", "failed"]


@dataclass(frozen=True, slots=True)
class Question:
    """What is replayed: records of one kind; the body without `answer` goes in, `answer` must come out."""

    kind: str = "review"
    answer: str = "decision"


REVIEWS: Final = Question()


@dataclass(frozen=True, slots=True)
class Replayed:
    """One record's answer, computed again.

    "same decision": only numbers differ, by at most TOLERANCE, and the record comes from another environment.
    """

    index: int
    outcome: Outcome
    environment: tuple[Difference, ...]  # recorded against this one
    differences: tuple[Difference, ...]
    problem: str = ""  # of a replay that failed


@dataclass(frozen=True, slots=True)
class ReplayResult:
    """All replayed records counted; those that are not identical in full."""

    replayed: int
    identical: int
    same_decision: int
    others: tuple[Replayed, ...]

    @property
    def ok(self) -> bool:
        """Whether something was replayed, and every decision came out as it is on record."""
        return 0 < self.replayed == self.identical + self.same_decision


def replay(
    records: Iterable[Record],
    blobs: BlobReader,
    again: Again,
    *,
    environment: Mapping[str, Json],
    question: Question = REVIEWS,
) -> ReplayResult:
    """Computes every recorded answer again; `environment` is the fingerprint of this process."""
    replayed = identical = same_decision = 0
    others: list[Replayed] = []
    for found in replay_each(records, blobs, again, environment=environment, question=question):
        replayed += 1
        identical += found.outcome == "identical"
        same_decision += found.outcome == "same decision"
        if found.outcome != "identical":
            others.append(found)
    return ReplayResult(replayed, identical, same_decision, tuple(others))


def replay_each(
    records: Iterable[Record],
    blobs: BlobReader,
    again: Again,
    *,
    environment: Mapping[str, Json],
    question: Question = REVIEWS,
) -> Iterator[Replayed]:
    """The same, one record at a time; passes on what reading the records raises."""
    elsewhere: tuple[Difference, ...] = ()
    for record in records:
        if record.kind == START:
            elsewhere = tuple(differences(record.body.get("environment"), environment, "environment"))
        elif record.kind == question.kind:
            yield _replay_one(record, blobs, again, elsewhere, question.answer)


def _replay_one(
    record: Record, blobs: BlobReader, again: Again, elsewhere: tuple[Difference, ...], answer: str
) -> Replayed:
    if answer not in record.body:
        return Replayed(record.index, "failed", elsewhere, (), f"the record holds no {answer!r}")
    asked = {name: value for name, value in record.body.items() if name != answer}
    recorded = record.body[answer]
    try:
        recomputed = again(asked, blobs)
        same = canonical(recorded) == canonical(recomputed)
    except Exception as error:  # noqa: BLE001  # a record that cannot be replayed is a finding, the others still count
        return Replayed(record.index, "failed", elsewhere, (), f"{type(error).__name__}: {error}")
    if same:
        return Replayed(record.index, "identical", elsewhere, ())
    found = tuple(differences(recorded, recomputed))
    close = all(difference.apart is not None and difference.apart <= TOLERANCE for difference in found)
    outcome: Outcome = "same decision" if elsewhere and found and close else "different"
    return Replayed(record.index, outcome, elsewhere, found)
