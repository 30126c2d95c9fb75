"""A mesh beside a cell's file: read from inside that folder, reviewed by digest, and made convex parts of."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

from interlock.errors import UnusableInput
from interlock.geometry import ConvexParts
from interlock.mesh_formats import MESH_BYTES, read_mesh

from .reading import FaultBelow
from .split_cache import split_of
from .splitting import TooCoarse
from .surfaces import Surface, surface_of
from .units import scale

MOST_TRIANGLES: Final = 10_000  # more take minutes to split


def convex_parts(folder: Path, file: str, unit: str, sha256: str, tolerance: float) -> ConvexParts:
    """The convex parts of the mesh in a file below a folder, whose numbers are in a unit of length, within a tolerance
    [m] of it.

    Raises FaultBelow at the field that is wrong: the file is missing, leads out of the folder, is too large, or bounds
    no solid; it is not the one that was reviewed; or no split keeps the tolerance.
    """
    content = _content(folder, file)
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise FaultBelow(("mesh", "sha256"), f"{file} has SHA-256 {found}; review it and state that")
    try:
        surface = _surface(content, file, float(scale("length", unit)))
        parts = split_of(surface, f"{found} {file.rpartition('.')[2]} {unit}", tolerance)
    except TooCoarse as error:
        raise FaultBelow(("mesh", "tolerance"), f"{file}: {error}") from error
    except (UnusableInput, ValueError) as error:
        raise FaultBelow(("mesh", "file"), f"{file}: {error}") from error
    return ConvexParts(parts, tolerance, found)


def _content(folder: Path, file: str) -> bytes:
    """The bytes of a file; raises FaultBelow for one that links lead out of the folder to (F-47)."""
    root = folder.resolve()
    path = (root / file).resolve()
    if not path.is_relative_to(root):
        raise FaultBelow(
            ("mesh", "file"), f"{file} leads out of the folder of this file; only files inside it are read"
        )
    if not path.is_file():
        raise FaultBelow(("mesh", "file"), f"there is no file {file} beside this file")
    try:
        with path.open("rb") as stream:
            content = stream.read(MESH_BYTES + 1)
    except OSError as error:
        raise FaultBelow(("mesh", "file"), f"{file} cannot be read: {error.strerror or error}") from error
    if len(content) > MESH_BYTES:
        raise FaultBelow(("mesh", "file"), f"{file} has more than {MESH_BYTES} bytes; a body needs less")
    return content


def _surface(content: bytes, file: str, metres: float) -> Surface:
    """The surface of a mesh file whose unit is so many metres; raises UnusableInput or ValueError."""
    corners, triangles = read_mesh(content, file.rpartition(".")[2], file)
    if len(triangles) > MOST_TRIANGLES:
        raise ValueError(f"it has {len(triangles)} triangles; at most {MOST_TRIANGLES} are split: simplify it")
    return surface_of(corners * metres, triangles)
