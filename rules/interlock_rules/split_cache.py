"""Splits of meshes kept in the user's cache, by what they were made from; what is read back is shown to hold again."""

from __future__ import annotations

import importlib.metadata
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from platformdirs import user_cache_path

from interlock.errors import UnusableInput
from interlock.geometry import ConvexMesh
from interlock.jsonform import canonical, digest, digest_of, from_json, parse, to_json

from .splitting import PROCEDURE, holds, split
from .surfaces import Surface

MOST_BYTES: Final = 16 << 20


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """Convex parts, and the digest [hex] of all that they were made from."""

    made_from: str
    parts: tuple[ConvexMesh, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """A file of the cache: what it holds, and the SHA-256 [hex] of that."""

    kept: Kept
    sha256: str


def split_of(surface: Surface, name: str, tolerance: float) -> tuple[ConvexMesh, ...]:
    """What `split` says of a surface, from the cache where it is there; name: what the surface was read from, by
    digest. Raises as `split` does.

    What the cache holds counts only if it is whole, was made from just this, and contains the surface, which is shown
    anew. Otherwise, and where there is no folder that can be written, it is split anew.
    """
    made_from = digest({"mesh": name, "tolerance_m": tolerance, "procedure": PROCEDURE, "splitter": splitter_version()})
    path = user_cache_path("interlock") / "meshes" / f"{made_from}.json"
    kept = _read(path)
    if kept is not None and kept.made_from == made_from and holds(kept.parts, surface, tolerance):
        return kept.parts
    parts = split(surface, tolerance)
    with suppress(OSError):
        _write(path, Kept(made_from, parts))
    return parts


def splitter_version() -> str:
    """The version of coacd; empty where it is not installed."""
    try:
        return importlib.metadata.version("coacd")
    except importlib.metadata.PackageNotFoundError:
        return ""


def _read(path: Path) -> Kept | None:
    """What a file holds; None where it is missing, cut off or changed."""
    try:
        with path.open("rb") as stream:
            raw = stream.read(MOST_BYTES)
        entry = from_json(Entry, parse(raw, path.name), path.name)
    except (OSError, UnusableInput):
        return None
    return entry.kept if entry.sha256 == digest_of(entry.kept) else None


def _write(path: Path, kept: Kept) -> None:
    """Writes a file as a whole or not at all: another process may be writing the same."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as stream:
        part = Path(stream.name)
        try:
            stream.write(canonical(to_json(Entry(kept, digest_of(kept)))))
            stream.flush()
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
