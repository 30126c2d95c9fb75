"""A seed is what its name says, thousands of damaged ones break no reader, and a reader that breaks is noticed."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from bench.fuzz import dialects
from bench.fuzz.dialects import DIALECTS, Broken, tried
from bench.fuzz.run import LONGEST_BYTES, SEEDS
from interlock_policies.wire.caps import BadMessage

ROUNDS = 1500


def seeds(dialect: str) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((SEEDS / dialect).iterdir())}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_seed_is_read_or_refused_as_its_name_says(dialect: str) -> None:
    found = {name: tried(dialect, message) for name, message in seeds(dialect).items()}

    assert found == {name: name.startswith("read-") for name in found}
    assert set(found.values()) == {True, False}
    assert max(map(len, seeds(dialect).values())) <= LONGEST_BYTES


def test_every_dialect_has_words_of_its_own() -> None:
    assert {path.stem for path in SEEDS.glob("*.dict")} == set(DIALECTS)


def damaged(message: bytes, other: bytes, generator: random.Random) -> bytes:
    """The message with bytes changed, put in or taken out, or with a piece of another in it."""
    changed = bytearray(message)
    for _ in range(generator.randint(1, 4)):
        place = generator.randint(0, len(changed))
        match generator.randrange(4):
            case 0:
                changed[place : place + 1] = bytes([generator.randrange(256)])
            case 1:
                changed[place:place] = generator.randbytes(generator.randint(1, 4))
            case 2:
                del changed[place : place + generator.randint(1, 8)]
            case _:
                start = generator.randint(0, len(other))
                changed[place : place + generator.randint(0, 8)] = other[start : start + generator.randint(1, 32)]
    return bytes(changed)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_F45_no_damaged_message_breaks_a_reader(dialect: str) -> None:
    generator, known = random.Random(1), list(seeds(dialect).values())  # noqa: S311 - which bytes, not a secret
    found = [
        tried(dialect, damaged(generator.choice(known), generator.choice(known), generator)) for _ in range(ROUNDS)
    ]

    assert 0 < sum(found) < ROUNDS


def refuses(_: bytes) -> tuple[object, object]:
    raise BadMessage("two\nlines")


def crashes(_: bytes) -> tuple[object, object]:
    raise KeyError("dtype")


def changes(_: bytes) -> tuple[object, object]:
    return 0.0, -1.0


@pytest.mark.parametrize(
    ("reader", "error", "complaint"),
    [
        (crashes, KeyError, "dtype"),
        (changes, Broken, "0.0 is read back as -1.0"),
        (refuses, Broken, "no short line of plain text"),
    ],
)
def test_a_reader_that_breaks_is_noticed(
    reader: Callable[[bytes], tuple[object, object]],
    error: type[Exception],
    complaint: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dialects, "DIALECTS", {"odd": reader})

    with pytest.raises(error, match=complaint):
        tried("odd", b"")
