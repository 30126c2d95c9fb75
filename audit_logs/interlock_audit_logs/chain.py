"""What one record must be after another: its index, the digest that it holds, and its place in a session."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from interlock.jsonform import Json

from .record import GENESIS, Record

START: Final = "start"  # a session begins
STOP: Final = "stop"  # it ended by itself
GAP: Final = "gap"  # it did not; what was found instead
DEGRADED: Final = "degraded"  # no promise for a record after this one was kept, so nothing was permitted
OWN_KINDS: Final = frozenset({START, STOP, GAP, DEGRADED})


@dataclass(frozen=True, slots=True)
class Aside:
    """Bytes at the end of a segment that are no part of the chain: kept as they were found, and named by a record.

    `size` [bytes] and `sha256` are None where a failed fsync leaves open what the disk holds.
    """

    segment: str
    offset: int
    size: int | None
    sha256: str | None

    def to_json(self) -> dict[str, Json]:
        """The form in which a `gap` or a `degraded` record names these bytes."""
        return {"bytes": self.size, "offset": self.offset, "segment": self.segment, "sha256": self.sha256}

    def covers(self, found: Aside) -> bool:
        """Whether these are the bytes that were found, as far as this one knows them."""
        if (self.segment, self.offset) != (found.segment, found.offset):
            return False
        return self.sha256 is None or (self.size, self.sha256) == (found.size, found.sha256)


def set_aside(record: Record) -> Aside | None:
    """The bytes that a record of the log's own accounts for, or None."""
    named = record.body.get("set_aside")
    if record.kind not in {GAP, DEGRADED} or not isinstance(named, Mapping):
        return None
    segment, offset, size, sha256 = (named.get(key) for key in ("segment", "offset", "bytes", "sha256"))
    if not isinstance(segment, str) or not isinstance(offset, int):
        return None
    return Aside(segment, offset, size if isinstance(size, int) else None, sha256 if isinstance(sha256, str) else None)


def breaks(before: Record | None, record: Record) -> Iterator[tuple[Record, str]]:
    """What is wrong between a record and the one before it (None: the log begins), each with the record to blame."""
    index = 0 if before is None else before.index + 1
    previous = GENESIS if before is None else before.digest
    if record.index != index:
        yield record, f"record {record.index} stands where record {index} belongs"
    elif record.previous != previous:
        yield before or record, f"its line hashes to {previous}, but the record after it holds {record.previous}"
    ended = before is None or before.kind in {STOP, GAP}
    if record.kind == START and not ended:
        yield record, "a session starts although the one before neither stopped nor left a gap"
    elif record.kind == GAP and (before is None or before.kind == STOP):
        yield record, "a gap without a session that it could end"
    elif record.kind == DEGRADED and before is not None and before.kind == STOP:
        return  # the stop record was written, but its fsync failed: it stands again in a new segment, and this after it
    elif record.kind not in {START, GAP} and ended:
        yield record, f"a {record.kind} record outside any session"
