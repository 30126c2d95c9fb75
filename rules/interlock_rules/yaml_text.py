"""Strict YAML 1.2: from a file's bytes to a document in which every scalar is still the text that was written.

PyYAML reads YAML 1.1, where `no` is False, `1:30` is 90 and `017` is 15 (F-04). Only its syntax is used, never its
types: the field that a text fills decides what it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, TypeAlias

from .nodes import Fault, Node, NotAccepted, compose, odd_character
from .problems import BadFile, Place, Problem

MAX_BYTES: Final = 1 << 20

Path: TypeAlias = tuple[str | int, ...]

LINE_BREAK: Final = re.compile("\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class Document:
    """A file that was read: its name, its lines, and its nodes."""

    source: str
    lines: tuple[str, ...]
    root: Node

    def problem(self, path: Path, message: str, *, at_key: bool = False) -> Problem:
        """A problem with the value at a path (or with its key), or as near to it as there is something."""
        spot, node = self.root.spot, self.root
        for number, step in enumerate(path, start=1):
            entry = node.below(step)
            if entry:  # else a step that only the reader's types know, or a key that is missing
                node = entry.node
                spot = entry.spot if at_key and number == len(path) else node.spot
        return _problem(self.source, self.lines, Fault(spot, message))

    def place(self, path: Path) -> Place:
        """Where the value at a path stands."""
        return self.problem(path, "").place


def read_text(raw: bytes, source: str) -> Document:
    """The document in a file's bytes; raises BadFile with the places of what is not strict YAML 1.2."""
    if len(raw) > MAX_BYTES:
        raise BadFile([Problem(Place(source, 1, 1), f"the file has {len(raw)} bytes; at most {MAX_BYTES} are read")])
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise BadFile([Problem(Place(source, line, 1), "this line is not UTF-8; save the file as UTF-8")]) from error
    lines = tuple(LINE_BREAK.split(text))
    try:
        _refuse_odd_characters(lines)
        return Document(source, lines, compose(text))
    except NotAccepted as refused:
        raise BadFile(_problem(source, lines, fault) for fault in refused.faults) from refused


def _problem(source: str, lines: tuple[str, ...], fault: Fault) -> Problem:
    line, column = fault.spot
    return Problem(Place(source, line, column), fault.message, lines[line - 1] if line <= len(lines) else "")


def _refuse_odd_characters(lines: tuple[str, ...]) -> None:
    """Raises NotAccepted at the first odd character, be it in a value, a key or a comment."""
    for number, line in enumerate(lines, start=1):
        odd = odd_character(line)
        if odd:
            name = f"U+{ord(odd.group()):04X}"
            raise NotAccepted(Fault((number, odd.start() + 1), f"the character {name} is not accepted; remove it"))
