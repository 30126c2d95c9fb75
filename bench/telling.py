"""The page that tells what became of recorded motion: tables and examples in Markdown, from outcomes alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from bench.causes import CAUSES, Cause, Outcome
from interlock import Finding

HEAD = """# Recorded motion

Written by `.venv/bin/python -m bench.recordings --write`; do not edit.

Episodes of a real Unitree G1 with two Inspire hands, teleoperated at 30 Hz, cut into chunks of 30 rows of which 15 are
executed, each decided by the rule set `g1-upper-body` on simulated time, with the shape of the robot. Every chunk is
anchored to the recording, so that one refusal does not change the next. The real robot executed all of it: each refusal
is either a mistake of ours or something that should not have been sent.
"""
LIMITS = """
Accelerations and tracking errors are published nowhere and were measured on the even-numbered episodes, so that only
the odd-numbered ones can tell whether those limits hold for motion that they were not taken from.
"""
HANDS = """
## Hands

A hand moves at the speed of its own driver, whatever it is told, so that no rule refuses a fast command. How often the
hands were told more than their maker states:
"""


def page(outcomes: Sequence[Outcome]) -> str:
    """The whole page."""
    parts = [
        HEAD,
        *_totals(outcomes),
        LIMITS,
        *_rules(outcomes),
        *_causes(outcomes),
        *_examples(outcomes),
        *_hands(outcomes),
    ]
    return "\n".join(parts).rstrip() + "\n"


def reactions(outcomes: Sequence[Outcome]) -> Counter[str]:
    """How many chunks were permitted, slowed, cut, vetoed, stopped."""
    return Counter(one.decision.reaction for one in outcomes)


def by_cause(outcomes: Sequence[Outcome]) -> Counter[str]:
    """How many chunks each cause had a part in."""
    return Counter(name for one in outcomes for name in {why.name for _, why in one.violations})


def _totals(outcomes: Sequence[Outcome]) -> Iterator[str]:
    yield "| episodes | chunks | permitted | slowed | cut | refused |\n|---|---:|---:|---:|---:|---:|"
    for name, parity in (("even, measured on", 0), ("odd", 1)):
        some = [one for one in outcomes if one.piece.episode.index % 2 == parity]
        count = reactions(some)
        refused = count["veto"] + count["stop"]
        yield f"| {name} | {len(some)} | {count['permit']} | {count['slow']} | {count['truncate']} | {refused} |"


def _rules(outcomes: Sequence[Outcome]) -> Iterator[str]:
    yield "## By rule\n\n| rule | refused | amended | worst margin | where |\n|---|---:|---:|---:|---|"
    quiet = {rule.id for one in outcomes[:1] for rule in one.piece.case.rules.rules}
    found = {finding.rule for one in outcomes for finding, _ in one.violations}
    for name in sorted(quiet | found):
        mine = [(one, finding) for one in outcomes for finding, _ in one.violations if finding.rule == name]
        chunks = {id(one): one for one, _ in mine}.values()
        amended = sum(one.decision.permitted for one in chunks)
        worst = min(mine, key=lambda pair: pair[1].margin / pair[1].limit, default=None)
        told = "| |" if worst is None else f"{_margin(worst[1])} | {_where(*worst)} |"
        yield f"| {name} | {len(chunks) - amended} | {amended} | {told}"


def _margin(finding: Finding) -> str:
    return f"{finding.margin:.3g} {finding.unit} ({finding.value:.3g}; limit {finding.limit:.3g})"


def _where(one: Outcome, finding: Finding) -> str:
    return f"episode {one.piece.episode.index}, row {one.piece.row + max(finding.row, 0)}, {', '.join(finding.links)}"


def _causes(outcomes: Sequence[Outcome]) -> Iterator[str]:
    yield "\n## Why\n\n| cause | chunks | what is wrong | explanation |\n|---|---:|---|---|"
    count = by_cause(outcomes)
    for why in CAUSES:
        if count[why.name]:
            yield f"| {why.name} | {count[why.name]} | {why.wrong} | {why.because} |"


def _examples(outcomes: Sequence[Outcome]) -> Iterator[str]:
    for why in CAUSES:
        mine = [(one, finding) for one in outcomes for finding, cause in one.violations if cause is why]
        if mine:
            yield from _example(*min(mine, key=lambda pair: pair[1].margin / pair[1].limit), why)


def _example(one: Outcome, finding: Finding, why: Cause) -> Iterator[str]:
    episode, row = one.piece.episode, one.piece.row + max(finding.row, 0)
    joint = one.piece.case.rules.profile.joint_names.index(finding.links[0])
    rows = range(max(row - 5, 0), min(row + 5, len(episode.commands)))
    yield f"\n### {why.name}: the worst\n\n{_where(one, finding)}: {finding.message}, {_margin(finding)}.\n"
    yield f"| row | {' | '.join(map(str, rows))} |\n|---|{'---:|' * len(rows)}"
    for name, values in (("command [rad]", episode.commands), ("measured [rad]", episode.measured)):
        yield f"| {name} | {' | '.join(f'{values[index, joint]:.4f}' for index in rows)} |"


def _hands(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """What no rule refuses: a hand's own driver holds its speed, so that a step is a fine command for it."""
    episodes = {one.piece.episode.index: one.piece.episode for one in outcomes}.values()
    profile = outcomes[0].piece.case.rules.profile
    yield HANDS
    yield "| hand | rows told faster | fastest [1/s] | stated [1/s] |\n|---|---:|---:|---:|"
    for index, gripper in enumerate(profile.grippers, start=len(profile.joints)):
        speeds = np.concatenate([np.abs(np.diff(one.commands[:, index])) / one.period_s for one in episodes])
        faster = int((speeds > gripper.speed).sum())
        if faster:
            yield f"| {gripper.name} | {faster} | {speeds.max():.2f} | {gripper.speed:.2f} |"
