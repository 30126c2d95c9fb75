"""Recorded motion and the robot's shape: what remains between its parts, and how much of that its tracking error takes.

Every chunk is judged by one clearance rule, at several shares of the profile's tracking error. At none the forecast
sees the commands alone: what is too near there is a fault of the shape, what is too near only at a larger share a
matter of that error.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from rich.console import Console
from rich.progress import track

from bench.episodes import Episode
from bench.replaying import pieces
from interlock import BulletPhysics, Finding
from interlock.judge import judge
from interlock.profile import Profile
from interlock.rules import RuleSet

RULES: Final = "g1-upper-body"
RULE: Final = "CLEAR-OF-SELF"
SHARES: Final = (1.0, 0.2, 0.1, 1e-6)  # of the tracking error; not 0, which a profile may not state
EVERY: Final = 5  # episode: the forecast looks at some 1,200 pairs of links a chunk

HEAD: Final = """
## With the robot's shape

Every fifth episode again, by the rule `CLEAR-OF-SELF` of `g1-upper-body`: both arms, hands and body among themselves.
The rule only warns, and this is why. Each chunk is judged at several shares of the profile's tracking error.

| tracking error | chunks | too near | least that remains [m] | where |
|---|---:|---:|---:|---|"""
WHY: Final = """
What is wrong is the limit, not the shape. Without tracking error nothing is too near: the hulls, the pairs that are
allowed and the pose of waist and legs refuse nothing that the robot did, although no URDF has its Inspire hands and the
three-fingered hand stands in for them. The tracking error is 50 to 140 mrad a joint, because the arms follow 130
to 230 ms late, and a certain forecast must take all 14 joints to be off by that much at once, to the worse side: 0.6 m
between the hands. But an arm that lags is on the path it was sent, only later. A profile that knew the lag could leave
some 10 % of that error, at which everything would pass; `check:tracking` would have to know it, too.
"""


@dataclass(frozen=True, slots=True)
class Remains:
    """What the rule found in one chunk of an episode, at a share of the tracking error."""

    share: float
    episode: int
    row: int
    finding: Finding


def remains(episodes: Sequence[Episode], rules: RuleSet) -> tuple[Remains, ...]:
    """The finding of every chunk at every share."""
    found: list[Remains] = []
    for share in SHARES:
        physics = BulletPhysics(with_share(rules.profile, share), rules.cell)
        cut = [piece for episode in episodes for piece in pieces(episode, rules)]
        for piece in track(cut, f"{share:.0%}", console=Console(stderr=True)):
            (finding,) = (one for one in judge(piece.case, physics).verdict.findings if one.rule == RULE)
            found.append(Remains(share, piece.episode.index, piece.row, finding))
    return tuple(found)


def with_share(profile: Profile, share: float) -> Profile:
    """The profile with so much of its tracking error."""
    return replace(profile, joints=tuple(replace(joint, tracking=joint.tracking * share) for joint in profile.joints))


def refused(found: Sequence[Remains], share: float) -> int:
    """How many chunks are too near at a share."""
    return sum(not one.finding.margin >= 0.0 for one in found if one.share == share)


def section(found: Sequence[Remains]) -> Iterator[str]:
    """The part of the page about it."""
    yield HEAD
    for share in SHARES:
        mine = [one for one in found if one.share == share]
        worst = min(mine, key=lambda one: one.finding.value)
        where = f"episode {worst.episode}, row {worst.row}, {', '.join(worst.finding.links)}".rstrip(", ")
        least = f"{worst.finding.value:.3f}" if refused(found, share) else "above 0"
        told = where if refused(found, share) else ""
        yield f"| {share:.0%} | {len(mine)} | {refused(found, share)} | {least} | {told} |"
    yield WHY
