"""panda-gym's environments with joint control, in the terms of the rule set `panda-gym`.

panda-gym turns an action into targets counted from where the joints are measured: 0.05 rad for each 1 of an action,
which it clips to -1 and 1, and 0.2 m of the hand's width. Its other control, displacements of the tool, goes through an
inverse kinematics of its own, and is not taken.
"""

from __future__ import annotations

from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from interlock.arrays import FloatArray, frozen
from interlock.chunk import Layout
from interlock.errors import UnusableInput
from interlock.motion import Reference
from interlock.rules import RuleSet
from interlock.scene import RobotState, Scene

JOINT_RAD: Final = 0.05
WIDTH_M: Final = 0.2
KNOWN: Final = {"panda", "plane", "table", "target"}  # what the set's cell knows, and the mark of a goal
Action = npt.NDArray[np.float32]


class _Robot(Protocol):
    """What is used of panda-gym's robot."""

    control_type: str
    block_gripper: bool

    def get_joint_angle(self, joint: int) -> float: ...
    def get_joint_velocity(self, joint: int) -> float: ...
    def get_fingers_width(self) -> float: ...


class PandaGymJoints:
    """The wiring of an environment of panda-gym's whose task has no objects. Raises UnusableInput for any other
    control, for a task with objects, which nobody would see, and for a rule set without its layout.
    """

    def __init__(self, env: Any, rules: RuleSet) -> None:
        self._robot: _Robot = env.unwrapped.robot
        if self._robot.control_type != "joints":
            raise UnusableInput(f"control_type is {self._robot.control_type!r}; expected 'joints'")
        things = set(env.unwrapped.sim._bodies_idx) - KNOWN  # noqa: SLF001 - it tells nobody else
        if things:
            raise UnusableInput(f"the task has {', '.join(sorted(things))}; expected nothing but {sorted(KNOWN)}")
        layouts = [layout for layout in rules.accepts.layouts if layout.name == "panda-gym-joints"]
        if not layouts:
            raise UnusableInput(f"{rules.name} does not take the layout panda-gym-joints; the set `panda-gym` does")
        self.layout: Layout = layouts[0]
        self.period_s: float = float(env.unwrapped.sim.dt)
        self._names = rules.profile.joint_names
        self._mode = rules.modes[0]
        self._hand = rules.profile.grippers[0]

    def see(self, now_ns: int) -> tuple[RobotState, Scene]:
        """The physics' own state, and no objects."""
        robot, count = self._robot, len(self._names)
        positions = np.array([robot.get_joint_angle(joint) for joint in range(count)])
        velocities = np.array([robot.get_joint_velocity(joint) for joint in range(count)])
        width = min(
            max(0.0, float(robot.get_fingers_width())), self._hand.open
        )  # a simulated finger sinks into its stop
        return RobotState(now_ns, self._names, positions, velocities, np.array([width])), Scene(self._mode, ())

    def row(self, action: Action, state: RobotState) -> FloatArray:
        """Targets of joints [rad] and of the hand's width [m]; raises ValueError for another shape."""
        found = np.asarray(action, dtype=np.float64)
        count = len(self._names) + (not self._robot.block_gripper)
        if found.shape != (count,):
            raise ValueError(f"an action has shape {found.shape}, expected {(count,)}")
        joints = state.positions + JOINT_RAD * np.clip(found[: len(self._names)], -1.0, 1.0)
        width = (
            state.grippers[0] if self._robot.block_gripper else state.grippers[0] + WIDTH_M * np.clip(found[-1], -1, 1)
        )
        return frozen(np.append(joints, np.clip(width, self._hand.closed, self._hand.open)))

    def action(self, told: Reference, state: RobotState) -> Action:
        """The action whose targets are the told place, as far as one step goes."""
        found = (told.positions - state.positions) / JOINT_RAD
        if not self._robot.block_gripper:
            found = np.append(found, (told.grippers - state.grippers) / WIDTH_M)
        return np.clip(found, -1.0, 1.0).astype(np.float32)
