"""The promise that `append` returns, and the one state that breaks every promise: a degraded log."""

from __future__ import annotations

import threading
from concurrent.futures import Future

from interlock.errors import LogDegraded
from interlock.log import Entry


class Health:
    """Whether the log can still be trusted; any thread may say that it cannot, and nobody can take that back."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reason: str | None = None

    @property
    def reason(self) -> str | None:
        """Why nothing may be permitted any more, or None."""
        return self._reason

    def degrade(self, reason: str) -> None:
        """Sets the reason; the first one stays."""
        with self._lock:
            if self._reason is None:
                self._reason = reason


class WriterTicket:
    """One record's promise; waiting for it in vain degrades the log."""

    __slots__ = ("_durable", "_health", "_kind", "_written")

    def __init__(self, kind: str, health: Health) -> None:
        self._kind = kind
        self._health = health
        self._written: Future[Entry] = Future()
        self._durable: Future[Entry] = Future()

    def written(self, timeout_s: float) -> Entry:
        """The record's name once it is chained and with the operating system; raises LogDegraded after timeout_s."""
        return self._wait(self._written, "written", timeout_s)

    def durable(self, timeout_s: float) -> Entry:
        """The record's name once it survives a loss of power; raises LogDegraded after timeout_s."""
        return self._wait(self._durable, "durable", timeout_s)

    def set_written(self, entry: Entry) -> None:
        """For the writer: the record has its place."""
        self._written.set_result(entry)

    def set_durable(self) -> None:
        """For the writer: fsync returned."""
        self._durable.set_result(self._written.result())

    def fail(self, reason: str) -> None:
        """For the writer: what is still promised will not be kept."""
        for promise in (self._written, self._durable):
            if not promise.done():
                promise.set_exception(LogDegraded(reason))

    def _wait(self, promise: Future[Entry], what: str, timeout_s: float) -> Entry:
        try:
            return promise.result(timeout_s)
        except TimeoutError:
            reason = f"a {self._kind} record was not {what} within {timeout_s} s"
            self._health.degrade(reason)
            raise LogDegraded(reason) from None
