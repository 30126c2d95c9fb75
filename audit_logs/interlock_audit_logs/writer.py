"""The one thread that owns a log's files, and the bounded queue before it; it takes, writes and syncs in time."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Mapping
from typing import Final

from interlock.errors import LogDegraded
from interlock.jsonform import Json

from .recorder import CLOSED, Recorder, Request
from .ticket import Health

BATCH: Final = 64  # records between two looks at the clock


class Writer:
    """`put`, `wake` and `close` are for any thread; everything else is the writer's own."""

    def __init__(self, recorder: Recorder, health: Health, capacity: int) -> None:
        self._recorder = recorder
        self._health = health
        self._capacity = capacity
        self._door = threading.Condition()
        self._waiting: deque[Request] = deque()
        self._taken: list[Request] = []
        self._closing: Mapping[str, Json] | None = None
        self._thread = threading.Thread(target=self._run, name="interlock-audit-log", daemon=True)
        self._thread.start()

    def put(self, request: Request) -> None:
        """Takes a request without waiting for a disk; raises LogDegraded where it cannot."""
        with self._door:
            if self._closing is not None:
                raise LogDegraded(CLOSED)
            if len(self._waiting) >= self._capacity:
                self._health.degrade(f"{self._capacity} records wait for the disk: it is too slow, or it hangs")
            self._door.notify()
            if self._health.reason is not None:
                raise LogDegraded(self._health.reason)
            self._waiting.append(request)

    def wake(self) -> None:
        """Has the thread look at the log's health now."""
        with self._door:
            self._door.notify()

    def close(self, body: Mapping[str, Json], timeout_s: float) -> None:
        """Writes what is waiting, then the stop record; a disk that hangs longer than timeout_s degrades the log."""
        with self._door:
            if self._closing is None:
                self._closing = body
            self._door.notify()
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            self._health.degrade(f"the log could not be closed within {timeout_s} s")

    def _run(self) -> None:
        try:
            while self._serve():
                pass
        except BaseException as error:  # noqa: BLE001  # whatever ends this thread must degrade the log, not vanish with it
            self._health.degrade(f"the writer failed: {error!r}")
        self._recorder.let_go()
        with self._door:
            left = [*self._taken, *self._waiting]
            self._waiting.clear()
        for request in left:
            request.ticket.fail(self._health.reason or CLOSED)

    def _serve(self) -> bool:
        """One turn: waits, writes a batch, syncs what is due; False after the stop record."""
        with self._door:
            self._door.wait_for(self._called, self._patience_s())
            self._taken = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
            closing = self._closing
        self._recorder.confess()
        for request in self._taken:
            self._recorder.take(request)
        due_s = self._recorder.due_s()
        if due_s is not None and due_s <= time.monotonic():
            self._recorder.commit()
        if closing is None or self._taken:
            return True
        self._recorder.stop(closing)
        return False

    def _called(self) -> bool:
        return bool(self._waiting) or self._closing is not None

    def _patience_s(self) -> float:
        # Who waits in vain for a ticket degrades the log without calling this thread, so it looks now and then.
        due_s = self._recorder.due_s()
        return 1.0 if due_s is None else max(0.0, due_s - time.monotonic())
