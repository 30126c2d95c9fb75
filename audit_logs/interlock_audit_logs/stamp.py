"""When a record was written: the wall clock for people, the monotonic clock for intervals; a clock is an argument."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

NS_PER_S: Final = 1_000_000_000
WRITTEN: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z")


@dataclass(frozen=True, slots=True)
class Stamp:
    """One moment on two clocks [ns]: since 1970 in UTC, and since some fixed moment of this boot."""

    wall_ns: int
    monotonic_ns: int

    @property
    def written(self) -> str:
        """The wall time as RFC 3339 in UTC with nine decimals, so that text order is time order."""
        seconds, rest_ns = divmod(self.wall_ns, NS_PER_S)
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest_ns:09d}Z"


Clock = Callable[[], Stamp]


def system_clock() -> Stamp:
    """This moment on the machine's own clocks."""
    return Stamp(time.time_ns(), time.monotonic_ns())
