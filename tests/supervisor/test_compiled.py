"""What is compiled is kept where there is a place for it, works without one, and can be forgotten."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from interlock.compiled import compiled, forget

SOURCE = """
from interlock.compiled import compiled

@compiled
def doubled(value):
    return value * 2.0
"""


def loaded(path: Path) -> Callable[[float], float]:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: Callable[[float], float] = module.doubled
    return found


def kept(folder: Path) -> list[Path]:
    return sorted([*folder.rglob("*.nbi"), *folder.rglob("*.nbc")])


@pytest.mark.slow
def test_what_is_compiled_is_kept_forgotten_and_compiled_anew(tmp_path: Path) -> None:
    path = tmp_path / "arithmetic.py"
    path.write_text(SOURCE, encoding="utf-8")
    assert loaded(path)(2.0) == 4.0
    assert len(kept(tmp_path)) == 2

    for file in kept(tmp_path):
        file.write_bytes(file.read_bytes()[:10])
    with pytest.raises(Exception, match=r"pickle data was truncated|Ran out of input|unpickling"):
        loaded(path)(2.0)
    assert forget(loaded(path)) == 2

    assert kept(tmp_path) == []
    assert loaded(path)(2.0) == 4.0


@pytest.mark.slow
def test_where_nothing_can_be_kept_it_is_compiled_all_the_same() -> None:
    made: dict[str, Any] = {}
    exec(compile("def doubled(value):\n    return value * 2.0\n", "<nowhere>", "exec"), made)  # noqa: S102 - no file

    doubled = compiled(made["doubled"])

    assert doubled(2.0) == 4.0
    assert forget(doubled) == 0
