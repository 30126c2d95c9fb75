"""The segments of a log as they lie on disk: their names, their lines, and the bytes that the chain leaves aside."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import BinaryIO, Final

from interlock.errors import UnusableInput

from .chain import Aside
from .record import MAX_LINE_BYTES, Record, read_record

NAME: Final = re.compile(r"(\d{6,})\.jsonl")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a segment: the record in it, or why there is none."""

    segment: str
    number: int  # from 1, as editors count
    offset: int  # [bytes] where it begins
    record: Record | None
    problem: str

    @property
    def where(self) -> str:
        """The file and the line."""
        return f"{self.segment}:{self.number}"


def segment_name(number: int) -> str:
    """The file name of the segment with this number, from 0."""
    return f"{number:06d}.jsonl"


def segments(directory: Path) -> dict[int, Path]:
    """The segments of a log by number, in order; raises UnusableInput where there is no such directory."""
    if not directory.is_dir():
        raise UnusableInput(f"{directory}: there is no log here, the directory does not exist")
    found = ((NAME.fullmatch(path.name), path) for path in directory.iterdir())
    numbered = {int(match[1]): path for match, path in found if match and segment_name(int(match[1])) == path.name}
    return dict(sorted(numbered.items()))


def walk(directory: Path) -> Iterator[Line | Aside]:
    """Every line of a log in order, and after each segment what the next one leaves aside of it.

    A segment ends where the one after it begins: what still follows was given up by its writer after a crash or a
    failed disk. Whether a record accounts for it, the reader checks. Raises UnusableInput where there is no log.
    """
    paths = tuple(segments(directory).values())
    if not paths:
        raise UnusableInput(f"{directory}: there is no log here, it holds no segment")
    expected = 0
    for path, following in zip(paths, (*paths[1:], None), strict=True):
        end = None if following is None else _first_index(following)
        for part in _segment(path, expected, end):
            yield part
            if isinstance(part, Line) and part.record is not None:
                expected = part.record.index + 1


def lines(path: Path, *, strict: bool = True) -> Iterator[Line]:
    """Every line of one segment; the last one may be unfinished. Never holds more than one line in memory."""
    with path.open("rb") as file:
        yield from _lines(file, path.name, strict=strict)


def rest(path: Path, offset: int) -> Aside:
    """The bytes of a segment from an offset to its end."""
    with path.open("rb") as file:
        return _rest(file, path.name, offset)


def _segment(path: Path, expected: int, end: int | None) -> Iterator[Line | Aside]:
    with path.open("rb") as file:
        if expected != end:
            for line in _lines(file, path.name, strict=True):
                yield line
                if end is not None and line.record is not None and line.record.index + 1 == end:
                    break
        if end is None:
            return
        left = _rest(file, path.name, file.tell())
        if left.size:
            yield left


def _lines(file: BinaryIO, segment: str, *, strict: bool) -> Iterator[Line]:
    for number in count(1):
        offset = file.tell()
        raw = file.readline(MAX_LINE_BYTES + 1)
        if not raw:
            return
        record, problem = _read(raw, strict=strict)
        yield Line(segment, number, offset, record, problem)
        if not raw.endswith(b"\n"):
            return


def _read(raw: bytes, *, strict: bool) -> tuple[Record | None, str]:
    if not raw.endswith(b"\n"):
        size = len(raw)
        longer = (
            f"longer than the {MAX_LINE_BYTES} bytes that a record takes" if size > MAX_LINE_BYTES else f"{size} bytes"
        )
        return (
            None,
            f"an unfinished line ({longer}): its writer is at work, or died here; opening the log sets it aside",
        )
    try:
        return read_record(raw[:-1], strict=strict), ""
    except UnusableInput as error:
        return None, str(error)


def _first_index(path: Path) -> int | None:
    first = next(lines(path, strict=False), None)
    return None if first is None or first.record is None else first.record.index


def _rest(file: BinaryIO, segment: str, offset: int) -> Aside:
    file.seek(offset)
    sha256, size = hashlib.sha256(), 0
    while piece := file.read(1 << 20):
        sha256.update(piece)
        size += len(piece)
    return Aside(segment, offset, size, sha256.hexdigest())
