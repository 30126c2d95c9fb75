"""Recorded motion and the robot's shape: what remains between its parts, and how much of that its tracking error takes.

Every chunk is judged by one clearance rule, at several shares of the profile's tracking error. At none the forecast
sees the commands alone: what is too near there is a fault of the shape, what is too near only at a larger share a
matter of that error. How much of the error a lag explains is measured beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from rich.console import Console
from rich.progress import track

from bench.episodes import Episode
from bench.replaying import pieces
from interlock import BulletPhysics, Finding
from interlock.arrays import FloatArray
from interlock.judge import judge
from interlock.lower import joint_limits
from interlock.profile import Profile
from interlock.rules import RuleSet
from interlock_rules.clearance import MinimumClearance

RULE: Final = "CLEAR-OF-SELF"
SHARES: Final = (1.0, 0.6, 0.25, 0.0)  # of the tracking error
EVERY: Final = 5  # episode: the forecast looks at some 1,200 pairs of links a chunk
LOOK_M: Final = 0.05  # what is nearer is measured, and not only bounded
BACK: Final = 15  # rows, 0.5 s: more than twice as late as the arms ever are
FINE: Final = 4  # points a row

HEAD: Final = """
## With the robot's shape

Every fifth episode again, by the rule `{rule}` alone: both arms, hands, head and body among themselves must keep
{least:g} m. As it stands the rule judges the commands (`tracking: none`, 0 % here); what it would say if it took off
the profile's tracking error, or a share of it:

| tracking error | chunks | too near | least that remains [m] | where |
|---|---:|---:|---:|---|"""
WHY: Final = """
The shape is right, as far as commands can tell: the hulls, the pairs that are allowed and the pose of waist and legs
refuse nothing that the robot was sent, although no URDF has its Inspire hands and the three-fingered hand stands in
for them. The limit would be wrong: with the tracking error taken off, every refusal is a false alarm. That error is 50
to 140 mrad a joint, because the arms follow 130 to 230 ms late, and a certain forecast must take all 14 joints to be
off by that much at once, to the worse side: 0.6 m between the hands. An arm that lags is on the path that it was sent,
only later. But that explains too little: compared with the nearest pose of the last half second of commands, the worst
joint was still off by {half:.0%} of its tracking error in half of all rows, and by {most:.0%} at the worst, because
soft drives without an integral part also sag. At {share:.0%} of it {count} of {total} chunks would still be refused. So
a profile that knew the lag would not be enough; the sag would have to be known, too. Until then the rule refuses what
is certain, and what only lag and sag bring together stays with the operator (H-04).
"""


@dataclass(frozen=True, slots=True)
class Remains:
    """What the rule found in one chunk of an episode, at a share of the tracking error."""

    share: float
    episode: int
    row: int
    finding: Finding


def remains(episodes: Sequence[Episode], rules: RuleSet) -> tuple[Remains, ...]:
    """The finding of every chunk that meets the rules at all, at every share."""
    found: list[Remains] = []
    for share in SHARES:
        physics = BulletPhysics(with_share(rules.profile, share), rules.cell)
        cut = [piece for episode in episodes for piece in pieces(episode, alone(rules, lagging=share > 0.0))]
        for piece in track(cut, f"{share:.0%}", console=Console(stderr=True)):
            findings = judge(piece.case, physics).verdict.findings
            found += [Remains(share, piece.episode.index, piece.row, one) for one in findings if one.rule == RULE]
    return tuple(found)


def alone(rules: RuleSet, *, lagging: bool) -> RuleSet:
    """The rule alone, asking for LOOK_M, after tracking error or on commands. The profile stays: its tracking error is
    also the limit of `check:tracking`, and a chunk that fails that never meets the rule.
    """
    (rule,) = (one for one in rules.rules if one.id == RULE)
    limit = replace(_limit(rules), min=LOOK_M, tracking="profile" if lagging else "none")
    return replace(rules, rules=(replace(rule, limit=limit),))


def _limit(rules: RuleSet) -> MinimumClearance:
    return next(one.limit for one in rules.rules if one.id == RULE and isinstance(one.limit, MinimumClearance))


def with_share(profile: Profile, share: float) -> Profile:
    """The profile with so much of its tracking error; with all of it for none, which no profile may state."""
    share = share or 1.0
    return replace(profile, joints=tuple(replace(joint, tracking=joint.tracking * share) for joint in profile.joints))


def refused(found: Sequence[Remains], rules: RuleSet, share: float) -> int:
    """How many chunks are too near at a share."""
    return sum(not one.finding.value >= _limit(rules).min for one in found if one.share == share)


def off_path(episode: Episode, profile: Profile) -> FloatArray:
    """How far from the path that it was sent the arm was measured, row by row from BACK on, as a share of the tracking
    error: in the worst joint, at the pose of the last BACK rows at which that is least.
    """
    joints = len(profile.joints)
    commands, tracking = episode.commands[:, :joints], joint_limits(profile, "tracking")
    rows = np.arange(len(commands))
    fine = np.linspace(0, len(commands) - 1, (len(commands) - 1) * FINE + 1)
    sent = np.stack([np.interp(fine, rows, commands[:, joint]) for joint in range(joints)], axis=1)
    off = [
        np.abs(episode.measured[row, :joints] - sent[(row - BACK) * FINE : row * FINE + 1]) / tracking
        for row in rows[BACK:].tolist()
    ]
    return np.array([each.max(axis=1).min() for each in off])


def section(found: Sequence[Remains], episodes: Sequence[Episode], rules: RuleSet) -> Iterator[str]:
    """The part of the page about it."""
    yield HEAD.format(rule=RULE, least=_limit(rules).min)
    for share in SHARES:
        mine = [one for one in found if one.share == share]
        worst = min(mine, key=lambda one: one.finding.value)
        where = f"episode {worst.episode}, row {worst.row}, {', '.join(worst.finding.links)}".rstrip(", ")
        count = refused(found, rules, share)
        yield f"| {share:.0%} | {len(mine)} | {count} | {worst.finding.value:.3f} | {where} |"
    off = np.concatenate([off_path(episode, rules.profile) for episode in episodes])
    share = next(one for one in reversed(SHARES) if one >= float(off.max()))
    yield WHY.format(
        half=float(np.median(off)),
        most=float(off.max()),
        share=share,
        count=refused(found, rules, share),
        total=sum(one.share == share for one in found),
    )
