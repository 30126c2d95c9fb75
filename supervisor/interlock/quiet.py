"""Keeps back a line that a C library writes on standard error while it is imported; everything else is passed on."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Generator
from contextlib import ExitStack, contextmanager, suppress
from typing import BinaryIO, Final

STDERR: Final = 2  # the file descriptor: C writes past sys.stderr


@contextmanager
def without_line(start: bytes) -> Generator[None]:
    """Within the block, lines that begin with `start` do not reach standard error; the others do when it ends.

    That is so also where the block raises. Where there is no standard error, or no file to keep its lines in, nothing
    is kept back. For the short time of an import: a process started in the block by another thread writes to the file.
    """
    with ExitStack() as undo:
        with suppress(OSError):
            caught = undo.enter_context(tempfile.TemporaryFile())
            saved = os.dup(STDERR)
            undo.callback(os.close, saved)
            os.dup2(caught.fileno(), STDERR)
            undo.callback(_give_back, saved, caught, start)
        yield


def _give_back(saved: int, caught: BinaryIO, start: bytes) -> None:
    os.dup2(saved, STDERR)
    caught.seek(0)
    os.write(STDERR, b"".join(line for line in caught if not line.startswith(start)))
