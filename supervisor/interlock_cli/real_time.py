"""The machine's monotonic clock, as what drives or speaks for a robot reads it."""

from __future__ import annotations

import time


class RealTime:
    """Monotonic time; sleeping lets others run."""

    def now_ns(self) -> int:
        """Nanoseconds of `time.monotonic_ns`."""
        return time.monotonic_ns()

    def sleep_until(self, when_ns: int) -> None:
        """Returns at that moment, or at once if it is past."""
        time.sleep(max(0, when_ns - time.monotonic_ns()) / 1e9)
