"""The simulated robot behind the core's robot port, and the simulated clock that steps its physics."""

from __future__ import annotations

import numpy as np

from interlock.permit import Permit
from interlock.scene import RobotState, Scene, SceneObject

from .track import braked, following
from .world import World

UNCERTAINTY_M = 0.002  # the poses in the scene are the physics' own; this is what a camera would be granted
STILL_M_S = 0.005  # slower than this is the physics' own trembling


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
        self._mode = mode
        self._target = target
        self._digest = world.profile.digest
        self._accelerations = np.array([joint.acceleration for joint in world.profile.joints])

    def read(self) -> tuple[RobotState, Scene]:
        """The measured state, and the scene: every thing that is not in the hand, as of now."""
        return read(self._world, self._mode, self._target)

    def follow(self, permit: Permit) -> None:
        """Goes over to the permitted plan at the plan's own time; raises PermitRefused."""
        plan = permit.use(self._digest, self._world.now_ns)
        self._world.follow(following(self._world.track, plan, self._world.now_ns))

    def brake(self) -> None:
        """Comes to rest along the path that it follows, within the profile's accelerations; the hand stays."""
        self._world.follow(braked(self._world.track, self._world.now_ns, self._accelerations))


def read(world: World, mode: str, target: str | None) -> tuple[RobotState, Scene]:
    """What the sensors of a world say now. A held object is in the state, not in the scene."""
    held = world.grip.held if world.grip is not None else None
    state = RobotState(
        seen_ns=world.now_ns,
        joints=world.profile.joint_names,
        positions=np.array(world.positions),
        velocities=np.array(world.velocities),
        grippers=np.array(world.grippers),
        held=held,
    )
    seen = tuple(_seen(world, thing.name) for thing in world.things if held is None or thing.name != held.name)
    return state, Scene(mode, seen, target)


def _seen(world: World, name: str) -> SceneObject:
    thing = next(thing for thing in world.things if thing.name == name)
    speed = world.speed_of(name)
    return SceneObject(
        name=name,
        shape=thing.shape,
        pose=world.pose_of(name),
        seen_ns=world.now_ns,
        uncertainty_m=UNCERTAINTY_M,
        speed_m_s=0.0 if speed < STILL_M_S else speed,
    )
