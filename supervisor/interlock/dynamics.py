"""The URDF that PyBullet computes torques from: the profile's inertias on the robot's own joints, and what is held."""

from __future__ import annotations

import math
from collections.abc import Iterable
from xml.sax.saxutils import quoteattr

import numpy as np

from .arrays import FloatArray
from .profile import Inertia
from .scene import Held
from .shapes import side
from .urdf import Description, UrdfJoint

HELD = "held"  # the name of the extra link; a colon cannot stand in a URDF's own names


def inertial_urdf(
    description: Description, turning: frozenset[str], inertias: tuple[Inertia, ...], flange: str, held: Held | None
) -> str:
    """A URDF whose joints in `turning` turn freely, every other joint fixed at position 0, with masses and no geometry.

    PyBullet keeps only the diagonal of a tensor in its inertial frame, so that frame is turned to the principal axes. A
    link without an inertia gets mass 0: without one at all, PyBullet would give it 1 kg. So does the root, which never
    moves: PyBullet would take gravity as if it were given in the root's principal axes. Lines stay far below 8 kB.
    """
    children = {joint.child for joint in description.joints}
    masses = {inertia.link: inertia for inertia in inertias if inertia.link in children}
    lines = ['<robot name="inertial">']
    for link in description.links:
        lines += [f"<link name={quoteattr(link.name)}>", *_inertial(masses.get(link.name)), "</link>"]
    for joint in description.joints:
        lines += _joint(joint, "continuous" if joint.name in turning else "fixed")
    if held is not None:
        lines += [f'<link name="{HELD}:">', *_inertial(held_inertia(held)), "</link>"]
        lines += [f'<joint name="{HELD}:" type="fixed">', _origin(held.pose.matrix())]
        lines += [f'<parent link={quoteattr(flange)}/><child link="{HELD}:"/></joint>']
    return "\n".join([*lines, "</robot>"])


def held_inertia(held: Held) -> Inertia:
    """The inertia of a held object, in its own frame: its mass spread evenly over the box around its shape."""
    around = side(held.shape, np.eye(4), 0)
    low, high = around.low, around.high
    x, y, z = ((high - low) ** 2 * (held.mass_kg / 12.0)).tolist()
    centre = ((low + high) / 2.0).tolist()
    return Inertia(
        HELD, held.mass_kg, (centre[0], centre[1], centre[2]), (y + z, 0.0, 0.0, x + z, 0.0, x + y), "its box"
    )


def _inertial(inertia: Inertia | None) -> Iterable[str]:
    frame = np.eye(4)
    moments = np.zeros(3)
    if inertia is not None:
        xx, xy, xz, yy, yz, zz = inertia.tensor
        moments, axes = np.linalg.eigh(np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]]))
        frame[:3, :3] = axes * np.linalg.det(axes)  # a rotation, not a reflection
        frame[:3, 3] = inertia.com
    x, y, z = moments.tolist()
    yield "<inertial>"
    yield _origin(frame)
    yield f'<mass value="{0.0 if inertia is None else inertia.mass_kg!r}"/>'
    yield f'<inertia ixx="{x!r}" ixy="0" ixz="0" iyy="{y!r}" iyz="0" izz="{z!r}"/>'
    yield "</inertial>"


def _joint(joint: UrdfJoint, kind: str) -> Iterable[str]:
    yield f'<joint name={quoteattr(joint.name)} type="{kind}">'
    yield _origin(joint.origin)
    yield f"<parent link={quoteattr(joint.parent)}/><child link={quoteattr(joint.child)}/>"
    if kind != "fixed":
        yield f'<axis xyz="{_three(joint.axis)}"/>'
    yield "</joint>"


def _origin(pose: FloatArray) -> str:
    return f'<origin xyz="{_three(pose[:3, 3])}" rpy="{_three(roll_pitch_yaw(pose[:3, :3]))}"/>'


def _three(values: FloatArray) -> str:
    return " ".join(repr(value) for value in values.tolist())


def roll_pitch_yaw(rotation: FloatArray) -> FloatArray:
    """Roll, pitch, yaw [rad] about fixed axes x, y, z, of a rotation (3, 3); yaw is 0 where pitch is a right angle."""
    across = math.hypot(rotation[0, 0], rotation[1, 0])
    pitch = math.atan2(-rotation[2, 0], across)
    if across < 1e-9:
        return np.array([math.atan2(-rotation[1, 2], rotation[1, 1]), pitch, 0.0])
    return np.array([math.atan2(rotation[2, 1], rotation[2, 2]), pitch, math.atan2(rotation[1, 0], rotation[0, 0])])
