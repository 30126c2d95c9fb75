"""What the core asks of a log: append, a ticket, and to say so when it can no longer be trusted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from .jsonform import Json


@dataclass(frozen=True, slots=True)
class Entry:
    """The name of one record: its place in the log (from 0) and the SHA-256 [hex] that chains it to all before."""

    index: int
    digest: str


class Ticket(Protocol):
    """A promise for one record; both calls raise LogDegraded when it cannot be kept in time."""

    def written(self, timeout_s: float) -> Entry:
        """Waits until the record has its place in the chain and was handed to the operating system."""
        ...

    def durable(self, timeout_s: float) -> Entry:
        """Waits until the record survives a loss of power (fsync returned)."""
        ...


class Log(Protocol):
    """One writer of one chained log."""

    @property
    def degraded(self) -> str | None:
        """Why nothing may be permitted any more, or None; once set it stays."""
        ...

    def append(self, kind: str, body: Mapping[str, Json], *, blobs: Mapping[str, bytes], urgent: bool) -> Ticket:
        """Takes one record. `blobs` maps SHA-256 [hex] to bytes that the body names; urgent means: fsync at once.

        Raises LogDegraded; never blocks on a disk.
        """
        ...
