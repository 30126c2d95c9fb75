"""Run as a process of its own: appends records for ever, and prints each one that was acknowledged as durable."""

from __future__ import annotations

import sys

from interlock_audit_logs import open_log


def main(directory: str) -> None:
    """Prints `index digest` after each ticket; ends when it is killed."""
    with open_log(directory, segment_bytes=20_000) as log:
        sys.stdout.write("open\n")
        sys.stdout.flush()
        number = 0
        while True:
            tickets = [
                log.append("review", {"number": number + step, "rows": "x" * 900}, urgent=True) for step in range(4)
            ]
            number += 4
            for ticket in tickets:
                entry = ticket.durable(10.0)
                sys.stdout.write(f"{entry.index} {entry.digest}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
