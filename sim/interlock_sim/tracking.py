"""How closely the simulated arm follows its commands: the number that a profile states as tracking error."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from interlock.arrays import FloatArray
from interlock.motion import Plan
from interlock.profile import Profile
from interlock.scene import Cell

from .path import PEAK_ACCELERATION, PEAK_SPEED, min_jerk
from .policy import PERIOD_S
from .tasks import start_positions
from .track import STEP_NS, following
from .watch import Intended
from .world import World

SHARE = 0.9  # of the profile's speed and acceleration
SWING_RAD = 0.8


@dataclass(frozen=True, slots=True)
class Tracking:
    """One joint: the largest distance [rad] between command and measurement, and the largest measured speed [rad/s]."""

    joint: str
    error_rad: float
    speed_rad_s: float

    @property
    def line(self) -> str:
        """One line for people."""
        return f"{self.joint}: {1e3 * self.error_rad:.3f} mrad at up to {self.speed_rad_s:.2f} rad/s"


def measure_tracking(profile: Profile, cell: Cell) -> tuple[Tracking, ...]:
    """What each joint does while each in turn, and then all together, swings at 90 % of its speed or acceleration.

    The command is the straight line between rows at 50 Hz; the cell's bodies are left out: nothing is in the way.
    """
    count = len(profile.joints)
    home = start_positions(profile)
    hands = np.array([gripper.open for gripper in profile.grippers])
    world = World(profile, replace(cell, bodies=()), (), Intended(), positions=home, grippers=hands)
    errors, speeds = np.zeros(count), np.zeros(count)
    try:
        for which in [*np.eye(count), np.ones(count)]:
            for error, speed in _swing(world, home, which, hands):
                errors, speeds = np.maximum(errors, error), np.maximum(speeds, speed)
    finally:
        world.close()
    found = zip(profile.joint_names, errors.tolist(), speeds.tolist(), strict=True)
    return tuple(Tracking(joint, error, speed) for joint, error, speed in found)


def _swing(
    world: World, home: FloatArray, which: FloatArray, hands: FloatArray
) -> Iterator[tuple[FloatArray, FloatArray]]:
    """Swings the joints marked (n,) out and back; yields error and speed (n,) after each step."""
    joints = world.profile.joints
    middle = np.array([(joint.lower + joint.upper) / 2.0 for joint in joints])
    out = which * np.where(home < middle, SWING_RAD, -SWING_RAD)
    quickest = [
        max(PEAK_SPEED * SWING_RAD / joint.velocity, float(np.sqrt(PEAK_ACCELERATION * SWING_RAD / joint.acceleration)))
        for joint, chosen in zip(joints, which.tolist(), strict=True)
        if chosen
    ]
    rows = round(max(quickest) / SHARE / PERIOD_S)
    there = min_jerk(np.arange(rows + 1.0) / rows)
    share = np.concatenate([there, there[-2::-1]])
    times = world.now_ns + round(PERIOD_S * 1e9) * np.arange(len(share), dtype=np.int64)
    plan = Plan(times, home + share[:, None] * out, np.tile(hands, (len(share), 1)), int(times[-1]))
    world.follow(following(world.track, plan, world.now_ns))
    while world.now_ns < plan.end_ns:
        world.run_until(world.now_ns + STEP_NS)
        yield np.abs(plan.at(world.now_ns).positions - np.array(world.positions)), np.abs(np.array(world.velocities))
