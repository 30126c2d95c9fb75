from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from interlock_audit_logs import open_log, read_log, verify

KILLS = 20
WRITES = Path(__file__).with_name("writes_until_killed.py")


@pytest.mark.slow
def test_F42_a_writer_that_is_killed_loses_nothing_acknowledged(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311  # when to kill is no secret
    acknowledged: set[tuple[int, str]] = set()

    for _ in range(KILLS):
        with subprocess.Popen(
            [sys.executable, WRITES, tmp_path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as writer:
            assert writer.stdout is not None
            opened = writer.stdout.readline()
            assert opened == "open\n", writer.communicate(timeout=30)
            time.sleep(chance.uniform(0.0, 0.1))
            writer.kill()
            told, _ = writer.communicate(timeout=30)
        for line in told.splitlines(keepends=True):
            if line.endswith("\n"):
                index, digest = line.split()
                acknowledged.add((int(index), digest))
    open_log(tmp_path, environment={}).close()

    assert verify(tmp_path).ok
    kept = {(record.index, record.digest) for record in read_log(tmp_path)}
    assert len(acknowledged) > KILLS
    assert kept.issuperset(acknowledged)
    gaps = sum(record.kind == "gap" for record in read_log(tmp_path))
    print(f"{KILLS} kills, {gaps} gaps, {len(acknowledged)} acknowledged, 0 lost")  # noqa: T201  # a figure to report
