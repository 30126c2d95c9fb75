from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from interlock.errors import UnusableInput
from interlock.jsonform import Json, canonical
from interlock_audit_logs import BrokenLog, open_log, read_log, verify

SmallLog = Callable[[], Path]


def read_all(directory: Path) -> bytes:
    """The lines of all segments."""
    return b"".join(path.read_bytes() for path in sorted(directory.glob("*.jsonl")))


def rewrite(directory: Path, lines: list[bytes]) -> None:
    """Puts these lines into one segment, in place of all."""
    for path in directory.glob("*.jsonl"):
        path.unlink()
    (directory / "000000.jsonl").write_bytes(b"".join(lines))


def head_of(directory: Path) -> str:
    found = verify(directory)
    assert found.ok
    assert found.head is not None
    return found.head


def chained_anew(lines: list[bytes]) -> list[bytes]:
    """The same records with every link computed again, as a forger would."""
    previous, found = "0" * 64, list[bytes]()
    for line in lines:
        sealed = canonical({**json.loads(line), "previous": previous})
        previous = hashlib.sha256(sealed).hexdigest()
        found.append(sealed + b"\n")
    return found


def test_a_whole_log_verifies_against_every_head_noted_on_the_way(small_log: SmallLog) -> None:
    directory = small_log()
    records = list(read_log(directory))

    found = verify(directory)

    assert (found.ok, found.records, found.head, found.notes) == (True, len(records), records[-1].digest, ())
    assert all(verify(directory, record.digest).ok for record in records)


def test_F42_any_single_byte_flipped_in_lines_or_blobs_is_detected(small_log: SmallLog, seed: int) -> None:
    directory = small_log()
    head = head_of(directory)
    paths = [*sorted(directory.glob("*.jsonl")), *directory.glob("blobs/*")]
    undetected: list[tuple[str, int]] = []

    for path in paths:
        whole = path.read_bytes()
        for place in range(len(whole)):
            bit = 1 << ((seed + place) % 8)
            path.write_bytes(whole[:place] + bytes([whole[place] ^ bit]) + whole[place + 1 :])
            if verify(directory, head).ok:
                undetected.append((path.name, place))
        path.write_bytes(whole)

    assert undetected == []
    assert verify(directory, head).ok


def test_F42_a_log_cut_off_at_any_byte_is_detected_against_its_head(small_log: SmallLog) -> None:
    directory = small_log()
    head = head_of(directory)
    rewrite(directory, [read_all(directory)])
    path = directory / "000000.jsonl"
    whole = path.read_bytes()
    undetected: list[int] = []

    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        if verify(directory, head).ok:
            undetected.append(size)

    assert undetected == []


def test_F42_any_record_dropped_or_repeated_and_any_pair_swapped_is_detected_and_named(small_log: SmallLog) -> None:
    directory = small_log()
    head = head_of(directory)
    lines = read_all(directory).splitlines(keepends=True)
    cases = {f"drop {place}": (place, lines[:place] + lines[place + 1 :]) for place in range(len(lines))}
    for place, line in enumerate(lines):
        cases[f"repeat {place}"] = (place + 1, [*lines[: place + 1], line, *lines[place + 1 :]])
    for first, second in itertools.combinations(range(len(lines)), 2):
        swapped = list(lines)
        swapped[first], swapped[second] = swapped[second], swapped[first]
        cases[f"swap {first} {second}"] = (first, swapped)

    for name, (place, changed) in cases.items():
        rewrite(directory, changed)
        found = verify(directory, head)
        assert not found.ok, name
        expected = f"000000.jsonl:{min(place, len(changed) - 1) + 1}"
        assert found.problems[0].where == expected, name

    assert len(cases) == len(lines) * 2 + len(lines) * (len(lines) - 1) // 2


@pytest.mark.parametrize("place", range(1, 5))
def test_F42_an_edited_record_is_named_first(small_log: SmallLog, place: int) -> None:
    directory = small_log()
    lines = read_all(directory).splitlines(keepends=True)
    changed = canonical({**json.loads(lines[place]), "written": "1999-12-31T23:59:59.000000000Z"})
    rewrite(directory, [*lines[:place], changed + b"\n", *lines[place + 1 :]])

    problem = verify(directory).problems[0]

    assert (problem.where, problem.index) == (f"000000.jsonl:{place + 1}", place)
    assert "its line hashes to" in problem.text


def test_F42_an_edit_that_was_hashed_anew_shows_against_the_head_alone(small_log: SmallLog) -> None:
    directory = small_log()
    head = head_of(directory)
    lines = read_all(directory).splitlines(keepends=True)
    lines[2] = lines[2].replace(b'"margin":-0.5', b'"margin":0.5')
    rewrite(directory, chained_anew(lines))

    assert verify(directory).ok  # which is why a head is noted
    found = verify(directory, head)
    assert not found.ok
    assert "cut off, forked or written anew" in found.problems[0].text


def test_F42_a_log_cut_off_and_continued_shows_against_the_head(small_log: SmallLog) -> None:
    directory = small_log()
    head = head_of(directory)
    lines = read_all(directory).splitlines(keepends=True)
    rewrite(directory, lines[:-2])

    open_log(directory, environment={}).close()

    found = verify(directory)
    assert found.ok
    assert any("did not stop" in note for note in found.notes)
    assert not verify(directory, head).ok


@pytest.mark.parametrize("number", [0, 1, 2])
def test_F42_a_missing_segment_is_detected(small_log: SmallLog, number: int) -> None:
    directory = small_log()
    head = head_of(directory)
    assert len(list(directory.glob("*.jsonl"))) == 3
    (directory / f"{number:06d}.jsonl").unlink()

    found = verify(directory, head)

    assert not found.ok
    if number < 2:
        assert found.problems[0].text == f"{number:06d}.jsonl is missing before it"


def test_F42_a_missing_and_a_larger_blob_are_detected(small_log: SmallLog) -> None:
    directory = small_log()
    (blob,) = directory.glob("blobs/*")
    blob.write_bytes(blob.read_bytes() + b" ")
    larger = verify(directory).problems[0]
    blob.unlink()

    missing = verify(directory).problems[0]

    assert "hash to" in larger.text
    assert "No such file" in missing.text
    assert missing.index == 1


def test_a_blob_of_another_size_than_its_record_says_is_detected(small_log: SmallLog) -> None:
    directory = small_log()
    lines = read_all(directory).splitlines(keepends=True)
    fields = json.loads(lines[1])
    fields["blobs"] = {name: size + 1 for name, size in fields["blobs"].items()}
    rewrite(directory, chained_anew([lines[0], canonical(fields), *lines[2:]]))

    assert "19 bytes, not 20" in verify(directory).problems[0].text


@pytest.mark.parametrize(
    ("junk", "problem"),
    [
        (b"\n", "not JSON"),
        (b"NaN\n", "NaN is not a JSON number"),
        (b"{}\n", "has the fields"),
        (b"x" * 70_000 + b"\n", "longer than the 65535 bytes"),
    ],
)
def test_a_broken_line_in_the_middle_is_never_skipped(small_log: SmallLog, junk: bytes, problem: str) -> None:
    directory = small_log()
    lines = read_all(directory).splitlines(keepends=True)
    rewrite(directory, [*lines[:2], junk, *lines[2:]])

    found = verify(directory)

    assert found.problems[0].where == "000000.jsonl:3"
    assert problem in found.problems[0].text
    with pytest.raises(BrokenLog, match=r"000000\.jsonl:3: "):
        list(read_log(directory))


@pytest.mark.parametrize(
    ("order", "problem"),
    [
        (["review"], "outside any session"),
        (["start", "start"], "a session starts although"),
        (["start", "stop", "review"], "outside any session"),
        (["start", "stop", "gap"], "a gap without a session"),
        (["gap"], "a gap without a session"),
        (["start", "gap", "review"], "outside any session"),
    ],
)
def test_F42_records_outside_a_session_are_detected(tmp_path: Path, order: list[str], problem: str) -> None:
    fields: dict[str, Json] = {"blobs": {}, "body": {}, "format": "interlock/record/1", "monotonic_ns": "1"}
    fields["written"] = "2023-11-14T22:13:20.123456789Z"
    rewrite(tmp_path, chained_anew([canonical({**fields, "index": i, "kind": kind}) for i, kind in enumerate(order)]))

    found = verify(tmp_path)

    assert problem in found.problems[0].text
    assert found.problems[0].index == len(order) - 1
    with pytest.raises(BrokenLog, match=problem):
        list(read_log(tmp_path))


def test_a_log_without_records_does_not_verify(tmp_path: Path) -> None:
    (tmp_path / "000000.jsonl").write_bytes(b"")

    assert not verify(tmp_path).ok


def test_F42_an_empty_segment_does_not_verify(small_log: SmallLog) -> None:
    directory = small_log()
    head = head_of(directory)
    (directory / "000003.jsonl").write_bytes(b"")

    found = verify(directory, head)

    assert [(problem.where, problem.text) for problem in found.problems] == [
        ("000003.jsonl", "an empty segment; no crash leaves one")
    ]


def test_what_is_no_log_is_unusable(tmp_path: Path) -> None:
    for directory in (tmp_path, tmp_path / "absent"):
        with pytest.raises(UnusableInput, match="there is no log here"):
            verify(directory)
        with pytest.raises(UnusableInput, match="there is no log here"):
            list(read_log(directory))
    with pytest.raises(UnusableInput, match="64 lower-case"):
        verify(tmp_path, "HEAD")


def test_a_log_that_is_broken_all_over_ends_after_a_hundred_problems(tmp_path: Path) -> None:
    (tmp_path / "000000.jsonl").write_bytes(b"junk\n" * 1_000)

    found = verify(tmp_path)

    assert len(found.problems) <= 102
    assert found.notes[0] == "stopped after 100 problems"


def test_an_unfinished_last_line_does_not_verify(small_log: SmallLog) -> None:
    directory = small_log()
    path = max(directory.glob("*.jsonl"))
    path.write_bytes(path.read_bytes()[:-1])

    assert "an unfinished line" in verify(directory).problems[0].text


@pytest.mark.parametrize("junk", [b"x", b"{}\n", b"\0" * 9])
def test_F42_bytes_slipped_in_between_two_segments_are_detected(small_log: SmallLog, junk: bytes) -> None:
    directory = small_log()
    path = directory / "000000.jsonl"
    path.write_bytes(path.read_bytes() + junk)

    assert verify(directory).problems[0].text.endswith("are in no record's account")
    with pytest.raises(BrokenLog, match="in no record's account"):
        list(read_log(directory))
