"""Where a proxy listens, and who may come in: loopback alone, unless a token or a client's certificate is asked for."""

from __future__ import annotations

import hmac
import ipaddress
import ssl
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass
from pathlib import Path
from socket import socket
from typing import Final, TypeVar

from interlock.errors import UnusableInput

Server = TypeVar("Server")

SCHEME: Final = "Api-Key "  # openpi-client sends `Authorization: Api-Key <key>`


@dataclass(frozen=True, slots=True)
class Listening:
    """An address, the token that a client must send (empty: none), and the files of TLS. Raises UnusableInput for an
    address beyond loopback without a token or mutual TLS, and for TLS that is incomplete.
    """

    host: str
    port: int
    token: str = ""
    certificate: Path | None = None
    key: Path | None = None
    client_authority: Path | None = None

    def __post_init__(self) -> None:
        if (self.certificate is None) != (self.key is None):
            raise UnusableInput("TLS needs a certificate and its key; one of them is missing")
        if self.client_authority is not None and self.certificate is None:
            raise UnusableInput("clients show a certificate in TLS only: the proxy needs one of its own, with its key")
        if not self.is_loopback and not self.token and self.client_authority is None:
            raise UnusableInput(
                f"{self.host}: whoever reaches this address could move the robot; ask for a token or for clients' "
                "certificates, or listen on 127.0.0.1"
            )
        if self.token and (len(self.token) < 16 or not self.token.isascii() or not self.token.isprintable()):
            raise UnusableInput("a token has at least 16 printable ASCII characters")

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it; a name may be anything, but for localhost."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    def admits(self, authorization: str | None) -> bool:
        """Whether a client that sends this header may come in; compared in constant time."""
        if not self.token:
            return True
        found = (authorization or "").encode("utf-8", "replace")
        return hmac.compare_digest(found, (SCHEME + self.token).encode())

    def context(self) -> ssl.SSLContext | None:
        """What TLS is spoken with, or None; raises UnusableInput for files that cannot be used."""
        if self.certificate is None or self.key is None:
            return None
        found = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        try:
            found.load_cert_chain(self.certificate, self.key)
            if self.client_authority is not None:
                found.load_verify_locations(self.client_authority)
                found.verify_mode = ssl.CERT_REQUIRED
        except (OSError, ssl.SSLError) as error:
            raise UnusableInput(f"TLS cannot be set up: {error}") from error
        return found


def address(text: str) -> tuple[str, int]:
    """Host and port of `127.0.0.1:8001` or `[::1]:8001`; raises UnusableInput."""
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdecimal() or not port.isascii() or int(port) > 65535:
        raise UnusableInput(f"{text[:80]!r} is no address; expected a host and a port, as in 127.0.0.1:8001")
    return host.removeprefix("[").removesuffix("]"), int(port)


async def opened(server: Awaitable[Server]) -> Server:
    """The server, which listens from now on. Raises UnusableInput where nobody can listen."""
    try:
        return await server
    except OSError as error:
        raise UnusableInput(f"nobody can listen there: {error.strerror or error}") from error


def bound(sockets: Iterable[socket]) -> str:
    """Where a server listens, as `address` reads it."""
    host, port = next(iter(sockets)).getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
