"""What a kind of rule is to the loader: a limit that knows its own mistakes, and an example that it must refuse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from interlock.arrays import FloatArray
from interlock.motion import RobotModel
from interlock.profile import Profile
from interlock.rules import Limit
from interlock.scene import Cell, Held, Person, SceneObject


@dataclass(frozen=True, slots=True, eq=False)
class Setup:
    """What a rule is loaded into: the robot, its shape (None: a profile without a URDF) and its cell; positions [rad]
    (n,) of a harmless pose; the period [s] and number of the rows that the set accepts; how old [s] people of a scene
    may be (None: no tracker sees them).
    """

    profile: Profile
    cell: Cell
    model: RobotModel | None
    home: FloatArray
    period_s: float
    rows: int
    people_s: float | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """A mistake that shows without a motion: the field it stands in (`zone`, `except[0].pair`), and what to do."""

    field: str
    message: str


@dataclass(frozen=True, slots=True, eq=False)
class Provoked:
    """A proposal that a rule must refuse: from rest at start (n,) [rad], rows (T, n) of absolute positions [rad] and
    gripper values (T, g) in the profile's unit; and what is around, seen at `seen_ns` 0.
    """

    start: FloatArray
    rows: FloatArray
    grippers: FloatArray
    objects: tuple[SceneObject, ...] = ()
    target: str | None = None
    held: Held | None = None
    people: tuple[Person, ...] = ()


class NoProvocation(Exception):
    """No motion was found that a rule refuses; the message says what was tried."""


class Kind(Limit, Protocol):
    """A rule kind of a rule file: a limit for the judge, with what the loader asks once."""

    def faults(self, setup: Setup) -> tuple[Fault, ...]:
        """Everything about this rule that can never be right here: unknown names, limits that nothing can measure."""
        ...

    def provoke(self, setup: Setup) -> Provoked:
        """A proposal that this rule must refuse, each time the same; it has no faults. Raises NoProvocation."""
        ...
