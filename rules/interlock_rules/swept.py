"""Where a link, what the hand holds, or the tool point is along a motion, and how far off it can be between nodes.

A point p of a rigid body leaves the chord between its places at two nodes by at most h + 3/16 (sum |dq|)^2 d, where h
bounds that of a point v of the same body at distance d: the offset p - v turns at most at w = sum |dq_j / dt|, so that
its second derivative is at most 3/2 w^2 d (w^2 / 2 as the axes turn each other, w^2 from the turn), and M leaves a
chord by M / 8. So a link's bound serves for a tool point or a held object that sticks out of the link.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from interlock import kernels
from interlock.arrays import FloatArray
from interlock.geometry import Box, Capsule, ConvexMesh, Cylinder, Shape, Sphere
from interlock.lower import joint_limits
from interlock.motion import Motion, Phase, RobotModel
from interlock.profile import Profile
from interlock.scene import Held

from .bodies import HELD, TCP
from .traces import per_second


@dataclass(frozen=True, slots=True, eq=False)
class Swept:
    """A part of the robot along a motion: corners (V, 3) [m] of a convex body in a frame with poses (N, 4, 4) in the
    world, grown by a radius [m].

    sagitta (N,): how far a corner can leave the chord of the interval that ends at the node. error (N,): how far it can
    be from its commanded place. turn (N,): by how much [rad] the body can turn in that interval.
    """

    poses: FloatArray
    corners: FloatArray
    sagitta: FloatArray
    error: FloatArray
    turn: FloatArray
    radius: float

    @property
    def points(self) -> FloatArray:
        """The corners (N, V, 3) [m, world]."""
        return _placed(self.poses, self.corners)

    @property
    def middles(self) -> FloatArray:
        """The mean of the corners (N, 3) [m, world]."""
        return kernels.middles(self.poses, self.corners)

    def growth(self) -> FloatArray:
        """How far [m] the hull of the corners at both ends of each interval must be grown to hold the body throughout
        (N,).
        """
        return kernels.grown(self.sagitta, self.error, self.radius)

    def both_ends(self) -> FloatArray:
        """The corners at both ends of each interval (N, 2 V, 3) [m, world]; at node 0 its own, twice."""
        points = self.points
        return np.concatenate([np.concatenate([points[:1], points[:-1]]), points], axis=1)

    def least_along(self, directions: FloatArray) -> FloatArray:
        """The smallest component (N, K) [m] of the corners at both ends of each interval along directions (K, 3)."""
        least = kernels.least_along(self.poses, self.corners, directions)
        return np.asarray(np.minimum(least, np.concatenate([least[:1], least[:-1]])))

    def speed(self, times_s: FloatArray) -> FloatArray:
        """The speed [m/s] (N,) that no point of the body exceeds in each interval.

        A corner's path differs from its chord by at most h in place, because its second derivative is at most 8 h /
        T^2; so it differs by at most 4 h / T in speed.
        """
        chords = kernels.longest_chords(self.poses, self.corners)
        return per_second(chords + 4.0 * self.sagitta + self.radius * self.turn, times_s)


def sweep(part: str, motion: Motion, profile: Profile) -> Swept | None:
    """The part along the motion, or None where the robot's shape, the tool point or the shape in the hand
    is not known.
    """
    return motion.once(("sweep", part), lambda: _sweep(part, motion, profile))


def _sweep(part: str, motion: Motion, profile: Profile) -> Swept | None:
    model = motion.model
    if model is None or motion.poses.shape != (len(motion), len(model.links), 4, 4):
        return None
    if part == TCP:
        return _tool(motion, profile, model)
    if part == HELD:
        return _held(motion, profile, model, motion.held)
    sagitta, error = _bounds(motion, model, part)
    return Swept(_poses(motion, model, part), model.vertices[part], sagitta, error, turn(motion), 0.0)


def _bounds(motion: Motion, model: RobotModel, link: str) -> tuple[FloatArray, FloatArray]:
    """The model's sagitta and tracking error (N,) [m] of a link."""
    return motion.once(
        ("bounds", link), lambda: (model.sagitta(motion.positions, link), model.reach_error(motion.positions, link))
    )


def _poses(motion: Motion, model: RobotModel, link: str) -> FloatArray:
    """The poses (N, 4, 4) of a link in the world."""
    return np.ascontiguousarray(motion.poses[:, model.links.index(link)])


def turn(motion: Motion) -> FloatArray:
    """By how much [rad] any link can turn in each interval (N,): the sum of what all joints turn."""
    return motion.once("turn", lambda: _turn(motion.positions))


def _turn(positions: FloatArray) -> FloatArray:
    return np.asarray(np.abs(positions - np.concatenate([positions[:1], positions[:-1]])).sum(axis=1))


def _placed(poses: FloatArray, points: FloatArray) -> FloatArray:
    """Points (V, 3) of a frame with poses (N, 4, 4), in the world: (N, V, 3)."""
    return np.asarray(points @ np.swapaxes(poses[:, :3, :3], 1, 2) + poses[:, None, :3, 3])


def _tool(motion: Motion, profile: Profile, model: RobotModel) -> Swept | None:
    if TCP not in motion.tool_points or TCP not in model.tool_offsets:
        return None
    link, offset = model.tool_offsets[TCP]
    return _attached(motion, profile, model, link, offset[None, :3, 3], 0.0)


def _held(motion: Motion, profile: Profile, model: RobotModel, held: Held | None) -> Swept | None:
    found = None if held is None else corners(held.shape)
    if held is None or found is None or held.pose.fault is not None or profile.flange not in model.links:
        return None
    points, radius = found
    return _attached(motion, profile, model, profile.flange, _placed(held.pose.matrix()[None], points)[0], radius)


def _attached(
    motion: Motion, profile: Profile, model: RobotModel, link: str, points: FloatArray, radius: float
) -> Swept | None:
    """Points (V, 3) that are fixed to a link's frame, bounded by the nearest corner of that link, or of the
    hand on it.
    """
    carriers = [name for name in (link, *profile.hand_links) if len(model.vertices.get(name, ())) > 0]
    if not carriers:
        return None
    carrier = carriers[0]
    poses, (sagitta, error), angle = _poses(motion, model, link), _bounds(motion, model, carrier), turn(motion)
    there = motion.poses[0, model.links.index(carrier)]
    out = kernels.sticking_out(poses[0], np.ascontiguousarray(points), there, model.vertices[carrier])
    slack = float(joint_limits(profile, "tracking").sum())
    return Swept(poses, points, sagitta + 3.0 / 16.0 * angle**2 * out, error + slack * out, angle, radius)


def corners(shape: Shape) -> tuple[FloatArray, float] | None:
    """Points (V, 3) [m] and a radius [m] whose grown hull contains a shape; None for a half-space, which has no
    corners.

    A cylinder is contained in the prism around it.
    """
    match shape:
        case Box(size=(x, y, z)):
            return _box(x, y, z), 0.0
        case Cylinder(radius=radius, length=length):
            return _box(2.0 * radius, 2.0 * radius, length), 0.0
        case Sphere(radius=radius):
            return np.zeros((1, 3)), radius
        case Capsule(radius=radius, length=length):
            return np.array([[0.0, 0.0, -length / 2.0], [0.0, 0.0, length / 2.0]]), radius
        case ConvexMesh(vertices=vertices):
            return vertices, 0.0
        case _:
            return None


def _box(x: float, y: float, z: float) -> FloatArray:
    signs = np.array(np.meshgrid([-0.5, 0.5], [-0.5, 0.5], [-0.5, 0.5], indexing="ij")).reshape(3, -1).T
    return np.asarray(signs * np.array([x, y, z]))


def gap_free_speed(swept: Swept, motion: Motion) -> FloatArray:
    """The speed of a body (N,) [m/s], 0 where the interval is no motion but the gap from the measured pose to the
    command.
    """
    return np.where(motion.phase == Phase.MEASURED, 0.0, swept.speed(motion.times_s))
