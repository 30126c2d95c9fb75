"""Copies of the repository in which tests run on a changed source; the repository itself is never touched."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Final

SOURCE_ROOTS: Final = ("supervisor", "policies", "rules", "sim", "audit_logs")
NOT_COPIED: Final = (".git", ".venv", ".*_cache", ".hypothesis", "__pycache__", "runs")
PYTEST: Final = ("-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-m", "not slow")
TIMEOUT_S: Final = 600.0
NO_TESTS: Final = 5  # pytest's exit code


@dataclass(frozen=True, slots=True)
class Target:
    """A file to be mutated, by its path in the repository, and the tests that should notice, from near to all."""

    path: str
    tests: tuple[str, ...]


class Copies:
    """As many copies of a repository as there are workers, below a folder of the caller's; `options` are pytest's."""

    def __init__(self, root: Path, folder: Path, count: int, options: tuple[str, ...] = ()) -> None:
        self._free: SimpleQueue[Path] = SimpleQueue()
        self._options = options
        for index in range(count):
            copy = folder / f"copy{index}"
            shutil.copytree(root, copy, ignore=shutil.ignore_patterns(*NOT_COPIED))
            self._free.put(copy)

    def fail(self, target: Target, source: bytes) -> bool:
        """Whether a test of the target fails while its file holds this source; waits for a copy that is free."""
        copy = self._free.get()
        path = copy / target.path
        original = path.read_bytes()
        try:
            path.write_bytes(source)
            return any(self._fail(copy, tests) for tests in target.tests)
        finally:
            path.write_bytes(original)
            self._free.put(copy)

    def _fail(self, copy: Path, tests: str) -> bool:
        """Whether these tests fail in the copy; too long is a failure too. Raises RuntimeError where there are none."""
        roots = os.pathsep.join(str(copy / root) for root in SOURCE_ROOTS)
        environment = os.environ | {"PYTHONPATH": roots, "PYTHONDONTWRITEBYTECODE": "1", "OPENBLAS_NUM_THREADS": "1"}
        try:
            run = subprocess.run(  # noqa: S603 - our own tests
                [sys.executable, *PYTEST, *self._options, tests],
                cwd=copy, env=environment, capture_output=True, text=True, timeout=TIMEOUT_S, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return True
        if run.returncode == NO_TESTS:
            raise RuntimeError(f"there are no tests in {tests}:\n{run.stdout}{run.stderr}")
        return run.returncode != 0
