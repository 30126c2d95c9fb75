"""The command `interlock demo`: its options. What it does is `demo_run.py`, which needs the physics."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal

import typer

QUICK_SEEDS, FULL_SEEDS = 3, 20
RUNS: Final = Path("audit_logs/runs")


def demo(
    *,
    quick: Annotated[bool, typer.Option("--quick", help=f"{QUICK_SEEDS} seeds instead of {FULL_SEEDS}.")] = False,
    seeds: Annotated[int | None, typer.Option("--seeds", min=1, help="So many seeds.")] = None,
    rules: Annotated[str, typer.Option("--rules", help="The rule set.")] = "panda-tabletop",
    directory: Annotated[Path | None, typer.Option("--log", help=f"Where the record goes; new in {RUNS}.")] = None,
    processes: Annotated[int, typer.Option("--processes", min=1)] = 2,
    realtime: Annotated[bool, typer.Option("--realtime", help="Simulated time no faster than real.")] = False,
    form: Annotated[Literal["text", "json"], typer.Option("--format")] = "text",
    policy: Annotated[
        Literal["qwen-vla-tiny"] | None,
        typer.Option("--policy", help="An untrained model in the place of expert and faults; needs torch."),
    ] = None,
) -> None:
    """Nominal episodes and every fault, without and with the supervisor: --quick takes about a minute.

    With --policy the tasks, by a policy that knows nothing: what it proposes is judged like anything else.
    Exit 1: it did not show what it promises; 70: a picture could not be drawn.
    """
    from .demo_run import Wanted, run_demo  # noqa: PLC0415 - the physics, which --help needs not

    count = seeds or (QUICK_SEEDS if quick else FULL_SEEDS)
    raise typer.Exit(run_demo(Wanted(count, rules, directory, RUNS, processes, realtime, form, policy)))
