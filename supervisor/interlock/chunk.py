"""What a policy proposes: rows of actions, what each column means, and when all of it was seen, asked and received."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from .arrays import BoolArray, FloatArray, flags, floats, whole
from .fields import check_fields
from .jsonform import digest_of
from .kept import kept

Quantity: TypeAlias = Literal[
    "joint_position", "joint_velocity", "joint_torque", "ee_position", "ee_rotation", "ee_linear_velocity",
    "ee_angular_velocity", "base_velocity", "base_waypoint", "base_height", "gripper", "discrete",
]  # fmt: skip
Anchor: TypeAlias = Literal["absolute", "delta_from_observation", "delta_from_previous"]
Unit: TypeAlias = Literal["rad", "m", "rad/s", "m/s", "N m", "ratio", "bool"]
Rotation: TypeAlias = Literal[
    "none", "rotvec", "quat_xyzw", "quat_wxyz", "rpy_xyz", "rot6d", "rot6d_rows", "matrix",
]  # fmt: skip
Polarity: TypeAlias = Literal["none", "zero_closed", "zero_open"]
OnLoss: TypeAlias = Literal["hold", "zero_velocity", "controlled_stop"]


def all_commanded(values: FloatArray) -> BoolArray:
    """The mask that commands every cell of values."""
    return np.ones(values.shape, dtype=np.bool_)


@dataclass(frozen=True, slots=True)
class Channel:
    """One column of a chunk. `name` is the joint or gripper that it commands, or a tool point with one of its
    coordinates, as in `tcp.x` and `tcp.qw`; `frame` is joint, base, world, tool, odom or camera:<id>.
    """

    name: str
    group: str
    quantity: Quantity
    reference: Anchor
    unit: Unit
    frame: str
    rotation: Rotation = "none"
    polarity: Polarity = "none"
    on_loss: OnLoss = "hold"

    def __post_init__(self) -> None:
        check_fields(self)


@dataclass(frozen=True, slots=True)
class Layout:
    """The meaning of all columns of a chunk, in order."""

    name: str
    channels: tuple[Channel, ...]

    def __post_init__(self) -> None:
        check_fields(self)
        if not self.channels:
            raise ValueError(f"layout {self.name!r} has no channels")

    @property
    def digest(self) -> str:
        """SHA-256 [hex] of the canonical JSON form."""
        return _layout_digest(self)


@kept
def _layout_digest(layout: Layout) -> str:
    return digest_of(layout)


@dataclass(frozen=True, slots=True)
class Stamps:
    """When [ns of the named monotonic clock]: the observation was taken, the chunk asked for and received, its row 0 is
    due, and it expires. `estimated` is true when the source gave none and an adapter filled them in. A missing stamp is
    None, and refused.
    """

    observation_ns: int | None
    request_ns: int | None
    received_ns: int | None
    first_row_ns: int | None
    expiry_ns: int | None
    clock: str = "monotonic"
    estimated: bool = False

    def __post_init__(self) -> None:
        check_fields(self)


@dataclass(frozen=True, slots=True)
class Normalisation:
    """The normalisation that an adapter has undone: its kind (none, z_score, quantile), the key of its statistics,
    their digest.
    """

    kind: str
    key: str
    digest: str

    def __post_init__(self) -> None:
        check_fields(self)


@dataclass(frozen=True, slots=True)
class Model:
    """Which model proposed: name, revision, digest of its weights."""

    name: str = ""
    revision: str = ""
    weights_digest: str = ""

    def __post_init__(self) -> None:
        check_fields(self)


@dataclass(frozen=True, slots=True)
class Noise:
    """What a sampling policy started from: the seed, and the digest of the noise that was drawn from it."""

    seed: int
    digest: str

    def __post_init__(self) -> None:
        check_fields(self)


@dataclass(frozen=True, slots=True, eq=False)
class ActionChunk:
    """A proposal: values, shape (T, C), in SI units; mask, shape (T, C), true where a command is given (false: none,
    never zero).

    Row k is due at `stamps.first_row_ns + k * period_s`: from then on the robot moves towards it, and is there one
    period later. `horizon` is how many rows are executed before the next chunk (None: all). `anchor` holds the joint
    positions [rad] of the observation, from which `delta_from_observation` counts. Any float64 is held; the checks
    judge. Raises TypeError and ValueError for what is no array of numbers of the right rank.
    """

    id: str
    session: str
    sequence: int
    layout: str  # digest of the layout
    profile: str  # digest of the robot profile
    values: FloatArray
    mask: BoolArray
    period_s: float
    horizon: int | None
    stamps: Stamps
    anchor: FloatArray | None = None
    space: str = "physical"
    normalisation: Normalisation | None = None
    decode: Literal["ok", "fallback", "failed"] = "ok"
    instruction: str = ""
    images: tuple[str, ...] = ()
    grounding: str = ""
    model: Model = Model()
    raw_digest: str = ""
    noise: Noise | None = None

    def __post_init__(self) -> None:
        check_fields(self)
        object.__setattr__(self, "values", floats("values", self.values, 2))
        object.__setattr__(self, "mask", flags("mask", self.mask, 2))
        if self.anchor is not None:
            object.__setattr__(self, "anchor", floats("anchor", self.anchor, 1))


@dataclass(frozen=True, slots=True)
class Malformed:
    """What could not be built into a chunk at all: why, and the digest of the raw bytes. It is vetoed and put on
    record.
    """

    reason: str
    raw_digest: str
    session: str = ""
    received_ns: int | None = None

    def __post_init__(self) -> None:
        for name in ("reason", "raw_digest", "session"):  # whatever came in can be put on record
            writable = str(getattr(self, name)).encode("utf-8", "replace").decode("utf-8")
            object.__setattr__(self, name, writable)
        if self.received_ns is not None:
            whole("received_ns", self.received_ns)
