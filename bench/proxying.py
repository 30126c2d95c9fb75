"""What the proxy adds: a request's time through it, less the review, less the time of the same request to the server
itself.

Server, proxy and client are processes of their own; the proxy says in the end how long its reviews took, and its other
steps. An observation has two images of 224 x 224. `make bench` writes bench/proxying.json: {"requests", "median_ms",
"p99_ms", "direct_median_ms", "review_median_ms", "parts_median_ms"}; the last line printed is the same.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import wraps
from inspect import iscoroutinefunction
from pathlib import Path
from subprocess import PIPE
from typing import Any, Final, TypedDict, cast

import numpy as np
from typing_extensions import override
from websockets.asyncio.server import ServerConnection, serve
from websockets.sync.client import ClientConnection, connect

from interlock import BulletPhysics, Supervisor
from interlock.scene import Scene
from interlock_audit_logs import open_log
from interlock_policies.proxy import frame, openpi
from interlock_policies.proxy.answering import upstream
from interlock_policies.proxy.frame import Seen, Session, Timing
from interlock_policies.proxy.listening import Listening
from interlock_policies.proxy.observing import HandAt, JointsAt, Observing
from interlock_policies.proxy.playing import Playing
from interlock_policies.wire import openpi as wire
from interlock_rules import load

RESULTS: Final = Path(__file__).with_name("proxying.json")
RULES: Final = "panda-tabletop"
REQUESTS: Final = 500
WARM: Final = 20  # requests that are not counted
ROWS, HORIZON = 50, 25
LEAD_NS: Final = 45_000_000
PIXELS: Final = (224, 224, 3)
REST: Final = "receiving the request, sending the reply, and what lies between the steps"
# The steps of a request in the proxy, and what does them.
STEPS: Final = {
    "message": (openpi, "_observation"),
    "observation": (Session, "seen"),
    "ask": (openpi.Asking, "ask"),
    "chunk": (Session, "_chunk"),
    "room": (frame, "rows_with_room"),
    "review": (Supervisor, "review"),
    "rows": (Session, "_answer"),
    "reply": (openpi, "_said"),
}


class Proxying(TypedDict):
    """What is written [ms]."""

    requests: int
    median_ms: float
    p99_ms: float
    direct_median_ms: float
    review_median_ms: float
    parts_median_ms: dict[str, float]


class Jumping:
    """Time that stands still but for what is slept: nothing is late or stale, however busy the machine is."""

    def __init__(self) -> None:
        self._now_ns = 1_000_000_000

    def now_ns(self) -> int:
        """The time."""
        return self._now_ns

    def sleep_until(self, when_ns: int) -> None:
        """Goes on to that moment at once."""
        self._now_ns = max(self._now_ns, when_ns)


def _clocked(work: Callable[..., Any], took_ns: list[int]) -> Callable[..., Any]:
    """The same work, which keeps how long it took."""

    @wraps(work)
    def at_once(*given: object) -> object:
        began = time.perf_counter_ns()
        found = work(*given)
        took_ns.append(time.perf_counter_ns() - began)
        return found

    @wraps(work)
    async def awaited(*given: object) -> object:
        began = time.perf_counter_ns()
        found = await work(*given)
        took_ns.append(time.perf_counter_ns() - began)
        return found

    return awaited if iscoroutinefunction(work) else at_once


class Rested(Session):
    """A session that is asked again a second after the last request: the robot rests."""

    @override
    def seen(self, observation: Mapping[str, object]) -> Seen:
        self._clock.sleep_until(self._clock.now_ns() + 1_000_000_000)
        return super().seen(observation)


async def answers(connection: ServerConnection) -> None:
    """A policy's server that thinks for no time: rows that leave gently from where the robot is."""
    await connection.send(wire.write({"name": "bench"}))
    share = ((np.arange(1, ROWS + 1) / ROWS) ** 2)[:, None] * np.linspace(-0.06, 0.06, 7)
    async for message in connection:
        seen = wire.read(cast("bytes", message))
        away = cast("Any", seen["joints"]) + cast("Any", seen["side"]) * share
        rows = np.column_stack([away, np.full(ROWS, 0.08)]).astype(np.float32)
        await connection.send(wire.write({"actions": rows, "server_timing": {"infer_ms": 0.0}}))


async def _upstream() -> None:
    async with serve(answers, "127.0.0.1", 0, compression=None, max_size=None) as server:
        print(next(iter(server.sockets)).getsockname()[1], flush=True)
        await _dismissed()


async def _proxy(port: int, folder: Path) -> None:
    """A proxy in front of a server; how long each of its steps took [ns] is printed in the end."""
    took_ns = {name: list[int]() for name in STEPS}
    for name, (owner, what) in STEPS.items():
        setattr(owner, what, _clocked(getattr(owner, what), took_ns[name]))
    rules, clock = load(RULES), Jumping()
    physics = BulletPhysics(rules.profile, rules.cell)
    names = rules.profile.joint_names
    observing = Observing(
        profile=rules.profile,
        joints=JointsAt(("joints",), names, "rad"),
        hands=(HandAt(("hand",), "hand", 0.0, 1.0),),
        velocities=JointsAt(("speeds",), names, "rad/s"),
        prompt=("prompt",),
        images=(("front",), ("wrist",)),
    )
    playing = Playing(rules.accepts.layouts[0], rules.profile, rules.accepts.period_s, HORIZON)

    scene = Scene(rules.modes[0], ())
    with open_log(folder) as log:
        supervisor = Supervisor(rules, log, physics, now_ns=clock.now_ns, elapsed_ns=lambda: 0)

        def session(name: str) -> Session:
            return Rested(name, supervisor, physics, playing, observing, lambda _: scene, clock, Timing(LEAD_NS, ROWS))

        behind = upstream(f"ws://127.0.0.1:{port}", ("ws",), 30.0)
        shell = openpi.OpenpiProxy(Listening("127.0.0.1", 0), behind, supervisor, session, {}, "bench")
        print((await shell.start()).rpartition(":")[2], flush=True)
        await _dismissed()
        await shell.stop()
    print(json.dumps(took_ns))


async def _dismissed() -> None:
    """Until whoever started this process ends its input."""
    await asyncio.to_thread(sys.stdin.read)


@contextmanager
def process(*words: str) -> Generator[tuple[int, subprocess.Popen[str]]]:
    """This file as a process of its own, and its port; it ends with its input."""
    program = [sys.executable, "-m", "bench.proxying", *words]
    with subprocess.Popen(program, stdin=PIPE, stdout=PIPE, text=True) as started:  # noqa: S603 - our own
        try:
            yield int(started.stdout.readline() if started.stdout is not None else ""), started
        except BaseException:
            started.kill()
            raise


def connected(port: int) -> AbstractContextManager[ClientConnection]:
    """A client of a server there."""
    opened: Callable[..., AbstractContextManager[ClientConnection]] = cast("Any", connect)
    return opened(f"ws://127.0.0.1:{port}", compression=None, max_size=None)


def _asked(connection: ClientConnection, message: bytes) -> tuple[float, bytes]:
    """How long an answer took [ms], and the answer."""
    began = time.perf_counter_ns()
    connection.send(message)
    found = connection.recv()
    return (time.perf_counter_ns() - began) / 1e6, cast("bytes", found)


def measured(requests: int) -> Proxying:
    """The figures of so many requests. Raises ValueError for one that is refused."""
    generator = np.random.default_rng(1)
    joints = np.array(load(RULES).profile.poses[-1].positions)
    direct, through = list[float](), list[float]()
    with (
        tempfile.TemporaryDirectory() as folder, process("upstream") as (port, _),
        process("proxy", str(port), folder) as (front, proxy),
    ):  # fmt: skip
        with connected(port) as straight, connected(front) as judged:
            for connection in (straight, judged):
                connection.recv()
            for number in range(requests + WARM):
                images = {name: generator.integers(0, 256, PIXELS, dtype=np.uint8) for name in ("front", "wrist")}
                side = 1 if number % 2 else -1  # there and back again
                message = wire.write({
                    "joints": joints, "speeds": np.zeros(7), "hand": np.ones(1), "prompt": "put it there",
                    "side": side, **images,
                })  # fmt: skip
                direct_one, _ = _asked(straight, message)
                through_one, said = _asked(judged, message)
                reply = wire.read(said)
                decision, rows = cast("Any", reply["interlock"]), cast("Any", reply["actions"])
                joints = rows[-1, :7].astype(np.float64)  # where the robot was told to rest, there it is
                if decision["reaction"] != "permit":
                    raise ValueError(f"a free way is refused: {decision}")
                direct.append(direct_one)
                through.append(through_one)
        said_last, _ = proxy.communicate()
    took = {name: np.array(found[-requests:]) / 1e6 for name, found in json.loads(said_last).items()}
    straight_ms, through_ms = np.array(direct[-requests:]), np.array(through[-requests:])
    own = through_ms - straight_ms - took["review"]
    parts = {
        "reading the message": took["message"],
        "reading the observation": took["observation"],
        "asking the server, beyond what a client of its own waits": took["ask"] - straight_ms,
        "making a chunk": took["chunk"] - took["room"],
        "finding room for the brake": took["room"],
        "making the reply's rows": took["rows"],
        "writing the reply": took["reply"],
    }
    rest = own - np.sum(list(parts.values()), axis=0)
    median, slow = (float(value) for value in np.quantile(own, [0.5, 0.99]))
    return {
        "requests": requests,
        "median_ms": round(median, 2),
        "p99_ms": round(slow, 2),
        "direct_median_ms": round(float(np.median(straight_ms)), 2),
        "review_median_ms": round(float(np.median(took["review"])), 2),
        "parts_median_ms": {name: round(float(np.median(part)), 2) for name, part in {**parts, REST: rest}.items()},
    }


def main(requests: int = REQUESTS, write: Path = RESULTS) -> int:
    """The command; its exit code."""
    figures = measured(requests)
    write.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(figures))
    return 0


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["upstream"]:
            asyncio.run(_upstream())
        case ["proxy", port, folder]:
            asyncio.run(_proxy(int(port), Path(folder)))
        case _:
            sys.exit(main())
