"""One record: its fields, its one line of canonical JSON and its digest; order and files are the business of others."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NoReturn, cast

from interlock.errors import UnusableInput
from interlock.jsonform import Json, canonical
from interlock.log import Entry

from .stamp import WRITTEN, Stamp

FORMAT: Final = "interlock/record/1"
GENESIS: Final = "0" * 64  # what the first record holds in place of the digest of the one before
MAX_LINE_BYTES: Final = 65_535  # C2SP tlog-tiles counts the bytes of an entry in 16 bits
MAX_BLOB_BYTES: Final = 64 * 1024 * 1024
MAX_INDEX: Final = 2**53 - 1  # the last whole number that RFC 8785 has
FIRST: Final = Entry(-1, GENESIS)  # what the first record of a log comes after
LAST: Final = Entry(MAX_INDEX - 1, GENESIS)  # what the longest index comes after
KIND: Final = re.compile(r"[a-z][a-z0-9_-]{0,39}")
DIGEST: Final = re.compile(r"[0-9a-f]{64}")
NANOSECONDS: Final = re.compile(r"0|[1-9][0-9]{0,29}")
FIELDS: Final = {"blobs", "body", "format", "index", "kind", "monotonic_ns", "previous", "written"}


@dataclass(frozen=True, slots=True)
class Record:
    """One record as it was read back; `digest` is the SHA-256 [hex] of its line without the newline."""

    index: int
    kind: str
    body: Mapping[str, Json]
    blobs: Mapping[str, int]  # SHA-256 [hex] of each blob that the body names, and its size [bytes]
    previous: str
    written: str
    monotonic_ns: int
    digest: str

    @property
    def entry(self) -> Entry:
        """The name of this record."""
        return Entry(self.index, self.digest)


def digest_of_line(line: bytes) -> str:
    """SHA-256 [hex] of a record's line, given without its newline."""
    return hashlib.sha256(line).hexdigest()


def seal(before: Entry, kind: str, body: bytes, blobs: Mapping[str, int], stamp: Stamp) -> bytes:
    """The line of the record after `before`, without its newline; `body` is canonical already, so this is cheap."""
    members = {
        "blobs": canonical(blobs),
        "body": body,
        "format": canonical(FORMAT),
        "index": canonical(before.index + 1),
        "kind": canonical(kind),
        "monotonic_ns": canonical(str(stamp.monotonic_ns)),
        "previous": canonical(before.digest),
        "written": canonical(stamp.written),
    }
    return b"{%s}" % b",".join(b'"%s":%s' % (name.encode("ascii"), value) for name, value in members.items())


def body_bytes(kind: str, body: Mapping[str, Json], blobs: Mapping[str, int]) -> bytes:
    """The canonical body of a record that fits; raises UnusableInput for one that has no JSON form or is too large."""
    if not KIND.fullmatch(kind):
        raise UnusableInput(f"a record's kind is a lower-case word of at most 40 characters, got {kind!r}")
    try:
        found = canonical(body)
    except (UnusableInput, RecursionError, TypeError, ValueError) as error:
        raise UnusableInput(f"a {kind} record cannot be written: {error}") from error
    size = len(seal(LAST, kind, found, blobs, Stamp(0, 10**29)))
    if size > MAX_LINE_BYTES:
        raise UnusableInput(
            f"a {kind} record would take {size} bytes, at most {MAX_LINE_BYTES} fit; move arrays above 8 KiB to blobs"
        )
    return found


def read_record(line: bytes, *, strict: bool = True) -> Record:
    """The record that a line without its newline holds; raises UnusableInput that says what is wrong with it.

    Strict also demands that the line is the canonical form of what it says, which costs five times the rest.
    """
    if len(line) > MAX_LINE_BYTES:
        raise UnusableInput(f"a record takes at most {MAX_LINE_BYTES} bytes, this line is longer")
    fields = _fields(line)
    if strict and canonical(fields) != line:
        raise UnusableInput("not in canonical form (RFC 8785)")
    if fields.keys() != FIELDS:
        raise UnusableInput(f"a record has the fields {', '.join(sorted(FIELDS))}; got {', '.join(sorted(fields))}")
    if fields["format"] != FORMAT:
        raise UnusableInput(f"expected format {FORMAT}, got {str(fields['format'])[:60]!r}")
    return Record(
        index=_index(fields["index"]),
        kind=_text(fields, "kind", KIND),
        body=_object(fields, "body"),
        blobs=_blobs(_object(fields, "blobs")),
        previous=_text(fields, "previous", DIGEST),
        written=_text(fields, "written", WRITTEN),
        monotonic_ns=int(_text(fields, "monotonic_ns", NANOSECONDS)),
        digest=digest_of_line(line),
    )


def _fields(line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line.decode("utf-8"), parse_constant=_not_json, parse_int=_whole)
    except (RecursionError, ValueError) as error:
        raise UnusableInput(f"not JSON: {error}") from error
    if not isinstance(found, dict):
        raise UnusableInput("a record is a JSON object")
    return cast("dict[str, Any]", found)


def _whole(text: str) -> int | float:
    # RFC 8785 writes the float 2.0**53 without a point; read as an int it would have no canonical form any more.
    return int(text) if len(text) < 18 and abs(int(text)) < 2**53 else float(text)


def _not_json(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _index(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAX_INDEX:
        raise UnusableInput(f"a record's index is a whole number from 0, got {str(value)[:60]!r}")
    return value


def _text(fields: Mapping[str, Any], name: str, form: re.Pattern[str]) -> str:
    value = fields[name]
    if not isinstance(value, str) or not form.fullmatch(value):
        raise UnusableInput(f"{name} must match {form.pattern}, got {str(value)[:60]!r}")
    return value


def _object(fields: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = fields[name]
    if not isinstance(value, dict):
        raise UnusableInput(f"{name} must be an object, got {str(value)[:60]!r}")
    return cast("dict[str, Any]", value)


def _blobs(value: Mapping[str, Any]) -> Mapping[str, int]:
    for name, size in value.items():
        if not DIGEST.fullmatch(name) or type(size) is not int or not 0 <= size <= MAX_BLOB_BYTES:
            raise UnusableInput(
                f"blobs maps SHA-256 to sizes up to {MAX_BLOB_BYTES} bytes, got {name[:64]!r}: {str(size)[:20]}"
            )
    return value
