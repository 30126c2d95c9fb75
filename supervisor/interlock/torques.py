"""Inverse dynamics: the torques that a motion takes, from the profile's inertias, by PyBullet."""

from __future__ import annotations

import math

import numpy as np

from ._bullet import Bullet
from .arrays import FloatArray, frozen
from .dynamics import inertial_urdf
from .errors import UnusableInput
from .geometry import HalfSpace
from .robot_model import UrdfRobot
from .scene import Held

GRAVITY = np.array([0.0, 0.0, -9.80665])  # m/s^2, standard gravity (ISO 80000-3)


class Torques:
    """Torques of one robot in one cell; the robot is loaded once, and once for each thing it holds."""

    def __init__(self, model: UrdfRobot, bullet: Bullet) -> None:
        """Raises UnusableInput where an inertia names no link, or a link that a joint turns has none."""
        tree, inertias = model.kinematics, model.profile.inertias
        turned = {name for name, axis in zip(tree.links, tree.axes, strict=True) if axis.any()}
        given = {inertia.link for inertia in inertias}
        if given - set(tree.links) or turned - given:
            raise UnusableInput(
                f"inertias of unknown links {sorted(given - set(tree.links))}; links without: {sorted(turned - given)}"
            )
        self.model = model
        self.bullet = bullet
        self._last: tuple[Held | None, str] | None = None
        self.gravity = model.mount[:3, :3].T @ GRAVITY
        links = np.flatnonzero(tree.axes.any(axis=1))
        self.names = tuple(model.description.joints[link - 1].name for link in links.tolist())
        self.column, self.gain, self.offset = tree.column[links], tree.gain[links], tree.offset[links]
        self.shares = np.zeros(
            (len(links), len(model.profile.joints))
        )  # (d, n): whose torque each turning joint adds to
        self.shares[np.arange(len(links)), self.column] = self.gain

    def of(
        self, positions: FloatArray, velocities: FloatArray, accelerations: FloatArray, held: Held | None
    ) -> FloatArray:
        """Joint torques (N, n) [N m] for positions, velocities, accelerations (N, n); NaN in every row that is not
        finite, and in all rows where what is held has no pose, mass or size.
        """
        found = np.full(positions.shape, math.nan)
        if held is not None and not _weighable(held):
            return frozen(found)
        body = self._body(held)
        rows = np.isfinite(positions).all(1) & np.isfinite(velocities).all(1) & np.isfinite(accelerations).all(1)
        angles = positions[rows][:, self.column] * self.gain + self.offset
        rates, changes = (values[rows][:, self.column] * self.gain for values in (velocities, accelerations))
        torques = [self.bullet.inverse_dynamics(body, *one) for one in zip(angles, rates, changes, strict=True)]
        found[rows] = np.array(torques).reshape(angles.shape) @ self.shares
        return frozen(found)

    def _body(self, held: Held | None) -> str:
        """The loaded body of the robot with what it holds; the last one is kept at hand."""
        if self._last is not None and self._last[0] == held:
            return self._last[1]
        self._last = held, self._load(held)
        return self._last[1]

    def _load(self, held: Held | None) -> str:
        profile = self.model.profile
        text = inertial_urdf(self.model.description, frozenset(self.names), profile.inertias, profile.flange, held)
        self.bullet.load(text, self.names, self.gravity)
        return text


def _weighable(held: Held) -> bool:
    return held.pose.fault is None and 0.0 < held.mass_kg < math.inf and not isinstance(held.shape, HalfSpace)
