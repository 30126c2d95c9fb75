"""The page on the referee shows the runs that were kept, each once, and of which code they are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.keeping import Counts, Kept
from bench.referee_page import DIGITS, PAGE, Run, main, page, read, run_of, with_run

pytest.importorskip("coal", reason="needs coal, of the extra `referee`")
pytest.importorskip("pinocchio", reason="needs pin, of the extra `referee`")


def counts(first: int, end: int, missed: int = 0) -> Counts:
    return Counts(first, end, 3, missed, 2, 1, {"panda": end - first}, {"full": end - first}, ())


def run(code: str = "a" * 64, seed: int = 1, missed: int = 0) -> Run:
    return run_of(code, seed, [counts(64, 128), counts(0, 64, missed), counts(192, 200)])


def test_the_page_is_what_its_figures_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(read())


def test_every_run_on_file_adds_up() -> None:
    for one in read():
        cases = sum(end - first for first, end in one["cases"])
        assert cases == one["figures"]["cases"] == sum(one["robots"].values()) == sum(one["kinds"].values())
        assert one["figures"]["missed"] == 0


def test_tasks_are_put_together_whatever_their_order() -> None:
    assert run()["cases"] == [[0, 128], [192, 200]]
    assert run()["figures"]["cases"] == 136
    assert run()["figures"]["touching"] == 9
    assert run()["robots"] == {"panda": 136}


def test_a_run_of_nothing_is_none() -> None:
    with pytest.raises(ValueError, match="no task"):
        run_of("a" * 64, 1, [])


def test_a_later_state_of_a_run_takes_the_place_of_the_one_before() -> None:
    other, before, later = run(code="b" * 64), run(), run(missed=1)

    assert with_run([before, other], later) == [other, later]
    assert with_run([other], run(seed=2)) == [other, run(seed=2)]


def test_a_miss_is_on_the_page() -> None:
    row = next(line for line in page([run(missed=7)]).splitlines() if line.startswith(f"| `{'a' * DIGITS}`"))

    assert row.split("|")[5].strip() == "7"


def test_what_a_file_holds_is_added(tmp_path: Path) -> None:
    kept, results, text = Kept(tmp_path / "run.jsonl", 1), tmp_path / "referee.json", tmp_path / "page.md"
    kept.add(counts(0, 64))
    results.write_text(json.dumps([run(code="b" * 64)]), encoding="utf-8")

    code = main([str(tmp_path / "run.jsonl")], results, text)

    assert code == 0
    assert [one["code"] for one in read(results)] == ["b" * 64, kept.code]
    assert kept.code[:DIGITS] in text.read_text(encoding="utf-8")


def test_a_run_of_other_code_is_refused_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Kept(tmp_path / "run.jsonl", 1).add(counts(0, 64))
    results = tmp_path / "referee.json"
    results.write_text("[]", encoding="utf-8")

    code = main([str(tmp_path / "run.jsonl"), "--seed=2"], results, tmp_path / "page.md")

    assert code == 2
    assert "seed" in capsys.readouterr().err
    assert read(results) == []
