"""Blobs: files named by the SHA-256 of what they hold, durable before a record names them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from interlock.errors import UnusableInput
from interlock.jsonform import Json, parse

from .files import Files, publish
from .record import DIGEST, MAX_BLOB_BYTES

FOLDER: Final = "blobs"
REMEMBERED: Final = 4096  # digests known to be on disk, so that memory stays flat

BlobReader = Callable[[str], bytes]


class BlobStore:
    """Writes the blobs of one log; used by its writer's thread alone."""

    def __init__(self, files: Files, directory: Path) -> None:
        self._files = files
        self._folder = directory / FOLDER
        self._durable: dict[str, None] = {}

    def store(self, blobs: Mapping[str, bytes]) -> None:
        """Returns when every blob is durable under its name; writes none twice.

        Raises UnusableInput for bytes that are not what their name says, OSError where the disk fails.
        """
        for name, content in blobs.items():
            if name not in self._durable:
                self._store(name, content)
            while len(self._durable) > REMEMBERED:
                del self._durable[next(iter(self._durable))]

    def _store(self, name: str, content: bytes) -> None:
        check_blob(name, content)
        path = self._folder / name
        if path.exists():
            # Of an earlier session: its writer synced the bytes before it gave them this name; opening synced the name.
            read_blob(self._folder.parent, name)
        else:
            self._files.close(publish(self._files, path, content))
        self._durable[name] = None


def check_blob(name: str, content: bytes) -> None:
    """Raises UnusableInput unless content is what its name says, and no larger than a blob may be."""
    if len(content) > MAX_BLOB_BYTES:
        raise UnusableInput(f"blob {name}: a blob holds at most {MAX_BLOB_BYTES} bytes")
    found = hashlib.sha256(content).hexdigest()
    if found != name:
        raise UnusableInput(f"blob {name}: its {len(content)} bytes hash to {found}")


def read_blob(directory: Path, name: str) -> bytes:
    """The bytes of one blob; raises UnusableInput where it is absent or not what its name says."""
    if not DIGEST.fullmatch(name):
        raise UnusableInput(f"a blob is named by 64 lower-case hexadecimal digits, got {name[:80]!r}")
    try:
        with (directory / FOLDER / name).open("rb") as file:
            content = file.read(MAX_BLOB_BYTES + 1)
    except OSError as error:
        raise UnusableInput(f"blob {name}: {error.strerror}") from error
    check_blob(name, content)
    return content


def blob_reader(directory: Path) -> BlobReader:
    """What replay reads the blobs of this log with; raises UnusableInput as `read_blob` does."""

    def read(name: str) -> bytes:
        return read_blob(directory, name)

    return read


def json_reader(blobs: BlobReader) -> Callable[[str], Json]:
    """What `interlock.record` reads the same blobs with, as the JSON that they hold; raises UnusableInput."""
    return lambda name: parse(blobs(name), f"blob {name}")
