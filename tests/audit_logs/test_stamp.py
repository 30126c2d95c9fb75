from __future__ import annotations

from interlock_audit_logs import Stamp, system_clock


def test_wall_time_is_utc_with_nine_decimals() -> None:
    assert Stamp(1_700_000_000_000_000_007, 0).written == "2023-11-14T22:13:20.000000007Z"


def test_the_system_clock_moves_on() -> None:
    first, second = system_clock(), system_clock()

    assert first.monotonic_ns <= second.monotonic_ns
