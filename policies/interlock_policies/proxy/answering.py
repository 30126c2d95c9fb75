"""What every dialect does around a session: blocking work in one thread, a bug that stops the robot, an upstream's
address, deadline and words, and listening until a signal comes.
"""

from __future__ import annotations

import asyncio
import hashlib
import signal
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar
from urllib.parse import SplitResult, urlsplit

from interlock.errors import InterlockError, UnusableInput
from interlock.supervisor import Supervisor
from interlock_policies.wire.caps import BadMessage, shown

from .frame import Answer, HoldUnknown, NoAnswer, Proposed, Session

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


@asynccontextmanager
async def in_time(upstream: Upstream) -> AsyncGenerator[None]:
    """A question and its answer within the block. Raises NoAnswer where the upstream's deadline ends it, and where
    nobody is there.
    """
    try:
        async with asyncio.timeout(upstream.deadline_s):
            yield
    except TimeoutError as error:
        raise NoAnswer("upstream did not answer in time", f"{upstream.deadline_s:g} s") from error
    except OSError as error:
        raise NoAnswer("upstream cannot be reached", f"{type(error).__name__}: {error}") from error


def understood(said: bytes, read: Callable[[bytes], T]) -> tuple[T, str]:
    """What the upstream said, and the digest of its bytes; raises NoAnswer for what cannot be read."""
    digest = hashlib.sha256(said).hexdigest()
    try:
        return read(said), digest
    except BadMessage as error:
        raise NoAnswer("upstream's answer cannot be read", str(error), digest) from error


class Answering:
    """One session for all who ask, one after the other: the robot is one, and whoever asks while it may still move is
    judged by that. Whatever waits, and all physics, is done in one thread.
    """

    def __init__(self, supervisor: Supervisor, session: Session) -> None:
        self._supervisor, self._session = supervisor, session
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="interlock-proxy")
        self._turn = asyncio.Lock()

    async def reply(self, observation: Mapping[str, object], ask: Callable[[], Awaitable[Proposed]]) -> Answer:
        """The session's answer. `ask` raises NoAnswer, and is not called for what cannot be used. Raises HoldUnknown,
        after that is on record, and Failed.
        """
        async with self._turn:
            try:
                seen = self._session.seen(observation)
            except HoldUnknown as error:
                why = error.why
                await self._done(lambda: self._session.unreadable(why))
                raise
            # While the upstream thinks: to digest images takes longer than all else that is done for an observation.
            digests = asyncio.get_running_loop().run_in_executor(self._thread, lambda: seen.observed.images)
            said = await _said(ask)
            images = await digests
            return await self._done(lambda: self._session.answered(seen, images, said))

    async def unreadable(self, why: str, request: bytes) -> None:
        """Puts on record that a request could not be read. Raises Failed."""
        digest = hashlib.sha256(request).hexdigest()
        async with self._turn:
            await self._done(lambda: self._session.unreadable(f"a request cannot be read: {why}", digest))

    async def unsent(self) -> None:
        """A reply did not reach who asked for it. Raises Failed."""
        async with self._turn:
            await self._done(self._session.unsent)

    def failed(self, error: Exception) -> str:
        """Stops the robot for a bug, unless it was stopped for that; what the peer is told of it."""
        if not isinstance(error, Failed):
            self._supervisor.stop(f"the proxy failed: {type(error).__name__}: {error}"[:500])
        return FAILED

    async def close(self) -> None:
        """Ends the session and its thread."""
        await asyncio.to_thread(self._thread.shutdown)
        self._session.close()

    async def _done(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except Exception as error:
            raise Failed(self.failed(error)) from error


async def _said(ask: Callable[[], Awaitable[Proposed]]) -> Proposed | NoAnswer:
    try:
        return await ask()
    except NoAnswer as error:
        return error


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
