"""The options that every `interlock proxy` has, each said once; what becomes of them is for the commands."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Rules = Annotated[str, typer.Option("--rules", help="A shipped rule set by name, or a file.")]
Mapped = Annotated[Path, typer.Option("--map", help="What observations and actions mean, as YAML.")]
Horizon = Annotated[int, typer.Option("--horizon", help="How many rows of a reply the client plays.")]
Log = Annotated[Path, typer.Option("--log", help="Where the record goes.")]
Listen = Annotated[str, typer.Option("--listen", help="Where clients come in.")]
SceneFile = Annotated[
    Path | None, typer.Option("--scene", help="Mode and objects, as JSON; taken to be as they are said, always.")
]
Settle = Annotated[
    int, typer.Option("--settle", help="How many of these hold, so that the robot is at rest when it is observed.")
]
HeldRows = Annotated[
    int | None, typer.Option("--rows", help="Rows of a reply where the upstream gives none; as many as are played.")
]
Lead = Annotated[
    str, typer.Option("--lead", help="From the review's begin to the first row: the review, and the reply's way.")
]
Deadline = Annotated[str, typer.Option("--deadline", help="How long the upstream may take.")]
Token = Annotated[
    str, typer.Option("--token", envvar="INTERLOCK_PROXY_TOKEN", help="What a client must send as its key.")
]
UpstreamToken = Annotated[
    str, typer.Option("--upstream-token", envvar="INTERLOCK_UPSTREAM_TOKEN", help="The key for the upstream.")
]
Certificate = Annotated[Path | None, typer.Option("--tls-cert", help="The proxy's certificate, as PEM.")]
CertificateKey = Annotated[Path | None, typer.Option("--tls-key", help="Its key, as PEM.")]
ClientAuthority = Annotated[
    Path | None, typer.Option("--tls-client-ca", help="Whose certificates clients must show, as PEM.")
]
