"""A long run of the referee on disk: a line of JSON for each task that is done, and a run goes on where it stopped.

The first line says of which code and which seed the run is; a file of another is refused. Every line ends in a line
break and is on disk before the next task counts as done: kill -9 loses the running tasks, and a last line that was torn
is dropped.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, cast

import interlock
import interlock_rules

FORMAT: Final = "interlock/referee/1"
BENCH: Final = ("arms.py", "engines.py", "referee.py", "solids.py", "sweeps.py", "triples.py")
MAX_BYTES: Final = 1 << 28


class OtherRun(Exception):
    """A file that holds something else than the run that is to go on."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What came out of the cases from `first` up to, not including, `end`; `wrong` tells misses and false refusals."""

    first: int
    end: int
    touching: int
    missed: int
    clear: int
    false_refusals: int
    robots: dict[str, int]
    kinds: dict[str, int]
    wrong: tuple[str, ...]


def code_digest() -> str:
    """SHA-256 [hex] over all that judges, and all that draws and sweeps what is judged: each file's name and bytes."""
    core, rules, bench = (Path(str(one)).parent for one in (interlock.__file__, interlock_rules.__file__, __file__))
    found = [(f"core/{path.relative_to(core).as_posix()}", path) for path in core.rglob("*.py")]
    for kind in ("*.py", "*.yaml"):
        found += [(f"rules/{path.relative_to(rules).as_posix()}", path) for path in rules.rglob(kind)]
    found += [(f"bench/{name}", bench / name) for name in BENCH]
    digest = hashlib.sha256()
    for name, path in sorted(found):
        digest.update(f"{name}\n{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


class Kept:
    """The file of a run. Raises OtherRun where it holds anything else, or is damaged before its last line."""

    def __init__(self, path: Path, seed: int) -> None:
        self._path = path
        self._head = {"format": FORMAT, "version": _version(), "code": code_digest(), "seed": seed}
        self.done: list[Counts] = []
        lines = self._lines()
        if lines:
            self._check(lines[0])
        self.done = [self._counts(number, line) for number, line in enumerate(lines[1:], start=2)]
        ranges = sorted((one.first, one.end) for one in self.done)
        if any(later[0] < earlier[1] for earlier, later in pairwise(ranges)):
            raise OtherRun(f"{path}: some cases are in it twice; start another file")
        if not lines:
            self._append(self._head)

    @property
    def code(self) -> str:
        """The digest of the code that the run is of."""
        return str(self._head["code"])

    def _lines(self) -> list[str]:
        """All whole lines; what follows the last line break was torn, and is cut off."""
        if not self._path.exists():
            return []
        if self._path.stat().st_size > MAX_BYTES:
            raise OtherRun(f"{self._path}: has more than {MAX_BYTES} bytes; no run has")
        content = self._path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            with self._path.open("r+b") as file:
                file.truncate(whole)
                os.fsync(file.fileno())
        return content[:whole].decode(errors="replace").splitlines()

    def _check(self, line: str) -> None:
        head = _read(line)
        if head is None or head.get("format") != FORMAT:
            raise OtherRun(f"{self._path}: is no run of the referee; name another file")
        for name, ours in self._head.items():
            if head.get(name) != ours:
                raise OtherRun(f"{self._path}: is a run with {name} {head.get(name)!r}, and this is {name} {ours!r}; "
                               "name another file")  # fmt: skip

    def _counts(self, number: int, line: str) -> Counts:
        found = _read(line)
        try:
            counts = Counts(**(found or {}))
            return replace(counts, wrong=tuple(counts.wrong))
        except TypeError as error:
            raise OtherRun(f"{self._path}:{number}: is damaged; start another file") from error

    def _append(self, line: dict[str, Any]) -> None:
        with self._path.open("ab") as file:
            file.write((json.dumps(line) + "\n").encode())
            file.flush()
            os.fsync(file.fileno())

    def add(self, counts: Counts) -> None:
        """On disk when this returns."""
        self._append(asdict(counts))
        self.done.append(counts)

    def missing(self, tasks: Iterable[range]) -> list[range]:
        """The tasks that are not done; raises OtherRun where the file was cut into others."""
        done = {(one.first, one.end) for one in self.done}
        found = [task for task in tasks if (task.start, task.stop) not in done]
        if any(one.first < task.stop and task.start < one.end for task in found for one in self.done):
            raise OtherRun(
                f"{self._path}: was begun with tasks of other lengths; ask for as many cases, or more blocks"
            )
        return found


def _version() -> str:
    try:
        return version("interlock-vla")
    except PackageNotFoundError:  # run from a checkout; the digest says what it is
        return "not installed"


def _read(line: str) -> dict[str, Any] | None:
    try:
        found: Any = json.loads(line)
    except ValueError:
        return None
    return cast(dict[str, Any], found) if isinstance(found, dict) else None
