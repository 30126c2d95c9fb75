"""Real motion through the supervisor: how much of what a real robot executed is refused or amended, and why.

`make recordings` reads the recorded episodes beside this repository, prints a page, and ends with its figures as one
line of JSON; `--write` keeps the page as docs/recordings.md. Exit code 1: something was refused, nobody knows why.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import track

from bench.causes import UNKNOWN, Outcome, outcome
from bench.episodes import Episode, read_episodes
from bench.replaying import pieces
from bench.shape import EVERY, SHARES, refused, remains, section
from bench.telling import by_cause, page, reactions
from interlock import BulletPhysics
from interlock.rules import RuleSet
from interlock_rules import load

ROOT: Final = Path(__file__).parents[1]
DATA: Final = ROOT.parent / "shared/data/g1_teleop"
PAGE: Final = ROOT / "docs/recordings.md"
RULES: Final = "g1-upper-body"


def replayed(episodes: Sequence[Episode], rules: RuleSet) -> tuple[Outcome, ...]:
    """Every chunk of every episode, decided."""
    physics = BulletPhysics(rules.profile, rules.cell)
    cut = [piece for episode in episodes for piece in pieces(episode, rules)]
    return tuple(outcome(piece, physics) for piece in track(cut, "chunks", console=Console(stderr=True)))


def figures(outcomes: Sequence[Outcome]) -> dict[str, object]:
    """The numbers of the page, for machines."""
    rules: dict[str, dict[str, int]] = {}
    for one in outcomes:
        for name in {finding.rule for finding, _ in one.violations}:
            counts = rules.setdefault(name, {"refused": 0, "amended": 0})
            counts["amended" if one.decision.permitted else "refused"] += 1
    return {
        "episodes": len({one.piece.episode.index for one in outcomes}),
        "chunks": len(outcomes),
        **dict(sorted(reactions(outcomes).items())),
        "rules": rules,
        "causes": dict(sorted(by_cause(outcomes).items())),
    }


def main(arguments: Sequence[str]) -> int:
    """The command; its exit code."""
    parser = argparse.ArgumentParser(description="Recorded motion of a real robot through the supervisor.")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the data set (LeRobot v2.1)")
    parser.add_argument("--episodes", type=int, help="only so many")
    parser.add_argument("--write", action="store_true", help=f"keep the page as {PAGE.relative_to(ROOT)}")
    given = parser.parse_args(arguments)
    try:
        episodes = read_episodes(given.data)
    except FileNotFoundError as error:
        print(f"{error}; name the folder of 50 episodes of G1-policy-train with --data", file=sys.stderr)
        return 2
    rules, episodes = load(RULES), episodes[: given.episodes]
    outcomes = replayed(episodes, rules)
    shaped = remains(episodes[::EVERY], rules)
    text = "\n".join([page(outcomes).rstrip(), *section(shaped, episodes, rules)])
    if given.write:
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(text, encoding="utf-8")
    print(text)
    near = {f"{share:.0%}": refused(shaped, rules, share) for share in SHARES}
    print(json.dumps({**figures(outcomes), "too_near_at_tracking": near}))
    return 1 if by_cause(outcomes)[UNKNOWN.name] or refused(shaped, rules, SHARES[-1]) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
