"""The log that the supervisor is handed: opens a directory for one writer, takes records, ends with a stop record."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Final, Self

from interlock.errors import LogDegraded, UnusableInput
from interlock.jsonform import Json
from interlock.log import Entry

from .blobs import FOLDER, BlobStore
from .chain import GAP, OWN_KINDS, START
from .files import Files, OsFiles
from .fingerprint import fingerprint
from .journal import Journal
from .lock import hold
from .record import body_bytes
from .recorder import WINDOW_S, Recorder, Request
from .stamp import Clock, system_clock
from .tail import Tail, read_tail
from .ticket import Health, WriterTicket
from .writer import Writer

SEGMENT_BYTES: Final = 8 * 1024 * 1024
CAPACITY: Final = 4096  # records: four seconds of a hanging disk at 1 kHz
CLOSE_S: Final = 30.0
NO_BLOBS: Final[Mapping[str, bytes]] = MappingProxyType({})


class AuditLog:
    """One open log (`interlock.log.Log`); leaving its `with` block closes it. `append` may be called by any thread."""

    def __init__(self, recorder: Recorder, health: Health, capacity: int, lock: int) -> None:
        self._recorder = recorder
        self._health = health
        self._lock: int | None = lock
        self._writer = Writer(recorder, health, capacity)

    @property
    def degraded(self) -> str | None:
        """Why nothing may be permitted any more, or None; once set it stays."""
        return self._health.reason

    @property
    def head(self) -> Entry:
        """The last durable record: what to note down, so that nobody can cut the log off before it."""
        return self._recorder.head

    def append(
        self, kind: str, body: Mapping[str, Json], *, blobs: Mapping[str, bytes] = NO_BLOBS, urgent: bool = False
    ) -> WriterTicket:
        """Takes one record and returns its promise, without waiting for the disk.

        `blobs` maps SHA-256 [hex] to the bytes that the body names. Urgent: synced at once; otherwise within WINDOW_S.
        Raises LogDegraded, also for a record that cannot be written (too large, not JSON): then the log is degraded,
        since something happened that is not on record. Raises ValueError for the kinds that the log writes itself.
        """
        if kind in OWN_KINDS:
            raise ValueError(f"{kind!r} records are written by the log itself; use another kind")
        ticket = WriterTicket(kind, self._health)
        sizes = {name: len(content) for name, content in blobs.items()}
        try:
            content = body_bytes(kind, body, sizes)
        except UnusableInput as error:
            reason = f"a record was refused: {error}"
            self._health.degrade(reason)
            self._writer.wake()
            raise LogDegraded(reason) from error
        self._writer.put(Request(kind, content, dict(blobs), urgent, ticket, time.monotonic()))
        return ticket

    def close(self, error: BaseException | None = None) -> None:
        """Puts everything taken and a stop record on disk and lets the directory go; the second time, does nothing."""
        lock, self._lock = self._lock, None
        if lock is not None:
            self._writer.close({"error": None if error is None else type(error).__name__}, CLOSE_S)
            os.close(lock)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close(error)


def open_log(
    directory: Path | str,
    *,
    environment: Mapping[str, Json] | None = None,
    clock: Clock = system_clock,
    files: Files | None = None,
    segment_bytes: int = SEGMENT_BYTES,
    capacity: int = CAPACITY,
) -> AuditLog:
    """A log that goes on where the directory's last session ended; a new one where there is none.

    A session that did not stop is ended by a `gap` record that names what was found after its last record; those bytes
    stay where they are. `environment` is the fingerprint for the start record (default: of this process). Raises
    UnusableInput where the directory cannot be used or has a writer, BrokenLog where its end is no crash's.
    """
    where, port = Path(directory), files or OsFiles()
    try:
        (where / FOLDER).mkdir(parents=True, exist_ok=True)
        with ExitStack() as undo:
            lock = hold(where)
            undo.callback(os.close, lock)
            tail = read_tail(where)
            journal = Journal(port, where, clock, segment_bytes, tail.last)
            undo.callback(journal.close)
            _begin(port, where, journal, tail, fingerprint() if environment is None else environment)
            undo.pop_all()  # from here on the log gives them back
    except OSError as error:
        raise UnusableInput(f"{where}: no log can be opened here: {error}") from error
    health = Health()
    return AuditLog(Recorder(journal, BlobStore(port, where), health), health, capacity, lock)


def _begin(files: Files, directory: Path, journal: Journal, tail: Tail, environment: Mapping[str, Json]) -> None:
    for folder in (directory / FOLDER, directory, directory.parent):
        files.fsync_directory(folder)
    if not tail.stopped:
        aside = None if tail.aside is None else tail.aside.to_json()
        journal.write_own(GAP, {"reason": "the session before did not stop", "set_aside": aside})
    journal.write_own(START, {"environment": environment, "window_s": WINDOW_S})
