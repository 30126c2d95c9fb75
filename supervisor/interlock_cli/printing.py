"""How the command line prints: tables and lines for people, JSON for programs; foreign text stays harmless (F-48)."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from typing import Final

from rich import box
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from interlock.jsonform import Json

from .plain import plain

WIDE: Final = 10_000  # columns where no terminal sets them: nothing is folded in a file or a pipe


def console(*, stderr: bool = False) -> Console:
    """Standard output, or error; without a terminal and without COLUMNS as wide as anything that is printed."""
    stream = sys.stderr if stderr else sys.stdout
    wide = not stream.isatty() and "COLUMNS" not in os.environ
    return Console(stderr=stderr, width=WIDE if wide else None)


def print_line(text: str, style: str = "") -> None:
    """Prints one line, which a terminal may wrap."""
    console().print(Text(plain(text), style=style), soft_wrap=True)


def print_rows(
    columns: tuple[str, ...],
    rows: Iterable[tuple[str, ...]],
    title: str | None = None,
    *,
    give: tuple[str, ...] | None = None,
) -> None:
    """Prints a table; what is not plain text is written as an escape. Where it is tight the columns `give` (None: the
    last one) fold; nothing is cut.
    """
    if title is not None:
        print_line(title, "bold")
    shown = table(columns, columns[-1:] if give is None else give)
    for row in rows:
        shown.add_row(*(Text(plain(cell)) for cell in row))
    print_table(shown)


def table(columns: tuple[str, ...], give: tuple[str, ...]) -> Table:
    """An empty table, of whose columns those in `give` fold where it is tight."""
    found = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for name in columns:
        found.add_column(name, overflow="fold", no_wrap=name not in give)
    return found


def print_table(shown: RenderableType) -> None:
    """Prints what rich renders."""
    console().print(shown)


def print_json(value: Json) -> None:
    """Prints JSON in printable ASCII: what any terminal and any pipe can take from anybody."""
    sys.stdout.write(json.dumps(value, ensure_ascii=True, indent=2, allow_nan=False).replace("\x7f", "\\u007f") + "\n")


def counted(number: object, what: str) -> str:
    """A number and what it counts: `1 contact`, `2 contacts`, `0 vetoes`."""
    plural = f"{what}es" if what.endswith("o") else f"{what}s"
    return f"{number} {what if number == 1 else plural}"
