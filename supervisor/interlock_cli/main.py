"""The command `interlock`: its version and the commands that it has; each command is a file of its own."""

from __future__ import annotations

import sys
from importlib.metadata import version
from pickle import UnpicklingError  # its error alone: nothing is unpickled here
from typing import Annotated, Final

import typer

from interlock.errors import InterlockError, UnusableInput

from . import audit, check, demo, proxy, proxy_others, rules, tracking, warm
from .plain import plain

UNUSABLE: Final = 2
BUG: Final = 70

app = typer.Typer(name="interlock", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.command("check")(check.check)
app.command("example")(check.example)
app.command("schema")(check.schema)
app.command("demo")(demo.demo)
app.command("tracking")(tracking.tracking)
app.command("warm")(warm.warm)
app.add_typer(rules.app, name="rules", help="Lint, test and describe rule sets.")
proxy.app.command("groot")(proxy_others.groot)
proxy.app.command("openvla")(proxy_others.openvla)
app.add_typer(proxy.app, name="proxy")
app.add_typer(audit.app, name="audit", help="Read, verify and replay the record.")


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
    """Runs the command that the arguments name; ends the process with its exit code, never with a traceback."""
    try:
        app()
    except UnusableInput as error:
        _say(str(error))
        sys.exit(UNUSABLE)
    except InterlockError as error:
        _say(f"{type(error).__name__}: {error}")
        sys.exit(UNUSABLE)
    except (UnpicklingError, EOFError) as error:  # numba met half a file in its cache, as a loss of power leaves it
        _say(f"what was compiled before cannot be read ({error}); run `interlock warm --fresh`")
        sys.exit(UNUSABLE)
    except Exception as error:  # noqa: BLE001 - the last line of the command: a bug says so, in one line
        _say(f"a bug in interlock: {type(error).__name__}: {error}")
        sys.exit(BUG)


def _say(text: str) -> None:
    for line in text.splitlines():
        print(plain(line), file=sys.stderr)  # noqa: T201 - the command line speaks here
