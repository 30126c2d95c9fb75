"""A robot in its cell, simulated at 1 kHz: motors that follow a track, hands that hold, and a watch on it all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from interlock.arrays import FloatArray
from interlock.errors import UnusableInput
from interlock.geometry import Pose, Vector
from interlock.profile import Profile
from interlock.scene import Cell, Held

from ._bullet import Bullet, Pixels, Touch
from .hands import Grasp, Hands, Thing
from .track import EASING, STEP_NS, Track, at_rest, eased
from .urdf import described, urdf_text
from .watch import Intended, Watch

__all__ = ["Thing", "World"]

# The motors give up to this share of the profile's torque: an excess can then be seen, where a motor that stops at the
# limit would only lag behind.
HEADROOM = 1.25
GAIN = 0.1  # the share of a position error that the motors take back in each step
FINGER_GAIN = 0.05
FINGER_N = 20.0  # where the profile gives no force
GRIP_FRICTION = 1.0
CAMERA: Vector = (1.25, 0.42, 1.18)  # where the cell's camera stands, and what it looks at [m, world]
CAMERA_TARGET: Vector = (0.34, 0.0, 0.38)


class World:
    """One simulated cell; `close` ends it. Time starts at `start_ns` with the robot at rest.

    positions, velocities, torques: what was measured after the last step, in the order of the profile.
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
        self.now_ns = start_ns
        self.things = things
        self.watch = Watch(profile, intended)
        self._bullet = Bullet(STEP_NS / 1e9)
        robot = described(profile)
        self._robot = self._bullet.load_robot(urdf_text(profile, robot, visuals=False), cell.mount, robot.joints)
        self._links = self._bullet.links(self._robot)
        fixed = {self._bullet.add(shape, body.pose): body.name for body in cell.bodies for shape in body.convex}
        moved = {self._bullet.add(item.shape, item.pose, item.mass_kg, GRIP_FRICTION): item for item in things}
        self._bodies = {thing.name: body for body, thing in moved.items()}
        self._names = fixed | {body: thing.name for body, thing in moved.items()}
        self._link_names = {index: name for name, index in self._links.items()}
        self._silence(fixed)
        indices = self._bullet.joints(self._robot)
        self._arm = _indices(indices, profile.joint_names)
        self._hands = Hands(profile, indices, grippers.tolist(), STEP_NS / 1e9)
        self._grasp = Grasp(self._bullet, self._robot, profile, self._hands, moved)
        fingers = self._hands.fingers
        self._motors = [*self._arm, *(finger.joint for finger in fingers)]
        self._efforts = [*_torques(profile), *(profile.grippers[finger.hand].force_n or FINGER_N for finger in fingers)]
        self._gains = [GAIN] * len(self._arm) + [FINGER_GAIN] * len(fingers)
        self._bullet.set_joints(self._robot, self._motors, [*positions.tolist(), *self._hands.targets()])
        self._took_over_ns = start_ns
        self._targets: list[list[float]] = [positions.tolist()]
        self._speeds: list[list[float]] = [[0.0] * len(positions)]
        self.follow(at_rest(start_ns, positions, grippers))
        self._read()

    @property
    def grippers(self) -> tuple[float, ...]:
        """What the hands measured after the last step, in the order of the profile."""
        return self._hands.measured(self._finger_positions)

    @property
    def held(self) -> Held | None:
        """What is in the hand."""
        return None if self._grasp.grip is None else self._grasp.grip.held

    def close(self) -> None:
        """Ends the simulation."""
        self._bullet.close()

    def follow(self, track: Track) -> None:
        """From now on the motors follow this track."""
        self.track = track
        index = self._index()
        rounded = track.rounded(self.now_ns)
        rounded = np.concatenate([rounded, np.repeat(rounded[-1:], EASING, axis=0)])
        rounded = eased(rounded, np.array(self._targets[index]), np.array(self._speeds[index]))
        speeds = np.diff(rounded, axis=0, append=rounded[-1:]) / (STEP_NS / 1e9)
        self._targets = rounded.tolist()
        self._speeds = speeds.tolist()
        self._wanted: list[list[float]] = track.window(self.now_ns, len(rounded))[1].tolist()
        self._took_over_ns = self.now_ns

    def run_until(self, when_ns: int) -> None:
        """Steps the physics up to a moment; once a NaN has silenced it, only the time goes on."""
        while self.now_ns + STEP_NS <= when_ns:
            if not self.watch.blind:
                self._step()
            self.now_ns += STEP_NS

    def _index(self) -> int:
        """Which of the commands is due."""
        return min((self.now_ns - self._took_over_ns) // STEP_NS, len(self._targets) - 1)

    def _step(self) -> None:
        index = self._index()
        self._hands.move(self._wanted[index])
        fingers = self._hands.targets()
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

    def _read(self) -> None:
        reading = self._bullet.read(self._robot, self._motors)
        count = len(self._arm)
        self.positions = reading.positions[:count]
        self.velocities = reading.velocities[:count]
        self.torques = reading.efforts[:count]
        self._finger_positions = reading.positions[count:]

    def _feel(self) -> None:
        """Shows the watch every contact of the robot and of what it holds, and lets the hand feel them."""
        touches = self._bullet.touches(self._robot)
        self._show(touches)
        grip = self._grasp.grip
        if grip is not None:
            self._show(self._bullet.touches(grip.body))
        if touches or grip is not None:
            self._grasp.feel(touches, self._finger_positions)

    def _show(self, touches: Sequence[Touch]) -> None:
        for touch in touches:
            a, b = self._name(touch.a, touch.link_a), self._name(touch.b, touch.link_b)
            self.watch.saw_contact(self.now_ns, a, b, touch.depth_m, touch.point)

    def _name(self, body: int, link: int) -> str:
        return self._link_names[link] if body == self._robot else self._names[body]

    def _silence(self, fixed: Iterable[int]) -> None:
        """The pairs of links that the profile allows, and the base on what it stands on, never touch."""
        for pair in self.profile.allowed_collisions:
            if pair.a in self._links and pair.b in self._links:
                self._bullet.let_touch(self._robot, self._links[pair.a], self._robot, self._links[pair.b], on=False)
        for body in fixed:
            self._bullet.let_touch(self._robot, -1, body, -1, on=False)

    def photograph(self, width: int, height: int) -> Pixels:
        """What the cell's camera sees now (height, width, 3): the shapes that collide, some ms of drawing."""
        return self._bullet.photograph(CAMERA, CAMERA_TARGET, width, height)

    def pose_of(self, thing: str) -> Pose:
        """Where a thing is in the world."""
        return self._bullet.pose(self._bodies[thing])

    def speed_of(self, thing: str) -> float:
        """How fast a thing's centre moves [m/s]."""
        return self._bullet.speed_m_s(self._bodies[thing])

    def link_pose(self, link: str) -> Pose:
        """Where a link's frame is in the world."""
        return self._bullet.link_pose(self._robot, self._links[link])


def _torques(profile: Profile) -> list[float]:
    """What each motor can give [N m]; raises UnusableInput where the profile has no limit."""
    given = [HEADROOM * joint.torque for joint in profile.joints if joint.torque is not None]
    if len(given) != len(profile.joints):
        raise UnusableInput(f"profile {profile.name!r}: a joint without a torque limit cannot be simulated")
    return given


def _indices(joints: dict[str, int], names: tuple[str, ...]) -> list[int]:
    missing = [name for name in names if name not in joints]
    if missing:
        raise UnusableInput(f"the URDF has no joint {missing[0]!r}; it has: {', '.join(joints)}")
    return [joints[name] for name in names]
