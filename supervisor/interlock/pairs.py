"""Two convex shapes along a joint path: certified bounds of their distance, with no sampling in between.

A unit normal n gives sep(q), `shapes.separation`: never more than their signed distance, whatever n is, and equal to it
for the right n. Along an interval of the joint path each point of the
first shape stays within the sagitta s of its chord, seen from the second, so that the distance is nowhere below

    min(sep(start), sep(end)) - s.

A ball around the first and a box around the second say the same, coarsely, of all pairs at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .arrays import FloatArray
from .reach import Route
from .shapes import WORLD, Side


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """Two shapes, and the way from the second's link to the first's."""

    names: tuple[str, str]
    first: Side
    second: Side
    way: Route

    def relative(self, frames: FloatArray) -> FloatArray:
        """Poses (N, 4, 4) of the first shape in the frame of the second, for frames (N, L, 4, 4)."""
        ours, theirs = self.first.poses(frames), self.second.poses(frames)
        turned = np.swapaxes(theirs[:, :3, :3], 1, 2)
        found = np.zeros_like(ours)
        found[:, :3, :3] = turned @ ours[:, :3, :3]
        found[:, :3, 3:] = turned @ (ours[:, :3, 3:] - theirs[:, :3, 3:])
        found[:, 3, 3] = 1.0
        return found

    def deviation(self, errors: FloatArray, frames: FloatArray, steps: FloatArray) -> FloatArray:
        """How much nearer [m] tracking errors (m,) can bring the two, on each interval; (N,)."""
        link = frames[:, self.first.link]
        centre = link[:, :3, :3] @ self.first.centre + link[:, :3, 3]
        levers = self.way.levers(frames, centre, self.first.ball)
        return self.way.deviation(errors, steps, levers, self.first.reach)


def sagittas(pairs: Sequence[Pair], steps: FloatArray) -> FloatArray:
    """The sagitta [m] of each pair on each interval, (P, N), for steps (N, m) of the joint values."""
    weights = np.stack([pair.way.bends[0] + pair.first.reach * pair.way.bends[1] for pair in pairs])
    sizes = np.abs(steps)
    return np.asarray(((sizes @ weights) * sizes).sum(axis=2) / 8.0)


def coarse(pairs: Sequence[Pair], frames: FloatArray, bends: FloatArray) -> FloatArray:
    """A lower bound (P, N) [m] of the distance on each interval, -inf where the ball's centre is in the box.

    Interval i lies between nodes i - 1 and i, interval 0 is node 0. Clear by m wherever d(i - 1) + d(i) exceeds the
    longest way of the ball's centre, its chord and two sagittas (bends, (P, N)), plus 2 m: no point of it is further
    from both ends than half that way.
    """
    inside = _centres(pairs, frames)
    low, high = (
        np.stack(corners)[:, None] for corners in zip(*((p.second.low, p.second.high) for p in pairs), strict=True)
    )
    outside = np.linalg.norm(np.maximum(np.maximum(low - inside, inside - high), 0.0), axis=2)
    gaps = np.where(outside > 0.0, outside, -np.inf) - np.array([[pair.first.ball] for pair in pairs])
    before = np.concatenate([[0], np.arange(len(frames) - 1)])
    chords = np.linalg.norm(inside - inside[:, before], axis=2)
    return np.asarray((gaps + gaps[:, before] - chords) / 2.0 - bends)


def _centres(pairs: Sequence[Pair], frames: FloatArray) -> FloatArray:
    """The centre (P, N, 3) of the ball around each first shape, in the frame of the second shape."""
    places = np.stack([pair.first.centre for pair in pairs])
    found = np.empty((len(pairs), len(frames), 3))
    for link in sorted({pair.first.link for pair in pairs}):
        mine = [index for index, pair in enumerate(pairs) if pair.first.link == link]
        turned = frames[:, link, :3, :3].reshape(-1, 3) @ places[mine].T
        found[mine] = turned.reshape(len(frames), 3, -1).transpose(2, 0, 1) + frames[:, link, :3, 3]
    for link in sorted({pair.second.link for pair in pairs} - {WORLD}):
        theirs = [index for index, pair in enumerate(pairs) if pair.second.link == link]
        moved = found[theirs] - frames[:, link, :3, 3]
        found[theirs] = (moved[:, :, None, :] @ frames[:, link, :3, :3])[:, :, 0]
    offsets = np.stack([pair.second.offset for pair in pairs])
    return (found - offsets[:, None, :3, 3]) @ offsets[:, :3, :3]
