"""How fast a path may be taken where a limit of speed depends on the place along it, as it does near a person.

A slower motion does not get as far: what is refused further on need not be kept. So the finding at one place does not
say by how much to slow down. Here the speed and the limit of every place are put together, and the largest speed of the
path is looked for that keeps all that it passes. What comes of it is an estimate, and judged like anything else.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np

from .arrays import FloatArray
from .build import Proposal
from .judge import Judgement
from .lower import JointPath, joint_limits
from .motion import Motion, Phase
from .profile import Profile
from .rules import Trace

RAMP_SHARE: Final = (
    0.5  # of the acceleration limit that changing the path's speed may take; the path's own bends need the rest
)
HALVINGS: Final = 12  # of the range in which the speed is looked for
AT_REST: Final = 1e-9  # rows a period


@dataclass(frozen=True, slots=True, eq=False)
class Pace:
    """A limit of speed along a path. Interval k ends at ends (K,), in rows as proposed; there a motion that advances by
    one row a period has the value rates (K,), and may have at most limits (K,). brake: how many periods a brake takes
    for each row a period that it starts with.
    """

    ends: FloatArray
    rates: FloatArray
    limits: FloatArray
    brake: float

    def kept(self, along: FloatArray) -> bool:
        """Whether a motion keeps it that has come so far (R,) after each row, and brakes then."""
        advance = np.diff(along, prepend=0.0)
        last = float(advance[-1])
        braking = slowing_down(self.brake * last) * last
        rates = np.concatenate([advance, braking])
        ends = np.cumsum(rates)
        first = np.searchsorted(self.ends, ends - rates + AT_REST)
        then = np.searchsorted(self.ends, ends - AT_REST)
        one, other = (np.minimum(index, len(self.ends) - 1) for index in (first, then))
        edges = np.concatenate([[0.0], self.ends])
        travelled = np.concatenate([[0.0], np.cumsum(self.rates * np.diff(edges))])
        value = np.interp(ends, edges, travelled) - np.interp(ends - rates, edges, travelled)
        return bool((value <= np.minimum(self.limits[one], self.limits[other])).all())


def slowing_down(periods: float) -> FloatArray:
    """The share of its speed that a brake of so many periods has left in each of them."""
    return np.asarray(np.maximum(1.0 - np.arange(1.0, np.ceil(periods) + 1.0) / max(periods, 1.0), 0.0))


def paces_of(judgement: Judgement, rules: Collection[str]) -> dict[str, tuple[Pace, ...]]:
    """Of those rules whose limits of speed depend on the place, by id, the paces of all that they refuse."""
    proposal, motion = judgement.proposal, judgement.motion
    if proposal is None or motion is None:
        return {}
    moving = motion.proposed()
    found: dict[str, tuple[Pace, ...]] = {}
    for rule, traces in judgement.traces:
        speeds = [trace for trace in traces if trace.unit.endswith("/s") and _fits(trace, moving.shape)]
        varies = any(bool((trace.limit[moving] != trace.limit[moving][0]).any()) for trace in speeds)
        if rule in rules and varies and len(speeds) == len(traces):
            refused = [trace for trace in speeds if not bool((trace.margin >= 0.0).all())]
            found[rule] = tuple(_pace(proposal, motion, trace) for trace in refused)
    return found


def _fits(trace: Trace, shape: tuple[int, ...]) -> bool:
    return all(values.shape == shape for values in (trace.margin, trace.value, trace.limit))


def _pace(proposal: Proposal, motion: Motion, trace: Trace) -> Pace:
    path, row, brake = proposal.path, motion.phase == Phase.ROW, motion.braking()
    covered = np.concatenate([[0.0], path.covered[: path.commit]])
    last = float(covered[-1] - covered[-2])
    periods = (proposal.plan.end_ns - path.rows_end_ns) / path.period_ns
    since = (motion.times_s - motion.times_s[row][-1]) / (path.period_ns / 1e9)  # in periods, from the last row
    on = np.asarray(np.interp(since[row] + path.commit, np.arange(path.commit + 1.0), covered), dtype=np.float64)
    gone = np.minimum(since[brake], periods)
    ends = np.concatenate([on, covered[-1] + last * gone * (1.0 - (gone + 1.0) / (2.0 * max(periods, 1.0)))])
    rates = np.diff(ends, prepend=0.0) / np.diff(since[row | brake], prepend=-float(path.commit))
    value, limit = trace.value[row | brake], trace.limit[row | brake]
    fixed = not bool((trace.margin[~(row | brake)] >= 0.0).all())  # what was committed before is as fast as it is
    return Pace(
        ends=ends,
        rates=np.where(rates > AT_REST, value / np.maximum(rates, AT_REST), 0.0),
        limits=np.full(len(limit), -1.0) if fixed else limit,
        brake=periods / max(last, AT_REST),
    )


def fastest(paces: Iterable[Pace], path: JointPath, speed: float, profile: Profile) -> float:
    """The largest speed (0 to 1) of a path as proposed, at most `speed`, at which all paces are kept; 0 where there is
    none.
    """
    line = np.vstack([path.reference.positions[None], path.positions])
    known = tuple(paces)
    low, high = 0.0, speed
    for _ in range(HALVINGS):
        middle = (low + high) / 2.0
        along = places(path, line, middle, profile)[: path.commit]
        low, high = (middle, high) if all(pace.kept(along) for pace in known) else (low, middle)
    return low


def places(path: JointPath, line: FloatArray, speed: float, profile: Profile) -> FloatArray:
    """How far along a path (R,), in rows, each row of it is when it is taken at `speed` (0 to 1) of its own: its speed
    goes from the reference's to that within the acceleration that is kept for it. line: the reference and all rows.
    """
    period_s = path.period_ns / 1e9
    first = line[1] - line[0]
    length = float(first @ first)
    carried = float(path.reference.velocities @ first) * period_s
    now = min(max(carried / length, 0.0), 1.0) if length > 0.0 else speed
    longest = np.abs(np.diff(line, axis=0)).max(axis=0)
    allowed = RAMP_SHARE * joint_limits(profile, "acceleration") * period_s**2
    step = float(np.min(allowed / np.maximum(longest, 1e-12)))
    speeds = np.empty(len(path.positions))
    for index in range(len(speeds)):
        now = max(speed, now - step) if now > speed else min(speed, now + step)
        speeds[index] = now
    along: FloatArray = np.cumsum(speeds)
    return along
