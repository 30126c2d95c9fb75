"""F-47: nothing outside the named package is read, and what is no robot is refused with the reason."""

from __future__ import annotations

import hashlib
import importlib
import re
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from interlock import urdf
from interlock.errors import UnusableInput
from interlock.geometry import Box, Cylinder, Sphere
from interlock.mesh_formats import MESH_BYTES
from interlock.profile import Urdf
from interlock.urdf import URDF_BYTES, Description, Mesh, digest_of_meshes, read_urdf
from tests.supervisor import panda

Read = Callable[[str], Description]

LINKS = '<link name="a"/><link name="b"/>'
JOINT = '<joint name="j" type="{kind}"><parent link="a"/><child link="b"/>{more}</joint>'


def robot(inside: str) -> str:
    return f'<robot name="r">{inside}</robot>'


def collision(geometry: str) -> str:
    return robot(f'<link name="a"><collision><geometry>{geometry}</geometry></collision></link>')


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed package with a folder for a robot."""
    root = tmp_path / "site" / "somebots"
    (root / "arm").mkdir(parents=True)
    (root / "__init__.py").touch()
    monkeypatch.setattr(sys, "path", [str(root.parent), *sys.path])
    importlib.invalidate_caches()
    sys.modules.pop("somebots", None)
    return root


@pytest.fixture
def read(package: Path) -> Read:
    """Reads a text as somebots:arm/arm.urdf; its meshes are all m.obj in the package."""

    def reader(text: str) -> Description:
        (package / "arm" / "arm.urdf").write_text(text)
        meshes = "".join(
            f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.relative_to(package).as_posix()}\n"
            for file in sorted(package.rglob("m.obj"))
        )
        return read_urdf(Urdf("somebots", "arm/arm.urdf", panda.digest(text), panda.digest(meshes) if meshes else ""))

    return reader


def test_the_panda_is_read_whole() -> None:
    found = read_urdf(panda.urdf())

    assert [link.name for link in found.links][:3] == ["panda_link0", "panda_link1", "panda_link2"]
    assert [joint.child for joint in found.joints] == [link.name for link in found.links[1:]]
    mesh = found.links[0].collisions[0].geometry
    assert isinstance(mesh, Mesh)
    assert mesh.file.name == "link0.obj"
    mimic = next(joint.mimic for joint in found.joints if joint.name == "panda_finger_joint2")
    assert mimic is not None
    assert (mimic.joint, mimic.multiplier, mimic.offset) == ("panda_finger_joint1", 1.0, 0.0)


def test_limits_are_what_the_urdf_claims_and_endless_where_it_claims_nothing(read: Read) -> None:
    limited = JOINT.format(kind="revolute", more='<limit lower="-1" upper="2" velocity="3" effort="4"/>')
    free = JOINT.format(kind="continuous", more='<axis xyz="0 0 2"/>')

    first = read(robot(LINKS + limited)).joints[0]
    second = read(robot(LINKS + free)).joints[0]

    assert (first.lower, first.upper, first.velocity, first.effort) == (-1.0, 2.0, 3.0, 4.0)
    assert first.axis.tolist() == [1.0, 0.0, 0.0]
    assert (second.lower, second.upper, second.velocity, second.effort) == (-np.inf, np.inf, np.inf, np.inf)
    assert second.axis.tolist() == [0.0, 0.0, 1.0]


def test_primitives_are_read(read: Read) -> None:
    kinds = ('<box size="1 2 3"/>', '<sphere radius="4"/>', '<cylinder radius="5" length="6"/>')

    found = [read(collision(kind)).links[0].collisions[0].geometry for kind in kinds]

    assert found == [Box((1.0, 2.0, 3.0)), Sphere(4.0), Cylinder(5.0, 6.0)]


@pytest.mark.parametrize(
    ("name", "folder"),
    [("m.obj", "arm"), ("package://m.obj", "arm"), ("package://arm/m.obj", "arm"), ("package://somebots/m.obj", "")],
)
def test_a_mesh_is_found_beside_the_urdf_or_below_the_package(
    package: Path, read: Read, name: str, folder: str
) -> None:
    (package / folder / "m.obj").touch()

    found = read(collision(f'<mesh filename="{name}" scale="1 2 3"/>')).links[0].collisions[0].geometry

    assert isinstance(found, Mesh)
    assert found.scale == (1.0, 2.0, 3.0)


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../../outside.obj", "package://../../outside.obj", "..\\outside.obj", "file:///etc/passwd"]
)
def test_F47_no_mesh_outside_the_package_is_read(package: Path, read: Read, name: str) -> None:
    (package.parent / "outside.obj").touch()

    with pytest.raises(UnusableInput, match=r"leaves the package|no file"):
        read(collision(f'<mesh filename="{name}"/>'))


def test_F47_a_symbolic_link_does_not_lead_out(package: Path, read: Read) -> None:
    (package.parent / "outside.obj").touch()
    (package / "arm" / "m.obj").symlink_to(package.parent / "outside.obj")

    with pytest.raises(UnusableInput, match="leaves the package"):
        read(collision('<mesh filename="m.obj"/>'))


@pytest.mark.parametrize("path", ["/etc/passwd", "../x.urdf", "arm/../../x.urdf"])
def test_F47_no_urdf_outside_the_package_is_read(package: Path, path: str) -> None:
    (package.parent / "x.urdf").touch()

    with pytest.raises(UnusableInput, match="leaves the package"):
        read_urdf(Urdf("somebots", path, ""))


@pytest.fixture
def distribution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of robots of an installed distribution that holds no Python package."""
    site = tmp_path / "site"
    (site / "many_robots-1.0.dist-info").mkdir(parents=True)
    (site / "many_robots-1.0.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: many-robots\nVersion: 1.0\n"
    )
    (site / "share" / "many-robots").mkdir(parents=True)
    monkeypatch.setattr(sys, "path", [str(site), *sys.path])
    monkeypatch.setitem(urdf.DATA_FOLDERS, "many_robots", ("many-robots", "share/many-robots"))
    monkeypatch.setitem(urdf.DATA_FOLDERS, "gone_robots", ("gone-robots", "share/gone-robots"))
    return site / "share" / "many-robots"


def test_a_distribution_without_a_python_package_is_read_from_its_folder(distribution: Path) -> None:
    text = collision('<mesh filename="package://many-robots/meshes/m.obj"/>')
    (distribution / "meshes").mkdir()
    (distribution / "meshes" / "m.obj").touch()
    (distribution / "arm.urdf").write_text(text)
    meshes = panda.digest(f"{panda.digest('')}  meshes/m.obj\n")

    found = read_urdf(Urdf("many_robots", "arm.urdf", panda.digest(text), meshes))

    mesh = found.links[0].collisions[0].geometry
    assert isinstance(mesh, Mesh)
    assert mesh.file == distribution / "meshes" / "m.obj"


def test_F47_nothing_beside_the_folder_of_a_distribution_is_read(distribution: Path) -> None:
    (distribution.parent / "x.urdf").touch()

    with pytest.raises(UnusableInput, match="leaves the package"):
        read_urdf(Urdf("many_robots", "../x.urdf", ""))


@pytest.mark.usefixtures("distribution")
def test_a_distribution_that_is_not_installed_is_named_with_the_extra_that_brings_it() -> None:
    with pytest.raises(UnusableInput, match=r"gone-robots is not installed; .*interlock-vla\[robots\]"):
        read_urdf(Urdf("gone_robots", "arm.urdf", ""))


@pytest.mark.parametrize("name", ["no_such_package_at_all", "not.plain", "", "this"])
def test_a_package_that_is_not_there_is_refused(name: str) -> None:
    with pytest.raises(UnusableInput, match="no package"):
        read_urdf(Urdf(name, "x.urdf", ""))


def test_F47_entities_are_refused(read: Read) -> None:
    bomb = '<!DOCTYPE robot [<!ENTITY a "aaaa">]>' + robot("&a;")

    with pytest.raises(UnusableInput, match="DTDForbidden"):
        read(bomb)


def test_F47_huge_files_are_refused(package: Path, read: Read) -> None:
    with pytest.raises(UnusableInput, match=f"more than {URDF_BYTES} bytes"):
        read(robot(" " * URDF_BYTES))
    with (package / "arm" / "m.obj").open("wb") as stream:
        stream.truncate(MESH_BYTES + 1)
    with pytest.raises(UnusableInput, match=f"more than {MESH_BYTES} bytes"):
        read(collision('<mesh filename="m.obj"/>'))


def test_another_file_than_was_reviewed_is_refused(package: Path) -> None:
    (package / "arm" / "arm.urdf").write_text(robot('<link name="a"/>'))

    with pytest.raises(UnusableInput, match="review it"):
        read_urdf(Urdf("somebots", "arm/arm.urdf", "0" * 64))


def test_F26_a_mesh_that_was_changed_is_refused_by_name(package: Path, read: Read) -> None:
    mesh, text = package / "arm" / "m.obj", collision('<mesh filename="m.obj"/>')
    mesh.write_text("as reviewed")
    read(text)
    reviewed = panda.digest(f"{panda.digest('as reviewed')}  arm/m.obj\n")

    mesh.write_text("changed")

    changed = panda.digest("changed")
    found = panda.digest(f"{changed}  arm/m.obj\n")
    said = f"the 1 meshes of somebots:arm/arm.urdf have SHA-256 {found}, the profile says {reviewed}; review them: "
    with pytest.raises(UnusableInput, match=re.escape(f"{said}arm/m.obj {changed[:12]}")):
        read_urdf(Urdf("somebots", "arm/arm.urdf", panda.digest(text), reviewed))


def test_F26_meshes_that_nobody_reviewed_are_refused_and_so_are_reviewed_ones_that_are_not_there(
    package: Path,
) -> None:
    (package / "arm" / "m.obj").write_text("mesh")
    with_mesh, without = collision('<mesh filename="m.obj"/>'), robot('<link name="a"/>')

    for text, meshes, said in ((with_mesh, "", r"says \(none\)"), (without, "0" * 64, r"the 0 .* SHA-256 \(none\)")):
        (package / "arm" / "arm.urdf").write_text(text)
        with pytest.raises(UnusableInput, match=said):
            read_urdf(Urdf("somebots", "arm/arm.urdf", panda.digest(text), meshes))


def test_the_digest_of_meshes_is_that_of_their_digests_and_paths_in_order() -> None:
    assert digest_of_meshes({"b": "2", "a": "1"}) == panda.digest("1  a\n2  b\n")
    assert digest_of_meshes({"a": "1", "b": "2"}) != digest_of_meshes({"a": "2", "b": "1"})
    assert digest_of_meshes({}) == ""


def test_F26_a_missing_mesh_is_an_error(read: Read) -> None:
    with pytest.raises(UnusableInput, match="no file"):
        read(collision('<mesh filename="package://gone.obj"/>'))


def fixed(name: str, parent: str, child: str) -> str:
    return f'<joint name="{name}" type="fixed"><parent link="{parent}"/><child link="{child}"/></joint>'


NO_ROBOTS = {
    "no XML": ("<robot", "ParseError"),
    "no link": (robot(""), "no tree"),
    "two roots": (robot(LINKS), "no tree"),
    "two parents": (robot(LINKS + fixed("j", "a", "b") + fixed("k", "a", "b")), "no tree"),
    "a joint named twice": (robot(LINKS + '<link name="c"/>' + fixed("j", "a", "b") + fixed("j", "b", "c")), "no tree"),
    "a link named twice": (robot(LINKS + '<link name="b"/>' + fixed("j", "a", "b")), "no tree"),
    "a child that is not there": (robot('<link name="a"/>' + fixed("j", "a", "b")), "no tree"),
    "a parent that is not there": (robot(LINKS + fixed("j", "c", "b")), "joined to nothing"),
    "a loop": (robot(LINKS + '<link name="c"/>' + fixed("j", "b", "c") + fixed("k", "c", "b")), "in a loop"),
    "a kind": (robot(LINKS + JOINT.format(kind="floating", more="")), "floating"),
    "no axis": (robot(LINKS + JOINT.format(kind="revolute", more='<axis xyz="0 0 0"/>')), "axis of length 0"),
    "two numbers": (robot(LINKS + JOINT.format(kind="revolute", more='<axis xyz="0 0"/>')), "ValueError"),
    "NaN": (robot(LINKS + JOINT.format(kind="fixed", more='<origin xyz="0 0 nan"/>')), "finite"),
    "mimics nobody": (robot(LINKS + JOINT.format(kind="fixed", more="<mimic/>")), "needs the attribute 'joint'"),
    "no parent": (robot(LINKS + '<joint name="j" type="fixed"><child link="b"/></joint>'), "needs a <parent>"),
    "no radius": (collision("<sphere/>"), "ValueError"),
    "no radius above 0": (collision('<sphere radius="0"/>'), "positive"),
    "no file": (collision("<mesh/>"), "needs the attribute 'filename'"),
    "no geometry": (collision(""), "needs a <mesh>"),
    "no name": (robot("<link/>"), "needs the attribute 'name'"),
}


@pytest.mark.parametrize("case", NO_ROBOTS)
def test_what_is_no_robot_is_refused(read: Read, case: str) -> None:
    text, message = NO_ROBOTS[case]

    with pytest.raises(UnusableInput, match=message):
        read(text)
