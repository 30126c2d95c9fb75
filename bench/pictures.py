"""Two pictures for the docs, each drawn from a record: the nearest miss of a task that succeeds, and a move whose rows
are all clear of a thin rod which it hits between two of them.

What is permitted has bounds and no places, so the near miss is asked about once more, with more to be kept.

`make pictures` writes them to docs/pictures and prints what each shows.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from interlock import BulletPhysics
from interlock.case import Case
from interlock.judge import Judgement, judge
from interlock.record import read_case
from interlock.robots import Clock, Policy, Robot, run
from interlock.rules import RuleSet
from interlock.supervisor import Supervisor
from interlock_audit_logs import blob_reader, json_reader, open_log, read_log
from interlock_rules import load
from interlock_rules.clearance import MinimumClearance
from interlock_sim.demo import Job
from interlock_sim.episode import Judged, run_episode
from interlock_sim.picture import draw

MORE_M: Final = 0.04
FOLDER: Final = Path(__file__).parents[1] / "docs/pictures"


class Wanted(NamedTuple):
    """A picture: its name, the episode, whether it was allowed, and the rule whose margin is smallest there."""

    name: str
    job: Job
    allowed: bool
    rule: str


PICTURES: Final = (
    Wanted("near-miss", Job("reach", 0, None, supervised=True), True, "CLEAR-OF-OBJECTS"),
    Wanted("tunnelling", Job("reach", 0, "tunnelling", supervised=True), False, "CLEAR-OF-OBJECTS"),
)


def cases(rules: RuleSet, physics: BulletPhysics, job: Job, directory: Path) -> Iterator[Case]:
    """Every case that was reviewed in an episode under the supervisor, read back from its log in a directory."""

    def supervise(policy: Policy, robot: Robot, clock: Clock, done: Callable[[], bool]) -> Judged:
        with open_log(directory) as log:
            run(
                Supervisor(rules, log, physics, now_ns=clock.now_ns, elapsed_ns=lambda: 0),
                policy,
                robot,
                clock,
                done=done,
            )
        return Judged()

    run_episode(rules.profile, rules.cell, job.episode, supervise)
    read_blob = json_reader(blob_reader(directory))
    for record in read_log(directory):
        if record.kind == "review":
            yield read_case(record.body["case"], read_blob, lambda _: rules)


def nearest(judged: Sequence[tuple[Case, Judgement]], wanted: Wanted) -> tuple[Case, Judgement]:
    """Of the cases that are allowed, or are not, the one with the rule's smallest margin; ValueError for none."""
    found = [
        (finding.margin, case, judgement)
        for case, judgement in judged
        for finding in judgement.verdict.findings
        if judgement.verdict.allowed == wanted.allowed and finding.rule == wanted.rule and np.isfinite(finding.margin)
    ]
    if not found:
        raise ValueError(f"{wanted.name}: no case with a margin of {wanted.rule}")
    _, case, judgement = min(found, key=lambda one: one[0])
    return case, judgement


def asked_for_more(case: Case, rule: str) -> Case:
    """The case under a set that asks this clearance rule for MORE_M more, so that what it comes near to has a place."""
    rules = tuple(
        replace(one, limit=replace(one.limit, min=one.limit.min + MORE_M))
        if one.id == rule and isinstance(one.limit, MinimumClearance)
        else one
        for one in case.rules.rules
    )
    return replace(case, rules=replace(case.rules, rules=rules))


def main(folder: Path = FOLDER) -> int:
    """Draws both pictures."""
    rules = load("panda-tabletop")
    physics = BulletPhysics(rules.profile, rules.cell)
    folder.mkdir(parents=True, exist_ok=True)
    for wanted in PICTURES:
        with tempfile.TemporaryDirectory() as directory:
            judged = [(case, judge(case, physics)) for case in cases(rules, physics, wanted.job, Path(directory))]
        case, judgement = nearest(judged, wanted)
        title = f"refused: {wanted.job.name}"
        if wanted.allowed:
            title = f"permitted: {wanted.job.name}; asked for {1e3 * MORE_M:.0f} mm more, to see how near it comes"
            case = asked_for_more(case, wanted.rule)
            judgement = judge(case, physics)
        print(f"{wanted.name}: {draw(case, judgement, folder / f'{wanted.name}.png', title, wanted.rule)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
