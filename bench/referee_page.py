"""The page on the referee: docs/referee.md from referee.json alone, which holds every long run that was kept.

`make referee KEEP=runs.jsonl` adds its run at the end; `.venv/bin/python -m bench.referee_page runs.jsonl` adds what a
file holds so far. A run of the same code and seed takes the place of the one that was there.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, TypedDict, cast

from bench.keeping import Counts, Kept, OtherRun
from bench.referee import figures_of

RESULTS: Final = Path(__file__).with_name("referee.json")
PAGE: Final = Path(__file__).parents[1] / "docs/referee.md"
DIGITS: Final = 12  # of a digest that the page shows

WORDS: Final = {
    "full": "straight, at 100 % of a speed limit",
    "even": "straight, at an even speed",
    "wave": "to and fro about a straight line",
    "smooth": "eased in and out",
    "crate": "a hand that goes into a crate",
    "fold": "straight at full speed to where the arm touches itself",
    "slot": "through a slot that the hand just fits",
    "relay": "taken over in the middle of a plan",
    "grip": "with fingers that move",
}
HEAD: Final = """# The referee

Written by `make referee KEEP=...` (`.venv/bin/python -m bench.referee_page`); do not edit.

Random triples of a robot, a cell and a chunk go through the judge; what it permits, rows and brake, is swept by engines
that share none of its code: Pinocchio's kinematics and coal's distances, at samples no more than 1 mm apart, finer
where two are near, and with every joint off by its tracking error where that brings the nearest two nearer. Where they
are nearest PyBullet is asked, too. *Touching*: what was proposed touches by more than 0.1 mm. *Missed*: what was
permitted does. *Clear*: what was proposed keeps more than the stated margin (`bench/referee.py` says what that is) and
no other limit is violated. *False refusals*: clear, and refused or cut by a clearance rule; beside them the one-sided
95 % bound of Clopper and Pearson on their share.

`make referee N=10000` is such a run; with `KEEP=runs.jsonl` it goes on where it was stopped, and a file of other code
is refused. A run's code is the digest of all that judges and of all that draws and sweeps what is judged.

| code | seed | cases | touching | missed | clear | false refusals | their share, at most |
|---|---:|---:|---:|---:|---:|---:|---:|"""


class Run(TypedDict):
    """One run: whose, of which cases (from, up to), what came of them, and of how many robots and kinds they were."""

    code: str
    seed: int
    cases: list[list[int]]
    figures: dict[str, int | float]
    robots: dict[str, int]
    kinds: dict[str, int]


def run_of(code: str, seed: int, done: Sequence[Counts]) -> Run:
    """What a kept file holds; raises ValueError where that is nothing."""
    if not done:
        raise ValueError("no task of the run is done")
    cases: list[list[int]] = []
    for one in sorted(done, key=lambda one: one.first):
        if cases and cases[-1][1] == one.first:
            cases[-1][1] = one.end
        else:
            cases.append([one.first, one.end])
    robots, kinds = Counter[str](), Counter[str]()
    for one in done:
        robots.update(one.robots)
        kinds.update(one.kinds)
    return Run(
        code=code, seed=seed, cases=cases, figures=figures_of(done), robots=dict(sorted(robots.items())),
        kinds=dict(sorted(kinds.items())),
    )  # fmt: skip


def with_run(runs: Sequence[Run], new: Run) -> list[Run]:
    """The runs, in order, and a new one in the place of one of the same code and seed."""
    return [run for run in runs if (run["code"], run["seed"]) != (new["code"], new["seed"])] + [new]


def page(runs: Sequence[Run]) -> str:
    """The page's text."""
    lines = [HEAD, *(_row(run) for run in runs)]
    robots, kinds, besides = Counter[str](), Counter[str](), Counter[str]()
    for run in runs:
        robots.update(run["robots"])
        for name, count in run["kinds"].items():
            kind, *more = name.split("-")
            kinds[kind] += count
            besides.update(dict.fromkeys(more, count))
    for title, counts in (("robot", robots), ("motion", kinds), ("of all of these", besides)):
        lines += ["", f"| {title} | cases |", "|---|---:|"]
        lines += [f"| {WORDS.get(name, name)} | {count:,} |" for name, count in counts.most_common()]
    return "\n".join(lines) + "\n"


def _row(run: Run) -> str:
    told = run["figures"]
    cells = (
        f"`{run['code'][:DIGITS]}`", run["seed"], f"{told['cases']:,}", f"{told['touching']:,}", told["missed"],
        f"{told['clear']:,}", told["false_refusals"], f"{float(told['false_refusal_upper95']) * 100.0:.2g} %",
    )  # fmt: skip
    return "| " + " | ".join(map(str, cells)) + " |"


def read(path: Path = RESULTS) -> list[Run]:
    """The runs that are on file."""
    return cast("list[Run]", json.loads(path.read_text(encoding="utf-8")))


def main(arguments: Sequence[str], results: Path = RESULTS, text: Path = PAGE) -> int:
    """The command; its exit code, 2 where the kept run is of other code."""
    parser = argparse.ArgumentParser(description="Writes docs/referee.md, and adds a kept run to what it shows.")
    parser.add_argument("kept", type=Path, nargs="?", help="a file that `make referee KEEP=...` wrote")
    parser.add_argument("--seed", type=int, default=1, help="the run's")
    given = parser.parse_args(arguments)
    runs = read(results)
    if given.kept is not None:
        try:
            kept = Kept(given.kept, given.seed)
            runs = with_run(runs, run_of(kept.code, given.seed, kept.done))
        except (OtherRun, ValueError) as error:
            print(error, file=sys.stderr)
            return 2
        results.write_text(json.dumps(cast("Any", runs), indent=1) + "\n", encoding="utf-8")
    text.write_text(page(runs), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
