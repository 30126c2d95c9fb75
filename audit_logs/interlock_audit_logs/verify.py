"""The whole log, checked: every line, the chain, the sessions, bytes left aside, blobs, and a head noted before."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from interlock.errors import UnusableInput

from .blobs import read_blob
from .chain import DEGRADED, GAP, STOP, Aside, breaks, set_aside
from .record import DIGEST, Record
from .segments import Line, segment_name, segments, walk

MOST_PROBLEMS: Final = 100  # after that a log is as broken as it gets


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: the file and line, the record (None: no record to name), and what was found there."""

    where: str
    index: int | None
    text: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What a log holds and what is wrong with it, in reading order; notes are lawful, but worth knowing."""

    records: int
    head: str | None
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether the log verifies: it holds records, and nothing is wrong with them."""
        return self.records > 0 and not self.problems


def verify(directory: Path | str, head: str | None = None) -> Verification:
    """Checks a whole log; `head` is the digest [hex] of any record of it that somebody noted earlier.

    Without a head, a log that was cut off after a whole record, or written anew from some record on, looks like any
    other. Raises UnusableInput where there is no log, or the head is no digest.
    """
    if head is not None and not DIGEST.fullmatch(head):
        raise UnusableInput(f"a head is 64 lower-case hexadecimal digits, got {head[:80]!r}")
    check = _Check(Path(directory), head)
    check.names()
    for part in walk(check.directory):
        check.part(part)
        if len(check.problems) >= MOST_PROBLEMS:
            check.notes.append(f"stopped after {MOST_PROBLEMS} problems")
            break
    check.end()
    return Verification(check.records, check.digest, tuple(check.problems), tuple(check.notes))


class _Check:
    """What the verifier has seen so far."""

    def __init__(self, directory: Path, head: str | None) -> None:
        self.directory = directory
        self.head = head
        self.head_seen = False
        self.before: Record | None = None
        self.before_where = ""
        self.expected = 0  # the index of the next record
        self.torn = False  # a line before it is no record, which says enough: what follows cannot fit
        self.left: dict[str, Aside] = {}
        self.blobs: set[tuple[str, int]] = set()
        self.problems: list[Problem] = []
        self.notes: list[str] = []
        self.records = 0
        self.digest: str | None = None

    def names(self) -> None:
        """Segments are numbered without a hole, and none is empty."""
        for place, (number, path) in enumerate(segments(self.directory).items()):
            if path.stat().st_size == 0:
                self.problems.append(Problem(path.name, None, "an empty segment; no crash leaves one"))
            if number != place:
                self.problems.append(Problem(path.name, None, f"{segment_name(place)} is missing before it"))
                return

    def part(self, part: Line | Aside) -> None:
        """The next line, or the bytes left aside at the end of a segment."""
        if isinstance(part, Aside):
            self.left[part.segment] = part
        elif part.record is None:
            self.problems.append(Problem(part.where, self.expected, part.problem))
            self.expected += 1
            self.torn = True
        else:
            self._record(part.where, part.record)

    def end(self) -> None:
        """What can only be said when everything was read."""
        for aside in self.left.values():
            text = f"{aside.size} bytes from byte {aside.offset} on are in no record's account"
            self.problems.append(Problem(aside.segment, None, text))
        if self.records == 0:
            self.problems.append(Problem(str(self.directory), None, "the log holds no record"))
        if self.head is not None and not self.head_seen:
            text = f"the noted head {self.head} is not in this log: it was cut off, forked or written anew"
            self.problems.append(Problem(self.before_where or str(self.directory), None, text))
        if self.before is not None and self.before.kind != STOP:
            self.notes.append("the last session did not stop: its writer is at work, or it died")

    def _record(self, where: str, record: Record) -> None:
        self.records += 1
        for blamed, problem in () if self.torn else breaks(self.before, record):
            self.problems.append(Problem(where if blamed is record else self.before_where, blamed.index, problem))
        self._account(where, record)
        self._blobs(where, record)
        self.before, self.before_where, self.digest = record, where, record.digest
        self.expected, self.torn = record.index + 1, False
        self.head_seen = self.head_seen or record.digest == self.head

    def _account(self, where: str, record: Record) -> None:
        if record.kind in {GAP, DEGRADED}:
            self.notes.append(f"{where}: record {record.index}: {record.kind}: {record.body.get('reason')}")
        named = set_aside(record)
        if named is None:
            return
        found = self.left.pop(named.segment, None)
        if (found is not None and not named.covers(found)) or (found is None and named.size):
            text = f"the bytes that it left aside in {named.segment} are not what it says"
            self.problems.append(Problem(where, record.index, text))

    def _blobs(self, where: str, record: Record) -> None:
        for name, size in record.blobs.items():
            if (name, size) in self.blobs:
                continue
            try:
                found = len(read_blob(self.directory, name))
            except UnusableInput as error:
                self.problems.append(Problem(where, record.index, str(error)))
                continue
            if found != size:
                self.problems.append(Problem(where, record.index, f"blob {name}: {found} bytes, not {size}"))
            self.blobs.add((name, size))
