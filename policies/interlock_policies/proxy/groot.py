"""The GR00T dialect of the proxy: ZMQ, one message of msgpack for a request and one for its reply.

Knows the network and nothing of judging. What ends a server (`kill`) is not passed on, whoever asks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, cast

import numpy as np
import zmq
import zmq.asyncio

from interlock.chunk import Layout
from interlock.errors import UnusableInput
from interlock.supervisor import Supervisor
from interlock_policies.groot import Group
from interlock_policies.wire import groot as wire
from interlock_policies.wire.caps import Array, BadMessage, Caps, Value, shown

from .answering import MOST_BYTES, TOKEN_NEEDED, UNREADABLE, Answering, Upstream, in_time, understood
from .frame import Answer, HoldUnknown, NoAnswer, Proposed, Rows, Session
from .listening import SCHEME, Listening
from .plain_values import plain_values

JOINED: Final = "joined"
ABOUT: Final = "interlock"
CAPS: Final = Caps(frame_bytes=MOST_BYTES)
NOT_PASSED_ON: Final = "interlock: this endpoint is not passed on"
NO_ANSWER: Final = "interlock: the policy's server gave no usable answer"
ALIVE: Final[Mapping[str, Value]] = {"status": "ok", "message": "Server is running"}  # as GR00T's own server says it


class NoRows(Exception):
    """The groups of an answer are not those that were stated, or have no rows of one shape."""


@dataclass(frozen=True, slots=True)
class Groups:
    """Which arrays an action has, and which columns of the layout theirs are. `batched`: arrays have the shape
    (1, rows, columns of the group), as the newer servers send them; if not, (rows, columns of the group).

    Raises UnusableInput unless the groups name every channel of the layout once.
    """

    layout: Layout
    groups: tuple[Group, ...]
    batched: bool = True

    def __post_init__(self) -> None:
        known = [channel.name for channel in self.layout.channels]
        named = [name for group in self.groups for name in group.channels]
        if sorted(known) != sorted(named):
            raise UnusableInput(f"groups must name each channel of the layout once: {known}; they name {named}")
        keys = [group.key for group in self.groups]
        if len(set(keys)) != len(keys):
            raise UnusableInput(f"a group is named twice: {keys}")

    def rows(self, action: object) -> Rows:
        """Rows (T, C) of an action, as float64 where one of its arrays is; raises NoRows for a group that is missing,
        surplus or of another shape or type.
        """
        if not isinstance(action, dict):
            raise NoRows(f"an action is a map of groups, got {shown(action)}")
        arrays = cast(dict[str, Value], action)
        if set(arrays) != {group.key for group in self.groups}:
            listed = ", ".join(shown(key) for key in list(arrays)[:16])
            raise NoRows(f"groups {listed or 'none'}, expected {', '.join(group.key for group in self.groups)}")
        found = [self._rows_of(group, arrays[group.key]) for group in self.groups]
        if len({len(rows) for rows in found}) != 1:
            raise NoRows(f"groups of {', '.join(str(len(rows)) for rows in found)} rows, expected as many in each")
        joined = np.concatenate(found, axis=1)
        names = [name for group in self.groups for name in group.channels]
        return cast(Rows, joined[:, [names.index(channel.name) for channel in self.layout.channels]])

    def said(self, rows: Rows) -> dict[str, Value]:
        """The action that holds these rows (T, C)."""
        columns = {channel.name: column for column, channel in enumerate(self.layout.channels)}
        parts = {group.key: rows[:, [columns[name] for name in group.channels]] for group in self.groups}
        return {key: part[None] if self.batched else part for key, part in parts.items()}

    def _rows_of(self, group: Group, value: object) -> Array:
        if not isinstance(value, np.ndarray):
            raise NoRows(f"group {group.key}: expected an array, got {shown(value)}")
        array = cast(Array, value)
        axes = 3 if self.batched else 2
        if array.ndim != axes or array.shape[-1] != len(group.channels) or (self.batched and array.shape[0] != 1):
            expected = f"({'1, ' if self.batched else ''}rows, {len(group.channels)})"
            raise NoRows(f"group {group.key}: shape {array.shape}, expected {expected}")
        if array.dtype.kind != "f":
            raise NoRows(f"group {group.key}: expected floats, got {array.dtype}")
        return array[0] if self.batched else array


class GrootProxy:
    """Answers GR00T's clients in the upstream's place. `join`: names that lead to entries of a request, whose numbers,
    one after the other, are the entry `joined`: the robot's joints come in several groups.
    """

    def __init__(
        self, listening: Listening, upstream: Upstream, supervisor: Supervisor, session: Session, groups: Groups,
        join: Sequence[tuple[str, ...]] = (),
    ) -> None:  # fmt: skip
        if listening.certificate is not None:
            raise UnusableInput("GR00T's clients speak no TLS; listen on 127.0.0.1, behind what does")
        self._listening, self._upstream, self._groups, self._join = listening, upstream, groups, tuple(join)
        self._answering = Answering(supervisor, session)
        self._context = zmq.asyncio.Context()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> str:
        """Listens; the address. Raises UnusableInput."""
        host = f"[{self._listening.host}]" if ":" in self._listening.host else self._listening.host
        socket = self._socket(zmq.REP, host)
        try:
            socket.bind(f"tcp://{host}:{self._listening.port or '*'}")
        except zmq.ZMQError as error:
            self._context.destroy(linger=0)
            raise UnusableInput(f"nobody can listen there: {error}") from error
        where = socket.getsockopt_string(zmq.LAST_ENDPOINT).removeprefix("tcp://")
        self._task = asyncio.create_task(self._serve(socket))
        return where

    async def stop(self) -> None:
        """Listens no more, and ends the session."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._answering.close()
        self._context.destroy(linger=0)

    def _socket(self, kind: int, host: str) -> zmq.asyncio.Socket:
        socket = self._context.socket(kind)
        socket.setsockopt(zmq.LINGER, 0)
        socket.setsockopt(zmq.MAXMSGSIZE, MOST_BYTES)
        socket.setsockopt(zmq.RCVHWM, 2)
        socket.setsockopt(zmq.SNDHWM, 2)
        socket.setsockopt(zmq.IPV6, int("[" in host))  # to have both would make 127.0.0.1 an address of the newer kind
        return socket

    async def _serve(self, socket: zmq.asyncio.Socket) -> None:
        try:
            while True:
                parts = await socket.recv_multipart()
                await socket.send(await self._answered(parts))
        finally:
            socket.close()

    async def _answered(self, parts: Sequence[bytes]) -> bytes:
        try:
            return await self._replied(parts)
        except Exception as error:  # noqa: BLE001 - a bug must stop the robot, and not the proxy
            return _error(self._answering.failed(error))

    async def _replied(self, parts: Sequence[bytes]) -> bytes:
        """The message for a request; errors as GR00T says them, which its client raises."""
        raw = b"".join(parts)
        try:
            request = _request(parts)
        except BadMessage as error:
            return await self._unreadable(str(error), raw)
        if not self._admits(request):
            return _error(TOKEN_NEEDED)
        data = request.get("data")
        match request.get("endpoint", "get_action"):
            case "ping":
                return wire.write(dict(ALIVE))
            case "get_action":
                if not isinstance(data, dict):
                    return await self._unreadable("no observation in it", raw)
                return await self._action(data)
            case "get_modality_config":
                return await self._passed({"endpoint": "get_modality_config"}, _config)
            case "reset":
                options = data if isinstance(data, dict) else {}
                return await self._passed({"endpoint": "reset", "data": options}, _remarks)
            case _:
                return _error(NOT_PASSED_ON)

    def _admits(self, request: Mapping[str, Value]) -> bool:
        sent = request.get("api_token")
        return self._listening.admits(f"{SCHEME}{sent}" if isinstance(sent, str) else None)

    async def _unreadable(self, why: str, raw: bytes) -> bytes:
        await self._answering.unreadable(why, raw)
        return _error(UNREADABLE)

    async def _action(self, data: dict[str, Value]) -> bytes:
        """The newer clients put the observation beside their options and want remarks beside the action; to the older
        ones a request is an observation and a reply an action.
        """
        newer = "observation" in data
        try:
            answer = await self._answering.reply(self._seen(data), lambda: self._proposed(data, newer=newer))
        except HoldUnknown as error:
            return _error(f"interlock: {error}")
        return wire.write(_reply(self._groups.said(answer.rows), answer, newer=newer))

    def _seen(self, data: Mapping[str, Value]) -> dict[str, object]:
        """The observation without axes of one batch and one moment, and with what the mapping joins."""
        seen: dict[str, object] = {key: _single(value) for key, value in data.items() if key != JOINED}
        parts = [_numbers_at(seen, key) for key in self._join]
        if parts and all(part is not None for part in parts):
            seen[JOINED] = np.concatenate(cast(list[Array], parts))
        return seen

    async def _proposed(self, data: dict[str, Value], *, newer: bool) -> Proposed:
        said = await self._asked({"endpoint": "get_action", "data": data})
        found, digest = _read(said)
        pair = isinstance(found, tuple) and len(found) == 2
        if newer != pair:
            form = "an action and remarks" if newer else "an action alone"
            raise NoAnswer("upstream's answer has no rows of the right shape", f"expected {form}", digest)
        action, remarks = cast(tuple[Value, Value], found) if newer else (found, None)
        try:
            rows = self._groups.rows(action)
        except NoRows as error:
            raise NoAnswer("upstream's answer has no rows of the right shape", str(error), digest) from error
        beside = plain_values(remarks, texts=False) if isinstance(remarks, dict) else {}
        beside.pop(ABOUT, None)
        return Proposed(rows, digest, beside)

    async def _passed(self, request: dict[str, Value], kept: Callable[[Value], Value]) -> bytes:
        """The upstream's reply to a request that moves nothing, as far as it may be passed on."""
        try:
            said = await self._asked(request)
            return wire.write(kept(_read(said)[0]))
        except (NoAnswer, BadMessage, TypeError, ValueError):
            return _error(NO_ANSWER)

    async def _asked(self, request: dict[str, Value]) -> bytes:
        """The upstream's message for a request, from a connection of its own: no answer can be for another question.
        Raises NoAnswer.
        """
        token: dict[str, Value] = {"api_token": self._upstream.token} if self._upstream.token else {}
        where = self._upstream.address.netloc
        socket = self._socket(zmq.REQ, where)
        try:
            async with in_time(self._upstream):
                socket.connect(f"tcp://{where}")
                await socket.send(wire.write({**request, **token}))
                parts = await socket.recv_multipart()
        except zmq.ZMQError as error:
            raise NoAnswer("upstream cannot be reached", str(error)) from error
        finally:
            socket.close(linger=0)
        if len(parts) != 1:
            raise NoAnswer("upstream's answer cannot be read", f"{len(parts)} parts, expected one")
        return parts[0]


def _request(parts: Sequence[bytes]) -> dict[str, Value]:
    if len(parts) != 1:
        raise BadMessage(f"{len(parts)} parts, expected one")
    found = wire.read(parts[0], CAPS)
    if not isinstance(found, dict):
        raise BadMessage(f"expected a map, got {shown(found)}")
    return found


def _read(said: bytes) -> tuple[Value, str]:
    """What the upstream says, and its digest; raises NoAnswer for what cannot be read and for what says itself that it
    is an error.
    """
    found, digest = understood(said, partial(wire.read, caps=CAPS))
    if isinstance(found, dict) and "error" in found:
        raise NoAnswer("upstream reported an error", shown(found["error"]), digest)
    return found, digest


def _reply(action: dict[str, Value], answer: Answer, *, newer: bool) -> Value:
    remarks = cast(dict[str, Value], {**answer.beside, ABOUT: dict(answer.about)})
    return (action, remarks) if newer else action


def _config(found: Value) -> Value:
    """A modality's configuration holds no arrays, which might be anything."""
    if not isinstance(found, dict) or _holds_array(found):
        raise BadMessage("expected a configuration")
    return found


def _remarks(found: Value) -> Value:
    return cast(dict[str, Value], plain_values(found, texts=False)) if isinstance(found, dict) else {}


def _holds_array(value: Value) -> bool:
    if isinstance(value, dict):
        return any(map(_holds_array, value.values()))
    return any(map(_holds_array, value)) if isinstance(value, tuple | list) else isinstance(value, np.ndarray)


def _single(value: Value) -> Value:
    """The value without the axes and lists of a batch of one and of a history of one; images keep theirs."""
    if isinstance(value, dict):
        return {key: _single(entry) for key, entry in value.items()}
    if isinstance(value, tuple | list):
        return _single(value[0]) if len(value) == 1 else value
    if isinstance(value, np.ndarray):
        array: Array = value
        alone = array.ndim > 1 and array.dtype != np.uint8 and all(size == 1 for size in array.shape[:-1])
        return array.reshape(-1) if alone else array
    return value


def _numbers_at(seen: Mapping[str, Any], key: tuple[str, ...]) -> Array | None:
    """The row of numbers at an entry; None where there is none."""
    found: Any = seen
    for name in key:
        found = cast(Mapping[str, Any], found).get(name) if isinstance(found, Mapping) else None
    array = cast(Array, found) if isinstance(found, np.ndarray) else None
    return array if array is not None and array.ndim == 1 and array.dtype.kind == "f" else None


def _error(said: str) -> bytes:
    return wire.write({"error": said})
