from __future__ import annotations

import hashlib
import threading
import time
from pathlib import Path

import pytest

from interlock.errors import LogDegraded, UnusableInput
from interlock.log import Log
from interlock_audit_logs import WINDOW_S, blob_reader, open_log, read_log, verify
from interlock_audit_logs.recorder import Recorder
from tests.audit_logs.faults import FaultyFiles


def kinds(directory: Path) -> list[str]:
    return [record.kind for record in read_log(directory)]


def test_a_log_starts_takes_records_in_order_and_stops(tmp_path: Path) -> None:
    with open_log(tmp_path, environment={"python": "3.11"}) as log:
        port: Log = log
        tickets = [port.append("review", {"margin": margin}, blobs={}, urgent=False) for margin in (0.5, -0.5)]
        entries = [ticket.durable(5.0) for ticket in tickets]

    records = list(read_log(tmp_path))

    assert [record.kind for record in records] == ["start", "review", "review", "stop"]
    assert [record.entry for record in records[1:3]] == entries
    assert records[0].body["environment"] == {"python": "3.11"}
    assert records[3].body["records"] == 2
    assert verify(tmp_path, records[3].digest).ok


def test_a_later_session_goes_on_with_the_same_chain(tmp_path: Path) -> None:
    for _ in range(3):
        with open_log(tmp_path, environment={}) as log:
            log.append("review", {})

    assert kinds(tmp_path) == ["start", "review", "stop"] * 3
    assert verify(tmp_path).notes == ()


def test_the_head_is_the_last_durable_record(tmp_path: Path) -> None:
    with open_log(tmp_path, environment={}) as log:
        entry = log.append("review", {}, urgent=True).durable(5.0)
        head = log.head

    assert head == entry
    assert verify(tmp_path, log.head.digest).ok


def test_segments_rotate_and_read_as_one(tmp_path: Path) -> None:
    with open_log(tmp_path, environment={}, segment_bytes=2_000) as log:
        for number in range(40):
            log.append("review", {"number": number})

    names = sorted(path.name for path in tmp_path.glob("*.jsonl"))
    assert names == [f"{number:06d}.jsonl" for number in range(len(names))]
    assert len(names) > 5
    assert [record.body["number"] for record in read_log(tmp_path) if record.kind == "review"] == list(range(40))


def test_a_record_that_nobody_hurries_is_durable_within_the_window(tmp_path: Path) -> None:
    with open_log(tmp_path, environment={}) as log:
        entry = log.append("review", {}).durable(
            WINDOW_S * 20
        )  # the machine may be busy; the bench measures the window

        assert log.head == entry


def test_an_urgent_record_does_not_wait_for_the_window(tmp_path: Path) -> None:
    with open_log(tmp_path, environment={}) as log:
        waits_s: list[float] = []
        for _ in range(5):
            begin_s = time.monotonic()
            log.append("veto", {}, urgent=True).durable(5.0)
            waits_s.append(time.monotonic() - begin_s)

    assert min(waits_s) < WINDOW_S / 2


def test_the_body_is_taken_as_it_was_at_append(tmp_path: Path) -> None:
    body = {"margins": [0.5]}
    with open_log(tmp_path, environment={}) as log:
        log.append("review", body)
        body["margins"].append(-0.5)

    assert [record.body for record in read_log(tmp_path)][1] == {"margins": [0.5]}


def test_blobs_are_written_once_and_read_back(tmp_path: Path) -> None:
    blob = b"a scene"
    name = hashlib.sha256(blob).hexdigest()
    inodes: set[int] = set()
    for _ in range(4):
        with open_log(tmp_path, environment={}) as log:
            log.append("review", {"scene": name}, blobs={name: blob}).written(5.0)
            log.append("review", {"scene": name}, blobs={name: blob}).written(5.0)
        inodes.add((tmp_path / "blobs" / name).stat().st_ino)

    assert len(inodes) == 1
    assert blob_reader(tmp_path)(name) == blob
    assert verify(tmp_path).ok


def test_a_blob_under_a_wrong_name_degrades_the_log(tmp_path: Path) -> None:
    with open_log(tmp_path, environment={}) as log:
        ticket = log.append("review", {}, blobs={"0" * 64: b"something else"})

        with pytest.raises(LogDegraded, match="hash to"):
            ticket.written(5.0)

    assert kinds(tmp_path) == ["start", "degraded", "stop"]


def test_a_blob_that_was_altered_on_disk_is_not_named_again(tmp_path: Path) -> None:
    blob = b"a scene"
    name = hashlib.sha256(blob).hexdigest()
    with open_log(tmp_path, environment={}) as log:
        log.append("review", {}, blobs={name: blob})
    (tmp_path / "blobs" / name).write_bytes(b"another")

    with open_log(tmp_path, environment={}) as log, pytest.raises(LogDegraded, match="hash to"):
        log.append("review", {}, blobs={name: blob}).written(5.0)


def test_F42_a_record_that_is_too_large_degrades_the_log_and_says_so_on_record(tmp_path: Path) -> None:
    with open_log(tmp_path, environment={}) as log:
        log.append("review", {"kept": True}).durable(5.0)
        with pytest.raises(LogDegraded, match="65535"):
            log.append("review", {"pad": "x" * 70_000})
        with pytest.raises(LogDegraded, match="65535"):
            log.append("review", {})

    assert "65535" in (log.degraded or "")
    assert kinds(tmp_path) == ["start", "review", "degraded", "stop"]
    assert verify(tmp_path).ok


def test_F42_nan_degrades_the_log_instead_of_becoming_a_record(tmp_path: Path) -> None:
    with open_log(tmp_path, environment={}) as log, pytest.raises(LogDegraded, match="not canonical JSON"):
        log.append("review", {"margin": float("nan")})

    assert kinds(tmp_path) == ["start", "degraded", "stop"]


def test_F42_a_late_ticket_degrades_the_log(tmp_path: Path) -> None:
    files = FaultyFiles()
    with open_log(tmp_path, environment={}, files=files) as log:
        files.go_on.clear()
        ticket = log.append("veto", {}, urgent=True)
        with pytest.raises(LogDegraded, match=r"not durable within 0\.02 s"):
            ticket.durable(0.02)
        with pytest.raises(LogDegraded, match=r"not durable within 0\.02 s"):
            log.append("review", {})
        files.go_on.set()

    assert "not durable" in (log.degraded or "")
    assert kinds(tmp_path) == ["start", "veto", "degraded", "stop"]


def test_F42_a_full_queue_degrades_and_append_never_blocks(tmp_path: Path) -> None:
    files = FaultyFiles()
    with open_log(tmp_path, environment={}, files=files, capacity=8) as log:
        files.go_on.clear()
        first = log.append("veto", {}, urgent=True)
        first.written(5.0)
        begin_s = time.monotonic()
        for _ in range(8):
            log.append("review", {})
        with pytest.raises(LogDegraded, match="8 records wait for the disk"):
            log.append("review", {})
        took_s = time.monotonic() - begin_s
        files.go_on.set()
        with pytest.raises(LogDegraded):
            first.durable(5.0)

    assert took_s < 1.0
    assert kinds(tmp_path) == ["start", "veto", "degraded", *["review"] * 8, "stop"]


def test_F42_a_flood_at_1_khz_loses_nothing_and_does_not_block(tmp_path: Path) -> None:
    slowest_s = 0.0
    with open_log(tmp_path, environment={}) as log:
        begin_s = time.monotonic()
        for number in range(1_000):
            time.sleep(max(0.0, begin_s + number * 0.001 - time.monotonic()))
            before_s = time.monotonic()
            log.append("review", {"number": number, "rows": "x" * 1_000})
            slowest_s = max(slowest_s, time.monotonic() - before_s)

    assert log.degraded is None
    assert [record.body["number"] for record in read_log(tmp_path) if record.kind == "review"] == list(range(1_000))
    assert slowest_s < 0.25


def test_F42_many_threads_one_chain(tmp_path: Path) -> None:
    with open_log(tmp_path, environment={}) as log:

        def flood(name: int) -> None:
            for number in range(50):
                log.append("review", {"thread": name, "number": number})

        threads = [threading.Thread(target=flood, args=(name,)) for name in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert verify(tmp_path).records == 202


def test_F42_a_second_writer_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    with open_log(tmp_path, environment={}) as log:
        with pytest.raises(UnusableInput, match="another writer has this log open"):
            open_log(tmp_path)
        log.append("review", {}).durable(5.0)

    with open_log(tmp_path, environment={}) as log:
        log.append("review", {})
    assert kinds(tmp_path) == ["start", "review", "stop"] * 2


@pytest.mark.parametrize("kind", ["start", "stop", "gap", "degraded"])
def test_the_logs_own_kinds_are_not_for_others(tmp_path: Path, kind: str) -> None:
    with open_log(tmp_path, environment={}) as log, pytest.raises(ValueError, match="written by the log itself"):
        log.append(kind, {})


def test_a_closed_log_takes_nothing_and_closes_once(tmp_path: Path) -> None:
    log = open_log(tmp_path, environment={})
    log.close()
    log.close()

    with pytest.raises(LogDegraded, match="closed"):
        log.append("review", {})
    assert kinds(tmp_path) == ["start", "stop"]


def test_an_error_in_the_with_block_is_named_in_the_stop_record(tmp_path: Path) -> None:
    with pytest.raises(KeyError), open_log(tmp_path, environment={}):
        raise KeyError

    assert list(read_log(tmp_path))[-1].body["error"] == "KeyError"


def test_a_bug_in_the_writer_degrades_the_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(Recorder, "take", broken)
    with open_log(tmp_path, environment={}) as log:
        ticket = log.append("review", {})
        log.close()

    assert "a bug" in (log.degraded or "")
    with pytest.raises(LogDegraded):
        ticket.written(5.0)


def test_a_directory_that_cannot_be_used_is_unusable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(UnusableInput, match="no log can be opened here"):
        open_log(tmp_path / "file")


def test_a_disk_that_hangs_when_the_log_is_closed_degrades_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("interlock_audit_logs.log.CLOSE_S", 0.05)
    files = FaultyFiles()
    log = open_log(tmp_path, environment={}, files=files)
    files.go_on.clear()
    log.append("review", {})

    log.close()
    files.go_on.set()

    assert "could not be closed within 0.05 s" in (log.degraded or "")
