"""Why a recorded chunk was refused or amended although the real robot executed it: a cause for each finding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from bench.episodes import Episode
from bench.replaying import Piece
from interlock import Decision, Finding
from interlock.decide import decide
from interlock.physics import Physics

STALL: Final = 3.0  # how much faster all joints together move on after they had nearly come to rest


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason for a refusal: what is wrong (the limit, the model, the rule, the recording), and why."""

    name: str
    wrong: str
    because: str


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What became of one chunk, and the cause of each violation in what was proposed."""

    piece: Piece
    decision: Decision
    violations: tuple[tuple[Finding, Cause], ...]


START: Final = Cause(
    "start of the recording",
    "the model",
    "A recording begins in the middle of a teleoperation; what was commanded before is not in it, so the reference "
    "is the measured pose, at rest. The drives are soft (kp 80 and 40, no integral part): standing still they hold "
    "a joint up to 46 mrad beside its command. The first row steps over that in 33 ms, up to 40 rad/s^2 from rest. "
    "The arm does not jump, because it had that command before. Limit and rule are right, a policy that starts like "
    "this does command a jump; the model lacks the last command. A robot that reports it, or a first chunk that "
    "begins at the measured pose, passes.",
)
STREAM: Final = Cause(
    "stalled stream",
    "the recording",
    "All joints' commands come to rest within four rows, as a smoothing filter does when its input stops, then leap "
    "to where the operator's hands went meanwhile. Nobody meant that motion, and the arm did not make it: its "
    "joints were measured at no more than 40 % of the commanded acceleration. Limit, model and rule are right: a "
    "leap that the soft drives happened to swallow is slowed to what the robot was sent elsewhere.",
)
LAG: Final = Cause(
    "lag of the arm",
    "the limit",
    "The arm follows its command 130 to 230 ms late, so its tracking error grows with its speed. The limit, "
    "measured on half of the episodes, is exceeded by faster motion in the other half. A limit for each joint is a "
    "coarse model of a lag: a profile that knew the lag itself could compare the measured pose with the command of "
    "then, and be much tighter.",
)
UNKNOWN: Final = Cause("unknown", "not known", "No known cause fits; look at the rows around it.")
CAUSES: Final = (START, STREAM, LAG, UNKNOWN)


def outcome(piece: Piece, physics: Physics) -> Outcome:
    """The supervisor's decision on a chunk, each violation with its cause."""
    decision = decide(piece.case, physics)
    violated = decision.attempts[0].verdict.violated
    return Outcome(piece, decision, tuple((finding, cause(piece, finding)) for finding in violated))


def cause(piece: Piece, finding: Finding) -> Cause:
    """The cause of one violation, from the rows around it."""
    if finding.rule == "check:tracking":
        return LAG
    if piece.row == 0 and 0 <= finding.row <= 1:
        return START
    if finding.row >= 0 and stalled(piece.episode, piece.row + finding.row, len(piece.case.state.joints)):
        return STREAM
    return UNKNOWN


def stalled(episode: Episode, row: int, joints: int) -> bool:
    """Whether the commands of all arm joints had nearly come to rest before a row, and go on with it."""
    if row < 2:
        return False
    steps = np.abs(np.diff(episode.commands[row - 2 : row + 1, :joints], axis=0)).max(axis=1)
    return bool(steps[1] > STALL * steps[0])
