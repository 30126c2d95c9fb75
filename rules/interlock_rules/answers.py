"""From the forecast's answer to a trace: what remains, less what was demanded."""

from __future__ import annotations

import numpy as np

from interlock.motion import Motion
from interlock.rules import Clearance, Demand, Trace

from .traces import unknown


def from_clearance(motion: Motion, demand: Demand, clearance: Clearance, quantity: str) -> Trace:
    """Margin = at_least_m - min_m (N,) [m] on the intervals demanded, +inf on the others; NaN where it is undecided."""
    if clearance.at_least_m.shape != demand.intervals.shape:
        return unknown(motion, "m", quantity)
    limit = np.full(len(motion), demand.min_m)
    margin = np.where(demand.intervals, clearance.at_least_m - limit, np.inf)
    places = clearance.points[:, 0]
    return Trace(margin, clearance.at_least_m, limit, "m", clearance.pairs, clearance.pair, places, quantity)
