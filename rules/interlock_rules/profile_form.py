"""A robot's file as an author writes it; `profile_file` makes a profile of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, ConfigDict, StringConstraints

from interlock.chunk import Anchor, OnLoss, Polarity, Quantity, Rotation, Unit

from .forms import (
    AT_ORIGIN,
    FORM,
    URDF_PATTERN,
    Count,
    Digest,
    Name,
    Place,
    Plain,
    Text,
    Turn,
    Turns,
    parse_count,
)
from .quantities import GripperRange, GripperSpeed, quantity

JointSpeed = Annotated[float, quantity("angular speed", "positive")]
JointAcceleration = Annotated[float, quantity("angular acceleration", "positive")]
JointJerk = Annotated[float, quantity("angular jerk", "positive")]
Torque = Annotated[float, quantity("torque", "positive")]
Force = Annotated[float, quantity("force", "positive")]
Mass = Annotated[float, quantity("mass", "positive")]
Moment = Annotated[float, quantity("inertia", "any")]
Rate = Annotated[float, quantity("rate", "positive")]
Duration = Annotated[float, quantity("duration", "positive")]
Angle = Annotated[float, quantity("angle", "positive")]


@dataclass(frozen=True, slots=True)
class JointForm:
    """One joint: its travel, its limits, how far it lags behind its command, and where each number comes from."""

    name: Name
    position: GripperRange
    velocity: JointSpeed
    acceleration: JointAcceleration
    tracking: Angle
    source: Name
    tracking_source: Name
    jerk: JointJerk | None = None
    torque: Torque | None = None


@dataclass(frozen=True, slots=True)
class UrdfCopyForm:
    """One of several robots of the same URDF: the prefix of all its names, and its place in their common base."""

    prefix: Name
    at: Place = AT_ORIGIN
    rpy: Turns = AT_ORIGIN


@dataclass(frozen=True, slots=True)
class UrdfForm:
    """A URDF as `package:path` in an installed Python package, the SHA-256 of its bytes, and one of all the meshes that
    its collision geometry names, if any: of the lines `<SHA-256>  <path in the package>`, by path, each file once.
    With copies the robot is several of it.
    """

    file: Annotated[str, StringConstraints(pattern=URDF_PATTERN)]
    sha256: Digest
    meshes_sha256: Digest | None = None
    copies: tuple[UrdfCopyForm, ...] = ()


@dataclass(frozen=True, slots=True)
class LockedJointForm:
    """A joint that turns in the URDF and that nobody commands: where it is taken to stand, and why."""

    joint: Name
    at: Turn
    because: Text


@dataclass(frozen=True, slots=True)
class FingerForm:
    """A finger's joint in the URDF, and its position per unit of the gripper's value."""

    joint: Name
    share: Plain


@dataclass(frozen=True, slots=True)
class GripperForm:
    """A gripper: its values from closed to open, its speed, its force, and the fingers that it moves."""

    name: Name
    travel: GripperRange
    speed: GripperSpeed
    source: Name
    force: Force | None = None
    fingers: tuple[FingerForm, ...] = ()


@dataclass(frozen=True, slots=True)
class ToolPointForm:
    """A tool centre point in the frame of a link."""

    name: Name
    link: Name
    at: Place = AT_ORIGIN
    rpy: Turns = AT_ORIGIN


@dataclass(frozen=True, slots=True)
class PoseForm:
    """Joint positions with a name, in the order of the joints."""

    name: Name
    joints: tuple[Turn, ...]


@dataclass(frozen=True, slots=True)
class InertiaForm:
    """Mass, centre of mass in the link's frame, and the tensor xx, xy, xz, yy, yz, zz about it, along link axes."""

    link: Name
    mass: Mass
    com: Place
    tensor: tuple[Moment, Moment, Moment, Moment, Moment, Moment]
    source: Name


@dataclass(frozen=True, slots=True)
class AllowedCollisionForm:
    """Two links whose distance is not judged, and why."""

    pair: tuple[Name, Name]
    because: Text


@dataclass(frozen=True, slots=True)
class ChannelForm:
    """A column of a chunk, for the joint or gripper `of`; `of: joints` is one column for every joint, in order.

    With ee_position or ee_rotation `of` is a tool point, and there is one column for each of its coordinates, in the
    order that `rotation` has.
    """

    of: Name
    group: Name
    quantity: Quantity
    reference: Anchor
    unit: Unit
    frame: Name = "joint"
    rotation: Rotation = "none"
    polarity: Polarity = "none"
    on_loss: OnLoss = "hold"


@dataclass(frozen=True, slots=True)
class LayoutForm:
    """What the columns of a chunk mean, in order."""

    name: Name
    channels: tuple[ChannelForm, ...]


@dataclass(frozen=True, slots=True)
class StoppingForm:
    """The worst measured stop at full speed: its time, and the angle of each joint."""

    time: Duration
    angles: tuple[Angle, ...]
    source: Name


@dataclass(frozen=True, slots=True)
class ProfileForm:
    """A robot's file. `sources` gives each source that is named anywhere in it."""

    __pydantic_config__: ClassVar[ConfigDict] = FORM
    format: Literal["interlock/profile/1"]
    name: Name
    sources: dict[Name, Text]
    joints: tuple[JointForm, ...]
    control_rate: Rate
    interpolation: Literal["linear", "cubic"]
    layouts: tuple[LayoutForm, ...]
    stop_category: Annotated[Literal[0, 1, 2], BeforeValidator(parse_count)]
    vetoes_before_stop: Count
    grippers: tuple[GripperForm, ...] = ()
    poses: tuple[PoseForm, ...] = ()
    urdf: UrdfForm | None = None
    flange: Name | None = None
    hand_links: tuple[Name, ...] = ()
    tool_points: tuple[ToolPointForm, ...] = ()
    inertias: tuple[InertiaForm, ...] = ()
    allowed_collisions: tuple[AllowedCollisionForm, ...] = ()
    locked: tuple[LockedJointForm, ...] = ()
    stopping: StoppingForm | None = None
