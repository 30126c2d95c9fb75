"""What OpenVLA's clients and server say is read as they meant it, plain or inside a text, and nothing else is."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.fuzz.dialects import exact
from interlock_policies.wire.caps import BadMessage, Caps, Value
from interlock_policies.wire.json_numpy import Said, Wrapping, read, write
from tests.policies.wire.values import told, values

# What json_numpy.dumps of json-numpy 2.1.1 makes of a request, of an action (0 to 6, times 0.25), and of float32 0.1.
REQUEST = (
    b'{"image": {"__numpy__": "AAECAwQFBgcICQoL", "dtype": "|u1", "shape": [2, 2, 3]}, '
    b'"instruction": "pick up \\u00e9"}'
)
ACTION = (
    b'{"__numpy__": "AAAAAAAAAAAAAAAAAADQPwAAAAAAAOA/AAAAAAAA6D8AAAAAAADwPwAAAAAAAPQ/AAAAAAAA+D8=", '
    b'"dtype": "<f8", "shape": [7]}'
)
SCALAR = b'{"__numpy__": "zczMPQ==", "dtype": "<f4", "shape": []}'
MOVES = np.arange(7) * 0.25
REQUESTED: Value = {"image": np.arange(12, dtype=np.uint8).reshape(2, 2, 3), "instruction": "pick up é"}


def spoken(**changes: object) -> bytes:
    """An array as json-numpy says it, with changes."""
    plain = {"__numpy__": b64encode(bytes(8)).decode(), "dtype": "<f4", "shape": [2], **changes}
    return json.dumps(plain).encode()


@pytest.mark.parametrize(
    ("message", "value"),
    [(REQUEST, REQUESTED), (ACTION, MOVES), (SCALAR, np.array(0.1, np.float32)), (b'"error"', "error"), (b"[]", ())],
    ids=["request", "action", "scalar", "error", "nothing"],
)
def test_what_the_real_library_says_is_read(message: bytes, value: Value) -> None:
    assert read(message).wrapping == "plain"
    assert exact(read(message).value) == exact(value)


def test_what_is_written_is_what_the_real_library_would_have_said() -> None:
    assert write(read(ACTION)) == ACTION
    assert write(read(SCALAR)) == SCALAR


def test_a_request_and_a_reply_inside_a_text_are_read() -> None:
    request = json.dumps({"encoded": REQUEST.decode()}).encode()
    reply = json.dumps(ACTION.decode()).encode()

    assert (read(request).wrapping, exact(read(request).value)) == ("field", exact(REQUESTED))
    assert (read(reply).wrapping, exact(read(reply).value)) == ("text", exact(MOVES))
    assert write(read(reply)) == reply


FINITE = st.floats(allow_nan=False, allow_infinity=False)
WRAPPINGS: st.SearchStrategy[Wrapping] = st.sampled_from(["plain", "text", "field"])


@given(values(FINITE).filter(lambda value: not isinstance(value, str)), WRAPPINGS)
def test_what_is_written_is_read_back(value: Value, wrapping: Wrapping) -> None:
    held: Value = {"value": value}
    found = read(write(Said(held, wrapping)))

    assert found.wrapping == wrapping
    assert exact(found.value) == exact(held)


@given(
    st.binary(max_size=60)
    | st.text(max_size=60).map(str.encode)
    | st.text('[]{}",:1e-.\\u "', max_size=30).map(str.encode)
)
def test_any_bytes_are_refused_or_read(message: bytes) -> None:
    said = told(message, read)

    assert isinstance(said, BadMessage) or exact(read(write(said)).value) == exact(said.value)
    assert not isinstance(said, BadMessage) or str(said).isprintable()


@given(values(FINITE))
def test_what_another_reader_reads_is_the_same(value: Value) -> None:
    def revived(entries: dict[str, Any]) -> object:
        if "__numpy__" not in entries:
            return entries
        numbers = np.frombuffer(b64decoded(entries["__numpy__"]), entries["dtype"])
        return numbers.reshape(entries["shape"])

    assert exact(json.loads(write(Said({"v": value})), object_hook=revived)) == exact({"v": value})


def b64decoded(written: str) -> bytes:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    bits = "".join(f"{alphabet.index(letter):06b}" for letter in written.rstrip("="))
    return bytes(int(bits[start : start + 8], 2) for start in range(0, len(bits) - 7, 8))


DEEP = 100_000
REFUSED: dict[str, tuple[bytes, str]] = {
    "objects": (spoken(dtype="|O"), "dtype '|O' is not accepted"),
    "text": (spoken(dtype="<U2"), "dtype '<U2' is not accepted"),
    "the other byte order": (spoken(dtype=">f4"), "dtype '>f4' is not accepted"),
    "records": (spoken(dtype=[["a", "<f4"]]), "dtype a list is not accepted"),
    "too many numbers": (spoken(shape=[1]), "has 4 bytes, got 8"),
    "too few numbers": (spoken(shape=[3]), "has 12 bytes, got 8"),
    "a huge shape": (spoken(shape=[2**40, 2**40]), "at most 33554432 bytes"),
    "a negative shape": (spoken(shape=[-2]), "from 0 on, got -2"),
    "a float in the shape": (spoken(shape=[2.0]), "from 0 on, got 2.0"),
    "a boolean in the shape": (spoken(shape=[True, 2]), "from 0 on, got True"),
    "an array with more": (spoken(x=0), "must hold exactly"),
    "an array with less": (b'{"__numpy__": ""}', "must hold exactly"),
    "numbers in a list": (spoken(__numpy__=[0] * 8), "must be base64, got a list"),
    "no padding": (spoken(__numpy__="AAAAAAAAAAA"), "no base64: 'AAAAAAAAAAA'"),
    "padding in front": (spoken(__numpy__="=AAAAAAAAAAA"), "no base64"),
    "more behind the padding": (spoken(__numpy__="AAAAAAAAAAA=AAAA"), "no base64"),
    "bits to spare": (spoken(__numpy__="AAAAAAAAAAB="), "no base64 as it is written"),
    "a newline in base64": (spoken(__numpy__="AAAA\nAAAAAAA="), "no base64"),
    "a space in base64": (spoken(__numpy__="AAAA AAAAAAA="), "no base64"),
    "the alphabet of addresses": (spoken(__numpy__="-_AAAAAAAAA="), "no base64"),
    "letters beyond ASCII": (spoken(__numpy__="ÀAAAAAAAAAA="), "must be base64"),
    "NaN": (b'{"a": NaN}', "NaN is no JSON"),
    "Infinity": (b"[Infinity]", "Infinity is no JSON"),
    "minus Infinity": (b"-Infinity", "-Infinity is no JSON"),
    "a float too large": (b"1e999", "no float holds '1e999'"),
    "a number too large": (b"18446744073709551616", "64 bits do not hold a whole number of 65 bits"),
    "a number too small": (b"-9223372036854775809", "64 bits do not hold -9223372036854775809"),
    "a long number": (b"1" * 100_000, "a number of 100000 characters"),
    "a long float": (b"0." + b"1" * 100_000, "a number of 100002 characters"),
    "a key twice": (b'{"a": 0, "a": 0}', "key 'a' comes twice"),
    "a key twice, spelt differently": (b'{"a": 0, "\\u0061": 0}', "key 'a' comes twice"),
    "a key twice in an array": (b'{"__numpy__": "", "__numpy__": "", "dtype": "<f4", "shape": [0]}', "comes twice"),
    "half a surrogate": (b'"\\ud800"', "text that is no Unicode"),
    "half a surrogate for a key": (b'{"\\ud800": 0}', "text that is no Unicode"),
    "no UTF-8": (b'"\xff"', "not UTF-8"),
    "a mark of byte order": (b"\xef\xbb\xbf[]", "no readable JSON"),
    "UTF-16": ("[]".encode("utf-16"), "not UTF-8"),
    "nothing": (b"", "no readable JSON"),
    "two values": (b"[] []", "no readable JSON"),
    "a comma too many": (b"[1,]", "no readable JSON"),
    "a comment": (b"[] // x", "no readable JSON"),
    "a raw newline in a text": (b'"a\nb"', "no readable JSON"),
    "a text that does not end": (b'["\\"', "a text that does not end"),
    "very many quotes": (b'"' + b'\\"' * DEEP, "a text that does not end"),
    "lists in lists": (b"[" * DEEP + b"]" * DEEP, "deeper than 16"),
    "maps in maps": (b'{"a":' * DEEP + b"0" + b"}" * DEEP, "deeper than 16"),
    "brackets that do not end": (b"[" * DEEP, "deeper than 16"),
    "many empty lists": (b"[" + b"[]," * DEEP + b"[]]", "more than 10000 entries"),
    "a long list": (b"[" + b"0," * DEEP + b"0]", "more than 10000 entries"),
    "more texts than entries": (b'""' * DEEP, "more texts than 10000 entries of maps can have"),
    "a long text": (b'"' + b"x" * 65_537 + b'"', "a text of 65537 bytes"),
    "encoded, but no text": (b'{"encoded": 7}', "must be a text that holds JSON, got 7"),
    "encoded, but no JSON": (b'{"encoded": "error"}', "no readable JSON"),
    "encoded, and too deep": (json.dumps({"encoded": "[" * DEEP}).encode(), "deeper than 16"),
    "a text that begins like a list": (b'"[error"', "no readable JSON"),
}


@pytest.mark.parametrize(("message", "complaint"), REFUSED.values(), ids=REFUSED)
def test_F45_what_is_not_one_bounded_value_is_refused(message: bytes, complaint: str) -> None:
    with pytest.raises(BadMessage) as refusal:
        read(message)

    assert complaint in str(refusal.value)
    assert str(refusal.value).isprintable()


def test_the_depth_is_a_cap() -> None:
    message = b'{"a": [' + spoken() + b"]}"

    assert exact(read(message, Caps(depth=3)).value) == exact({"a": [np.zeros(2, np.float32)]})
    with pytest.raises(BadMessage, match="deeper than 2"):
        read(message, Caps(depth=2))


def test_the_entries_are_a_cap() -> None:
    message = b'{"a": [1, 2], "b": [], "c": 0}'

    assert read(message, Caps(items=6)).value == {"a": (1, 2), "b": (), "c": 0}
    with pytest.raises(BadMessage, match="more than 5 entries"):
        read(message, Caps(items=5))


def test_F46_the_frame_is_a_cap() -> None:
    assert exact(read(ACTION, Caps(frame_bytes=len(ACTION))).value) == exact(MOVES)
    with pytest.raises(BadMessage, match=f"at most {len(ACTION) - 1} are allowed"):
        read(ACTION, Caps(frame_bytes=len(ACTION) - 1))


@pytest.mark.parametrize("message", ['"é"'.encode(), b'"\\u00e9"'], ids=["raw", "escaped"])
def test_a_frame_that_is_not_all_ASCII_may_be_a_quarter_as_long(message: bytes) -> None:
    assert read(message, Caps(frame_bytes=4 * len(message))).value == "é"
    with pytest.raises(BadMessage, match="not all ASCII"):
        read(message, Caps(frame_bytes=4 * len(message) - 1))


def test_as_many_texts_as_entries_can_have_are_read() -> None:
    assert read(b'{"a": "b", "c": "d"}', Caps(items=2)).value == {"a": "b", "c": "d"}
    assert read(b'"a"', Caps(items=1)).value == "a"
    with pytest.raises(BadMessage, match="more texts than 1 entries"):
        read(b'"a" "b" "c" "d"', Caps(items=1))


def test_brackets_and_commas_in_a_text_count_for_nothing() -> None:
    text = '[{,"' * 1000

    assert read(json.dumps({"a": text}).encode(), Caps(items=1, depth=1)).value == {"a": text}


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (Said(b"bytes"), TypeError),
        (Said(float("nan")), ValueError),
        (Said([float("inf")]), ValueError),
        (Said("[1]"), ValueError),
        (Said({"encoded": "x"}), ValueError),
        (Said("[1", "plain"), ValueError),
        (Said("error", "text"), ValueError),
        (Said(7, "text"), ValueError),
        (Said({"__numpy__": 0}), ValueError),
        (Said("\ud800"), ValueError),
    ],
    ids=repr,
)
def test_what_could_not_be_read_is_not_written(said: Said, error: type[Exception]) -> None:
    with pytest.raises(error):
        write(said)
