"""A file layer that fails on command, and what a loss of power makes of the files that were written through it."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path
from typing import Literal

from interlock_audit_logs import OsFiles

NEVER = 10**9
Fault = Literal["die", "eio", "enospc", "short"]


class Died(BaseException):
    """The process ended here; not an Exception, so that nobody handles it."""


class FaultyFiles:
    """The real file system, whose operation number `at` (from 0) fails; with `lasting`, so does every one after it.

    Knows what was synced: `power_cut` takes back what a disk may lose.
    """

    def __init__(self, fault: Fault | None = None, at: int = NEVER, *, lasting: bool = False) -> None:
        self.operations = 0
        self.at = at
        self.failed_syncs: list[int] = []  # descriptors
        self.go_on = threading.Event()  # cleared: every sync hangs
        self.go_on.set()
        self._disk = OsFiles()
        self._fault = fault
        self._lasting = lasting
        self._paths: dict[int, Path] = {}
        self._synced: dict[Path, int] = {}
        self._named: dict[Path, Path] = {}  # renamed, but the directory is not synced yet: new name to old name

    def create(self, path: Path) -> int:
        self._step()
        descriptor = self._disk.create(path)
        self._paths[descriptor] = path
        self._synced[path] = 0
        return descriptor

    def write(self, descriptor: int, content: bytes) -> int:
        half = content[: max(1, len(content) // 2)]
        if self._due() and self._fault != "eio":
            self._disk.write(descriptor, half)  # what was taken before the disk was full, or the process dead
            self._step()
            return len(half)
        self._step()
        return self._disk.write(descriptor, content)

    def fsync(self, descriptor: int) -> None:
        assert self.go_on.wait(30.0)
        try:
            self._step()
        except OSError:
            self.failed_syncs.append(descriptor)
            raise
        self._disk.fsync(descriptor)
        self._synced[self._paths[descriptor]] = os.fstat(descriptor).st_size

    def close(self, descriptor: int) -> None:
        self._disk.close(descriptor)
        self._paths.pop(descriptor, None)

    def rename(self, source: Path, target: Path) -> None:
        self._step()
        self._disk.rename(source, target)
        self._synced[target] = self._synced.pop(source)
        self._named[target] = source
        self._paths = {key: target if path == source else path for key, path in self._paths.items()}

    def fsync_directory(self, path: Path) -> None:
        self._step()
        self._disk.fsync_directory(path)
        self._named = {new: old for new, old in self._named.items() if new.parent != path}

    def power_cut(self) -> None:
        """Takes back every byte and every name that was not synced."""
        for path, size in self._synced.items():
            os.truncate(path, size)
        for new, old in self._named.items():
            new.rename(old)

    def _due(self) -> bool:
        """Whether the next operation fails."""
        lasting = self._lasting or self._fault == "die"
        return self._fault is not None and (self.operations == self.at or (lasting and self.operations > self.at))

    def _step(self) -> None:
        """Counts an operation; raises what it fails with. A short write is no failure."""
        due = self._due()
        self.operations += 1
        if due and self._fault == "die":
            raise Died
        if due and self._fault in {"eio", "enospc"}:
            code = errno.EIO if self._fault == "eio" else errno.ENOSPC
            raise OSError(code, os.strerror(code))
