"""Each failure mode that is dealt with bears its number in the name of a test, or in the id of one of its cases."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.project.test_layout import ROOT

NUMBERS = (*range(1, 9), 10, 11, 13, 14, *range(16, 19), *range(20, 28), *range(30, 33), 35, *range(38, 45), 47)
DEALT_WITH = [f"{number:02}" for number in NUMBERS]
IN_NAME = re.compile(r"def test_((?:F\d\d_)+)")
IN_CASE = re.compile(r'"F(\d\d) [^"]+":')


def numbers(root: Path) -> set[str]:
    """The numbers that names and cases of the tests below root bear."""
    found: set[str] = set()
    for path in root.rglob("test_*.py"):
        text = path.read_text(encoding="utf-8")
        found.update(number for name in IN_NAME.findall(text) for number in re.findall(r"\d\d", name))
        found.update(IN_CASE.findall(text))
    return found


@pytest.mark.parametrize("number", DEALT_WITH)
def test_a_failure_mode_has_a_test_that_bears_its_number(number: str) -> None:
    assert number in numbers(ROOT / "tests")


def test_a_number_in_a_comment_is_not_enough(tmp_path: Path) -> None:
    (tmp_path / "test_x.py").write_text('"""F-01."""\n# F02\ndef test_F03_F04_x(): ...\nx = {"F05 y": 1}\n')

    assert numbers(tmp_path) == {"03", "04", "05"}
