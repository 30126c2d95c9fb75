"""`interlock warm`: compiles what is compiled once, so that no first review waits for it."""

from __future__ import annotations

from typing import Annotated

import typer

from .printing import counted, print_line


def warm(
    rules: Annotated[str, typer.Argument(help="A rule set, by name or path.")] = "panda-tabletop",
    *,
    fresh: Annotated[bool, typer.Option("--fresh", help="First forget what was compiled before.")] = False,
) -> None:
    """Compile the forecast's arithmetic into its cache, by letting every rule refuse the case that it must refuse."""
    from interlock import kernels  # noqa: PLC0415 - physics is loaded by the commands that need it
    from interlock.bullet_physics import BulletPhysics  # noqa: PLC0415
    from interlock.compiled import forget  # noqa: PLC0415
    from interlock.self_test import SelfTest  # noqa: PLC0415
    from interlock_rules import load  # noqa: PLC0415

    if fresh:
        print_line(f"{counted(forget(kernels.poses), 'file')} of compiled code forgotten")
    found = load(rules)
    physics = BulletPhysics(found.profile, found.cell)
    SelfTest(found, physics).require(found, physics)
    print_line(f"{found.name}: every rule refused its own case; what is compiled is in the cache.")
