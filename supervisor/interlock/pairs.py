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
from .shapes import Side


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
    ours, theirs = (frames[:, [side.link for side in sides], :3] for sides in _sides(pairs))
    offsets = np.stack([pair.second.offset for pair in pairs])
    centres = np.stack([pair.first.centre for pair in pairs])
    world = np.einsum("npij,pj->npi", ours[..., :3], centres) + ours[..., 3]
    inside = np.einsum("npji,npj->npi", theirs[..., :3], world - theirs[..., 3])
    inside = np.einsum("pji,npj->npi", offsets[:, :3, :3], inside - offsets[:, :3, 3])
    low, high = np.stack([pair.second.low for pair in pairs]), np.stack([pair.second.high for pair in pairs])
    outside = np.linalg.norm(np.maximum(np.maximum(low - inside, inside - high), 0.0), axis=2)
    gaps = np.where(outside > 0.0, outside, -np.inf) - np.array([pair.first.ball for pair in pairs])
    chords = np.linalg.norm(np.diff(inside, axis=0, prepend=inside[:1]), axis=2)
    before = np.concatenate([gaps[:1], gaps[:-1]])
    return np.asarray((gaps + before - chords).T / 2.0 - bends)


def _sides(pairs: Sequence[Pair]) -> tuple[list[Side], list[Side]]:
    return [pair.first for pair in pairs], [pair.second for pair in pairs]
