"""Reading a log as a stream of records: everything in order, or an error; never a broken line skipped."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from .chain import Aside, breaks, set_aside
from .errors import BrokenLog
from .record import Record
from .segments import walk


def read_log(directory: Path | str) -> Iterator[Record]:
    """Every record of a log from the first.

    Raises UnusableInput where there is no log, and BrokenLog at the first thing that does not verify. Blobs are checked
    where they are read (`read_blob`); bytes left aside, at the end.
    """
    before: Record | None = None
    where = ""
    left: dict[str, Aside] = {}
    for part in walk(Path(directory)):
        if isinstance(part, Aside):
            left[part.segment] = part
            continue
        if part.record is None:
            raise BrokenLog(f"{part.where}: {part.problem}")
        for record, problem in breaks(before, part.record):
            blamed = part.where if record is part.record else where
            raise BrokenLog(f"{blamed}: record {record.index}: {problem}")
        named = set_aside(part.record)
        if named is not None and named.segment in left and named.covers(left[named.segment]):
            del left[named.segment]
        before, where = part.record, part.where
        yield before
    for aside in left.values():
        raise BrokenLog(f"{aside.segment}: {aside.size} bytes from byte {aside.offset} on are in no record's account")
