"""What becomes of each request: on record with its blobs, or a failure that all learn of. It knows no threads."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from interlock.errors import UnusableInput
from interlock.jsonform import Json
from interlock.log import Entry

from .blobs import BlobStore
from .chain import DEGRADED, STOP
from .journal import Journal
from .tail import UNSYNCED_BYTES
from .ticket import Health, WriterTicket

WINDOW_S: Final = 0.1  # every record is durable within this, as long as fsync takes less than half of it
COMMIT_AFTER_S: Final = WINDOW_S / 2
CLOSED: Final = "the log is closed"


@dataclass(frozen=True, slots=True)
class Request:
    """One record on its way: its canonical body, the blobs that the body names, and the promise to its caller."""

    kind: str
    body: bytes
    blobs: Mapping[str, bytes]
    urgent: bool
    ticket: WriterTicket
    taken_s: float  # on time.monotonic


class Recorder:
    """Journal, blobs and the tickets between write and fsync. The first failure of the disk leads to a new segment."""

    def __init__(self, journal: Journal, blobs: BlobStore, health: Health) -> None:
        self._journal = journal
        self._blobs = blobs
        self._health = health
        self._unsynced: list[Request] = []
        self._urgent = False  # one of them is
        self._confessed = False  # the degradation is on record
        self._moved = False  # the disk has failed once
        self._dead = False  # it failed again: nothing is written any more
        self._records = 0
        self._slowest_s = 0.0
        self.head: Entry = journal.last

    def due_s(self) -> float | None:
        """When the next commit is due, on time.monotonic; None while everything is durable."""
        if not self._unsynced:
            return None
        hurry = self._urgent or self._journal.unsynced_bytes >= UNSYNCED_BYTES
        return self._unsynced[0].taken_s + (0.0 if hurry else COMMIT_AFTER_S)

    def take(self, request: Request) -> None:
        """Puts one request on record, or breaks its promise."""
        try:
            self._write(request)
        except UnusableInput as error:
            self._health.degrade(f"a {request.kind} record was refused: {error}")
            self.confess()
        except OSError as error:
            self._fail(error)
            self._write_again(request)
        reason = self._health.reason
        if reason is not None:
            request.ticket.fail(reason)

    def commit(self) -> None:
        """Makes everything written durable and keeps the promises, or breaks them."""
        try:
            self._journal.commit()
        except OSError as error:
            self._fail(error)
            return
        reason, now_s = self._health.reason, time.monotonic()
        for request in self._unsynced:
            self._slowest_s = max(self._slowest_s, now_s - request.taken_s)
            if reason is None:
                request.ticket.set_durable()
            else:
                request.ticket.fail(reason)
        self._forget()
        self.head = self._journal.last

    def confess(self) -> None:
        """Puts on record, once, that the log is degraded; does nothing while it is not, or where the disk is gone."""
        if self._health.reason is None or self._confessed:
            return
        self.commit()
        if not self._confessed:  # a commit that fails confesses by itself
            self._confessed = True
            self._write_own(DEGRADED, {"reason": self._health.reason, "set_aside": None})

    def stop(self, body: Mapping[str, Json]) -> None:
        """Ends the session: the last records, then one that says so, with the slowest commit [s] of the session."""
        self.commit()
        self._write_own(STOP, {**body, "records": self._records, "slowest_commit_s": round(self._slowest_s, 6)})
        self.let_go()

    def let_go(self) -> None:
        """Gives the file back and breaks every promise that is still open."""
        self._break_promises(self._health.reason or CLOSED)
        try:
            self._journal.close()
        except OSError as error:
            self._health.degrade(f"the log could not be closed: {error}")

    def _write(self, request: Request) -> None:
        if self._dead:
            return
        self._blobs.store(request.blobs)
        sizes = {name: len(content) for name, content in request.blobs.items()}
        entry = self._journal.write(request.kind, request.body, sizes)
        self._records += 1
        self._unsynced.append(request)
        self._urgent = self._urgent or request.urgent
        if self._health.reason is None:
            request.ticket.set_written(entry)

    def _write_again(self, request: Request) -> None:
        try:
            self._write(request)
        except (OSError, UnusableInput):
            self._dead = True

    def _break_promises(self, reason: str) -> None:
        for request in self._unsynced:
            request.ticket.fail(reason)
        self._forget()

    def _forget(self) -> None:
        self._unsynced.clear()
        self._urgent = False

    def _write_own(self, kind: str, body: Mapping[str, Json]) -> None:
        if self._dead:
            return
        try:
            self.head = self._journal.write_own(kind, body)
        except OSError as error:
            self._fail(error)

    def _fail(self, error: OSError) -> None:
        reason = f"the disk failed: {error}"
        self._health.degrade(reason)
        self._break_promises(reason)
        if self._moved or self._dead:
            self._dead = True
            return
        self._moved = self._confessed = True
        try:
            self.head = self._journal.move(reason)
        except OSError:
            self._dead = True
