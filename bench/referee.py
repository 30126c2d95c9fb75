"""Random motions through the judge, and other engines as the referee of what it permits.

`make referee N=10000` judges so many random triples of a robot, a cell and a chunk; with KEEP=runs.jsonl every task is
kept, and a run goes on where it stopped. coal and Pinocchio sweep what was permitted, rows and brake, and also each
joint off by its tracking error where that brings the nearest two nearer; where they are nearest PyBullet is asked, too.
The last line printed is JSON: cases; touching (what was proposed touches by more than 0.1 mm); missed (what was
permitted does, or PyBullet sees it touch by more than 1.1 mm); clear (of what was proposed, all keeps more than the
stated margin, and no limit but a clearance is violated); false_refusals (clear, and refused or cut by a clearance
rule); false_refusal_upper95 (the one-sided 95 % bound of Clopper and Pearson on their share). Exit code 1: something
was missed; 2: an engine is not installed, or the file that the run was to be kept in holds another run.

The stated margin of a pair is its `min`, which is 0 here; the tracking error of every joint between the two, times its
lever: from its axis to the furthest point of a ball around the moved part, at the worse end of an interval, and what
that part can move in half of it; the uncertainty of an object, and its speed times the time, by which the robot may be
late where it is stopped on the way; 1.5 mm for an object, which is judged in whole millimetres; 1.5 mm for a finger,
whose sweep is; and 0.5 mm for what lies between samples.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from typing import Final

import numpy as np
from rich.console import Console
from rich.progress import track
from scipy.stats import beta

from bench.engines import MissingEngine, engine
from bench.keeping import Counts, Kept, OtherRun
from bench.sweeps import Seen, Way, along
from bench.triples import BLOCK, ROBOTS, RULES, Stage, Triple, chosen, robot
from interlock.arrays import FloatArray
from interlock.build import propose
from interlock.case import Case
from interlock.chunk import ActionChunk
from interlock.decide import decide
from interlock.errors import UnusableInput
from interlock.lower import layout_of, lower
from interlock.motion import Motion, Plan
from interlock.physics import Physics
from interlock.stopping import late_of
from interlock.verdict import Decision, Finding

TOUCHING_M: Final = 1e-4
PYBULLET_M: Final = 1e-3  # PyBullet rounds edges, and keeps corners to 1e-4 of a hull's size
ENGINES: Final = ("coal", "pinocchio")
TASK: Final = BLOCK  # cases a worker is given at once
TASKS: Final = 32  # until a worker is replaced: PyBullet keeps each shape that it was ever shown


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the judge and the referee said of one case; gaps [m] of what was permitted, NaN if nothing was."""

    index: int
    kind: str
    reaction: str
    touching: bool
    missed: bool
    clear: bool
    false_refusal: bool
    others: tuple[str, ...]
    proposed_gap: float
    room: float
    permitted_gap: float
    astray_gap: float
    asked_gap: float
    pair: tuple[str, str]
    robot: str
    text: str


def examined(on: Stage, one: Triple, *, tell: bool = False) -> Outcome:
    """The outcome of one case; `text` only where it ended wrong, or is to be told."""
    decision = decide(one.case, on.physics)
    first = decision.attempts[0].verdict
    proposed, astray = _swept(on, one, _proposed(one.case, decision, on.physics))
    permitted, permitted_astray = Seen(), np.nan
    if decision.plan is not None:
        permitted, permitted_astray = proposed, astray
        if decision.reaction != "permit":
            permitted, permitted_astray = _swept(on, one, planned(one.case, decision.plan))
    against = [finding for finding in first.violated if finding.enforced]
    others = tuple(sorted({finding.rule for finding in against if not _of_clearance(finding)}))
    clear = bool(proposed.room > 0.0) and not others
    asked = on.referee.asked(permitted, one.things)
    gaps = (permitted.gap, permitted_astray, asked + PYBULLET_M)
    missed = decision.plan is not None and not all(gap >= -TOUCHING_M for gap in gaps)
    false_refusal = clear and decision.reaction != "permit"
    return Outcome(
        index=one.index,
        kind=one.kind,
        reaction=decision.reaction,
        touching=bool(min(proposed.gap, astray) < -TOUCHING_M),
        missed=missed,
        clear=clear,
        false_refusal=false_refusal,
        others=others,
        proposed_gap=proposed.gap,
        room=proposed.room,
        permitted_gap=permitted.gap if decision.plan is not None else np.nan,
        astray_gap=permitted_astray,
        asked_gap=asked,
        pair=proposed.pair,
        robot=on.profile.name,
        text=_told(one, decision, proposed, permitted, asked) if tell or missed or false_refusal else "",
    )


def _of_clearance(finding: Finding) -> bool:
    """A rule's, or that the forecast did not answer."""
    return finding.rule in (*RULES, "check:forecast")


def _told(one: Triple, decision: Decision, proposed: Seen, permitted: Seen, asked: float) -> str:
    """A case in some lines."""
    case = one.case
    assert isinstance(case.chunk, ActionChunk)  # noqa: S101 - the triples have no other
    lines = [
        f"case {one.index}, {case.rules.profile.name}, {one.kind}, {1.0 / case.chunk.period_s:g} Hz",
        f"  {case.chunk.values.shape[0]} rows, horizon {case.chunk.horizon}",
        f"  {decision.reaction}{' (escape)' if decision.verdict.escape else ''}",
        f"  proposed: {proposed.gap * 1e3:.3f} mm between {proposed.pair}, at {proposed.positions.tolist()}",
        f"  least room: {proposed.room * 1e3:.3f} mm between {proposed.tight}; {proposed.samples} samples",
        f"  permitted: {permitted.gap * 1e3:.3f} mm between {permitted.pair}, at {permitted.positions.tolist()}",
        f"  PyBullet, asked there: {asked * 1e3:.3f} mm",
        *(f"  violated: {finding}" for finding in decision.attempts[0].verdict.violated),
        *(f"  {body.name}: {body.shape} at {body.pose}" for body in case.rules.cell.bodies),
        *(f"  {item}" for item in case.scene.objects or ()),
    ]
    return "\n".join(lines)


def _swept(on: Stage, one: Triple, way: Way) -> tuple[Seen, float]:
    """What a motion comes near to, and how near its worst place is with the tracking error against it."""
    seen = on.referee.sweep(way, one.things)
    return seen, on.referee.astray(seen, one.things)


def _proposed(case: Case, decision: Decision, physics: Physics) -> Way:
    """The rows as proposed and their brake; as the plan says them, where they are permitted."""
    if decision.plan is not None and decision.reaction == "permit":
        return planned(case, decision.plan)
    layout = layout_of(case, case.chunk) if isinstance(case.chunk, ActionChunk) else None
    if not isinstance(case.chunk, ActionChunk) or layout is None:
        raise TypeError("a triple has a chunk in an accepted layout")
    return _moved(propose(case, lower(case, case.chunk, layout), physics).motion)


def _moved(motion: Motion) -> Way:
    opening = _opening(np.vstack([motion.measured_grippers[None], motion.grippers[1:]]))
    return _way(motion.times_s, motion.positions, opening, float(motion.late_s.max()))


def _opening(grippers: FloatArray) -> FloatArray:
    """What the grippers (N, g) are told (N,); all the same, and 0 where there is none."""
    return grippers[:, 0] if grippers.shape[1] else np.zeros(len(grippers))


def _command(plan: Plan, now_ns: int) -> FloatArray:
    """The position (n,) that a plan has at a moment, straight from node to node, still before and after."""
    place = float(np.interp(now_ns, plan.times_ns, np.arange(len(plan.times_ns))))
    return np.asarray(plan.positions[0] if len(plan.times_ns) == 1 else along(plan.positions, np.array([place]))[0])


def planned(case: Case, plan: Plan) -> Way:
    """What a robot that follows a plan from now on does, from where it was measured."""
    ahead = plan.times_ns > case.now_ns
    held = plan.grippers[max(int(np.searchsorted(plan.times_ns, case.now_ns, side="right")) - 1, 0)]
    return _way(
        np.concatenate([[0.0, 0.0], (plan.times_ns[ahead] - case.now_ns) / 1e9]),
        np.vstack([case.state.positions[None], _command(plan, case.now_ns)[None], plan.positions[ahead]]),
        _opening(np.vstack([case.state.grippers[None], held[None], plan.grippers[ahead]])),
        float(late_of(plan, case.now_ns, (plan.times_ns - case.now_ns) / 1e9).max()),
    )


def _way(times: FloatArray, positions: FloatArray, openings: FloatArray, late_s: float) -> Way:
    least, most = np.minimum.accumulate(openings), np.maximum.accumulate(openings)
    return Way(times, positions, least, most, late_s=late_s)


def _work(task: tuple[range, int]) -> list[Outcome]:
    indices, seed = task
    return [examined(on, one) for on, one in chosen(indices, seed)]


def tasks_of(count: int, first: int = 0) -> list[range]:
    """So many cases in tasks, each of one block or a part of it."""
    end = first + count
    cuts = [first, *range((first // TASK + 1) * TASK, end, TASK), end]
    return [range(start, stop) for start, stop in pairwise(cuts)]


def done(tasks: Sequence[range], seed: int, workers: int) -> Iterator[list[Outcome]]:
    """The outcomes of each task, in order."""
    if workers == 1:
        yield from (_work((task, seed)) for task in tasks)
        return
    with get_context("spawn").Pool(workers, maxtasksperchild=TASKS) as pool:
        yield from pool.imap(_work, [(task, seed) for task in tasks])


def outcomes(count: int, seed: int, workers: int, first: int = 0) -> Iterator[Outcome]:
    """The outcomes of so many cases, in order."""
    for found in done(tasks_of(count, first), seed, workers):
        yield from found


def counted(found: Sequence[Outcome]) -> Counts:
    """What is kept of a task."""
    told = figures(found)
    return Counts(
        first=found[0].index,
        end=found[-1].index + 1,
        touching=int(told["touching"]),
        missed=int(told["missed"]),
        clear=int(told["clear"]),
        false_refusals=int(told["false_refusals"]),
        robots=dict(Counter(one.robot for one in found)),
        kinds=dict(Counter(one.kind for one in found)),
        wrong=tuple(_wrong(one) for one in found if one.missed or one.false_refusal),
    )


def upper95(events: int, trials: int) -> float:
    """One-sided 95 % upper bound of a share (Clopper and Pearson, Biometrika 26, 1934); 1 where nothing was tried."""
    return 1.0 if events >= trials else float(beta.ppf(0.95, events + 1, trials - events))


def figures(found: Sequence[Outcome]) -> dict[str, int | float]:
    """The numbers of the last line."""
    clear, refused = sum(one.clear for one in found), sum(one.false_refusal for one in found)
    return _line(len(found), sum(one.touching for one in found), sum(one.missed for one in found), clear, refused)


def figures_of(found: Sequence[Counts]) -> dict[str, int | float]:
    """The numbers of the last line, of all tasks that were kept."""
    sums = (sum(getattr(one, name) for one in found) for name in ("touching", "missed", "clear", "false_refusals"))
    return _line(sum(one.end - one.first for one in found), *sums)


def _line(cases: int, touching: int, missed: int, clear: int, refused: int) -> dict[str, int | float]:
    return {
        "cases": cases,
        "touching": touching,
        "missed": missed,
        "clear": clear,
        "false_refusals": refused,
        "false_refusal_upper95": float(f"{upper95(refused, clear):.3g}"),
    }


def main(arguments: Sequence[str]) -> int:
    """The command; its exit code."""
    parser = argparse.ArgumentParser(description="Random motions, judged, and other engines as the referee.")
    parser.add_argument("--count", type=int, default=500, help="how many cases; default 500")
    parser.add_argument("--seed", type=int, default=1, help="which cases")
    parser.add_argument("--first", type=int, default=0, help="the index of the first")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes; default one a core")
    parser.add_argument("--minutes", type=float, default=math.inf, help="no more cases after that; default: all")
    parser.add_argument("--case", type=int, help="only the case of this index, in detail")
    parser.add_argument("--keep", type=Path, help="a file that every task is added to; started again, it goes on there")
    given = parser.parse_args(arguments)
    try:
        for name in ENGINES:
            engine(name)
        for name in ROBOTS:
            robot(name)
        if given.keep is not None:
            return _keep(given.keep, tasks_of(given.count, given.first), given.seed, given.workers)
    except (MissingEngine, UnusableInput, OtherRun) as error:
        print(error, file=sys.stderr)
        return 2
    found: list[Outcome] = []
    if given.case is not None:
        found += [examined(on, one, tell=True) for on, one in chosen([given.case], given.seed)]
        print(found[0].text, file=sys.stderr)
    else:
        every = outcomes(given.count, given.seed, given.workers, given.first)
        until = time.monotonic() + 60.0 * given.minutes
        for one in track(every, "cases", total=given.count, console=Console(stderr=True)):
            found.append(one)
            if time.monotonic() > until:
                break
        _summarise(found)
    print(json.dumps(figures(found)))
    return 1 if figures(found)["missed"] else 0


def _keep(path: Path, tasks: Sequence[range], seed: int, workers: int) -> int:
    """A run that is kept in a file; its exit code, over all that is in the file."""
    kept = Kept(path, seed)
    left = kept.missing(tasks)
    for found in track(done(left, seed, workers), "tasks", total=len(left), console=Console(stderr=True)):
        kept.add(counted(found))
        for text in kept.done[-1].wrong:
            print(text, file=sys.stderr)
    told = figures_of(kept.done)
    print(json.dumps(told))
    return 1 if told["missed"] else 0


def _wrong(one: Outcome) -> str:
    return f"{'MISSED' if one.missed else 'false refusal'} {one.text}"


def _summarise(found: Sequence[Outcome]) -> None:
    """How the cases ended, and every one that ended wrong, on stderr."""
    for title, counts in (
        ("decided", Counter(one.reaction for one in found)),
        ("robots", Counter(one.robot for one in found)),
        ("kinds", Counter(one.kind for one in found)),
        ("other violations", Counter(name for one in found for name in one.others)),
    ):
        print(f"{title}: {', '.join(f'{name} {count}' for name, count in counts.most_common())}", file=sys.stderr)
    for one in found:
        if one.missed or one.false_refusal:
            print(_wrong(one), file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
