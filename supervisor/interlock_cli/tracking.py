"""`interlock tracking`: how closely the simulated arm follows its commands, beside what its profile states."""

from __future__ import annotations

import json
from typing import Annotated, Literal

import typer

from interlock_rules import load


def tracking(
    rules: Annotated[str, typer.Option("--rules", help="The rule set, for its robot and cell.")] = "panda-tabletop",
    form: Annotated[Literal["text", "json"], typer.Option("--format")] = "text",
) -> None:
    """Measures the tracking error of the simulated arm at up to 90 % of its speed. Exit 1: the profile states less."""
    from interlock_sim.tracking import measure_tracking  # noqa: PLC0415 - the physics, which --help needs not

    rule_set = load(rules)
    found = measure_tracking(rule_set.profile, rule_set.cell)
    stated = [joint.tracking for joint in rule_set.profile.joints]
    if form == "json":
        rows = [{"joint": one.joint, "error_rad": one.error_rad, "speed_rad_s": one.speed_rad_s} for one in found]
        typer.echo(json.dumps(rows, indent=2))
    else:
        for one, limit in zip(found, stated, strict=True):
            typer.echo(f"{one.line}; the profile states {1e3 * limit:.3g} mrad")
    kept = all(one.error_rad <= limit for one, limit in zip(found, stated, strict=True))
    raise typer.Exit(0 if kept else 1)
