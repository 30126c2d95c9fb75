"""Mutation: changes the judging code in a copy, one small change at a time, and lists what no test notices.

`make mutate` takes a sample; `.venv/bin/python -m bench.mutate --sample 0` takes all. First come a mutant that must die
and a change of nothing that must live, so that a broken set-up is not taken for a good result. The last line is JSON.

A driver of our own, because no maintained one fits: mutmut 3 knows sources in `./`, `src/` and `source/` only;
cosmic-ray changes the working tree, runs one command for all files, and deletes no statements.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import tomllib
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import track

from bench.copies import Copies, Target
from bench.mutants import Mutant, mutants

ROOT: Final = Path(__file__).parents[1]
SURVIVORS: Final = Path(__file__).with_name("survivors.toml")
CORE: Final = (
    "amend", "braking", "build", "cartesian", "case", "checks", "decide", "forecast", "inverse", "judge", "lower",
    "mesh_formats", "motion", "obstacles", "pairs", "question", "reach", "rotations", "shapes", "slowing", "verdict",
)  # fmt: skip
KINDS: Final = (
    "answers", "approach", "bodies", "clearance", "contact", "gripper", "joints", "mesh_file", "pairs", "people",
    "per_joint", "prisms", "regions", "separation", "singularity", "split_cache", "splitter", "splitting", "surfaces",
    "swept", "tool", "torque", "traces", "zones",
)  # fmt: skip
CANARY: Final = (
    "interlock.verdict.Verdict.allowed: "
    "'return bool(enforced) and all((finding.ok for finding in enforced))' -> 'return True'"
)


@dataclass(frozen=True, slots=True)
class Change:
    """One mutant of one target, whose source was `original`."""

    target: Target
    mutant: Mutant
    original: bytes

    def dies(self, copies: Copies) -> bool:
        """Whether a test notices."""
        return copies.fail(self.target, self.mutant.applied(self.original))


@dataclass(frozen=True, slots=True)
class Report:
    """How many mutants were tried, and which of them no test noticed."""

    tried: int
    survivors: tuple[Change, ...]


def judging_code(root: Path) -> tuple[Target, ...]:
    """The files that decide what is permitted, as far as they are there, each with its own tests first."""
    paths = [root / "supervisor/interlock" / f"{name}.py" for name in CORE]
    paths += [root / "rules/interlock_rules" / f"{name}.py" for name in KINDS]
    return tuple(_target(root, path) for path in paths if path.is_file())


def _target(root: Path, path: Path) -> Target:
    folder = f"tests/{path.relative_to(root).parts[0]}"
    mirror = f"{folder}/test_{path.stem}.py"
    return Target(path.relative_to(root).as_posix(), (mirror, folder) if (root / mirror).is_file() else (folder,))


def changes(root: Path, targets: Sequence[Target]) -> tuple[Change, ...]:
    """Every mutant of every target."""
    sources = {target: (root / target.path).read_bytes() for target in targets}
    return tuple(
        Change(target, mutant, source)
        for target, source in sources.items()
        for mutant in mutants(source, ".".join(Path(target.path).with_suffix("").parts[-2:]))
    )


def mutate(candidates: Sequence[Change], chosen: Sequence[Change], canary: str, copies: Copies, workers: int) -> Report:
    """Tries the chosen mutants. Raises RuntimeError where that proves nothing: the canary lives, or a no-op dies."""

    def dies(change: Change) -> bool:
        return change.dies(copies)

    _prove(candidates, chosen, canary, copies)
    with ThreadPoolExecutor(workers) as pool:
        killed = list(track(pool.map(dies, chosen), "mutants", len(chosen), console=Console(stderr=True)))
    return Report(len(chosen), tuple(change for change, dead in zip(chosen, killed, strict=True) if not dead))


def _prove(candidates: Sequence[Change], chosen: Sequence[Change], canary: str, copies: Copies) -> None:
    bird = next((change for change in candidates if change.mutant.name == canary), None)
    if bird is None:
        raise RuntimeError(f"no mutant is called {canary!r}; name another canary")
    widest = {change.target.tests[-1]: change for change in (bird, *chosen)}  # the others are part of it
    for tests, change in widest.items():
        target = Target(change.target.path, (tests,))
        if replace(change, target=target, mutant=Mutant("nothing", 1, 0, 0, "")).dies(copies):
            raise RuntimeError(f"{tests}: fails without any change; mend that first")
    if not bird.dies(copies):
        raise RuntimeError(f"the canary lives: {canary}; these tests see nothing")


def explained(candidates: Sequence[Change], reasons: Mapping[str, str]) -> list[str]:
    """What is wrong with the reviewed reasons: names of mutants that do not exist (any more), and empty reasons."""
    known = {change.mutant.name for change in candidates}
    return [f"no such mutant: {name}" for name in reasons if name not in known] + [
        f"no reason given: {name}" for name, reason in reasons.items() if not reason.strip()
    ]


def shown(report: Report, reasons: Mapping[str, str], problems: Collection[str]) -> int:
    """Prints survivors, with their reasons, and the figures as JSON; the exit code: 1 if a survivor is unexplained."""
    names = [change.mutant.name for change in report.survivors]
    for change in report.survivors:
        name = change.mutant.name
        print(f"{change.target.path}:{change.mutant.line}: lives: {name}\n    {reasons.get(name, 'NOT EXPLAINED')}")
    for problem in problems:
        print(f"bench/survivors.toml: {problem}")
    figures = {
        "mutants": report.tried,
        "killed": report.tried - len(names),
        "survived": len(names),
        "explained": sum(name in reasons for name in names),
    }
    print(json.dumps(figures))
    return 1 if problems or figures["explained"] < figures["survived"] else 0


def main(arguments: Sequence[str]) -> int:
    """The command; its exit code."""
    parser = argparse.ArgumentParser(description="Which small changes to the judging code no test notices.")
    parser.add_argument("--sample", type=int, default=200, help="how many mutants to try (0: all); default 200")
    parser.add_argument("--seed", type=int, default=1, help="which of them")
    parser.add_argument("--workers", type=int, default=2, help="how many at the same time")
    parser.add_argument(
        "--only", default="", help="only mutants whose name begins with this, as in interlock.judge.worst"
    )
    given = parser.parse_args(arguments)
    candidates = changes(ROOT, judging_code(ROOT))
    chosen = [change for change in candidates if change.mutant.name.startswith(given.only)]
    if 0 < given.sample < len(chosen):
        chosen = random.Random(given.seed).sample(chosen, given.sample)  # noqa: S311 - no secret
    reasons = tomllib.loads(SURVIVORS.read_text(encoding="utf-8"))
    print(f"{len(chosen)} of {len(candidates)} mutants, seed {given.seed}")
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        copies = Copies(ROOT, Path(folder), given.workers, ("--seed=1",))
        report = mutate(candidates, chosen, CANARY, copies, given.workers)
    return shown(report, reasons, explained(candidates, reasons))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
