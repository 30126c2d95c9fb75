"""The robot's shape, from its profile, its URDF and the cell's mount: hulls, poses, and how far anything can be off."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np

from .arrays import FloatArray, frozen
from .assembly import assembled
from .errors import UnusableInput
from .fingers import check_joints, slides
from .geometry import ConvexMesh
from .hulls import hull_of, swept
from .kinematics import kinematics_of
from .profile import Profile
from .reach import Ball, Route, route
from .scene import Cell, Held
from .shapes import Side, point, side

CROSS: Final = frozen(
    np.array(
        [[[0, 0, 0], [0, 0, 1], [0, -1, 0]], [[0, 0, -1], [0, 0, 0], [1, 0, 0]], [[0, 1, 0], [-1, 0, 0], [0, 0, 0]]],
        dtype=np.float64,
    )
)  # of two vectors: np.cross is slow


class _Along(NamedTuple):
    """Joint positions (N, n), the frames of all links there, and the steps of the joint values between them."""

    positions: FloatArray
    frames: FloatArray
    steps: FloatArray


class UrdfRobot:
    """The RobotModel of a profile with a URDF. Fingers stand at 0 in every pose; their hulls are swept instead."""

    def __init__(self, profile: Profile, cell: Cell) -> None:
        """Raises UnusableInput where profile and URDF do not fit, or any collision geometry cannot be read."""
        self.profile = profile
        self.description = assembled(profile)
        fingers = [finger for gripper in profile.grippers for finger in gripper.fingers]
        check_joints(self.description, profile.joint_names, fingers)
        self.kinematics = kinematics_of(self.description, [*profile.joint_names, *(finger.joint for finger in fingers)])
        self.mount = cell.mount.matrix()
        self.errors = frozen(np.array([*(joint.tracking for joint in profile.joints), *(0.0 for _ in fingers)]))
        self.slides = slides(self.kinematics, self.description, profile)
        self.hulls = {link.name: hull for link in self.description.links if (hull := hull_of(link)) is not None}
        self._fingers: dict[tuple[str, float, float], Side] = {}
        self._routes: dict[tuple[str, str], Route] = {}
        self._last: _Along | None = None
        whole = {name: self._swept(name) for name in self.hulls}
        self.sides = {name: side(hull, np.eye(4), self.index(name)) for name, hull in whole.items()}
        self.vertices: Mapping[str, FloatArray] = {name: hull.vertices for name, hull in whole.items()}
        self._shown = sorted({self.index(name) for name in (*whole, *_named(profile))})
        self.links = tuple(self.kinematics.links[index] for index in self._shown)
        self.fixed = frozenset(name for name in self.links if not len(self.route("", name).columns))
        tools = [
            *(("tcp", tool) for tool in profile.tool_points[:1]),
            *((tool.name, tool) for tool in profile.tool_points),
        ]
        self.tool_offsets = {name: (tool.link, tool.pose.matrix()) for name, tool in tools}

    def index(self, link: str) -> int:
        """The place of a link among the frames; raises UnusableInput for a name that the URDF does not know."""
        if link not in self.kinematics.links:
            raise UnusableInput(f"the URDF has no link {link!r}; it has: {', '.join(self.kinematics.links)}")
        return self.kinematics.links.index(link)

    def forward(self, positions: FloatArray) -> FloatArray:
        """World poses (N, L, 4, 4) of `links` for joint positions (N, n) [rad]."""
        return frozen(np.take(self.frames(positions), self._shown, axis=1))

    def tool(self, positions: FloatArray, name: str) -> tuple[FloatArray, FloatArray]:
        """World poses (N, 4, 4) of a tool point for joint positions (N, n) [rad], and its Jacobians (N, 6, n): by how
        much each joint moves it [m/rad], then turns it [rad/rad], along the axes of the world.

        Raises UnusableInput where one value turns several of the joints on the way to it: bounds between rows count
        each joint once.
        """
        link, offset = self.tool_offsets[name]
        frames, way = self.frames(positions), self.route("", link)
        if len(set(way.columns.tolist())) < len(way.columns) or not (way.gains == 1.0).all():
            raise UnusableInput(f"joints before tool point {name!r} mimic others, and such a tool cannot be followed")
        poses = frames[:, self.index(link)] @ offset
        at = frames[:, way.links]
        axes = np.einsum("nkij,kj->nki", at[..., :3, :3], way.axes)
        moves = np.einsum("ijk,nmj,nmk->nmi", CROSS, axes, poses[:, None, :3, 3] - at[..., :3, 3])
        jacobians = np.zeros((*positions.shape, 6))
        jacobians[:, way.columns] = np.concatenate([moves, axes], axis=2)
        return poses, np.swapaxes(jacobians, 1, 2)

    def frames(self, positions: FloatArray) -> FloatArray:
        """World poses of every link of the kinematics, fingers at 0, and of the world itself, which is the last."""
        return self._along(positions).frames

    def steps(self, positions: FloatArray) -> FloatArray:
        """Steps (N, m) of the joint values of the kinematics from node i - 1 to node i; 0 for node 0."""
        return self._along(positions).steps

    def _along(self, positions: FloatArray) -> _Along:
        """What follows from joint positions. Of a motion it is asked for many times and worked out once: what cannot
        change any more is still known the next time.
        """
        last = self._last
        if last is not None and positions is last.positions:
            return last
        padded = self._padded(positions)
        steps = padded - np.vstack([padded[:1], padded[:-1]])
        along = _Along(positions, frozen(self.kinematics.frames(padded, self.mount)), frozen(steps))
        if positions.flags.owndata and not positions.flags.writeable:
            self._last = along
        return along

    def _padded(self, positions: FloatArray) -> FloatArray:
        if positions.ndim != 2 or positions.shape[1] != len(self.profile.joints):
            raise ValueError(f"positions must be of shape (N, {len(self.profile.joints)}), got {positions.shape}")
        fingers = len(self.kinematics.joints) - positions.shape[1]
        return np.hstack([positions, np.zeros((len(positions), fingers))])

    def route(self, start: str, end: str) -> Route:
        """The turning joints between two links, or the world (an empty name) and a link; `held` means the flange."""
        if (start, end) not in self._routes:
            names = [
                self.profile.flange if name == "held" else name for name in (start or self.kinematics.links[0], end)
            ]
            self._routes[start, end] = route(self.kinematics, self.index(names[0]), self.index(names[1]))
        return self._routes[start, end]

    def finger(self, link: str, low: float, high: float) -> Side:
        """The hull of a finger, swept over gripper values from low to high; made once."""
        if (link, low, high) not in self._fingers:
            hull = swept(self.hulls[link], self.slides[link].direction, low, high)
            self._fingers[link, low, high] = side(hull, np.eye(4), self.index(link))
        return self._fingers[link, low, high]

    def _swept(self, link: str) -> ConvexMesh:
        """The hull of a link, over its full travel if it is a finger."""
        slide = self.slides.get(link)
        return self.hulls[link] if slide is None else swept(self.hulls[link], slide.direction, slide.low, slide.high)

    def sagitta(self, positions: FloatArray, link: str, held: Held | None = None) -> FloatArray:
        """How far [m] any point of the link can leave its chord from node i - 1 to node i; (N,), 0 at node 0."""
        return frozen(self.route("", link).sagitta(self.steps(positions), self._around(link, held).reach))

    def reach_error(self, positions: FloatArray, link: str, held: Held | None = None) -> FloatArray:
        """How far [m] any point of the link can be from its commanded place under the profile's tracking error, at
        node i and on the interval before it; (N,).
        """
        around, along = self._around(link, held), self._along(positions)
        ball = Ball(around.link, around.centre, around.ball)
        way = self.route("", link)
        return frozen(way.deviation(self.errors, along.frames, along.steps, ball, around.reach))

    def _around(self, link: str, held: Held | None) -> Side:
        """The shape of a link, or of what is held; a point where the link has none."""
        if link == "held":
            if held is None:
                raise ValueError("nothing is held; pass what is")
            return side(held.shape, held.pose.matrix(), self.index(self.profile.flange))
        return self.sides.get(link) or point(self.index(link))


def _named(profile: Profile) -> set[str]:
    """The links that a profile speaks of."""
    tools = {tool.link for tool in profile.tool_points}
    return {profile.flange, *profile.hand_links, *tools} - {""}
