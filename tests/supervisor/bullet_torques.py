"""PyBullet's inverse dynamics as a referee: a URDF with the profile's inertias and what is held, and no geometry."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterable
from pathlib import Path
from xml.sax.saxutils import quoteattr

import numpy as np
import pybullet
from scipy.spatial.transform import Rotation

from interlock.arrays import FloatArray
from interlock.profile import Inertia
from interlock.robot_model import UrdfRobot
from interlock.scene import Held
from interlock.torques import GRAVITY, held_inertia


class BulletTorques:
    """The robot of a model with what it holds, its joints in the profile's order, on a client of its own."""

    def __init__(self, model: UrdfRobot, held: Held | None) -> None:
        self._client = pybullet.connect(pybullet.DIRECT)
        x, y, z = (model.mount[:3, :3].T @ GRAVITY).tolist()  # the root stands at the world's origin
        pybullet.setGravity(x, y, z, physicsClientId=self._client)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "inertial.urdf")
            file.write_text("\n".join(_urdf(model, held)))
            # without the flag PyBullet computes its own inertia from shapes
            self._body = pybullet.loadURDF(
                str(file), useFixedBase=True, flags=pybullet.URDF_USE_INERTIA_FROM_FILE, physicsClientId=self._client
            )

    def of(self, positions: FloatArray, velocities: FloatArray, accelerations: FloatArray) -> FloatArray:
        """Torques (N, n) [N m]."""
        rows = (values.tolist() for values in (positions, velocities, accelerations))
        found = [
            pybullet.calculateInverseDynamics(self._body, q, u, a, physicsClientId=self._client)
            for q, u, a in zip(*rows, strict=True)
        ]
        return np.array(found)


def _urdf(model: UrdfRobot, held: Held | None) -> Iterable[str]:
    """The joints of the profile turn, all others are fixed at 0. The root never moves, and gets mass 0: PyBullet would
    take gravity as if it were given in the root's principal axes.
    """
    description = model.description
    children = {joint.child for joint in description.joints}
    masses = {inertia.link: inertia for inertia in model.profile.inertias if inertia.link in children}
    yield '<robot name="inertial">'
    for link in description.links:
        yield from _link(link.name, masses.get(link.name))
    for joint in description.joints:
        kind = "continuous" if joint.name in model.profile.joint_names else "fixed"
        yield from _joint(joint.name, kind, joint.origin, joint.parent, joint.child, joint.axis)
    if held is not None:
        yield from _link("held:", held_inertia(held))
        yield from _joint("held:", "fixed", np.eye(4), model.profile.flange, "held:", np.zeros(3))
    yield "</robot>"


def _link(name: str, inertia: Inertia | None) -> Iterable[str]:
    """PyBullet keeps only the diagonal of a tensor in its inertial frame, so that frame is turned to the principal
    axes. A link without an inertia gets mass 0: without one at all, PyBullet would give it 1 kg.
    """
    frame, moments = np.eye(4), np.zeros(3)
    if inertia is not None:
        xx, xy, xz, yy, yz, zz = inertia.tensor
        moments, axes = np.linalg.eigh(np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]]))
        frame[:3, :3] = axes * np.linalg.det(axes)  # a rotation, not a reflection
        frame[:3, 3] = inertia.com
    x, y, z = moments.tolist()
    yield f"<link name={quoteattr(name)}><inertial>{_origin(frame)}"
    yield f'<mass value="{0.0 if inertia is None else inertia.mass_kg!r}"/>'
    yield f'<inertia ixx="{x!r}" ixy="0" ixz="0" iyy="{y!r}" iyz="0" izz="{z!r}"/></inertial></link>'


def _joint(name: str, kind: str, origin: FloatArray, parent: str, child: str, axis: FloatArray) -> Iterable[str]:
    yield f'<joint name={quoteattr(name)} type="{kind}">{_origin(origin)}'
    yield f'<parent link={quoteattr(parent)}/><child link={quoteattr(child)}/><axis xyz="{_three(axis)}"/></joint>'


def _origin(pose: FloatArray) -> str:
    with warnings.catch_warnings(action="ignore", category=UserWarning):  # at a right angle of pitch it chooses the yaw
        turn = Rotation.from_matrix(pose[:3, :3]).as_euler("xyz")
    return f'<origin xyz="{_three(pose[:3, 3])}" rpy="{_three(turn)}"/>'


def _three(values: FloatArray) -> str:
    return " ".join(repr(value) for value in values.tolist())
