"""The hands of a simulated robot: how their fingers move, and how the first of them holds a thing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from interlock.geometry import Pose, Shape
from interlock.profile import Profile
from interlock.scene import Held

from ._bullet import Bullet, Touch
from .poses import pose_of

HOLD_N = 100.0  # what tears a held thing out of the hand
SQUEEZE = 0.0005  # a hand is squeezing if it is told to be narrower than it is by so much of its unit
LOOSER = 0.001  # a hand that opens by so much lets go


@dataclass(frozen=True, slots=True)
class Thing:
    """An object of the scene: where it begins [world], and its mass [kg] (0: it is fixed)."""

    name: str
    shape: Shape
    pose: Pose
    mass_kg: float


@dataclass(frozen=True, slots=True)
class Finger:
    """A finger's joint, which has the index of the link that it moves; its share of a hand's value; which hand."""

    joint: int
    share: float
    hand: int


class Hands:
    """The commanded values of all hands, and the fingers that follow them."""

    def __init__(self, profile: Profile, joints: Mapping[str, int], values: Sequence[float], step_s: float) -> None:
        self.values = list(values)
        self.fingers = tuple(
            Finger(joints[finger.joint], finger.share, hand)
            for hand, gripper in enumerate(profile.grippers)
            for finger in gripper.fingers
        )
        self._steps = [gripper.speed * step_s for gripper in profile.grippers]

    def move(self, wanted: Sequence[float]) -> None:
        """The values go towards what is wanted for one step, at most at the profile's speed."""
        for hand, (value, step) in enumerate(zip(wanted, self._steps, strict=True)):
            self.values[hand] += min(max(value - self.values[hand], -step), step)

    def targets(self) -> list[float]:
        """Where each finger is told to be."""
        return [self.values[finger.hand] * finger.share for finger in self.fingers]

    def measured(self, positions: Sequence[float]) -> tuple[float, ...]:
        """What each hand measures: the mean over its fingers of position over share."""
        found: list[list[float]] = [[] for _ in self.values]
        for position, finger in zip(positions, self.fingers, strict=True):
            found[finger.hand].append(position / finger.share)
        return tuple(sum(values) / len(values) for values in found)


@dataclass(frozen=True, slots=True)
class Grip:
    """What the hand holds: the thing's body, what fixes it, how wide the hand was, and what a state reports."""

    body: int
    fixed: int
    width: float
    held: Held


class Grasp:
    """A fixed joint between the first hand and a thing, made when all fingers touch it while the hand squeezes, undone
    when the hand opens: friction between boxes slips in PyBullet in ways that no rubber finger does.
    """

    def __init__(self, bullet: Bullet, robot: int, profile: Profile, hands: Hands, things: Mapping[int, Thing]) -> None:
        links = bullet.links(robot)
        self.grip: Grip | None = None
        self._bullet = bullet
        self._robot = robot
        self._hands = hands
        self._things = things
        self._palm = links[profile.hand_links[0]] if profile.hand_links else -1
        self._flange = links[profile.flange]
        self._fingers = [finger.joint for finger in hands.fingers if finger.hand == 0]

    def feel(self, touches: Sequence[Touch], fingers: Sequence[float]) -> None:
        """Takes hold or lets go, by what touches the robot and where the fingers of all hands are measured to be."""
        if self.grip is not None:
            if self._hands.values[0] > self.grip.width + LOOSER:
                self._let_go(self.grip)
        elif self._fingers and self._hands.values[0] <= (width := self._hands.measured(fingers)[0]) - SQUEEZE:
            touched = {(touch.link_a, touch.b) for touch in touches if touch.a == self._robot}
            for body, thing in self._things.items():
                if thing.mass_kg > 0.0 and all((finger, body) in touched for finger in self._fingers):
                    self._take(body, thing, width)
                    return

    def _take(self, body: int, thing: Thing, width: float) -> None:
        flange = self._bullet.link_pose(self._robot, self._flange).matrix()
        place = pose_of(np.linalg.inv(flange) @ self._bullet.pose(body).matrix())
        fixed = self._bullet.fix(self._robot, self._palm, body, HOLD_N)
        self.grip = Grip(body, fixed, width, Held(thing.name, thing.shape, place, thing.mass_kg))
        self._let_fingers_touch(body, on=False)  # the fixed joint holds; squeezing as well would only cost time

    def _let_go(self, grip: Grip) -> None:
        self._bullet.release(grip.fixed)
        self._let_fingers_touch(grip.body, on=True)
        self.grip = None

    def _let_fingers_touch(self, body: int, *, on: bool) -> None:
        for finger in self._fingers:
            self._bullet.let_touch(self._robot, finger, body, -1, on=on)
