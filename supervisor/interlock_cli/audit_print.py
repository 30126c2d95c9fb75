"""How `interlock audit` looks: tables for people, JSON for programs; text from a policy stays harmless (F-48)."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from interlock.jsonform import Json
from interlock_audit_logs import Replayed, ReplayResult, Verification

from .plain import plain

MOST_SHOWN: Final = 20  # records of a replay, and differences of each; the JSON form has all


def print_verification(found: Verification, *, noted: bool) -> None:
    """Prints what is wrong, what is worth knowing, and the answer; `noted`: a head was given."""
    if found.problems:
        cells = ((problem.where, _index(problem.index), problem.text) for problem in found.problems)
        print_rows(("where", "record", "problem"), cells)
    for note in found.notes:
        _print(Text(f"note: {plain(note)}"))
    if not found.ok:
        _print(Text(f"does not verify: {len(found.problems)} problems in {found.records} records"))
        return
    _print(Text(f"verified: {found.records} records, head {found.head}"))
    if not noted:
        _print(Text("Without --head this does not show whether the end was cut off, or all of it written anew."))


def print_replay(found: ReplayResult) -> None:
    """Prints where decisions came out differently, and the count."""
    for other in found.others[:MOST_SHOWN]:
        _print(_differences(other))
    if len(found.others) > MOST_SHOWN:
        _print(Text(f"and {len(found.others) - MOST_SHOWN} more; --format json lists all"))
    different = found.replayed - found.identical - found.same_decision
    counts = f"{found.identical} identical, {found.same_decision} same decision elsewhere, {different} different"
    _print(Text(f"{found.replayed} replayed: {counts}"))


def _index(index: int | None) -> str:
    return "" if index is None else str(index)


def _differences(other: Replayed) -> Table:
    rows = [("", "", other.problem, "")] if other.problem else []
    for difference in (*other.environment, *other.differences)[:MOST_SHOWN]:
        apart = "" if difference.apart is None else f"{difference.apart:.3g}"
        rows.append((difference.path, difference.recorded, difference.recomputed, apart))
    title = f"record {other.index}: {other.outcome}"
    return _table(("place", "recorded", "recomputed", "apart"), rows, title)


def print_rows(columns: tuple[str, ...], rows: Iterable[tuple[str, ...]], title: str | None = None) -> None:
    """Prints a table; a cell may have several lines, all else that is not plain text is written as an escape."""
    _print(_table(columns, rows, title))


def print_json(value: Json) -> None:
    """Prints JSON in printable ASCII: what any terminal and any pipe can take from anybody."""
    sys.stdout.write(json.dumps(value, ensure_ascii=True, indent=2, allow_nan=False).replace("\x7f", "\\u007f") + "\n")


def _table(columns: tuple[str, ...], rows: Iterable[tuple[str, ...]], title: str | None = None) -> Table:
    table = Table(title=None if title is None else Text(title))
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(_lines(cell)) for cell in row))
    return table


def _lines(cell: str) -> str:
    return "\n".join(plain(line) for line in cell.split("\n"))


def _print(shown: Table | Text) -> None:
    Console(soft_wrap=isinstance(shown, Text)).print(shown)
