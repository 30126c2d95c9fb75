"""Forward kinematics of a tree of links for many joint positions at once: poses only, no shapes and no limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from . import kernels
from .arrays import FloatArray, IntArray, frozen
from .errors import UnusableInput
from .urdf import Description, UrdfJoint


@dataclass(frozen=True, slots=True, eq=False)
class Kinematics:
    """A tree of L links, parents first, moved by m joints.

    Link i stands in its parent at t[0, i] + sin(a) t[1, i] + cos(a) t[2, i] + a t[3, i], where t is terms (4, L, 4, 4)
    and a is gain[i] * values[column[i]] + offset[i]; joints that never move have gain 0. The root is link 0, with
    parent -1. axes (L, 3): the axis about which link i turns, in the frame of link i; zero where it does not.
    """

    links: tuple[str, ...]
    joints: tuple[str, ...]
    parents: tuple[int, ...]
    column: IntArray
    gain: FloatArray
    offset: FloatArray
    terms: FloatArray
    axes: FloatArray

    def forward(self, values: FloatArray, base: FloatArray) -> FloatArray:
        """Poses (N, L, 4, 4) of all links for joint values (N, m) [rad or m] and the pose (4, 4) of the root."""
        return self.frames(values, base)[:, :-1]

    def frames(self, values: FloatArray, base: FloatArray) -> FloatArray:
        """The same (N, L + 1, 4, 4), and the world itself, which is the last."""
        if values.ndim != 2 or values.shape[1] != len(self.joints):
            raise ValueError(f"values must be of shape (N, {len(self.joints)}), got {values.shape}")
        parents = np.array(self.parents, dtype=np.int64)
        return kernels.poses(
            np.ascontiguousarray(values), base, parents, self.column, self.gain, self.offset, self.terms
        )


def kinematics_of(description: Description, joints: Sequence[str]) -> Kinematics:
    """The kinematics with these joints as columns, in this order; every other joint must be fixed or mimic one of them.

    Raises UnusableInput otherwise: a joint that nobody commands would put every link behind it in the wrong place.
    """
    by_name = {joint.name: joint for joint in description.joints}
    if missing := [name for name in joints if name not in by_name or by_name[name].kind == "fixed"]:
        raise UnusableInput(f"the URDF has no movable joint {missing}; it has: {', '.join(by_name)}")
    names = tuple(link.name for link in description.links)
    driven = [_driven(joint, list(joints)) for joint in description.joints]
    terms = np.array([_root(), *(_terms(joint) for joint in description.joints)])
    return Kinematics(
        links=names,
        joints=tuple(joints),
        parents=(-1, *(names.index(joint.parent) for joint in description.joints)),
        column=np.array([0, *(column for column, _, _ in driven)], dtype=np.int64),
        gain=frozen(np.array([0.0, *(gain for _, gain, _ in driven)])),
        offset=frozen(np.array([0.0, *(offset for _, _, offset in driven)])),
        terms=frozen(np.ascontiguousarray(terms.swapaxes(0, 1))),
        axes=frozen(np.array([np.zeros(3), *(_turning(joint) for joint in description.joints)])),
    )


def _driven(joint: UrdfJoint, columns: list[str]) -> tuple[int, float, float]:
    """Column, gain and offset of a joint."""
    if joint.kind == "fixed":
        return 0, 0.0, 0.0
    if joint.name in columns:
        return columns.index(joint.name), 1.0, 0.0
    if joint.mimic is not None and joint.mimic.joint in columns:
        return columns.index(joint.mimic.joint), joint.mimic.multiplier, joint.mimic.offset
    raise UnusableInput(
        f"joint {joint.name!r} moves, but is no joint of the profile, no finger, and mimics none of them"
    )


def _turning(joint: UrdfJoint) -> FloatArray:
    return joint.axis if joint.kind in {"revolute", "continuous"} else np.zeros(3)


def _terms(joint: UrdfJoint) -> FloatArray:
    """The four matrices (4, 4, 4) of a joint: fixed, sine, cosine, slide (Rodrigues' formula)."""
    terms = np.zeros((4, 4, 4))
    terms[0, 3, 3] = 1.0
    axis = joint.axis
    if joint.kind in {"fixed", "prismatic"}:
        terms[0] = np.eye(4)
        terms[3, :3, 3] = axis
    else:
        along = np.outer(axis, axis)
        terms[0, :3, :3] = along
        terms[1, :3, :3] = np.cross(np.eye(3), axis)
        terms[2, :3, :3] = np.eye(3) - along
    moved: FloatArray = joint.origin @ terms
    return moved


def _root() -> FloatArray:
    terms = np.zeros((4, 4, 4))
    terms[0] = np.eye(4)
    return terms
