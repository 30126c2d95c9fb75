"""openpi-client as it is published, in front of the proxy: it does the task of our cell, with the scripted expert as
the policy behind, and it survives what a hostile server sends.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import pytest
from websockets.asyncio.server import ServerConnection

from interlock.arrays import frozen
from interlock.bullet_physics import BulletPhysics
from interlock.motion import Reference
from interlock.robots import Asked
from interlock.scene import RobotState, Scene
from interlock.supervisor import Supervisor
from interlock_audit_logs import blob_reader, fingerprint, open_log, read_log, replay, verify
from interlock_cli.again import open_again
from interlock_policies.proxy.answering import upstream
from interlock_policies.proxy.frame import Session, Timing
from interlock_policies.proxy.listening import Listening
from interlock_policies.proxy.observing import HandAt, JointsAt, Observing
from interlock_policies.proxy.openpi import OpenpiProxy
from interlock_policies.proxy.playing import Playing
from interlock_policies.wire import openpi as wire
from interlock_rules import load
from interlock_sim.episode import Episode, set_stage
from interlock_sim.expert import Expert
from interlock_sim.robot import Sensors, SimClock
from interlock_sim.track import spliced
from tests.policies.proxy.hostile import HOSTILE
from tests.policies.proxy.wired import Loop, Wired, closed, port_of, started_upstream

SCRIPT = Path(__file__).with_name("unmodified_client.py")
HORIZON = 25
PERIOD_NS = 20_000_000
LATENCY_NS = 30_000_000
MOST_STEPS = 6000


@dataclass(frozen=True, slots=True)
class Client:
    """The script: one observation in, one row out."""

    process: subprocess.Popen[str]
    metadata: Mapping[str, Any]

    def infer(self, observation: Mapping[str, Any]) -> dict[str, Any]:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(observation) + "\n")
        self.process.stdin.flush()
        return self.read(self.process)

    @staticmethod
    def read(process: subprocess.Popen[str]) -> dict[str, Any]:
        assert process.stdout is not None
        found: dict[str, Any] = json.loads(process.stdout.readline())
        return found


@contextmanager
def unmodified(python: str, port: int, horizon: int = HORIZON) -> Generator[Client]:
    """The published client, in its own environment."""
    with subprocess.Popen(
        [python, "-I", str(SCRIPT), str(port), str(horizon)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield Client(process, Client.read(process))
        finally:
            process.kill()


class Cell:
    """The simulated cell: what the client observes of it, and its robot going where each row says."""

    def __init__(self, seed: int) -> None:
        self.rules = load("panda-tabletop")
        self._stage = set_stage(self.rules.profile, self.rules.cell, Episode("pick_and_place", seed))
        self.world, self.task, self.tool = self._stage.world, self._stage.task, self._stage.tool
        _, self._scene = Sensors(self.world, "automatic", self.task.target).read()
        rng = Episode("pick_and_place", seed).rng()
        self._expert = Expert(self.task.path(self.rules.profile, self.tool, rng), rng)
        self._told = np.array([self.task.hand])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.world.close()

    @property
    def done(self) -> bool:
        return self.task.done(self.world, self.tool)

    def scene(self, now_ns: int) -> Scene:
        """What stays where it is, as a file says it: of what is carried about the proxy sees nothing."""
        kept = tuple(item for item in self._scene.objects or () if item.name != self.task.target)
        return Scene("automatic", tuple(replace(item, seen_ns=now_ns) for item in kept))

    def observation(self) -> dict[str, Any]:
        return {
            "observation/joint_position": list(self.world.positions),
            "observation/joint_velocity": list(self.world.velocities),
            "observation/gripper_position": [self.world.grippers[0] / 0.08],
            "prompt": self.task.instruction,
        }

    def play(self, row: list[float]) -> None:
        """Goes towards a row for one period."""
        now = self.world.now_ns
        joints, _ = self.world.track.window(now, 1)
        times = np.array([now, now + PERIOD_NS], dtype=np.int64)
        self._told = np.array(row[7:])
        hands = np.tile(self._told, (2, 1))
        self.world.follow(spliced(self.world.track, times, np.vstack([joints, [row[:7]]]), hands, now))
        self.world.run_until(now + PERIOD_NS)

    async def policy(self, connection: ServerConnection, seen: Mapping[str, Any]) -> None:
        """The expert as a policy's server; it takes a while, in which the robot stands."""
        now, joints = self.world.now_ns, frozen(np.array(seen["observation/joint_position"], dtype=np.float64))
        rest = np.zeros(7)
        state = RobotState(now, self.rules.profile.joint_names, joints, rest, self._told)
        reference = Reference(joints, frozen(rest), frozen(rest.copy()), frozen(self._told.copy()))
        rows = self._expert.rows(Asked(now, state, self.scene(now), now, reference, 0))
        self.world.run_until(now + LATENCY_NS)
        await connection.send(wire.write({"actions": rows.astype(np.float32), "server_timing": {"infer_ms": 30.0}}))


def session_of(cell: Cell, supervisor: Supervisor, physics: BulletPhysics, name: str) -> Session:
    """What `interlock proxy openpi` opens, on the simulation's clock."""
    profile, rules = cell.rules.profile, cell.rules
    names = profile.joint_names
    observing = Observing(
        profile,
        JointsAt(("observation/joint_position",), names, "rad"),
        (HandAt(("observation/gripper_position",), "hand", 0.0, 1.0),),
        JointsAt(("observation/joint_velocity",), names, "rad/s"),
        ("prompt",),
    )
    playing = Playing(rules.accepts.layouts[0], profile, rules.accepts.period_s, HORIZON)
    return Session(
        name, supervisor, physics, playing, observing, cell.scene, SimClock(cell.world), Timing(PERIOD_NS, 50)
    )


@pytest.mark.slow
def test_the_unmodified_client_does_the_task_of_the_cell_through_the_proxy(openpi_python: str, tmp_path: Path) -> None:
    with Cell(0) as cell, Loop() as loop:
        physics = BulletPhysics(cell.rules.profile, cell.rules.cell)
        reactions = list[str]()
        with open_log(tmp_path) as log:
            supervisor = Supervisor(cell.rules, log, physics, now_ns=lambda: cell.world.now_ns, elapsed_ns=lambda: 0)
            server = loop.run(started_upstream(cell.policy, None, greet=True))
            proxy = OpenpiProxy(
                Listening("127.0.0.1", 0), upstream(f"ws://127.0.0.1:{port_of(server)}", ("ws",), 30.0), supervisor,
                lambda name: session_of(cell, supervisor, physics, name), {"rules": cell.rules.name}, "openpi",
            )  # fmt: skip
            port = int(loop.run(proxy.start()).rpartition(":")[2])
            with unmodified(openpi_python, port) as client:
                for step in range(MOST_STEPS):
                    if step % HORIZON == 0 and (cell.done or supervisor.memory.state == "stopped"):
                        break
                    row = client.infer(cell.observation())
                    if step % HORIZON == 0:
                        reactions.append(row["interlock"]["reaction"])
                    cell.play(row["actions"])
            loop.run(proxy.stop())
            loop.run(closed(server))
        watch = cell.world.watch

        assert client.metadata == {"name": "toy", "interlock": {"rules": "panda-tabletop"}}
        assert cell.done, reactions
        assert watch.contacts == []
        assert watch.excesses == {}
        assert reactions.count("permit") > 0.8 * len(reactions)
    assert verify(tmp_path).ok
    assert replay(read_log(tmp_path), blob_reader(tmp_path), open_again(), environment=fingerprint()).ok


@pytest.mark.slow
def test_F45_F46_the_unmodified_client_survives_a_hostile_server(openpi_python: str, tmp_path: Path) -> None:
    kinds = iter(HOSTILE.values())

    async def hostile(connection: ServerConnection, seen: Mapping[str, Any]) -> None:
        behave, _ = next(kinds)
        await behave(connection, seen)

    with Wired(tmp_path, hostile) as wired, unmodified(openpi_python, wired.port, 1) as client:
        for _ in HOSTILE:
            wired.desk.time.ns += PERIOD_NS
            seen = {
                name: value.tolist() if isinstance(value, np.ndarray) else value
                for name, value in wired.desk.seen().items()
            }

            found = client.infer(seen)

            assert found["actions"] == pytest.approx([*wired.desk.joints, wired.desk.hand])
            assert found["interlock"]["reaction"] in {"veto", "stop"}
