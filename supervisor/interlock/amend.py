"""Amending: the same path, slower or shorter, never sideways; what comes out is judged from the start like anything
else.

A shorter path has the rows of the proposed one. A slower one has its nodes on the straight joint motions from row to
row, and is itself straight from node to node: it lies on the proposed path but at the rows that it passes between two
nodes, where it cuts the corner. So the rules see the motion as it is driven, and where rows were a tool's, how far the
tool is from its way is measured anew.
"""

from __future__ import annotations

import math
import re
from dataclasses import replace
from itertools import chain
from typing import Final

import numpy as np

from .arrays import frozen
from .braking import on_path
from .build import Proposal
from .judge import Judgement
from .lower import JointPath, followed_slower
from .motion import Phase, RobotModel
from .profile import Profile
from .rules import Trace
from .slowing import fastest, paces_of, places
from .verdict import Finding

AIM: Final = 0.995  # just inside the limit
SLOWEST: Final = 0.05  # of the proposed path speed; below that the motion is refused


def factor(judgement: Judgement, path: JointPath, speed: float, profile: Profile) -> float | None:
    """By how much the speed at which a path as proposed was judged must fall so that all slowable violations end just
    inside; None if slowing cannot help.
    """
    violated = [finding for finding in judgement.verdict.violated if finding.enforced]
    if not violated or any(finding.reaction != "slow" for finding in violated):
        return None
    placed = paces_of(judgement, {finding.rule for finding in violated})
    factors = [_factor(finding) for finding in violated if finding.rule not in placed]
    if placed:
        factors.append(fastest(chain.from_iterable(placed.values()), path, speed, profile) / speed)
    found = AIM * min(factors)
    return found if found >= SLOWEST else None


def _factor(finding: Finding) -> float:
    if not (finding.limit > 0.0 and finding.value > finding.limit):
        return 0.0
    power = re.search(
        r"/s\^([23])$", finding.unit
    )  # accelerations grow with the square of the path's speed, jerks with its cube
    return float((finding.limit / finding.value) ** (1.0 / int(power.group(1)) if power else 1.0))


def slowed(path: JointPath, speed: float, profile: Profile, model: RobotModel | None = None) -> JointPath:
    """The same path at `speed` (0 to 1) of its own: as many rows, reached as the path's speed goes from the reference's
    to `speed`.

    The path, as proposed, is the polyline through the reference and all rows. All rules judge the slowed rows anew.
    Gripper values move with the place on the path. Rows of a tool point need the robot's model: the corners that are
    cut become part of `followed`.
    """
    line = np.vstack([path.reference.positions[None], path.positions])
    along = places(path, line, speed, profile)
    rows = np.clip(np.ceil(along - 1e-9).astype(np.int64), 1, len(path.positions)) - 1
    covered = np.concatenate([[0.0], path.covered])
    positions = on_path(line, along)
    return replace(
        path,
        positions=frozen(positions),
        grippers=frozen(path.grippers[rows]),
        covered=frozen(on_path(covered[:, None], along)[:, 0]),
        followed=path.followed + followed_slower(path, positions, along, model, profile),
    )


def cut(proposal: Proposal, judgement: Judgement) -> JointPath | None:
    """The same rows, ending early enough to be at rest before the first refused point; None where no row is left."""
    path = proposal.path
    violated = {finding.rule for finding in judgement.verdict.violated if finding.enforced}
    traces = dict(judgement.traces)
    before = min((_rows_before(proposal, traces.get(rule, ())) for rule in violated), default=0)
    braking = (proposal.plan.end_ns - path.rows_end_ns) / path.period_ns
    commit = math.floor(before - braking / 2.0) - 1
    return replace(path, commit=commit) if 1 <= commit < path.commit else None


def _rows_before(proposal: Proposal, traces: tuple[Trace, ...]) -> int:
    """How many permitted rows come before the first place where a rule is violated; 0 where that is not known."""
    path, motion = proposal.path, proposal.motion
    if not traces or any(trace.margin.shape != motion.times_s.shape for trace in traces):
        return 0
    bad = np.logical_or.reduce([~(trace.margin >= 0.0) for trace in traces])
    phase, row = int(motion.phase[np.argmax(bad)]), int(motion.row[np.argmax(bad)])
    return row - path.start_row if phase == Phase.ROW else path.commit if phase == Phase.BRAKE else 0
