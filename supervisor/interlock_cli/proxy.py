"""`interlock proxy`: in the place of a policy's server, for a client that is not changed. What it needs of the physics
and of the network is imported when it runs.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from interlock.errors import UnusableInput
from interlock.jsonform import from_json
from interlock.scene import Scene
from interlock_rules import load
from interlock_rules.quantities import parse_quantity

from .check import read_json
from .printing import print_line
from .proxy_options import (  # the command line reads them when it starts
    Certificate,
    CertificateKey,
    ClientAuthority,
    Deadline,
    HeldRows,
    Horizon,
    Lead,
    Listen,
    Log,
    Mapped,
    Rules,
    SceneFile,
    Settle,
    Token,
    UpstreamToken,
)  # fmt: skip

if TYPE_CHECKING:
    from interlock.rules import RuleSet
    from interlock.supervisor import Supervisor
    from interlock_policies.proxy.frame import Session

    from .proxy_file import ProxyMap

MISSING: Final = "the proxy needs msgpack and websockets; install interlock-vla[proxy]"

app = typer.Typer(no_args_is_help=True)


@app.callback()
def proxy() -> None:
    """Stand between an unmodified client and its policy's server."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command line asks for, read and checked."""

    rules: RuleSet
    mapping: Path
    scene: Path | None
    horizon: int
    settle: int
    rows: int | None
    lead_ns: int
    log: Path


@app.command()
def openpi(
    upstream: Annotated[str, typer.Option("--upstream", help="The policy's server, as in ws://127.0.0.1:8000.")],
    rules: Rules,
    mapping: Mapped,
    horizon: Horizon,
    log: Log,
    *,
    listen: Listen = "127.0.0.1:8001",
    scene: SceneFile = None,
    settle: Settle = 2,
    rows: HeldRows = None,
    lead: Lead = "40 ms",
    deadline: Deadline = "5 s",
    token: Token = "",
    upstream_token: UpstreamToken = "",
    certificate: Certificate = None,
    key: CertificateKey = None,
    client_authority: ClientAuthority = None,
) -> None:
    """Take the place of an openpi policy server: what it answers is judged, and is at rest when the client asks again.

    One client at a time. Ends with SIGINT or SIGTERM. Exit 2: something in the options or files cannot be used.
    """
    try:
        from interlock_policies.proxy.answering import run  # noqa: PLC0415 - of an extra
        from interlock_policies.proxy.answering import upstream as upstream_of  # noqa: PLC0415
        from interlock_policies.proxy.listening import Listening, address  # noqa: PLC0415
        from interlock_policies.proxy.openpi import OpenpiProxy  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise UnusableInput(MISSING) from error
    from .proxy_file import of_one_array, read_map  # noqa: PLC0415

    listening = Listening(*address(listen), token, certificate, key, client_authority)
    wanted = Wanted(load(rules), mapping, scene, horizon, settle, rows, round(seconds("--lead", lead) * 1e9), log)
    behind = upstream_of(upstream, ("ws", "wss"), seconds("--deadline", deadline), upstream_token)
    with judging(wanted, of_one_array(read_map(mapping, wanted.rules))) as judge:
        name = f"openpi-{uuid.uuid4().hex[:12]}"
        run(OpenpiProxy(listening, behind, judge.supervisor, judge.session, judge.about, name), say_where)


@dataclass(frozen=True, slots=True)
class Judging:
    """What a dialect needs beside its network: the supervisor, its log open; new sessions by name; and what a client
    may be told of both.
    """

    supervisor: Supervisor
    session: Callable[[str], Session]
    about: Mapping[str, object]


def say_where(address: str) -> None:
    """Tells on the terminal where the proxy listens."""
    print_line(f"listening on {address}")


@contextmanager
def judging(wanted: Wanted, found: ProxyMap) -> Generator[Judging]:
    """Supervisor, physics and an open log, until the block is left. Raises UnusableInput for what can never work."""
    from interlock.bullet_physics import BulletPhysics  # noqa: PLC0415 - slow to import, and --help needs none
    from interlock.supervisor import Supervisor  # noqa: PLC0415
    from interlock_audit_logs import open_log  # noqa: PLC0415
    from interlock_policies.proxy.frame import Session, Timing, check  # noqa: PLC0415
    from interlock_policies.proxy.playing import Playing  # noqa: PLC0415

    from .real_time import RealTime  # noqa: PLC0415

    rules = wanted.rules
    playing = Playing(found.layout, rules.profile, rules.accepts.period_s, wanted.horizon, wanted.settle)
    rows = max(wanted.horizon, rules.accepts.rows_min) if wanted.rows is None else wanted.rows
    timing = Timing(wanted.lead_ns, rows)
    check(rules, playing, found.observing, timing)
    scene = scene_of(wanted.scene)
    physics = BulletPhysics(rules.profile, rules.cell)
    with open_log(wanted.log) as log:
        supervisor = Supervisor(rules, log, physics)
        about = {
            "rules": rules.name,
            "serial": rules.serial,
            "rules_digest": rules.digest,
            "profile_digest": rules.profile_digest,
            "layout": found.layout.name,
            "horizon": wanted.horizon,
        }

        def open_session(name: str) -> Session:
            return Session(name, supervisor, physics, playing, found.observing, scene, RealTime(), timing)

        print_line(f"{rules.name}, serial {rules.serial}; the record is in {wanted.log}")
        yield Judging(supervisor, open_session, about)


def scene_of(path: Path | None) -> Callable[[int], Scene]:
    """The scene of a file, as if it were seen at every moment that is asked for; nobody looks where there is none."""
    if path is None:
        return lambda _: Scene(mode=None, objects=None)
    said = from_json(Scene, read_json(path), "scene")

    def as_of(now_ns: int) -> Scene:
        objects = None if said.objects is None else tuple(replace(item, seen_ns=now_ns) for item in said.objects)
        return replace(said, objects=objects)

    return as_of


def seconds(option: str, text: str) -> float:
    """The time [s] of an option; raises UnusableInput with its name."""
    try:
        return parse_quantity(text, "duration")
    except ValueError as error:
        raise UnusableInput(f"{option}: {error}") from error
