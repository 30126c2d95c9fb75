"""`interlock proxy groot` and `interlock proxy openvla`: as `openpi`, for policies whose clients keep no connection."""

from __future__ import annotations

import uuid
from typing import Annotated, Final

import typer

from interlock.errors import UnusableInput
from interlock_rules import load

from .proxy import Wanted, judging, say_where, seconds
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

MISSING: Final = "this proxy needs h11, msgpack, pyzmq and websockets; install interlock-vla[proxy]"


def groot(
    upstream: Annotated[str, typer.Option("--upstream", help="The policy's server, as in tcp://127.0.0.1:5555.")],
    rules: Rules,
    mapping: Mapped,
    horizon: Horizon,
    log: Log,
    *,
    listen: Listen = "127.0.0.1:5556",
    scene: SceneFile = None,
    settle: Settle = 2,
    rows: HeldRows = None,
    lead: Lead = "40 ms",
    deadline: Deadline = "5 s",
    token: Token = "",
    upstream_token: UpstreamToken = "",
) -> None:
    """Take the place of a GR00T policy server: what it answers is judged, and is at rest when the client asks again.

    Its `kill` is not passed on. Ends with SIGINT or SIGTERM. Exit 2: something in the options or files cannot be used.
    """
    try:
        from interlock_policies.proxy.answering import run  # noqa: PLC0415 - of an extra
        from interlock_policies.proxy.answering import upstream as upstream_of  # noqa: PLC0415
        from interlock_policies.proxy.groot import GrootProxy, Groups  # noqa: PLC0415
        from interlock_policies.proxy.listening import Listening, address  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise UnusableInput(MISSING) from error
    from .proxy_file import read_map  # noqa: PLC0415

    behind = upstream_of(upstream, ("tcp",), seconds("--deadline", deadline), upstream_token)
    listening = Listening(*address(listen), token)
    wanted = Wanted(load(rules), mapping, scene, horizon, settle, rows, round(seconds("--lead", lead) * 1e9), log)
    found = read_map(mapping, wanted.rules)
    groups = Groups(found.layout, found.groups, found.batched)
    with judging(wanted, found) as judge:
        session = judge.session(f"groot-{uuid.uuid4().hex[:12]}")
        run(GrootProxy(listening, behind, judge.supervisor, session, groups, found.join), say_where)


def openvla(
    upstream: Annotated[str, typer.Option("--upstream", help="The policy's server, as in http://127.0.0.1:8000.")],
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
    """Take the place of an OpenVLA server of chunks: what it answers is judged, and at rest when the client asks again.

    Ends with SIGINT or SIGTERM. Exit 2: something in the options or files cannot be used.
    """
    try:
        from interlock_policies.proxy.answering import run  # noqa: PLC0415 - of an extra
        from interlock_policies.proxy.answering import upstream as upstream_of  # noqa: PLC0415
        from interlock_policies.proxy.listening import Listening, address  # noqa: PLC0415
        from interlock_policies.proxy.openvla import OpenvlaProxy  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise UnusableInput(MISSING) from error
    from .proxy_file import of_one_array, read_map  # noqa: PLC0415

    behind = upstream_of(upstream, ("http", "https"), seconds("--deadline", deadline), upstream_token)
    listening = Listening(*address(listen), token, certificate, key, client_authority)
    wanted = Wanted(load(rules), mapping, scene, horizon, settle, rows, round(seconds("--lead", lead) * 1e9), log)
    with judging(wanted, of_one_array(read_map(mapping, wanted.rules))) as judge:
        session = judge.session(f"openvla-{uuid.uuid4().hex[:12]}")
        run(OpenvlaProxy(listening, behind, judge.supervisor, session), say_where)
