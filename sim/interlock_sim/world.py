"""A robot in its cell, simulated at 1 kHz: motors that follow a track, a hand that holds things, a watch on it all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from interlock.arrays import FloatArray
from interlock.errors import UnusableInput
from interlock.geometry import Pose, Shape
from interlock.profile import Profile
from interlock.scene import Cell, Held

from ._bullet import Bullet, JointReading, Touch
from .poses import pose_of
from .track import STEP_NS, Track, at_rest
from .urdf import urdf_text
from .watch import Intended, Watch

# The motors give up to this share of the profile's torque: an excess can then be seen, where a motor that stops at the
# limit would only lag behind.
HEADROOM = 1.25
GAIN = 0.1  # the share of a position error that the motors take back in each step
FINGER_GAIN = 0.05
GRIP_FRICTION = 1.0
HOLD_N = 100.0  # what tears a held object out of the hand
SQUEEZE_M = 0.0005  # a hand is squeezing if it is told to be narrower than it is by so much
LOOSER_M = 0.001  # a hand that opens by so much lets go


@dataclass(frozen=True, slots=True)
class Thing:
    """An object of the scene: where it begins [world], and its mass [kg] (0: it is fixed)."""

    name: str
    shape: Shape
    pose: Pose
    mass_kg: float


@dataclass(frozen=True, slots=True)
class _Grip:
    """What the hand holds: the thing, what holds it, how wide the hand was, and its place in the flange's frame."""

    thing: Thing
    fixed: int
    width: float
    held: Held


class World:
    """One simulated cell; `close` ends it. Time starts at `start_ns` with the robot at rest.

    A grasp is a fixed joint between hand and object, made when all fingers touch it while the hand squeezes, undone
    when the hand opens: friction between boxes slips in PyBullet in ways that no rubber finger does.
    """

    def __init__(
        self,
        profile: Profile,
        cell: Cell,
        things: tuple[Thing, ...],
        intended: Intended,
        *,
        positions: FloatArray,
        grippers: FloatArray,
        start_ns: int = 0,
    ) -> None:
        self.profile = profile
        self.cell = cell
        self.now_ns = start_ns
        self.watch = Watch(profile, intended)
        self.things = things
        self.grip: _Grip | None = None
        self._bullet = Bullet(STEP_NS / 1e9)
        self._robot = self._bullet.load_robot(urdf_text(profile, visuals=False), cell.mount)
        self._links = self._bullet.links(self._robot)
        self._link_names = {index: name for name, index in self._links.items()}
        self._bodies = {
            thing.name: self._bullet.add(thing.shape, thing.pose, thing.mass_kg, GRIP_FRICTION) for thing in things
        }
        fixed = {body.name: self._bullet.add(body.shape, body.pose) for body in cell.bodies}
        self._names = {body: name for name, body in (fixed | self._bodies).items()}
        self._filter(list(fixed.values()))
        joints = self._bullet.joints(self._robot)
        self._arm = _indices(joints, profile.joint_names)
        self._fingers = [
            (joints[finger.joint], finger.share, number)
            for number, gripper in enumerate(profile.grippers)
            for finger in gripper.fingers
        ]
        self._motors = [*self._arm, *(joint for joint, _, _ in self._fingers)]
        self._efforts = self._limits()
        self._gains = [GAIN] * len(self._arm) + [FINGER_GAIN] * len(self._fingers)
        self._widths = [float(value) for value in grippers]
        self._bullet.set_joints(self._robot, self._motors, [*positions.tolist(), *self._finger_positions()])
        self.follow(at_rest(start_ns, positions, grippers))
        self._read()

    def _limits(self) -> list[float]:
        torques = [joint.torque for joint in self.profile.joints]
        if any(torque is None for torque in torques):
            raise UnusableInput(f"profile {self.profile.name!r}: a joint without a torque limit cannot be simulated")
        hands = [gripper.force_n for gripper in self.profile.grippers for _ in gripper.fingers]
        return [HEADROOM * (torque or 0.0) for torque in torques] + [force or 20.0 for force in hands]

    def _filter(self, fixed: list[int]) -> None:
        """Silences the pairs of links that the profile allows, and the base on what it stands on."""
        for allowed in self.profile.allowed_collisions:
            if allowed.a in self._links and allowed.b in self._links:
                self._bullet.let_touch(
                    self._robot, self._links[allowed.a], self._robot, self._links[allowed.b], on=False
                )
        for body in fixed:
            self._bullet.let_touch(self._robot, -1, body, -1, on=False)

    def close(self) -> None:
        """Ends the simulation."""
        self._bullet.close()

    def follow(self, track: Track) -> None:
        """From now on the motors follow this track."""
        self.track = track
        rounded = track.rounded(self.now_ns)
        speeds = np.diff(rounded, axis=0, append=rounded[-1:]) / (STEP_NS / 1e9)
        self._targets: list[list[float]] = rounded.tolist()
        self._speeds: list[list[float]] = speeds.tolist()
        self._wanted: list[list[float]] = track.window(self.now_ns, len(rounded))[1].tolist()
        self._began_ns = self.now_ns

    def run_until(self, when_ns: int) -> None:
        """Steps the physics up to a moment; once a NaN has silenced it, only the time goes on."""
        while self.now_ns + STEP_NS <= when_ns:
            if not self.watch.blind:
                self._step()
            self.now_ns += STEP_NS

    def _step(self) -> None:
        index = min((self.now_ns - self._began_ns) // STEP_NS, len(self._targets) - 1)
        self._move_hands(self._wanted[index])
        fingers = self._finger_positions()
        self._bullet.drive(
            self._robot,
            self._motors,
            self._targets[index] + fingers,
            self._speeds[index] + [0.0] * len(fingers),
            self._efforts,
            self._gains,
        )
        self._bullet.step()
        self._read()
        self.watch.saw_joints(self.now_ns, self.positions, self.velocities, self.torques)
        self._feel()

    def _move_hands(self, wanted: list[float]) -> None:
        """The hands' commanded values go towards what is wanted, at most at the profile's speed."""
        step_s = STEP_NS / 1e9
        for number, (value, gripper) in enumerate(zip(wanted, self.profile.grippers, strict=True)):
            change = min(max(value - self._widths[number], -gripper.speed * step_s), gripper.speed * step_s)
            self._widths[number] += change

    def _finger_positions(self) -> list[float]:
        return [self._widths[number] * share for _, share, number in self._fingers]

    def _read(self) -> None:
        reading = self._bullet.read(self._robot, self._motors)
        count = len(self._arm)
        self.positions = reading.positions[:count]
        self.velocities = reading.velocities[:count]
        self.torques = reading.efforts[:count]
        self.grippers = self._hand_values(reading)

    def _hand_values(self, reading: JointReading) -> tuple[float, ...]:
        """What each hand measures: the mean over its fingers of position over share."""
        count = len(self._arm)
        found: list[list[float]] = [[] for _ in self.profile.grippers]
        for position, (_, share, number) in zip(reading.positions[count:], self._fingers, strict=True):
            found[number].append(position / share)
        return tuple(sum(values) / len(values) for values in found)

    def _feel(self) -> None:
        """Shows the watch every contact, and takes hold or lets go."""
        touches = self._bullet.touches(self._robot)
        self._watch_touches(touches)
        if self.grip is None:
            if touches:
                self._take(touches)
        else:
            self._watch_touches(self._bullet.touches(self._bodies[self.grip.thing.name]))
            if self._widths[0] > self.grip.width + LOOSER_M:
                self._let_go(self.grip)

    def _watch_touches(self, touches: tuple[Touch, ...]) -> None:
        for touch in touches:
            a, b = self._name(touch.a, touch.link_a), self._name(touch.b, touch.link_b)
            self.watch.saw_contact(self.now_ns, a, b, touch.depth_m, touch.point)

    def _name(self, body: int, link: int) -> str:
        return self._link_names[link] if body == self._robot else self._names[body]

    def _take(self, touches: tuple[Touch, ...]) -> None:
        """Takes hold of a movable thing that every finger of the first hand touches while it squeezes."""
        if self._widths[0] > self.grippers[0] - SQUEEZE_M:
            return
        touched = {(touch.link_a, touch.b) for touch in touches if touch.a == self._robot}
        fingers = {
            joint for joint, _, number in self._fingers if number == 0
        }  # a joint has the index of the link that it moves
        for thing in self.things:
            body = self._bodies[thing.name]
            if thing.mass_kg > 0.0 and all((finger, body) in touched for finger in fingers):
                self._hold(thing, body)
                return

    def _hold(self, thing: Thing, body: int) -> None:
        hand = self._links[self.profile.hand_links[0]]
        flange = self._bullet.link_pose(self._robot, self._links[self.profile.flange])
        place = _relative(flange, self._bullet.pose(body))
        held = Held(thing.name, thing.shape, place, thing.mass_kg)
        fixed = self._bullet.fix(self._robot, hand, body, HOLD_N)
        self.grip = _Grip(thing, fixed, self.grippers[0], held)
        self._let_fingers_touch(body, on=False)  # the fixed joint holds; squeezing as well would only cost time

    def _let_go(self, grip: _Grip) -> None:
        self._bullet.release(grip.fixed)
        self._let_fingers_touch(self._bodies[grip.thing.name], on=True)
        self.grip = None

    def _let_fingers_touch(self, body: int, *, on: bool) -> None:
        for finger, _, number in self._fingers:
            if number == 0:
                self._bullet.let_touch(self._robot, finger, body, -1, on=on)

    def pose_of(self, thing: str) -> Pose:
        """Where a thing is in the world."""
        return self._bullet.pose(self._bodies[thing])

    def speed_of(self, thing: str) -> float:
        """How fast a thing's centre moves [m/s]."""
        return self._bullet.speed_m_s(self._bodies[thing])

    def link_pose(self, link: str) -> Pose:
        """Where a link's frame is in the world."""
        return self._bullet.link_pose(self._robot, self._links[link])


def _indices(joints: dict[str, int], names: tuple[str, ...]) -> list[int]:
    missing = [name for name in names if name not in joints]
    if missing:
        raise UnusableInput(f"the URDF has no joint {missing[0]!r}; it has: {', '.join(joints)}")
    return [joints[name] for name in names]


def _relative(frame: Pose, pose: Pose) -> Pose:
    """A pose of the world in a frame of the world."""
    return pose_of(np.linalg.inv(frame.matrix()) @ pose.matrix())
