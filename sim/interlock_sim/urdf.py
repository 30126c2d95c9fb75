"""The URDF that the physics loads: the tree that the profile names, with the profile's inertias, not the file's."""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement, indent, tostring

from scipy.spatial.transform import Rotation

from interlock.arrays import FloatArray
from interlock.assembly import assembled
from interlock.errors import UnusableInput
from interlock.geometry import Box, Cylinder, Sphere
from interlock.profile import Inertia, Profile
from interlock.urdf import Collision, Description, Mesh, UrdfJoint

WEIGHTLESS = ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0, 0.0, 0.0, 0.0))


def described(profile: Profile) -> Description:
    """The robot that the profile names; raises UnusableInput without a readable URDF."""
    if profile.urdf is None:
        raise UnusableInput(f"profile {profile.name!r} names no URDF; a robot without a shape cannot be simulated")
    return assembled(profile)


def urdf_text(profile: Profile, description: Description, *, visuals: bool) -> str:
    """The URDF of a described robot as text: meshes by absolute path; a link to which the profile gives no inertia
    weighs nothing. Visual shapes, where asked for, are the collision shapes.
    """
    inertias = {inertia.link: inertia for inertia in profile.inertias}
    robot = Element("robot", name=profile.name)
    for link in description.links:
        element = SubElement(robot, "link", name=link.name)
        _add_inertia(element, inertias.get(link.name, Inertia(link.name, 0.0, *WEIGHTLESS, "")))
        for collision in link.collisions:
            for tag in ("collision", "visual") if visuals else ("collision",):
                _add_geometry(SubElement(element, tag), collision)
    for joint in description.joints:
        _add_joint(SubElement(robot, "joint", name=joint.name, type=joint.kind), joint)
    indent(robot)  # PyBullet breaks lines after 8191 bytes, in the middle of a word
    return tostring(robot, encoding="unicode")


def _words(numbers: tuple[float, ...] | FloatArray) -> str:
    return " ".join(repr(float(number)) for number in numbers)


def _add_origin(element: Element, pose: FloatArray) -> None:
    turn = Rotation.from_matrix(pose[:3, :3]).as_euler("xyz")  # about fixed axes, as URDF has it
    SubElement(element, "origin", xyz=_words(pose[:3, 3]), rpy=_words(turn))


def _add_inertia(link: Element, inertia: Inertia) -> None:
    inertial = SubElement(link, "inertial")
    SubElement(inertial, "origin", xyz=_words(inertia.com), rpy="0 0 0")
    SubElement(inertial, "mass", value=repr(inertia.mass_kg))
    names = ("ixx", "ixy", "ixz", "iyy", "iyz", "izz")
    SubElement(inertial, "inertia", {name: repr(value) for name, value in zip(names, inertia.tensor, strict=True)})


def _add_geometry(element: Element, collision: Collision) -> None:
    _add_origin(element, collision.origin)
    geometry = SubElement(element, "geometry")
    match collision.geometry:
        case Mesh(file, scale):
            SubElement(geometry, "mesh", filename=str(file), scale=_words(scale))
        case Box(size):
            SubElement(geometry, "box", size=_words(size))
        case Sphere(radius):
            SubElement(geometry, "sphere", radius=repr(radius))
        case Cylinder(radius, length):
            SubElement(geometry, "cylinder", radius=repr(radius), length=repr(length))


def _add_joint(element: Element, joint: UrdfJoint) -> None:
    _add_origin(element, joint.origin)
    SubElement(element, "parent", link=joint.parent)
    SubElement(element, "child", link=joint.child)
    if joint.kind != "fixed":
        SubElement(element, "axis", xyz=_words(joint.axis))
        limit = {"lower": joint.lower, "upper": joint.upper, "velocity": joint.velocity, "effort": joint.effort}
        SubElement(element, "limit", {name: repr(value) for name, value in limit.items()})
