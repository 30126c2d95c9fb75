"""One writer for one log: a lock on the directory that the kernel drops when its holder dies, however it dies."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from interlock.errors import UnusableInput


def hold(directory: Path) -> int:
    """A descriptor that holds the log's lock until it is closed; raises UnusableInput where another writer has it."""
    descriptor = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise UnusableInput(
            f"{directory}: another writer has this log open; close it, or use another directory"
        ) from error
    return descriptor
