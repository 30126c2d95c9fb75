"""The robot that a profile names: its URDF, once or in copies, with the joints that nobody commands locked in place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.spatial.transform import Rotation

from .arrays import frozen
from .errors import UnusableInput
from .profile import LockedJoint, Profile, UrdfCopy
from .urdf import Description, UrdfJoint, UrdfLink, read_urdf

BASE = "base"  # the root of several robots


def assembled(profile: Profile) -> Description:
    """The tree of links that the profile's joints move. Raises UnusableInput where its URDF cannot be read, copies
    share a name, or a locked joint is unknown, commanded, does not turn, or would stand beyond its travel.
    """
    if profile.urdf is None:
        raise UnusableInput(f"profile {profile.name!r} names no URDF; it has no shape")
    description = read_urdf(profile.urdf)
    if profile.urdf.copies:
        description = _side_by_side(description, profile.urdf.copies)
    return _locked(description, profile.locked, profile.joint_names)


def _side_by_side(one: Description, copies: Sequence[UrdfCopy]) -> Description:
    """Copies of a robot, each fixed to a common root without a shape."""
    links = [UrdfLink(BASE, ())]
    joints: list[UrdfJoint] = []
    for copy in copies:
        root = f"{copy.prefix}{one.links[0].name}"
        links += [replace(link, name=f"{copy.prefix}{link.name}") for link in one.links]
        joints += [_mounted(root, copy), *(_renamed(joint, copy.prefix) for joint in one.joints)]
    names = [link.name for link in links]
    if len(set(names)) != len(names):
        raise UnusableInput(
            f"copies with the prefixes {[copy.prefix for copy in copies]} share link names; each needs its own"
        )
    return Description(tuple(links), tuple(joints))


def _mounted(root: str, copy: UrdfCopy) -> UrdfJoint:
    return UrdfJoint(
        name=f"{BASE}:{root}",  # a colon cannot stand in a name of a profile
        kind="fixed",
        parent=BASE,
        child=root,
        origin=frozen(copy.pose.matrix()),
        axis=frozen(np.zeros(3)),
        lower=-np.inf,
        upper=np.inf,
        velocity=np.inf,
        effort=np.inf,
        mimic=None,
    )


def _renamed(joint: UrdfJoint, prefix: str) -> UrdfJoint:
    return replace(
        joint,
        name=f"{prefix}{joint.name}",
        parent=f"{prefix}{joint.parent}",
        child=f"{prefix}{joint.child}",
        mimic=None if joint.mimic is None else replace(joint.mimic, joint=f"{prefix}{joint.mimic.joint}"),
    )


def _locked(description: Description, locked: Sequence[LockedJoint], commanded: Sequence[str]) -> Description:
    places = {one.joint: one.position for one in locked}
    known = [joint.name for joint in description.joints]
    if len(places) != len(locked) or not places.keys() <= set(known) - set(commanded):
        raise UnusableInput(
            f"locked joints {[one.joint for one in locked]} must each be named once, not be commanded, and be in the "
            f"URDF: {', '.join(known)}"
        )
    joints = tuple(_stiff(joint, places[joint.name]) if joint.name in places else joint for joint in description.joints)
    return replace(description, joints=joints)


def _stiff(joint: UrdfJoint, position: float) -> UrdfJoint:
    if joint.kind not in {"revolute", "continuous"} or joint.mimic is not None:
        raise UnusableInput(f"joint {joint.name!r} cannot be locked: only joints that turn, and mimic none, can")
    if not joint.lower <= position <= joint.upper:
        raise UnusableInput(
            f"joint {joint.name!r} is locked at {position} rad, beyond its travel from {joint.lower} to {joint.upper}"
        )
    turn = np.eye(4)
    turn[:3, :3] = Rotation.from_rotvec(joint.axis * position).as_matrix()
    return replace(joint, kind="fixed", origin=frozen(joint.origin @ turn))
