"""What a policy's answer came to, in SI units or as a decode that failed, and the chunk that is made of it."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np

from interlock.arrays import BoolArray, FloatArray, flags, floats, frozen
from interlock.chunk import ActionChunk, Layout, Model, Noise, Normalisation, Stamps, all_commanded
from interlock.errors import InterlockError
from interlock.fields import check_fields
from interlock.rules import MOST_ROWS

from .normalisation import Statistics


class Undecodable(InterlockError):
    """What a policy said is not what its format promises; an adapter makes a failed decode of it."""


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """Rows (T, C) in the units of a layout, with their mask, and the normalisation that was undone.

    `decode` is `failed` where the answer could not be read: all rows are NaN then, so that nothing of them can be
    mistaken for a pose, and `reason` says what was found and expected. `raw_digest` is of the answer as it came;
    `noise` is what it was sampled from, where it was. `instruction` and `images`, by digest, are what it was asked
    with, where the adapter knows.
    """

    values: FloatArray
    mask: BoolArray
    normalisation: Normalisation
    decode: Literal["ok", "failed"]
    raw_digest: str
    reason: str = ""
    noise: Noise | None = None
    instruction: str = ""
    images: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_fields(self)
        object.__setattr__(self, "values", floats("values", self.values, 2))
        object.__setattr__(self, "mask", flags("mask", self.mask, 2))
        if self.values.shape != self.mask.shape:
            raise ValueError(f"values {self.values.shape} and mask {self.mask.shape} differ in shape")


@dataclass(frozen=True, slots=True)
class Contract:
    """What every chunk of one policy is: its layout, the digest of the robot's profile, how many rows, how many of
    them are executed, the period [s], the statistics that undo its normalisation (None: it says physical values), and
    the model. The policy is never asked for any of these. Raises ValueError for what contradicts itself.
    """

    layout: Layout
    profile: str
    rows: int
    execute: int
    period_s: float
    statistics: Statistics | None
    model: Model

    def __post_init__(self) -> None:
        check_fields(self)
        if not 1 <= self.rows <= MOST_ROWS:
            raise ValueError(f"rows must be from 1 to {MOST_ROWS}, got {self.rows}")
        if not 1 <= self.execute <= self.rows:
            raise ValueError(f"execute must be from 1 to {self.rows}, the rows of a chunk; got {self.execute}")
        if not 0.0 < self.period_s < math.inf:
            raise ValueError(f"period_s must be positive and finite, got {self.period_s}")
        if self.statistics is not None and self.statistics.width != self.columns:
            raise ValueError(
                f"statistics {self.statistics.key!r} are of {self.statistics.width} channels; layout "
                f"{self.layout.name!r} has {self.columns}"
            )

    @property
    def columns(self) -> int:
        """How many channels a row has."""
        return len(self.layout.channels)

    @property
    def undone(self) -> Normalisation:
        """The normalisation that is undone on the way into a chunk."""
        return Normalisation("none", "", "") if self.statistics is None else self.statistics.undone

    def decoded(self, decode: Callable[[], FloatArray], raw_digest: str, noise: Noise | None = None) -> Decoded:
        """The rows that `decode` returns, shape (rows, columns) and normalised as the statistics say, made physical;
        a failed decode where it raises Undecodable or returns another shape.
        """
        try:
            found = decode()
        except Undecodable as error:
            return self.failed(str(error), raw_digest, noise)
        if found.shape != (self.rows, self.columns):
            reason = f"rows of shape {found.shape}, expected {(self.rows, self.columns)}"
            return self.failed(reason, raw_digest, noise)
        values = found if self.statistics is None else self.statistics.undo(found)
        return Decoded(values, all_commanded(values), self.undone, "ok", raw_digest, noise=noise)

    def failed(self, reason: str, raw_digest: str, noise: Noise | None = None) -> Decoded:
        """A failed decode, and why."""
        nothing = frozen(np.full((self.rows, self.columns), np.nan))
        readable = reason.encode("utf-8", "replace").decode("utf-8")  # a key or a token may be any text
        return Decoded(nothing, all_commanded(nothing), self.undone, "failed", raw_digest, readable, noise)

    def chunk(
        self,
        decoded: Decoded,
        *,
        session: str,
        sequence: int,
        stamps: Stamps,
        anchor: FloatArray | None = None,
        instruction: str = "",
        images: tuple[str, ...] = (),
    ) -> ActionChunk:
        """The chunk of an answer. `anchor` holds the joint positions [rad] of the observation, which a layout with
        `delta_from_observation` needs. Instruction and images are the answer's own where none are given here.
        """
        return ActionChunk(
            id=f"{session}-{sequence}",
            session=session,
            sequence=sequence,
            layout=self.layout.digest,
            profile=self.profile,
            values=decoded.values,
            mask=decoded.mask,
            period_s=self.period_s,
            horizon=self.execute,
            stamps=stamps,
            anchor=anchor,
            normalisation=decoded.normalisation,
            decode=decoded.decode,
            instruction=instruction or decoded.instruction,
            images=images or decoded.images,
            model=self.model,
            raw_digest=decoded.raw_digest,
            noise=decoded.noise,
        )


def raw_digest(said: object) -> str:
    """SHA-256 [hex] of what a policy said: of an array its dtype, shape and bytes, of a mapping its items by name, of
    anything else how Python writes it.
    """
    return hashlib.sha256(_raw(said)).hexdigest()


def _raw(said: object) -> bytes:
    if isinstance(said, Mapping):
        items = cast(Mapping[object, object], said).items()
        named = sorted((repr(key), _raw(value)) for key, value in items)
        return b"".join(_framed(key.encode("utf-8", "replace")) + _framed(value) for key, value in named)
    if isinstance(said, np.ndarray):
        return _raw_array(said)  # pyright: ignore[reportUnknownArgumentType] - any array
    return repr(said).encode("utf-8", "replace")


def _raw_array(said: np.ndarray[Any, Any]) -> bytes:
    if said.dtype.hasobject:
        return repr(said).encode("utf-8", "replace")
    return f"{said.dtype.str}{said.shape}".encode() + said.tobytes()


def _framed(part: bytes) -> bytes:
    """A part with its length before it, so that no two answers are the same bytes."""
    return len(part).to_bytes(8, "big") + part
