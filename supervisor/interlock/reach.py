"""How far points of one link can move, relative to another, when the joints between the two move: rigorous bounds.

Number the moving joints on the way from link A to link B as 1, 2, ..., k. Seen from A, turning joint j alone by e moves
a point of B by at most |e| times its distance from axis j. That distance is at most R_j, the lengths on the way from
axis j to B plus B's radius, in any pose. Turn them from k down to 1: axis j has not moved when its turn comes, and the
point has moved by at most sum_{i>j} |e_i| R_i, so that the whole move is at most

    sum_j |e_j| (lever_j(q) + sum_{i>j} |e_i| R_i),        lever_j(q): the largest distance from axis j to B in pose q.

On a straight joint path with steps d the second derivative of a point is sum_ij d_i d_j axis_i x (axis_j x r_j), with
r_j from axis j, the later of the two, to the point: at most M = sum_ij |d_i| |d_j| R_max(i,j). A path whose second
derivative is at most M stays within M / 8 of its chord.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from . import kernels
from .arrays import FloatArray, IntArray, frozen
from .kinematics import Kinematics


@dataclass(frozen=True, slots=True, eq=False)
class Route:
    """The k turning joints between two links, in order from A to B.

    columns, gains (k,): how a step of the joint values (m,) turns each. links (k,): the link whose frame carries the
    axis; axes (k, 3): the axis in that frame, through its origin. reaches (k,): from the axis to the origin of B at
    most [m].
    """

    columns: IntArray
    gains: FloatArray
    links: IntArray
    axes: FloatArray
    reaches: FloatArray

    def loosest(self, errors: FloatArray, radius: float) -> float:
        """What `deviation` [m] is at most, in any pose, for errors (m,)."""
        return float(np.abs(errors[self.columns] * self.gains) @ (self.reaches + radius))

    def sagitta(self, steps: FloatArray, radius: float) -> FloatArray:
        """How far [m] any point of B, at most `radius` from B's origin, leaves its chord; (N,) for steps (N, m)."""
        return kernels.sagitta(steps, self.columns, self.gains, self.reaches, radius)

    def deviation(
        self, errors: FloatArray, frames: FloatArray, steps: FloatArray, ball: Ball, radius: float
    ) -> FloatArray:
        """How far [m] any point of B is from its commanded place, at most, anywhere on each interval; (N,).

        errors (m,): largest deviation of each joint value. frames (N, L, 4, 4). steps (N, m): from node i - 1 to node
        i, 0 for node 0. ball: around B. radius [m]: of B about its own origin. Half a step more, from the nearer end
        of the interval, covers its inside.
        """
        return kernels.deviation(
            frames, ball.link, ball.centre, ball.radius, radius, steps, errors,
            self.columns, self.gains, self.links, self.axes, self.reaches,
        )  # fmt: skip


class Ball(NamedTuple):
    """A ball around a body: its link, the centre (3,) in that link's frame, the radius [m]."""

    link: int
    centre: FloatArray
    radius: float


def route(kinematics: Kinematics, start: int, end: int) -> Route:
    """The way between two links, by their indices."""
    lengths = np.linalg.norm(kinematics.terms[0, :, :3, 3], axis=1)
    up, down = _to_root(kinematics, start), _to_root(kinematics, end)
    while up and down and up[-1] == down[-1]:
        up.pop()
        down.pop()
    hops = [*((link, True) for link in up), *((link, False) for link in reversed(down))]
    found: list[tuple[int, float]] = []
    left = float(sum(lengths[link] for link, _ in hops))
    for link, upward in hops:
        after = left - float(lengths[link])
        if kinematics.gain[link] != 0.0 and kinematics.axes[link].any():
            found.append((link, left if upward else after))  # the axis stands at the child's end of the hop
        left = after
    links = np.array([link for link, _ in found], dtype=np.int64)
    reaches = np.array([max(reach, 0.0) for _, reach in found])  # a difference of sums may round to below 0
    columns, gains = kinematics.column[links], kinematics.gain[links]
    return Route(columns, frozen(gains), links, frozen(kinematics.axes[links]), frozen(reaches))


def _to_root(kinematics: Kinematics, link: int) -> list[int]:
    """The links from this one up to, and without, the root."""
    found: list[int] = []
    while link > 0:
        found.append(link)
        link = kinematics.parents[link]
    return found
