"""F-26: a mesh is read as a whole or refused; nothing in a file is passed over."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import trimesh
from hypothesis import example, given
from hypothesis import strategies as st

from interlock import mesh_formats
from interlock.arrays import FloatArray, IntArray
from interlock.assembly import assembled
from interlock.errors import UnusableInput
from interlock.hulls import convex_hull
from interlock.mesh_formats import FLAT, HEAD, MESH_BYTES, MOST_CORNERS, MOST_LINES, TRIANGLE, read_corners, read_mesh
from interlock.urdf import Mesh
from interlock_rules import load_profile
from interlock_rules.files import shipped

SEEDS = st.integers(0, 2**32 - 1)
SOLID = "v 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\nf 1 3 2\nf 1 2 4\nf 1 4 3\nf 2 3 4\n"
CORNERS = [[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
TRIANGLES = [[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]]
FACET = "facet normal 0 0 1\nouter loop\nvertex 0 0 0\nvertex 1 0 0\nvertex 0 1 0\nendloop\nendfacet\n"
TEXT = f"solid a\n{FACET}endsolid a\n"


def obj(text: str) -> tuple[list[list[float]], list[list[int]]]:
    corners, triangles = read_mesh(text.encode(), "obj", "m.obj")
    return corners.tolist(), triangles.tolist()


def binary(corners: FloatArray, head: bytes = b"") -> bytes:
    """A binary stl of corners (3 F, 3), in single precision."""
    written = np.zeros(len(corners) // 3, dtype=TRIANGLE)
    written["corners"] = corners.reshape(-1, 3, 3)
    return head.ljust(HEAD - 4) + len(written).to_bytes(4, "little") + written.tobytes()


def ring(count: int, dent: float = 0.0, lift: float = 0.0) -> str:
    """A regular polygon around 1 m, of which a corner is pushed inwards and another one lifted by so much."""
    corners = [
        [math.cos(turn) * (1.0 - dent * (corner == 2)), math.sin(turn) * (1.0 - dent * (corner == 2)), 0.0]
        for corner in range(count)
        for turn in [2.0 * math.pi * corner / count]
    ]
    corners[1][2] = lift
    return polygon(corners)


def polygon(corners: list[list[float]]) -> str:
    lines = [f"v {x!r} {y!r} {z!r}" for x, y, z in corners]
    return "\n".join([*lines, f"f {' '.join(str(corner + 1) for corner in range(len(corners)))}"])


def meshes() -> Iterator[Path]:
    """The files of all meshes that a shipped robot hits with."""
    for robot in shipped("robots"):
        profile = load_profile(robot)
        links = assembled(profile).links if profile.urdf is not None else ()
        shapes = [collision.geometry for link in links for collision in link.collisions]
        yield from (shape.file for shape in shapes if isinstance(shape, Mesh))


FILES = {f"{path.parent.name}/{path.name}": path for path in meshes()}
LINED = {name for name, path in FILES.items() if path.suffix == ".obj" and b"\nl " in path.read_bytes()}


def test_there_are_meshes_of_both_kinds() -> None:
    assert {path.suffix.lower() for path in FILES.values()} == {".obj", ".stl"}
    assert len(FILES) > 50


def in_no_order(corners: FloatArray) -> set[tuple[float, ...]]:
    return set(map(tuple, corners.tolist()))


@pytest.mark.parametrize("name", sorted(FILES))
def test_F26_a_shipped_mesh_has_the_corners_and_the_hull_that_another_reader_sees(name: str) -> None:
    content, kind = FILES[name].read_bytes(), FILES[name].suffix.lower()[1:]
    other = trimesh.load_mesh(io.BytesIO(content), file_type=kind, process=False)
    theirs = np.asarray(other.vertices, dtype=np.float64)

    ours = read_corners(content, kind, name)

    assert in_no_order(ours) == in_no_order(theirs) | (of_lines(content) if name in LINED else set())
    assert in_no_order(convex_hull(ours).vertices) == in_no_order(convex_hull(theirs).vertices)


def of_lines(content: bytes) -> set[tuple[float, ...]]:
    """The corners of an obj file's lines, which the other reader passes over."""
    lines = content.decode().splitlines()
    corners = [tuple(map(float, line.split()[1:])) for line in lines if line.startswith("v ")]
    return {corners[int(word) - 1] for line in lines if line.startswith("l ") for word in line.split()[1:]}


@pytest.mark.parametrize("name", sorted(FILES.keys() - LINED))
def test_F26_a_shipped_mesh_has_the_triangles_that_another_reader_sees(name: str) -> None:
    content, kind = FILES[name].read_bytes(), FILES[name].suffix.lower()[1:]
    other = trimesh.load_mesh(io.BytesIO(content), file_type=kind, process=False)

    corners, triangles = read_mesh(content, kind, name)

    theirs = np.asarray(other.vertices, dtype=np.float64)[np.asarray(other.faces)]
    assert corners[triangles].tolist() == theirs.tolist()


SPELLINGS = {
    "as it is": (SOLID, CORNERS, TRIANGLES),
    "ends of lines of Windows": (SOLID.replace("\n", "\r\n"), CORNERS, TRIANGLES),
    "no end of the last line": (SOLID.rstrip(), CORNERS, TRIANGLES),
    "comments": (f"# C:\\a.max\n{SOLID.replace('v 0 0 1', 'v 0 0 1 # last')}", CORNERS, TRIANGLES),
    "tabs and spaces": (SOLID.replace(" ", " \t "), CORNERS, TRIANGLES),
    "from behind": (SOLID.replace("f 2 3 4", "f -3 -2 -1"), CORNERS, TRIANGLES),
    "with textures": (SOLID.replace("f 2 3 4", "f 2/1 3/1 4/1"), CORNERS, TRIANGLES),
    "with normals": (SOLID.replace("f 2 3 4", "f 2//1 3//1 4//1"), CORNERS, TRIANGLES),
    "with both": (f"vt 0\nvt 0 0\nvn 0 0 1\n{SOLID.replace('f 2 3 4', 'f 2/1/1 3/1/1 4/1/1')}", CORNERS, TRIANGLES),
    "with a weight of one": (SOLID.replace("v 0 0 1", "v 0 0 1 1.0"), CORNERS, TRIANGLES),
    "with colours": (SOLID.replace("v 0 0 1", "v 0 0 1 0.5 0.5 .5"), CORNERS, TRIANGLES),
    "numbers": (SOLID.replace("v 0 0 1", "v -0 +.0 1.e-0"), CORNERS, TRIANGLES),
    "groups and materials": (SOLID.replace("f", "o b\ng c d\ns off\nusemtl \xe9\nf"), CORNERS, TRIANGLES),
    "a later vertex": (SOLID[SOLID.index("f") :] + SOLID[: SOLID.index("f")], CORNERS, TRIANGLES),
    "a vertex that nothing uses": (SOLID.replace("f", "v 5 5 5\nf", 1), [*CORNERS, [5.0, 5.0, 5.0]], TRIANGLES),
}  # fmt: skip


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_F26_an_obj_reads_the_same_in_all_its_spellings(spelling: str) -> None:
    text, corners, triangles = SPELLINGS[spelling]

    found = obj(text)

    assert found == (corners, triangles)


def test_F26_an_index_from_behind_counts_from_where_it_stands() -> None:
    later = SOLID.replace("f 2 3 4\n", "f -3 -2 -1\nv 9 9 9\nf -5 -1 1\n")

    assert obj(later)[1] == [*TRIANGLES, [0, 4, 0]]


@pytest.mark.parametrize("count", [4, 5, 12, MOST_CORNERS])
def test_F26_a_flat_convex_polygon_is_a_fan_of_triangles(count: int) -> None:
    corners, triangles = read_mesh(f"{ring(count, dent=0.0, lift=FLAT / 4.0)}\nf 3 2 1".encode(), "obj", "m.obj")

    assert triangles.tolist() == [[0, step, step + 1] for step in range(1, count - 1)] + [[2, 1, 0]]
    pieces = corners[triangles[:-1]]
    area = np.cross(pieces[:, 1] - pieces[:, 0], pieces[:, 2] - pieces[:, 0])[:, 2].sum() / 2.0
    assert area == pytest.approx(count * math.sin(2.0 * math.pi / count) / 2.0)


STAR = [[math.cos(turn), math.sin(turn), 0.0] for corner in range(5) for turn in [4.0 * math.pi * corner / 5.0]]
SQUARE = [[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [1.0, 1.0, 0.0], [0.0, 1.0, 0.0]]
CURVED = {
    "lifted": ring(6, lift=4.0 * FLAT),
    "dented": ring(6, dent=0.6),
    "a star": polygon(STAR),
    "a bow": polygon([SQUARE[0], SQUARE[1], SQUARE[3], SQUARE[2]]),
    "twice around": polygon([*SQUARE, *SQUARE]),
    "there and back": polygon([SQUARE[0], SQUARE[1], [2.0, 0.0, 0.0], SQUARE[1], SQUARE[2]]),
    "a corner twice": polygon([*SQUARE, SQUARE[3]]),
    "a line": polygon([[float(step), 0.0, 0.0] for step in (0, 1, 2, 3)]),
    "a point": polygon([SQUARE[0]] * 4),
    "beyond all numbers": polygon([[1e200 * x for x in corner] for corner in SQUARE]),
    "behind a good one": f"{polygon(SQUARE)}\nv 0 0 1\nf 1 2 3 5",
}


@pytest.mark.parametrize("shape", CURVED)
def test_F26_a_polygon_that_no_fan_fills_is_refused_and_its_corners_are_a_hulls(shape: str) -> None:
    content = CURVED[shape].encode()
    line = content.count(b"\n") + 1

    with pytest.raises(UnusableInput, match=rf"line {line}: found 'a polygon of \d corners', .* triangulate the mesh"):
        read_mesh(content, "obj", "m.obj")

    assert len(read_corners(content, "obj", "m.obj")) == content.count(b"v ")


@pytest.mark.parametrize("line", ["l 1 2", "l 1/1 2/2 3", "p 1", "p -1 2 3 4"])
def test_F26_lines_and_points_have_corners_and_enclose_nothing(line: str) -> None:
    content = f"{SOLID}v 7 7 7\n{line}\nl 1 2\n".encode()

    assert read_corners(content, "obj", "m.obj").tolist() == [*CORNERS, [7.0, 7.0, 7.0]]
    with pytest.raises(UnusableInput, match="line 10: found 'points or lines', expected polygons alone"):
        read_mesh(content, "obj", "m.obj")


# What is put in place of the first face, in line 5, or before it; what is found, and what is expected.
ODD = {
    "a word that is not known": ("vp 0 0 1", "'vp 0 0 1', expected v, vn, vt, f, l, p"),
    "a curve": ("curv 0 1 1 2", "'curv 0 1 1 2', expected v, vn"),
    "a surface": ("surf 0 1 0 1 1 2 3", "expected v, vn"),
    "another file": ("call other.obj", "'call other.obj', expected v, vn"),
    "capital letters": ("F 1 2 3", "'F 1 2 3', expected v, vn"),
    "a mark of the order of bytes": ("\ufefff 1 2 3", "xef"),
    "nothing before its corners": ("f1 2 3", "'f1 2 3', expected"),
    "a face of two": ("f 1 2", "'f 1 2', expected 3 to 256 corners"),
    "a face of nothing": ("f", "'f', expected 3 to 256 corners"),
    "a line of one": ("l 1", "'l 1', expected 2 to 256 corners"),
    "no points": ("p", "'p', expected 1 to 256 corners"),
    "too many corners": ("f" + " 1" * (MOST_CORNERS + 1), r"f 1 1 .*\.\.\.', expected 3 to 256 corners"),
    "a corner zero": ("f 1 0 3", "'0', expected a vertex from 1 on, or back from -1 to -4"),
    "too far back": ("f 1 -5 3", "'-5', expected a vertex from 1 on, or back from -1 to -4"),
    "too far on": ("f 1 2 5", "'vertex 5', expected one of 4; the file is cut off"),
    "points too far on": ("p 1 2 3 4 5", "'vertex 5', expected one of 4"),
    "a whole float": ("f 1.0 2 3", "'1.0', expected a vertex"),
    "a plus": ("f +1 2 3", r"'\+1', expected a vertex"),
    "a slash too many": ("f 1/2/3/4 2 3", "'1/2/3/4', expected a vertex"),
    "a slash and nothing": ("f 1/ 2 3", "'1/', expected a vertex"),
    "two slashes and nothing": ("f 1// 2 3", "'1//', expected a vertex"),
    "a digit from elsewhere": ("f 1 2 \u0663", "expected a vertex"),
    "an index of ten digits": ("f 1 2 1234567890", "'1234567890', expected a vertex"),
    "two coordinates": ("v 1 2", "'v 1 2', expected v and 3 coordinates"),
    "five numbers": ("v 1 2 3 4 5", "'v 1 2 3 4 5', expected v and 3 coordinates"),
    "seven numbers": ("v 1 2 3 0 0 0 1", "expected v and 3 coordinates"),
    "a weight": ("v 1 2 3 2", "'v 1 2 3 2', expected a weight of 1"),
    "no number": ("v 1 2 x", "'v 1 2 x', expected v and 3 coordinates"),
    "a decimal comma": ("v 1,5 2 3", "'v 1,5 2 3', expected v and 3 coordinates"),
    "NaN": ("v 1 2 nan", "'v 1 2 nan', expected v and 3 coordinates, .* all finite"),
    "infinity": ("v 1 2 -inf", "'v 1 2 -inf', expected .* all finite"),
    "beyond all numbers": ("v 1 2 1e999", "'v 1 2 1e999', expected .* all finite"),
    "an underscore": ("v 1_0 2 3", "'v 1_0 2 3', expected"),
    "a hexadecimal number": ("v 0x1 2 3", "'v 0x1 2 3', expected"),
    "a colour of nothing": ("v 1 2 3 0 0 nan", "all finite"),
    "a normal of two": ("vn 0 1", "'vn 0 1', expected vn and 3 numbers"),
    "a texture of four": ("vt 0 0 0 0", "'vt 0 0 0 0', expected vt and 1 to 3 numbers"),
    "a line that goes on": ("f 1 2 \\", r"'f 1 2 \\\\', expected a line that ends where it ends"),
    "a comment that goes on": ("# spoilt \\ ", r"'# spoilt \\\\', expected a line that ends"),
    "a zero byte": ("# \0", r"x00', expected text, its lines ended by"),
    "an end of a line of old": ("# a\rf 1 2 3", "expected text, its lines ended by"),
    "a form feed": ("g a\x0cf 1 2 3", "expected text, its lines ended by"),
}


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("read", [read_corners, read_mesh])
def test_F26_a_line_of_an_obj_that_is_not_understood_is_refused(odd: str, read: Callable[..., object]) -> None:
    line, said = ODD[odd]
    content = SOLID.replace("f 1 3 2", line).encode()

    with pytest.raises(UnusableInput, match=f"mesh m.obj cannot be read: line 5: found .*{said}.*"):
        read(content, "obj", "m.obj")


def test_F26_what_is_shown_of_a_long_line_is_its_beginning() -> None:
    with pytest.raises(UnusableInput, match=r"line 1: found 'x{57}\.\.\.', expected"):
        read_corners(b"x" * 1000, "obj", "m.obj")


@pytest.mark.parametrize("kind", ["ply", "off", "dae", "OBJ", ""])
@pytest.mark.parametrize("read", [read_corners, read_mesh])
def test_F26_a_format_that_is_not_read_says_what_to_convert_it_to(kind: str, read: Callable[..., object]) -> None:
    with pytest.raises(UnusableInput, match=f"mesh m cannot be read: '{kind}' is not read; convert it to obj or stl"):
        read(SOLID.encode(), kind, "m")


@pytest.mark.parametrize(
    ("kind", "content"),
    [("obj", b""), ("obj", b"# v 1 2 3\n"), ("stl", binary(np.zeros((0, 3)))), ("stl", b"solid\nendsolid")],
)
def test_F26_a_mesh_of_nothing_is_refused(kind: str, content: bytes) -> None:
    with pytest.raises(UnusableInput, match="it has no vertices"):
        read_corners(content, kind, "m")
    with pytest.raises(UnusableInput, match="it has no triangles"):
        read_mesh(content, kind, "m")


def test_F26_a_cloud_of_points_has_a_hull_and_encloses_nothing() -> None:
    content = SOLID[: SOLID.index("f")].encode()

    assert read_corners(content, "obj", "m").tolist() == CORNERS
    with pytest.raises(UnusableInput, match="it has no triangles"):
        read_mesh(content, "obj", "m")


@pytest.mark.parametrize("head", [b"", b"solid", b"solid but binary\n facet", bytes(80), b"\xff" * 80])
def test_F26_a_binary_stl_may_begin_with_anything(head: bytes, seed: int) -> None:
    corners = np.random.default_rng(seed).normal(size=(12, 3)).astype(np.float32).astype(np.float64)

    found, triangles = read_mesh(binary(corners, head), "stl", "m.stl")

    assert found.tolist() == corners.tolist()
    assert triangles.tolist() == np.arange(12).reshape(-1, 3).tolist()


@pytest.mark.parametrize("head", [b"", b"solid a"])
@pytest.mark.parametrize("change", [-50, -1, 1, 2, 50])
def test_F26_a_binary_stl_that_is_cut_off_or_goes_on_is_refused(change: int, head: bytes) -> None:
    content = binary(np.zeros((6, 3)), head)
    changed = content + bytes(change) if change > 0 else content[:change]

    with pytest.raises(UnusableInput, match=rf"found {184 + change} bytes, expected 84 \+ 50 for each of 2 triangles"):
        read_corners(changed, "stl", "m.stl")


@pytest.mark.parametrize("content", [b"", b"\x00", b"soli", b"facet", bytes(83), b"solid \x00"])
def test_F26_what_is_no_stl_is_refused(content: bytes) -> None:
    with pytest.raises(UnusableInput, match=f"found {len(content)} bytes, expected 84"):
        read_corners(content, "stl", "m.stl")


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("place", range(18))
def test_F26_a_number_of_a_binary_stl_that_is_not_finite_is_refused_with_its_byte(place: int, value: float) -> None:
    corners = np.zeros(18)
    corners[place] = value
    content = binary(corners.reshape(6, 3))

    with pytest.raises(UnusableInput, match=f"found {value}, expected a finite number") as caught:
        read_corners(content, "stl", "m.stl")

    (byte,) = map(int, re.findall(r"byte (\d+)", str(caught.value)))
    assert np.frombuffer(content, "<f4", 1, byte).tolist() == pytest.approx([value], nan_ok=True)


def test_a_signalling_nan_of_a_binary_stl_is_refused() -> None:
    content = bytearray(binary(np.zeros((3, 3))))
    content[HEAD + 12 : HEAD + 16] = b"\x01\x00\x80\x7f"

    with pytest.raises(UnusableInput, match="byte 96: found nan"):
        read_corners(bytes(content), "stl", "m.stl")


SAID = {
    "as it is": (TEXT, 1),
    "without a name": (TEXT.replace(" a\n", "\n"), 1),
    "capital letters": (TEXT.upper(), 1),
    "indented": (TEXT.replace("\n", "\n  \t "), 1),
    "behind an empty line": (f"\n\n{TEXT}\n\n", 1),
    "ends of lines of Windows": (TEXT.replace("\n", "\r\n"), 1),
    "several facets": (TEXT.replace(FACET, 3 * FACET), 3),
    "several solids": (TEXT + TEXT.replace(" a", " b"), 2),
    "a normal that is none": (TEXT.replace("0 0 1", "nan -nan(ind) 1"), 1),
}


@pytest.mark.parametrize("spelling", SAID)
def test_F26_an_stl_of_text_is_read_with_all_its_solids(spelling: str) -> None:
    text, count = SAID[spelling]

    corners, triangles = read_mesh(text.encode(), "stl", "m.stl")

    assert corners.tolist() == [[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]] * count
    assert triangles.tolist() == np.arange(3 * count).reshape(-1, 3).tolist()


# A text, and what is wrong with it.
SPOILT = {
    "cut off in a solid": (f"solid a\n{FACET}", "line 9: found 'the end', expected endsolid; the file is cut off"),
    "cut off in a facet": (TEXT[:-30], "line 6: found 'vertex 0 1', expected vertex and 3 numbers"),
    "something behind": (f"{TEXT}{FACET}", "line 10: found 'facet normal 0 0 1', expected solid alone"),
    "a corner too many": (TEXT.replace("endloop", "vertex 1 1 0\nendloop"), "line 7: .*'vertex 1 1 0', expected endl"),
    "a corner too few": (TEXT.replace("vertex 0 1 0\n", ""), "line 6: found 'endloop', expected vertex and 3 numbers"),
    "two loops": (TEXT.replace("endfacet", "outer loop"), "line 8: found 'outer loop', expected endfacet alone"),
    "two words": (TEXT.replace("endloop", "end loop"), "line 7: found 'end loop', expected endloop alone"),
    "two lines in one": (TEXT.replace("loop\nv", "loop v"), "line 3: .*'outer loop vertex 0 0 0', expected outer"),
    "a word too many": (TEXT.replace("endfacet", "endfacet 1"), "line 8: found 'endfacet 1', expected endfacet alone"),
    "a normal too short": (TEXT.replace("0 0 1", "0 1"), "line 2: .* 'facet normal 0 1', expected facet normal"),
    "the end of a solid in a facet": (TEXT.replace("endfacet\n", ""), "line 8: found 'endsolid a', expected endfacet"),
    "a solid in a solid": (TEXT.replace("facet n", "solid b\nfacet n", 1), "line 2: found 'solid b', expected facet"),
    "no number": (TEXT.replace("1 0 0", "1 o 0"), "line 5: found 'vertex 1 o 0', expected vertex and 3 numbers"),
    "NaN": (TEXT.replace("vertex 1 0 0", "vertex 1 nan 0"), "line 5: found 'vertex 1 nan 0', expected vertex and 3"),
    "infinity": (TEXT.replace("vertex 1 0 0", "vertex 1 1e999 0"), "line 5: found 'vertex 1 1e999 0', .* all finite"),
    "a comment": (TEXT.replace("outer", "# a\nouter"), "line 3: found '# a', expected outer loop alone"),
}  # fmt: skip


@pytest.mark.parametrize("spoilt", SPOILT)
def test_F26_an_stl_of_text_that_is_not_understood_is_refused(spoilt: str) -> None:
    text, said = SPOILT[spoilt]

    with pytest.raises(UnusableInput, match=said):
        read_corners(text.encode(), "stl", "m.stl")


def random_mesh(chance: np.random.Generator) -> tuple[FloatArray, IntArray]:
    corners = chance.normal(size=(int(chance.integers(3, 12)), 3)) * 10.0 ** chance.integers(-6, 7)
    return corners, chance.integers(0, len(corners), (int(chance.integers(1, 12)), 3))


def spelt(corners: FloatArray, triangles: IntArray, chance: np.random.Generator) -> bytes:
    """An obj file of a mesh, in one of the many ways in which it may be written: vertices and faces in turns."""

    def one_of(*choices: str) -> str:
        return str(chance.choice(np.array(choices)))

    lines: list[str] = []
    known, waiting = 0, triangles.tolist()
    while known < len(corners) or waiting:
        if known < len(corners) and (not waiting or chance.random() < 0.5):
            numbers = " ".join(
                f"{value!r}" if chance.random() < 0.5 else f"{value:.17E}" for value in corners[known].tolist()
            )
            lines.append(f"v {numbers}{one_of('', ' 1', ' 1 .5 0', ' # v')}")
            known += 1
        elif waiting and all(index < known for index in waiting[0]):
            face = [str(index + 1) if chance.random() < 0.5 else str(index - known) for index in waiting.pop(0)]
            lines.append("f " + " ".join(word + one_of("", "/1", "//1", "/1/1") for word in face))
        elif waiting:
            face = [str(index + 1) for index in waiting.pop(0)]
            lines.append("f " + "\t".join(face) + one_of("", "  ", " # f 1 2 3"))
        lines += [one_of("", "# v 1 2 3", "g a", "o f 1 2 3", "s 1", "usemtl v", "vn 0 0 1", "vt 0 0")]
    return one_of("\n", "\r\n").join(lines).encode()


@given(SEEDS)
def test_F26_what_is_written_is_read_back_however_it_is_spelt(seed: int) -> None:
    chance = np.random.default_rng(seed)
    corners, triangles = random_mesh(chance)

    found = read_mesh(spelt(corners, triangles, chance), "obj", "m.obj")

    assert found[0].tolist() == corners.tolist()
    assert found[1].tolist() == triangles.tolist()


@given(SEEDS)
def test_F26_what_is_written_as_text_is_read_back_from_an_stl(seed: int) -> None:
    corners, triangles = random_mesh(np.random.default_rng(seed))
    pieces = corners[triangles]
    loops = ["".join(f"vertex {x!r} {y!r} {z!r}\n" for x, y, z in piece) for piece in pieces.tolist()]
    text = "".join(f"facet normal 0 0 0\nouter loop\n{loop}endloop\nendfacet\n" for loop in loops)

    found = read_mesh(f"solid\n{text}endsolid\n".encode(), "stl", "m.stl")

    assert found[0][found[1]].tolist() == pieces.tolist()


def lines_of(content: bytes, word: bytes) -> int:
    """How many lines of a text begin with a word."""
    return len(re.findall(rb"(?mi)^[ \t]*" + word + rb"(?=[ \t])", content.replace(b"\r\n", b"\n")))


@given(SEEDS, st.data())
def test_F26_an_obj_with_one_byte_changed_loses_no_line_that_it_still_has(seed: int, data: st.DataObject) -> None:
    chance = np.random.default_rng(seed)
    content = bytearray(spelt(*random_mesh(chance), chance))
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] = data.draw(st.one_of(st.sampled_from(b" \n\r\t\\/#-.+efvlpx019"), st.integers(0, 255)))

    try:
        corners, triangles = read_mesh(bytes(content), "obj", "m.obj")
    except UnusableInput:
        return

    assert len(corners) == lines_of(bytes(content), b"v")
    assert len(triangles) >= lines_of(bytes(content), b"f")


@given(SEEDS, st.data())
@example(0, None)
def test_F26_an_stl_with_one_byte_changed_has_as_many_triangles_or_is_refused(
    seed: int, data: st.DataObject | None
) -> None:
    chance = np.random.default_rng(seed)
    count = int(chance.integers(1, 4))
    text = f"solid a\n{count * FACET}endsolid a\n".encode()
    whole = text if chance.random() < 0.5 else binary(chance.normal(size=(3 * count, 3)))
    content = bytearray(whole)
    if data is not None:
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] = data.draw(st.one_of(st.sampled_from(b" \n\r\t.+-eEx019"), st.integers(0, 255)))

    try:
        corners = read_corners(bytes(content), "stl", "m.stl")
    except UnusableInput:
        assert content != whole
        return

    assert len(corners) == 3 * count


@given(st.binary(max_size=200), st.sampled_from(["obj", "stl"]))
def test_F26_any_bytes_are_a_mesh_or_are_refused(content: bytes, kind: str) -> None:
    try:
        corners, triangles = read_mesh(content, kind, "m")
    except UnusableInput:
        return

    assert np.isfinite(corners).all()
    assert 0 <= triangles.min() <= triangles.max() < len(corners)


@pytest.mark.slow
@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"v 0 0 0\n" * (1 << 18) + b"f 1 2 3\n", id="vertices"),
        pytest.param(SOLID.encode() + b"f -1 -2 -3\n" * (1 << 17), id="triangles"),
        pytest.param(SOLID.encode() + b"f 1 2 " + b"1" * (8 << 20), id="a long index"),
        pytest.param(b"v " + b"1" * (8 << 20) + b"x 0 0", id="a long number"),
        pytest.param(b"f" + b" 1" * (4 << 20), id="a long face"),
        pytest.param(SOLID.encode() + b"\n" * MOST_LINES, id="empty lines"),
    ],
)
def test_F47_large_files_are_read_or_refused_within_the_time_of_a_test(content: bytes) -> None:
    assert len(content) <= MESH_BYTES

    try:
        corners = read_corners(content, "obj", "m.obj")
    except UnusableInput:
        return

    assert len(corners) == content.count(b"v ")


@pytest.mark.parametrize(
    "line", ["solid facet normal 0 0 0", "endsolid a facet normal 0 0 0", "solid solid", "endsolid endloop"]
)
def test_F26_behind_the_name_of_a_solid_nothing_is_said(line: str) -> None:
    text = TEXT.replace("endsolid a" if line.startswith("end") else "solid a", line, 1)

    with pytest.raises(UnusableInput, match="expected a name alone behind solid or endsolid"):
        read_mesh(text.encode(), "stl", "m.stl")


def test_F47_the_corners_of_all_polygons_together_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mesh_formats, "MOST_OF_ALL", 11)

    with pytest.raises(UnusableInput, match="line 8: found 'f', expected at most 11 corners in all"):
        obj(SOLID)

    monkeypatch.setattr(mesh_formats, "MOST_OF_ALL", 12)
    assert obj(SOLID)[1] == TRIANGLES
