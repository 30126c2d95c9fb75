"""`interlock audit`: lists, shows, verifies and replays a log. Exit codes: 0 ok, 2 unusable, 4 does not verify."""

from __future__ import annotations

import json
import sys
from collections import deque
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Annotated, Final, Literal, NoReturn, cast

import typer

from interlock.errors import UnusableInput
from interlock.jsonform import Json
from interlock_audit_logs import Again, BrokenLog, Record, blob_reader, fingerprint, read_log
from interlock_audit_logs import replay as replay_log
from interlock_audit_logs import verify as verify_log

from .audit_print import print_json, print_replay, print_rows, print_verification
from .plain import plain

UNUSABLE: Final = 2
DOES_NOT_VERIFY: Final = 4
WHAT: Final = 60  # characters of a record's summary in a list

HERE: Final = Path("audit_logs/runs")
Directory = Annotated[Path, typer.Argument(help="The log's directory.")]
Form = Annotated[Literal["text", "json"], typer.Option("--format", help="Tables for people, or one JSON object.")]
Kind = Annotated[str | None, typer.Option("--kind", help="Only records of this kind.")]
Last = Annotated[int, typer.Option("--last", min=1, help="So many records, from the end.")]
Head = Annotated[str | None, typer.Option("--head", help="The digest of any record, noted earlier.")]

app = typer.Typer(name="audit", no_args_is_help=True)


@app.command("list")
def list_records(directory: Directory = HERE, kind: Kind = None, last: Last = 50, form: Form = "text") -> None:
    """List the last records of a log; the chain is checked on the way."""
    with _exit_codes():
        records = deque((record for record in read_log(directory) if kind in {None, record.kind}), maxlen=last)
        if form == "json":
            print_json({"records": [_row(record) for record in records]})
            return
        columns = ("index", "written", "kind", "what", "digest")
        print_rows(columns, ((str(r.index), r.written, r.kind, _what(r), r.digest[:12]) for r in records))


@app.command()
def show(
    index: Annotated[int, typer.Argument(min=0, help="The record's index.")],
    directory: Directory = HERE,
    form: Form = "text",
) -> None:
    """Show one record in full; the chain up to it is checked on the way."""
    with _exit_codes():
        record = next(islice(read_log(directory), index, None), None)
        if record is None:
            raise UnusableInput(f"{directory}: the log holds no record {index}")
        whole: dict[str, Json] = {**_row(record), "previous": record.previous}
        whole |= {"blobs": record.blobs, "body": record.body}
        if form == "json":
            print_json(whole)
        else:
            print_rows(("field", "value"), ((name, _indented(value)) for name, value in whole.items()))


@app.command()
def verify(directory: Directory = HERE, head: Head = None, form: Form = "text") -> None:
    """Check every line, link, session and blob of a log; with a head, also that nothing was cut off or written anew."""
    with _exit_codes():
        found = verify_log(directory, head)
        if form == "json":
            print_json({"ok": found.ok, **cast("dict[str, Json]", asdict(found))})
        else:
            print_verification(found, noted=head is not None)
        if not found.ok:
            raise typer.Exit(DOES_NOT_VERIFY)


@app.command()
def replay(directory: Directory = HERE, form: Form = "text") -> None:
    """Compute every recorded decision again and compare it with the record, byte by byte."""
    with _exit_codes():
        found = replay_log(read_log(directory), blob_reader(directory), _again(), environment=fingerprint())
        if found.replayed == 0:
            raise UnusableInput(f"{directory}: the log holds no decision to replay")
        if form == "json":
            print_json({"ok": found.ok, **cast("dict[str, Json]", asdict(found))})
        else:
            print_replay(found)
        if not found.ok:
            raise typer.Exit(DOES_NOT_VERIFY)


def _again() -> Again:
    from .again import open_again  # noqa: PLC0415 - the physics, which the other commands start without

    return open_again()


@contextmanager
def _exit_codes() -> Generator[None, None, None]:
    """Turns what a log can have wrong with it into one line on standard error and an exit code."""
    try:
        yield
    except BrokenLog as error:
        _fail(str(error), DOES_NOT_VERIFY)
    except (UnusableInput, OSError) as error:
        _fail(str(error), UNUSABLE)


def _fail(message: str, code: int) -> NoReturn:
    sys.stderr.write(f"interlock audit: {plain(message)}\n")
    raise typer.Exit(code)


def _row(record: Record) -> dict[str, Json]:
    return {
        "index": record.index,
        "kind": record.kind,
        "written": record.written,
        "monotonic_ns": str(record.monotonic_ns),
        "digest": record.digest,
    }


def _what(record: Record) -> str:
    """What a record says, on one short line: a decision's reaction, a reason, or the names in its body."""
    decision = record.body.get("decision")
    said = decision.get("reaction") if isinstance(decision, Mapping) else record.body.get("reason")
    text = plain(said if isinstance(said, str) else ", ".join(record.body))
    return text if len(text) <= WHAT else text[: WHAT - 3] + "..."


def _indented(value: Json) -> str:
    """A field for a table cell; JSON keeps its line breaks, and none comes from a text in it."""
    return plain(value) if isinstance(value, str) else json.dumps(value, indent=2)
