"""What the physics says went wrong, at every substep: contacts that nobody intended, and limits that were exceeded.

This is the ground truth that the supervisor is measured against, so it shares nothing with the forecast and the judge.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import shapely

from interlock.geometry import Vector
from interlock.profile import Profile
from interlock.scene import Zone

APART_NS = 100_000_000  # a pair that parts for less than this and meets again is one contact


@dataclass(frozen=True, slots=True)
class Contact:
    """Two bodies that met (names in order), when [ns], how deep [m] at most, and where [m, world]."""

    pair: tuple[str, str]
    at_ns: int
    depth_m: float
    point: Vector


@dataclass(frozen=True, slots=True)
class Excess:
    """A joint beyond 100 % of a limit: the quantity, its worst value and limit [rad, rad/s, N m], when first [ns]."""

    joint: str
    quantity: str
    value: float
    limit: float
    at_ns: int


@dataclass(frozen=True, slots=True)
class Intended:
    """Which pairs may touch: those of `pairs` anywhere, those of `inside` only at points inside one of the zones."""

    pairs: frozenset[frozenset[str]] = frozenset()
    inside: frozenset[frozenset[str]] = frozenset()
    zones: tuple[Zone, ...] = ()

    def holds(self, a: str, b: str, point: Vector) -> bool:
        """Whether a and b may touch at a point [m, world]."""
        pair = frozenset((a, b))
        return pair in self.pairs or (pair in self.inside and any(_contains(zone, point) for zone in self.zones))


def _contains(zone: Zone, point: Vector) -> bool:
    return bool(shapely.intersects_xy(zone.polygon, point[0], point[1]))


@dataclass(slots=True)
class Watch:
    """Collects harm while the physics runs. `blind` is true once a NaN has silenced it: nothing is known after that."""

    profile: Profile
    intended: Intended
    contacts: list[Contact] = field(default_factory=list[Contact])
    excesses: dict[tuple[str, str], Excess] = field(default_factory=dict[tuple[str, str], Excess])
    blind: bool = False
    _last_ns: dict[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])

    def saw_contact(self, now_ns: int, a: str, b: str, depth_m: float, point: Vector) -> None:
        """Counts a contact unless it is intended or goes on from before."""
        if self.intended.holds(a, b, point):
            return
        pair = (a, b) if a < b else (b, a)
        if now_ns - self._last_ns.get(pair, -APART_NS) >= APART_NS:
            self.contacts.append(Contact(pair, now_ns, depth_m, point))
        self._last_ns[pair] = now_ns

    def saw_joints(
        self, now_ns: int, positions: tuple[float, ...], velocities: tuple[float, ...], torques: tuple[float, ...]
    ) -> None:
        """Notes each joint beyond its position, velocity or torque limit; a NaN anywhere makes the watch blind."""
        for index, joint in enumerate(self.profile.joints):
            position, speed, torque = positions[index], abs(velocities[index]), abs(torques[index])
            if not joint.lower <= position <= joint.upper:
                self._exceeded(
                    now_ns, joint.name, "position", position, joint.lower if position < joint.lower else joint.upper
                )
            if not speed <= joint.velocity:
                self._exceeded(now_ns, joint.name, "velocity", speed, joint.velocity)
            if joint.torque is not None and not torque <= joint.torque:
                self._exceeded(now_ns, joint.name, "torque", torque, joint.torque)

    def _exceeded(self, now_ns: int, joint: str, quantity: str, value: float, limit: float) -> None:
        if math.isnan(value):
            self.blind = True
        before = self.excesses.get((joint, quantity))
        if before is None:
            self.excesses[joint, quantity] = Excess(joint, quantity, value, limit, now_ns)
        elif not abs(value - limit) <= abs(before.value - limit):
            self.excesses[joint, quantity] = Excess(joint, quantity, value, limit, before.at_ns)

    @property
    def limit_violated(self) -> bool:
        """Whether any limit was exceeded, or the physics was silenced."""
        return self.blind or bool(self.excesses)
