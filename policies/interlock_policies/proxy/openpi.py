"""The openpi dialect of the proxy: WebSockets, messages of msgpack with arrays; a text frame is an error.

Knows the network and nothing of judging. Its client plays every array of a reply row by row, so a reply holds one.
"""

from __future__ import annotations

import asyncio
import hashlib
import http
import logging
import signal
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, cast

import numpy as np
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.http11 import Request, Response

from interlock.arrays import FloatArray
from interlock.errors import UnusableInput
from interlock.supervisor import Supervisor
from interlock_policies.wire import openpi as wire
from interlock_policies.wire.caps import BadMessage, Value

from .answering import FAILED, MOST_BYTES, UNREADABLE
from .frame import HoldUnknown, NoAnswer, Proposed, Session
from .listening import SCHEME, Listening
from .plain_values import plain_values

ACTIONS: Final = "actions"
ABOUT: Final = "interlock"
SEND_S: Final = 5.0  # how long a client may take to take its reply
PING_S: Final = 20.0
TAKEN: Final = "one client at a time\n"

LOGGER: Final = logging.getLogger("interlock.proxy")
LOGGER.addHandler(logging.NullHandler())  # what a peer does wrong is on record, or nobody's business
LOGGER.propagate = False


@dataclass(frozen=True, slots=True)
class Upstream:
    """The policy's server: its address, the key that it wants (empty: none), and how long [s] an answer may take."""

    address: str
    deadline_s: float
    token: str = ""

    def __post_init__(self) -> None:
        if not self.address.startswith(("ws://", "wss://")):
            raise UnusableInput(f"{self.address[:80]!r}: an upstream's address begins with ws:// or wss://")
        if not 0.0 < self.deadline_s <= 600.0:
            raise UnusableInput(f"a deadline is above 0 and at most 600 s, got {self.deadline_s:g}")


class Asking:
    """One client's connection to the upstream; opened when it is needed, and again after every failure."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._connection: ClientConnection | None = None

    async def metadata(self) -> dict[str, object]:
        """What the upstream says of itself when it is connected to, as far as it is plain; empty where it fails."""
        try:
            async with asyncio.timeout(self._upstream.deadline_s):
                return await self._connect()
        except (TimeoutError, OSError, WebSocketException, BadMessage):
            self.close()
            return {}

    async def ask(self, request: bytes) -> Proposed:
        """The upstream's answer to a request, as it came. Raises NoAnswer, and closes the connection then: what comes
        late must not be taken for the answer to the next.
        """
        try:
            async with asyncio.timeout(self._upstream.deadline_s):
                return _proposed(await self._asked(request))
        except TimeoutError:
            failure = NoAnswer("upstream did not answer in time", f"{self._upstream.deadline_s:g} s")
        except ConnectionClosed as error:
            failure = NoAnswer("upstream closed the connection", str(error))
        except (OSError, WebSocketException) as error:
            failure = NoAnswer("upstream cannot be reached", f"{type(error).__name__}: {error}")
        except BadMessage as error:
            failure = NoAnswer("upstream's answer cannot be read", str(error))
        except NoAnswer as error:
            failure = error
        self.close()
        raise failure

    def close(self) -> None:
        """Ends the connection at once, without a farewell that could take time."""
        if self._connection is not None:
            self._connection.transport.abort()
            self._connection = None

    async def leave(self) -> None:
        """Takes leave of the upstream, as far as it takes part in that within a second."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def _connect(self) -> dict[str, object]:
        headers = {"Authorization": SCHEME + self._upstream.token} if self._upstream.token else None
        self._connection = await connect(
            self._upstream.address,
            additional_headers=headers,
            compression=None,
            max_size=MOST_BYTES,
            proxy=None,  # what a variable of the environment names is no way to a robot's policy
            ping_interval=None,  # a server that thinks may answer no ping; the deadline watches it
            close_timeout=1.0,
            logger=LOGGER,
        )
        said = await self._connection.recv()
        if isinstance(said, str):
            raise BadMessage("a text frame instead of metadata")
        return plain_values(wire.read(said), texts=True)

    async def _asked(self, request: bytes) -> bytes:
        if self._connection is not None and await _is_behind(self._connection):
            self.close()
        if self._connection is None:
            await self._connect()
        connection = self._connection
        if connection is None:  # pragma: no cover - `_connect` raises or connects
            raise NoAnswer("upstream cannot be reached")
        await connection.send(request)
        said = await connection.recv()
        if isinstance(said, str):
            raise NoAnswer("upstream reported an error", said[:500], hashlib.sha256(said.encode()).hexdigest())
        return said


async def _is_behind(connection: ClientConnection | ServerConnection) -> bool:
    """Whether a message or a farewell is there out of turn."""
    try:
        async with asyncio.timeout(0.0):
            await connection.recv()
    except TimeoutError:
        return False
    except ConnectionClosed:
        pass
    return True


def _proposed(said: bytes) -> Proposed:
    """Rows and what may go beside them; raises BadMessage, and NoAnswer where there are none."""
    digest = hashlib.sha256(said).hexdigest()
    try:
        found = wire.read(said)
    except BadMessage as error:
        raise NoAnswer("upstream's answer cannot be read", str(error), digest) from error
    values: Any = found.pop(ACTIONS, None)
    if type(values) is not np.ndarray:
        raise NoAnswer("upstream's answer has no rows of the right shape", f"{ACTIONS} is no array", digest)
    beside = plain_values(found, texts=False)
    beside.pop(ABOUT, None)
    dropped = sorted(repr(key)[:64] for key in found if key not in beside)
    return Proposed(values, digest, beside, tuple(dropped[:16]))


class OpenpiProxy:
    """Listens for one client at a time, and answers it in the upstream's place.

    open_session: a new session of that name; about: what is added to the metadata. Both blocking work and physics
    happen in one thread of its own.
    """

    def __init__(
        self, listening: Listening, upstream: Upstream, supervisor: Supervisor, open_session: Callable[[str], Session],
        about: Mapping[str, object], name: str,
    ) -> None:  # fmt: skip
        self._listening, self._upstream, self._supervisor = listening, upstream, supervisor
        self._open_session, self._about, self._name = open_session, about, name
        self._clients = 0
        self._hand: FloatArray | None = None  # what the last session told the grippers
        self._busy = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="interlock-proxy")

    @property
    def busy(self) -> bool:
        """Whether a client is there."""
        return self._busy

    async def start(self) -> Server:
        """Listens; the server that is returned is closed by whoever asked for it."""
        return await serve(
            self._client,
            self._listening.host,
            self._listening.port,
            process_request=self._admit,
            origins=[None],  # a browser names its page, and no page is a client
            ssl=self._listening.context(),
            compression=None,
            max_size=MOST_BYTES,
            max_queue=2,
            open_timeout=10.0,
            ping_interval=PING_S,
            ping_timeout=PING_S,
            close_timeout=1.0,
            server_header=None,
            logger=LOGGER,
        )

    def close(self) -> None:
        """Waits for what a session still does; the log may be closed after it."""
        self._thread.shutdown()

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        """Refuses who has no token, and whoever comes while another is there."""
        sent = request.headers.get_all("Authorization")
        if not self._listening.admits(sent[0] if len(sent) == 1 else None):
            return connection.respond(http.HTTPStatus.UNAUTHORIZED, "a token is needed\n")
        if request.path == "/healthz":
            return connection.respond(http.HTTPStatus.OK, "OK\n")
        return connection.respond(http.HTTPStatus.SERVICE_UNAVAILABLE, TAKEN) if self._busy else None

    async def _client(self, connection: ServerConnection) -> None:
        if self._busy:
            await connection.close(1013, TAKEN.strip())
            return
        session = self._open_session(f"{self._name}-{self._clients}")
        session.hand = self._hand
        asking = Asking(self._upstream)
        self._busy = True
        self._clients += 1
        try:
            metadata = {**await asking.metadata(), ABOUT: dict(self._about)}
            await _sent(connection, _said(metadata))
            while True:
                await self._request(connection, session, asking)
        except (ConnectionClosed, TimeoutError):
            pass  # the client is gone
        finally:
            session.close()
            self._hand = session.hand
            await asking.leave()
            self._busy = False

    async def _request(self, connection: ServerConnection, session: Session, asking: Asking) -> None:
        request = await connection.recv()
        try:
            reply = await self._replied(request, session, asking)
        except HoldUnknown as error:
            reply = f"interlock: {error}"
        except Exception as error:  # noqa: BLE001 - a bug must stop the robot, and tell the peer nothing
            self._supervisor.stop(f"the proxy failed: {type(error).__name__}: {error}"[:500])
            reply = FAILED
        if await _is_behind(connection):  # gone, or asked again unanswered: what waits in a queue was seen long ago
            session.unsent()
            await connection.close(1008, "one request at a time")
            raise TimeoutError
        try:
            await _sent(connection, reply)
        except (ConnectionClosed, TimeoutError):
            session.unsent()
            raise

    async def _replied(self, request: str | bytes, session: Session, asking: Asking) -> str | bytes:
        """The message with the rows, or what a request is told that cannot be read."""
        loop = asyncio.get_running_loop()
        raw = request.encode() if isinstance(request, str) else request
        try:
            observation = _observation(request)
        except BadMessage as error:
            noted = partial(session.unreadable, f"a request cannot be read: {error}", hashlib.sha256(raw).hexdigest())
            await loop.run_in_executor(self._thread, noted)
            return UNREADABLE

        def ask() -> Proposed:  # in the session's thread, which waits meanwhile
            return asyncio.run_coroutine_threadsafe(asking.ask(raw), loop).result()

        answer = await loop.run_in_executor(self._thread, session.reply, observation, ask)
        return _said({**answer.beside, ACTIONS: answer.rows, ABOUT: dict(answer.about)})


def _observation(request: str | bytes) -> Mapping[str, object]:
    if isinstance(request, str):
        raise BadMessage("a text frame")
    return wire.read(request)


def _said(message: Mapping[str, object]) -> bytes:
    return wire.write(cast("Mapping[str, Value]", message))


def run(shell: OpenpiProxy, started: Callable[[str], None]) -> None:
    """Serves until SIGINT or SIGTERM; `started` is told where. Raises UnusableInput where nobody can listen."""
    asyncio.run(_until_told(shell, started))


async def _until_told(shell: OpenpiProxy, started: Callable[[str], None]) -> None:
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    try:
        server = await shell.start()
    except OSError as error:
        raise UnusableInput(f"nobody can listen there: {error.strerror or error}") from error
    host, port = next(iter(server.sockets)).getsockname()[:2]
    started(f"{host}:{port}")
    await ended.wait()
    server.close()
    await server.wait_closed()
    shell.close()


async def _sent(connection: ServerConnection, message: str | bytes) -> None:
    """Sends a message; raises ConnectionClosed or TimeoutError where the client does not take it."""
    try:
        async with asyncio.timeout(SEND_S):
            await connection.send(message)
    except TimeoutError:
        connection.transport.abort()
        raise
