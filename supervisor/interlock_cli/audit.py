"""`interlock audit`: lists, shows, verifies and replays a log. Exit codes: 0 ok, 2 unusable, 4 does not verify."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Annotated, Final, Literal, NoReturn, cast

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from interlock.errors import UnusableInput
from interlock.jsonform import Json
from interlock_audit_logs import Again, BrokenLog, Record, blob_reader, fingerprint, json_reader, read_log
from interlock_audit_logs import replay as replay_log
from interlock_audit_logs import verify as verify_log

from .audit_print import print_record, print_replay, print_verification, rules_of, what
from .plain import plain
from .printing import console, print_json, print_line, print_rows

UNUSABLE: Final = 2
DOES_NOT_VERIFY: Final = 4

HERE: Final = Path("audit_logs/runs/latest")
Directory = Annotated[Path, typer.Argument(help="The log's directory.")]
Form = Annotated[Literal["text", "json"], typer.Option("--format", help="Tables for people, or one JSON object.")]
Kind = Annotated[str | None, typer.Option("--kind", help="Only records of this kind.")]
Last = Annotated[int, typer.Option("--last", min=1, help="So many records, from the end.")]
Head = Annotated[str | None, typer.Option("--head", help="The digest of any record, noted earlier.")]

app = typer.Typer(name="audit", no_args_is_help=True)


@app.command("list")
def list_records(
    directory: Directory = HERE,
    *,
    kind: Kind = None,
    last: Last = 50,
    every: Annotated[bool, typer.Option("--all", help="All records.")] = False,
    form: Form = "text",
) -> None:
    """List the last records of a log; the chain is checked on the way."""
    with _exit_codes():
        found: deque[Record] = deque(maxlen=None if every else last)
        kinds: dict[str, None] = {}
        total = 0
        for record in read_log(directory):
            kinds.setdefault(record.kind)
            if kind in {None, record.kind}:
                total += 1
                found.append(record)
        if kind is not None and not found:
            raise UnusableInput(f"{directory}: no record is of kind {kind!r}; there are: {', '.join(kinds)}")
        if form == "json":
            print_json({"records": [_row(record) for record in found], "total": total})
            return
        read_blob = json_reader(blob_reader(directory))
        rows = ((str(r.index), _shortened(r.written), r.kind, r.digest[:12], what(r, read_blob)) for r in found)
        print_rows(("index", "written", "kind", "digest", "what"), rows)
        if len(found) < total:
            print_line(f"the last {len(found)} of {total} records; --last N shows more, --all shows all")


@app.command()
def show(
    where: Annotated[
        list[str], typer.Argument(metavar="[DIRECTORY] INDEX", help=f"The log (default: {HERE}), the record's index.")
    ],
    *,
    every: Annotated[bool, typer.Option("--all", help="Show also what holds, one by one.")] = False,
    rules: Annotated[
        str | None,
        typer.Option("--rules", help="The rule set's file, to name the lines of its rules; shipped ones by name."),
    ] = None,
    form: Form = "text",
) -> None:
    """Show one record: its decision, the rules behind it, and what it rests on. JSON is whole. The chain up to it is
    checked on the way.
    """
    directory, index = _place(where)
    with _exit_codes():
        record = next(islice(read_log(directory), index, None), None)
        if record is None:
            raise UnusableInput(f"{directory}: the log holds no record {index}")
        if form == "json":
            whole: dict[str, Json] = {**_row(record), "previous": record.previous}
            print_json(whole | {"blobs": record.blobs, "body": record.body})
        else:
            read_blob = json_reader(blob_reader(directory))
            print_record(record, read_blob, places_of(record, read_blob, rules), every=every)


def places_of(record: Record, read_blob: Callable[[str], Json], wanted: str | None) -> Mapping[str, str]:
    """Where the rules of a record stand: in the file that was named, or in the shipped set of that name, if it is still
    the one that the record was judged by. Raises UnusableInput for a named file that is another.
    """
    meaning = rules_of(record, read_blob)
    name = meaning.get("name")
    if not isinstance(name, str):
        return {}
    if wanted is None:
        return _shipped_places(name, meaning)
    from interlock_rules import load  # noqa: PLC0415 - the other commands start without

    found = load(wanted)
    if found.meaning != meaning:
        raise UnusableInput(
            f"{wanted}: record {record.index} was judged by another rule set: {name!r}, {meaning.get('serial')}"
        )
    return found.places


def _shipped_places(name: str, meaning: Mapping[str, Json]) -> Mapping[str, str]:
    from interlock_rules import load  # noqa: PLC0415
    from interlock_rules.files import shipped  # noqa: PLC0415

    if name not in shipped("sets"):
        return {}  # a log holds any text as a name: none of its paths is opened
    try:
        found = load(name)
    except UnusableInput:
        return {}  # its robot needs what is not installed here
    return found.places if found.meaning == meaning else {}


def _place(where: list[str]) -> tuple[Path, int]:
    """The directory and the index from `[DIRECTORY] INDEX`."""
    *before, last = where
    if len(before) > 1 or not (last.isascii() and last.isdecimal()):
        said = " ".join(plain(word) for word in where)
        raise typer.BadParameter(f"expected [DIRECTORY] INDEX, with the record's number last; got {said}")
    return Path(before[0]) if before else HERE, int(last)


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
        records = _counting(directory) if _in_terminal() else read_log(directory)
        found = replay_log(records, blob_reader(directory), _again(), environment=fingerprint())
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


def _shortened(written: str) -> str:
    """A time of RFC 3339 with milliseconds, which is enough to find it; the record has all of it."""
    date, _, time = written.removesuffix("Z").partition("T")
    return f"{date} {time[:12]}Z"


def _in_terminal() -> bool:
    return sys.stderr.isatty()


def _counting(directory: Path) -> Iterator[Record]:
    """The records of a log, and on standard error how many of them are done."""
    total = sum(1 for _ in read_log(directory))
    columns = (TextColumn("replay"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console(stderr=True), transient=True) as progress:
        yield from progress.track(read_log(directory), total=total)
