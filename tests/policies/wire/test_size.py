"""The largest messages that are allowed, and small ones that claim to be, take no more memory than is promised."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from interlock_policies.wire import groot, json_numpy, openpi
from interlock_policies.wire.caps import CAPS, BadMessage

MOST_MIB = 512
FRAME = CAPS.frame_bytes
LARGEST = np.zeros(CAPS.array_bytes, np.uint8)
READERS = {"openpi": openpi.read, "groot": groot.read, "json": json_numpy.read}
BOMBS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "two of the largest arrays": ("openpi", lambda: openpi.write({"a": LARGEST[:-200], "b": LARGEST[:-200]})),
    "the same for GR00T": ("groot", lambda: groot.write({"a": LARGEST[:-400], "b": LARGEST[:-400]})),
    "an array in base64": ("json", lambda: json_numpy.write(json_numpy.Said(LARGEST))),
    "and inside a text": ("json", lambda: json_numpy.write(json_numpy.Said({"a": LARGEST}, "field"))),
    "a frame of empty maps": ("openpi", lambda: b"\xdd\x03\xff\xff\xf0" + b"\x80" * (FRAME - 5)),
    "maps in lists": ("openpi", lambda: (b"\xdc\x27\x10" + b"\x80" * 10_000) * (FRAME // 10_003)),
    "long lists in long lists": ("openpi", lambda: b"\xdc\x27\x10" * 2000 + b"\xc0" * 20_000),
    "long maps in long maps": ("openpi", lambda: b"\xde\x27\x10\xa1a" * 2000 + b"\xc0" * 20_000),
    "one long text": ("openpi", lambda: b"\x81\xa1a\xdb\x03\xff\xff\xf0" + b"x" * (FRAME - 16)),
    "a frame of JSON lists": ("json", lambda: b"[" + b"[]," * (FRAME // 3 - 1) + b"]"),
    "a frame of brackets": ("json", lambda: b"[" * FRAME),
    "a frame of quotes": ("json", lambda: b'"' * FRAME),
    "a frame of escaped quotes": ("json", lambda: b'"' + b'\\"' * (FRAME // 2 - 1)),
    "one wide letter in a long text": ("json", lambda: b'"' + "\U0001f600".encode() + b"x" * (FRAME - 6) + b'"'),
    "one escaped wide letter": ("json", lambda: b'"\\ud83d\\ude00' + b"x" * (FRAME - 14) + b'"'),
    "a number of a frame": ("json", lambda: b"1" * FRAME),
}


@pytest.mark.slow
@pytest.mark.parametrize("bomb", BOMBS)
def test_F46_no_message_takes_more_than_half_a_gibibyte(bomb: str) -> None:
    child = [sys.executable, "-c", f"from tests.policies.wire.test_size import main; main({bomb!r})"]
    told = json.loads(subprocess.run(child, check=True, capture_output=True, text=True, timeout=120).stdout)

    assert told["bytes"] <= FRAME
    assert told["peak_mib"] <= MOST_MIB
    assert told["cpu_s"] < 10.0


def main(bomb: str) -> None:
    """One message in a process of its own; the peak is of the reading and of all before it."""
    import time  # noqa: PLC0415

    dialect, make = BOMBS[bomb]
    message = make()
    begun = time.process_time()
    try:
        READERS[dialect](message)
        said = "read"
    except BadMessage as refusal:
        said = str(refusal)
    used = {"cpu_s": time.process_time() - begun, "bytes": len(message), "said": said}
    status = Path("/proc/self/status").read_text(encoding="utf-8")  # getrusage counts what its parent had, too
    peak_kib = int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")))
    print(json.dumps({"peak_mib": peak_kib / 1024, **used}))  # noqa: T201
