"""A long run of the referee goes on where it stopped, and never mixes with another."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

import interlock
from bench import keeping, referee
from bench.keeping import Counts, Kept, OtherRun
from bench.referee import Outcome, main, tasks_of
from bench.triples import BLOCK

pytest.importorskip("coal", reason="needs coal, of the extra `referee`")
pytest.importorskip("pinocchio", reason="needs pin, of the extra `referee`")


def counts(first: int, end: int) -> Counts:
    return Counts(first, end, 3, 0, 2, 1, {"panda": end - first}, {"full": end - first}, ("false refusal of case 1",))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.jsonl"


def test_what_was_done_is_done(path: Path) -> None:
    tasks = [range(64), range(64, 128)]
    Kept(path, 1).add(counts(0, 64))

    again = Kept(path, 1)

    assert again.done == [counts(0, 64)]
    assert again.missing(tasks) == [range(64, 128)]


def test_the_digest_is_of_all_that_the_referee_imports() -> None:
    said = "import sys, bench.triples, bench.sweeps\nprint(*sorted(n for n in sys.modules if n.startswith('bench.')))"
    imported = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)

    assert {f"bench.{Path(name).stem}" for name in keeping.BENCH} == {"bench.referee", *imported.stdout.split()}


@pytest.mark.parametrize("torn", [b'{"first": 64, "en', b"\x00", b'{"first": 64}'], ids=["half", "zero", "no end"])
def test_a_torn_last_line_is_dropped(path: Path, torn: bytes) -> None:
    Kept(path, 1).add(counts(0, 64))
    whole = path.read_bytes()
    path.write_bytes(whole + torn)

    again = Kept(path, 1)

    assert [one.first for one in again.done] == [0]
    assert path.read_bytes() == whole


def test_a_torn_head_begins_anew(path: Path) -> None:
    path.write_bytes(b'{"format": "interl')

    Kept(path, 1)

    assert json.loads(path.read_text())["seed"] == 1


def test_another_seed_is_refused(path: Path) -> None:
    Kept(path, 1)

    with pytest.raises(OtherRun, match="is a run with seed 1, and this is seed 2"):
        Kept(path, 2)


def test_another_code_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Kept(path, 1)
    monkeypatch.setattr(keeping, "code_digest", lambda: "0" * 64)

    with pytest.raises(OtherRun, match="is a run with code '"):
        Kept(path, 1)


def test_the_digest_changes_with_any_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "core"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "judge.py").write_text("limit = 1\n")
    monkeypatch.setattr(interlock, "__file__", str(package / "__init__.py"))
    before = keeping.code_digest()

    (package / "judge.py").write_text("limit = 2\n")

    assert keeping.code_digest() != before


def test_another_file_is_refused(path: Path) -> None:
    path.write_text('{"format": "interlock/log/1"}\n')

    with pytest.raises(OtherRun, match="is no run of the referee"):
        Kept(path, 1)


def test_a_damaged_line_before_the_last_is_refused(path: Path) -> None:
    kept = Kept(path, 1)
    kept.add(counts(0, 64))
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + b"{}\n" + lines[1])

    with pytest.raises(OtherRun, match=r"run.jsonl:2: is damaged"):
        Kept(path, 1)


def test_a_file_that_is_too_large_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Kept(path, 1)
    monkeypatch.setattr(keeping, "MAX_BYTES", 10)

    with pytest.raises(OtherRun, match="more than 10 bytes"):
        Kept(path, 1)


def test_cases_that_are_in_it_twice_are_refused(path: Path) -> None:
    kept = Kept(path, 1)
    kept.add(counts(0, 64))
    kept.add(counts(32, 96))

    with pytest.raises(OtherRun, match="in it twice"):
        Kept(path, 1)


def test_tasks_of_other_lengths_are_refused(path: Path) -> None:
    kept = Kept(path, 1)
    kept.add(counts(0, 10))

    with pytest.raises(OtherRun, match="tasks of other lengths"):
        kept.missing([range(64)])


@pytest.mark.parametrize(("first", "count"), [(0, 200), (10, 30), (60, 70), (64, 64)])
def test_tasks_are_blocks_and_cover_all(first: int, count: int) -> None:
    tasks = tasks_of(count, first)

    assert [index for task in tasks for index in task] == list(range(first, first + count))
    assert all(task.start // BLOCK == (task.stop - 1) // BLOCK for task in tasks)


def told(index: int) -> Outcome:
    return Outcome(
        index, "even", "permit", False, False, True, False, (), 0.0, 0.0, 0.0, 0.0, 0.0, ("", ""), "panda", ""
    )


def test_the_command_goes_on_and_its_last_line_is_of_all(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[range] = []

    def done(tasks: Sequence[range], *_: object) -> Iterator[list[Outcome]]:
        for task in tasks:
            asked.append(task)
            yield [told(index) for index in task]

    monkeypatch.setattr(referee, "done", done)
    monkeypatch.setattr(referee, "robot", str)
    arguments = ["--workers", "1", "--keep", str(path), "--count"]

    assert main([*arguments, str(BLOCK)]) == 0
    assert main([*arguments, str(3 * BLOCK)]) == 0

    assert asked == [range(BLOCK), range(BLOCK, 2 * BLOCK), range(2 * BLOCK, 3 * BLOCK)]
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert last["cases"] == last["clear"] == 3 * BLOCK


def test_the_command_refuses_the_file_of_another_run(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(referee, "robot", str)
    Kept(path, 1)

    assert main(["--keep", str(path), "--seed", "2"]) == 2
    assert "is a run with seed 1" in capsys.readouterr().err
