"""The simulated robot behind the core's robot port, and the simulated clock that steps its physics."""

from __future__ import annotations

import math
from collections import deque

import numpy as np

from interlock.geometry import Pose, Vector
from interlock.motion import Plan
from interlock.permit import Permit
from interlock.scene import RobotState, Scene, SceneObject

from .track import following, stopped
from .world import Thing, World

UNCERTAINTY_M = 0.002  # the poses in the scene are the physics' own; this is what a camera would be granted
TRACKED_NS = 100_000_000  # a thing's speed is how far it went in so long, as a tracker has it
TREMBLING = 0.0002  # [m, and in each part of the quaternion] less is the physics' own trembling


class SimClock:
    """The time of a simulated world; sleeping steps its physics."""

    def __init__(self, world: World) -> None:
        self._world = world

    def now_ns(self) -> int:
        """The world's time [ns]."""
        return self._world.now_ns

    def sleep_until(self, when_ns: int) -> None:
        """Runs the world until that moment."""
        self._world.run_until(when_ns)


class SimRobot:
    """A robot that follows permitted plans in a simulated world."""

    def __init__(self, world: World, mode: str, target: str | None) -> None:
        self._world = world
        self._sensors = Sensors(world, mode, target)
        self._digest = world.profile.digest
        self._plan: Plan | None = None  # that it follows, until it is told to stop

    def read(self) -> tuple[RobotState, Scene]:
        """The measured state, and the scene: every thing that is not in the hand, as of now."""
        return self._sensors.read()

    def follow(self, permit: Permit) -> None:
        """Goes over to the permitted plan at the plan's own time; raises PermitRefused."""
        self._plan = permit.use(self._digest, self._world.now_ns)
        self._world.follow(following(self._world.track, self._plan, self._world.now_ns))

    def brake(self) -> None:
        """Stops along the plan that it follows, as that was judged; the hand stays as it is."""
        if self._plan is not None:
            self._world.follow(stopped(self._world.track, self._plan, self._world.now_ns))
            self._plan = None


class Sensors:
    """What is measured in a simulated world: the robot's state, and where the things are that it does not hold."""

    def __init__(self, world: World, mode: str, target: str | None) -> None:
        self._world = world
        self._mode = mode
        self._target = target
        self._known: dict[str, Pose] = {thing.name: world.pose_of(thing.name) for thing in world.things}
        self._places: deque[tuple[int, dict[str, Vector]]] = deque()

    def read(self) -> tuple[RobotState, Scene]:
        """State and scene as of now. A held object is in the state, not in the scene."""
        world = self._world
        held = world.held
        state = RobotState(
            seen_ns=world.now_ns,
            joints=world.profile.joint_names,
            positions=np.array(world.positions),
            velocities=np.array(world.velocities),
            grippers=np.array(world.grippers),
            held=held,
        )
        self._track()
        seen = tuple(self._seen(thing) for thing in world.things if held is None or thing.name != held.name)
        return state, Scene(self._mode, seen, self._target)

    def _track(self) -> None:
        """Takes note of where everything is; what only trembles is where it was."""
        for name, known in self._known.items():
            found = self._world.pose_of(name)
            before, after = (*known.xyz, *known.quat_xyzw), (*found.xyz, *found.quat_xyzw)
            if max(abs(a - b) for a, b in zip(after, before, strict=True)) > TREMBLING:
                self._known[name] = found
        now_ns = self._world.now_ns
        self._places.append((now_ns, {name: pose.xyz for name, pose in self._known.items()}))
        while self._places[0][0] < now_ns - TRACKED_NS:
            self._places.popleft()

    def _seen(self, thing: Thing) -> SceneObject:
        pose = self._known[thing.name]
        since_ns, places = self._places[0]
        moved_m = math.dist(pose.xyz, places[thing.name])
        return SceneObject(
            name=thing.name,
            shape=thing.shape,
            pose=pose,
            seen_ns=self._world.now_ns,
            uncertainty_m=UNCERTAINTY_M,
            speed_m_s=moved_m / max(self._world.now_ns - since_ns, 1) * 1e9,
        )
