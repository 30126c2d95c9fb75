"""Physics with PyBullet, for one robot in one cell: its shape, its torques, and the answers to what rules demand."""

from __future__ import annotations

import math
import threading

import numpy as np

from ._bullet import Bullet
from .arrays import FloatArray, frozen
from .covers import balls_of
from .motion import Motion
from .obstacles import fixed_obstacles
from .profile import Profile
from .question import Question, Shapes
from .robot_model import UrdfRobot
from .rules import Clearance, Demand
from .scene import Cell, Held, Scene
from .torques import Torques


class BulletPhysics:
    """The Physics of a profile in a cell; without a URDF every clearance is undecided, and torques are None.

    Any thread may ask; one is answered at a time, because what is kept between answers is one for all.
    """

    def __init__(self, profile: Profile, cell: Cell) -> None:
        """Raises UnusableInput where the URDF cannot be used, PhysicsFailed where PyBullet does not see its canary."""
        self.model = None if profile.urdf is None else UrdfRobot(profile, cell)
        self._turn = threading.Lock()
        self._shapes = Shapes(fixed_obstacles(cell))
        self._bullet = Bullet()
        for side in () if self.model is None else self.model.sides.values():
            balls_of(side)
        self._torques = None if self.model is None or not profile.inertias else Torques(self.model)

    def torques(
        self, positions: FloatArray, velocities: FloatArray, accelerations: FloatArray, held: Held | None
    ) -> FloatArray | None:
        """Joint torques (N, n) [N m] with gravity and the held mass, NaN where an input is; None without inertias."""
        with self._turn:
            return None if self._torques is None else self._torques.of(positions, velocities, accelerations, held)

    def forecast(self, motion: Motion, scene: Scene, demands: tuple[Demand, ...]) -> tuple[Clearance, ...]:
        """One answer a demand, in order. Raises ForecastExhausted, and PhysicsFailed if PyBullet cannot be trusted."""
        with self._turn:
            if self.model is None or not np.isfinite(motion.positions).all():
                return tuple(_undecided(demand, len(motion)) for demand in demands)
            return Question(self.model, self._bullet, self._shapes, motion, scene).answer(demands)


def _undecided(demand: Demand, nodes: int) -> Clearance:
    least = np.where(demand.intervals, math.nan, math.inf)
    return Clearance(frozen(least), np.full(nodes, -1), (), frozen(np.full((nodes, 2, 3), math.nan)), 0)
