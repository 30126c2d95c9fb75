"""Arrays as numpy saves them: numpy itself says what is right, and what it does not write is not read."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.fuzz.dialects import exact
from interlock_policies.wire.caps import CAPS, BadMessage, Caps
from interlock_policies.wire.npy import read, write
from tests.policies.wire.values import ARRAYS, told


def saved(values: object) -> bytes:
    file = io.BytesIO()
    np.save(file, values, allow_pickle=True)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    return file.getvalue()


def loaded(message: bytes) -> np.ndarray[Any, Any]:
    found: np.ndarray[Any, Any] = np.load(io.BytesIO(message), allow_pickle=False)
    return found


def spoken(header: str, numbers: bytes = bytes(24), version: bytes = b"\x01\x00") -> bytes:
    form = "<H" if version == b"\x01\x00" else "<I"
    return b"\x93NUMPY" + version + struct.pack(form, len(header)) + header.encode() + numbers


PLAIN = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n"


@given(ARRAYS)
def test_what_numpy_saves_is_read(values: np.ndarray[Any, Any]) -> None:
    assert exact(read(saved(values))) == exact(values)


@given(ARRAYS)
def test_what_numpy_saves_turned_is_read(values: np.ndarray[Any, Any]) -> None:
    found = read(saved(np.array(values, order="F")))

    assert exact(found) == exact(values)
    assert found.flags.c_contiguous


@given(ARRAYS)
def test_numpy_reads_what_is_written(values: np.ndarray[Any, Any]) -> None:
    assert exact(loaded(write(values))) == exact(values)
    assert write(values) == saved(values)


def test_both_versions_are_read() -> None:
    values = np.arange(6, dtype="<f4").reshape(2, 3)

    assert exact(read(spoken(PLAIN, values.tobytes()))) == exact(values)
    assert exact(read(spoken(PLAIN, values.tobytes(), b"\x02\x00"))) == exact(values)


def test_F05_nobody_can_write_to_what_was_read() -> None:
    for values in (np.zeros(3), np.asfortranarray(np.ones((2, 3)))):
        with pytest.raises(ValueError, match="cannot set WRITEABLE"):
            read(saved(values)).flags.writeable = True


REFUSED: dict[str, tuple[object, str]] = {
    "objects": (saved(np.array([None])), r"dtype '|O' is not accepted"),
    "text": (saved(np.array(["abcde"])), "dtype '<U5' is not accepted"),
    "bytes": (saved(np.array([b"abc"])), "dtype '|S3' is not accepted"),
    "booleans": (saved(np.array([True])), "dtype '|b1' is not accepted"),
    "half precision": (saved(np.zeros(1, np.float16)), "dtype '<f2' is not accepted"),
    "the other byte order": (saved(np.zeros(1, ">f4")), "dtype '>f4' is not accepted"),
    "times": (saved(np.zeros(1, "<M8[s]")), "dtype '<M8[s]' is not accepted"),
    "records": (saved(np.zeros(1, [("a", "<f4")])), "a header that numpy does not write"),
    "too few numbers": (spoken(PLAIN, bytes(23)), "has 24 bytes, got 23"),
    "too many numbers": (spoken(PLAIN, bytes(25)), "has 24 bytes, got 25"),
    "no numbers": (spoken(PLAIN, b""), "has 24 bytes, got 0"),
    "a huge shape": (spoken(PLAIN.replace("2, 3", f"{2**40}, {2**40}")), "at most 33554432 bytes"),
    "a huge shape of no numbers": (spoken(PLAIN.replace("2, 3", f"0, {2**60}"), b""), "at most 33554432 bytes"),
    "a negative size": (spoken(PLAIN.replace("2, 3", "-2, -3")), "a header that numpy does not write"),
    "a float size": (spoken(PLAIN.replace("2, 3", "2.0, 3")), "a header that numpy does not write"),
    "a size with a zero before it": (spoken(PLAIN.replace("2, 3", "02, 3")), "a shape that numpy does not write"),
    "one size without a comma": (spoken(PLAIN.replace("2, 3", "6")), "a shape that numpy does not write"),
    "a comma too many": (spoken(PLAIN.replace("2, 3", "2, 3,")), "a shape that numpy does not write"),
    "a size of many digits": (spoken(PLAIN.replace("2, 3", "9" * 20)), "a header that numpy does not write"),
    "nine axes": (saved(np.zeros((1,) * 9)), "9 axes, at most 8"),
    "forty axes": (spoken(PLAIN.replace("2, 3", "1, " * 39 + "1")), "a header that numpy does not write"),
    "a call": (spoken(PLAIN.replace("'<f4'", "exit()")), "a header that numpy does not write"),
    "a word for the order": (spoken(PLAIN.replace("False", "None")), "a header that numpy does not write"),
    "another order of keys": (
        spoken("{'fortran_order': False, 'descr': '<f4', 'shape': (2, 3), }\n"),
        "a header that numpy does not write",
    ),
    "a key more": (spoken(PLAIN.replace("}", "'x': 0, }")), "a header that numpy does not write"),
    "no newline": (spoken(PLAIN.rstrip()), "a header that numpy does not write"),
    "two newlines": (spoken(PLAIN + "\n"), "a header that numpy does not write"),
    "no header": (spoken(""), "a header that numpy does not write"),
    "a long header": (spoken(PLAIN.replace("}", "}" + " " * 1000)), "at most 1014 are allowed"),
    "a header longer than all": (b"\x93NUMPY\x01\x00\xff\x00" + PLAIN.encode(), "a header of 255 bytes in 70"),
    "a header of 4 GiB": (b"\x93NUMPY\x02\x00\xff\xff\xff\xff" + PLAIN.encode(), "a header of 4294967295 bytes"),
    "version 3": (spoken(PLAIN, version=b"\x03\x00"), r"version b'\x03\x00' of numpy's format is not read"),
    "version 1.1": (spoken(PLAIN, version=b"\x01\x01"), r"version b'\x01\x01' of numpy's format is not read"),
    "the magic alone": (b"\x93NUMPY", "version b'' of numpy's format"),
    "no length": (b"\x93NUMPY\x01\x00", "a header of 0 bytes in 8"),
    "a pickle": (b"\x80\x04N.", "no array as numpy saves it"),
    "an archive": (b"PK\x03\x04", "no array as numpy saves it"),
    "nothing": (b"", "no array as numpy saves it: b''"),
    "text for bytes": ("\x93NUMPY", "no array as numpy saves it"),
    "none": (None, "no array as numpy saves it: None"),
}


@pytest.mark.parametrize(("message", "complaint"), REFUSED.values(), ids=REFUSED)
def test_F45_what_is_not_exactly_one_array_is_refused(message: object, complaint: str) -> None:
    with pytest.raises(BadMessage) as refusal:
        read(message)

    assert complaint in str(refusal.value)
    assert str(refusal.value).isprintable()


def test_the_size_of_an_array_is_a_cap() -> None:
    assert read(saved(np.zeros(3)), Caps(array_bytes=24)).size == 3
    with pytest.raises(BadMessage, match="at most 23 bytes"):
        read(saved(np.zeros(3)), Caps(array_bytes=23))


@given(st.integers(0, 151), st.binary(min_size=1, max_size=3), st.sampled_from(["put over", "put in"]))
def test_what_is_read_of_a_damaged_array_is_what_numpy_reads(place: int, put: bytes, how: str) -> None:
    sound = saved(np.arange(6, dtype="<f4").reshape(2, 3))
    damaged = sound[:place] + put + sound[place + (len(put) if how == "put over" else 0) :]
    said = told(damaged, lambda message: read(message, CAPS))

    assert isinstance(said, BadMessage) or exact(said) == exact(loaded(damaged))
