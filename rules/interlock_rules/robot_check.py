"""A profile against the URDF that it names: names that exist, and limits, of which the tighter wins (F-27)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from interlock.assembly import assembled
from interlock.errors import UnusableInput
from interlock.profile import Joint, Profile
from interlock.urdf import Description, UrdfJoint

from .problems import nearest
from .reading import Reading
from .yaml_text import Path

# A profile's limit and the URDF's word for it; for `lower` the larger is the tighter, for the others the smaller.
LIMITS: Final = {"lower": "lower", "upper": "upper", "velocity": "velocity", "torque": "effort"}
ROUNDING: Final = 5e-5  # limits are published with four decimals; what differs by less is the same number


@dataclass(frozen=True, slots=True)
class Difference:
    """A limit that profile and URDF give differently; `path` is the joint's in the profile's file."""

    path: Path
    joint: str
    limit: str
    profile: float
    urdf: float
    tighter: float

    @property
    def text(self) -> str:
        """Both numbers, and which one holds."""
        whose = "the profile's" if self.tighter == self.profile else "the URDF's"
        return f"{self.limit} of {self.joint} is {self.profile:g} here, {self.urdf:g} in the URDF: {whose} holds"


def fit(profile: Profile, reading: Reading) -> tuple[Profile, tuple[Difference, ...]]:
    """The profile with the tighter of its own and the URDF's limits, and where they differ; notes unknown names."""
    if profile.urdf is None:
        return profile, ()
    try:
        description = assembled(profile)
    except UnusableInput as error:
        reading.note(("urdf",), str(error))
        return profile, ()
    _note_unknown(profile, description, reading)
    joints = {joint.name: joint for joint in description.joints}
    found = tuple(
        difference
        for index, joint in enumerate(profile.joints)
        if joint.name in joints
        for difference in _differences(("joints", index), joint, joints[joint.name])
    )
    tighter = reading.each(("joints",), profile.joints, lambda joint: _tighter(joint, found))
    return (replace(profile, joints=tighter) if not reading.problems else profile), found


def _note_unknown(profile: Profile, description: Description, reading: Reading) -> None:
    links = [link.name for link in description.links]
    joints = [joint.name for joint in description.joints]
    for path, link in _links(profile):
        if link not in links:
            reading.note(path, f'the URDF has no link "{link}"{nearest(link, links)}')
    for path, joint in _joints(profile):
        if joint not in joints:
            reading.note(path, f'the URDF has no joint "{joint}"{nearest(joint, joints)}')


def _links(profile: Profile) -> Iterator[tuple[Path, str]]:
    yield ("flange",), profile.flange
    for index, link in enumerate(profile.hand_links):
        yield ("hand_links", index), link
    for index, point in enumerate(profile.tool_points):
        yield ("tool_points", index, "link"), point.link
    for index, inertia in enumerate(profile.inertias):
        yield ("inertias", index, "link"), inertia.link
    for index, pair in enumerate(profile.allowed_collisions):
        yield ("allowed_collisions", index, "pair", 0), pair.a
        yield ("allowed_collisions", index, "pair", 1), pair.b


def _joints(profile: Profile) -> Iterator[tuple[Path, str]]:
    for index, joint in enumerate(profile.joints):
        yield ("joints", index, "name"), joint.name
    for index, gripper in enumerate(profile.grippers):
        for number, finger in enumerate(gripper.fingers):
            yield ("grippers", index, "fingers", number, "joint"), finger.joint


def _differences(path: Path, joint: Joint, urdf: UrdfJoint) -> Iterator[Difference]:
    for limit, word in LIMITS.items():
        own, other = getattr(joint, limit), getattr(urdf, word)
        if own is not None and not abs(own - other) <= ROUNDING:
            tighter = max(own, other) if limit == "lower" else min(own, other)
            yield Difference(path, joint.name, limit, own, other, tighter)


def _tighter(joint: Joint, differences: tuple[Difference, ...]) -> Joint:
    mine: dict[str, Any] = {
        one.limit: one.tighter for one in differences if one.joint == joint.name and one.tighter != one.profile
    }
    if not mine:
        return joint
    return replace(joint, **mine, source=f"{joint.source}; {', '.join(mine)}: the URDF")
