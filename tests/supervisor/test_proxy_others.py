"""`interlock proxy groot` and `openvla`: what their pages tell a reader to type works, and what cannot is said."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast
from urllib.request import Request, urlopen

import numpy as np
import pytest
import zmq
import zmq.asyncio
from typer.testing import CliRunner

from interlock.errors import UnusableInput
from interlock.rules import RuleSet
from interlock_audit_logs import verify
from interlock_cli import proxy_others
from interlock_cli.main import app
from interlock_cli.proxy_file import read_map
from interlock_policies.wire import groot, json_numpy
from interlock_policies.wire.json_numpy import Said
from interlock_rules import load
from tests.policies.proxy.wired import Loop
from tests.project.test_layout import ROOT
from tests.project.test_readme import Block, blocks, commands
from tests.supervisor.test_proxy import BUSY, running

UPSTREAMS = {"groot": "tcp://127.0.0.1:5555", "openvla": "http://127.0.0.1:8000"}


def page(dialect: str) -> list[Block]:
    return blocks((ROOT / f"docs/proxy-{dialect}.md").read_text(encoding="utf-8"))


def written(dialect: str, folder: Path) -> Path:
    """The mapping of a page, in a folder."""
    path = folder / "map.yaml"
    path.write_text(next(block.text for block in page(dialect) if block.language == "yaml"), encoding="utf-8")
    return path


def shown(dialect: str) -> tuple[list[str], list[str]]:
    """The two commands of a page."""
    example, serve = [words for block in page(dialect) if block.language == "sh" for words in commands(block)]
    return example, serve


@pytest.fixture(scope="module")
def rules() -> RuleSet:
    return load("panda-tabletop")


async def groot_that_stays(socket: zmq.asyncio.Socket) -> None:
    while True:
        request = cast("dict[str, Any]", groot.read(await socket.recv()))
        arm = request["data"]["observation"]["state"]["arm"]
        action: Any = {"arm": np.tile(arm, (1, 50, 1)), "gripper": np.full((1, 50, 1), 0.08)}
        await socket.send(groot.write([action, {}]))


async def openvla_that_stays(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    length = int(next(line for line in head.splitlines() if line.startswith("content-length:")).partition(":")[2])
    seen = cast("Mapping[str, Any]", json_numpy.read(await reader.readexactly(length)).value)
    said = json_numpy.write(Said(list(np.tile(np.append(seen["state"][:7], 0.08), (50, 1)))))
    writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(said)}\r\n\r\n".encode() + said)
    await writer.drain()
    writer.close()


def asked_of_groot(address: str, home: np.ndarray[Any, Any]) -> tuple[np.ndarray[Any, Any], Mapping[str, Any]]:
    seen: Any = {"state": {"arm": home[None, None], "gripper": np.ones((1, 1, 1))}, "language": {"task": [["go"]]}}
    with zmq.Context() as context, context.socket(zmq.REQ) as socket:
        socket.setsockopt(zmq.LINGER, 0)
        socket.setsockopt(zmq.RCVTIMEO, 60_000)
        socket.connect(f"tcp://{address}")
        socket.send(groot.write({"endpoint": "get_action", "data": {"observation": seen, "options": None}}))
        action, remarks = cast("tuple[Any, Any]", groot.read(socket.recv()))
    return np.concatenate([action["arm"][0], action["gripper"][0]], axis=1), remarks["interlock"]


def asked_of_openvla(address: str, home: np.ndarray[Any, Any]) -> tuple[np.ndarray[Any, Any], Mapping[str, Any]]:
    body = json_numpy.write(Said({"state": np.append(home, 1.0), "instruction": "go"}))
    request = Request(f"http://{address}/act", body, {"Content-Type": "application/json"})
    with urlopen(request, timeout=60.0) as reply:  # noqa: S310
        return np.array(json_numpy.read(reply.read()).value), json.loads(reply.headers["Interlock"])


@pytest.mark.slow
@pytest.mark.parametrize("dialect", UPSTREAMS)
def test_the_how_to_of_the_page_works(dialect: str, tmp_path: Path, rules: RuleSet) -> None:
    written(dialect, tmp_path)
    example, serve = shown(dialect)
    home = np.array(rules.profile.poses[0].positions)
    with Loop() as loop:
        port, leave = loop.run(standing(dialect))
        there = {
            UPSTREAMS[dialect]: f"{UPSTREAMS[dialect].rpartition(':')[0]}:{port}",
            serve[serve.index("--listen") + 1]: "127.0.0.1:0",
        }
        subprocess.run([sys.executable, "-m", "interlock_cli", *example[1:]], cwd=tmp_path, check=True)
        with running([there.get(word, word) for word in serve], tmp_path) as (process, address):
            rows, about = (asked_of_groot if dialect == "groot" else asked_of_openvla)(address, home)
            process.send_signal(signal.SIGTERM)
            ended = process.wait(60.0)
        loop.run(leave)

    assert ended == 0
    assert rows.shape == (50, 8)
    assert rows[:, :7] == pytest.approx(np.tile(home, (50, 1)), abs=1e-6)
    assert set(about["violated"]) <= {"check:state", *BUSY}  # at first nobody knows whether the robot rests
    assert verify(tmp_path / "record").ok


async def standing(dialect: str) -> tuple[int, Any]:
    """The port of a policy that stays where it is, and what ends it."""
    if dialect == "openvla":
        server = await asyncio.start_server(openvla_that_stays, "127.0.0.1", 0)

        async def close() -> None:
            server.close()

        return server.sockets[0].getsockname()[1], close()
    context = zmq.asyncio.Context()
    socket = context.socket(zmq.REP)
    port = socket.bind_to_random_port("tcp://127.0.0.1")
    task = asyncio.create_task(groot_that_stays(socket))

    async def end() -> None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        context.destroy(linger=0)

    return port, end()


@pytest.mark.parametrize("dialect", UPSTREAMS)
def test_the_options_are_those_of_openpi(dialect: str) -> None:
    def options(name: str) -> set[str]:
        return set(
            re.findall(r"--[a-z-]+", CliRunner().invoke(app, ["proxy", name, "--help"], env={"COLUMNS": "200"}).output)
        )

    tls = {"--tls-cert", "--tls-key", "--tls-client-ca"}
    assert options(dialect) == options("openpi") - (tls if dialect == "groot" else set())


COMMON = [
    ("--listen 0.0.0.0:8001", "whoever reaches this address could move the robot"),
    ("--listen 8001", "is no address"),
    ("--upstream ftp://robot", "an upstream's address begins with"),
    ("--lead 40", "--lead: '40' is not a quantity of duration"),
    ("--deadline 1h", "--deadline"),
    ("--horizon 3", "cannot be brought to rest"),
    ("--token short", "at least 16"),
    ("--map none.yaml", "cannot be read"),
    ("--scene none.json", "No such file"),
]


@pytest.mark.parametrize("dialect", UPSTREAMS)
@pytest.mark.parametrize(("words", "said"), COMMON)
def test_what_can_never_work_is_said_before_anybody_listens(
    tmp_path: Path, dialect: str, words: str, said: str
) -> None:
    result = invoked(dialect, written(dialect, tmp_path), *shlex.split(words))

    assert isinstance(result, UnusableInput)
    assert said in str(result)
    assert not Path("none").exists()


def invoked(dialect: str, mapping: Path, *words: str) -> BaseException | None:
    needed = {"--upstream": UPSTREAMS[dialect], "--rules": "panda-tabletop", "--horizon": "25", "--log": "none"}
    needed["--map"] = str(mapping)
    given = [word for name, value in needed.items() if name not in words for word in (name, value)]
    return CliRunner().invoke(app, ["proxy", dialect, *given, *words]).exception


@pytest.mark.parametrize("dialect", UPSTREAMS)
def test_without_its_libraries_a_proxy_says_what_to_install(
    tmp_path: Path, dialect: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, f"interlock_policies.proxy.{dialect}", None)

    assert str(invoked(dialect, written(dialect, tmp_path))) == proxy_others.MISSING


@pytest.mark.parametrize("dialect", ["openpi", "openvla"])
def test_groups_mean_nothing_to_a_policy_of_one_array(tmp_path: Path, dialect: str) -> None:
    found = (
        invoked_openpi(written("groot", tmp_path))
        if dialect == "openpi"
        else invoked(dialect, written("groot", tmp_path))
    )

    assert str(found) == "groups, batch and join are for GR00T alone; this policy says all columns in one array"


def invoked_openpi(mapping: Path) -> BaseException | None:
    options = ["--upstream", "ws://a:1", "--rules", "panda-tabletop", "--horizon", "25", "--log", "none"]
    return CliRunner().invoke(app, ["proxy", "openpi", *options, "--map", str(mapping)]).exception


def test_the_groups_of_the_page_are_read(tmp_path: Path, rules: RuleSet) -> None:
    path = written("groot", tmp_path)
    path.write_text(path.read_text() + "batch: none\njoin: [[observation, state, a], [observation, state, b]]\n")
    found = read_map(path, rules)

    assert [group.key for group in found.groups] == ["arm", "gripper"]
    assert found.groups[1].channels == ("hand",)
    assert not found.batched
    assert found.join == (("observation", "state", "a"), ("observation", "state", "b"))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("channels: [hand]", "channels: [fingers]", "must name each channel of the layout once"),
        ("channels: [hand]", "channels: []", "map.yaml:12:5: a group needs a key and channels"),
        ("key: gripper, channels", "key: arm, channels", "a group is named twice"),
    ],
)
def test_groups_that_are_not_the_layout_are_refused(tmp_path: Path, old: str, new: str, said: str) -> None:
    path = written("groot", tmp_path)
    path.write_text(path.read_text().replace(old, new))

    assert said in str(invoked("groot", path))
