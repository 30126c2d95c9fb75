"""Two convex shapes along a joint path: certified bounds of their distance from separating planes, no sampling in between.

A unit normal n gives sep(q) = least of n . p over the first shape minus largest over the second: never more than their
signed distance, whatever n is, and equal to it for the right n. Along an interval of the joint path each point of the
first shape stays within the sagitta s of its chord, seen from the second, so that the distance is nowhere below

    min(sep(start), sep(end)) - s.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .arrays import FloatArray
from .geometry import ConvexMesh, HalfSpace, Shape
from .reach import Route
from .shapes import ball_around, gap_to, support


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One of the two: a shape at `offset` (4, 4) in the frame of a link, or in the world if `link` is None.

    centre (3,) and ball: a ball around the shape, in that frame; reach: the largest distance [m] of any of its points from
    the frame's origin. All infinite for a half-space.
    """

    shape: Shape
    offset: FloatArray
    link: int | None
    centre: FloatArray
    ball: float
    reach: float

    def poses(self, frames: FloatArray) -> FloatArray:
        """World poses (N, 4, 4), or (1, 4, 4) of what does not move, for frames (N, L, 4, 4)."""
        return self.offset[None] if self.link is None else np.asarray(frames[:, self.link] @ self.offset)


def side(shape: Shape, offset: FloatArray, link: int | None) -> Side:
    """A side, with the ball around it."""
    if isinstance(shape, HalfSpace):
        return Side(shape, offset, link, np.zeros(3), np.inf, np.inf)
    middle, ball = ball_around(shape)
    centre = offset[:3, :3] @ middle + offset[:3, 3]
    reach = float(np.linalg.norm(centre)) + ball
    if isinstance(shape, ConvexMesh):
        reach = float(np.linalg.norm(shape.vertices @ offset[:3, :3].T + offset[:3, 3], axis=1).max())
    return Side(shape, offset, link, centre, ball, reach)


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """Two shapes, the first of which stands in a link's frame, and the way between them."""

    names: tuple[str, str]
    first: Side
    second: Side
    way: Route

    def relative(self, frames: FloatArray) -> FloatArray:
        """Poses (N, 4, 4) of the first shape in the frame of the second."""
        ours, theirs = self.first.poses(frames), self.second.poses(frames)
        turned = np.swapaxes(theirs[:, :3, :3], 1, 2)
        found = np.zeros_like(ours)
        found[:, :3, :3] = turned @ ours[:, :3, :3]
        found[:, :3, 3:] = turned @ (ours[:, :3, 3:] - theirs[:, :3, 3:])
        found[:, 3, 3] = 1.0
        return found

    def centres(self, frames: FloatArray) -> FloatArray:
        """The centre (N, 3) in the world of the ball around the first."""
        poses = frames[:, self.first.link or 0]
        return np.asarray(poses[:, :3, :3] @ self.first.centre + poses[:, :3, 3])

    def separation(self, poses: FloatArray, normal: FloatArray) -> FloatArray:
        """Sep (N,) [m] for poses (N, 4, 4) of the first in the frame of the second and a unit normal (3,) there."""
        inward = -np.einsum("nji,j->ni", poses[:, :3, :3], normal)
        reach = support(self.second.shape, normal[None])[0]
        return np.asarray(poses[:, :3, 3] @ normal - support(self.first.shape, inward) - reach)

    def coarse(self, poses: FloatArray, sagitta: FloatArray) -> FloatArray:
        """A lower bound (N,) [m] of the distance on each interval, from a ball around the first and a box around the second.

        Interval i lies between nodes i - 1 and i, interval 0 is node 0. Clear by m wherever d(i - 1) + d(i) exceeds the
        longest way of the ball's centre plus 2 m: no point of it is further from both ends than half that way.
        """
        centre = np.linalg.solve(self.first.offset, np.append(self.first.centre, 1.0))[:3]
        centres = poses[:, :3, :3] @ centre + poses[:, :3, 3]
        gaps = gap_to(self.second.shape, centres) - self.first.ball
        before = np.concatenate([[0], np.arange(len(poses) - 1)])
        way = np.linalg.norm(centres - centres[before], axis=1) + 2.0 * sagitta
        return np.asarray((gaps + gaps[before] - way) / 2.0)
