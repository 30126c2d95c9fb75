"""The robot's shape, from its profile, its URDF and where the cell mounts it: hulls, poses, and how far anything can be off."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

import numpy as np

from .arrays import FloatArray, frozen
from .errors import UnusableInput
from .geometry import ConvexMesh
from .hulls import hull_of, swept
from .kinematics import Kinematics, kinematics_of
from .profile import Profile
from .reach import Route, route
from .scene import Cell, Held
from .shapes import ball_around
from .urdf import Description, read_urdf


@dataclass(frozen=True, slots=True, eq=False)
class Slide:
    """How a link slides with a gripper: its channel's index, the link's travel per unit of its value (3,) [m, link frame],
    and the lowest and highest value that it can take.
    """

    gripper: int
    direction: FloatArray
    low: float
    high: float


class UrdfRobot:
    """The RobotModel of a profile with a URDF. Fingers stand at value 0 in every pose; their hulls are swept instead."""

    def __init__(self, profile: Profile, cell: Cell) -> None:
        """Raises UnusableInput where profile and URDF do not fit, or any collision geometry is missing."""
        if profile.urdf is None:
            raise UnusableInput(f"profile {profile.name!r} names no URDF")
        description = read_urdf(profile.urdf)
        fingers = [finger.joint for gripper in profile.grippers for finger in gripper.fingers]
        self.profile = profile
        self.description = description
        self.kinematics = kinematics_of(description, [*profile.joint_names, *fingers])
        _supported(description, profile.joint_names, fingers)
        self.mount = cell.mount.matrix()
        self.errors = frozen(np.array([*(joint.tracking for joint in profile.joints), *(0.0 for _ in fingers)]))
        self.slides = _slides(self.kinematics, description, profile)
        hulls = {link.name: hull for link in description.links if (hull := hull_of(link)) is not None}
        self.hulls: Mapping[str, ConvexMesh] = MappingProxyType(hulls)
        named = {profile.flange, *profile.hand_links, *(tool.link for tool in profile.tool_points)}
        named |= {name for pair in profile.allowed_collisions for name in (pair.a, pair.b)} - {"held"}
        if unknown := sorted(named - set(self.kinematics.links)):
            raise UnusableInput(f"the URDF has no link {unknown}; it has: {', '.join(self.kinematics.links)}")
        self._shown = [i for i, name in enumerate(self.kinematics.links) if name in hulls or name in named]
        self._routes: dict[tuple[str, str], Route] = {}

    @cached_property
    def links(self) -> tuple[str, ...]:
        """Names of all links with a collision shape or named by the profile, the root first."""
        return tuple(self.kinematics.links[index] for index in self._shown)

    @cached_property
    def fixed(self) -> frozenset[str]:
        """Links that no joint moves."""
        return frozenset(name for name in self.links if not len(self.route("", name).columns))

    @cached_property
    def vertices(self) -> Mapping[str, FloatArray]:
        """Corners (V, 3) of each link's hull in its frame; fingers swept over their full travel."""
        return MappingProxyType({name: self.shape(name).vertices for name in self.hulls})

    @cached_property
    def tool_offsets(self) -> Mapping[str, tuple[str, FloatArray]]:
        """Each tool point by name: its link, and its pose (4, 4) there. The first one is also named `tcp`."""
        points = self.profile.tool_points
        named = [*(("tcp", point) for point in points[:1]), *((point.name, point) for point in points)]
        return MappingProxyType({name: (point.link, point.pose.matrix()) for name, point in named})

    def forward(self, positions: FloatArray) -> FloatArray:
        """World poses (N, L, 4, 4) of `links` for joint positions (N, n) [rad]."""
        return frozen(self.frames(positions)[:, self._shown])

    def frames(self, positions: FloatArray) -> FloatArray:
        """World poses of every link of the kinematics, fingers at 0."""
        return self.kinematics.forward(self.padded(positions), self.mount)

    def padded(self, positions: FloatArray) -> FloatArray:
        """Joint values (N, m) of the kinematics for joint positions (N, n); ValueError for another n."""
        if positions.ndim != 2 or positions.shape[1] != len(self.profile.joints):
            raise ValueError(f"positions must be of shape (N, {len(self.profile.joints)}), got {positions.shape}")
        fingers = len(self.kinematics.joints) - positions.shape[1]
        return np.hstack([positions, np.zeros((len(positions), fingers))])

    def shape(self, link: str, low: float | None = None, high: float | None = None) -> ConvexMesh:
        """The hull of a link, for a finger swept over gripper values from low to high (None: its full travel)."""
        slide = self.slides.get(link)
        if slide is None:
            return self.hulls[link]
        low = slide.low if low is None else min(max(low, slide.low), slide.high)
        high = slide.high if high is None else min(max(high, slide.low), slide.high)
        return swept(self.hulls[link], slide.direction, low, high)

    def route(self, start: str, end: str) -> Route:
        """The turning joints between two links, or the world (an empty name) and a link; `held` stands for the flange."""
        if (start, end) not in self._routes:
            names = self.kinematics.links
            first, last = (self.profile.flange if name == "held" else name or names[0] for name in (start, end))
            self._routes[start, end] = route(self.kinematics, names.index(first), names.index(last))
        return self._routes[start, end]

    def sagitta(self, positions: FloatArray, link: str, held: Held | None = None) -> FloatArray:
        """How far [m] any point of the link can leave its chord from node i - 1 to node i; (N,), 0 at node 0."""
        return frozen(self.route("", link).sagitta(self.steps(positions), self._radius(link, held)))

    def reach_error(self, positions: FloatArray, link: str, held: Held | None = None) -> FloatArray:
        """How far [m] any point of the link can be from its commanded place under the profile's tracking error, at node i
        and on the interval before it; (N,).
        """
        way = self.route("", link)
        radius = self._radius(link, held)
        frames = self.frames(positions)
        origin = frames[:, self.kinematics.links.index(self.profile.flange if link == "held" else link), :3, 3]
        levers = way.levers(frames, origin, radius)
        return frozen(way.deviation(self.errors, self.steps(positions), levers, radius))

    def steps(self, positions: FloatArray) -> FloatArray:
        """Steps (N, m) of the joint values from node i - 1 to node i; 0 for node 0."""
        padded = self.padded(positions)
        return np.diff(padded, axis=0, prepend=padded[:1])

    def _radius(self, link: str, held: Held | None) -> float:
        """Largest distance [m] of a point of the link, or of what is held, from the origin of its frame."""
        if link != "held":
            return radius_of(self.shape(link)) if link in self.hulls else 0.0
        if held is None:
            raise ValueError("nothing is held; pass what is")
        centre, radius = ball_around(held.shape)
        matrix = held.pose.matrix()
        return float(np.linalg.norm(matrix[:3, :3] @ centre + matrix[:3, 3])) + radius


def radius_of(shape: ConvexMesh) -> float:
    """Largest distance [m] of any point of the shape from its frame's origin."""
    return float(np.linalg.norm(shape.vertices, axis=1).max())


def _supported(description: Description, joints: tuple[str, ...], fingers: list[str]) -> None:
    """Raises UnusableInput unless joints turn and fingers slide."""
    for joint in description.joints:
        if joint.name in joints and joint.kind == "prismatic":
            raise UnusableInput(f"joint {joint.name!r} slides; only turning joints are supported")
        if joint.name in fingers and joint.kind != "prismatic":
            raise UnusableInput(f"finger {joint.name!r} is {joint.kind}; only prismatic fingers are supported")
        if joint.mimic is not None and joint.mimic.joint in fingers and joint.name not in fingers:
            raise UnusableInput(
                f"joint {joint.name!r} mimics a finger; name it among the gripper's fingers, with its share"
            )


def _slides(kinematics: Kinematics, description: Description, profile: Profile) -> Mapping[str, Slide]:
    """The slide of every link that a finger's joint moves."""
    found: dict[str, Slide] = {}
    limits = {joint.name: (joint.lower, joint.upper) for joint in description.joints}
    for index, gripper in enumerate(profile.grippers):
        for finger in gripper.fingers:
            ends = [gripper.closed, gripper.open, *(limit / finger.share for limit in limits[finger.joint])]
            for name, direction in _moved(kinematics, finger.joint):
                if name in found:
                    raise UnusableInput(f"link {name!r} is moved by two fingers; one is supported")
                found[name] = Slide(index, frozen(direction * finger.share), min(ends), max(ends))
    return MappingProxyType(found)


def _moved(kinematics: Kinematics, joint: str) -> Iterator[tuple[str, FloatArray]]:
    """Each link that a sliding joint moves, with its move (3,) in its own frame for 1 m of the joint."""
    values = np.zeros((2, len(kinematics.joints)))
    values[1, kinematics.joints.index(joint)] = 1.0
    poses = kinematics.forward(values, np.eye(4))
    for index, name in enumerate(kinematics.links):
        move = poses[0, index, :3, :3].T @ (poses[1, index, :3, 3] - poses[0, index, :3, 3])
        if move.any():
            yield name, move
