"""A photograph of a case: the arm, the cell and its objects, drawn by PyBullet without a screen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

import numpy as np

from interlock.arrays import FloatArray
from interlock.case import Case
from interlock.geometry import Box, HalfSpace, Pose, Shape, Vector
from interlock.profile import Profile
from interlock.scene import Held, Zone
from interlock.urdf import read_urdf
from interlock.verdict import Finding

from ._bullet import Bullet, Pixels
from .poses import pose_of
from .urdf import described, urdf_text

__all__ = ["Pixels", "photograph"]

SIZE: Final = (640, 480)
LOOK_AT: Final[Vector] = (0.34, 0.0, 0.38)
EYE_M: Final = (1.25, 0.42, 0.8)  # from there: ahead, aside (where something is wrong), above
Colour = tuple[float, float, float, float]
RED: Final[Colour] = (0.86, 0.1, 0.1, 1.0)
LINK: Final[Colour] = (0.93, 0.93, 0.9, 1.0)
BODY: Final[Colour] = (0.62, 0.66, 0.7, 1.0)
TABLE: Final[Colour] = (0.8, 0.74, 0.64, 1.0)
THING: Final[Colour] = (0.2, 0.45, 0.75, 1.0)
EDGE_M: Final = 0.004


def photograph(case: Case, positions: FloatArray, grippers: FloatArray, held: Held | None, finding: Finding) -> Pixels:
    """The scene of a case with the arm at positions (n,) [rad] and its hands at values (g,), what is wrong in red."""
    profile = case.rules.profile
    wrong = _with_their_links(profile, finding.links)
    bullet = Bullet(0.001)
    try:
        description = described(profile)
        urdf = urdf_text(profile, description, visuals=True)
        robot = bullet.load_robot(urdf, case.rules.cell.mount, description.joints)
        joints = bullet.joints(robot)
        hands = [
            (joints[finger.joint], float(value) * finger.share)
            for gripper, value in zip(profile.grippers, grippers, strict=True)
            for finger in gripper.fingers
        ]
        arm = [joints[name] for name in profile.joint_names]
        bullet.set_joints(robot, [*arm, *(joint for joint, _ in hands)], [*positions, *(value for _, value in hands)])
        links = bullet.links(robot)
        for name, index in links.items():
            bullet.colour(robot, index, RED if name in wrong else LINK)
        flange = bullet.link_pose(robot, links[profile.flange])
        for name, shape, pose, colour in _around(case, held, flange, wrong):
            bullet.colour(bullet.add(shape, pose), -1, RED if name in wrong else colour)
        return bullet.photograph(*_view(finding), *SIZE)
    finally:
        bullet.close()


def _with_their_links(profile: Profile, names: Sequence[str]) -> frozenset[str]:
    """The names, for each joint among them the link that it moves, and for each tool point the link that it is on."""
    links = {point.name: point.link for point in profile.tool_points}
    if profile.urdf is not None:
        links |= {joint.name: joint.child for joint in read_urdf(profile.urdf).joints}
    return frozenset([*names, *(links[name] for name in names if name in links)])


def _around(
    case: Case, held: Held | None, flange: Pose, wrong: frozenset[str]
) -> Iterator[tuple[str, Shape, Pose, Colour]]:
    """Everything but the robot: name, shape, place in the world and colour."""
    for body in case.rules.cell.bodies:
        if not isinstance(body.shape, HalfSpace):
            yield body.name, body.shape, body.pose, TABLE if body.name == "table" else BODY
    for item in case.scene.objects or ():
        yield item.name, item.shape, item.pose, THING
    if held is not None:
        yield "held", held.shape, pose_of(flange.matrix() @ held.pose.matrix()), THING
    for zone in case.rules.cell.zones:
        if zone.name in wrong:
            yield from ((zone.name, shape, pose, RED) for shape, pose in _edges(zone))


def _edges(zone: Zone) -> Iterator[tuple[Shape, Pose]]:
    """The edges of a zone as thin bars."""
    for z in (max(zone.z_min, 0.0), zone.z_max):
        for (x0, y0), (x1, y1) in pairwise((*zone.outer, zone.outer[0])):
            yaw = float(np.arctan2(y1 - y0, x1 - x0))
            turn = (0.0, 0.0, float(np.sin(yaw / 2.0)), float(np.cos(yaw / 2.0)))
            yield (
                Box((float(np.hypot(x1 - x0, y1 - y0)), EDGE_M, EDGE_M)),
                Pose(((x0 + x1) / 2.0, (y0 + y1) / 2.0, z), turn),
            )


def _view(finding: Finding) -> tuple[Vector, Vector]:
    """Eye and target [m, world]: from the side on which something is wrong."""
    ahead, aside, above = EYE_M
    side = aside if finding.point is not None and finding.point[1] > 0.0 else -aside
    x, y, z = LOOK_AT
    return (x + ahead, y + side, z + above), LOOK_AT
