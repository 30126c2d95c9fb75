"""How an existing log is taken up again: the end of its last segment, and what a crash left behind it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .chain import STOP, Aside, breaks
from .errors import BrokenLog
from .record import MAX_LINE_BYTES, Record
from .segments import Line, lines, rest, segments

UNSYNCED_BYTES: Final = 4 * 1024 * 1024  # the writer syncs at the latest when so much is not durable yet
CRASH_BYTES: Final = UNSYNCED_BYTES + MAX_LINE_BYTES + 1  # so that no crash leaves more than this unreadable


@dataclass(frozen=True, slots=True)
class Tail:
    """Where a log goes on: its last record (None: it is new), and the bytes after it that are no record."""

    last: Record | None
    aside: Aside | None

    @property
    def stopped(self) -> bool:
        """Whether the last session ended by itself, or there was none."""
        return self.last is None or (self.last.kind == STOP and self.aside is None)


def read_tail(directory: Path) -> Tail:
    """The end of a log; raises BrokenLog where it is not what a crash can leave.

    Reads the last segment only, so that a restart takes no longer as the log grows: the whole is the verifier's work.
    """
    paths = segments(directory)
    if not paths:
        return Tail(None, None)
    path = paths[max(paths)]
    last: Record | None = None
    for line in lines(path, strict=False):
        problem = line.problem or _broken(last, line)
        if problem:
            return Tail(last, _left_by_crash(path, line, problem, last))
        last = line.record
    if last is None:
        raise BrokenLog(
            f"{path.name}:1: an empty segment; no crash leaves one: verify the log, go on in a new directory"
        )
    return Tail(last, None)


def _broken(before: Record | None, line: Line) -> str:
    # The first line of the segment follows a record of another file, which the verifier checks.
    if before is None or line.record is None:
        return ""
    return next((text for _, text in breaks(before, line.record)), "")


def _left_by_crash(path: Path, line: Line, problem: str, last: Record | None) -> Aside:
    found = rest(path, line.offset)
    # A crash cuts a line short or leaves zeros where pages never reached the disk. Whole lines of text that do not fit
    # were altered by somebody, and a new record must not follow them as if that were nothing.
    if last is not None and found.size is not None and found.size <= CRASH_BYTES and _cut_or_zeros(path, line):
        return found
    raise BrokenLog(
        f"{line.where}: {problem}; no crash leaves this: verify the log, keep it as it is, and go on in a new directory"
    )


def _cut_or_zeros(path: Path, line: Line) -> bool:
    with path.open("rb") as file:
        file.seek(line.offset)
        raw = file.readline(MAX_LINE_BYTES + 1)
    return b"\0" in raw or (not raw.endswith(b"\n") and len(raw) <= MAX_LINE_BYTES)
