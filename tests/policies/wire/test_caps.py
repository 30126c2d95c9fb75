"""What a message may hold is bounded, and what a peer wrote is quoted short and escaped."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock_policies.wire.caps import Caps, shown


@pytest.mark.parametrize("name", ["frame_bytes", "array_bytes", "items", "depth", "text_bytes"])
@pytest.mark.parametrize("most", [0, -1])
def test_a_cap_is_positive(name: str, most: int) -> None:
    changed: dict[str, Any] = {name: most}

    with pytest.raises(ValueError, match=f"{name} must be positive"):
        Caps(**changed)


def test_a_depth_that_the_reader_could_not_survive_is_no_cap() -> None:
    assert Caps(depth=64).depth == 64
    with pytest.raises(ValueError, match="depth must be at most 64, got 65"):
        Caps(depth=65)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a\x1b[2Jb\nc", r"'a\x1b[2Jb\nc'"),
        ("\u202e", r"'\u202e'"),
        (b"\xff\n", r"b'\xff\n'"),
        ("x" * 81, "'" + "x" * 79 + "..."),
        (2**64 - 1, "18446744073709551615"),
        (10**5000, "a whole number of 16610 bits"),
        (None, "None"),
        (True, "True"),
        (0.5, "0.5"),
        ([["x" * 1000]], "a list"),
        ({"x": 1}, "a dict"),
    ],
    ids=lambda value: "" if isinstance(value, int) else repr(value)[:20],
)
def test_F48_what_a_peer_wrote_is_quoted_short_and_escaped(value: object, expected: str) -> None:
    assert shown(value) == expected


@given(st.text(max_size=400) | st.binary(max_size=400) | st.integers() | st.floats())
def test_F48_nothing_of_a_peer_steers_a_terminal(value: object) -> None:
    assert shown(value).isprintable()
    assert len(shown(value)) <= 83
