"""The GR00T shell: whatever the upstream sends, its client is told to hold, and nobody ends a server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Self, cast

import numpy as np
import pytest
import zmq
import zmq.asyncio

from interlock.errors import UnusableInput
from interlock_policies.groot import Group
from interlock_policies.proxy.answering import MOST_BYTES, upstream
from interlock_policies.proxy.groot import GrootProxy, Groups, NoRows
from interlock_policies.proxy.listening import Listening
from interlock_policies.wire import groot as wire
from tests.policies.proxy.without_connections import Standing, smooth_from
from tests.supervisor.toy import ABSOLUTE

TOKEN = "t" * 20
ARM, HAND = "action.arm", "action.hand"
GROUPS = (Group(HAND, ("hand",)), Group(ARM, ("b", "a")))
SEEN = ("observation", "state")
# What an upstream answers to a request: the parts of a message, or nothing.
Behave = Callable[[Mapping[str, Any]], list[bytes] | None]


def message(said: Any) -> bytes:
    return wire.write(said)


class Wired(Standing):
    """The shell, and an upstream that does what the test says."""

    def __init__(
        self, folder: Path, behave: Behave, *, batched: bool = True, token: str = "", upstream_token: str = "",
        deadline_s: float = 5.0, absent: bool = False, joined: bool = False,
        places: tuple[str, str, str, str] | None = None,
    ) -> None:  # fmt: skip
        joints = ("joined",) if joined else (*SEEN, "arm")
        newer = (joints, (*SEEN, "speeds"), (*SEEN, "hand"), ("observation", "language", "task"))
        super().__init__(folder, *(newer if places is None else [(place,) for place in places]))
        self._behave, self._batched, self._joined = behave, batched, joined
        self._token, self._upstream_token, self._deadline_s, self._absent = token, upstream_token, deadline_s, absent
        self.asked: list[Mapping[str, Any]] = []

    def __enter__(self) -> Self:
        super().__enter__()
        self.context = zmq.Context()
        self._stack.callback(lambda: self.context.destroy(linger=0))
        port = self.loop.run(self._upstream())
        behind = upstream(f"tcp://127.0.0.1:{port}", ("tcp",), self._deadline_s, self._upstream_token)
        groups = Groups(ABSOLUTE, GROUPS, self._batched)
        join = [(*SEEN, "first"), (*SEEN, "second")] if self._joined else []
        listening = Listening("127.0.0.1", 0, self._token)
        self.address = self.listen(
            lambda supervisor, session: GrootProxy(listening, behind, supervisor, session, groups, join)
        )
        return self

    async def _upstream(self) -> int:
        context = zmq.asyncio.Context()
        socket = context.socket(zmq.REP)
        socket.setsockopt(zmq.LINGER, 0)
        port = socket.bind_to_random_port("tcp://127.0.0.1")
        if self._absent:
            context.destroy(linger=0)
            return port
        task = asyncio.create_task(self._answering(socket))
        self.until_left(lambda: self.loop.run(ended(task, context)))
        return port

    async def _answering(self, socket: zmq.asyncio.Socket) -> None:
        while True:
            request = cast("dict[str, Any]", wire.read(await socket.recv()))
            self.asked.append(request)
            parts = self._behave(request)
            if parts is None:
                await asyncio.Event().wait()
            await cast(Any, socket).send_multipart(parts or [])

    def call(self, said: bytes | list[bytes], timeout_ms: int = 30_000) -> Any:
        """What the proxy says to a message, from a socket of its own; raises zmq.Again."""
        with self.context.socket(zmq.REQ) as socket:
            socket.setsockopt(zmq.LINGER, 0)
            socket.setsockopt(zmq.RCVTIMEO, timeout_ms)
            socket.connect(f"tcp://{self.address}")
            socket.send_multipart([said] if isinstance(said, bytes) else said)
            return wire.read(socket.recv())

    def observed(self, **state: Any) -> dict[str, Any]:
        desk = self.desk
        arm = {"arm": desk.joints, "first": desk.joints[:1], "second": desk.joints[1:]}
        entries = {**arm, "speeds": np.zeros(2), "hand": np.array([desk.hand]), **state}
        found = {name: np.array(value, np.float64)[None, None] for name, value in entries.items()}
        return {"state": found, "language": {"task": [["go on"]]}}

    def ask(self, **state: Any) -> tuple[np.ndarray[Any, Any], dict[str, Any]]:
        """Rows and remarks of the reply to `get_action`, as the newer clients ask; raises RuntimeError."""
        self.desk.time.ns += 20_000_000
        data = {"observation": self.observed(**state), "options": None}
        reply = self.call(message({"endpoint": "get_action", "data": data}))
        if isinstance(reply, dict):
            raise RuntimeError(cast("dict[str, str]", reply)["error"])  # noqa: TRY004 - as GR00T's client does
        action, remarks = reply
        assert set(action) == {ARM, HAND}
        assert all(part.shape[0] == 1 for part in action.values())
        return columns(action), remarks

    def told(self) -> str:
        """The rule and the words of a refusal, of which none are the upstream's."""
        rows, remarks = self.ask()
        assert self.holds(rows)
        assert remarks["interlock"]["reaction"] == "veto"
        assert "secret" not in str(remarks)
        return f"{remarks['interlock']['rule']} {remarks['interlock']['message']}"


async def ended(task: asyncio.Task[None], context: zmq.asyncio.Context) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    context.destroy(linger=0)


def columns(action: Mapping[str, Any]) -> np.ndarray[Any, Any]:
    """The rows (T, 3) of an action, batched or not: a, b, hand."""
    arm, hand = action[ARM], action[HAND]
    return np.concatenate([arm[..., ::-1], hand], axis=-1).reshape(-1, 3)


def action_of(rows: np.ndarray[Any, Any]) -> dict[str, Any]:
    return {ARM: rows[None, :, 1::-1], HAND: rows[None, :, 2:]}


def good(request: Mapping[str, Any]) -> dict[str, Any]:
    state = request["data"]["observation"]["state"]
    return action_of(smooth_from(state["arm"].reshape(-1), float(state["hand"].reshape(-1)[0])))


def answers(request: Mapping[str, Any]) -> list[bytes]:
    return [message([good(request), {"took": 1.5, "note": "secret"}])]


def says(value: Any) -> Behave:
    return lambda _: [message(value)]


def test_a_reply_holds_rows_that_were_judged_in_their_groups_and_beside_them_what_was_decided(tmp_path: Path) -> None:
    with Wired(tmp_path, answers) as wired:
        rows, remarks = wired.ask()

        first = int(remarks["interlock"]["permitted_rows"])
        sent = columns(good(wired.asked[0]))

        assert remarks["interlock"]["reaction"] == "permit"
        assert first > 10
        assert remarks["took"] == 1.5
        assert "note" not in remarks
        np.testing.assert_array_equal(rows[:first], sent[:first])
        np.testing.assert_array_equal(rows[-1], rows[25])
        assert wired.desk.supervisor.memory.plan is not None


def test_an_older_client_is_answered_in_its_own_form(tmp_path: Path) -> None:
    def older(request: Mapping[str, Any]) -> list[bytes]:
        state = request["data"]
        made = action_of(smooth_from(state["arm"][0], float(state["hand"][0, 0])))
        return [message({key: part[0] for key, part in made.items()})]

    with Wired(tmp_path, older, batched=False, places=("arm", "speeds", "hand", "task")) as wired:
        desk = wired.desk
        state = {"arm": desk.joints[None], "speeds": np.zeros((1, 2)), "hand": np.array([[desk.hand]]), "task": ["go"]}
        wired.desk.time.ns += 20_000_000
        reply = wired.call(message({"endpoint": "get_action", "data": state}))

        assert set(reply) == {ARM, HAND}
        assert columns(reply).shape == (40, 3)
        assert not wired.holds(columns(reply))


def test_joints_that_come_in_several_groups_are_joined(tmp_path: Path) -> None:
    with Wired(tmp_path, answers, joined=True) as wired:
        _, remarks = wired.ask()

        assert remarks["interlock"]["reaction"] == "permit"


def test_an_entry_that_names_itself_as_the_joined_one_is_not_taken_for_it(tmp_path: Path) -> None:
    with Wired(tmp_path, answers, joined=True) as wired:
        observation = wired.observed()
        del observation["state"]["second"]
        data = {"observation": observation, "options": None, "joined": wired.desk.joints}
        reply = wired.call(message({"endpoint": "get_action", "data": data}))

    assert "the observation cannot be used" in reply["error"]


ZEROS = np.zeros((1, 40, 3))
OBJECTS = {"__ndarray_class__": True, "as_npy": b"\x93NUMPY\x01\x00v\x00{'descr': '|O', "}


def raw(value: Any) -> bytes:
    import msgpack  # noqa: PLC0415 - what our own writer would refuse to write

    return msgpack.packb(value)


HOSTILE: dict[str, tuple[Behave, str]] = {
    "NaN": (says([action_of(np.full((40, 3), np.nan)), {}]), "check:finite"),
    "infinity": (says([action_of(np.full((40, 3), np.inf)), {}]), "check:finite"),
    "a slam": (says([action_of(np.full((40, 3), 1.9)), {}]), "check:seam"),
    "too few rows": (says([action_of(np.zeros((3, 3))), {}]), "rows of the right shape"),
    "no rows": (says([action_of(np.zeros((0, 3))), {}]), "rows of the right shape"),
    "a group missing": (says([{ARM: ZEROS[..., :2]}, {}]), "rows of the right shape"),
    "a group more": (says([{**action_of(ZEROS[0]), "action.base": ZEROS}, {}]), "rows of the right shape"),
    "groups of other lengths": (says([{ARM: ZEROS[..., :2], HAND: ZEROS[:, :39, :1]}, {}]), "rows of the right shape"),
    "a batch of two": (says([{ARM: np.zeros((2, 40, 2)), HAND: np.zeros((2, 40, 1))}, {}]), "rows of the right shape"),
    "no batch": (says([{ARM: np.zeros((40, 2)), HAND: np.zeros((40, 1))}, {}]), "rows of the right shape"),
    "another width": (says([{ARM: ZEROS, HAND: ZEROS[..., :1]}, {}]), "rows of the right shape"),
    "whole numbers": (says([action_of(np.zeros((40, 3), np.int64)), {}]), "rows of the right shape"),
    "lists": (says([{ARM: [[0.0, 0.0]], HAND: [[0.0]]}, {}]), "rows of the right shape"),
    "an action alone": (says(action_of(np.zeros((40, 3)))), "rows of the right shape"),
    "three things": (says([action_of(np.zeros((40, 3))), {}, {}]), "rows of the right shape"),
    "nothing": (says([{}, {}]), "rows of the right shape"),
    "a number": (says(7), "rows of the right shape"),
    "an error": (says({"error": "Traceback: secret \x1b[2J"}), "reported an error"),
    "an error as the servers shout it": (lambda _: [b"ERROR"], "cannot be read"),
    "objects": (lambda _: [raw([{ARM: OBJECTS, HAND: OBJECTS}, {}])], "cannot be read"),
    "noise": (lambda _: [b"\xc1secret"], "cannot be read"),
    "an empty message": (lambda _: [b""], "cannot be read"),
    "two parts": (lambda _: [b"\x80", b"\x80"], "cannot be read"),
}


@pytest.mark.parametrize(("behave", "said"), HOSTILE.values(), ids=HOSTILE)
def test_F45_F46_an_upstream_that_lies_makes_its_client_hold_and_the_next_request_asks_again(
    tmp_path: Path, behave: Behave, said: str
) -> None:
    times = 0

    def once(request: Mapping[str, Any]) -> list[bytes] | None:
        nonlocal times
        times += 1
        return (behave if times == 1 else answers)(request)

    with Wired(tmp_path, once) as wired:
        found = wired.told()
        _, remarks = wired.ask()

        assert said in found
        assert remarks["interlock"]["reaction"] == "permit"


SLOW: dict[str, Behave] = {"silence": lambda _: None, "a huge message": lambda _: [bytes(MOST_BYTES + 1)]}


@pytest.mark.parametrize("behave", SLOW.values(), ids=SLOW)
def test_F46_an_upstream_that_is_silent_or_says_too_much_is_not_waited_for(tmp_path: Path, behave: Behave) -> None:
    with Wired(tmp_path, behave, deadline_s=0.4) as wired:
        assert "did not answer in time" in wired.told()


def test_F46_an_upstream_that_is_not_there_makes_its_client_hold(tmp_path: Path) -> None:
    with Wired(tmp_path, answers, absent=True, deadline_s=0.3) as wired:
        assert "did not answer in time" in wired.told()


@pytest.mark.parametrize("endpoint", ["kill", "kill_server", "exec", "", "get_action2"])
def test_F46_kill_and_what_is_unknown_are_never_passed_on(tmp_path: Path, endpoint: str) -> None:
    with Wired(tmp_path, answers) as wired:
        reply = wired.call(message({"endpoint": endpoint, "data": {"observation": wired.observed()}}))

        assert reply == {"error": "interlock: this endpoint is not passed on"}
        assert wired.asked == []
        assert wired.ask()[1]["interlock"]["reaction"] == "permit"


def test_a_ping_is_answered_by_the_proxy_itself(tmp_path: Path) -> None:
    with Wired(tmp_path, answers, absent=True) as wired:
        assert wired.call(message({"endpoint": "ping"})) == {"status": "ok", "message": "Server is running"}


CONFIG = {"video": {"__ModalityConfig_class__": True, "as_json": {"delta_indices": (0,), "modality_keys": ("front",)}}}


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (CONFIG, CONFIG),
        ({"video": np.zeros(3)}, None),
        ({"a": [{"b": np.zeros(3)}]}, None),
        ({"error": "Traceback: secret"}, None),
        ([1], None),
    ],
    ids=["a configuration", "an array", "an array inside", "an error", "a list"],
)
def test_the_modalities_are_passed_on_without_arrays(tmp_path: Path, said: Any, expected: Any) -> None:
    with Wired(tmp_path, says(said)) as wired:
        reply = wired.call(message({"endpoint": "get_modality_config"}))

        assert reply == (expected or {"error": "interlock: the policy's server gave no usable answer"})
        assert wired.asked == [{"endpoint": "get_modality_config"}]


def test_a_reset_is_passed_on(tmp_path: Path) -> None:
    with Wired(tmp_path, says({"seed": 7, "array": np.zeros(3), "text": "secret"})) as wired:
        reply = wired.call(message({"endpoint": "reset", "data": {"options": None}}))

        assert reply == {"seed": 7}
        assert wired.asked == [{"endpoint": "reset", "data": {"options": None}}]


def test_F46_whoever_comes_needs_the_token_that_is_asked_for_and_the_upstream_does_not_see_it(tmp_path: Path) -> None:
    with Wired(tmp_path, answers, token=TOKEN, upstream_token="u" * 20) as wired:
        ping = {"endpoint": "ping"}
        wrong: list[Any] = [{}, {"api_token": f"{TOKEN}."}, {"api_token": 7}, {"api_token": None}]
        refused = [wired.call(message({**ping, **token})) for token in wrong]
        data = {"observation": wired.observed(), "options": None}
        wired.call(message({"endpoint": "get_action", "data": data, "api_token": TOKEN}))

        assert refused == [{"error": "interlock: a token is needed"}] * 4
        assert [request["api_token"] for request in wired.asked] == ["u" * 20]


@pytest.mark.parametrize(
    "sent",
    [b"\xc1", b"", b"\x90", [b"\x80", b"\x80"], message({"endpoint": "get_action"}), message({"data": [1]})],
    ids=["noise", "nothing", "a list", "two parts", "no observation", "a list for an observation"],
)
def test_F45_a_request_that_cannot_be_read_is_on_record_and_told_in_fixed_words(tmp_path: Path, sent: Any) -> None:
    with Wired(tmp_path, answers) as wired:
        reply = wired.call(sent)
        _, remarks = wired.ask()

        assert reply == {"error": "interlock: the request cannot be read"}
        assert remarks["interlock"]["record"] >= 2
        assert wired.desk.supervisor.memory.vetoes == 0


def test_an_observation_without_joints_is_told_in_fixed_words(tmp_path: Path) -> None:
    with Wired(tmp_path, answers) as wired:
        with pytest.raises(RuntimeError, match=r"^interlock: the observation cannot be used, so nobody knows where to"):
            wired.ask(arm=np.zeros(1))
        assert wired.asked == []


def test_F46_a_request_that_is_too_large_is_never_heard_and_the_next_is_served(tmp_path: Path) -> None:
    with Wired(tmp_path, answers) as wired:
        with pytest.raises(zmq.Again):
            wired.call(bytes(MOST_BYTES + 1), timeout_ms=500)

        assert wired.ask()[1]["interlock"]["reaction"] == "permit"


def test_a_client_that_asks_while_the_robot_may_still_move_is_judged_by_that(tmp_path: Path) -> None:
    with Wired(tmp_path, answers) as wired:
        wired.ask()
        wired.desk.joints = wired.desk.joints + 0.02
        _, remarks = wired.ask()

        assert remarks["interlock"]["permitted_rows"] < 25


@pytest.mark.parametrize(
    "where", ["interlock_policies.proxy.frame.rows_with_room", "interlock_policies.proxy.groot._single"]
)
def test_a_bug_stops_the_robot_and_the_peer_is_told_nothing_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    def broken(*_: object) -> int:
        raise ZeroDivisionError("secret")

    with Wired(tmp_path, answers) as wired:
        monkeypatch.setattr(where, broken)
        with pytest.raises(RuntimeError, match=r"^interlock: the proxy failed and stopped the robot; see its record$"):
            wired.ask()
        monkeypatch.undo()

        assert wired.desk.supervisor.memory.state == "stopped"
        assert wired.call(message({"endpoint": "ping"}))["status"] == "ok"


def test_a_proxy_that_is_ended_while_the_upstream_thinks_ends_at_once(tmp_path: Path) -> None:
    with Wired(tmp_path, lambda _: None, deadline_s=600.0) as wired, pytest.raises(zmq.Again):
        wired.call(message({"endpoint": "get_action", "data": {"observation": wired.observed()}}), timeout_ms=300)


@pytest.mark.parametrize(
    "groups",
    [(), GROUPS[:1], (*GROUPS, Group("more", ("a",))), (Group(ARM, ("a", "b")), Group(ARM, ("hand",)))],
    ids=["none", "a column missing", "a column twice", "a key twice"],
)
def test_groups_name_every_column_once(groups: tuple[Group, ...]) -> None:
    with pytest.raises(UnusableInput):
        Groups(ABSOLUTE, groups)


def test_rows_and_groups_are_each_other_turned_round() -> None:
    rows = np.arange(12, dtype=np.float32).reshape(4, 3)

    for batched in (True, False):
        groups = Groups(ABSOLUTE, GROUPS, batched)
        np.testing.assert_array_equal(groups.rows(groups.said(rows)), rows)
        np.testing.assert_array_equal(columns(groups.said(rows)), rows)


def test_one_array_of_double_precision_makes_all_rows_so() -> None:
    groups = Groups(ABSOLUTE, GROUPS, batched=False)
    arm, hand = np.zeros((4, 2), np.float32), np.full((4, 1), 0.1)

    assert groups.rows({ARM: arm, HAND: hand})[0].tolist() == [0.0, 0.0, 0.1]
    with pytest.raises(NoRows, match="expected floats"):
        groups.rows({ARM: arm, HAND: hand.astype(np.int64)})


@pytest.mark.parametrize(
    ("host", "said"), [("127.0.0.1", "127.0.0.1:"), ("localhost", "127.0.0.1:"), ("::1", "[::1]:")]
)
def test_it_says_where_it_listens_and_nobody_else_can_there(tmp_path: Path, host: str, said: str) -> None:
    nobody: Any = None
    behind, groups = upstream("tcp://a:1", ("tcp",), 1.0), Groups(ABSOLUTE, GROUPS)
    with Wired(tmp_path, answers) as wired:
        desk = wired.desk
        address = wired.listen(
            lambda supervisor, session: GrootProxy(Listening(host, 0), behind, supervisor, session, groups)
        )
        second = Listening(host, int(address.rpartition(":")[2]))
        with pytest.raises(UnusableInput, match="nobody can listen there"):
            wired.loop.run(GrootProxy(second, behind, nobody, desk.session, groups).start())

    assert address.startswith(said)


def test_TLS_is_not_spoken() -> None:
    listening = Listening("127.0.0.1", 0, certificate=Path("c"), key=Path("k"))
    nobody: Any = None

    with pytest.raises(UnusableInput, match="speak no TLS"):
        GrootProxy(listening, nobody, nobody, nobody, nobody)


@pytest.mark.parametrize(
    "address",
    [
        "ws://a:1",
        "tcp://",
        "tcp://a",
        "tcp://a:x",
        "tcp://a:99999",
        "tcp://a:1/b",
        "tcp://a:1?b",
        "tcp://u@a:1",
        "a:1",
        "",
    ],
)
def test_an_address_of_another_kind_is_refused(address: str) -> None:
    with pytest.raises(UnusableInput):
        upstream(address, ("tcp",), 1.0)


@pytest.mark.parametrize("deadline_s", [0.0, -1.0, float("nan"), 601.0])
def test_a_deadline_is_a_time(deadline_s: float) -> None:
    with pytest.raises(UnusableInput, match="a deadline is above 0"):
        upstream("tcp://a:1", ("tcp",), deadline_s)
