"""Qwen-VLA in process: the sentence from the robot's profile, noise from a recorded seed, padding taken off by its
mask, values made physical; what the model would take without a word refused before it runs. Needs no torch itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from interlock.arrays import FloatArray, floats
from interlock.chunk import Model, Noise
from interlock.fields import check_fields
from interlock.profile import Profile
from interlock_policies.answer import Contract, Decoded, Undecodable, raw_digest
from interlock_policies.noise import noise

from .prompt import Embodiment, embodiment, prompt_of
from .sizes import Sizes

Pixels = npt.NDArray[np.uint8]
Numbers = npt.NDArray[np.float32]
Padded = tuple[Numbers, npt.NDArray[np.bool_]]
"""Normalised actions (H, K), and which of them count."""


@runtime_checkable
class QwenVlaModel(Protocol):
    """What is used of a model; `interlock_policies.qwen_vla.from_pretrained` gives one."""

    sizes: Sizes
    training: bool

    def described(self, name: str) -> Model:
        """What a chunk says of this model, with the digest of its weights."""
        ...

    def actions(
        self, sentence: str, images: tuple[Pixels, ...], noise: Numbers, mask: npt.NDArray[np.bool_], steps: int
    ) -> Padded:
        """Actions from noise (H, K), of which the cells that `mask` marks are asked for; raises Undecodable."""
        ...


@dataclass(frozen=True, slots=True)
class Seen:
    """What Qwen-VLA sees: the task, and of each camera an image (height, width, 3) of bytes. No state of the robot."""

    instruction: str
    images: Mapping[str, Pixels]


@dataclass(frozen=True, slots=True)
class QwenVla:
    """Qwen-VLA's adapter. `robot` is the profile that the contract names, `tag` how the model was taught to call it,
    `cameras` which images it sees, in which order; `steps` is how many Euler steps are taken.

    The first columns of the model's are the layout's, its first rows the contract's; the rest is padding. Raises
    ValueError for a model that is smaller than that, one in training mode or that the contract does not describe,
    another robot than the contract's, and a contract without statistics.
    """

    contract: Contract
    model: QwenVlaModel
    robot: Profile
    tag: str
    cameras: tuple[str, ...]
    steps: int
    body: Embodiment = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "body", embodiment(self.tag, self.robot, self.contract.layout))
        check_fields(self)
        contract, decoder = self.contract, self.model.sizes.decoder
        if contract.profile != self.robot.digest:
            raise ValueError(f"the contract is for another robot than {self.robot.name!r}, or another version of it")
        if contract.statistics is None:
            raise ValueError("Qwen-VLA says normalised values: its contract needs the statistics of actions")
        if contract.model != self.model.described(contract.model.name):
            raise ValueError("the contract names another model, or none: its model must be `described` by this one")
        if contract.rows > decoder.rows or contract.columns > decoder.channels:
            raise ValueError(
                f"the model has {decoder.rows} rows of {decoder.channels}, the contract {contract.rows} of "
                f"{contract.columns}"
            )
        if not self.cameras or len(set(self.cameras)) != len(self.cameras):
            raise ValueError(f"cameras must be named, and each once, got {self.cameras}")
        if self.steps < 1:
            raise ValueError(f"steps must be 1 or more, got {self.steps}")
        if self.model.training:
            raise ValueError("the model is in training mode; call its eval()")

    @property
    def mask(self) -> npt.NDArray[np.bool_]:
        """Which cells (H, K) of the padded tensor the contract's rows and channels are."""
        decoder = self.model.sizes.decoder
        counts = np.zeros((decoder.rows, decoder.channels), dtype=np.bool_)
        counts[: self.contract.rows, : self.contract.columns] = True
        return counts

    def answer(self, seen: Seen, seed: int) -> Decoded:
        """The rows that follow from an observation and the seed of the noise: the same for the same.

        Failed, without asking the model: an instruction that is no single printable line, other cameras than were
        named, an image that is no (height, width, 3) of bytes. Failed too: another mask than was asked for, and actions
        that are not finite. What the model raises beyond Undecodable is not caught.
        """
        drawn = noise(seed, self.mask.shape)
        recorded = Noise(seed, raw_digest(drawn))
        try:
            images = self._images(seen)
            sentence = self.sentence(seen.instruction)
            actions, counts = self.model.actions(sentence, images, drawn, self.mask, self.steps)
        except Undecodable as error:
            return self.contract.failed(str(error), "", recorded)
        raw = raw_digest({"actions": actions, "mask": counts})
        decoded = self.contract.decoded(lambda: self._unpadded(actions, counts), raw, recorded)
        return replace(decoded, instruction=seen.instruction, images=tuple(raw_digest(image) for image in images))

    def _images(self, seen: Seen) -> tuple[Pixels, ...]:
        if set(seen.images) != set(self.cameras):
            raise Undecodable(f"images of {sorted(map(repr, seen.images))}, expected {list(self.cameras)}")
        images = tuple(seen.images[name] for name in self.cameras)
        for name, image in zip(self.cameras, images, strict=True):
            if not hasattr(image, "dtype") or image.dtype != np.uint8:
                raise Undecodable(f"the image of {name!r} is no array of bytes")
            if image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
                raise Undecodable(f"the image of {name!r} has shape {image.shape}, expected (height, width, 3)")
        return images

    def sentence(self, instruction: str) -> str:
        """What the model is told of the robot and a task; raises Undecodable for a task that is no printable line."""
        try:
            return prompt_of(self.contract, self.body, instruction)
        except (TypeError, ValueError) as error:
            raise Undecodable(str(error)) from error

    def _unpadded(self, actions: Numbers, counts: npt.NDArray[np.bool_]) -> FloatArray:
        """F-06: what is not marked is no command, so what is marked must be what the sentence named."""
        expected = self.mask
        if actions.shape != expected.shape or counts.shape != expected.shape:
            raise Undecodable(f"actions {actions.shape} with mask {counts.shape}, expected {expected.shape}")
        if not np.array_equal(counts, expected):
            rows, columns = self.contract.rows, self.contract.columns
            raise Undecodable(
                f"the mask marks {int(counts.sum())} cells; the sentence named {rows} rows of {columns} channels"
            )
        kept = actions[: self.contract.rows, : self.contract.columns]
        if not bool(np.isfinite(kept).all()):
            raise Undecodable("actions are not finite")
        return floats("actions", kept, 2)
