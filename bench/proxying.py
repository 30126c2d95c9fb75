"""What the proxy adds: a request's time through it, less the review, less the time of the same request to the server
itself.

The server is a process of its own, the client a thread; an observation has two images of 224 x 224. `make bench` writes
bench/proxying.json: {"requests", "median_ms", "p99_ms", "direct_median_ms", "review_median_ms"}; the last line printed
is the same.
"""

from __future__ import annotations

import asyncio
import gc
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Final, TypedDict, cast

import numpy as np
from typing_extensions import override
from websockets.asyncio.server import ServerConnection, serve
from websockets.sync.client import ClientConnection, connect

from interlock import BulletPhysics, Supervisor
from interlock.chunk import ActionChunk, Malformed
from interlock.log import Log
from interlock.scene import RobotState, Scene
from interlock.supervisor import Review
from interlock_audit_logs import open_log
from interlock_policies.proxy.frame import Session, Timing
from interlock_policies.proxy.listening import Listening
from interlock_policies.proxy.observing import HandAt, JointsAt, Observing
from interlock_policies.proxy.openpi import OpenpiProxy, Upstream
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


class Proxying(TypedDict):
    """What is written [ms]."""

    requests: int
    median_ms: float
    p99_ms: float
    direct_median_ms: float
    review_median_ms: float


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


class Timed(Supervisor):
    """A supervisor that says how long its last review took [ns]."""

    took_ns = 0

    @override
    def review(self, chunk: ActionChunk | Malformed, state: RobotState, scene: Scene) -> Review:
        began = time.perf_counter_ns()
        found = super().review(chunk, state, scene)
        self.took_ns = time.perf_counter_ns() - began
        return found


async def answers(connection: ServerConnection) -> None:
    """A policy's server that thinks for no time: rows that leave gently from where the robot is."""
    await connection.send(wire.write({"name": "bench"}))
    share = ((np.arange(1, ROWS + 1) / ROWS) ** 2)[:, None] * np.linspace(-0.06, 0.06, 7)
    async for message in connection:
        seen = wire.read(cast("bytes", message))
        away = cast("Any", seen["joints"]) + cast("Any", seen["side"]) * share
        rows = np.column_stack([away, np.full(ROWS, 0.08)]).astype(np.float32)
        await connection.send(wire.write({"actions": rows, "server_timing": {"infer_ms": 0.0}}))


async def _served() -> None:
    async with serve(answers, "127.0.0.1", 0, compression=None, max_size=None) as server:
        print(next(iter(server.sockets)).getsockname()[1], flush=True)
        await server.serve_forever()


@contextmanager
def upstream() -> Generator[int]:
    """The port of a policy's server in a process of its own."""
    program = [sys.executable, "-m", "bench.proxying", "upstream"]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own
        try:
            yield int(process.stdout.readline() if process.stdout is not None else "")
        finally:
            process.kill()


@contextmanager
def proxied(port: int, log: Log, clock: Jumping) -> Generator[tuple[int, Timed]]:
    """The port of a proxy in a thread, in front of a server; and its timed supervisor."""
    rules = load(RULES)
    physics = BulletPhysics(rules.profile, rules.cell)
    supervisor = Timed(rules, log, physics, now_ns=clock.now_ns, elapsed_ns=lambda: 0)
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

    def session(name: str) -> Session:
        scene = Scene(rules.modes[0], ())
        return Session(name, supervisor, physics, playing, observing, lambda _: scene, clock, Timing(LEAD_NS, ROWS))

    shell = OpenpiProxy(
        Listening("127.0.0.1", 0), Upstream(f"ws://127.0.0.1:{port}", 30.0), supervisor, session, {}, "bench"
    )
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(shell.start(), loop).result()
    try:
        yield next(iter(server.sockets)).getsockname()[1], supervisor
    finally:
        loop.call_soon_threadsafe(server.close)
        asyncio.run_coroutine_threadsafe(server.wait_closed(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def connected(port: int) -> AbstractContextManager[ClientConnection]:
    """A client of a server there."""
    opened: Callable[..., AbstractContextManager[ClientConnection]] = cast("Any", connect)
    return opened(f"ws://127.0.0.1:{port}", compression=None, max_size=None)


def _asked(connection: ClientConnection, message: bytes) -> tuple[int, bytes]:
    """How long an answer took [ns], and the answer."""
    began = time.perf_counter_ns()
    connection.send(message)
    found = connection.recv()
    return time.perf_counter_ns() - began, cast("bytes", found)


def measured(requests: int) -> Proxying:
    """The figures of so many requests. Raises ValueError for one that is refused."""
    generator = np.random.default_rng(1)
    joints = np.array(load(RULES).profile.poses[-1].positions)
    clock, own, direct, review = Jumping(), list[float](), list[float](), list[float]()
    with (
        tempfile.TemporaryDirectory() as folder, open_log(folder) as log, upstream() as port,
        proxied(port, log, clock) as (front, timed), connected(port) as straight, connected(front) as through,
    ):  # fmt: skip
        for connection in (straight, through):
            connection.recv()
        gc.collect()
        for number in range(requests + WARM):
            clock.sleep_until(clock.now_ns() + 1_000_000_000)
            images = {name: generator.integers(0, 256, PIXELS, dtype=np.uint8) for name in ("front", "wrist")}
            side = 1 if number % 2 else -1  # there and back again
            message = wire.write({
                "joints": joints, "speeds": np.zeros(7), "hand": np.ones(1), "prompt": "put it there", "side": side,
                **images,
            })  # fmt: skip
            direct_ns, _ = _asked(straight, message)
            through_ns, said = _asked(through, message)
            reply = wire.read(said)
            decision, rows = cast("Any", reply["interlock"]), cast("Any", reply["actions"])
            joints = rows[-1, :7].astype(np.float64)  # where the robot was told to rest, there it is
            if decision["reaction"] != "permit":
                raise ValueError(f"a free way is refused: {decision}")
            if number >= WARM:
                own.append((through_ns - direct_ns - timed.took_ns) / 1e6)
                direct.append(direct_ns / 1e6)
                review.append(timed.took_ns / 1e6)
    median, slow = (float(value) for value in np.quantile(own, [0.5, 0.99]))
    return {
        "requests": requests,
        "median_ms": round(median, 2),
        "p99_ms": round(slow, 2),
        "direct_median_ms": round(float(np.median(direct)), 2),
        "review_median_ms": round(float(np.median(review)), 2),
    }


def main(requests: int = REQUESTS, write: Path = RESULTS) -> int:
    """The command; its exit code."""
    figures = measured(requests)
    write.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(figures))
    return 0


if __name__ == "__main__":
    if sys.argv[1:] == ["upstream"]:
        asyncio.run(_served())
    sys.exit(main())
