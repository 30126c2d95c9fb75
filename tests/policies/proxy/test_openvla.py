"""The OpenVLA shell: whatever the upstream sends, its client is told to hold, and what is no reply is no JSON."""

from __future__ import annotations

import asyncio
import http.client
import json
import shutil
import socket
import ssl
import threading
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Self, cast
from urllib.request import urlopen

import numpy as np
import pytest

from interlock.errors import UnusableInput
from interlock_policies.proxy.answering import upstream
from interlock_policies.proxy.exchange import Patience
from interlock_policies.proxy.listening import Listening
from interlock_policies.proxy.openvla import MOST_CONNECTIONS, OpenvlaProxy
from interlock_policies.wire import json_numpy as wire
from interlock_policies.wire.json_numpy import Said, Wrapping
from tests.policies.proxy.test_listening import certified
from tests.policies.proxy.without_connections import Standing, smooth_from

TOKEN = "t" * 20
PATIENCE = Patience(idle_s=30.0, message_s=10.0, most_bytes=2**20)
# What an upstream does with the body of a request.
Behave = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]


def spoken(value: Any, wrapping: Wrapping = "plain") -> bytes:
    return wire.write(Said(value, wrapping))


class Wired(Standing):
    """The shell, and an upstream that does what the test says."""

    def __init__(
        self, folder: Path, behave: Behave, *, listening: Listening | None = None, upstream_token: str = "",
        deadline_s: float = 5.0, absent: bool = False, patience: Patience = PATIENCE,
    ) -> None:  # fmt: skip
        super().__init__(folder, ("state",), ("speeds",), ("hand",), ("instruction",))
        self._behave, self._listening = behave, listening or Listening("127.0.0.1", 0)
        self._token, self._deadline_s, self._absent, self._patience = upstream_token, deadline_s, absent, patience
        self.heads: list[str] = []

    def __enter__(self) -> Self:
        super().__enter__()
        server = self.loop.run(asyncio.start_server(self._upstream, "127.0.0.1", 0))
        port: int = server.sockets[0].getsockname()[1]
        if self._absent:
            server.close()
        else:
            self.until_left(server.close)
        behind = upstream(f"http://127.0.0.1:{port}", ("http", "https"), self._deadline_s, self._token)
        self.address = self.listen(
            lambda supervisor, session: OpenvlaProxy(self._listening, behind, supervisor, session, self._patience)
        )
        return self

    async def _upstream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            self.heads.append(head)
            length = next(line for line in head.lower().splitlines() if line.startswith("content-length:"))
            await self._behave(await reader.readexactly(int(length.partition(":")[2])), writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    def connect(self) -> http.client.HTTPConnection:
        host, _, port = self.address.rpartition(":")
        return http.client.HTTPConnection(host, int(port), timeout=30.0)

    def post(self, body: bytes, path: str = "/act", **headers: str) -> tuple[int, Any, dict[str, Any]]:
        """Status, body and what was decided."""
        connection = self.connect()
        kinds = {"Content-Type": "application/json", **{name.replace("_", "-"): said for name, said in headers.items()}}
        connection.request("POST", path, body, kinds)
        reply = connection.getresponse()
        said, about = reply.read(), json.loads(reply.headers.get("Interlock", "{}"))
        connection.close()
        return reply.status, said, about

    def observed(self, **changes: Any) -> dict[str, Any]:
        self.desk.time.ns += 20_000_000
        seen = {"state": self.desk.joints, "speeds": np.zeros(2), "hand": np.array([self.desk.hand])}
        return {**seen, "instruction": "go on", **changes}

    def ask(self, wrapping: Wrapping = "plain") -> tuple[Said, dict[str, Any]]:
        status, said, about = self.post(spoken(self.observed(), wrapping))
        assert status == 200
        return wire.read(said), about

    def told(self) -> str:
        """The rule and the words of a refusal, of which none are the upstream's."""
        said, about = self.ask()
        assert self.holds(rows_of(said))
        assert about["reaction"] == "veto"
        assert "secret" not in str(about)
        return f"{about['rule']} {about['message']}"


def rows_of(said: Said) -> np.ndarray[Any, Any]:
    return np.array(cast("Any", said.value))


def replies(body: bytes, status: str = "200 OK", head: str = "") -> Behave:
    async def behave(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{head}\r\n".encode() + body)
        await writer.drain()

    return behave


def good(body: bytes) -> np.ndarray[Any, Any]:
    seen = cast("Mapping[str, Any]", wire.read(body).value)
    return smooth_from(np.array(seen["state"]), float(seen["hand"][0]))


async def answers(body: bytes, writer: asyncio.StreamWriter) -> None:
    """A list of rows, as OpenVLA's chunks come."""
    wrapping: Wrapping = "text" if wire.read(body).wrapping == "field" else "plain"
    await replies(spoken(list(good(body)), wrapping))(body, writer)


def test_a_reply_holds_rows_that_were_judged_and_a_header_what_was_decided(tmp_path: Path) -> None:
    with Wired(tmp_path, answers) as wired:
        sent = smooth_from(wired.desk.joints, wired.desk.hand)
        said, about = wired.ask()

    rows = rows_of(said)
    assert about["reaction"] == "permit"
    assert about["permitted_rows"] > 10
    assert isinstance(said.value, tuple)
    assert said.wrapping == "plain"
    np.testing.assert_array_equal(rows[: about["permitted_rows"]], sent[: about["permitted_rows"]])
    np.testing.assert_array_equal(rows[-1], rows[25])


def test_rows_in_one_array_come_back_in_one_array(tmp_path: Path) -> None:
    async def whole(body: bytes, writer: asyncio.StreamWriter) -> None:
        await replies(spoken(good(body).astype(np.float32)))(body, writer)

    with Wired(tmp_path, whole) as wired:
        said, about = wired.ask()

    assert about["reaction"] == "permit"
    assert isinstance(said.value, np.ndarray)
    assert said.value.dtype == np.float32


def test_a_request_inside_a_text_is_answered_inside_a_text(tmp_path: Path) -> None:
    with Wired(tmp_path, answers) as wired:
        said, about = wired.ask("field")

    assert said.wrapping == "text"
    assert about["reaction"] == "permit"


FULL = np.zeros((40, 3))
OBJECTS = {"__numpy__": "gAROLg==", "dtype": "|O", "shape": [1]}


async def leaves(_: bytes, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def leaves_in_the_middle(_: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4096\r\n\r\nsecret")
    await writer.drain()


async def says_no_http(_: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(b"\x80\x04secret\r\n\r\n")
    await writer.drain()


async def says_a_long_head(_: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nX: " + b"secret" * 100_000)
    await writer.drain()


HOSTILE: dict[str, tuple[Behave, str]] = {
    "NaN": (replies(spoken(np.full((40, 3), np.nan))), "check:finite"),
    "NaN in a list": (replies(spoken(list(np.full((40, 3), np.nan)))), "check:finite"),
    "infinity": (replies(spoken(np.full((40, 3), np.inf))), "check:finite"),
    "a slam": (replies(spoken(np.full((40, 3), 1.9))), "check:seam"),
    "error": (replies(b'"error"'), "reported an error"),
    "an error inside": (replies(b'{"error": "secret"}'), "reported an error"),
    "another text": (replies(b'"Traceback: secret"'), "reported an error"),
    "one row": (replies(spoken(np.zeros(3))), "rows of the right shape"),
    "too few rows": (replies(spoken(FULL[:3])), "rows of the right shape"),
    "no rows": (replies(spoken([])), "rows of the right shape"),
    "another width": (replies(spoken(np.zeros((40, 7)))), "rows of the right shape"),
    "whole numbers": (replies(spoken(FULL.astype(np.int64))), "rows of the right shape"),
    "numbers in lists": (replies(spoken(FULL.tolist())), "rows of the right shape"),
    "rows of other widths": (replies(spoken([*FULL[:39], np.zeros(2)])), "rows of the right shape"),
    "rows of other types": (replies(spoken([*FULL[:39], np.zeros(3, np.float32)])), "rows of the right shape"),
    "rows of rows": (replies(spoken([FULL] * 40)), "rows of the right shape"),
    "a row that is none": (replies(spoken([*FULL[:39], None])), "rows of the right shape"),
    "a map": (replies(spoken({"actions": FULL})), "rows of the right shape"),
    "nothing": (replies(b"null"), "rows of the right shape"),
    "objects": (replies(json.dumps(OBJECTS).encode()), "cannot be read"),
    "no JSON": (replies(b"secret"), "cannot be read"),
    "NaN as JSON is not": (replies(b"[NaN]"), "cannot be read"),
    "packed": (replies(b"\x1f\x8bsecret", head="Content-Encoding: gzip\r\n"), "cannot be read"),
    "an empty body": (replies(b""), "cannot be read"),
    "another status": (replies(b"secret", "500 secret"), "reported an error"),
    "a way elsewhere": (replies(b"", "302 Found", "Location: http://127.0.0.1:1/\r\n"), "reported an error"),
    "no content": (replies(b"", "204 No Content"), "reported an error"),
    "a huge body": (replies(b" " * (2**25 + 1)), "closed the connection"),
    "a farewell": (leaves, "closed the connection"),
    "half a body": (leaves_in_the_middle, "closed the connection"),
    "no HTTP": (says_no_http, "closed the connection"),
    "a long head": (says_a_long_head, "closed the connection"),
}


@pytest.mark.parametrize(("behave", "said"), HOSTILE.values(), ids=HOSTILE)
def test_F12_F45_F46_an_upstream_that_lies_makes_its_client_hold_and_the_next_request_asks_again(
    tmp_path: Path, behave: Behave, said: str
) -> None:
    times = 0

    async def once(body: bytes, writer: asyncio.StreamWriter) -> None:
        nonlocal times
        times += 1
        await (behave if times == 1 else answers)(body, writer)

    with Wired(tmp_path, once) as wired:
        found = wired.told()
        _, about = wired.ask()

        assert said in found
        assert about["reaction"] == "permit"


async def says_nothing(_: bytes, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(30.0)
    del writer


async def drips(_: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4096\r\n\r\n")
    while not writer.is_closing():
        writer.write(b" ")
        await asyncio.sleep(0.05)


@pytest.mark.parametrize("behave", [says_nothing, drips])
def test_F46_an_upstream_that_is_silent_or_drips_is_not_waited_for(tmp_path: Path, behave: Behave) -> None:
    with Wired(tmp_path, behave, deadline_s=0.4) as wired:
        assert "did not answer in time" in wired.told()


def test_F46_an_upstream_that_is_not_there_makes_its_client_hold(tmp_path: Path) -> None:
    with Wired(tmp_path, answers, absent=True) as wired:
        assert "cannot be reached" in wired.told()


def test_F18_each_question_has_a_connection_of_its_own(tmp_path: Path) -> None:
    async def twice(body: bytes, writer: asyncio.StreamWriter) -> None:
        await answers(body, writer)
        await replies(spoken(np.full((40, 3), 1.9)))(body, writer)

    with Wired(tmp_path, twice) as wired:
        found = [wired.ask()[1]["reaction"] for _ in range(2)]

        assert found[0] == "permit"
        assert len(wired.heads) == 2
        assert all("connection: close" in head.lower() for head in wired.heads)


def test_the_upstream_is_sent_what_was_read_and_a_token_of_its_own(tmp_path: Path) -> None:
    listening = Listening("127.0.0.1", 0, TOKEN)
    with Wired(tmp_path, answers, listening=listening, upstream_token="u" * 20) as wired:
        status, _, about = wired.post(spoken(wired.observed()), Authorization=f"Api-Key {TOKEN}")

        assert (status, about["reaction"]) == (200, "permit")
        assert wired.heads[0].startswith("POST /act HTTP/1.1\r\n")
        assert f"authorization: api-key {'u' * 20}" in wired.heads[0].lower()
        assert TOKEN not in wired.heads[0]


def test_F46_whoever_comes_needs_the_token_that_is_asked_for(tmp_path: Path) -> None:
    with Wired(tmp_path, answers, listening=Listening("127.0.0.1", 0, TOKEN)) as wired:
        body = spoken(wired.observed())
        found = [wired.post(body), wired.post(body, Authorization=f"Api-Key {TOKEN}."), wired.post(b"", "/healthz")]

        assert [status for status, _, _ in found] == [401, 401, 401]
        assert wired.heads == []


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/healthz", {}, 200),
        ("/", {}, 404),
        ("/act/", {}, 404),
        ("/act?x=1", {}, 404),
        ("/act", {"Content_Type": "text/plain"}, 415),
        ("/act", {"Content_Type": "application/jsonp"}, 415),
        ("/act", {"Origin": "http://example.org"}, 415),
    ],
)
def test_F46_only_a_program_that_posts_JSON_to_act_is_answered(
    tmp_path: Path, path: str, headers: dict[str, str], status: int
) -> None:
    with Wired(tmp_path, answers) as wired:
        found, said, about = wired.post(spoken(wired.observed()), path, **headers)

        assert (found, about) == (status, {})
        with pytest.raises(json.JSONDecodeError):
            json.loads(said)
        assert wired.heads == []


def test_another_method_is_refused(tmp_path: Path) -> None:
    with Wired(tmp_path, answers) as wired:
        for method in ("GET", "PUT", "HEAD", "OPTIONS"):
            connection = wired.connect()
            connection.request(method, "/act")
            reply = connection.getresponse()

            assert reply.status == 405
            assert bool(reply.read()) is (method != "HEAD")
            connection.close()


@pytest.mark.parametrize(
    "body",
    [b"", b"\xc1", b"[]", b'"text"', b"[NaN]", json.dumps({"state": OBJECTS}).encode(), b'{"encoded": "secret"}'],
    ids=["nothing", "noise", "a list", "a text", "NaN", "objects", "no JSON inside"],
)
def test_F45_a_request_that_cannot_be_read_is_on_record_and_told_in_fixed_words(tmp_path: Path, body: bytes) -> None:
    with Wired(tmp_path, answers) as wired:
        status, said, _ = wired.post(body)
        _, about = wired.ask()

        assert (status, said) == (400, b"interlock: the request cannot be read\n")
        assert about["record"] >= 2
        assert wired.desk.supervisor.memory.vetoes == 0


def test_an_observation_without_joints_is_told_in_fixed_words(tmp_path: Path) -> None:
    with Wired(tmp_path, answers) as wired:
        status, said, _ = wired.post(spoken({"instruction": "go"}))

    assert status == 422
    assert said.startswith(b"interlock: the observation cannot be used, so nobody knows where to hold")


@pytest.mark.parametrize(
    "where", ["interlock_policies.proxy.frame.rows_with_room", "interlock_policies.proxy.openvla.Replied"]
)
def test_a_bug_stops_the_robot_and_the_peer_is_told_nothing_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    from interlock_policies.proxy.exchange import Replied  # noqa: PLC0415 - the one that is not replaced

    def broken(*given: Any) -> Any:
        if where.endswith("Replied") and given[0] != 200:
            return Replied(*given)
        raise ZeroDivisionError("secret")

    with Wired(tmp_path, answers) as wired:
        monkeypatch.setattr(where, broken)
        status, said, _ = wired.post(spoken(wired.observed()))
        monkeypatch.undo()

        assert (status, said) == (500, b"interlock: the proxy failed and stopped the robot; see its record\n")
        assert wired.desk.supervisor.memory.state == "stopped"


def raw(wired: Wired, said: bytes, *, hang_up: bool = False) -> bytes:
    """What comes back for these bytes, until the proxy closes."""
    host, _, port = wired.address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=20.0) as connection:
        connection.sendall(said)
        if hang_up:
            connection.shutdown(socket.SHUT_WR)
        parts = list[bytes]()
        while part := connection.recv(65536):
            parts.append(part)
    return b"".join(parts)


HEAD = b"POST /act HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (b"\x80\x04N.\r\n\r\n", b"400"),
        (b"GET /act\r\n\r\n", b"400"),
        (HEAD + b"Content-Length: x\r\n\r\n", b"400"),
        (HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n{}", b"400"),
        (HEAD + b"X: " + b"y" * 100_000, b"400"),
        (HEAD + b"Content-Length: 1048577\r\n\r\n" + b" " * 1048577, b"413"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"10000\r\n" + b" " * 65536 + b"\r\nzz\r\n", b"400"),
    ],
    ids=["noise", "half a line", "no length", "two lengths", "a long head", "a long body", "a chunk that is none"],
)
def test_F46_what_is_no_HTTP_or_too_much_ends_its_connection_and_the_next_is_served(
    tmp_path: Path, said: bytes, status: bytes
) -> None:
    with Wired(tmp_path, answers) as wired:
        try:
            found = raw(wired, said)
        except ConnectionResetError:  # the proxy does not wait for the rest
            found = b"HTTP/1.1 " + status
        _, about = wired.ask()

        assert found.startswith(b"HTTP/1.1 " + status)
        assert about["reaction"] == "permit"


@pytest.mark.parametrize(
    ("said", "idle_s", "message_s"),
    [(b"", 0.3, 60.0), (b"P", 60.0, 0.3), (HEAD, 60.0, 0.3), (HEAD + b"Content-Length: 10\r\n\r\n{", 60.0, 0.3)],
    ids=["nothing", "a letter", "a head", "half"],
)
def test_F46_a_client_that_is_silent_is_not_waited_for(
    tmp_path: Path, said: bytes, idle_s: float, message_s: float
) -> None:
    with Wired(tmp_path, answers, patience=Patience(idle_s, message_s, 2**20)) as wired:
        assert raw(wired, said) == b""


def test_a_client_that_has_hung_up_is_sent_no_rows(tmp_path: Path) -> None:
    with Wired(tmp_path, answers) as wired:
        body = spoken(wired.observed())
        found = raw(wired, HEAD + f"Content-Length: {len(body)}\r\n\r\n".encode() + body, hang_up=True)

        assert found == b""
        assert wired.desk.supervisor.memory.plan is None


def test_a_client_that_waits_to_be_asked_for_its_body_is_asked(tmp_path: Path) -> None:
    with Wired(tmp_path, answers) as wired:
        body = spoken(wired.observed())
        host, _, port = wired.address.rpartition(":")
        with socket.create_connection((host, int(port)), timeout=30.0) as connection:
            connection.sendall(HEAD + f"Content-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n".encode())
            assert connection.recv(100).startswith(b"HTTP/1.1 100")
            connection.sendall(body)
            assert connection.recv(100).startswith(b"HTTP/1.1 200")


def test_F46_one_request_at_a_time(tmp_path: Path) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(body: bytes, writer: asyncio.StreamWriter) -> None:
        begun.set()
        await go_on.wait()
        await answers(body, writer)

    with Wired(tmp_path, slow) as wired:
        first = wired.connect()
        first.request("POST", "/act", spoken(wired.observed()), {"Content-Type": "application/json"})
        wired.loop.run(begun.wait())
        status, said, _ = wired.post(spoken(wired.observed()))
        wired.loop.run(_set(go_on))

        assert (status, said) == (503, b"interlock: one request at a time\n")
        assert first.getresponse().status == 200
        first.close()


async def _set(event: asyncio.Event) -> None:
    event.set()


def test_several_requests_can_share_a_connection(tmp_path: Path) -> None:
    with Wired(tmp_path, answers) as wired:
        connection = wired.connect()
        for _ in range(2):
            connection.request("POST", "/act", spoken(wired.observed()), {"Content-Type": "application/json"})
            reply = connection.getresponse()
            assert (reply.status, len(rows_of(wire.read(reply.read())))) == (200, 40)
        connection.close()


def test_F46_connections_that_say_nothing_cannot_be_heaped_up(tmp_path: Path) -> None:
    with Wired(tmp_path, answers) as wired:
        host, _, port = wired.address.rpartition(":")
        held = [socket.create_connection((host, int(port)), timeout=30.0) for _ in range(MOST_CONNECTIONS)]
        wired.loop.run(asyncio.sleep(0.2))
        try:
            found = raw(wired, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        except ConnectionError:
            found = b""
        for connection in held:
            connection.close()
        wired.loop.run(asyncio.sleep(0.2))

        assert found == b""
        assert wired.ask()[1]["reaction"] == "permit"


def test_a_client_that_leaves_before_its_reply_takes_the_permit_with_it(tmp_path: Path) -> None:
    begun, go_on, noted = asyncio.Event(), asyncio.Event(), threading.Event()

    async def late(body: bytes, writer: asyncio.StreamWriter) -> None:
        begun.set()
        await go_on.wait()
        await answers(body, writer)

    with Wired(tmp_path, late) as wired:
        unsent = wired.desk.session.unsent

        def noting() -> None:
            unsent()
            noted.set()

        wired.desk.session.unsent = noting  # type: ignore[method-assign]
        client = wired.connect()
        client.request("POST", "/act", spoken(wired.observed()), {"Content-Type": "application/json"})
        wired.loop.run(begun.wait())
        client.close()
        wired.loop.run(asyncio.sleep(0.1))
        wired.loop.run(_set(go_on))
        told = noted.wait(30.0)

        assert told
        assert wired.desk.supervisor.memory.plan is None


@pytest.mark.parametrize(
    "address", ["tcp://a:1", "http://", "http://a:x", "http://a/b c", "http://u:p@a", "http://a/é"]
)
def test_an_address_of_another_kind_is_refused(address: str) -> None:
    with pytest.raises(UnusableInput):
        upstream(address, ("http", "https"), 1.0)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="certificates are made with openssl's command")
def test_F46_mutual_tls_admits_who_shows_a_certificate_and_nobody_else(tmp_path: Path) -> None:
    for name, issuer in (("authority", ""), ("proxy", "authority"), ("client", "authority")):
        certified(tmp_path, name, issuer)
    authority = tmp_path / "authority.pem"
    listening = Listening(
        "127.0.0.1", 0, certificate=tmp_path / "proxy.pem", key=tmp_path / "proxy.key", client_authority=authority
    )

    def status(name: str) -> int:
        found = ssl.create_default_context(cafile=authority)
        if name:
            found.load_cert_chain(tmp_path / f"{name}.pem", tmp_path / f"{name}.key")
        with urlopen(f"https://{wired.address}/healthz", context=found, timeout=30.0) as reply:
            return cast("int", reply.status)

    with Wired(tmp_path / "record", answers, listening=listening) as wired:
        assert status("client") == 200
        with pytest.raises(OSError, match=r"alert|EOF|reset|closed|Remote end"):
            status("")


def test_nobody_can_listen_where_somebody_does(tmp_path: Path) -> None:
    with Wired(tmp_path, answers) as wired:
        port = int(wired.address.rpartition(":")[2])
        nobody: Any = None
        second = OpenvlaProxy(Listening("127.0.0.1", port), nobody, wired.desk.supervisor, wired.desk.session)

        with pytest.raises(UnusableInput, match="nobody can listen there"):
            wired.loop.run(second.start())
