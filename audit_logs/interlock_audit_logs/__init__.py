"""The record: what is written of every decision, and how an outsider checks it."""

from __future__ import annotations

from .blobs import BlobReader, blob_reader, json_reader, read_blob
from .compare import Difference
from .errors import BrokenLog
from .files import Files, OsFiles
from .fingerprint import fingerprint
from .log import AuditLog, open_log
from .read import read_log
from .record import MAX_BLOB_BYTES, MAX_LINE_BYTES, Record
from .recorder import WINDOW_S
from .replay import Again, Question, Replayed, ReplayResult, replay, replay_each
from .stamp import Clock, Stamp, system_clock
from .verify import Problem, Verification, verify

__all__ = [
    "MAX_BLOB_BYTES",
    "MAX_LINE_BYTES",
    "WINDOW_S",
    "Again",
    "AuditLog",
    "BlobReader",
    "BrokenLog",
    "Clock",
    "Difference",
    "Files",
    "OsFiles",
    "Problem",
    "Question",
    "Record",
    "ReplayResult",
    "Replayed",
    "Stamp",
    "Verification",
    "blob_reader",
    "fingerprint",
    "json_reader",
    "open_log",
    "read_blob",
    "read_log",
    "replay",
    "replay_each",
    "system_clock",
    "verify",
]
