"""The few things that the writer asks of a file system, behind a port, so that tests can make any of them fail."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Protocol


class Files(Protocol):
    """What writes a log; every call may raise OSError."""

    def create(self, path: Path) -> int:
        """A descriptor that appends to an empty file at path."""
        ...

    def write(self, descriptor: int, content: bytes) -> int:
        """How many bytes of content were taken, from its beginning."""
        ...

    def fsync(self, descriptor: int) -> None:
        """Returns when the file's bytes survive a loss of power."""
        ...

    def close(self, descriptor: int) -> None:
        """Gives the descriptor back."""
        ...

    def rename(self, source: Path, target: Path) -> None:
        """Gives a file another name in one step."""
        ...

    def fsync_directory(self, path: Path) -> None:
        """Returns when the names in the directory survive a loss of power."""
        ...


class OsFiles:
    """The file system of this machine."""

    __slots__ = ()

    def create(self, path: Path) -> int:
        """A descriptor that appends to an empty file at path, closed in the children of this process."""
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC, 0o644)

    def write(self, descriptor: int, content: bytes) -> int:
        """How many bytes of content were taken, from its beginning."""
        return os.write(descriptor, content)

    def fsync(self, descriptor: int) -> None:
        """Returns when the file's bytes survive a loss of power, as far as the disk tells the truth."""
        os.fsync(descriptor)

    def close(self, descriptor: int) -> None:
        """Gives the descriptor back."""
        os.close(descriptor)

    def rename(self, source: Path, target: Path) -> None:
        """Gives a file another name in one step."""
        source.rename(target)

    def fsync_directory(self, path: Path) -> None:
        """Returns when the names in the directory survive a loss of power."""
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def write_all(files: Files, descriptor: int, content: bytes) -> None:
    """Writes every byte, however short each single write is; raises OSError."""
    rest = content
    while rest:
        taken = files.write(descriptor, rest)
        if taken <= 0:
            raise OSError(errno.EIO, "a write took nothing")
        rest = rest[taken:]


def publish(files: Files, path: Path, content: bytes) -> int:
    """A descriptor of a durable file that nobody ever saw without its first content; raises OSError."""
    part = path.with_name(path.name + ".part")
    descriptor = files.create(part)
    try:
        write_all(files, descriptor, content)
        files.fsync(descriptor)
        files.rename(part, path)
        files.fsync_directory(path.parent)
    except OSError:
        files.close(descriptor)
        raise
    return descriptor
