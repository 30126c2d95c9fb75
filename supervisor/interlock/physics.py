"""What the judge asks of physics: torques and clearances; the answers depend on the arguments alone."""

from __future__ import annotations

from typing import Protocol

from .arrays import FloatArray
from .motion import Motion, RobotModel
from .rules import Clearance, Demand
from .scene import Held, Scene


class Physics(Protocol):
    """One robot in one cell. Built once from a profile and a cell; never shared between threads."""

    @property
    def model(self) -> RobotModel | None:
        """The robot's shape, or None for a profile without a URDF."""
        ...

    def torques(
        self, positions: FloatArray, velocities: FloatArray, accelerations: FloatArray, held: Held | None
    ) -> FloatArray | None:
        """Joint torques [N m], shape (N, n), gravity and held mass included; None for a profile without inertias."""
        ...

    def forecast(self, motion: Motion, scene: Scene, demands: tuple[Demand, ...]) -> tuple[Clearance, ...]:
        """One answer a demand, in order. Raises ForecastExhausted when the budget of queries is used up."""
        ...
