"""What a policy's server can send instead of rows, and what its client is told of it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import msgpack
import numpy as np
from websockets.asyncio.server import ServerConnection

from interlock_policies.proxy.answering import MOST_BYTES
from interlock_policies.wire import openpi as wire
from tests.policies.proxy.wired import Behave


def packed(said: Any) -> bytes:
    return msgpack.packb(said)


def array(data: bytes, dtype: str, shape: tuple[int, ...]) -> dict[Any, Any]:
    return {b"__ndarray__": True, b"data": data, b"dtype": dtype, b"shape": shape}


def sends(message: Any) -> Behave:
    async def behave(connection: ServerConnection, _seen: Mapping[str, Any]) -> None:
        await connection.send(message)

    return behave


async def says_nothing(connection: ServerConnection, _seen: Mapping[str, Any]) -> None:
    await connection.wait_closed()


async def leaves(connection: ServerConnection, _seen: Mapping[str, Any]) -> None:
    await connection.close(1011, "Traceback: secret")


async def leaves_in_the_middle(connection: ServerConnection, _seen: Mapping[str, Any]) -> None:
    connection.transport.write(b"\x82\x7e\x10\x00" + b"\x00" * 100)  # a frame of 4096 bytes, of which 100 come
    await asyncio.sleep(0.01)
    connection.transport.abort()


async def stops_in_the_middle(connection: ServerConnection, _seen: Mapping[str, Any]) -> None:
    connection.transport.write(b"\x82\x7e\x10\x00" + b"\x00" * 100)
    await connection.wait_closed()


async def drips(connection: ServerConnection, _seen: Mapping[str, Any]) -> None:
    connection.transport.write(b"\x82\x7e\x10\x00")
    while not connection.transport.is_closing():
        connection.transport.write(b"\x00")
        await asyncio.sleep(0.05)


FULL = np.zeros((40, 3))
HOSTILE: dict[str, tuple[Behave, str]] = {
    "NaN": (sends(wire.write({"actions": np.full((40, 3), np.nan)})), "check:finite"),
    "infinity": (sends(wire.write({"actions": np.full((40, 3), np.inf)})), "check:finite"),
    "a slam": (sends(wire.write({"actions": np.full((40, 3), 1.9)})), "check:seam"),
    "too few rows": (sends(wire.write({"actions": FULL[:3]})), "rows of the right shape"),
    "no rows": (sends(wire.write({"actions": FULL[:0]})), "rows of the right shape"),
    "another width": (sends(wire.write({"actions": np.zeros((40, 7))})), "rows of the right shape"),
    "whole numbers": (sends(wire.write({"actions": FULL.astype(np.int64)})), "rows of the right shape"),
    "no actions": (sends(wire.write({"other": FULL})), "rows of the right shape"),
    "actions in a list": (sends(packed({"actions": FULL.tolist()})), "rows of the right shape"),
    "an object array": (sends(packed({"actions": array(b"\x80\x04N.", "|O", (1,))})), "cannot be read"),
    "a lie about the size": (sends(packed({"actions": array(b"\0" * 8, "<f8", (40, 3))})), "cannot be read"),
    "a huge shape": (sends(packed({"actions": array(b"", "<f8", (2**40, 2**40))})), "cannot be read"),
    "noise": (sends(b"\xc1\xc1\xc1"), "cannot be read"),
    "no map": (sends(packed([1, 2])), "cannot be read"),
    "nothing": (sends(b""), "cannot be read"),
    "a text frame": (sends("Traceback: secret \x1b[2J"), "reported an error"),
    "a huge frame": (sends(b"\0" * (MOST_BYTES + 1)), "closed the connection"),
    "a farewell": (leaves, "closed the connection"),
    "half a frame": (leaves_in_the_middle, "closed the connection"),
}
SLOW: dict[str, Behave] = {"silence": says_nothing, "half a frame": stops_in_the_middle, "a drip": drips}
