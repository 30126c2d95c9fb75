"""The fuzzer's figures: every dialect has its share, the last line says what they came to, and a fault is a failure."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.fuzz import run
from bench.fuzz.dialects import DIALECTS
from bench.fuzz.run import MOST_MIB, SLOWEST_MS, Figures

SOUND: Figures = {"inputs": 100, "seconds": 1.5, "crashes": 0, "slowest_ms": 2.0, "peak_mib": 60.0}


@pytest.mark.parametrize(
    ("worse", "expected"),
    [
        (SOUND, True),
        ({**SOUND, "slowest_ms": SLOWEST_MS, "peak_mib": MOST_MIB}, True),
        ({**SOUND, "crashes": 1}, False),
        ({**SOUND, "slowest_ms": SLOWEST_MS + 0.1}, False),
        ({**SOUND, "peak_mib": MOST_MIB + 0.1}, False),
        ({**SOUND, "inputs": 0}, False),
    ],
    ids=["sound", "at both limits", "a crash", "too slow", "too large", "nothing"],
)
def test_a_crash_a_slow_input_and_too_much_memory_fail(worse: Figures, expected: bool) -> None:  # noqa: FBT001 - a case
    assert run.passed(worse) is expected


@pytest.mark.parametrize(("count", "shares"), [(10, [2, 2, 3, 3]), (None, [None] * 4)])
def test_every_dialect_has_its_share(
    count: int | None,
    shares: list[int | None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked: list[tuple[str, int | None, float]] = []

    def fuzzed(dialect: str, keep: Path, seconds: float, count: int | None, seed: int) -> Figures:
        assert (keep, seed) == (tmp_path, 7)
        asked.append((dialect, count, seconds))
        return {**SOUND, "crashes": int(dialect == "npy"), "slowest_ms": float(len(asked))}

    monkeypatch.setattr(run, "fuzzed", fuzzed)
    counted = [] if count is None else ["--count", str(count)]

    assert run.main([*counted, "--seconds", "8", "--seed", "7", "--keep", str(tmp_path)]) == 1
    assert asked == [(dialect, share, 2.0) for dialect, share in zip(DIALECTS, shares, strict=True)]
    last = capsys.readouterr().out.splitlines()[-1]
    assert json.loads(last) == {"inputs": 400, "seconds": 6.0, "crashes": 1, "slowest_ms": 4.0, "peak_mib": 60.0}


@pytest.mark.slow
def test_atheris_runs_as_many_inputs_as_it_is_asked_for(tmp_path: Path) -> None:
    pytest.importorskip("atheris", reason="atheris comes with the extra `fuzz`")
    # A process of its own between: the kernel counts what a parent has among the peak of what it starts.
    asked = [sys.executable, "-m", "bench.fuzz.run", "--count", "2000", "--seed", "1", "--keep", str(tmp_path)]
    found = subprocess.run(asked, capture_output=True, text=True, check=False, timeout=300.0)

    assert found.returncode == 0, found.stderr + (tmp_path / "npy.log").read_text()
    assert json.loads(found.stdout.splitlines()[-1])["inputs"] >= 2000
