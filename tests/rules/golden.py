"""Where the golden files are: small files that load, and files with one fault that say what will be said of them."""

from __future__ import annotations

from pathlib import Path

GOLDEN = Path(__file__).parents[1] / "golden"
VALID = sorted((GOLDEN / "valid").glob("*.yaml"))
INVALID = sorted((GOLDEN / "invalid").glob("*.yaml"))
SMALL = GOLDEN / "valid" / "set-small.yaml"
EXPECTED = "# expected: "


def expected(path: Path) -> list[str]:
    """What the first lines of an invalid file announce: line, column and message of each problem."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line.removeprefix(EXPECTED) for line in lines if line.startswith(EXPECTED)]
