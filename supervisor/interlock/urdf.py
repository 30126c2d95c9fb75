"""Reads a URDF that an installed package ships: links, joints, collision geometry; no file outside that package."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final, Literal, TypeAlias
from xml.etree.ElementTree import Element, ParseError

import numpy as np
from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from .arrays import FloatArray, frozen
from .errors import UnusableInput
from .geometry import Box, Cylinder, Sphere
from .mesh_formats import MESH_BYTES
from .profile import Urdf

URDF_BYTES = 1 << 20  # a large humanoid's URDF has 200 kB; what is much larger is no robot (F-47)

# Robots come in distributions without a Python package, too: for the name in a profile, the distribution that installs
# them and the folder in it that is their root.
DATA_FOLDERS: Final[dict[str, tuple[str, str]]] = {
    "example_robot_data": ("example-robot-data", "cmeel.prefix/share/example-robot-data")
}

JointType: TypeAlias = Literal["revolute", "continuous", "prismatic", "fixed"]


@dataclass(frozen=True, slots=True)
class Mesh:
    """A mesh file inside the package, its scale along x, y, z, and the SHA-256 [hex] of its bytes."""

    file: Path
    scale: tuple[float, float, float]
    sha256: str


@dataclass(frozen=True, slots=True, eq=False)
class Collision:
    """A collision geometry and its pose (4, 4) in the link's frame."""

    geometry: Box | Sphere | Cylinder | Mesh
    origin: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class UrdfLink:
    """A link and the geometry that can hit something."""

    name: str
    collisions: tuple[Collision, ...]


@dataclass(frozen=True, slots=True)
class Mimic:
    """A joint that stands at `multiplier` times another's position plus `offset`."""

    joint: str
    multiplier: float
    offset: float


@dataclass(frozen=True, slots=True, eq=False)
class UrdfJoint:
    """A joint: its frame (4, 4) in the parent link at position zero, its axis (3,) there, of length 1, and what the
    URDF claims about limits [rad or m; rad/s or m/s; N m or N], infinite where it claims nothing.
    """

    name: str
    kind: JointType
    parent: str
    child: str
    origin: FloatArray
    axis: FloatArray
    lower: float
    upper: float
    velocity: float
    effort: float
    mimic: Mimic | None


@dataclass(frozen=True, slots=True, eq=False)
class Description:
    """A tree of links, parents before children, and `joints[i]` moves `links[i + 1]`."""

    links: tuple[UrdfLink, ...]
    joints: tuple[UrdfJoint, ...]


def read_urdf(source: Urdf) -> Description:
    """The robot that the URDF describes. Raises UnusableInput where the file or one of its meshes is missing, is not
    the one that was reviewed, or leaves its package, and where it describes no tree of supported joints.
    """
    root, file = _package_root(source.package), file_of(source)
    content = bytes_of(file, URDF_BYTES)
    found = hashlib.sha256(content).hexdigest()
    if found != source.sha256:
        raise UnusableInput(
            f"{source.package}:{source.path} has SHA-256 {found}, the profile says {source.sha256}; review it"
        )
    try:
        robot = fromstring(content.decode(), forbid_dtd=True)
        links = [_link(element, file.parent, root) for element in robot.findall("link")]
        joints = [_joint(element) for element in robot.findall("joint")]
    except (DefusedXmlException, ParseError, ValueError) as error:
        raise UnusableInput(f"{source.package}:{source.path}: {error!r}") from error
    _check_meshes(source, root, links)
    return _tree(links, joints, source.path)


def digest_of_meshes(files: Mapping[str, str]) -> str:
    """SHA-256 [hex] over the SHA-256 [hex] of mesh files by their paths in the package; empty where there are none.

    What is digested is what `sha256sum` prints: a line for each file, its digest, two spaces and its path, by path.
    """
    lines = "".join(f"{sha256}  {path}\n" for path, sha256 in sorted(files.items()))
    return hashlib.sha256(lines.encode()).hexdigest() if files else ""


def _check_meshes(source: Urdf, root: Path, links: list[UrdfLink]) -> None:
    shapes = [collision.geometry for link in links for collision in link.collisions]
    files = {shape.file.relative_to(root).as_posix(): shape.sha256 for shape in shapes if isinstance(shape, Mesh)}
    found = digest_of_meshes(files)
    if found != source.meshes_sha256:
        raise UnusableInput(
            f"the {len(files)} meshes of {source.package}:{source.path} have SHA-256 {found or '(none)'}, the profile "
            f"says {source.meshes_sha256 or '(none)'}; review them: "
            f"{', '.join(f'{path} {sha256[:12]}' for path, sha256 in sorted(files.items()))}"
        )


def file_of(source: Urdf) -> Path:
    """Where a URDF is. Raises UnusableInput where its package is not installed or has no such file inside it."""
    return _inside(_package_root(source.package), source.path)


def _package_root(package: str) -> Path:
    if package in DATA_FOLDERS:
        return _data_root(*DATA_FOLDERS[package])
    spec = importlib.util.find_spec(package) if package.isidentifier() else None
    if spec is None or not spec.submodule_search_locations:
        raise UnusableInput(
            f"no package {package!r} is installed; a URDF is named as package:path, without dots in the package"
        )
    return Path(next(iter(spec.submodule_search_locations))).resolve()


def _data_root(distribution: str, folder: str) -> Path:
    try:
        return Path(str(importlib.metadata.distribution(distribution).locate_file(folder))).resolve()
    except importlib.metadata.PackageNotFoundError as error:
        raise UnusableInput(f"{distribution} is not installed; it comes with interlock-vla[robots]") from error


def _inside(root: Path, path: str) -> Path:
    """The real file of a path below root. Raises UnusableInput for `..`, absolute paths, links out of it, absence."""
    pure = PurePosixPath(path)
    found = (root / pure).resolve()
    if pure.is_absolute() or ".." in pure.parts or "\\" in path or not found.is_relative_to(root):
        raise UnusableInput(f"{path!r} leaves the package at {root.name!r}; only files inside it are read")
    if not found.is_file():
        raise UnusableInput(f"no file {path!r} in the package at {root.name!r}")
    return found


def bytes_of(file: Path, most: int) -> bytes:
    """The bytes of a file of a robot; raises UnusableInput where there are more than `most`."""
    with file.open("rb") as stream:
        content = stream.read(most + 1)
    if len(content) > most:
        raise UnusableInput(f"{file.name} has more than {most} bytes; a robot needs less")
    return content


def _tree(found: list[UrdfLink], joints: list[UrdfJoint], path: str) -> Description:
    links = {link.name: link for link in found}
    children = {joint.child for joint in joints}
    roots = [name for name in links if name not in children]
    known = children <= set(links) and len(links) == len(found) and len({joint.name for joint in joints}) == len(joints)
    if not known or len(roots) != 1 or len(children) != len(joints):
        raise UnusableInput(f"{path}: links {list(links)} with roots {roots} are no tree of {len(joints)} joints")
    ordered: list[UrdfJoint] = []
    reached = {roots[0]}
    while ready := [joint for joint in joints if joint.parent in reached and joint.child not in reached]:
        ordered += ready
        reached |= {joint.child for joint in ready}
    if len(ordered) != len(joints):
        raise UnusableInput(f"{path}: links {sorted(set(links) - reached)} are in a loop, or joined to nothing")
    return Description((links[roots[0]], *(links[joint.child] for joint in ordered)), tuple(ordered))


def _link(element: Element, folder: Path, root: Path) -> UrdfLink:
    collisions = [
        Collision(_geometry(_child(collision, "geometry"), folder, root), _origin(collision))
        for collision in element.findall("collision")
    ]
    return UrdfLink(_text(element, "name"), tuple(collisions))


def _geometry(element: Element, folder: Path, root: Path) -> Box | Sphere | Cylinder | Mesh:
    if (box := element.find("box")) is not None:
        return Box(_three(box, "size"))
    if (sphere := element.find("sphere")) is not None:
        return Sphere(_number(sphere, "radius"))
    if (cylinder := element.find("cylinder")) is not None:
        return Cylinder(_number(cylinder, "radius"), _number(cylinder, "length"))
    mesh = _child(element, "mesh")
    file = _mesh_file(_text(mesh, "filename"), folder, root)
    return Mesh(file, _three(mesh, "scale", "1 1 1"), hashlib.sha256(bytes_of(file, MESH_BYTES)).hexdigest())


def _mesh_file(name: str, folder: Path, root: Path) -> Path:
    """`package://` means the URDF's own folder, else the package's root, with or without its name."""
    relative = str(folder.relative_to(root))
    if not name.startswith("package://"):
        return _inside(root, f"{relative}/{name}" if not PurePosixPath(name).is_absolute() else name)
    name = name.removeprefix("package://")
    places = [f"{relative}/{name}", name, name.removeprefix(f"{root.name}/")]
    for place in places[:-1]:
        if (root / place).is_file():
            return _inside(root, place)
    return _inside(root, places[-1])


def _joint(element: Element) -> UrdfJoint:
    kind = _text(element, "type")
    name = _text(element, "name")
    if kind not in {"revolute", "continuous", "prismatic", "fixed"}:
        raise UnusableInput(
            f"joint {name!r} is of type {kind!r}; only revolute, continuous, prismatic and fixed are supported"
        )
    axis = np.zeros(3)
    if kind != "fixed":
        axis = np.array(_three(element.find("axis"), "xyz", "1 0 0"))  # the URDF format's default
        length = float(np.linalg.norm(axis))
        if not length > 0.0:
            raise UnusableInput(f"joint {name!r} has an axis of length {length}")
        axis /= length
    limit = element.find("limit")
    bounded = kind in {"revolute", "prismatic"}
    return UrdfJoint(
        name=name,
        kind=kind,  # type: ignore[arg-type]  # checked above
        parent=_text(_child(element, "parent"), "link"),
        child=_text(_child(element, "child"), "link"),
        origin=_origin(element),
        axis=frozen(axis),
        lower=_number(limit, "lower", 0.0) if bounded else -math.inf,  # the URDF format's default
        upper=_number(limit, "upper", 0.0) if bounded else math.inf,
        velocity=_number(limit, "velocity", math.inf),
        effort=_number(limit, "effort", math.inf),
        mimic=_mimic(element.find("mimic")),
    )


def _mimic(element: Element | None) -> Mimic | None:
    if element is None:
        return None
    return Mimic(_text(element, "joint"), _number(element, "multiplier", 1.0), _number(element, "offset", 0.0))


def _origin(element: Element) -> FloatArray:
    """The pose (4, 4) of an `origin`: roll, pitch, yaw about fixed axes x, y, z, then the translation."""
    origin = element.find("origin")
    cosines, sines = (function(_three(origin, "rpy", "0 0 0")) for function in (np.cos, np.sin))
    (cr, cp, cy), (sr, sp, sy) = cosines.tolist(), sines.tolist()
    matrix = np.eye(4)
    matrix[:3, :3] = [
        [cy * cp, cy * sp * sr - sy * cr, cy * sp * cr + sy * sr],
        [sy * cp, sy * sp * sr + cy * cr, sy * sp * cr - cy * sr],
        [-sp, cp * sr, cp * cr],
    ]
    matrix[:3, 3] = _three(origin, "xyz", "0 0 0")
    return frozen(matrix)


def _child(element: Element, tag: str) -> Element:
    found = element.find(tag)
    if found is None:
        raise UnusableInput(f"<{element.tag}> {element.get('name', '')!r} needs a <{tag}>")
    return found


def _text(element: Element, attribute: str) -> str:
    found = element.get(attribute)
    if not found:
        raise UnusableInput(f"<{element.tag}> needs the attribute {attribute!r}")
    return found


def _number(element: Element | None, attribute: str, default: float | None = None) -> float:
    text = None if element is None else element.get(attribute)
    if text is None and default is not None:
        return default
    return _finite([text or ""])[0]


def _three(element: Element | None, attribute: str, default: str = "") -> tuple[float, float, float]:
    x, y, z = _finite((default if element is None else element.get(attribute, default)).split())
    return x, y, z


def _finite(texts: Iterable[str]) -> list[float]:
    numbers = [float(text) for text in texts]
    if not all(math.isfinite(number) for number in numbers):
        raise UnusableInput(f"a URDF's numbers must be finite, got {numbers}")
    return numbers
