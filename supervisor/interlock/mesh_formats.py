"""Reads meshes in obj and stl files, whole or not at all: what a reader passes over is not seen, and can be struck.

What is looked at are corners and the polygons between them. Of normals, textures and colours only the form counts, of
names and materials not even that; no other file is opened. Whatever is left is refused, with its line or byte, what was
found there, what was expected and what to do.
"""

from __future__ import annotations

import math
import re
from array import array
from dataclasses import dataclass, field
from typing import Final, NoReturn

import numpy as np

from .arrays import BoolArray, FloatArray, IntArray
from .errors import UnusableInput

MESH_BYTES: Final = 32 << 20  # what callers read of a file at most (F-47): a link or a body needs less
MOST_LINES: Final = 2_000_000  # of a text: what has more takes too long
MOST_CORNERS: Final = 256  # of one polygon, or of one line
MOST_OF_ALL: Final = 3_000_000  # corners of all polygons and lines together
FLAT: Final = 1e-4  # of a polygon's extent: how far its corners may be off one plane, or short of convex
CONTROL: Final = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]")  # ends of lines apart, no text has one
NUMBER: Final = re.compile(rb"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
CORNER: Final = re.compile(rb"(-?[0-9]{1,9})(?:/-?[0-9]{1,9}(?:/-?[0-9]{1,9})?|//-?[0-9]{1,9})?")
# What says nothing about where a surface is: names, groups, materials, smoothing, and how a renderer shows them.
SILENT: Final = frozenset({b"o", b"g", b"s", b"usemtl", b"mtllib", b"usemap", b"maplib", b"bevel", b"c_interp"})
TRIANGLE: Final = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("unused", "<u2")])
HEAD: Final = 84  # bytes of a binary stl before its first triangle: 80 of text, 4 of how many
SPOKEN: Final = frozenset({b"solid", b"endsolid", b"facet", b"outer", b"loop", b"vertex", b"endloop", b"endfacet"})
# A triangle of an stl of text, line by line: the words, and how many numbers follow them.
FACET: Final = (
    ((b"facet", b"normal"), 3),
    ((b"outer", b"loop"), 0),
    *(((b"vertex",), 3),) * 3,
    ((b"endloop",), 0),
    ((b"endfacet",), 0),
)


def read_corners(content: bytes, kind: str, name: str) -> FloatArray:
    """All vertices (V, 3) of an obj or stl file's bytes as they stand there, used or not: what a hull is made of.

    Raises UnusableInput where the file is no mesh of that kind, has something in it that is not understood, or no
    vertices.
    """
    try:
        corners = _obj(content).vertices if _known(kind) == "obj" else _stl(content)
        if not len(corners):
            raise ValueError("it has no vertices; export it anew")  # noqa: TRY301 - as all that is found wrong with it
    except ValueError as error:
        raise UnusableInput(f"mesh {name} cannot be read: {error}") from error
    return corners


def read_mesh(content: bytes, kind: str, name: str) -> tuple[FloatArray, IntArray]:
    """The vertices (V, 3) of an obj or stl file's bytes as they stand there, used or not, and its triangles (F, 3), by
    index: what encloses a solid. A polygon of more corners, in one plane and convex to FLAT, is a fan of triangles.

    Raises UnusableInput as `read_corners` does, and for what triangles do not say: lines, points, other polygons.
    """
    try:
        if _known(kind) == "obj":
            found = _obj(content)
            corners, triangles = found.vertices, found.triangles()
        else:
            corners = _stl(content)
            triangles = np.arange(len(corners), dtype=np.int64).reshape(-1, 3)
        if not len(triangles):
            raise ValueError("it has no triangles; export its faces too")  # noqa: TRY301 - as in read_corners
    except ValueError as error:
        raise UnusableInput(f"mesh {name} cannot be read: {error}") from error
    return corners, triangles


def _known(kind: str) -> str:
    if kind not in {"obj", "stl"}:
        raise ValueError(f"{kind!r} is not read; convert it to obj or stl")
    return kind


@dataclass(slots=True)
class _Obj:
    """What the lines of an obj file have said so far: three coordinates a vertex; and of each polygon, line and point
    the line where it stands, how many corners it has, and these by index.
    """

    coordinates: array[float] = field(default_factory=lambda: array("d"))
    places: array[int] = field(default_factory=lambda: array("q"))
    sizes: array[int] = field(default_factory=lambda: array("q"))
    indices: array[int] = field(default_factory=lambda: array("q"))
    loose: int = 0  # the first line with points or lines

    @property
    def vertices(self) -> FloatArray:
        """All vertices (V, 3)."""
        return np.array(self.coordinates, dtype=np.float64).reshape(-1, 3)

    def vertex(self, number: int, words: list[bytes]) -> None:
        """Adds the vertex of a line. The fourth of four numbers is a weight, the last three of six are a colour."""
        values = _numbers(number, words, {3, 4, 6}, "v and 3 coordinates, a weight of 1 or a colour behind them")
        if len(values) == 4 and values[3] != 1.0:
            _refuse(number, b" ".join(words), "a weight of 1", "weights belong to curves: export polygons")
        self.coordinates.extend(values[:3])

    def element(self, number: int, words: list[bytes]) -> None:
        """Adds the polygon, the line or the points of a line."""
        least = {b"f": 3, b"l": 2, b"p": 1}[words[0]]
        if not least <= len(words) - 1 <= MOST_CORNERS:
            _refuse(number, b" ".join(words), f"{least} to {MOST_CORNERS} corners", "triangulate the mesh")
        if words[0] != b"f":
            self.loose = self.loose or number
        known = len(self.coordinates) // 3
        for word in words[1:]:
            corner = CORNER.fullmatch(word)
            index = int(corner[1]) if corner is not None else 0
            if not index or index < -known:
                _refuse(number, word, f"a vertex from 1 on, or back from -1 to -{known}", "export it anew")
            self.indices.append(index - 1 if index > 0 else known + index)
        if len(self.indices) > MOST_OF_ALL:
            _refuse(number, words[0], f"at most {MOST_OF_ALL} corners in all", "simplify the mesh")
        self.places.append(number)
        self.sizes.append(len(words) - 1)

    def checked(self) -> _Obj:
        """The same. Raises ValueError where an index is beyond the last vertex: it may come after what it is in."""
        count = len(self.coordinates) // 3
        beyond = np.flatnonzero(np.array(self.indices, dtype=np.int64) >= count).tolist()
        if beyond:
            which = int(np.searchsorted(np.cumsum(np.array(self.sizes)), beyond[0], side="right"))
            vertex = f"vertex {self.indices[beyond[0]] + 1}".encode()
            _refuse(self.places[which], vertex, f"one of {count}", "the file is cut off or spoilt: export it anew")
        return self

    def triangles(self) -> IntArray:
        """The triangles (F, 3) of all polygons, in their order. Raises ValueError for a polygon that a fan around its
        first corner does not fill, for lines and for points.
        """
        if self.loose:
            _refuse(self.loose, b"points or lines", "polygons alone", "they enclose nothing: remove them")
        sizes, indices = np.array(self.sizes, dtype=np.int64), np.array(self.indices, dtype=np.int64)
        starts, vertices = np.cumsum(sizes) - sizes, self.vertices
        for size in np.unique(sizes[sizes > 3]).tolist():
            those: IntArray = np.flatnonzero(sizes == size)
            uneven: list[int] = those[~_convex(vertices[indices[starts[those, None] + np.arange(size)]])].tolist()
            if uneven:
                text = f"a polygon of {size} corners".encode()
                _refuse(self.places[uneven[0]], text, "one that is flat and convex", "triangulate the mesh")
        fans = sizes - 2
        first: IntArray = np.repeat(starts, fans)
        step: IntArray = np.arange(len(first)) - np.repeat(np.cumsum(fans) - fans, fans)
        return np.asarray(indices[np.column_stack([first, first + step + 1, first + step + 2])])


def _obj(content: bytes) -> _Obj:
    """What an obj file says; raises ValueError for the first line that is not understood."""
    found = _Obj()
    for number, line in enumerate(_lines(content), 1):
        if line.rstrip().endswith(
            b"\\"
        ):  # where the next line goes on is read in different ways, behind a comment above all
            _refuse(number, line, "a line that ends where it ends", "write what a backslash continues in one line")
        words = line.partition(b"#")[0].split()
        match words[0] if words else b"g":
            case b"v":
                found.vertex(number, words)
            case b"f" | b"l" | b"p":
                found.element(number, words)
            case b"vn":
                _numbers(number, words, {3}, "vn and 3 numbers")
            case b"vt":
                _numbers(number, words, {1, 2, 3}, "vt and 1 to 3 numbers")
            case word if word not in SILENT:
                _refuse(number, line, "v, vn, vt, f, l, p, a name or a material", "export the mesh as polygons")
            case _:
                pass
    return found.checked()


def _convex(polygons: FloatArray) -> BoolArray:
    """Which polygons (K, N, 3) lie in one plane, turn around once and are convex, all to FLAT of their extent: those
    a fan of triangles fills (K,). Not those of which two corners in a row are in one place.
    """
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):  # NaN is not convex
        away = polygons - polygons[:, :1]
        close = FLAT * np.sqrt((away**2).sum(axis=2).max(axis=1))
        normals = np.cross(away[:, 1:-1], away[:, 2:]).sum(axis=1)
        normals /= np.sqrt((normals**2).sum(axis=1, keepdims=True))
        fine = np.ptp(np.einsum("kni,ki->kn", away, normals), axis=1) <= close
        edges = np.roll(polygons, -1, axis=1) - polygons
        edges /= np.sqrt((edges**2).sum(axis=2, keepdims=True))
        for corner in range(polygons.shape[1]):
            inwards = np.cross(normals, edges[:, corner])
            fine &= np.einsum("kni,ki->kn", polygons - polygons[:, [corner]], inwards).min(axis=1) >= -close
        after = np.roll(edges, -1, axis=1)
        sines = np.einsum("kni,ki->kn", np.cross(edges, after), normals)
        turns = np.arctan2(sines, (edges * after).sum(axis=2)).sum(axis=1)
    return np.asarray(fine & (np.abs(turns - 2.0 * math.pi) < 1.0))  # whole turns, but for what the plane is off


def _stl(content: bytes) -> FloatArray:
    """The corners (3 F, 3) of the triangles of an stl file; raises ValueError for what is neither text nor binary.

    A binary one is as long as its count says to the byte, whatever it begins with. No text of less than gigabytes is.
    """
    count = int.from_bytes(content[HEAD - 4 : HEAD], "little")
    if len(content) == HEAD + TRIANGLE.itemsize * count:
        return _binary(content)
    unix = content.replace(b"\r\n", b"\n")
    if unix.lstrip()[:5].lower() == b"solid" and CONTROL.search(unix) is None:
        return _text(unix)
    raise ValueError(
        f"found {len(content)} bytes, expected {HEAD} + {TRIANGLE.itemsize} for each of {count} triangles that bytes "
        f"{HEAD - 4} to {HEAD} count, or text that begins with 'solid'; it is cut off, or something follows: export it "
        "anew"
    )


def _binary(content: bytes) -> FloatArray:
    corners = np.frombuffer(content, dtype=TRIANGLE, offset=HEAD)["corners"].reshape(-1, 3)
    wrong = np.argwhere(~np.isfinite(corners))
    if len(wrong):
        vertex, axis = wrong[0].tolist()
        place = HEAD + TRIANGLE.itemsize * (vertex // 3) + 12 + 12 * (vertex % 3) + 4 * axis
        raise ValueError(f"byte {place}: found {corners[vertex, axis]}, expected a finite number; export it anew")
    return np.asarray(corners, dtype=np.float64)


def _text(content: bytes) -> FloatArray:
    corners, at, within, last = array("d"), 0, False, 0
    for number, line in enumerate(_lines(content), 1):
        words, last = line.lower().split(), number
        if not words:
            continue
        if at == 0 and words[0] == (b"endsolid" if within else b"solid"):
            if not SPOKEN.isdisjoint(words[1:]):
                _refuse(number, line, "a name alone behind solid or endsolid", "write one statement a line")
            within = not within
            continue
        head, count = FACET[at] if within else ((b"solid",), 0)
        if tuple(words[: len(head)]) != head or len(words) != len(head) + count:
            expected = " ".join([b" ".join(head).decode(), f"and {count} numbers" if count else "alone"])
            _refuse(number, line, expected, "an stl has triangles only: export it anew")
        if head == (b"vertex",):
            corners.extend(_numbers(number, words, {3}, "vertex and 3 numbers"))
        at = (at + 1) % len(FACET)
    if within:
        _refuse(last, b"the end", "endsolid", "the file is cut off: export it anew")
    return np.array(corners, dtype=np.float64).reshape(-1, 3)


def _lines(content: bytes) -> list[bytes]:
    """The lines of a text, with the space around them; raises ValueError for a byte that no text has, and for too many
    lines.
    """
    unix = content.replace(b"\r\n", b"\n")
    odd = CONTROL.search(unix)
    if odd is not None:
        number = unix.count(b"\n", 0, odd.start()) + 1
        _refuse(number, odd[0], "text, its lines ended by \\n or \\r\\n", "export it anew")
    if unix.count(b"\n") > MOST_LINES:
        _refuse(
            MOST_LINES, b"another line", f"at most {MOST_LINES} lines", "simplify the mesh, or make it a binary stl"
        )
    return unix.split(b"\n")


def _numbers(number: int, words: list[bytes], counts: set[int], expected: str) -> list[float]:
    """The finite numbers behind the first word of a line, if they are so many; raises ValueError otherwise."""
    known = len(words) - 1 in counts and all(map(NUMBER.fullmatch, words[1:]))
    values = list(map(float, words[1:])) if known else [math.nan]
    if not all(map(math.isfinite, values)):  # 1e999 is a number as it is written, and none as it is read
        _refuse(number, b" ".join(words), f"{expected}, all finite", "export it anew")
    return values


def _refuse(number: int, found: bytes, expected: str, remedy: str) -> NoReturn:
    text = found.strip(b" \t").decode("ascii", "backslashreplace")
    shown = text if len(text) <= 60 else f"{text[:57]}..."
    raise ValueError(f"line {number}: found {shown!r}, expected {expected}; {remedy}")
