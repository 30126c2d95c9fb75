"""What is known about a robot: limits with their sources, inertias, hands, poses. The tighter of profile and URDF wins
(F-27).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from .arrays import FloatArray
from .chunk import Layout, Unit
from .fields import check_fields
from .geometry import Pose, Vector
from .jsonform import digest_of
from .kept import kept

NO_MOMENT: Final = 1e-6  # of the largest moment: what rounding makes of a rod or a plate


@dataclass(frozen=True, slots=True)
class Joint:
    """Limits of one joint: position [rad], speed [rad/s], acceleration [rad/s^2], jerk [rad/s^3] and torque [N m]
    (None: not given), tracking error [rad] between command and measurement. Each number's source is in `source`.
    """

    name: str
    lower: float
    upper: float
    velocity: float
    acceleration: float
    tracking: float
    source: str
    jerk: float | None = None
    torque: float | None = None

    def __post_init__(self) -> None:
        check_fields(self)
        if not -math.inf < self.lower < self.upper < math.inf:
            raise ValueError(
                f"joint {self.name!r}: lower must be below upper, both finite, got {self.lower} and {self.upper}"
            )
        for name in ("velocity", "acceleration", "tracking", "jerk", "torque"):
            value = getattr(self, name)
            if value is not None and not 0.0 < value < math.inf:
                raise ValueError(f"joint {self.name!r}: {name} must be positive and finite, got {value}")


@dataclass(frozen=True, slots=True)
class Inertia:
    """Mass [kg], centre of mass [m, link frame] and inertia [kg m^2: xx, xy, xz, yy, yz, zz, about the centre of mass,
    link axes].
    """

    link: str
    mass_kg: float
    com: Vector
    tensor: tuple[float, float, float, float, float, float]
    source: str

    def __post_init__(self) -> None:
        check_fields(self)
        if not 0.0 <= self.mass_kg < math.inf or not all(map(math.isfinite, (*self.com, *self.tensor))):
            raise ValueError(
                f"inertia of {self.link!r}: mass, centre of mass and tensor must be finite, mass not negative"
            )
        smallest, middle, largest = self.moments
        if not largest <= (smallest + middle) * (1.0 + NO_MOMENT):  # which no negative one lets be
            raise ValueError(
                f"inertia of {self.link!r}: no body has the principal moments {smallest:g}, {middle:g} and {largest:g} "
                "kg m^2; none may be negative, or more than the other two together"
            )

    @property
    def matrix(self) -> FloatArray:
        """The tensor (3, 3) [kg m^2]."""
        xx, xy, xz, yy, yz, zz = self.tensor
        return np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])

    @property
    def moments(self) -> tuple[float, float, float]:
        """The principal moments of inertia [kg m^2], the smallest first."""
        one, two, three = np.linalg.eigvalsh(self.matrix).tolist()
        return one, two, three


@dataclass(frozen=True, slots=True)
class Gripper:
    """One gripper channel: values from closed to open in `unit`; speed in that unit per second; force [N] (None: not
    known).

    Each finger joint stands at `value * share` of the channel's value.
    """

    name: str
    closed: float
    open: float
    unit: Unit
    speed: float
    source: str
    force_n: float | None = None
    fingers: tuple[Finger, ...] = ()

    def __post_init__(self) -> None:
        check_fields(self)
        if not 1e-6 <= abs(self.open - self.closed) < math.inf:
            raise ValueError(
                f"gripper {self.name!r}: closed and open must differ, both finite, got {self.closed} and {self.open}"
            )
        for name in ("speed", "force_n"):
            value = getattr(self, name)
            if value is not None and not 0.0 < value < math.inf:
                raise ValueError(f"gripper {self.name!r}: {name} must be positive and finite, got {value}")


@dataclass(frozen=True, slots=True)
class Finger:
    """A finger's joint in the URDF, and its position per unit of the gripper's value."""

    joint: str
    share: float

    def __post_init__(self) -> None:
        check_fields(self)


@dataclass(frozen=True, slots=True)
class ToolPoint:
    """A tool centre point: a pose in the frame of a link."""

    name: str
    link: str
    pose: Pose

    def __post_init__(self) -> None:
        check_fields(self)


@dataclass(frozen=True, slots=True)
class NamedPose:
    """Joint positions [rad] with a name, in the order of the profile's joints."""

    name: str
    positions: tuple[float, ...]

    def __post_init__(self) -> None:
        check_fields(self)


@dataclass(frozen=True, slots=True)
class AllowedCollision:
    """A pair of links whose distance is not judged, with the reason (as in SRDF)."""

    a: str
    b: str
    because: str

    def __post_init__(self) -> None:
        check_fields(self)


@dataclass(frozen=True, slots=True)
class UrdfCopy:
    """One of several robots of the same URDF: what goes before all its names, and its pose in their common base."""

    prefix: str
    pose: Pose

    def __post_init__(self) -> None:
        check_fields(self)


@dataclass(frozen=True, slots=True)
class Urdf:
    """A URDF inside an installed Python package; `sha256` [hex] is of the file's bytes, `meshes_sha256` of all meshes
    that its collision geometry names (empty: none), as `interlock.urdf.digest_of_meshes` has it.

    With copies the robot is several of it, under a new root `base`; without, it is the URDF as it stands.
    """

    package: str
    path: str
    sha256: str
    meshes_sha256: str = ""
    copies: tuple[UrdfCopy, ...] = ()

    def __post_init__(self) -> None:
        check_fields(self)


@dataclass(frozen=True, slots=True)
class LockedJoint:
    """A joint that turns in the URDF and that nobody commands: taken to stand at a position [rad], for a reason."""

    joint: str
    position: float
    because: str

    def __post_init__(self) -> None:
        check_fields(self)


@dataclass(frozen=True, slots=True)
class Stopping:
    """Worst measured stop at full speed: time [s], and angle [rad] of each joint; with its source."""

    time_s: float
    angles: tuple[float, ...]
    source: str

    def __post_init__(self) -> None:
        check_fields(self)


@dataclass(frozen=True, slots=True)
class Profile:
    """A robot. Joints are in the order of a state's arrays. Without a URDF only joint-space rules can be judged."""

    name: str
    joints: tuple[Joint, ...]
    grippers: tuple[Gripper, ...]
    layouts: tuple[Layout, ...]
    control_rate_hz: float
    interpolation: Literal["linear", "cubic"]
    poses: tuple[NamedPose, ...] = ()
    urdf: Urdf | None = None
    flange: str = ""
    hand_links: tuple[str, ...] = ()  # what the word `gripper` means, in rules
    tool_points: tuple[ToolPoint, ...] = ()  # the first is `tcp`
    inertias: tuple[Inertia, ...] = ()
    allowed_collisions: tuple[AllowedCollision, ...] = ()
    locked: tuple[LockedJoint, ...] = ()
    stopping: Stopping | None = None
    stop_category: Literal[0, 1, 2] = 2
    vetoes_before_stop: int = 5

    def __post_init__(self) -> None:
        check_fields(self)
        names = [joint.name for joint in self.joints]
        every = [*names, *(gripper.name for gripper in self.grippers)]
        if not names or len(set(every)) != len(every):
            raise ValueError(f"profile {self.name!r}: joints and grippers must be named, and each once, got {every}")
        if not 0.0 < self.control_rate_hz < math.inf:
            raise ValueError(
                f"profile {self.name!r}: control_rate_hz must be positive and finite, got {self.control_rate_hz}"
            )
        if not self.vetoes_before_stop >= 1:
            raise ValueError(
                f"profile {self.name!r}: vetoes_before_stop must be at least 1, got {self.vetoes_before_stop}"
            )

    @property
    def joint_names(self) -> tuple[str, ...]:
        """Names of all joints, in order."""
        return _joint_names(self)

    @property
    def digest(self) -> str:
        """SHA-256 [hex] of the canonical JSON form."""
        return digest_of(self)


@kept
def _joint_names(profile: Profile) -> tuple[str, ...]:
    return tuple(joint.name for joint in profile.joints)
