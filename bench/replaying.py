"""Recorded motion as a policy's chunks: each anchored to the recording, so that one refusal does not change the next.

Row k of a recording becomes a row that is due when it was sent. The reference of a chunk is what was sent before it, as
if everything up to there had been permitted; a recording's first chunk starts from rest, at the measured pose.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bench.episodes import Episode
from interlock import ActionChunk, RobotState, Scene, Stamps
from interlock.case import Case, Memory
from interlock.chunk import all_commanded
from interlock.motion import Plan
from interlock.rules import RuleSet

BEGIN_NS = 10_000_000_000  # of an episode, on the simulated clock
REVIEWED_NS = 20_000_000  # a chunk is reviewed so long before its row 0 is due
OBSERVED_NS = 120_000_000  # and answers an observation so old: 100 ms of latency
EXPIRY_NS = 2_000_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """A chunk cut out of an episode at a row, as a case for the judge."""

    episode: Episode
    row: int
    case: Case


def pieces(episode: Episode, rules: RuleSet) -> Iterator[Piece]:
    """The episode in chunks of as many rows as are accepted, one every `execute` rows; not what is left too short."""
    for row in range(0, len(episode.commands) - rules.accepts.rows_min + 1, rules.accepts.execute):
        yield Piece(episode, row, _case(episode, row, rules))


def _due_ns(episode: Episode, row: int) -> int:
    return BEGIN_NS + row * round(episode.period_s * 1e9)


def _case(episode: Episode, row: int, rules: RuleSet) -> Case:
    due = _due_ns(episode, row)
    now = due - REVIEWED_NS
    values = episode.commands[row : row + rules.accepts.rows_max]
    sequence = row // rules.accepts.execute
    session = f"episode-{episode.index}"
    chunk = ActionChunk(
        id=f"{session}-{row}",
        session=session,
        sequence=sequence,
        layout=rules.accepts.layouts[0].digest,
        profile=rules.profile_digest,
        values=values,
        mask=all_commanded(values),
        period_s=episode.period_s,
        horizon=rules.accepts.execute,
        stamps=Stamps(due - OBSERVED_NS, due - OBSERVED_NS, now, due, due + EXPIRY_NS),
    )
    memory = Memory() if row == 0 else Memory("running", _plan(episode, row, rules), session, sequence - 1)
    return Case(now, chunk, _state(episode, row, now, rules), Scene(rules.modes[0]), memory, rules)


def _state(episode: Episode, row: int, now: int, rules: RuleSet) -> RobotState:
    """The newest reading before the review; velocities were not recorded: differences, and none at the start."""
    joints = len(rules.profile.joints)
    newest = max(row - 1, 0)
    before = max(newest - 1, 0)
    velocities = (episode.measured[newest, :joints] - episode.measured[before, :joints]) / episode.period_s
    return RobotState(
        seen_ns=min(_due_ns(episode, newest), now),
        joints=rules.profile.joint_names,
        positions=episode.measured[newest, :joints],
        velocities=velocities,
        grippers=episode.measured[newest, joints:],
    )


def _plan(episode: Episode, row: int, rules: RuleSet) -> Plan:
    """What was sent before a row, each reached one period later: enough for a reference with its acceleration."""
    sent = np.arange(max(row - 3, 0), row)
    joints = len(rules.profile.joints)
    times = [_due_ns(episode, int(index) + 1) for index in sent]
    commands = episode.commands[sent]
    return Plan(np.array(times), commands[:, :joints], commands[:, joints:], times[-1])
