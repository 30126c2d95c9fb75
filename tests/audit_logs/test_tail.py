from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock_audit_logs import BrokenLog, open_log, read_log, verify


def kinds(directory: Path) -> list[str]:
    return [record.kind for record in read_log(directory)]


def cut(directory: Path, name: str, size: int) -> bytes:
    path = directory / name
    whole = path.read_bytes()
    path.write_bytes(whole[:size])
    return whole


def test_F42_a_crash_in_the_middle_of_a_line_leaves_a_gap_record(tmp_path: Path) -> None:
    with open_log(tmp_path, environment={}) as log:
        log.append("review", {"number": 1})
        log.append("review", {"number": 2})
    whole = (tmp_path / "000000.jsonl").read_bytes()
    lines = whole.splitlines(keepends=True)
    end = len(whole) - len(lines[-1]) - 10
    cut(tmp_path, "000000.jsonl", end)
    left = whole[:end][len(b"".join(lines[:2])) :]

    with pytest.raises(BrokenLog, match=r"000000\.jsonl:3: an unfinished line"):
        list(read_log(tmp_path))
    with open_log(tmp_path, environment={}) as log:
        log.append("review", {"number": 3})

    records = list(read_log(tmp_path))
    assert [record.kind for record in records] == ["start", "review", "gap", "start", "review", "stop"]
    assert records[2].body["set_aside"] == {
        "bytes": len(left),
        "offset": end - len(left),
        "segment": "000000.jsonl",
        "sha256": hashlib.sha256(left).hexdigest(),
    }
    assert (tmp_path / "000000.jsonl").read_bytes() == whole[:end]
    assert verify(tmp_path).ok


def test_F42_bytes_set_aside_cannot_change_unnoticed(tmp_path: Path) -> None:
    with open_log(tmp_path, environment={}) as log:
        log.append("review", {"number": 1})
    size = (tmp_path / "000000.jsonl").stat().st_size
    cut(tmp_path, "000000.jsonl", size - 10)
    open_log(tmp_path, environment={}).close()
    path = tmp_path / "000000.jsonl"
    kept = path.read_bytes()

    for altered in (kept[:-1], kept + b"x", kept[:-1] + b"x"):
        path.write_bytes(altered)
        assert "left aside" in verify(tmp_path).problems[0].text
        with pytest.raises(BrokenLog, match="in no record's account"):
            list(read_log(tmp_path))
    path.write_bytes(kept)
    assert verify(tmp_path).ok


def test_F42_a_session_that_did_not_stop_leaves_a_gap_record(tmp_path: Path) -> None:
    with open_log(tmp_path, environment={}) as log:
        log.append("review", {})
    path = tmp_path / "000000.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:2]))

    open_log(tmp_path, environment={}).close()

    assert kinds(tmp_path) == ["start", "review", "gap", "start", "stop"]
    assert list(read_log(tmp_path))[2].body["set_aside"] is None


def test_F42_zeros_that_a_loss_of_power_left_are_set_aside(tmp_path: Path) -> None:
    with open_log(tmp_path, environment={}) as log:
        log.append("review", {})
    path = tmp_path / "000000.jsonl"
    whole = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(whole[0] + bytes(len(whole[1])) + whole[2])

    open_log(tmp_path, environment={}).close()

    assert kinds(tmp_path) == ["start", "gap", "start", "stop"]
    assert verify(tmp_path).ok


@pytest.mark.parametrize("change", ["edit", "drop", "empty", "junk"])
def test_F42_what_no_crash_leaves_is_not_taken_up(tmp_path: Path, change: str) -> None:
    with open_log(tmp_path, environment={}) as log:
        log.append("review", {"number": 1})
    path = tmp_path / "000000.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(
        {
            "edit": b"".join(lines).replace(b'"number":1', b'"number":2'),
            "drop": lines[0] + lines[2],
            "empty": b"",
            "junk": b"".join(lines) + b"junk\n",
        }[change]
    )

    with pytest.raises(BrokenLog, match="no crash leaves"):
        open_log(tmp_path, environment={})


@pytest.fixture(scope="module")
def whole_segment(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    directory = tmp_path_factory.mktemp("log")
    with open_log(directory, environment={}) as log:
        for number in range(3):
            log.append("review", {"number": number})
    return (directory / "000000.jsonl").read_bytes()


@settings(max_examples=60, deadline=None)
@given(st.integers(min_value=1))
def test_F42_wherever_a_crash_cuts_the_log_opens_and_keeps_every_whole_line(
    tmp_path_factory: pytest.TempPathFactory, whole_segment: bytes, size: int
) -> None:
    directory = tmp_path_factory.mktemp("log")
    first = whole_segment.index(b"\n") + 1  # a segment is born durable with its first record
    kept = whole_segment[: first + size % (len(whole_segment) - first + 1)]
    (directory / "000000.jsonl").write_bytes(kept)

    open_log(directory, environment={}).close()

    assert verify(directory).ok
    before = [record.digest for record in read_log(directory)][: kept.count(b"\n")]
    assert before == [hashlib.sha256(line).hexdigest() for line in kept.split(b"\n")[:-1]]
