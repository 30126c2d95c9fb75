"""What every dialect does around a session: one request after the other, and images while the upstream thinks."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from typing import cast

import numpy as np
import pytest

from interlock.scene import Scene
from interlock_policies.proxy.answering import FAILED, Answering, Failed
from interlock_policies.proxy.frame import Proposed, Session, Timing
from interlock_policies.proxy.observing import Observed, Observing
from tests.policies.proxy.bench_of_toys import HAND, JOINTS, ROWS, Desk, smooth
from tests.supervisor.toy import profile

IMAGE = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
PATIENCE_S = 30.0  # what is waited for longer than that never comes


def looking() -> Desk:
    """A desk whose observations have an image."""
    desk = Desk()
    mapping = Observing(profile(), JOINTS, (HAND,), desk.velocities, ("prompt",), (("front",),))
    desk.session = Session(
        "s", desk.supervisor, desk.physics, desk.playing, mapping, lambda _: Scene("automatic", ()), desk.time,
        Timing(desk.lead_ns, ROWS),
    )  # fmt: skip
    return desk


def run(desk: Desk, work: Callable[[Answering], Awaitable[None]]) -> None:
    """Does that with the desk's session, in a loop of its own."""

    async def around() -> None:
        answering = Answering(desk.supervisor, desk.session)
        try:
            async with asyncio.timeout(PATIENCE_S):
                await work(answering)
        finally:
            await answering.close()

    asyncio.run(around())


def test_images_are_digested_while_the_upstream_thinks_and_are_on_record(monkeypatch: pytest.MonkeyPatch) -> None:
    desk, plain = looking(), cast("property", Observed.images).fget
    assert plain is not None

    async def ask_one(answering: Answering) -> None:
        digested, loop = asyncio.Event(), asyncio.get_running_loop()

        def told(observed: Observed) -> tuple[str, ...]:
            loop.call_soon_threadsafe(digested.set)
            found: tuple[str, ...] = plain(observed)
            return found

        async def ask() -> Proposed:
            await digested.wait()
            return Proposed(smooth(desk), "7" * 64)

        monkeypatch.setattr(Observed, "images", property(told))
        await answering.reply(desk.seen(front=IMAGE), ask)

    run(desk, ask_one)

    (body,) = desk.bodies()
    assert hashlib.sha256(b"|u1(2, 2, 3)\0" + IMAGE.tobytes()).hexdigest() in str(body)


def test_F18_a_request_is_not_looked_at_before_the_one_ahead_of_it_is_answered() -> None:
    desk, order = looking(), list[str]()

    async def ask_two(answering: Answering) -> None:
        asked, go_on = asyncio.Event(), asyncio.Event()

        async def first() -> Proposed:
            asked.set()
            await go_on.wait()
            order.append("first")
            return Proposed(smooth(desk), "7" * 64)

        async def second() -> Proposed:
            order.append("second")
            return Proposed(smooth(desk), "8" * 64)

        async def lost() -> None:
            await answering.unsent()
            order.append("lost")

        ahead = asyncio.create_task(answering.reply(desk.seen(front=IMAGE), first))
        await asked.wait()
        lost_one = asyncio.create_task(lost())
        behind = asyncio.create_task(answering.reply(desk.seen(front=IMAGE), second))
        await asyncio.wait({lost_one, behind}, timeout=0.2)  # neither can end, however long they are given
        go_on.set()
        await asyncio.gather(ahead, lost_one, behind)

    run(desk, ask_two)

    assert order == ["first", "lost", "second"]


def test_a_bug_in_the_session_stops_the_robot_once(monkeypatch: pytest.MonkeyPatch) -> None:
    desk, said = looking(), list[str]()

    def broken(*_: object) -> str:
        raise ZeroDivisionError("secret")

    async def ask() -> Proposed:
        return Proposed(smooth(desk), "7" * 64)

    async def ask_one(answering: Answering) -> None:
        with pytest.raises(Failed) as caught:
            await answering.reply(desk.seen(front=IMAGE), ask)
        said.append(answering.failed(caught.value))

    monkeypatch.setattr(desk.session, "answered", broken)
    run(desk, ask_one)

    assert said == [FAILED]
    assert [body["why"] for body in desk.bodies("supervisor_stop")] == ["the proxy failed: ZeroDivisionError: secret"]


def test_an_answer_that_is_waited_for_when_the_proxy_ends_is_waited_for_no_longer() -> None:
    desk, ended = looking(), list[bool]()

    async def ask_and_end(answering: Answering) -> None:
        asked = asyncio.Event()

        async def ask() -> Proposed:
            asked.set()
            try:
                return await asyncio.Future[Proposed]()
            finally:
                ended.append(True)

        waiting = asyncio.create_task(answering.reply(desk.seen(front=IMAGE), ask))
        await asked.wait()
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)

    run(desk, ask_and_end)

    assert ended == [True]
    assert desk.supervisor.memory.state != "stopped"
