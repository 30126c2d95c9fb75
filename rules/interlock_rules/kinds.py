"""Every kind of rule, in plain sight; a new kind is one line here."""

from __future__ import annotations

from typing import Any, Final

from .clearance import MinimumClearance
from .contact import ContactEnergy
from .gripper import GripperLimits
from .joints import JointAcceleration, JointJerk, JointPosition, JointVelocity
from .separation import Separation
from .singularity import Singularity
from .tool import LinkSpeed, TcpOrientation, TcpSpeed
from .torque import JointTorque
from .zones import KeepIn, KeepOut

KINDS: Final[dict[str, type[Any]]] = {
    "joint_position": JointPosition,
    "joint_velocity": JointVelocity,
    "joint_acceleration": JointAcceleration,
    "joint_jerk": JointJerk,
    "joint_torque": JointTorque,
    "tcp_speed": TcpSpeed,
    "link_speed": LinkSpeed,
    "tcp_orientation": TcpOrientation,
    "singularity": Singularity,
    "keep_in": KeepIn,
    "keep_out": KeepOut,
    "clearance": MinimumClearance,
    "gripper": GripperLimits,
    "separation": Separation,
    "contact_energy": ContactEnergy,
}
