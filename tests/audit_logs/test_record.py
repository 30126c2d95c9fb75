from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.errors import UnusableInput
from interlock.jsonform import Json, canonical
from interlock.log import Entry
from interlock_audit_logs.record import (
    FIRST,
    GENESIS,
    MAX_LINE_BYTES,
    body_bytes,
    digest_of_line,
    read_record,
    seal,
)
from interlock_audit_logs.stamp import Stamp

STAMP = Stamp(1_700_000_000_123_456_789, 42)
NO_BLOBS: dict[str, int] = {}
SCALARS = (
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


def line_of(body: Json = None, **changes: Json) -> bytes:
    fields: dict[str, Json] = {
        "blobs": {},
        "body": {} if body is None else body,
        "format": "interlock/record/1",
        "index": 0,
        "kind": "review",
        "monotonic_ns": "42",
        "previous": GENESIS,
        "written": "2023-11-14T22:13:20.123456789Z",
    }
    return canonical({name: value for name, value in {**fields, **changes}.items() if value != "absent"})


@given(st.dictionaries(TEXTS, VALUES, max_size=4), st.integers(-1, 2**53 - 2))
def test_a_sealed_record_is_canonical_and_reads_back_the_same(body: dict[str, Any], index: int) -> None:
    content = body_bytes("review", body, {"0" * 64: 3})
    line = seal(Entry(index, "a" * 64), "review", content, {"0" * 64: 3}, STAMP)

    record = read_record(line)

    assert canonical(json.loads(line, parse_int=float)) == line
    assert canonical(record.body) == content
    assert (record.index, record.previous, record.digest) == (index + 1, "a" * 64, digest_of_line(line))
    assert (record.blobs, record.written, record.monotonic_ns) == ({"0" * 64: 3}, STAMP.written, 42)


def test_the_form_of_a_record_is_pinned() -> None:
    line = seal(FIRST, "review", b'{"margin":0.1}', NO_BLOBS, STAMP)

    assert line == line_of({"margin": 0.1})
    assert digest_of_line(line) == "52c9189e2128a1ae9acfe3501768fba0788a6b89d23351af1733ef5837e4ceb6"


def test_the_largest_record_fits_and_the_next_larger_is_refused() -> None:
    spare = MAX_LINE_BYTES - len(seal(Entry(2**53 - 2, GENESIS), "k", b'{"pad":""}', NO_BLOBS, Stamp(0, 10**29)))

    content = body_bytes("k", {"pad": "x" * spare}, NO_BLOBS)

    assert len(read_record(seal(FIRST, "k", content, NO_BLOBS, STAMP)).body["pad"]) == spare  # type: ignore[arg-type]
    with pytest.raises(UnusableInput, match="at most 65535 fit; move arrays above 8 KiB to blobs"):
        body_bytes("k", {"pad": "x" * (spare + 1)}, NO_BLOBS)


@pytest.mark.parametrize("body", [{"margin": math.nan}, {"margin": math.inf}, {"n": 2**53}, {"label": "\ud800"}])
def test_F42_a_body_that_is_not_json_is_refused(body: dict[str, Json]) -> None:
    with pytest.raises(UnusableInput, match="cannot be written: not canonical JSON"):
        body_bytes("review", body, NO_BLOBS)


@pytest.mark.parametrize("kind", ["", "Review", "two words", "x" * 41, "line\nbreak"])
def test_a_kind_is_one_short_word(kind: str) -> None:
    with pytest.raises(UnusableInput, match="lower-case word"):
        body_bytes(kind, {}, NO_BLOBS)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b"", "not JSON"),
        (b"[]", "is a JSON object"),
        (b"[" * 60_000, "not JSON"),
        (b"1" * 60_000, "is a JSON object"),
        (b"\xff", "not JSON"),
        (line_of({"margin": 1}).replace(b":1}", b":NaN}"), "NaN is not a JSON number"),
        (line_of({"margin": 1}).replace(b":1}", b":1e999}"), "not canonical JSON"),
        (line_of({"margin": 1}).replace(b":1}", b":1.0}"), "not in canonical form"),
        (line_of() + b" ", "not in canonical form"),
        (line_of().replace(b'"index":0', b'"index":0,"index":0'), "not in canonical form"),
        (b"x" * 65_536, "at most 65535 bytes"),
        (line_of(extra=1), "has the fields"),
        (line_of(previous="absent"), "has the fields"),
        (line_of(format="interlock/record/2"), "expected format interlock/record/1"),
        (line_of(index=-1), "whole number from 0"),
        (line_of(index=True), "whole number from 0"),
        (line_of(index="0"), "whole number from 0"),
        (line_of(kind="A"), "kind must match"),
        (line_of(body=[1]), "body must be an object"),
        (line_of(monotonic_ns=42), "monotonic_ns must match"),
        (line_of(previous="A" * 64), "previous must match"),
        (line_of(written="yesterday"), "written must match"),
        (line_of(blobs={"../../etc/passwd": 1}), "blobs maps SHA-256"),
        (line_of(blobs={"a" * 64: -1}), "blobs maps SHA-256"),
        (line_of(blobs={"a" * 64: 2**40}), "blobs maps SHA-256"),
    ],
)
def test_a_line_that_is_no_record_is_refused(line: bytes, problem: str) -> None:
    with pytest.raises(UnusableInput, match=problem):
        read_record(line)


@given(st.binary(max_size=200))
def test_any_bytes_give_a_record_or_unusable_input(line: bytes) -> None:
    with pytest.raises(UnusableInput):
        read_record(line)
