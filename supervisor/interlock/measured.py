"""What a measured state says of itself, before anything is judged: whether it is one of this robot at all, and which
joints and grippers are where they cannot be. What follows from that is left to whoever asks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from .arrays import FloatArray
from .profile import Profile
from .scene import RobotState

SHOWN: Final = 9  # of the names or numbers of a state, in a message


def unusable(state: object, profile: Profile, *, speeds: bool = False) -> str:
    """Why nobody can tell from a state where this robot is; empty where that can be told: it names the profile's joints
    in order, and has as many positions and gripper values, all finite. `speeds`: as many finite velocities too.

    `checks.state` asks more than this and in parts, as each is a finding on record; it also judges how large they are.
    """
    if not isinstance(state, RobotState):
        return f"expected a RobotState, got {type(state).__name__}"
    if state.joints != profile.joint_names:
        return f"the state is of joints {list(state.joints)[:SHOWN]}; the robot has {list(profile.joint_names)}"
    joints, hands = len(profile.joints), len(profile.grippers)
    parts = [("positions", state.positions, joints), ("grippers", state.grippers, hands)]
    for name, found, count in [*parts, ("velocities", state.velocities, joints)] if speeds else parts:
        if found.shape != (count,) or not bool(np.isfinite(found).all()):
            return f"measured {name} must be {count} finite numbers, got {found[:SHOWN]}"
    return ""


@dataclass(frozen=True, slots=True)
class Astray:
    """A gripper or joint that is measured where it cannot be: its value and its two ends, in its unit."""

    name: str
    value: float
    unit: str
    low: float
    high: float


def astray(
    profile: Profile, positions: FloatArray, grippers: FloatArray, joint_slack: Sequence[float], hand_slack: float
) -> Iterator[Astray]:
    """The grippers, then the joints, that are NaN or beyond their travel by more than a slack. Of positions (n,) [rad],
    gripper values (g,) and joint_slack (n,) [rad], what has no counterpart is left out; hand_slack is a share of each
    gripper's travel.
    """
    hands = [
        (hand.name, hand.unit, min(hand.closed, hand.open), max(hand.closed, hand.open)) for hand in profile.grippers
    ]
    arms = [(joint.name, "rad", joint.lower, joint.upper) for joint in profile.joints]
    slacks = [hand_slack * (high - low) for _, _, low, high in hands]
    for movers, values, spare in ((hands, grippers, slacks), (arms, positions, joint_slack)):
        for (name, unit, low, high), value, slack in zip(movers, values.tolist(), spare, strict=False):
            if not low - slack <= value <= high + slack:
                yield Astray(name, value, unit, low, high)
