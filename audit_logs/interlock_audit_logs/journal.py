"""The segment that grows: seals records onto the chain, syncs them, and moves to a new file when one is full or failed.

Not thread-safe: the writer's thread owns it. Every OSError is final for the segment that it happened in.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from interlock.jsonform import Json
from interlock.log import Entry

from .chain import DEGRADED, Aside
from .files import Files, publish, write_all
from .record import FIRST, Record, body_bytes, digest_of_line, seal
from .segments import segment_name, segments
from .stamp import Clock

NOTHING: Final[Mapping[str, int]] = {}


class Journal:
    """The files of one session. Each segment is born durable with its first record in it, so none is ever empty."""

    def __init__(self, files: Files, directory: Path, clock: Clock, segment_bytes: int, last: Record | None) -> None:
        self._files = files
        self._directory = directory
        self._clock = clock
        self._segment_bytes = segment_bytes
        self._last = FIRST if last is None else last.entry
        self._descriptor: int | None = None
        self._path: Path | None = None
        self._size = 0
        self._durable_size = 0
        self._pending: list[bytes] = []  # lines that are written, but not known durable

    @property
    def last(self) -> Entry:
        """The name of the last record written; its index is -1 in a new log."""
        return self._last

    @property
    def unsynced_bytes(self) -> int:
        """How much a loss of power may take."""
        return self._size - self._durable_size

    def write_own(self, kind: str, body: Mapping[str, Json]) -> Entry:
        """Writes a record of the log's own and returns when it is durable; raises OSError."""
        entry = self.write(kind, body_bytes(kind, body, NOTHING), NOTHING)
        self.commit()
        return entry

    def write(self, kind: str, body: bytes, blobs: Mapping[str, int]) -> Entry:
        """Chains a record with this canonical body and hands it to the operating system; raises OSError."""
        line = self._seal(kind, body, blobs)
        if self._descriptor is None or self._size + len(line) > self._segment_bytes:
            self.commit()
            self._begin([line])
        else:
            write_all(self._files, self._descriptor, line)
            self._size += len(line)
            self._pending.append(line)
        return self._follow(line)

    def commit(self) -> None:
        """Returns when everything written is durable; raises OSError."""
        if self._pending and self._descriptor is not None:
            self._files.fsync(self._descriptor)
            self._durable_size = self._size
            self._pending.clear()

    def move(self, reason: str) -> Entry:
        """Goes on in a new segment after a failure, and says so there; raises OSError where that fails as well.

        What is not known durable is written again there, then a `degraded` record that names the bytes left aside.
        A failed fsync is never tried again: the kernel may have dropped the pages, and would report success.
        """
        aside = None
        if self._path is not None and self._path.exists():
            aside = Aside(self._path.name, self._durable_size, None, None).to_json()
        body: dict[str, Json] = {"reason": reason, "set_aside": aside}
        line = self._seal(DEGRADED, body_bytes(DEGRADED, body, NOTHING), NOTHING)
        self._begin([*self._pending, line])
        self._pending.clear()
        return self._follow(line)

    def close(self) -> None:
        """Gives the file back; what was not committed stays with the operating system. Raises OSError."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            self._files.close(descriptor)

    def _seal(self, kind: str, body: bytes, blobs: Mapping[str, int]) -> bytes:
        return seal(self._last, kind, body, blobs, self._clock()) + b"\n"

    def _follow(self, line: bytes) -> Entry:
        self._last = Entry(self._last.index + 1, digest_of_line(line[:-1]))
        return self._last

    def _begin(self, first: list[bytes]) -> None:
        self.close()
        number = max(segments(self._directory), default=-1) + 1
        self._path = self._directory / segment_name(number)
        self._size = self._durable_size = 0
        content = b"".join(first)
        self._descriptor = publish(self._files, self._path, content)
        self._size = self._durable_size = len(content)
