"""Any bytes at all for each reader of what a peer sends: `make fuzz` for 60 s, `make fuzz N=10000000` for so many.

atheris makes the inputs, from the seeds beside this file on, one dialect after the other, each in a process that is
ended where it takes more than MOST_MIB of memory or hangs. The last line is JSON: {"inputs", "seconds", "crashes",
"slowest_ms", "peak_mib"}; exit 1 where a reader crashed, an input took longer than SLOWEST_MS of processor time, or a
process more than MOST_MIB. What made a reader crash is written to the folder that --keep names.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, TypedDict

from bench.fuzz.dialects import DIALECTS

SEEDS: Final = Path(__file__).with_name("seeds")
COUNTS_BYTES: Final = 16
LONGEST_BYTES: Final = 4096
HANG_S: Final = 20
MOST_MIB: Final = 512
SLOWEST_MS: Final = 1000.0


class Figures(TypedDict):
    """What one run came to: inputs, how long they took [s], crashes, the slowest input [ms], the peak memory [MiB]."""

    inputs: int
    seconds: float
    crashes: int
    slowest_ms: float
    peak_mib: float


def command(
    dialect: str, counts: Path, corpus: Path, keep: Path, seconds: float, count: int | None, seed: int
) -> list[str]:
    """How one dialect is fuzzed for so long, or for so many inputs."""
    enough = f"-max_total_time={max(1, round(seconds))}" if count is None else f"-runs={count}"
    limits = [f"-max_len={LONGEST_BYTES}", f"-rss_limit_mb={MOST_MIB}", f"-timeout={HANG_S}"]
    known = [f"-dict={SEEDS / dialect}.dict", f"-artifact_prefix={keep}/{dialect}-", str(corpus), str(SEEDS / dialect)]
    started = [sys.executable, "-m", "bench.fuzz.one", dialect, str(counts)]
    return [*started, enough, f"-seed={seed}", *limits, *known]


def fuzzed(dialect: str, keep: Path, seconds: float, count: int | None, seed: int) -> Figures:
    """One dialect, fuzzed in a process of its own; what that says goes to a file beside what made it crash."""
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        counts, corpus = Path(folder, "counts"), Path(folder, "corpus")
        counts.write_bytes(bytes(COUNTS_BYTES))
        corpus.mkdir()
        with (keep / f"{dialect}.log").open("wb") as log:
            process = subprocess.Popen(  # noqa: S603 - the command is our own
                command(dialect, counts, corpus, keep, seconds, count, seed), stdout=log, stderr=subprocess.STDOUT
            )
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        kept = counts.read_bytes()
    return {
        "inputs": int.from_bytes(kept[:8], "little"),
        "seconds": round(time.monotonic() - begun, 1),
        "crashes": int(process.returncode != 0),
        "slowest_ms": round(int.from_bytes(kept[8:], "little") / 1e6, 2),
        "peak_mib": round(used.ru_maxrss / 1024, 1),
    }


def summed(found: Sequence[Figures]) -> Figures:
    """All of them as one: counts and times added, the worst of the rest."""
    return {
        "inputs": sum(one["inputs"] for one in found),
        "seconds": round(sum(one["seconds"] for one in found), 1),
        "crashes": sum(one["crashes"] for one in found),
        "slowest_ms": max(one["slowest_ms"] for one in found),
        "peak_mib": max(one["peak_mib"] for one in found),
    }


def passed(found: Figures) -> bool:
    """Whether there was an input, none crashed a reader, and all stayed within time and memory."""
    within = found["slowest_ms"] <= SLOWEST_MS and found["peak_mib"] <= MOST_MIB
    return found["inputs"] > 0 and found["crashes"] == 0 and within


def main(argv: Sequence[str] | None = None) -> int:
    """Fuzzes all dialects, the same share of seconds or inputs each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--count", type=int, default=None)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, default=None)
    args = parser.parse_args(argv)
    keep: Path = args.keep or Path(tempfile.mkdtemp(prefix="fuzz-"))
    keep.mkdir(parents=True, exist_ok=True)
    found: list[Figures] = []
    for number, dialect in enumerate(DIALECTS):
        share = None if args.count is None else (args.count + number) // len(DIALECTS)
        found.append(fuzzed(dialect, keep, args.seconds / len(DIALECTS), share, args.seed))
        print(f"{dialect}: {json.dumps(found[-1])}", file=sys.stderr)
    figures = summed(found)
    print(f"inputs that crashed a reader, and what the fuzzer said: {keep}", file=sys.stderr)
    print(json.dumps(figures))
    return 0 if passed(figures) else 1


if __name__ == "__main__":
    sys.exit(main())
