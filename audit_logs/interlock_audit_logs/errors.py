"""What this package raises beyond the core's errors: a log that is not what it claims to be."""

from __future__ import annotations

from interlock.errors import UnusableInput


class BrokenLog(UnusableInput):
    """A log that does not verify; the message begins with the file and the line."""
