"""What GR00T's client and server say is read as they meant it, and nothing else is read at all."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.fuzz.dialects import exact
from interlock_policies.wire import npy
from interlock_policies.wire.caps import BadMessage, Caps, Value
from interlock_policies.wire.groot import read, write
from tests.policies.wire.values import packed, told, values

# What msgpack.packb makes of [{"action.arm": {"__ndarray_class__": True, "as_npy": numpy.save of float32 0 to 5 as
# [1, 2, 3]}}, {}]: the reply to get_action, in the form of Isaac-GR00T's MsgSerializer.
REPLY = bytes.fromhex(
    "9281aa616374696f6e2e61726d82b15f5f6e6461727261795f636c6173735f5fc3a661735f6e7079c498934e554d5059010076007b276465"
    "736372273a20273c6634272c2027666f727472616e5f6f72646572273a2046616c73652c20277368617065273a2028312c20322c2033292c"
    "207d202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020"
    "200a000000000000803f0000004000004040000080400000a04080"
)
SAVED = npy.write(np.zeros(2, np.float32))


def test_what_the_server_says_is_read() -> None:
    assert exact(read(REPLY)) == exact([{"action.arm": np.arange(6, dtype=np.float32).reshape(1, 2, 3)}, {}])


def test_what_is_written_is_what_the_server_would_have_said() -> None:
    assert write(read(REPLY)) == REPLY


def test_a_request_is_read() -> None:
    sent = {"endpoint": "get_action", "data": {"observation": {"language": {"task": [["go"]]}}, "options": None}}

    assert exact(read(packed(sent))) == exact(sent)


def test_a_class_that_is_no_array_stays_a_map() -> None:
    sent: dict[str, Value] = {"video": {"__ModalityConfig_class__": True, "as_json": {"delta_indices": [0]}}}

    assert exact(read(packed(sent))) == exact(sent)
    assert write(sent) == packed(sent)


@given(values(st.floats()))
def test_what_is_written_is_read_back(said: Value) -> None:
    assert exact(read(write(said))) == exact(said)


@given(st.binary(max_size=60))
def test_any_bytes_are_refused_or_read(message: bytes) -> None:
    said = told(message, read)

    assert isinstance(said, BadMessage) or exact(read(write(said))) == exact(said)


REFUSED: dict[str, tuple[object, str]] = {
    "no npy": ({"__ndarray_class__": True, "as_npy": b"\x80\x04N."}, "no array as numpy saves it"),
    "npy as text": ({"__ndarray_class__": True, "as_npy": "x"}, "no array as numpy saves it"),
    "npy behind npy": ({"__ndarray_class__": True, "as_npy": SAVED + SAVED}, "has 8 bytes, got 144"),
    "an array that is none": ({"__ndarray_class__": False, "as_npy": SAVED}, "must hold exactly"),
    "an array with more": ({"__ndarray_class__": True, "as_npy": SAVED, "x": 0}, "must hold exactly"),
    "an array with less": ({"__ndarray_class__": True}, "must hold exactly"),
    "openpi's arrays": (
        {b"__ndarray__": True, b"data": bytes(8), b"dtype": "<f4", b"shape": [2]},
        "a key must be text, got b'__ndarray__'",
    ),
}


@pytest.mark.parametrize(("said", "complaint"), REFUSED.values(), ids=REFUSED)
def test_F45_an_array_is_refused_unless_it_is_exactly_one(said: object, complaint: str) -> None:
    with pytest.raises(BadMessage) as refusal:
        read(packed({"action": said}))

    assert complaint in str(refusal.value)


@pytest.mark.parametrize("message", [b"", b"ERROR", REPLY[:-1], REPLY + b"\x80"], ids=repr)
def test_F45_what_is_not_one_value_is_refused(message: bytes) -> None:
    with pytest.raises(BadMessage, match="no readable msgpack"):
        read(message)


def test_an_array_as_large_as_allowed_is_read_with_its_header() -> None:
    message = write(np.zeros(100))

    assert exact(read(message, Caps(array_bytes=800))) == exact(np.zeros(100))
    with pytest.raises(BadMessage, match="at most 799 bytes"):
        read(message, Caps(array_bytes=799))


def test_a_map_that_would_be_read_as_an_array_is_not_written() -> None:
    with pytest.raises(ValueError, match="would be read as an array"):
        write({"__ndarray_class__": True, "as_npy": b""})
