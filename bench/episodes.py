"""Recorded episodes: what a robot measured and was told, row by row, from a data set in the LeRobot v2.1 layout."""

from __future__ import annotations

import importlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from interlock.arrays import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Episode:
    """One episode at 1 / period_s: in row k, `measured` (N, C) was the state while `commands` (N, C) was sent."""

    index: int
    period_s: float
    measured: FloatArray
    commands: FloatArray


def read_episodes(folder: Path) -> tuple[Episode, ...]:
    """All episodes below a data set's folder, in order; raises FileNotFoundError where there are none."""
    described = folder / "meta/info.json"
    files = sorted(folder.glob("data/chunk-*/episode_*.parquet"))
    if not files or not described.is_file():
        raise FileNotFoundError(
            f"{folder} holds no data set: expected meta/info.json and data/chunk-*/episode_*.parquet"
        )
    rate_hz = float(json.loads(described.read_text(encoding="utf-8"))["fps"])
    return tuple(_episode(path, 1.0 / rate_hz) for path in files)


def _episode(path: Path, period_s: float) -> Episode:
    parquet: Any = importlib.import_module("pyarrow.parquet")  # untyped, and needed only here
    table = parquet.read_table(path, columns=["episode_index", "observation.state", "action"])
    measured, commands = (
        np.array(table[name].to_pylist(), dtype=np.float64) for name in ("observation.state", "action")
    )
    return Episode(int(table["episode_index"][0].as_py()), period_s, measured, commands)
