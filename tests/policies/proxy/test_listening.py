"""A proxy is reached from this machine alone, unless whoever comes in must show a token or a certificate."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import WebSocketException

from interlock.errors import UnusableInput
from interlock_policies.proxy.answering import upstream
from interlock_policies.proxy.listening import Listening, address
from tests.policies.proxy.wired import Wired, answers

KEY = "k" * 16
PEM = Path("none.pem")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.3.2.1", "::1", "localhost"])
def test_loopback_needs_no_token(host: str) -> None:
    assert Listening(host, 0).admits(None)


ANYWHERE = "0.0.0.0"  # noqa: S104 - that it is refused is what is tested


@pytest.mark.parametrize("host", [ANYWHERE, "192.168.0.7", "::", "robot", "localhost.org", "127.0.0.1.org", ""])
def test_F46_beyond_loopback_nobody_comes_in_unasked(host: str) -> None:
    with pytest.raises(UnusableInput, match="whoever reaches this address could move the robot"):
        Listening(host, 0)
    with pytest.raises(UnusableInput, match="whoever reaches"):
        Listening(host, 0, certificate=PEM, key=PEM)

    assert Listening(host, 0, KEY).admits(f"Api-Key {KEY}")
    assert Listening(host, 0, certificate=PEM, key=PEM, client_authority=PEM).admits(None)


@pytest.mark.parametrize(
    "sent", [None, "", KEY, f"Api-Key {KEY}x", f"Api-Key {KEY[1:]}", "Api-Key ", f"Bearer {KEY}", "Api-Key \udcff"]
)
def test_F46_another_token_is_refused(sent: str | None) -> None:
    assert not Listening("127.0.0.1", 0, KEY).admits(sent)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"token": "short"}, "at least 16"),
        ({"token": "ä" * 20}, "at least 16"),
        ({"token": "a\n" * 20}, "at least 16"),
        ({"certificate": PEM}, "certificate and its key"),
        ({"key": PEM}, "certificate and its key"),
        ({"client_authority": PEM}, "one of its own"),
    ],
)
def test_what_is_half_said_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(UnusableInput, match=said):
        Listening("127.0.0.1", 0, **given)


def test_tls_files_that_cannot_be_used_are_refused() -> None:
    with pytest.raises(UnusableInput, match="TLS cannot be set up"):
        Listening("127.0.0.1", 0, certificate=PEM, key=PEM).context()


@pytest.mark.parametrize(
    ("text", "found"),
    [("127.0.0.1:8001", ("127.0.0.1", 8001)), ("[::1]:0", ("::1", 0)), ("robot:65535", ("robot", 65535))],
)
def test_an_address_is_a_host_and_a_port(text: str, found: tuple[str, int]) -> None:
    assert address(text) == found


@pytest.mark.parametrize("text", ["8001", ":8001", "robot:", "robot:65536", "robot:-1", "robot:x", "robot:²"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(UnusableInput, match="is no address"):
        address(text)


@pytest.mark.parametrize(
    "given", [("http://robot", 1.0), ("ws://robot", 0.0), ("ws://robot", float("nan")), ("ws://robot", 1e9)]
)
def test_an_upstream_has_an_address_and_a_deadline(given: tuple[str, float]) -> None:
    with pytest.raises(UnusableInput):
        upstream(given[0], ("ws", "wss"), given[1])


def certified(folder: Path, name: str, issuer: str = "") -> None:
    """A key and a certificate for 127.0.0.1, signed by the issuer's, or by itself."""
    by = ["-CA", f"{issuer}.pem", "-CAkey", f"{issuer}.key"] if issuer else []
    names = ["-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1"]
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    subprocess.run(
        [*made, "-keyout", f"{name}.key", "-out", f"{name}.pem", *names, *by],
        cwd=folder,
        check=True,
        capture_output=True,
    )


@pytest.mark.skipif(shutil.which("openssl") is None, reason="certificates are made with openssl's command")
def test_F46_mutual_tls_admits_who_shows_a_certificate_and_nobody_else(tmp_path: Path) -> None:
    for name in ("proxy", "clients", "strangers"):
        certified(tmp_path, name)
    files: dict[str, Any] = {
        "certificate": tmp_path / "proxy.pem",
        "key": tmp_path / "proxy.key",
        "client_authority": tmp_path / "clients.pem",
    }

    def context(name: str = "") -> ssl.SSLContext:
        found = ssl.create_default_context(cafile=tmp_path / "proxy.pem")
        if name:
            found.load_cert_chain(tmp_path / f"{name}.pem", tmp_path / f"{name}.key")
        return found

    with Wired(tmp_path / "log", answers(), listening=Listening("127.0.0.1", 0, **files)) as wired:
        wired.address = wired.address.replace("ws://", "wss://")
        for stranger in (context(), context("strangers")):
            with pytest.raises((ssl.SSLError, OSError, WebSocketException)):
                wired.client(ssl=stranger)

        assert wired.client(ssl=context("clients")).ask()["interlock"]["reaction"] == "permit"
