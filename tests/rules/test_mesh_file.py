"""A cell's meshes: what a file must be, which file is read, and what of it the arm may reach."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import shapely

from bench.solids import drawn_up, open_box, stl
from interlock._bullet import Bullet
from interlock.arrays import FloatArray
from interlock.bullet_physics import BulletPhysics
from interlock.geometry import ConvexParts, Sphere
from interlock.hulls import convex_hull
from interlock.jsonform import from_json, to_json
from interlock.mesh_formats import MESH_BYTES
from interlock.obstacles import fixed_obstacles
from interlock.scene import Cell
from interlock.shapes import WORLD, separation, side
from interlock_rules import load_cell, load_report, mesh_file
from interlock_rules.cases import run_cases
from interlock_rules.problems import BadFile
from interlock_rules.reading import FaultBelow
from tests.rules.solids import ANGLE

pytestmark = pytest.mark.usefixtures("cache")

CELL = """\
format: interlock/cell/1
name: crates
mount: {{at: [0 m, 0 m, 0 m]}}
bodies:
  - name: crate
    mesh:
      file: {file}
      unit: {unit}
      sha256: {sha256}
      tolerance: {tolerance}
    at: [0.5 m, 0 m, 0 m]
    because: Parts are picked from it.
zones: []
hazards: []
"""
BLOCK = drawn_up(shapely.Polygon([(0.0, 0.0), (0.3, 0.0), (0.3, 0.3), (0.0, 0.3)]), 0.2)


def sha256_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def written(
    folder: Path, content: bytes, file: str = "crate.stl", unit: str = "m", sha256: str = "", tolerance: str = "5 mm"
) -> Path:
    """The path of a cell's file in a folder, and beside it the mesh that it names."""
    (folder / file).parent.mkdir(parents=True, exist_ok=True)
    (folder / file).write_bytes(content)
    return cell_of(folder, file, unit, sha256 or sha256_of(content), tolerance)


def cell_of(folder: Path, file: str, unit: str = "m", sha256: str = "0" * 64, tolerance: str = "5 mm") -> Path:
    path = folder / "crates.yaml"
    path.write_text(CELL.format(file=file, unit=unit, sha256=sha256, tolerance=tolerance), encoding="utf-8")
    return path


def parts_of(cell: Cell) -> ConvexParts:
    shape = cell.bodies[0].shape
    assert isinstance(shape, ConvexParts)
    return shape


def problems(path: Path) -> list[str]:
    with pytest.raises(BadFile) as caught:
        load_cell(path)
    return [f"{problem.place.line}: {problem.message}" for problem in caught.value.problems]


@pytest.mark.parametrize(("unit", "metres"), [("m", 1.0), ("cm", 0.01), ("mm", 0.001)])
def test_F26_a_mesh_counts_in_the_unit_that_is_stated(tmp_path: Path, unit: str, metres: float) -> None:
    content = stl(BLOCK / metres)

    found = parts_of(load_cell(written(tmp_path, content, unit=unit)))

    assert found.parts[0].vertices.max(axis=0) == pytest.approx([0.3, 0.3, 0.2])
    assert (found.tolerance_m, found.mesh_sha256) == (0.005, sha256_of(content))


def test_F26_a_mesh_without_a_unit_is_an_error(tmp_path: Path) -> None:
    path = written(tmp_path, stl(BLOCK))
    path.write_text(path.read_text().replace("      unit: m\n", ""))

    assert problems(path) == ['7: "unit" is missing']


def test_an_obj_below_the_folder_is_read_too(tmp_path: Path) -> None:
    found = parts_of(load_cell(written(tmp_path, as_obj(BLOCK).encode(), file="meshes/crate.obj")))

    assert len(found.parts) == 1
    assert len(found.parts[0].vertices) == 8


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("v 1 1 1", "1 of its corners are in no triangle that has an area, as the one at [1.0, 1.0, 1.0] [m]"),
        ("l 1 9", "line 50: found 'points or lines', expected polygons alone"),
        (
            "v 1 1 1\nf 1 37 37",
            "1 of its corners are in no triangle that has an area, as the one at [1.0, 1.0, 1.0] [m]",
        ),
        ("v 9 9 9\nf 1 2 3 37", "line 51: found 'a polygon of 4 corners', expected one that is flat and convex"),
        ("surf 0 1 0 1 1 2 3", "line 50: found 'surf 0 1 0 1 1 2 3', expected v, vn, vt, f, l, p"),
        ("f 1 2 38", "line 50: found 'vertex 38', expected one of 36"),
    ],
)
def test_F26_what_an_obj_has_beside_a_closed_surface_is_not_passed_over(
    tmp_path: Path, more: str, message: str
) -> None:
    content = f"{as_obj(BLOCK)}\n# more\n{more}\n".encode()

    (found,) = problems(written(tmp_path, content, file="crate.obj"))

    assert found.startswith("7: crate.obj: ")
    assert message in found


@pytest.mark.slow
def test_F26_two_boxes_in_one_file_that_cut_through_each_other_are_their_union(tmp_path: Path) -> None:
    cell = load_cell(written(tmp_path, as_obj(np.concatenate([BLOCK, BLOCK + 0.15])).encode(), file="crate.obj"))

    parts = parts_of(cell).parts

    low, high = ([part.vertices.min(axis=0) for part in parts], [part.vertices.max(axis=0) for part in parts])
    for box in (BLOCK, BLOCK + 0.15):
        corners = box.reshape(-1, 3)
        assert any(
            (low[part] <= corners.min(axis=0)).all() and (corners.max(axis=0) <= high[part]).all()
            for part in range(len(parts))
        )
    assert len(parts) == 2


def test_F26_a_splitter_that_crashes_is_an_error_at_the_line_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("interlock_rules.splitter.sys.executable", "/bin/false")

    (found,) = problems(written(tmp_path, stl(drawn_up(ANGLE, 0.2))))

    assert found.startswith("7: crate.stl: the splitter crashed on it (exit code 1); repair the mesh")


def as_obj(triangles: FloatArray) -> str:
    lines = [f"v {x} {y} {z}" for x, y, z in triangles.reshape(-1, 3).tolist()]
    lines += [f"f {3 * face + 1} {3 * face + 2} {3 * face + 3}" for face in range(len(triangles))]
    return "\n".join(lines)


def test_F26_a_mesh_that_is_not_the_reviewed_one_is_an_error_with_its_digest(tmp_path: Path) -> None:
    content = stl(BLOCK)

    assert problems(written(tmp_path, content, sha256="0" * 64)) == [
        f"9: crate.stl has SHA-256 {sha256_of(content)}; review it and state that"
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x00", "mesh crate.stl cannot be read: found 1 bytes"),
        (b"solid nothing\nendsolid\n", "no triangles"),
        (stl(BLOCK) + b"\x00", "found 685 bytes, expected 84 \\+ 50 for each of 12 triangles"),
        (stl(BLOCK[:-1]), "it is not closed: 3 of 18 edges"),
        (stl(BLOCK[:, ::-1]), "face inwards"),
        (stl(1e9 * BLOCK), "vertices must be finite"),
    ],
    ids=["empty", "no triangles", "something behind", "open", "inwards", "huge"],
)
def test_F26_a_mesh_that_is_no_solid_is_an_error_at_its_line(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(BadFile, match=message) as caught:
        load_cell(written(tmp_path, content))

    assert [problem.place.line for problem in caught.value.problems] == [7]


def test_a_mesh_of_too_many_triangles_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mesh_file, "MOST_TRIANGLES", 11)

    assert problems(written(tmp_path, stl(BLOCK))) == [
        "7: crate.stl: it has 12 triangles; at most 11 are split: simplify it"
    ]


def test_F26_a_tolerance_that_no_split_keeps_is_an_error_at_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("interlock_rules.splitting.THRESHOLDS", ())

    assert problems(written(tmp_path, stl(drawn_up(ANGLE, 0.2)))) == [
        "10: crate.stl: none of 0 splits keeps the tolerance of 5 mm; state a larger one, or make the mesh simpler"
    ]


@pytest.mark.parametrize(
    "file", ["../crate.stl", "/crate.stl", "a/../crate.stl", "a//crate.stl", ".crate.stl", "crate.dae", "crate"]
)
def test_F47_a_name_that_leads_elsewhere_is_no_name(tmp_path: Path, file: str) -> None:
    (found,) = problems(cell_of(tmp_path, file))

    assert found == (
        f'7: "{file}" is not an obj or stl file beside this file or in a folder there, as in meshes/bin.stl'
    )


def outside_by_a_link(folder: Path) -> None:
    (folder.parent / "secret.stl").write_bytes(stl(BLOCK))
    (folder / "crate.stl").symlink_to(folder.parent / "secret.stl")


def a_folder(folder: Path) -> None:
    (folder / "crate.stl").mkdir()


def huge(folder: Path) -> None:
    with (folder / "crate.stl").open("wb") as stream:
        stream.truncate(MESH_BYTES + 1)


PLACES: dict[str, tuple[Callable[[Path], None], str]] = {
    "F47 a link out of the folder": (outside_by_a_link, "leads out of the folder of this file"),
    "F47 a huge file": (huge, "has more than 33554432 bytes"),
    "no file": (lambda _: None, "there is no file crate.stl"),
    "a folder": (a_folder, "there is no file crate.stl"),
}


@pytest.mark.parametrize("place", PLACES)
def test_F47_only_files_of_the_folder_are_read(tmp_path: Path, place: str) -> None:
    make, message = PLACES[place]
    folder = tmp_path / "cells"
    folder.mkdir()
    make(folder)

    (found,) = problems(cell_of(folder, "crate.stl"))

    assert found.startswith("7: ")
    assert message in found


def test_a_file_that_cannot_be_opened_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "crate.stl").write_bytes(b"")

    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refused)

    with pytest.raises(FaultBelow, match=r"crate\.stl cannot be read: Permission denied"):
        mesh_file.convex_parts(tmp_path, "crate.stl", "m", "0" * 64, 0.005)


SET = """\
format: interlock/ruleset/1
name: crates
serial: 1
robot: franka_panda
cell: crates
modes: [automatic]
accepts: {layout: [panda-joint-absolute], period: 20 ms, rows: 10 to 64, execute: 25, normalisation: none}
freshness: {observation: 500 ms, state: 50 ms, objects: 200 ms}
people: none
people_because: The cell is fenced.
rules:
  - {id: CLEAR, kind: clearance, between: [robot, cell], min: 5 mm, because: The arm strikes the crate., hazard: H-01}
tests:
  - name: the hand goes down into the crate
    from: ready
    chunk: {go_to: {tcp: [0.5 m, 0 m, 60 mm], path: straight}, in: 8 s}
    expect: permitted
  - name: the hand goes down onto the rim
    from: ready
    chunk: {go_to: {tcp: [0.5 m, 0.18 m, 60 mm], path: joint}, in: 8 s}
    expect: {veto: CLEAR}
"""


@pytest.fixture(scope="module")
def crate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The path of a rule set whose cell has a crate of 400 x 400 x 120 mm, its walls 10 mm, that is open above."""
    folder = tmp_path_factory.mktemp("crate")
    (folder / "cells").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        cell = written(folder / "cells", stl(open_box((400.0, 400.0, 120.0), 10.0)), unit="mm", tolerance="8 mm")
        cell.write_text(
            cell.read_text().replace("hazards: []", "hazards: [{id: H-01, what: It hits., measure: Room.}]")
        )
        (folder / "set.yaml").write_text(SET)
        load_cell(cell)
    return folder


@pytest.mark.slow
def test_F26_the_inside_of_a_crate_is_reachable_and_its_walls_are_not(
    crate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(crate / "cache"))
    loaded = load_report(crate / "set.yaml")

    report = run_cases(loaded, BulletPhysics(loaded.rules.profile, loaded.rules.cell))

    assert [(result.got, result.passed) for result in report.results] == [("permitted", True), ("veto: CLEAR", True)]
    assert len(parts_of(loaded.rules.cell).parts) > 1


@pytest.mark.slow
def test_F26_its_hull_would_close_the_crate(crate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(crate / "cache"))
    loaded = load_report(crate / "set.yaml")
    body = loaded.rules.cell.bodies[0]
    hull = convex_hull(np.concatenate([part.vertices for part in parts_of(loaded.rules.cell).parts]))
    closed = BulletPhysics(loaded.rules.profile, replace(loaded.rules.cell, bodies=(replace(body, shape=hull),)))

    report = run_cases(loaded, closed)

    assert [result.got for result in report.results] == ["veto: CLEAR", "veto: CLEAR"]


def test_a_record_holds_the_parts_and_needs_neither_splitter_nor_cache(tmp_path: Path) -> None:
    cell = load_cell(written(tmp_path, stl(BLOCK)))

    again = from_json(Cell, to_json(cell))

    assert again.digest == cell.digest
    assert parts_of(again).parts[0].vertices.tolist() == parts_of(cell).parts[0].vertices.tolist()


def test_a_sphere_in_the_hollow_of_an_angle_is_clear_of_both_legs(tmp_path: Path) -> None:
    cell = load_cell(written(tmp_path, stl(drawn_up(ANGLE, 0.2))))

    obstacles = fixed_obstacles(cell)["crate"]

    ball = side(Sphere(0.05), np.eye(4), WORLD)
    there = np.eye(4)
    there[:3, 3] = (0.5 + 0.2, 0.2, 0.1)
    bullet = Bullet()
    gaps = [
        float(separation(ball, one.side, at[None], bullet.nearest(ball, one.side, at).normal)[0])
        for one in obstacles
        for at in [np.linalg.inv(one.side.offset) @ there]
    ]
    assert len(gaps) == 2
    assert 0.05 - 0.005 <= min(gaps) <= 0.05
