"""Where rule sets, robots and cells are: shipped ones by name, an author's own by path, what they name beside them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final, Literal, TypeAlias

from interlock.errors import UnusableInput

from .problems import nearest
from .yaml_text import MAX_BYTES, Document, read_text

Folder: TypeAlias = Literal["sets", "robots", "cells", "regions"]

SHIPPED: Final = Path(__file__).parent
WORD: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


def find(folder: Folder, name_or_path: str | Path) -> Path:
    """The file of a shipped name, or the path itself; raises UnusableInput for a name that is not shipped."""
    if isinstance(name_or_path, Path) or not WORD.fullmatch(name_or_path):
        return Path(name_or_path)
    return _shipped(folder, name_or_path)


def beside(folder: Folder, name: str, set_path: Path) -> Path:
    """The file that a rule set names: in a folder of that name next to it or next to its folder, then a shipped one."""
    for parent in (set_path.parent, set_path.parent.parent):
        path = parent / folder / f"{name}.yaml"
        if WORD.fullmatch(name) and path.is_file():
            return path
    return _shipped(folder, name)


def shipped(folder: Folder) -> tuple[str, ...]:
    """The names of all shipped files of a folder."""
    return tuple(sorted(path.stem for path in (SHIPPED / folder).glob("*.yaml")))


def _shipped(folder: Folder, name: str) -> Path:
    names = shipped(folder)
    if name not in names:
        raise UnusableInput(
            f'there is no file "{name}" in {folder}{nearest(name, names)}; a file of your own needs a path'
        )
    return SHIPPED / folder / f"{name}.yaml"


def read_file(path: Path) -> Document:
    """The document in a file; raises UnusableInput if it cannot be read, BadFile if it is not strict YAML."""
    source = path.relative_to(SHIPPED).as_posix() if path.is_relative_to(SHIPPED) else path.as_posix()
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UnusableInput(f"{source}: cannot be read: {error.strerror or error}") from error
    return read_text(raw, source)
