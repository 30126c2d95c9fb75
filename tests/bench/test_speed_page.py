"""The page on speed is in step with the figures, says which targets are met, and leaves out what is not there."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from bench import gating, growth, memory, proxying, speed
from bench.courses import GAPS, Scenario
from bench.speed import BALLS, DENSE, FORECAST, NAIVE, REVIEW
from bench.speed_page import PAGE, PICTURES, draw_growth, draw_speed, main, page, targets
from bench.waypoints import COAL, MUJOCO

PNG = b"\x89PNG\r\n\x1a\n"


def figures() -> tuple[list[speed.Row], growth.Growth, memory.Memory, gating.Gating, proxying.Proxying]:
    modules = (speed, growth, memory, gating, proxying)
    found, grown, remembered, stepped, proxied = (
        json.loads(one.RESULTS.read_text(encoding="utf-8")) for one in modules
    )
    return found, grown, remembered, stepped, proxied


def row(method: str, scenario: Scenario, median: float, p99: float) -> speed.Row:
    """Of a run in which the naive loop takes 10 ms, and 20 at its slowest."""
    return {
        "method": method,
        "scenario": scenario,
        "chunks": 3,
        "median_ms": median,
        "p99_ms": p99,
        "ratio_to_naive": median / 10.0,
        "p99_ratio_to_naive": p99 / 20.0,
    }


def rows(forecast: float, review: float, slowest: float, dense: float) -> Sequence[speed.Row]:
    of = {REVIEW: (review, slowest), FORECAST: (forecast, 2.0), BALLS: (0.5, 0.6), NAIVE: (10.0, 20.0)}
    return [row(name, scenario, *times) for scenario in GAPS for name, times in (*of.items(), (DENSE, (dense, dense)))]


def test_the_page_is_in_step_with_the_figures() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(*figures()), "run: .venv/bin/python -m bench.speed_page"


def test_the_page_shows_pictures_that_are_there() -> None:
    text = PAGE.read_text(encoding="utf-8")

    for name in ("speed.png", "growth.png"):
        assert f"(pictures/{name})" in text
        assert (PICTURES / name).read_bytes().startswith(PNG)


def test_every_method_and_engine_is_on_the_page() -> None:
    found, *_ = figures()

    assert {one["method"] for one in found} == {REVIEW, FORECAST, BALLS, NAIVE, COAL, MUJOCO, DENSE}


def test_figures_at_their_limits_are_met() -> None:
    assert [aim.name for aim in targets(rows(1.5, 4.5, 18.0, 60.0)) if not aim.met] == []


@pytest.mark.parametrize(
    ("found", "missed"),
    [
        pytest.param(rows(1.6, 4.5, 18.0, 1e3), {"forecast, free, median"}, id="a forecast that is slow where free"),
        pytest.param(
            rows(3.1, 4.5, 18.0, 1e3),
            {"forecast, free, median", "forecast, near, median"},
            id="a forecast that is slow everywhere",
        ),
        pytest.param(
            rows(1.5, 4.6, 18.0, 1e3), {f"review, {name}, median" for name in GAPS}, id="a review that is slow"
        ),
        pytest.param(
            rows(1.5, 4.5, 18.1, 1e3), {f"review, {name}, p99 to p99" for name in GAPS}, id="a review that is late"
        ),
        pytest.param(
            rows(1.5, 4.5, 18.0, 59.0),
            {f"forecast, {name}, median to that of dense sampling" for name in GAPS},
            id="a dense loop that is fast",
        ),
        pytest.param(
            rows(np.nan, 4.5, 18.0, 1e3),
            {
                "forecast, free, median",
                "forecast, near, median",
                *(f"forecast, {name}, median to that of dense sampling" for name in GAPS),
            },
            id="no number",
        ),
    ],
)
def test_what_is_not_met_is_said(found: Sequence[speed.Row], missed: set[str]) -> None:
    _, grown, remembered, stepped, proxied = figures()

    text = page(found, grown, remembered, stepped, proxied)

    assert {line.split(" | ")[0][2:] for line in text.splitlines() if line.endswith("**not met** |")} == missed


def test_an_engine_that_was_not_there_is_not_on_the_page() -> None:
    _, grown, remembered, stepped, proxied = figures()

    text = page(rows(1.0, 1.0, 1.0, 1e3), grown, remembered, stepped, proxied)

    assert COAL not in text
    assert MUJOCO not in text


def test_a_run_without_the_yardstick_is_an_error() -> None:
    with pytest.raises(ValueError, match="no row of 'forecast' in 'free'; run make bench"):
        list(targets([row(NAIVE, "free", 10.0, 20.0)]))


def test_the_pictures_are_drawn_from_the_figures(tmp_path: Path) -> None:
    found, grown, *_ = figures()

    draw_speed(found, tmp_path / "speed.png")
    draw_growth(grown, tmp_path / "growth.png")

    assert all((tmp_path / name).read_bytes().startswith(PNG) for name in ("speed.png", "growth.png"))


def test_the_command_writes_page_and_pictures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found, *_ = figures()

    assert main(tmp_path / "speed.md", tmp_path) == 0

    assert (tmp_path / "speed.md").read_text(encoding="utf-8") == page(*figures())
    said = [line for line in capsys.readouterr().out.splitlines() if line.startswith("not met")]
    assert len(said) == sum(not aim.met for aim in targets(found))


@pytest.mark.parametrize(
    ("p99_ms", "said"), [(2.0, "at most 2 ms: met."), (2.01, "**not met**."), (np.nan, "**not met**.")]
)
def test_what_the_proxy_costs_is_held_against_what_is_asked(p99_ms: float, said: str) -> None:
    found, grown, remembered, stepped, proxied = figures()

    text = page(found, grown, remembered, stepped, {**proxied, "p99_ms": p99_ms})

    assert said in text.partition("## The proxy")[2].replace("\n", " ")
