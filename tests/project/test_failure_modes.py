"""Each failure mode that is dealt with bears its number in the name of a test, or in the id of one of its cases, and
docs/failure-modes.md says which tests those are.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.project.test_layout import ROOT

NUMBERS = range(1, 49)
DEALT_WITH = [f"{number:02}" for number in NUMBERS]
IN_NAME = re.compile(r"def test_((?:F\d\d_)+)")
IN_CASE = re.compile(r'"F(\d\d) [^"]+":')


HERE = "project"  # of the tests, this folder plants numbers to be found
ROW = re.compile(r"\| F-(\d\d) \| (?P<name>[^|]+) \| (?P<text>[^|]+) \| (?P<tests>[^|]+) \|")
LINK = re.compile(r"\[(?P<name>[^\]]+)\]\(\.\./(?P<path>tests/[^)]+)\)")


def bearers(tests: Path) -> dict[str, set[Path]]:
    """The test files below a folder that bear each number, in the name of a test or of a case."""
    found: dict[str, set[Path]] = {}
    for path in tests.rglob("test_*.py"):
        if path.relative_to(tests).parts[0] == HERE:
            continue
        text = path.read_text(encoding="utf-8")
        borne = {number for name in IN_NAME.findall(text) for number in re.findall(r"\d\d", name)}
        for number in borne.union(IN_CASE.findall(text)):
            found.setdefault(number, set()).add(path)
    return found


def numbers(tests: Path) -> set[str]:
    """The numbers that names and cases of the tests below a folder bear."""
    return set(bearers(tests))


def untrue(table: str, root: Path) -> list[str]:
    """What a table of failure modes says that is not so of the tests below root."""
    rows = list(ROW.finditer(table))
    found = [row[1] for row in rows]
    borne = bearers(root / "tests")
    wrong = [] if found == [f"{number:02}" for number in range(1, 49)] else [f"not F-01 to F-48 in order: {found}"]
    for row in rows:
        links = [(link["name"], root / link["path"]) for link in LINK.finditer(row["tests"])]
        if (row["tests"] == "not yet") != (row[1] not in borne) or bool(links) != (row[1] in borne):
            wrong.append(f"F-{row[1]} has {'a test' if row[1] in borne else 'no test'}, not {row['tests']}")
        wrong += [f"{path.name} does not bear F-{row[1]}" for _, path in links if path not in borne.get(row[1], set())]
        wrong += [f"a link is called {name} and leads to {path.name}" for name, path in links if name != path.name]
    return wrong


@pytest.mark.parametrize("number", DEALT_WITH)
def test_a_failure_mode_has_a_test_that_bears_its_number(number: str) -> None:
    assert number in numbers(ROOT / "tests")


def test_a_number_in_a_comment_is_not_enough(tmp_path: Path) -> None:
    (tmp_path / "test_x.py").write_text('"""F-01."""\n# F02\ndef test_F03_F04_x(): ...\nx = {"F05 y": 1}\n')

    assert numbers(tmp_path) == {"03", "04", "05"}


TABLE = ROOT / "docs" / "failure-modes.md"


def test_the_table_names_every_failure_mode_and_tests_that_bear_it() -> None:
    assert untrue(TABLE.read_text(encoding="utf-8"), ROOT) == []


def test_a_row_that_no_test_bears_is_found(tmp_path: Path) -> None:
    wrong = untrue(TABLE.read_text(encoding="utf-8"), tmp_path)

    assert any(line.startswith("F-43 has no test, not [test_permit.py]") for line in wrong)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("| F-02 |", "| F-2 |", "not F-01 to F-48 in order"),
        ("| [test_shipped.py](../tests/robots/test_shipped.py) |", "| not yet |", "F-37 has a test"),
        (
            "(../tests/supervisor/test_permit.py)",
            "(../tests/supervisor/test_plain.py)",
            "test_plain.py does not bear F-43",
        ),
        ("[test_permit.py]", "[test_permits.py]", "called test_permits.py and leads to test_permit.py"),
    ],
)
def test_an_untrue_row_is_found(old: str, new: str, complaint: str) -> None:
    table = TABLE.read_text(encoding="utf-8")

    assert old in table
    assert complaint in " ".join(untrue(table.replace(old, new), ROOT))
