"""What openpi-client says is read as it meant it, and nothing else is read at all."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.fuzz.dialects import exact
from interlock_policies.wire.caps import BadMessage, Caps, Value
from interlock_policies.wire.openpi import read, write
from tests.policies.wire.values import KEYS, packed, told, values

# What msgpack_numpy.packb of openpi-client 0.1.2 makes of {"state": float32 [0, 1, 2], "image": uint8 0 to 11 as
# [2, 2, 3], "n": float64 0.5, "k": int64 -3, "prompt": "put the cup down", "t": None, "ok": True,
# "timing": {"infer_ms": 12.5}, "l": [1, 2.5]}, and of {"a": [[1.5, nan], [inf, -0.0]]}.
OBSERVATION = bytes.fromhex(
    "89a5737461746584c40b5f5f6e6461727261795f5fc3c40464617461c40c000000000000803f00000040c4056474797065a33c6634c405"
    "73686170659103a5696d61676584c40b5f5f6e6461727261795f5fc3c40464617461c40c000102030405060708090a0bc4056474797065"
    "a37c7531c405736861706593020203a16ecb3fe0000000000000a16b83c40d5f5f6e7067656e657269635f5fc3c40464617461fdc40564"
    "74797065a33c6938a670726f6d7074b0707574207468652063757020646f776ea174c0a26f6bc3a674696d696e6781a8696e6665725f6d"
    "73cb4029000000000000a16c9201cb4004000000000000"
)
ODD = bytes.fromhex(
    "81a16184c40b5f5f6e6461727261795f5fc3c40464617461c420000000000000f83f000000000000f87f000000000000f07f0000000000"
    "000080c4056474797065a33c6638c4057368617065920202"
)


def described(**changes: object) -> dict[bytes, object]:
    """An array as openpi says it, with changes."""
    plain = {"__ndarray__": True, "data": bytes(8), "dtype": "<f4", "shape": [2], **changes}
    return {key.encode(): value for key, value in plain.items()}


def test_what_the_real_client_says_is_read() -> None:
    expected: dict[str, Value] = {
        "state": np.array([0, 1, 2], np.float32),
        "image": np.arange(12, dtype=np.uint8).reshape(2, 2, 3),
        "n": 0.5,
        "k": -3,
        "prompt": "put the cup down",
        "t": None,
        "ok": True,
        "timing": {"infer_ms": 12.5},
        "l": (1, 2.5),
    }

    assert exact(read(OBSERVATION)) == exact(expected)


def test_F01_no_number_is_looked_at() -> None:
    assert exact(read(ODD)) == exact({"a": np.array([[1.5, np.nan], [np.inf, -0.0]])})


def test_what_is_written_is_what_the_real_client_would_have_said() -> None:
    assert write(read(ODD)) == ODD
    assert write({**read(OBSERVATION), "k": -3}).hex() == OBSERVATION.hex().replace(
        "83c40d5f5f6e7067656e657269635f5fc3c40464617461fdc4056474797065a33c6938", "fd"
    )


@given(st.dictionaries(KEYS, values(st.floats()), max_size=5))
def test_what_is_written_is_read_back(said: dict[str, Value]) -> None:
    assert exact(read(write(said))) == exact(said)


@given(st.binary(max_size=60) | st.binary(max_size=30).map(lambda inside: b"\x81\xa1a\x84\xc4\x0b__ndarray__" + inside))
def test_any_bytes_are_refused_or_read(message: bytes) -> None:
    said = told(message, read)

    assert isinstance(said, BadMessage) or exact(read(write(said))) == exact(said)
    assert not isinstance(said, BadMessage) or (len(str(said)) < 300 and str(said).isprintable())


def test_F45_the_message_of_67_bytes_that_crashes_a_client_is_refused() -> None:
    message = packed({"actions": {b"__ndarray__": True, b"data": bytes(16), b"dtype": "|O", b"shape": [2]}})

    assert len(message) == 67
    with pytest.raises(BadMessage, match=r"dtype '\|O' is not accepted"):
        read(message)


REFUSED: dict[str, tuple[object, str]] = {
    "objects": (described(dtype="|O"), "dtype '|O' is not accepted"),
    "text": (described(dtype="<U5"), "dtype '<U5' is not accepted"),
    "the other byte order": (described(dtype=">f4"), "dtype '>f4' is not accepted"),
    "records": (described(dtype=[["a", "<f4"]]), "dtype a list is not accepted"),
    "a dtype in bytes": (described(dtype=b"<f4"), "dtype b'<f4' is not accepted"),
    "too few numbers": (described(data=bytes(7)), "has 8 bytes, got 7"),
    "too many numbers": (described(data=bytes(9)), "has 8 bytes, got 9"),
    "numbers as text": (described(data="01234567"), "numbers must be bytes"),
    "a huge shape": (described(shape=[2**40, 2**40]), "at most 33554432 bytes"),
    "a huge shape of no numbers": (described(shape=[0, 2**63], data=b""), "at most 33554432 bytes"),
    "a negative shape": (described(shape=[-2]), "from 0 on, got -2"),
    "a float in the shape": (described(shape=[2.0]), "from 0 on, got 2.0"),
    "a boolean in the shape": (described(shape=[True, 2]), "from 0 on, got True"),
    "a shape in the shape": (described(shape=[described()]), "from 0 on, got a Map"),
    "an array that is none": (described(__ndarray__=False), "must hold exactly"),
    "an array that is one": (described(__ndarray__=1), "must hold exactly"),
    "an array with more": (described(more=0), "must hold exactly"),
    "an array with less": ({b"__ndarray__": True}, "must hold exactly"),
    "an array and a scalar": (described(__npgeneric__=True), "must hold exactly"),
    "a scalar of objects": ({b"__npgeneric__": True, b"data": 1, b"dtype": "|O"}, "dtype '|O' is not accepted"),
    "a scalar too large": ({b"__npgeneric__": True, b"data": 256, b"dtype": "|u1"}, "must be a whole number within it"),
    "a scalar with more": ({b"__npgeneric__": True, b"data": 1, b"dtype": "|u1", b"x": 0}, "must hold exactly"),
    "keys of bytes": ({b"data": 1}, "a key must be text, got b'data'"),
}


@pytest.mark.parametrize(("said", "complaint"), REFUSED.values(), ids=REFUSED)
def test_F45_an_array_is_refused_unless_it_is_exactly_one(said: object, complaint: str) -> None:
    with pytest.raises(BadMessage) as refusal:
        read(packed({"actions": said}))

    assert complaint in str(refusal.value)


DEEP = 100_000
RAW: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "no readable msgpack"),
    "no map": (b"\x90", "expected a map"),
    "a number": (b"\x00", "expected a map, got 0"),
    "an array alone": (packed(described()), "expected a map, got a ndarray"),
    "half a map": (OBSERVATION[:-1], "no readable msgpack"),
    "more behind it": (OBSERVATION + b"\x00", "no readable msgpack"),
    "two messages": (ODD + ODD, "no readable msgpack"),
    "a byte that means nothing": (b"\x81\xa1a\xc1", "no readable msgpack"),
    "a key twice": (b"\x82\xa1a\x00\xa1a\x00", "key 'a' comes twice"),
    "a key twice in an array": (b"\x81\xa1a\x82\xc4\x01a\x00\xc4\x01a\x00", "key b'a' comes twice"),
    "a key that is a number": (b"\x81\x00\x00", "no readable msgpack"),
    "a key that is nothing": (b"\x81\xc0\x00", "no readable msgpack"),
    "a key that is a list": (b"\x81\x90\x00", "no readable msgpack"),
    "a key that is a map": (b"\x81\x80\x00", "no readable msgpack"),
    "text that is no UTF-8": (b"\x81\xa1a\xa1\xff", "no readable msgpack"),
    "a surrogate": (b"\x81\xa1a\xa3\xed\xa0\x80", "no readable msgpack"),
    "a key that is no UTF-8": (b"\x81\xa1\xff\x00", "no readable msgpack"),
    "an extension": (b"\x81\xa1a\xd4\x05\x00", "no readable msgpack"),
    "an empty extension": (b"\x81\xa1a\xc7\x00\x05", "extension type 5 (0 bytes)"),
    "a time": (b"\x81\xa1a\xd6\xff\x00\x00\x00\x00", "no readable msgpack"),
    "an empty time": (b"\x81\xa1a\xc7\x00\xff", "no readable msgpack"),
    "lists in lists": (b"\x81\xa1a" + b"\x91" * DEEP + b"\x90", "no readable msgpack"),
    "maps in maps": (b"\x81\xa1a" * DEEP + b"\x80", "no readable msgpack"),
    "a list that says it is long": (b"\x81\xa1a\xdd\xff\xff\xff\xff", "no readable msgpack"),
    "a map that says it is long": (b"\x81\xa1a\xdf\xff\xff\xff\xff", "no readable msgpack"),
    "a text that says it is long": (b"\x81\xa1a\xdb\xff\xff\xff\xff", "no readable msgpack"),
    "bytes that say they are long": (b"\x81\xa1a\xc6\xff\xff\xff\xff", "no readable msgpack"),
    "many empty lists": (b"\x81\xa1a\xdc\x20\x00" + b"\x90" * 0x2000, "more than 10000 entries"),
    "many empty maps": (b"\x81\xa1a\xdc\x20\x00" + b"\x80" * 0x2000, "more than 10000 entries"),
    "a long list": (b"\x81\xa1a\xdc\x27\x11" + b"\xc0" * 10_001, "no readable msgpack"),
    "a long text": (b"\x81\xa1a\xdb\x00\x01\x00\x01" + b"x" * 65_537, "no readable msgpack"),
}


@pytest.mark.parametrize(("message", "complaint"), RAW.values(), ids=RAW)
def test_F45_what_is_not_one_bounded_map_is_refused(message: bytes, complaint: str) -> None:
    with pytest.raises(BadMessage) as refusal:
        read(message)

    assert complaint in str(refusal.value)


def test_the_depth_is_a_cap() -> None:
    message = packed({"a": {"b": [described()]}})

    assert exact(read(message, Caps(depth=4))) == exact({"a": {"b": [np.zeros(2, np.float32)]}})
    with pytest.raises(BadMessage, match="deeper than 3"):
        read(message, Caps(depth=3))


def test_F46_the_frame_is_a_cap() -> None:
    assert read(ODD, Caps(frame_bytes=len(ODD)))
    with pytest.raises(BadMessage, match=f"a message of {len(ODD)} bytes, at most {len(ODD) - 1}"):
        read(ODD, Caps(frame_bytes=len(ODD) - 1))


def test_the_entries_are_a_cap() -> None:
    message = packed({"a": [1, 2], "b": [], "c": 0})

    assert read(message, Caps(items=6))
    with pytest.raises(BadMessage, match="more than 5 entries"):
        read(message, Caps(items=5))


def test_a_text_is_bounded_in_bytes() -> None:
    message = packed({"p": "ééé"})

    assert read(message, Caps(text_bytes=6)) == {"p": "ééé"}
    with pytest.raises(BadMessage):
        read(message, Caps(text_bytes=5))


@pytest.mark.parametrize("message", ["text", bytearray(b"\x80"), None], ids=repr)
def test_only_bytes_are_a_message(message: object) -> None:
    with pytest.raises(BadMessage, match="expected a message of bytes"):
        read(message)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("value", "error"),
    [
        (np.float32(1), TypeError),
        (np.float64(1), TypeError),
        (np.array([None]), TypeError),
        ({1: 2}, TypeError),
        ({b"__ndarray__": True}, TypeError),
        (..., TypeError),
        (2**64, ValueError),
        (-(2**63) - 1, ValueError),
        ("\ud800", ValueError),
    ],
    ids=repr,
)
def test_what_could_not_be_read_is_not_written(value: object, error: type[Exception]) -> None:
    with pytest.raises(error):
        write({"a": value})  # type: ignore[dict-item] # pyright: ignore[reportArgumentType]
