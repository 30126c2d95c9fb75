"""The command `interlock`: its version and the commands that it has; each command is a file of its own."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated

import typer

app = typer.Typer(name="interlock", no_args_is_help=True, add_completion=False)


def _print_version(*, wanted: bool) -> None:
    """Prints the version of the distribution and ends the command, if that was asked for."""
    if wanted:
        typer.echo(f"interlock {version('interlock-vla')}")
        raise typer.Exit


@app.callback()
def interlock(
    *, _version: Annotated[bool, typer.Option("--version", callback=_print_version, is_eager=True)] = False
) -> None:
    """A safety supervisor between vision-language-action policies and robots."""


def main() -> None:
    """Runs the command that the arguments name; ends the process with its exit code."""
    app()
