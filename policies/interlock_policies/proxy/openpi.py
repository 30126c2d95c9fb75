"""The openpi dialect of the proxy: WebSockets, messages of msgpack with arrays; a text frame is an error.

Knows the network and nothing of judging. Its client plays every array of a reply row by row, so a reply holds one.
"""

from __future__ import annotations

import asyncio
import hashlib
import http
import logging
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any, Final, cast

import numpy as np
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.http11 import Request, Response

from interlock.arrays import FloatArray
from interlock.supervisor import Supervisor
from interlock_policies.wire import openpi as wire
from interlock_policies.wire.caps import BadMessage, Value

from .answering import MOST_BYTES, UNREADABLE, Answering, Failed, Upstream, in_time, understood
from .frame import HoldUnknown, NoAnswer, Proposed, Session
from .listening import SCHEME, Listening, bound, opened
from .plain_values import plain_values

ACTIONS: Final = "actions"
ABOUT: Final = "interlock"
SEND_S: Final = 5.0  # how long a client may take to take its reply
PING_S: Final = 20.0
TAKEN: Final = "one client at a time\n"

LOGGER: Final = logging.getLogger("interlock.proxy")
LOGGER.addHandler(logging.NullHandler())  # what a peer does wrong is on record, or nobody's business
LOGGER.propagate = False


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
        """The upstream's answer to a request, as it came. Raises NoAnswer. Whatever ends it without an answer also ends
        the connection: what comes late must not be taken for the answer to the next.
        """
        with ExitStack() as unanswered:
            unanswered.callback(self.close)
            try:
                async with in_time(self._upstream):
                    found = _proposed(await self._asked(request))
            except ConnectionClosed as error:
                raise NoAnswer("upstream closed the connection", str(error)) from error
            except WebSocketException as error:
                raise NoAnswer("upstream cannot be reached", f"{type(error).__name__}: {error}") from error
            except BadMessage as error:
                raise NoAnswer("upstream's answer cannot be read", str(error)) from error
            unanswered.pop_all()
        return found

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
            self._upstream.address.geturl(),
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
    """Rows and what may go beside them; raises NoAnswer where there are none."""
    found, digest = understood(said, wire.read)
    values: Any = found.pop(ACTIONS, None)
    if type(values) is not np.ndarray:
        raise NoAnswer("upstream's answer has no rows of the right shape", f"{ACTIONS} is no array", digest)
    beside = plain_values(found, texts=False)
    beside.pop(ABOUT, None)
    dropped = sorted(repr(key)[:64] for key in found if key not in beside)
    return Proposed(values, digest, beside, tuple(dropped[:16]))


class OpenpiProxy:
    """Listens for one client at a time, and answers it in the upstream's place.

    open_session: a new session of that name, one for each client; about: what is added to the metadata.
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
        self._server: Server | None = None

    @property
    def busy(self) -> bool:
        """Whether a client is there."""
        return self._busy

    async def start(self) -> str:
        """Listens; the address. Raises UnusableInput."""
        self._server = await opened(
            serve(
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
        )
        return bound(self._server.sockets)

    async def stop(self) -> None:
        """Listens no more, and waits for what a session still does; the log may be closed after it."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

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
        answering, asking = Answering(self._supervisor, session), Asking(self._upstream)
        self._busy = True
        self._clients += 1
        try:
            metadata = {**await asking.metadata(), ABOUT: dict(self._about)}
            await _sent(connection, _said(metadata))
            while True:
                await self._request(connection, answering, asking)
        except (ConnectionClosed, TimeoutError):
            pass  # the client is gone
        except Failed:
            pass  # the robot is stopped, and nobody is left who could be told
        finally:
            await answering.close()
            self._hand = session.hand
            await asking.leave()
            self._busy = False

    async def _request(self, connection: ServerConnection, answering: Answering, asking: Asking) -> None:
        request = await connection.recv()
        try:
            reply = await _replied(request, answering, asking)
        except HoldUnknown as error:
            reply = f"interlock: {error}"
        except Exception as error:  # noqa: BLE001 - a bug must stop the robot, and tell the peer nothing
            reply = answering.failed(error)
        if await _is_behind(connection):  # gone, or asked again unanswered: what waits in a queue was seen long ago
            await answering.unsent()
            await connection.close(1008, "one request at a time")
            raise TimeoutError
        try:
            await _sent(connection, reply)
        except (ConnectionClosed, TimeoutError):
            await answering.unsent()
            raise


async def _replied(request: str | bytes, answering: Answering, asking: Asking) -> str | bytes:
    """The message with the rows, or what a request is told that cannot be read."""
    raw = request.encode() if isinstance(request, str) else request
    try:
        observation = _observation(request)
    except BadMessage as error:
        await answering.unreadable(str(error), raw)
        return UNREADABLE
    answer = await answering.reply(observation, lambda: asking.ask(raw))
    return _said({**answer.beside, ACTIONS: answer.rows, ABOUT: dict(answer.about)})


def _observation(request: str | bytes) -> Mapping[str, object]:
    if isinstance(request, str):
        raise BadMessage("a text frame")
    return wire.read(request)


def _said(message: Mapping[str, object]) -> bytes:
    return wire.write(cast("Mapping[str, Value]", message))


async def _sent(connection: ServerConnection, message: str | bytes) -> None:
    """Sends a message; raises ConnectionClosed or TimeoutError where the client does not take it."""
    try:
        async with asyncio.timeout(SEND_S):
            await connection.send(message)
    except TimeoutError:
        connection.transport.abort()
        raise
