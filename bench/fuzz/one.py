"""One dialect under atheris, which never returns: `python -m bench.fuzz.one DIALECT COUNTS [libFuzzer's arguments]`.

COUNTS is a file of two numbers that are kept up to date for whoever waits: inputs, and the longest time of one [ns].
"""

from __future__ import annotations

import mmap
import struct
import sys
import time
from pathlib import Path
from typing import Final

import atheris

with atheris.instrument_imports(include=["interlock_policies"]):
    from bench.fuzz.dialects import tried

COUNTS: Final = struct.Struct("<QQ")


def main() -> None:
    """Fuzzes until libFuzzer ends the process."""
    dialect, counts, *arguments = sys.argv[1:]
    with Path(counts).open("r+b") as file:
        kept = mmap.mmap(file.fileno(), COUNTS.size)
    inputs = slowest_ns = 0

    def one(message: bytes) -> None:
        nonlocal inputs, slowest_ns
        inputs += 1
        begun_ns = time.thread_time_ns()  # of this thread alone: a machine that is busy is no slow reader
        try:
            tried(dialect, message)
        finally:
            slowest_ns = max(slowest_ns, time.thread_time_ns() - begun_ns)
            COUNTS.pack_into(kept, 0, inputs, slowest_ns)

    atheris.Setup([sys.argv[0], *arguments], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
