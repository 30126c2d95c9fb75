"""How many rows of a chunk leave room for their own brake within the rows that a client plays."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from interlock.build import periods_to_rest
from interlock.case import Case
from interlock.checks import LARGEST
from interlock.chunk import ActionChunk, Layout
from interlock.lower import lower
from interlock.physics import Physics


def rows_with_room(case: Case, chunk: ActionChunk, layout: Layout, within: int, physics: Physics) -> int:
    """How many rows to execute, at most as many as the rule set executes, so that the robot is at rest `within` periods
    after row 0 is due; 1 where none leave room, or where the chunk will be refused anyway: the review says so.

    What is found is what `propose` builds, unless the review amends it: whoever plays it compares the plan's end.
    """
    numbers = (chunk.values, case.state.positions, *(() if chunk.anchor is None else (chunk.anchor,)))
    if not all(bool((np.abs(found) <= LARGEST).all()) for found in numbers):
        return 1
    path = lower(case, chunk, layout)
    rows = min(case.rules.accepts.execute, within - 1, len(path.positions))
    while rows > 1:
        rest = periods_to_rest(replace(path, commit=rows), case.rules.profile, case.state.held, physics)
        beyond = within if rest is None else rows + rest - within
        if beyond <= 0:
            break
        rows -= max(1, min(beyond // 2, rows - 1))
    return rows
