"""F-26: hulls contain all that a link can hit with, at the right scale, and no link becomes invisible."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial import ConvexHull

from interlock.arrays import FloatArray
from interlock.errors import UnusableInput
from interlock.geometry import Box, ConvexMesh, Cylinder, Sphere
from interlock.hulls import convex_hull, hull_of, swept
from interlock.mesh_formats import MESH_BYTES
from interlock.urdf import Collision, Mesh, UrdfLink

TETRAHEDRON = "v 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\nf 1 2 3\nf 1 2 4\nf 1 3 4\nf 2 3 4\n"


def link(*geometries: Box | Sphere | Cylinder | Mesh, origin: FloatArray | None = None) -> UrdfLink:
    place = np.eye(4) if origin is None else origin
    return UrdfLink("l", tuple(Collision(geometry, place) for geometry in geometries))


def mesh(file: Path, scale: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> Mesh:
    return Mesh(file, scale, hashlib.sha256(file.read_bytes()).hexdigest())


def hull(found: ConvexMesh | None) -> FloatArray:
    assert found is not None
    return found.vertices


def contains(corners: FloatArray, points: FloatArray) -> bool:
    equations = ConvexHull(corners).equations
    return bool((points @ equations[:, :3].T + equations[:, 3] <= 1e-9).all())


def test_a_hull_is_around_all_geometries_at_their_places(tmp_path: Path) -> None:
    file = tmp_path / "m.obj"
    file.write_text(TETRAHEDRON)
    origin = np.eye(4)
    origin[:3, 3] = (10.0, 0.0, 0.0)

    found = hull(hull_of(link(Box((0.2, 0.2, 0.2)), mesh(file, (2.0, 3.0, 4.0)), origin=origin)))

    assert contains(found, np.array([[9.9, -0.1, -0.1], [12.0, 0.0, 0.0], [10.0, 3.0, 0.0], [10.0, 0.0, 4.0]]))
    assert not contains(found, np.array([[12.1, 0.0, 0.0]]))


@pytest.mark.parametrize("shape", [Sphere(0.5), Cylinder(0.5, 1.0)], ids=["sphere", "cylinder"])
def test_round_shapes_lie_inside_their_hull(shape: Sphere | Cylinder, seed: int) -> None:
    generator = np.random.default_rng(seed)
    around = generator.normal(size=(2000, 3))
    around[:, 2] *= isinstance(shape, Sphere)
    around *= 0.5 / np.linalg.norm(around, axis=1, keepdims=True)
    around[:, 2] += 0.5 * isinstance(shape, Cylinder)

    found = hull(hull_of(link(shape)))

    assert contains(found, around)
    assert np.linalg.norm(found[:, :2], axis=1).max() < 0.51


def test_F26_a_link_without_geometry_has_no_hull() -> None:
    assert hull_of(UrdfLink("frame", ())) is None


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("m.dae", "<xml/>", "'dae' is not read"),
        ("m.ply", "ply\nformat ascii 1.0\n", "'ply' is not read; convert it to obj or stl"),
        ("m.off", "OFF\n", "'off' is not read; convert it to obj or stl"),
        ("m.obj", "", "no vertices"),
        ("curve.obj", f"{TETRAHEDRON}curv 0 1 1 2\n", "line 9: found 'curv 0 1 1 2'"),
        ("text.obj", "v a b c", "cannot be read"),
        ("m.stl", "solid nothing\nendsolid", "no vertices"),
        ("flat.obj", TETRAHEDRON.replace("v 0 0 1", "v 1 1 0"), "without a volume"),
        ("nan.obj", TETRAHEDRON.replace("v 0 0 1", "v 0 0 nan"), "line 4: found 'v 0 0 nan', expected .* all finite"),
    ],
)
def test_F26_a_mesh_that_cannot_be_a_body_is_an_error(tmp_path: Path, name: str, content: str, message: str) -> None:
    file = tmp_path / name
    file.write_text(content)

    with pytest.raises(UnusableInput, match=message):
        hull_of(link(mesh(file)))


def test_F26_a_mesh_that_changes_after_its_digest_was_taken_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "m.obj"
    file.write_text(TETRAHEDRON)
    reviewed = mesh(file)

    file.write_text(TETRAHEDRON.replace("v 0 0 1", "v 0 0 0.1"))

    with pytest.raises(UnusableInput, match=r"m\.obj was changed since its URDF was read"):
        hull_of(link(reviewed))


def test_F47_a_mesh_that_grows_after_its_digest_was_taken_is_not_read_whole(tmp_path: Path) -> None:
    file = tmp_path / "m.obj"
    file.write_text(TETRAHEDRON)
    reviewed = mesh(file)
    with file.open("ab") as stream:
        stream.truncate(MESH_BYTES + 1)

    with pytest.raises(UnusableInput, match=f"m.obj has more than {MESH_BYTES} bytes"):
        hull_of(link(reviewed))


def test_F26_a_scale_that_makes_a_mesh_infinite_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "m.obj"
    file.write_text(TETRAHEDRON.replace("v 0 0 1", "v 0 0 1e200"))

    with pytest.raises(
        UnusableInput, match=r"m\.obj, scaled by \(1\.0, 1\.0, 1e\+200\), is not finite; mend the scale"
    ):
        hull_of(link(mesh(file, (1.0, 1.0, 1e200))))


def test_F26_a_corner_that_no_face_uses_is_in_the_hull(tmp_path: Path) -> None:
    file = tmp_path / "m.obj"
    file.write_text(f"{TETRAHEDRON}v 0 0 5\nv 0 0 -5\nl 5 6\n")

    assert [0.0, 0.0, 5.0] in hull(hull_of(link(mesh(file)))).tolist()


def test_materials_and_textures_are_never_opened(tmp_path: Path) -> None:
    file = tmp_path / "m.obj"
    file.write_text("mtllib ../secret.mtl\nusemtl a\n" + TETRAHEDRON)
    (tmp_path.parent / "secret.mtl").write_text("newmtl a\nmap_Kd /dev/zero\n")

    assert len(hull(hull_of(link(mesh(file))))) == 4


def test_a_hull_drops_what_is_inside() -> None:
    corners = np.array([[x, y, z] for x in (0.0, 1.0) for y in (0.0, 1.0) for z in (0.0, 1.0)])

    assert convex_hull(np.vstack([corners, [[0.5, 0.5, 0.5]]])).vertices.tolist() == corners.tolist()


def test_a_sweep_contains_every_place_on_the_way() -> None:
    corners = np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    direction = np.array([0.0, 0.5, 0.5])

    found = swept(ConvexMesh(corners), direction, -1.0, 3.0).vertices

    assert all(contains(found, corners + value * direction) for value in (-1.0, 0.0, 1.7, 3.0))
    assert not contains(found, corners + 3.1 * direction)
