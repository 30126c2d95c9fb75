"""The OpenVLA dialect of the proxy: POST /act over HTTP, JSON with arrays in base64 either way.

Knows the network and nothing of judging. A reply has no room beside its rows: what was decided goes into a header.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Mapping
from functools import partial
from typing import Final, Literal, TypeAlias, cast

import numpy as np

from interlock.supervisor import Supervisor
from interlock_policies.wire import json_numpy as wire
from interlock_policies.wire.caps import Array, BadMessage, Caps, Value, shown
from interlock_policies.wire.json_numpy import Said, Wrapping

from .answering import MOST_BYTES, TOKEN_NEEDED, UNREADABLE, Answering, Failed, Upstream, in_time, understood
from .exchange import Asked, NotAnswered, Patience, Replied, posted, served
from .frame import HoldUnknown, NoAnswer, Proposed, Rows, Session
from .listening import SCHEME, Listening, bound, opened

PATH: Final = "/act"
ABOUT: Final = "Interlock"
JSON: Final = "application/json"
CAPS: Final = Caps(frame_bytes=4 * MOST_BYTES)  # what is not all ASCII may have a quarter of that
PATIENCE: Final = Patience(idle_s=60.0, message_s=10.0, most_bytes=MOST_BYTES)
MOST_CONNECTIONS: Final = 8

# A list with an array for each row, as the server's chunks are, or one array of all rows.
Form: TypeAlias = Literal["list", "array"]


class OpenvlaProxy:
    """Answers OpenVLA's clients in the upstream's place, one request at a time."""

    def __init__(
        self, listening: Listening, upstream: Upstream, supervisor: Supervisor, session: Session,
        patience: Patience = PATIENCE,
    ) -> None:  # fmt: skip
        self._listening, self._upstream, self._patience = listening, upstream, patience
        self._answering = Answering(supervisor, session)
        self._form: Form = "list"
        self._busy = False
        self._connections: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> str:
        """Listens; the address. Raises UnusableInput."""
        secure = self._listening.context()
        self._server = await opened(
            asyncio.start_server(
                self._connection,
                self._listening.host,
                self._listening.port,
                ssl=secure,
                ssl_handshake_timeout=None if secure is None else self._patience.message_s,
            )
        )
        return bound(self._server.sockets)

    async def stop(self) -> None:
        """Listens no more, and ends the session."""
        if self._server is not None:
            self._server.close()
            for writer in tuple(self._connections):
                writer.transport.abort()
            await self._server.wait_closed()
        await self._answering.close()

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._connections) >= MOST_CONNECTIONS:
            writer.transport.abort()
            return
        self._connections.add(writer)
        try:
            await served(reader, writer, self._patience, self._replied, self._unsent)
        except Failed:
            pass  # the robot is stopped, and nobody is left who could be told
        finally:
            self._connections.discard(writer)

    async def _unsent(self, replied: Replied) -> None:
        if ABOUT in replied.headers:  # rows
            await self._answering.unsent()

    async def _replied(self, asked: Asked) -> Replied:
        """The answer to a request; what is no answer is no JSON either, which a client raises."""
        refused = self._refused(asked)
        if refused is not None:
            return refused
        self._busy = True
        try:
            return await self._answered(asked.body)
        except Exception as error:  # noqa: BLE001 - a bug must stop the robot, and tell the peer nothing
            return _told(500, self._answering.failed(error))
        finally:
            self._busy = False

    async def _answered(self, body: bytes) -> Replied:
        try:
            return await self._acted(body)
        except BadMessage as error:
            await self._answering.unreadable(str(error), body)
            return _told(400, UNREADABLE)
        except HoldUnknown as error:
            return _told(422, f"interlock: {error}")

    def _refused(self, asked: Asked) -> Replied | None:
        """What is told to whoever may not ask that; None where it may."""
        if not self._listening.admits(asked.only("authorization")):
            return _told(401, TOKEN_NEEDED)
        if asked.target == "/healthz":
            return _told(200, "OK")
        if asked.target != PATH:
            return _told(404, "interlock: only /act is here")
        if asked.method != "POST":
            return _told(405, "interlock: only POST is understood")
        # A page in a browser could send other kinds unasked; and it names itself.
        if (asked.only("content-type") or "").partition(";")[0].strip().lower() != JSON or "origin" in asked.headers:
            return _told(415, "interlock: only application/json, and not from a page")
        return _told(503, "interlock: one request at a time") if self._busy else None

    async def _acted(self, body: bytes) -> Replied:
        request = wire.read(body, CAPS)
        if not isinstance(request.value, dict):
            raise BadMessage(f"expected a map, got {shown(request.value)}")
        answer = await self._answering.reply(request.value, lambda: self._proposed(request))
        rows: Value = answer.rows if self._form == "array" else list(answer.rows)
        wrapping: Wrapping = "text" if request.wrapping == "field" else "plain"
        return Replied(200, wire.write(Said(rows, wrapping)), JSON, {ABOUT: json.dumps(dict(answer.about))})

    async def _proposed(self, request: Said) -> Proposed:
        """The upstream's rows; raises NoAnswer. It is sent what was read, and not what came."""
        address = self._upstream.address
        where = address._replace(path=PATH) if address.path in {"", "/"} else address
        token = {"Authorization": SCHEME + self._upstream.token} if self._upstream.token else {}
        try:
            async with in_time(self._upstream):
                status, said = await posted(where, wire.write(request), token, MOST_BYTES)
        except NotAnswered as error:
            raise NoAnswer("upstream closed the connection", str(error)) from error
        if status != 200:
            raise NoAnswer("upstream reported an error", f"HTTP {status}", hashlib.sha256(said).hexdigest())
        found, digest = understood(said, partial(wire.read, caps=CAPS))
        rows, self._form = _rows(found.value, digest)
        return Proposed(rows, digest)


def _rows(found: Value, digest: str) -> tuple[Rows, Form]:
    """Rows (T, C), and how they came; raises NoAnswer. Of a text there are none: "error" comes with status 200."""
    if isinstance(found, str) or (isinstance(found, Mapping) and "error" in found):
        raise NoAnswer("upstream reported an error", shown(found), digest)
    if isinstance(found, np.ndarray):
        return cast(Rows, found), "array"
    rows: list[Array] = [row for row in found if isinstance(row, np.ndarray)] if isinstance(found, tuple) else []
    if not isinstance(found, tuple) or len(rows) != len(found) or not rows:
        detail = f"expected an array or a list of arrays, got {shown(found)}"
        raise NoAnswer("upstream's answer has no rows of the right shape", detail, digest)
    if rows[0].ndim != 1 or any(row.shape != rows[0].shape or row.dtype != rows[0].dtype for row in rows):
        raise NoAnswer("upstream's answer has no rows of the right shape", "rows of different shapes or types", digest)
    return cast(Rows, np.stack(rows)), "list"


def _told(status: int, said: str) -> Replied:
    return Replied(status, f"{said}\n".encode())
