"""A log that is kept nowhere: for benches and campaigns that are not about records."""

from __future__ import annotations

from collections.abc import Mapping

from interlock.jsonform import Json
from interlock.log import Entry


class Nowhere:
    """Takes every record, and forgets it; its own ticket."""

    degraded = None

    def __init__(self) -> None:
        self._count = -1

    def append(self, kind: str, body: Mapping[str, Json], *, blobs: Mapping[str, bytes], urgent: bool) -> Nowhere:
        """Counts it."""
        del kind, body, blobs, urgent
        self._count += 1
        return self

    def written(self, timeout_s: float) -> Entry:
        """At once."""
        del timeout_s
        return Entry(self._count, "0" * 64)

    def durable(self, timeout_s: float) -> Entry:
        """At once."""
        return self.written(timeout_s)
