"""What the tests of the log share: a clock that only they move, and a small log of every kind of record."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from interlock_audit_logs import Clock, Stamp, open_log

BLOB = b'{"scene":"a table"}'
BLOB_NAME = hashlib.sha256(BLOB).hexdigest()


@pytest.fixture
def clock() -> Clock:
    """A clock that moves on by one millisecond whenever it is read."""
    ticks = count(1)

    def now() -> Stamp:
        tick_ns = next(ticks) * 1_000_000
        return Stamp(1_700_000_000_000_000_000 + tick_ns, tick_ns)

    return now


@pytest.fixture
def small_log(tmp_path: Path, clock: Clock) -> Callable[[], Path]:
    """Writes a log of two sessions with a blob, in three segments."""

    def write() -> Path:
        directory = tmp_path / "log"
        with open_log(directory, environment={"python": "3"}, clock=clock, segment_bytes=800) as log:
            log.append("review", {"scene": BLOB_NAME, "margin": 0.25}, blobs={BLOB_NAME: BLOB}).durable(5.0)
            log.append("review", {"margin": -0.5, "label": "Hände weg\n\u202e"}, urgent=True).durable(5.0)
        with open_log(directory, environment={"python": "3"}, clock=clock) as log:
            log.append("review", {"margin": 1e-17}).durable(5.0)
        return directory

    return write
