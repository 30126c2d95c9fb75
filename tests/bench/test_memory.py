"""The figure of memory: it is measured, its last line is what it says, and a growth is a failure."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench import memory


def test_this_process_has_some_memory() -> None:
    assert 10.0 < memory.resident_mb() < 100_000.0


@pytest.mark.parametrize(("growth", "code"), [(0.0, 0), (memory.ALLOWED_MB, 0), (memory.ALLOWED_MB + 0.1, 1)])
def test_a_growth_beyond_what_is_allowed_fails(
    growth: float, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def grown(count: int, seed: int) -> list[float]:
        assert (count, seed) == (7, 3)
        return [100.0, 90.0, 100.0 + growth]

    monkeypatch.setattr(memory, "grown", grown)

    assert memory.main(["--count", "7", "--seed", "3", "--write", str(tmp_path / "kept")]) == code
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert found == {
        "reviews": 7,
        "first_mb": 100.0,
        "last_mb": 100.0 + growth,
        "growth_mb": growth,
        "seen_mb": [100.0, 90.0, 100.0 + growth],
    }
    assert json.loads((tmp_path / "kept").read_text()) == found


@pytest.mark.slow
def test_reviews_are_counted_and_measured_ten_times(capfd: pytest.CaptureFixture[str]) -> None:
    seen = memory.grown(10, 1)

    assert len(seen) == 10
    assert min(seen) > 0.0
    assert [line.split()[0] for line in capfd.readouterr().err.splitlines() if "reviews" in line] == [
        str(number) for number in range(1, 11)
    ]
