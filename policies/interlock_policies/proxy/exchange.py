"""HTTP/1.1 as far as a proxy needs it: one bounded request and its answer, either way, each within a time.

Knows nothing of what is said in it. The grammar is h11's; a message that it does not accept ends its connection.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import SplitResult

import h11

from interlock.errors import InterlockError

CHUNK_BYTES: Final = 256 * 1024
HEAD_BYTES: Final = 16 * 1024
PLAIN: Final = "text/plain; charset=utf-8"


class NotAnswered(InterlockError):
    """The other side ended the connection, said what is no HTTP, or said too much; the message says which."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: its method, its target, its headers by name in small letters, and its body. A header that came twice
    is there with both values.
    """

    method: str
    target: str
    headers: Mapping[str, Sequence[str]]
    body: bytes

    def only(self, name: str) -> str | None:
        """The value of a header that came exactly once."""
        found = self.headers.get(name, ())
        return found[0] if len(found) == 1 else None


@dataclass(frozen=True, slots=True)
class Replied:
    """An answer. Its headers are ours: plain ASCII without line breaks."""

    status: int
    body: bytes
    kind: str = PLAIN
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Patience:
    """How long [s] a connection may be idle, and one request or one answer may take to arrive or to be taken; and the
    most bytes of a body.
    """

    idle_s: float
    message_s: float
    most_bytes: int


async def served(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, patience: Patience,
    answer: Callable[[Asked], Awaitable[Replied]], unsent: Callable[[Replied], Awaitable[None]],
) -> None:  # fmt: skip
    """Answers the requests of one connection until it ends. `unsent` is told which answer was not taken;
    what `answer` raises ends the connection.
    """
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD_BYTES)
    try:
        while await _one(connection, reader, writer, patience, answer, unsent):
            connection.start_next_cycle()
    except (TimeoutError, ConnectionError, ssl.SSLError):
        pass  # whoever it was is gone, or too slow
    finally:
        writer.close()


async def _one(
    connection: h11.Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, patience: Patience,
    answer: Callable[[Asked], Awaitable[Replied]], unsent: Callable[[Replied], Awaitable[None]],
) -> bool:  # fmt: skip
    """One request and its answer; whether there may be another."""
    try:
        asked = await _asked(connection, reader, writer, patience)
    except (h11.RemoteProtocolError, NotAnswered) as error:
        wrong = Replied(413, b"too long\n") if isinstance(error, NotAnswered) else Replied(400, b"no HTTP\n")
        if connection.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
            await _send(connection, writer, wrong, patience)
        return False
    if asked is None:
        return False
    replied = await answer(asked)
    if asked.method == "HEAD":
        replied = replace(replied, body=b"")
    try:
        if reader.at_eof():
            raise ConnectionResetError("the client is gone")
        await _send(connection, writer, replied, patience)
    except (TimeoutError, ConnectionError, ssl.SSLError):
        await unsent(replied)
        raise
    return connection.our_state is h11.DONE and connection.their_state is h11.DONE


async def _asked(
    connection: h11.Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, patience: Patience
) -> Asked | None:
    """The next request; None where there is none. Raises TimeoutError, NotAnswered for a body that is too long."""
    loop, request, body = asyncio.get_running_loop(), None, bytearray()
    begun = bool(connection.trailing_data[0])
    async with asyncio.timeout(patience.message_s if begun else patience.idle_s) as limit:
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                if connection.they_are_waiting_for_100_continue:
                    await _write(writer, connection.send(h11.InformationalResponse(status_code=100, headers=[])))
                connection.receive_data(await reader.read(CHUNK_BYTES))
                if not begun:
                    begun = True
                    limit.reschedule(loop.time() + patience.message_s)
            elif isinstance(event, h11.Request):
                request = event
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > patience.most_bytes:
                    raise NotAnswered(f"more than {patience.most_bytes} bytes")
            elif isinstance(event, h11.EndOfMessage) and request is not None:
                return Asked(request.method.decode(), request.target.decode(), _headers(request), bytes(body))
            else:  # the end of the connection
                return None


async def _send(connection: h11.Connection, writer: asyncio.StreamWriter, replied: Replied, patience: Patience) -> None:
    headers = {"content-type": replied.kind, "content-length": str(len(replied.body)), **replied.headers}
    head = h11.Response(status_code=replied.status, headers=list(headers.items()))
    async with asyncio.timeout(patience.message_s):
        await _write(writer, connection.send(head))
        await _write(writer, connection.send(h11.Data(data=replied.body)))
        await _write(writer, connection.send(h11.EndOfMessage()))


async def _write(writer: asyncio.StreamWriter, said: bytes | None) -> None:
    writer.write(said or b"")
    await writer.drain()


def _headers(found: h11.Request) -> dict[str, tuple[str, ...]]:
    headers: dict[str, tuple[str, ...]] = {}
    for name, value in found.headers:
        key = name.decode("latin-1")
        headers[key] = (*headers.get(key, ()), value.decode("latin-1"))
    return headers


async def posted(address: SplitResult, body: bytes, headers: Mapping[str, str], most_bytes: int) -> tuple[int, bytes]:
    """Status and body of the answer to a POST, over a connection of its own; the caller sets a time. Raises OSError
    where nobody is there, NotAnswered.
    """
    secure = ssl.create_default_context() if address.scheme == "https" else None
    host, port = address.hostname or "", address.port or (443 if secure else 80)
    reader, writer = await asyncio.open_connection(host, port, ssl=secure)
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEAD_BYTES)
    fixed = {"Host": address.netloc, "Content-Type": "application/json", "Content-Length": str(len(body))}
    lines = {**fixed, "Accept-Encoding": "identity", "Connection": "close", **headers}
    target = address.path or "/"
    try:
        await _write(writer, connection.send(h11.Request(method="POST", target=target, headers=list(lines.items()))))
        await _write(writer, connection.send(h11.Data(data=body)))
        await _write(writer, connection.send(h11.EndOfMessage()))
        return await _answer(connection, reader, most_bytes)
    except (h11.RemoteProtocolError, ConnectionError, ssl.SSLError) as error:
        raise NotAnswered(f"{type(error).__name__}: {error}") from error
    finally:
        writer.transport.abort()


async def _answer(connection: h11.Connection, reader: asyncio.StreamReader, most_bytes: int) -> tuple[int, bytes]:
    status, body = 0, bytearray()
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(CHUNK_BYTES))
        elif isinstance(event, h11.Response):
            status = event.status_code
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > most_bytes:
                raise NotAnswered(f"an answer of more than {most_bytes} bytes")
        elif isinstance(event, h11.EndOfMessage):
            return status, bytes(body)
        elif not isinstance(event, h11.InformationalResponse):
            raise NotAnswered("the connection ended without an answer")
