"""A photograph of a case: the arm, the cell and its objects, drawn by PyBullet without a screen."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from interlock.arrays import FloatArray
from interlock.assembly import assembled
from interlock.case import Case
from interlock.geometry import Box, HalfSpace, Pose, Shape, Vector
from interlock.profile import Profile
from interlock.scene import Held, Zone
from interlock.verdict import Finding

from ._bullet import FIELD_OF_VIEW_DEG, Bullet, Pixels
from .poses import pose_of
from .urdf import described, urdf_text

__all__ = ["Photo", "Pixels", "photograph", "pixel", "view"]

SIZE: Final = (640, 480)
LOOK_AT: Final[Vector] = (0.34, 0.0, 0.38)
# From there: ahead, aside (where something is wrong), above. The first that shows each body that is wrong best.
EYES_M: Final[tuple[Vector, ...]] = ((1.25, 0.42, 0.8), (0.4, 1.35, 0.7), (-0.9, 1.0, 0.8), (0.9, 0.3, 1.3))
LOOK_PX: Final = (160, 120)  # of the pictures that are taken to choose
BETTER: Final = 1.5  # so much more must be seen from elsewhere
Colour = tuple[float, float, float, float]
RED: Final[Colour] = (0.86, 0.1, 0.1, 1.0)
LINK: Final[Colour] = (0.93, 0.93, 0.9, 1.0)
BODY: Final[Colour] = (0.62, 0.66, 0.7, 1.0)
TABLE: Final[Colour] = (0.8, 0.74, 0.64, 1.0)
THING: Final[Colour] = (0.2, 0.45, 0.75, 1.0)
EDGE_M: Final = 0.004
FRAMED: Final = 0.9  # of half the picture: how far from its middle what must be seen may be
FURTHER: Final = 1.1
FURTHEST: Final = 3.0


@dataclass(frozen=True, slots=True, eq=False)
class Photo:
    """An image (height, width, 3), and where in it [pixels: right, down] the finding's place is, or None."""

    image: Pixels
    point: tuple[float, float] | None


def photograph(case: Case, positions: FloatArray, grippers: FloatArray, held: Held | None, finding: Finding) -> Photo:
    """The scene of a case with the arm at positions (n,) [rad] and its hands at values (g,), what is wrong in red.

    The whole arm is in the frame, and the finding's place: the camera steps back for them.
    """
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
        concerned = [(robot, index) for name, index in links.items() if name in wrong]
        zones = {zone.name for zone in case.rules.cell.zones}
        flange = bullet.link_pose(robot, links[profile.flange])
        for name, shape, pose, colour in _around(case, held, flange, wrong):
            body = bullet.add(shape, pose)
            bullet.colour(body, -1, RED if name in wrong else colour)
            concerned += [(body, -1)] if name in wrong - zones else []
        places = [*(bullet.link_pose(robot, index).xyz for index in links.values()), *_seen_of_zones(case, wrong)]
        eye, target = _best(bullet, concerned, finding, places)
        point = None if finding.point is None else pixel(eye, target, finding.point)
        return Photo(bullet.photograph(eye, target, *SIZE), point)
    finally:
        bullet.close()


def _with_their_links(profile: Profile, names: Sequence[str]) -> frozenset[str]:
    """The names, for each joint among them the link that it moves, and for each tool point the link that it is on."""
    links = {point.name: point.link for point in profile.tool_points}
    if profile.urdf is not None:
        links |= {joint.name: joint.child for joint in assembled(profile).joints}
    return frozenset([*names, *(links[name] for name in names if name in links)])


def _around(
    case: Case, held: Held | None, flange: Pose, wrong: frozenset[str]
) -> Iterator[tuple[str, Shape, Pose, Colour]]:
    """Everything but the robot: name, shape, place in the world and colour."""
    for body in case.rules.cell.bodies:
        for shape in body.convex:
            if not isinstance(shape, HalfSpace):
                yield body.name, shape, body.pose, TABLE if body.name == "table" else BODY
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


def _best(
    bullet: Bullet, concerned: Sequence[tuple[int, int]], finding: Finding, places: Sequence[Vector]
) -> tuple[Vector, Vector]:
    """Eye and target [m, world] from which the least seen of the bodies concerned is seen best."""
    sides = (1.0, -1.0) if finding.point is not None and finding.point[1] > 0.0 else (-1.0, 1.0)
    views = [view(finding, places, (ahead, side * aside, above)) for side in sides for ahead, aside, above in EYES_M]
    best, most = views[0], -1
    for found in views if concerned else ():
        seen = min(bullet.shares(concerned, *found, *LOOK_PX))
        if seen > BETTER * most:
            best, most = found, seen
    return best


def _seen_of_zones(case: Case, wrong: frozenset[str]) -> Iterator[Vector]:
    """The upper corners of the zones concerned."""
    for zone in case.rules.cell.zones:
        if zone.name in wrong:
            yield from ((x, y, zone.z_max) for x, y in zone.outer)


def view(finding: Finding, places: Iterable[Vector], towards: Vector) -> tuple[Vector, Vector]:
    """Eye and target [m, world]: from a direction, as near as shows all places and the finding's."""
    ahead, side, above = towards
    x, y, z = LOOK_AT
    seen = [*places] if finding.point is None else [*places, finding.point]
    away = 1.0
    while True:
        eye = (x + away * ahead, y + away * side, z + away * above)
        if away >= FURTHEST or all(_framed(pixel(eye, LOOK_AT, place)) for place in seen):
            return eye, LOOK_AT
        away *= FURTHER


def _framed(pixel: tuple[float, float] | None) -> bool:
    """Whether a pixel is well within the picture; None, behind the camera, is not."""
    if pixel is None:
        return False
    middles = [edge / 2.0 for edge in SIZE]
    return all(abs(at - middle) <= FRAMED * middle for at, middle in zip(pixel, middles, strict=True))


def pixel(eye: Vector, target: Vector, place: Vector) -> tuple[float, float] | None:
    """Where [pixels: right, down] a place [m, world] appears from an eye that looks at a target, z up; None: behind."""
    forward = np.subtract(target, eye) / np.linalg.norm(np.subtract(target, eye))
    right = np.cross(forward, (0.0, 0.0, 1.0))
    right /= np.linalg.norm(right)
    ray = np.subtract(place, eye)
    depth = float(ray @ forward)
    if not depth > 0.0:
        return None
    width, height = SIZE
    scale = height / 2.0 / math.tan(math.radians(FIELD_OF_VIEW_DEG) / 2.0) / depth
    return width / 2.0 + float(ray @ right) * scale, height / 2.0 - float(ray @ np.cross(right, forward)) * scale
