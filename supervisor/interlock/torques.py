"""Inverse dynamics: the torques that a motion takes, from the profile's inertias and what is held."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from . import kernels_dynamics
from .arrays import FloatArray, IntArray, frozen
from .errors import UnusableInput
from .geometry import HalfSpace
from .profile import Inertia
from .robot_model import UrdfRobot
from .scene import Held
from .shapes import side

GRAVITY: Final = np.array([0.0, 0.0, -9.80665])  # m/s^2, standard gravity (ISO 80000-3)


class Masses(NamedTuple):
    """Bodies as `kernels_dynamics.inverse_dynamics` takes them: the links that carry them (B,), their masses (B,) [kg],
    and in the frames of those links their centres (B, 3) [m] and tensors (B, 3, 3) [kg m^2].
    """

    carriers: IntArray
    masses: FloatArray
    middles: FloatArray
    tensors: FloatArray


class Torques:
    """Torques of one robot in one cell. The root never moves, and joints that do not turn stand still."""

    def __init__(self, model: UrdfRobot) -> None:
        """Raises UnusableInput where an inertia names no link, or a link that a joint turns has none."""
        tree, inertias = model.kinematics, model.profile.inertias
        turns = np.array([bool(axis.any()) for axis in tree.axes])
        turned = {name for name, turning in zip(tree.links, turns.tolist(), strict=True) if turning}
        given = {inertia.link for inertia in inertias}
        if given - set(tree.links) or turned - given:
            raise UnusableInput(
                f"inertias of unknown links {sorted(given - set(tree.links))}; links without: {sorted(turned - given)}"
            )
        self.model = model
        self._tree = (
            np.array(tree.parents, dtype=np.int64), tree.axes, np.where(turns, tree.column, 0),
            np.where(turns, tree.gain, 0.0), GRAVITY,
        )  # fmt: skip
        self._carriers = [model.index(inertia.link) for inertia in inertias]
        self._own = _masses(inertias, self._carriers)
        self._last: tuple[Held | None, Masses] = None, self._own

    def of(
        self, positions: FloatArray, velocities: FloatArray, accelerations: FloatArray, held: Held | None
    ) -> FloatArray:
        """Joint torques (N, n) [N m] for positions, velocities, accelerations (N, n); NaN in every row that is not
        finite, and in all rows where what is held has no pose, mass or size.
        """
        if held is not None and not _weighable(held):
            return frozen(np.full(positions.shape, math.nan))
        frames = self.model.frames(positions)
        found = kernels_dynamics.inverse_dynamics(frames, velocities, accelerations, *self._tree, *self._with(held))
        rows = np.isfinite(positions) & np.isfinite(velocities) & np.isfinite(accelerations)
        found[~rows.all(axis=1)] = math.nan
        return frozen(found)

    def _with(self, held: Held | None) -> Masses:
        """The bodies of the robot and what it holds; the last ones are kept at hand."""
        if held is None:
            return self._own
        last, masses = self._last  # read once: another thread may hold something else by now
        if last != held:
            flange = self.model.index(self.model.profile.flange)
            masses = _masses([*self.model.profile.inertias, held_inertia(held)], [*self._carriers, flange])
            self._last = held, masses
        return masses


def _masses(inertias: Sequence[Inertia], carriers: Sequence[int]) -> Masses:
    return Masses(
        np.array(carriers, dtype=np.int64),
        np.array([inertia.mass_kg for inertia in inertias]),
        np.array([inertia.com for inertia in inertias]),
        np.array([inertia.matrix for inertia in inertias]),
    )


def held_inertia(held: Held) -> Inertia:
    """The inertia of a held object, in the flange's frame: its mass spread evenly over the box around its shape."""
    around = side(held.shape, np.eye(4), 0)
    low, high = around.low, around.high
    x, y, z = (high - low).tolist()
    box = np.diag([y * y + z * z, x * x + z * z, x * x + y * y]) * (held.mass_kg / 12.0)
    pose = held.pose.matrix()
    turn = pose[:3, :3]
    tensor = turn @ box @ turn.T
    centre = (turn @ ((low + high) / 2.0) + pose[:3, 3]).tolist()
    xx, xy, xz, yy, yz, zz = tensor[np.triu_indices(3)].tolist()
    return Inertia("held", held.mass_kg, (centre[0], centre[1], centre[2]), (xx, xy, xz, yy, yz, zz), "its box")


def _weighable(held: Held) -> bool:
    return held.pose.fault is None and 0.0 < held.mass_kg < math.inf and not isinstance(held.shape, HalfSpace)
