"""The openpi shell: whatever the upstream sends, its client is told to hold, and the record verifies."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from interlock_audit_logs import read_log
from interlock_policies.proxy.answering import MOST_BYTES
from interlock_policies.proxy.listening import Listening
from interlock_policies.wire import openpi as wire
from tests.policies.proxy.hostile import HOSTILE, SLOW, array, packed
from tests.policies.proxy.wired import Behave, Client, Wired, answers

TOKEN = "t" * 20


def test_a_reply_holds_rows_that_were_judged_and_beside_them_what_was_decided(tmp_path: Path) -> None:
    with Wired(tmp_path, answers()) as wired:
        client = wired.client()

        reply = client.ask()

        assert reply["interlock"]["reaction"] == "permit"
        assert reply["interlock"]["permitted_rows"] > 10
        assert reply["policy_timing"] == {"infer_ms": 1.5}
        assert client.metadata == {"name": "toy", "interlock": {"rules": "toy"}}


def test_the_only_array_of_a_reply_are_its_rows_and_what_else_might_be_actions_is_dropped(tmp_path: Path) -> None:
    def more(reply: dict[str, Any]) -> dict[str, Any]:
        wrong = np.full((40, 3), 9.0)
        return {**reply, "actions2": wrong, "best": {"actions": wrong}, "note": "text", "interlock": {"reaction": "x"}}

    with Wired(tmp_path, answers(more)) as wired:
        reply = wired.client().ask()

    assert set(reply) == {"actions", "best", "interlock", "policy_timing"}
    assert reply["best"] == {}
    assert reply["interlock"]["reaction"] == "permit"
    assert reply["interlock"]["dropped"] == ("'actions2'", "'interlock'", "'note'")


def told(client: Client, reply: Mapping[str, Any]) -> str:
    """The rule and the words of a refusal, of which none are the upstream's."""
    assert client.holds(reply)
    assert "secret" not in str(reply)
    return f"{reply['interlock']['rule']} {reply['interlock']['message']}"


@pytest.mark.parametrize(("behave", "said"), HOSTILE.values(), ids=HOSTILE)
def test_F45_F46_an_upstream_that_lies_or_breaks_makes_its_client_hold_and_the_next_request_asks_again(
    tmp_path: Path, behave: Behave, said: str
) -> None:
    times = 0

    async def once(connection: ServerConnection, seen: Mapping[str, Any]) -> None:
        nonlocal times
        times += 1
        await (behave if times == 1 else answers())(connection, seen)

    with Wired(tmp_path, once) as wired:
        client = wired.client()

        first, second = client.ask(), None
        found = told(client, first)
        second = client.ask()

        assert said in found
        assert first["interlock"]["reaction"] == "veto"
        assert second["interlock"]["reaction"] == "permit"


@pytest.mark.parametrize("behave", SLOW.values(), ids=SLOW)
def test_F46_an_upstream_that_is_silent_is_not_waited_for(tmp_path: Path, behave: Behave) -> None:
    with Wired(tmp_path, behave, deadline_s=0.3) as wired:
        client = wired.client()

        reply = client.ask()

        assert "did not answer in time" in told(client, reply)


def test_an_upstream_that_is_not_there_makes_its_client_hold(tmp_path: Path) -> None:
    with Wired(tmp_path, answers(), absent=True) as wired:
        client = wired.client()

        reply = client.ask()

        assert client.metadata == {"interlock": {"rules": "toy"}}
        assert "cannot be reached" in told(client, reply)


def test_F18_an_answer_that_nobody_asked_for_is_not_taken_for_the_next(tmp_path: Path) -> None:
    async def twice(connection: ServerConnection, seen: Mapping[str, Any]) -> None:
        await answers()(connection, seen)
        await connection.send(packed({"actions": array(b"", "|O", (0,))}))

    with Wired(tmp_path, twice) as wired:
        client = wired.client()
        client.ask()
        wired.loop.run(asyncio.sleep(0.2))

        reply = client.ask()

        assert reply["interlock"]["reaction"] == "permit"


def test_F18_an_answer_that_comes_after_its_deadline_is_not_taken_for_the_next(tmp_path: Path) -> None:
    times = 0

    async def late(connection: ServerConnection, seen: Mapping[str, Any]) -> None:
        nonlocal times
        times += 1
        if times == 1:
            await asyncio.sleep(1.5)
            await connection.send(b"\xc1")
        else:
            await answers()(connection, seen)

    with Wired(tmp_path, late, deadline_s=1.0) as wired:
        client = wired.client()
        first = client.ask()
        second = client.ask()

        assert "did not answer in time" in told(client, first)
        assert second["interlock"]["reaction"] == "permit"


def deep(levels: int) -> Any:
    return {"deeper": deep(levels - 1)} if levels else "bottom"


@pytest.mark.parametrize(
    ("metadata", "left"),
    [
        (packed({"reset_pose": [0.1, 0.2], "interlock": {"rules": "none"}}), {"reset_pose": (0.1, 0.2)}),
        (wire.write({"table": np.zeros((3, 3)), "n": 1}), {"n": 1}),
        (packed({"long": "a" * 1000, "many": [0] * 1000, "none": None}), {"none": None}),
        (packed(deep(7)), {"deeper": {"deeper": {"deeper": {}}}}),
        (packed({"x": array(b"\x80\x04N.", "|O", (1,))}), {}),
        ("Traceback: secret", {}),
        (b"\xc1", {}),
    ],
    ids=["ours stays ours", "arrays", "long", "deep", "objects", "text", "noise"],
)
def test_F46_metadata_is_passed_on_as_far_as_it_is_plain(tmp_path: Path, metadata: Any, left: dict[str, Any]) -> None:
    with Wired(tmp_path, answers(), metadata=metadata) as wired:
        client = wired.client()

        assert client.metadata == {**left, "interlock": {"rules": "toy"}}


def test_F46_an_upstream_that_does_not_greet_is_not_waited_for(tmp_path: Path) -> None:
    with Wired(tmp_path, answers(), greet=False, deadline_s=0.3) as wired:
        client = wired.client()

        assert client.metadata == {"interlock": {"rules": "toy"}}
        assert "did not answer in time" in told(client, client.ask())


@pytest.mark.parametrize(
    "message",
    [b"\xc1", b"", packed([1]), packed({"joints": array(b"", "|O", (0,))}), "text", packed({1: 2})],
    ids=["noise", "nothing", "list", "objects", "text", "no names"],
)
def test_F45_a_request_that_cannot_be_read_is_on_record_and_told_in_fixed_words(tmp_path: Path, message: Any) -> None:
    with Wired(tmp_path, answers()) as wired:
        client = wired.client()
        with pytest.raises(RuntimeError, match=r"^interlock: (the request cannot be read|the observation cannot be)"):
            client.said(message)
        again = client.ask()

        assert wired.supervisor.memory.vetoes == 0
        assert again["interlock"]["record"] >= 2


def test_an_observation_without_joints_is_told_in_fixed_words(tmp_path: Path) -> None:
    with Wired(tmp_path, answers()) as wired:
        client = wired.client()

        with pytest.raises(RuntimeError, match=r"^interlock: the observation cannot be used, so nobody knows where to"):
            client.said(packed({"prompt": "go"}))


def test_a_bug_stops_the_robot_and_the_peer_is_told_nothing_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> int:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr("interlock_policies.proxy.frame.rows_with_room", broken)
    with Wired(tmp_path, answers()) as wired:
        client = wired.client()

        with pytest.raises(RuntimeError, match=r"^interlock: the proxy failed and stopped the robot; see its record$"):
            client.ask()

        assert wired.supervisor.memory.state == "stopped"


def refused(call: Callable[[], Any]) -> int:
    with pytest.raises(InvalidStatus) as caught:
        call()
    return caught.value.response.status_code


def test_F46_one_client_at_a_time(tmp_path: Path) -> None:
    with Wired(tmp_path, answers()) as wired:
        first = wired.client()

        status = refused(wired.client)
        first.connection.close()
        until(wired, lambda: not wired.proxy.busy)
        again = wired.client()

        assert status == 503
        assert again.ask()["interlock"]["reaction"] == "permit"


def test_F10_the_next_client_finds_the_hand_as_the_last_one_was_told_it(tmp_path: Path) -> None:
    said: list[float] = [0.0, float("nan")]  # closed, and then nothing that could be followed

    def change(reply: dict[str, Any]) -> dict[str, Any]:
        hand = said.pop(0)
        rows = np.array(reply["actions"])
        rows[:, 2] = hand
        return {**reply, "actions": rows}

    with Wired(tmp_path, answers(change)) as wired:
        first = wired.client()
        closed = first.ask()
        first.connection.close()
        until(wired, lambda: not wired.proxy.busy)
        wired.desk.hand = 0.03  # what it holds is so wide
        held = wired.client().ask()

    assert closed["interlock"]["reaction"] == "permit"
    assert held["interlock"]["reaction"] == "veto"
    assert held["actions"][:, 2].tolist() == [0.0] * len(held["actions"])


def test_F18_a_client_that_asks_again_before_it_is_answered_is_let_go(tmp_path: Path) -> None:
    with Wired(tmp_path, answers()) as wired:
        hasty = wired.client()
        request = wire.write(wired.desk.seen())

        hasty.connection.send(request)
        hasty.connection.send(request)
        with pytest.raises(ConnectionClosed, match="one request at a time"):
            hasty.connection.recv(30.0)
        until(wired, lambda: not wired.proxy.busy)

        assert wired.client().ask()["interlock"]["reaction"] in {"permit", "veto"}


def test_F46_a_client_needs_the_token_that_is_asked_for(tmp_path: Path) -> None:
    with Wired(tmp_path, answers(), listening=Listening("127.0.0.1", 0, TOKEN)) as wired:
        without = refused(wired.client)
        wrong = refused(lambda: wired.client(additional_headers={"Authorization": f"Api-Key {TOKEN}."}))
        both = [("Authorization", f"Api-Key {TOKEN}"), ("Authorization", "Api-Key another")]
        doubled = refused(lambda: wired.client(additional_headers=both))
        right = wired.client(additional_headers={"Authorization": f"Api-Key {TOKEN}"})

        assert (without, wrong, doubled) == (401, 401, 401)
        assert right.ask()["interlock"]["reaction"] == "permit"


def test_F46_a_browser_is_no_client(tmp_path: Path) -> None:
    with Wired(tmp_path, answers()) as wired:
        assert refused(lambda: connect(f"ws://127.0.0.1:{wired.port}", origin=cast("Any", "http://example.org"))) == 403


def test_F46_a_request_that_is_too_large_ends_the_connection_and_the_next_client_is_served(tmp_path: Path) -> None:
    with Wired(tmp_path, answers()) as wired:
        client = wired.client()
        with pytest.raises(Exception, match="1009"):
            client.said(b"\0" * (MOST_BYTES + 1))
        until(wired, lambda: not wired.proxy.busy)

        assert wired.client().ask()["interlock"]["reaction"] == "permit"


def test_a_client_that_leaves_before_its_reply_takes_the_permit_with_it(tmp_path: Path) -> None:
    gone = asyncio.Event()

    async def late(connection: ServerConnection, seen: Mapping[str, Any]) -> None:
        await gone.wait()
        await answers()(connection, seen)

    with Wired(tmp_path, late) as wired:
        client = wired.client()
        wired.desk.time.ns += 20_000_000
        client.connection.send(wire.write(wired.desk.seen()))
        client.connection.socket.close()
        wired.loop.run(_set(gone))
        until(wired, lambda: wired.supervisor.memory.session == "toy-0" and wired.supervisor.memory.plan is None)

    assert "departed" in [record.kind for record in read_log(tmp_path)]


def test_the_end_of_a_connection_ends_what_was_permitted(tmp_path: Path) -> None:
    with Wired(tmp_path, answers()) as wired:
        client = wired.client()
        client.ask()
        before = wired.supervisor.memory.plan
        client.connection.close()
        until(wired, lambda: wired.supervisor.memory.plan is None)

        assert before is not None


def until(wired: Wired, true: Callable[[], bool]) -> None:
    """Waits until that is so, at most half a minute."""
    for _ in range(600):
        if true():
            return
        wired.loop.run(asyncio.sleep(0.05))
    raise AssertionError("it never was so")


async def _set(event: asyncio.Event) -> None:
    await asyncio.sleep(0.1)
    event.set()


def test_health_can_be_asked_for(tmp_path: Path) -> None:
    with Wired(tmp_path, answers()) as wired:
        assert refused(lambda: connect(f"ws://127.0.0.1:{wired.port}/healthz")) == 200
