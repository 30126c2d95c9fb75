"""`interlock proxy`: what docs/proxy.md tells a reader to type works, and what cannot work is said before anybody
listens.
"""

from __future__ import annotations

import json
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from typer.testing import CliRunner, Result
from websockets.asyncio.server import ServerConnection
from websockets.sync.client import ClientConnection, connect

from interlock.errors import UnusableInput
from interlock.geometry import Box, Pose
from interlock.jsonform import to_json, written_out
from interlock.rules import RuleSet
from interlock.scene import Scene, SceneObject
from interlock_audit_logs import read_log, verify
from interlock_cli import proxy as command
from interlock_cli.main import app
from interlock_cli.proxy_file import MapForm, read_map
from interlock_policies.wire import openpi as wire
from interlock_rules import load
from interlock_rules.reading import keys_at
from tests.policies.proxy.wired import Loop, closed, port_of, started_upstream
from tests.project.test_layout import ROOT
from tests.project.test_readme import blocks, commands

PAGE = (ROOT / "docs/proxy.md").read_text(encoding="utf-8")
MAP = next(block.text for block in blocks(PAGE) if block.language == "yaml")
SHOWN = [words for block in blocks(PAGE) if block.language == "sh" for words in commands(block)]


BUSY = {"check:freshness", "check:late", "check:log", "check:latch"}  # what a slow machine is refused for


@pytest.fixture(scope="module")
def rules() -> RuleSet:
    return load("panda-tabletop")


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    path = tmp_path / "map.yaml"
    path.write_text(MAP, encoding="utf-8")
    return path


async def stays(connection: ServerConnection, seen: Mapping[str, Any]) -> None:
    """A policy that stays where it is."""
    row = np.append(seen["observation/joint_position"], 0.08).astype(np.float32)
    await connection.send(wire.write({"actions": np.tile(row, (50, 1))}))


@contextmanager
def running(words: list[str], folder: Path) -> Generator[tuple[subprocess.Popen[str], str]]:
    """A command of the page in a folder, and the address at which it listens."""
    program = [sys.executable, "-m", "interlock_cli", *words[1:]]
    with subprocess.Popen(program, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            assert process.stdout is not None
            said = [process.stdout.readline(), process.stdout.readline()]
            found = re.search(r"listening on (\S+)", said[-1])
            assert found is not None, said + process.stdout.readlines()
            yield process, found[1]
        finally:
            process.kill()


@pytest.mark.slow
def test_the_how_to_of_the_page_works(tmp_path: Path, mapping: Path, rules: RuleSet) -> None:
    del mapping
    example, serve = SHOWN
    home = np.array(rules.profile.poses[0].positions)
    with Loop() as loop:
        upstream = loop.run(started_upstream(stays, None, greet=True))
        there = {"127.0.0.1:8001": "127.0.0.1:0", "ws://127.0.0.1:8000": f"ws://127.0.0.1:{port_of(upstream)}"}
        subprocess.run([sys.executable, "-m", "interlock_cli", *example[1:]], cwd=tmp_path, check=True)
        with running([there.get(word, word) for word in serve], tmp_path) as (process, address):
            with connect(f"ws://{address}", compression=None) as connection:
                metadata = heard(connection)
                seen: dict[str, Any] = {
                    "observation/joint_position": home,
                    "observation/gripper_position": np.ones(1),
                    "prompt": "go",
                }
                replies = [asked(connection, seen) for _ in range(2)]
            process.send_signal(signal.SIGTERM)
            ended = process.wait(60.0)
        loop.run(closed(upstream))

    assert ended == 0
    assert metadata["interlock"]["rules_digest"] == rules.digest
    for reply in replies:
        assert reply["actions"].shape == (50, 8)
        assert reply["actions"][:, :7] == pytest.approx(np.tile(home, (50, 1)), abs=1e-6)
    violated = {name for reply in replies for name in reply["interlock"]["violated"]}
    assert violated <= {"check:state", *BUSY}  # at first nobody knows whether the robot rests
    assert verify(tmp_path / "record").ok
    assert "review" in [record.kind for record in read_log(tmp_path / "record")]


def asked(connection: ClientConnection, seen: dict[str, Any]) -> dict[str, Any]:
    connection.send(wire.write(seen))
    return heard(connection)


def heard(connection: ClientConnection) -> dict[str, Any]:
    return cast("dict[str, Any]", wire.read(cast("bytes", connection.recv(60.0))))


def test_the_page_names_every_option_and_every_key_of_the_mapping() -> None:
    help_text = CliRunner().invoke(app, ["proxy", "openpi", "--help"], env={"COLUMNS": "200"}).output
    options = set(re.findall(r"--[a-z-]+", help_text)) - {"--help"}

    assert options == set(re.findall(r"`(--[a-z-]+)`", PAGE.partition("## Options")[2]))
    assert set(keys_at(MapForm, ())) <= set(re.findall(r"`([a-z]+)`", PAGE)) | {"format"}


def invoked(*words: str) -> Result:
    needed = {"--upstream": "ws://127.0.0.1:1", "--rules": "panda-tabletop", "--horizon": "25", "--log": "none"}
    given = [word for name, value in needed.items() if name not in words for word in (name, value)]
    return CliRunner().invoke(app, ["proxy", "openpi", *given, *words])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--listen 0.0.0.0:8001", "whoever reaches this address could move the robot"),
        ("--listen 8001", "is no address"),
        ("--upstream http://robot", "begins with ws://"),
        ("--lead 40", "--lead: '40' is not a quantity of duration"),
        ("--deadline 1h", "--deadline"),
        ("--lead '60 ms'", "must be shorter than a state may be old"),
        ("--horizon 3", "cannot be brought to rest"),
        ("--rows 20", "20 rows of a reply, of which 25 are played"),
        ("--rows 65", "accepts 10 to 64 rows"),
        ("--token short", "at least 16"),
        ("--map none.yaml", "cannot be read"),
        ("--scene none.json", "No such file"),
        ("--rules none", "no file"),
    ],
)
def test_what_can_never_work_is_said_before_anybody_listens(mapping: Path, words: str, said: str) -> None:
    given = shlex.split(words)
    result = invoked(*([] if "--map" in given else ["--map", str(mapping)]), *given)

    assert isinstance(result.exception, UnusableInput)
    assert said in str(result.exception)
    assert not Path("none").exists()


def test_without_its_libraries_the_proxy_says_what_to_install(mapping: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "interlock_policies.proxy.openpi", None)

    result = invoked("--map", str(mapping))

    assert str(result.exception) == command.MISSING


def test_a_scene_of_a_file_is_as_it_is_said_at_every_moment(tmp_path: Path) -> None:
    said = Scene("manual", (SceneObject("box", Box((0.1, 0.1, 0.1)), Pose(), 1, 0.002, 0.0),), None)
    path = tmp_path / "scene.json"
    path.write_text(json.dumps(written_out(to_json(said))), encoding="utf-8")

    scene = command.scene_of(path)

    assert scene(7) == replace(said, objects=tuple(replace(item, seen_ns=7) for item in said.objects or ()))
    assert command.scene_of(None)(7) == Scene(None, None)


def test_the_mapping_of_the_page_is_read(mapping: Path, rules: RuleSet) -> None:
    found = read_map(mapping, rules)

    assert found.layout.name == "panda-joint-absolute"
    assert found.observing.joints.key == ("observation/joint_position",)
    assert found.observing.hands[0].open == 1.0
    assert found.observing.velocities is None


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("layout: panda-joint-absolute", "layout: absolute", r"map.yaml:2:9: no layout that panda-tabletop accepts"),
        ("unit: rad", "unit: degrees", r"map.yaml:6:9: \"degrees\" is not one of rad, deg"),
        ("panda_joint7]", "panda_joint6]", r"joints: names .*; the robot has panda_joint1"),
        ("name: hand", "name: fingers", r"grippers: names fingers; the robot has hand"),
        ("open: 1}", "open: 0}", r"map.yaml:8:5: gripper 'hand': closed and open must differ"),
        ("prompt: prompt", "promt: prompt", r"map.yaml:9:1: unknown key \"promt\""),
        ("prompt: prompt", "prompt: prompt\nprompt: prompt", r"map.yaml:10"),
        ("closed: 0", "closed: .nan", r"map.yaml:8"),
        ("proxy-map/1", "proxy-map/2", r"map.yaml:1"),
    ],
)
def test_F04_what_is_wrong_in_a_mapping_is_said_with_its_place(
    mapping: Path, rules: RuleSet, old: str, new: str, said: str
) -> None:
    assert old in MAP
    mapping.write_text(MAP.replace(old, new), encoding="utf-8")

    with pytest.raises(UnusableInput, match=said):
        read_map(mapping, rules)


def test_entries_may_lie_deeper_and_speeds_be_measured(mapping: Path, rules: RuleSet) -> None:
    joints = re.search(r"joints:\n(  .*\n)+", MAP)
    assert joints is not None
    speeds = joints[0].replace("position", "velocity")
    speeds = speeds.replace("joints:", "velocities:").replace("unit: rad", "unit: deg/s\n  first: 7")
    nested = MAP.replace("key: observation/joint_position", "key: [observation, state]").replace("prompt: prompt", "")
    mapping.write_text(f"{nested}{speeds}images: [front, [images, wrist]]\n", encoding="utf-8")

    found = read_map(mapping, rules).observing

    assert found.joints.key == ("observation", "state")
    assert found.velocities is not None
    assert (found.velocities.unit, found.velocities.first) == ("deg/s", 7)
    assert (found.images, found.prompt) == ((("front",), ("images", "wrist")), None)
