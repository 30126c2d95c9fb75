"""What is wrong with a file and where: places, messages with the offending line, and the nearest known word."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

from interlock.errors import UnusableInput

SHOWN_COLUMNS = 160  # a longer line is cut for the eye; the column still says where


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands: a file's name, line and column, both from 1."""

    source: str
    line: int
    column: int

    @property
    def text(self) -> str:
        """As editors and compilers write it."""
        return f"{self.source}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake: its place, what was found and expected, and the offending line (empty: none to show)."""

    place: Place
    message: str
    line: str = ""

    @property
    def text(self) -> str:
        """The place and the message, then the offending line with a caret under the column; a space for each character
        that a terminal would obey instead of showing it.
        """
        head = f"{self.place.text}: {self.message}"
        if not self.line or self.place.column > SHOWN_COLUMNS:
            return head
        number = f"{self.place.line:>5} | "
        line = "".join(char if char.isprintable() else " " for char in self.line[:SHOWN_COLUMNS])
        return f"{head}\n{number}{line}\n{' ' * (len(number) + self.place.column - 1)}^"


class BadFile(UnusableInput):
    """A file that cannot be read as what it claims to be; `problems` are all that were found, in order of place."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        ordered = sorted(
            set(problems), key=lambda one: (one.place.source, one.place.line, one.place.column, one.message)
        )
        self.problems = tuple(ordered)
        super().__init__("\n".join(problem.text for problem in ordered))


def nearest(word: str, known: Iterable[str]) -> str:
    """What to say about an unknown word: `; did you mean "x"?`, or which words are known, or nothing where none is."""
    words = sorted(set(known))
    near = difflib.get_close_matches(word, words, 1)
    if near:
        return f'; did you mean "{near[0]}"?'
    return f"; known: {', '.join(words)}" if words else ""
