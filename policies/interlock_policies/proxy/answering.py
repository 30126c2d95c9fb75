"""The session of a proxy whose protocol has no connections, and what every dialect does around it: blocking work in one
thread, a bug that stops the robot, an upstream's address, and listening until a signal comes.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar
from urllib.parse import SplitResult, urlsplit

from interlock.errors import InterlockError, UnusableInput
from interlock.supervisor import Supervisor
from interlock_policies.wire.caps import shown

from .frame import Answer, HoldUnknown, Proposed, Session

FAILED: Final = "interlock: the proxy failed and stopped the robot; see its record"
UNREADABLE: Final = "interlock: the request cannot be read"
TOKEN_NEEDED: Final = "interlock: a token is needed"  # noqa: S105 - what is said, and no token
MOST_BYTES: Final = 32 * 1024 * 1024  # of a message, either way: some camera images

T = TypeVar("T")


class Failed(InterlockError):
    """The proxy met a bug of its own, and stopped the robot; the peer is told `FAILED` and no more."""


@dataclass(frozen=True, slots=True)
class Upstream:
    """The policy's server: its address, how long [s] an answer may take, and the key that it wants (empty: none)."""

    address: SplitResult
    deadline_s: float
    token: str = ""

    def __post_init__(self) -> None:
        if not 0.0 < self.deadline_s <= 600.0:
            raise UnusableInput(f"a deadline is above 0 and at most 600 s, got {self.deadline_s:g}")


def upstream(text: str, schemes: tuple[str, ...], deadline_s: float, token: str = "") -> Upstream:
    """The upstream at an address with one of these schemes; raises UnusableInput."""
    wanted = " or ".join(f"{scheme}://" for scheme in schemes)
    try:
        found = urlsplit(text)
        port = found.port
    except ValueError as error:
        raise UnusableInput(f"{shown(text)} is no address: {error}") from error
    if found.scheme not in schemes or not found.hostname or found.username is not None:
        raise UnusableInput(f"{shown(text)}: an upstream's address begins with {wanted}, a host behind it")
    if found.query or found.fragment or not found.path.isascii() or not found.path.isprintable() or " " in found.path:
        raise UnusableInput(f"{shown(text)}: an upstream's address ends with its path, in plain ASCII")
    if found.scheme == "tcp" and (port is None or found.path):
        raise UnusableInput(f"{shown(text)}: an address of {wanted} ends with a port")
    return Upstream(found, deadline_s, token)


class Answering:
    """One session for all who ask, one after the other, as long as the proxy runs: the robot is one, and whoever asks
    while it may still move is judged by that. All blocking work and physics happen in one thread.
    """

    def __init__(self, supervisor: Supervisor, session: Session) -> None:
        self._supervisor, self._session = supervisor, session
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="interlock-proxy")
        self._asking: Future[Proposed] | None = None

    async def reply(self, observation: Mapping[str, object], ask: Callable[[], Awaitable[Proposed]]) -> Answer:
        """The session's answer. `ask` runs in this event loop and raises NoAnswer. Raises HoldUnknown and Failed."""
        loop = asyncio.get_running_loop()

        async def asked() -> Proposed:
            return await ask()

        def waited() -> Proposed:  # in the session's thread
            self._asking = asyncio.run_coroutine_threadsafe(asked(), loop)
            return self._asking.result()

        return await self._done(lambda: self._session.reply(observation, waited))

    async def unreadable(self, why: str, digest: str) -> None:
        """Puts on record that a request could not be read. Raises Failed."""
        await self._done(lambda: self._session.unreadable(f"a request cannot be read: {why}", digest))

    async def unsent(self) -> None:
        """A reply did not reach who asked for it. Raises Failed."""
        await self._done(self._session.unsent)

    def failed(self, error: Exception) -> str:
        """Stops the robot for a bug; what the peer is told of it."""
        self._supervisor.stop(f"the proxy failed: {type(error).__name__}: {error}"[:500])
        return FAILED

    async def close(self) -> None:
        """Ends the session and its thread, which waits for the upstream no longer."""
        if self._asking is not None:
            self._asking.cancel()
        await asyncio.to_thread(self._thread.shutdown)
        self._session.close()

    async def _done(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except HoldUnknown:
            raise
        except Exception as error:
            raise Failed(self.failed(error)) from error


class Shell(Protocol):
    """A dialect that listens."""

    async def start(self) -> str:
        """Listens; the address, as `127.0.0.1:8001`. Raises UnusableInput."""
        ...

    async def stop(self) -> None:
        """Listens no more, and ends the session."""
        ...


def run(shell: Shell, started: Callable[[str], None]) -> None:
    """Serves until SIGINT or SIGTERM; `started` is told where. Raises UnusableInput where nobody can listen."""
    asyncio.run(_until_told(shell, started))


async def _until_told(shell: Shell, started: Callable[[str], None]) -> None:
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    started(await shell.start())
    try:
        await ended.wait()
    finally:
        await shell.stop()
