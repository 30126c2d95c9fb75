"""Text that came from a policy or a file, made harmless for a terminal (F-48)."""

from __future__ import annotations

import unicodedata


def plain(text: str) -> str:
    r"""The text on one line; control, format, surrogate and private characters are written as escapes like `\x1b`."""
    return "".join(_escaped(character) for character in text)


def _escaped(character: str) -> str:
    if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}:
        return character.encode("unicode_escape", "surrogatepass").decode("ascii")
    return character
