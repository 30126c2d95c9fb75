"""Limits on single joints: position, speed, acceleration, jerk and torque; each joint is measured on its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pydantic import ConfigDict

from .quantities import (
    Angle,
    AngularAccelerationOrShare,
    AngularJerkOrShare,
    AngularSpeedOrShare,
    Coordinate,
    Mass,
    TorqueOrShare,
)
from .reader import STRICT


@dataclass(frozen=True, slots=True)
class JointPosition:
    """Every joint stays `margin` [rad] away from both ends of its travel."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    kind: ClassVar[str] = "joint_position"
    margin: Angle


@dataclass(frozen=True, slots=True)
class JointVelocity:
    """No joint is faster than `max`."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    kind: ClassVar[str] = "joint_velocity"
    max: AngularSpeedOrShare
    towards_stop: AngularAccelerationOrShare | None = None


@dataclass(frozen=True, slots=True)
class JointAcceleration:
    """No joint accelerates or brakes harder than `max`."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    kind: ClassVar[str] = "joint_acceleration"
    max: AngularAccelerationOrShare


@dataclass(frozen=True, slots=True)
class JointJerk:
    """No joint changes its acceleration faster than `max`."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    kind: ClassVar[str] = "joint_jerk"
    max: AngularJerkOrShare


@dataclass(frozen=True, slots=True)
class Payload:
    """The most that the hand may hold: a mass [kg], its centre at `at` [m] in `frame` (`flange` or a tool point)."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    max_mass: Mass
    at: tuple[Coordinate, Coordinate, Coordinate]
    frame: str


@dataclass(frozen=True, slots=True)
class JointTorque:
    """No joint needs more torque than `max`, with what the hand holds; and the hand holds no more than `payload`."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    kind: ClassVar[str] = "joint_torque"
    max: TorqueOrShare
    payload: Payload
