"""The figures of the gate: every step counts and passes, and what is written is what is printed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench import gating


@pytest.mark.slow
def test_steps_along_permitted_plans_are_timed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = tmp_path / "gating.json"

    assert gating.main(1, kept) == 0

    found = json.loads(kept.read_text(encoding="utf-8"))
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == found
    assert found["steps"] > 500
    assert 0.0 < found["median_us"] <= found["p99_us"]
    assert found["median_share"] == pytest.approx(found["median_us"] / 1000.0, abs=1e-3)
