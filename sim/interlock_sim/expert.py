"""A scripted expert: knows its whole path, and says the next rows of it from wherever the robot is when it is asked."""

from __future__ import annotations

import numpy as np

from interlock.arrays import FloatArray
from interlock.motion import Reference
from interlock.robots import Asked

from .path import JointPath, min_jerk
from .policy import EXECUTED, PERIOD_S, ROWS

ROW_NOISE_RAD = 5e-5
RAMP_S = 0.5  # from standstill to the path's own speed
RETURN_S = 0.4  # back to the path, at least
RETURN_RAD_S2 = 2.0  # back to the path, at most with this acceleration
SLOW_RAD_S = 0.06  # below this the path's own speed says nothing about how fast the robot goes along it
ON_PACE = 0.9
BACK_S, AHEAD_S = 1.2, 1.2  # how far around the expected path time the robot is looked for
LATE_WEIGHT = 1e-4  # [rad^2/s^2] between two places that fit alike, the one nearer in time wins
HAND_WEIGHT = 0.01  # [rad^2/m^2]
HAND_M_S = 0.09  # how fast the hand moves towards the value that the path asks for


class Expert:
    """Rows along one path, continuing from the reference: seamless where the robot is on pace, with a ramp where it was
    slowed or stopped, and gently back where it was pushed off the path. The robot is expected at path time `at_s`.
    """

    def __init__(self, path: JointPath, rng: np.random.Generator, at_s: float = 0.0) -> None:
        self._path = path
        self._rng = rng
        self._expected_s = at_s

    def rows(self, asked: Asked) -> FloatArray:
        """The next ROWS rows, (ROWS, n + 1)."""
        reference = asked.reference
        here_s = self._find(reference)
        elapsed = PERIOD_S * np.arange(1.0, ROWS + 1.0)
        when = here_s + _elapsed_on_path(elapsed, self._pace(here_s, reference))
        self._expected_s = float(when[EXECUTED - 1])
        off = reference.positions - self._path.positions(np.array([here_s]))[0]
        back_s = max(
            RETURN_S, float(np.sqrt(5.8 * np.abs(off).max() / RETURN_RAD_S2))
        )  # 5.8: peak of min_jerk's second derivative
        positions = self._path.positions(when) + off * (1.0 - min_jerk(elapsed / back_s))[:, None]
        noise = self._rng.uniform(-ROW_NOISE_RAD, ROW_NOISE_RAD, (ROWS, len(off)))
        far = HAND_M_S * elapsed[:, None]
        hand = np.clip(self._path.hand(when), reference.grippers - far, reference.grippers + far)
        return np.concatenate([positions + noise, hand], axis=1)

    def _find(self, reference: Reference) -> float:
        """The path time whose place is nearest to the reference."""
        around = np.arange(-BACK_S, AHEAD_S, PERIOD_S / 4.0) if self._expected_s > 0.0 else np.zeros(1)
        times = np.clip(self._expected_s + around, 0.0, self._path.end_s)
        off = ((self._path.positions(times) - reference.positions) ** 2).sum(axis=1)
        hand = ((self._path.hand(times) - reference.grippers) ** 2).sum(axis=1)
        late = (times - self._expected_s) ** 2
        return float(times[np.argmin(off + HAND_WEIGHT * hand + LATE_WEIGHT * late)])

    def _pace(self, here_s: float, reference: Reference) -> float:
        """The robot's speed along the path as a share of the path's own, 0 to 1; 1 where that cannot be said."""
        before, now = self._path.positions(np.array([here_s - PERIOD_S, here_s]))
        own = (now - before) / PERIOD_S
        square = float(own @ own)
        if square < SLOW_RAD_S**2:
            return 1.0
        pace = float(own @ reference.velocities) / square
        return 1.0 if pace > ON_PACE else max(pace, 0.0)


def _elapsed_on_path(elapsed_s: FloatArray, pace: float) -> FloatArray:
    """Path time that goes by, where the pace rises to 1 along a smooth step of RAMP_S."""
    x = np.minimum(elapsed_s / RAMP_S, 1.0)
    ramp_s = RAMP_S * (x**3 - x**4 / 2.0) + np.maximum(elapsed_s - RAMP_S, 0.0)
    return pace * elapsed_s + (1.0 - pace) * ramp_s
