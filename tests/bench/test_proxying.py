"""The figures of the proxy: every request counts and is permitted, and what is written is what is printed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench import proxying


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is busy with something else refuses nothing here."""
    monkeypatch.setattr("interlock.supervisor.WRITTEN_S", 60.0)


@pytest.mark.slow
def test_requests_through_the_proxy_are_timed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = tmp_path / "proxying.json"

    assert proxying.main(10, kept) == 0

    found = json.loads(kept.read_text(encoding="utf-8"))
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == found
    assert found["requests"] == 10
    assert 0.0 < found["median_ms"] <= found["p99_ms"]
    assert found["review_median_ms"] > 0.0
