"""pi0 in process, as `transformers` has it: noise from a recorded seed, padding taken off, values made physical, and
what the model would take without a word refused before it runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from interlock.arrays import FloatArray, floats
from interlock.chunk import Noise
from interlock.errors import UnusableInput
from interlock.fields import check_fields

from .answer import Contract, Decoded, Undecodable, raw_digest
from .noise import noise
from .normalisation import Statistics

MISSING: Final = "pi0 needs torch and transformers; install them with: pip install 'interlock-vla[policies]'"


@runtime_checkable
class Pi0Model(Protocol):
    """What is used of `transformers.PI0ForConditionalGeneration`."""

    config: Any
    training: bool

    def parameters(self) -> Any:
        """The weights; noise and state go where the first of them is."""
        ...

    def sample_actions(self, **inputs: Any) -> Any:
        """Normalised and padded actions (1, chunk_size, max_action_dim)."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Observation:
    """What pi0 sees: the state (S,) in the units of its statistics, and tensors as the model's processor makes them, of
    one observation: input_ids and attention_mask (1, L), pixel_values (1, cameras, 3, height, width),
    pixel_attention_mask (1, cameras). What is no number in the state is held, and refused when it is asked about.
    """

    state: FloatArray
    input_ids: Any
    attention_mask: Any
    pixel_values: Any
    pixel_attention_mask: Any

    def __post_init__(self) -> None:
        object.__setattr__(self, "state", floats("state", self.state, 1))


@dataclass(frozen=True, slots=True)
class Pi0:
    """pi0's adapter. `states` are the statistics that the state is normalised with, those of the contract undo the
    actions'; `steps` is how many steps of denoising are taken.

    The first columns of the model's are the layout's, its first rows the contract's; the rest is padding. Raises
    ValueError for a model that is smaller than that, one in training mode, and a contract without statistics.
    """

    contract: Contract
    model: Pi0Model
    states: Statistics
    steps: int

    def __post_init__(self) -> None:
        check_fields(self)
        if self.contract.statistics is None:
            raise ValueError("pi0 says normalised values: its contract needs the statistics of actions")
        if self.steps < 1:
            raise ValueError(f"steps must be 1 or more, got {self.steps}")
        if self.model.training:
            raise ValueError("the model is in training mode, in which it is not the same twice; call its eval()")
        config, contract = self.model.config, self.contract
        if contract.rows > config.chunk_size or contract.columns > config.max_action_dim:
            raise ValueError(
                f"the model has {config.chunk_size} rows of {config.max_action_dim}, the contract {contract.rows} of "
                f"{contract.columns}"
            )
        if self.states.width > config.max_state_dim:
            raise ValueError(f"a state of {self.states.width} does not fit the {config.max_state_dim} of the model")

    def answer(self, seen: Observation, seed: int) -> Decoded:
        """The rows that follow from an observation and the seed of the noise: the same for the same.

        Failed, without asking the model: a state or an image that is not finite, of which it would make NaN or a guess;
        a state of another length; another number of image tokens than images have patches, which it takes without a
        word. What the model raises is not caught. Raises UnusableInput without torch.
        """
        config = self.model.config
        drawn = noise(seed, (1, config.chunk_size, config.max_action_dim))
        recorded = Noise(seed, raw_digest(drawn))
        try:
            sampled = self._sampled(seen, drawn)
        except Undecodable as error:
            return self.contract.failed(str(error), "", recorded)
        return self.contract.decoded(lambda: self._unpadded(sampled), raw_digest(sampled), recorded)

    def _sampled(self, seen: Observation, drawn: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        try:
            import torch  # noqa: PLC0415 - of an extra  # pyright: ignore[reportMissingModuleSource]
        except ImportError as error:
            raise UnusableInput(MISSING) from error
        self._refuse(seen, finite=bool(torch.isfinite(seen.pixel_values).all().item()))
        weights: torch.Tensor = next(iter(self.model.parameters()))

        def tensor(values: npt.NDArray[np.float32]) -> torch.Tensor:
            return torch.from_numpy(values).to(dtype=weights.dtype, device=weights.device)

        state = np.zeros((1, self.model.config.max_state_dim), dtype=np.float32)
        state[:, : self.states.width] = self.states.apply(seen.state[None])
        found: torch.Tensor = self.model.sample_actions(
            state=tensor(state),
            noise=tensor(drawn),
            num_steps=self.steps,
            input_ids=seen.input_ids,
            attention_mask=seen.attention_mask,
            pixel_values=seen.pixel_values,
            pixel_attention_mask=seen.pixel_attention_mask,
        )
        return found.detach().to(dtype=torch.float32, device="cpu").numpy()

    def _refuse(self, seen: Observation, *, finite: bool) -> None:
        if seen.state.shape != (self.states.width,):
            raise Undecodable(f"a state of shape {seen.state.shape}, expected {(self.states.width,)}")
        if not bool(np.isfinite(seen.state).all()):
            raise Undecodable(f"the state is not finite: {seen.state.tolist()}")
        if not finite:
            raise Undecodable("an image is not finite")
        vision, ids = self.model.config.vlm_config.vision_config, seen.input_ids
        patches = (vision.image_size // vision.patch_size) ** 2
        expected = int(seen.pixel_attention_mask.sum().item()) * patches
        found = int((ids == self.model.config.vlm_config.image_token_id).sum().item())
        if found != expected or found == 0:
            raise Undecodable(f"{found} image tokens, expected {expected}: {patches} for each image")

    def _unpadded(self, sampled: npt.NDArray[np.float32]) -> FloatArray:
        config = self.model.config
        expected = (1, config.chunk_size, config.max_action_dim)
        if sampled.shape != expected:
            raise Undecodable(f"actions of shape {sampled.shape}, expected {expected}")
        return floats("actions", sampled[0, : self.contract.rows, : self.contract.columns], 2)
