"""The openpi shell on this machine: a proxy and an upstream that does what the test says, both in a thread of their
own.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar, cast

import numpy as np
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from interlock.supervisor import Supervisor
from interlock_audit_logs import open_log, verify
from interlock_policies.proxy.answering import upstream
from interlock_policies.proxy.frame import Session
from interlock_policies.proxy.listening import Listening
from interlock_policies.proxy.openpi import OpenpiProxy
from interlock_policies.wire import openpi as wire
from tests.policies.proxy.bench_of_toys import ROWS, Desk, smooth
from tests.supervisor.toy import ABSOLUTE

T = TypeVar("T")
Behave = Callable[[ServerConnection, Mapping[str, Any]], Awaitable[None]]
DEADLINE_S = 5.0


class Loop:
    """An event loop in a thread; leaving the block ends both."""

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="wired")
        self._thread.start()
        return self

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """What the work comes to."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60.0)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.run(self._cancelled())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _cancelled(self) -> None:
        tasks = asyncio.all_tasks() - {cast("asyncio.Task[Any]", asyncio.current_task())}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def port_of(server: Server) -> int:
    port: int = next(iter(server.sockets)).getsockname()[1]
    return port


async def started_upstream(behave: Behave, metadata: Any, *, greet: bool) -> Server:
    """A policy's server, which answers each request as the test says."""

    async def handler(connection: ServerConnection) -> None:
        try:
            if greet:
                await connection.send(wire.write({"name": "toy"}) if metadata is None else metadata)
            async for message in connection:
                await behave(connection, wire.read(cast("bytes", message)))
        except (ConnectionClosed, ConnectionError):
            pass

    return await serve(handler, "127.0.0.1", 0, compression=None, max_size=None, close_timeout=0.2)


class Wired:
    """A toy's desk behind the real shell, with a real log; `behave` is the upstream's."""

    def __init__(
        self, folder: Path, behave: Behave, *, metadata: Any = None, greet: bool = True, deadline_s: float = DEADLINE_S,
        listening: Listening | None = None, absent: bool = False,
    ) -> None:  # fmt: skip
        self._stack = ExitStack()
        self._folder, self._behave, self._metadata, self._greet = folder, behave, metadata, greet
        self._deadline_s, self._absent = deadline_s, absent
        self._listening = listening or Listening("127.0.0.1", 0)
        self._sessions = 0

    def __enter__(self) -> Self:
        self.loop = self._stack.enter_context(Loop())
        self.log = self._stack.enter_context(open_log(self._folder))
        self.desk = Desk(log=self.log)
        server = self.loop.run(started_upstream(self._behave, self._metadata, greet=self._greet))
        port = port_of(server)
        if self._absent:
            self.loop.run(closed(server))
        else:
            self._stack.callback(lambda: self.loop.run(closed(server)))
        self.proxy = OpenpiProxy(
            self._listening, upstream(f"ws://127.0.0.1:{port}", ("ws",), self._deadline_s), self.supervisor,
            self._open, {"rules": "toy"}, "toy",
        )  # fmt: skip
        self.port = int(self.loop.run(self.proxy.start()).rpartition(":")[2])
        self._stack.callback(lambda: self.loop.run(self.proxy.stop()))
        self.address = f"ws://127.0.0.1:{self.port}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()
        assert verify(self._folder).ok

    @property
    def supervisor(self) -> Supervisor:
        return self.desk.supervisor

    def _open(self, name: str) -> Session:
        self.desk.session = self.desk.another(name)
        return self.desk.session

    def client(self, **options: Any) -> Client:
        """A client of ours, past the metadata."""
        opened: Callable[..., AbstractContextManager[ClientConnection]] = cast("Any", connect)
        where = opened(self.address, compression=None, max_size=None, **options)
        return Client(self, self._stack.enter_context(where))


async def closed(server: Server) -> None:
    server.close()
    await server.wait_closed()


class Client:
    """A client that speaks the dialect; the robot of the desk goes where it is told."""

    def __init__(self, wired: Wired, connection: ClientConnection) -> None:
        self.connection, self._wired = connection, wired
        self.metadata = wire.read(cast("bytes", connection.recv(30.0)))

    def ask(self, **changes: Any) -> dict[str, Any]:
        """The reply to a request; raises RuntimeError with the words of a text frame."""
        self._wired.desk.time.ns += 20_000_000
        return self.said(wire.write(self._wired.desk.seen(**changes)))

    def said(self, message: str | bytes) -> dict[str, Any]:
        self.connection.send(message)
        found = self.connection.recv(30.0)
        if isinstance(found, str):
            raise RuntimeError(found)  # noqa: TRY004 - as openpi-client does
        return cast("dict[str, Any]", wire.read(found))

    def holds(self, reply: Mapping[str, Any]) -> bool:
        """Whether a reply has the usual rows, which all keep the robot where it is."""
        desk, rows = self._wired.desk, reply["actions"]
        still = np.append(desk.joints, desk.hand)
        return rows.shape == (ROWS, 3) and bool(np.abs(rows - still).max() < 1e-7)


def answers(change: Callable[[dict[str, Any]], Any] | None = None) -> Behave:
    """An upstream that says good rows from wherever the robot is, changed as the test says."""

    async def behave(connection: ServerConnection, seen: Mapping[str, Any]) -> None:
        desk = Desk.__new__(Desk)
        desk.layout, desk.joints, desk.hand = ABSOLUTE, np.array(seen["joints"]), float(seen["hand"][0])
        reply: dict[str, Any] = {"actions": smooth(desk), "policy_timing": {"infer_ms": 1.5}}
        await connection.send(wire.write(reply if change is None else change(reply)))

    return behave
