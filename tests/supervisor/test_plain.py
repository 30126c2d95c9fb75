"""Text from elsewhere cannot move the cursor, colour the screen or start a line of its own (F-48)."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock_cli.plain import plain


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pick up the bottle", "pick up the bottle"),
        ("zürich — 瓶", "zürich — 瓶"),
        ("two\nlines", r"two\nlines"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("left\u202eright", r"left\u202eright"),
        ("\ud800", r"\ud800"),
    ],
)
def test_F48_what_is_not_text_is_written_out(text: str, expected: str) -> None:
    assert plain(text) == expected


@given(st.text())
def test_F48_nothing_that_a_terminal_obeys_is_left(text: str) -> None:
    found = plain(text)

    assert not [character for character in found if unicodedata.category(character).startswith("C")]
