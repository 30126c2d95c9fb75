from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from interlock.errors import LogDegraded, UnusableInput
from interlock.log import Entry
from interlock_audit_logs import open_log, read_log, verify
from tests.audit_logs.faults import Died, Fault, FaultyFiles


@dataclass
class Session:
    """What one session's caller was told."""

    durable: list[Entry] = field(default_factory=list[Entry])
    written: list[Entry] = field(default_factory=list[Entry])
    trouble: bool = False


def run(directory: Path, files: FaultyFiles) -> Session:
    """Six records with three blobs in several segments, each waited for, so that every run does the same operations."""
    told = Session()
    try:
        with open_log(directory, environment={}, files=files, segment_bytes=1_000) as log:
            for number in range(6):
                blob = b"scene %d" % (number // 2)
                name = hashlib.sha256(blob).hexdigest()
                urgent = number % 2 == 0
                ticket = log.append("review", {"number": number}, blobs={name: blob}, urgent=urgent)
                told.written.append(ticket.written(5.0))
                if urgent:
                    told.durable.append(ticket.durable(5.0))
        told.trouble = log.degraded is not None
    except (LogDegraded, UnusableInput, Died):
        told.trouble = True
    return told


def count_operations(directory: Path) -> int:
    files = FaultyFiles()
    assert not run(directory, files).trouble
    return files.operations


def assert_kept(directory: Path, promised: list[Entry], case: object) -> None:
    """A next session opens the log, the whole verifies, and everything promised is in it."""
    with open_log(directory, environment={}) as log:
        log.append("review", {"after": True}).written(5.0)
    found = verify(directory)
    assert found.ok, (case, found.problems)
    kept = {record.entry for record in read_log(directory)}
    assert kept.issuperset(promised), case


@pytest.mark.parametrize("lasting", [False, True], ids=["once", "from_then_on"])
@pytest.mark.parametrize("fault", ["eio", "enospc"])
def test_F42_a_disk_that_fails_at_any_operation_degrades_and_loses_nothing_acknowledged(
    tmp_path: Path, fault: Fault, *, lasting: bool
) -> None:
    for at in range(count_operations(tmp_path / "sound")):
        directory = tmp_path / str(at)
        told = run(directory, FaultyFiles(fault, at, lasting=lasting))

        assert told.trouble, at
        assert_kept(directory, [*told.durable, *told.written], at)


def test_a_short_write_at_any_operation_changes_nothing(tmp_path: Path) -> None:
    for at in range(count_operations(tmp_path / "sound")):
        told = run(tmp_path / str(at), FaultyFiles("short", at))

        assert (told.trouble, len(told.written)) == (False, 6), at
        assert verify(tmp_path / str(at)).notes == (), at


@pytest.mark.parametrize("power", [True, False], ids=["power_stays", "power_cut"])
def test_F42_dying_at_any_operation_loses_nothing_acknowledged(tmp_path: Path, *, power: bool) -> None:
    for at in range(count_operations(tmp_path / "sound")):
        directory = tmp_path / str(at)
        files = FaultyFiles("die", at)
        told = run(directory, files)
        if not power:
            files.power_cut()

        assert told.trouble, at
        assert_kept(directory, [*told.durable, *(told.written if power else [])], at)


@pytest.mark.slow
def test_F42_dying_again_at_any_operation_of_the_recovery_loses_nothing_acknowledged(tmp_path: Path) -> None:
    cases = 0
    for at in range(0, count_operations(tmp_path / "sound"), 3):
        for again in range(12):
            directory = tmp_path / f"{at}-{again}"
            first, second = FaultyFiles("die", at), FaultyFiles("die", again)
            told = run(directory, first)
            first.power_cut()
            after = run(directory, second)
            second.power_cut()

            assert_kept(directory, [*told.durable, *after.durable], (at, again))
            cases += 1

    assert cases >= 12 * 12


@pytest.mark.parametrize("lasting", [False, True], ids=["once", "from_then_on"])
def test_F42_a_failed_fsync_is_never_tried_again_on_the_same_file(tmp_path: Path, *, lasting: bool) -> None:
    files = FaultyFiles("eio", lasting=lasting)
    with open_log(tmp_path, environment={}, files=files) as log:
        kept = log.append("review", {"number": 1}, urgent=True).durable(5.0)
        second = log.append("review", {"number": 2})
        second.written(5.0)
        files.at = files.operations + 1  # after the write of the next record comes its fsync
        with pytest.raises(LogDegraded, match="the disk failed"):
            log.append("veto", {"number": 3}, urgent=True).durable(5.0)

    assert max(Counter(files.failed_syncs).values()) == 1
    assert_kept(tmp_path, [kept, second.written(0.0)], lasting)
    order = [record.kind for record in read_log(tmp_path)]
    if lasting:
        assert order[:5] == ["start", "review", "review", "veto", "gap"]
    else:
        assert order[:6] == ["start", "review", "review", "veto", "degraded", "stop"]
        degraded = list(read_log(tmp_path))[4]
        assert "Input/output error" in str(degraded.body["reason"])
        size = sum(map(len, (tmp_path / "000000.jsonl").read_bytes().splitlines(keepends=True)[:2]))
        left = {"bytes": None, "offset": size, "segment": "000000.jsonl", "sha256": None}
        assert degraded.body["set_aside"] == left


def test_F42_what_a_failed_fsync_dropped_is_on_record_in_the_next_segment(tmp_path: Path) -> None:
    files = FaultyFiles("eio")
    with open_log(tmp_path, environment={}, files=files) as log:
        log.append("review", {"number": 1}, urgent=True).durable(5.0)
        files.at = files.operations + 1
        with pytest.raises(LogDegraded):
            log.append("veto", {"number": 2}, urgent=True).durable(5.0)
    files.power_cut()

    assert [record.kind for record in read_log(tmp_path)] == ["start", "review", "veto", "degraded", "stop"]
    assert verify(tmp_path).ok
