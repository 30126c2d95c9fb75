"""pi0 of `transformers`, with tiny random weights: what is sampled is unpadded, made physical and the same twice; what
the model would take without a word is refused before it runs.
"""

from __future__ import annotations

import math
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from interlock.errors import UnusableInput
from interlock_policies.answer import raw_digest
from interlock_policies.noise import noise
from interlock_policies.normalisation import Quantile, ZScore
from interlock_policies.pi0 import Observation, Pi0
from tests.policies.promised import contract, refused_by
from tests.supervisor.toy import stamps

torch: Any = pytest.importorskip("torch", reason="needs torch, of the extra `policies`")
transformers: Any = pytest.importorskip("transformers", reason="needs transformers, of the extra `policies`")

pytestmark = pytest.mark.slow

IMAGE = 63  # the token that stands for a patch of an image
ACTIONS = ZScore("toy", (0.1, 0.2, 0.04), (0.01, 0.02, 0.001))
STATES = Quantile("toy", (-1.0, -2.0), (1.0, 2.0), (True, True), 1e-6)
BIAS = tuple(index / 8.0 for index in range(32))  # powers of two: exact in float32


def tiny() -> Any:
    """A pi0 of 25,840 random weights, in a shape of the published one's: 50 rows of 32, a state of 32."""
    layers = {"num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32, "hidden_size": 16}
    gemma = {"model_type": "gemma", "num_key_value_heads": 1, "head_dim": 8, **layers}
    siglip = {"model_type": "siglip_vision_model", "patch_size": 14, "image_size": 28, "vision_use_head": False}
    vlm = {
        "model_type": "paligemma",
        "text_config": {**gemma, "vocab_size": 64},
        "vision_config": {**layers, **siglip, "num_hidden_layers": 1},
        "projection_dim": 16,
        "image_token_id": IMAGE,
    }
    torch.manual_seed(0)
    return transformers.PI0ForConditionalGeneration(transformers.PI0Config(vlm_config=vlm, dit_config=gemma)).eval()


@pytest.fixture(scope="module")
def model() -> Any:
    return tiny()


@pytest.fixture
def policy(model: Any) -> Pi0:
    return Pi0(contract(rows=50, execute=25, statistics=ACTIONS), model, STATES, steps=10)


def seen(state: Any = (0.1, 0.2), image_tokens: int = 4, pixel: float = 0.5) -> Observation:
    """One image of 2 x 2 patches, and four tokens of text."""
    ids = torch.tensor([[IMAGE] * image_tokens + [2, 5, 6, 7]])
    pixels = torch.full((1, 1, 3, 28, 28), pixel)
    return Observation(np.array(state), ids, torch.ones_like(ids), pixels, torch.ones((1, 1), dtype=torch.bool))


def directly(model: Any, drawn: Any, state: tuple[float, ...]) -> Any:
    """What the model itself samples, padded and normalised."""
    padded = torch.tensor([[*state, *[0.0] * (32 - len(state))]])
    found = seen()
    return model.sample_actions(
        state=padded,
        noise=torch.from_numpy(drawn),
        num_steps=10,
        input_ids=found.input_ids,
        attention_mask=found.attention_mask,
        pixel_values=found.pixel_values,
        pixel_attention_mask=found.pixel_attention_mask,
    ).numpy()


def test_golden_a_constant_velocity_takes_itself_off_the_noise() -> None:
    # With a last layer of zeros and a bias b, the velocity is b everywhere. Ten Euler steps of -1/10 from the noise n
    # end at n - b, whatever image, text and state are; physical is (n - b) (std + 1e-6) + mean.
    constant = tiny()
    with torch.no_grad():
        constant.action_out_proj.weight.zero_()
        constant.action_out_proj.bias.copy_(torch.tensor(BIAS))
    promised = contract(rows=50, execute=25, statistics=ACTIONS)

    decoded = Pi0(promised, constant, STATES, steps=10).answer(seen(), 7)

    drawn = np.random.Generator(np.random.PCG64(7)).standard_normal((1, 50, 32), dtype=np.float32)
    for column, (mean, std, bias) in enumerate([(0.1, 0.01, 0.0), (0.2, 0.02, 0.125), (0.04, 0.001, 0.25)]):
        expected = (drawn[0, :, column].astype(np.float64) - bias) * (std + 1e-6) + mean
        np.testing.assert_allclose(decoded.values[:, column], expected, rtol=0.0, atol=1e-6 * std)


def test_F06_padding_is_left_out_and_the_rest_is_what_the_model_sampled(model: Any, policy: Pi0) -> None:
    # The state (0.1, 0.2) of quantiles (-1, 1) and (-2, 2): (x - q01) / (q99 - q01 + 1e-6) * 2 - 1.
    normalised = (1.1 / 2.000001 * 2 - 1, 2.2 / 4.000001 * 2 - 1)
    drawn = noise(3, (1, 50, 32))
    expected = directly(model, drawn, normalised)

    decoded = policy.answer(seen(), 3)

    assert expected.shape == (1, 50, 32)
    assert (decoded.decode, decoded.values.shape) == ("ok", (50, 3))
    assert decoded.mask.all()
    np.testing.assert_allclose(decoded.values, ACTIONS.undo(expected[0, :, :3]), rtol=0.0, atol=1e-8)
    assert decoded.normalisation == ACTIONS.undone


def test_the_first_rows_alone_count_where_the_contract_says_so(policy: Pi0) -> None:
    shorter = replace(policy, contract=contract(rows=10, execute=5, statistics=ACTIONS))

    assert shorter.answer(seen(), 3).values.tolist() == policy.answer(seen(), 3).values[:10].tolist()


def test_the_same_seed_gives_the_same_rows_and_is_on_record(policy: Pi0) -> None:
    first, again, other = (policy.answer(seen(), seed) for seed in (11, 11, 12))

    chunk = policy.contract.chunk(first, session="s", sequence=1, stamps=stamps())

    assert first.values.tobytes() == again.values.tobytes() != other.values.tobytes()
    assert first.raw_digest == again.raw_digest != other.raw_digest
    assert chunk.noise is not None
    assert chunk.noise == first.noise == again.noise != other.noise
    assert (chunk.noise.seed, chunk.noise.digest) == (11, raw_digest(noise(11, (1, 50, 32))))


def test_what_a_model_that_knows_nothing_says_is_physical_and_judged(policy: Pi0) -> None:
    found = refused_by(policy.contract, policy.answer(seen(), 3), ACTIONS)

    assert found  # its rows jump about
    assert found.isdisjoint(f"check:{name}" for name in ("decode", "finite", "mask", "normalisation", "shape"))


class Unasked:
    """A model that must not be asked."""

    training = False

    def __init__(self, config: Any) -> None:
        self.config = config

    def parameters(self) -> Any:
        raise AssertionError("the model was asked")

    def sample_actions(self, **inputs: Any) -> Any:
        raise AssertionError(f"the model was asked: {sorted(inputs)}")


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "a state of NaN": ({"state": (0.1, math.nan)}, "the state is not finite"),
    "an infinite state": ({"state": (-math.inf, 0.0)}, "the state is not finite"),
    "a state too short": ({"state": (0.1,)}, "a state of shape (1,), expected (2,)"),
    "a state too long": ({"state": (0.1, 0.2, 0.3)}, "a state of shape (3,), expected (2,)"),
    "an image of NaN": ({"pixel": math.nan}, "an image is not finite"),
    "an image token too few": ({"image_tokens": 3}, "3 image tokens, expected 4"),
    "image tokens of an image that is not there": ({"image_tokens": 8}, "8 image tokens, expected 4"),
    "no image": ({"image_tokens": 0}, "0 image tokens, expected 4"),
}


@pytest.mark.parametrize("what", WRONG)
def test_F01_F12_what_the_model_would_make_a_guess_of_is_refused_before_it_runs(
    what: str, model: Any, policy: Pi0
) -> None:
    changes, complaint = WRONG[what]
    unasked = replace(policy, model=Unasked(model.config))

    decoded = unasked.answer(seen(**changes), 3)

    assert decoded.decode == "failed"
    assert complaint in decoded.reason
    assert decoded.noise is not None
    assert {"check:decode", "check:finite"} <= refused_by(unasked.contract, decoded, ACTIONS)


def test_the_model_itself_takes_all_of_that_without_a_word(model: Any) -> None:
    """Why the adapter must look: should `transformers` begin to refuse these, this test says so."""
    found = directly(model, noise(3, (1, 50, 32)), (math.nan, 0.0))

    assert np.isnan(found).all()


@pytest.mark.parametrize("shape", [(1, 50, 31), (2, 50, 32), (50, 32), (1, 49, 32)], ids=str)
def test_F05_actions_of_another_shape_are_a_failed_decode(shape: tuple[int, ...], model: Any, policy: Pi0) -> None:
    class Misshapen(Unasked):
        def parameters(self) -> Any:
            return model.parameters()

        def sample_actions(self, **inputs: Any) -> Any:
            del inputs
            return torch.zeros(shape)

    decoded = replace(policy, model=Misshapen(model.config)).answer(seen(), 3)

    assert (decoded.decode, decoded.reason) == ("failed", f"actions of shape {shape}, expected (1, 50, 32)")


def test_F01_actions_of_nan_are_refused(model: Any, policy: Pi0) -> None:
    class Broken(Unasked):
        def parameters(self) -> Any:
            return model.parameters()

        def sample_actions(self, **inputs: Any) -> Any:
            return model.sample_actions(**inputs) * math.nan

    decoded = replace(policy, model=Broken(model.config)).answer(seen(), 3)

    assert "check:finite" in refused_by(policy.contract, decoded, ACTIONS)


def test_a_model_in_half_precision_is_asked_in_its_own(policy: Pi0) -> None:
    half = replace(policy, model=tiny().to(torch.bfloat16))
    found = seen()
    pixels = found.pixel_values.to(torch.bfloat16)

    decoded = half.answer(replace(found, pixel_values=pixels), 3)

    assert decoded.decode == "ok"
    assert np.isfinite(decoded.values).all()


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"contract": contract(rows=51, execute=25, statistics=ACTIONS)}, "50 rows of 32, the contract 51 of 3"),
        ({"contract": contract(rows=50)}, "needs the statistics"),
        ({"states": ZScore("toy", (0.0,) * 33, (1.0,) * 33)}, "a state of 33 does not fit the 32"),
        ({"steps": 0}, "steps must be 1 or more"),  # the model would take its default
    ],
    ids=["more rows than the model has", "no statistics", "a state too wide", "no steps"],
)
def test_a_policy_that_cannot_be_is_refused(policy: Pi0, changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        replace(policy, **changes)


def test_a_model_in_training_mode_is_refused(policy: Pi0) -> None:
    with pytest.raises(ValueError, match="training mode"):
        replace(policy, model=tiny().train())


def test_without_torch_it_is_said_what_to_install(policy: Pi0, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    found = seen()

    with pytest.raises(UnusableInput, match=r"interlock-vla\[policies\]"):
        policy.answer(found, 3)
