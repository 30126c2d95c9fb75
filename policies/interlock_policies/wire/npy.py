"""One array as numpy saves it to a file, read by a grammar of our own: of the header only what numpy itself writes."""

from __future__ import annotations

import io
import re
from typing import Final

import numpy as np

from .arrays import array, writable
from .caps import CAPS, Array, BadMessage, Caps, shown

MAGIC: Final = b"\x93NUMPY"
LONGEST_HEADER: Final = 1024  # bytes, from the magic on: numpy writes 128
# numpy.lib.format: a dictionary literal with its keys in this order, padded with spaces, with a newline at its end.
HEADER: Final = re.compile(
    rb"\{'descr': '(?P<descr>[^'\\]{1,8})', 'fortran_order': (?P<fortran>True|False), "
    rb"'shape': \((?P<shape>(?:[0-9]{1,19}, ){0,31}(?:[0-9]{1,19},?)?)\), \} *\n"
)


def read(saved: object, caps: Caps = CAPS) -> Array:
    """The array, C-contiguous and read-only; raises BadMessage for a header that numpy does not write, a dtype that is
    not accepted, versions other than 1.0 and 2.0, and any number of bytes but the right one.
    """
    if type(saved) is not bytes or not saved.startswith(MAGIC):
        raise BadMessage(f"no array as numpy saves it: {shown(saved)}")
    version = saved[6:8]
    wide = {b"\x01\x00": 2, b"\x02\x00": 4}.get(version)
    if wide is None:
        raise BadMessage(f"version {shown(version)} of numpy's format is not read, only 1.0 and 2.0 are")
    start = len(MAGIC) + 2 + wide
    size = int.from_bytes(saved[start - wide : start], "little")
    if start + size > min(LONGEST_HEADER, len(saved)):
        raise BadMessage(f"a header of {size} bytes in {len(saved)}, at most {LONGEST_HEADER - start} are allowed")
    header = HEADER.fullmatch(saved, start, start + size)
    if header is None:
        raise BadMessage(f"a header that numpy does not write: {shown(saved[start : start + size])}")
    sizes = [_size(written) for written in header["shape"].split(b",") if written.strip()]
    if header["shape"] != _shape(sizes):
        raise BadMessage(f"a shape that numpy does not write: {shown(header['shape'])}")
    descr = header["descr"].decode("latin-1")
    numbers = saved[start + size :]
    if header["fortran"] == b"False":
        return array(descr, sizes, numbers, caps)
    turned = array(descr, sizes[::-1], numbers, caps).T
    return array(descr, sizes, turned.tobytes(order="C"), caps)


def write(values: Array) -> bytes:
    """The bytes that numpy reads as this array, version 1.0; raises TypeError for a dtype that is not accepted."""
    saved = io.BytesIO()
    np.lib.format.write_array(saved, writable(values), version=(1, 0), allow_pickle=False)
    return saved.getvalue()


def _size(written: bytes) -> int:
    return int(written)


def _shape(sizes: list[int]) -> bytes:
    """How numpy writes these sizes."""
    return repr(tuple(sizes)).encode()[1:-1]
