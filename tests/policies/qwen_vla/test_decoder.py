"""The decoder computes what a plain one in numpy does, and reads nothing of what is padding."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock_policies.qwen_vla import tiny_size

torch: Any = pytest.importorskip("torch", reason="needs torch, of the extra `policies`")
decoders: Any = pytest.importorskip("interlock_policies.qwen_vla.decoder")

ROWS, CHANNELS, WIDTH, HEADS, CONTEXT = 5, 3, 8, 2, 6
SIZES = replace(
    tiny_size(rows=ROWS, channels=CHANNELS).decoder, width=WIDTH, inner=12, heads=HEADS, time_width=4, blocks=2
)
Array = np.ndarray[Any, Any]


def made(seed: int = 0) -> Any:
    torch.manual_seed(seed)
    return decoders.ActionDecoder(SIZES, CONTEXT).double().eval()


def mask_of(rows: int, channels: int) -> Any:
    found = torch.zeros((ROWS, CHANNELS), dtype=torch.bool)
    found[:rows, :channels] = True
    return found


def some(*shape: int, seed: int = 1) -> Any:
    return torch.from_numpy(np.random.default_rng(seed).standard_normal(shape))


class Plain:
    """The same decoder in numpy, one number after the other where that is readable, from the tensors' names alone."""

    def __init__(self, decoder: Any) -> None:
        self.weights: dict[str, Array] = {name: tensor.numpy() for name, tensor in decoder.state_dict().items()}

    def linear(self, name: str, values: Array) -> Array:
        return np.asarray(values @ self.weights[f"{name}.weight"].T + self.weights[f"{name}.bias"])

    def two(self, name: str, values: Array) -> Array:
        return self.linear(f"{name}.2", silu(self.linear(f"{name}.0", values)))

    def velocity(self, context: Array, noisy: Array, mask: Array, time: float) -> Array:
        read = self.linear("context_in", context)
        actions = self.two("actions_in", np.where(mask, noisy, 0.0))
        rates = [1.0, 1e4**-0.5]  # a width of 4: two periods
        sines = np.array([math.cos(1e3 * time * r) for r in rates] + [math.sin(1e3 * time * r) for r in rates])
        at = silu(self.two("time_in", sines))
        seen = [True] * len(context) + [bool(row.any()) for row in mask]
        for index in range(SIZES.blocks):
            read, actions = self.block(f"blocks.{index}", read, actions, at, seen)
        shift, scale = np.split(self.linear("modulation_out", at), 2)
        return self.two("actions_out", normal(actions) * (1.0 + scale) + shift)

    def block(self, name: str, read: Array, actions: Array, at: Array, seen: list[bool]) -> tuple[Array, Array]:
        a, b, c, d, e, f = np.split(self.linear(f"{name}.modulation", at), 6)
        projected = [self.linear(f"{name}.context_qkv", row) for row in normal(read)]
        projected += [self.linear(f"{name}.actions_qkv", row) for row in normal(actions) * (1 + b) + a]
        mixed = attended(projected, seen)
        count = len(read)
        read = read + self.linear(f"{name}.context_mixed", mixed[:count])
        actions = actions + c * self.linear(f"{name}.actions_mixed", mixed[count:])
        read = read + self.two(f"{name}.context_inner", normal(read))
        return read, actions + f * self.two(f"{name}.actions_inner", normal(actions) * (1 + e) + d)


def silu(values: Array) -> Array:
    return np.asarray(values / (1.0 + np.exp(-values)))


def normal(values: Array) -> Array:
    middle = values - values.mean(axis=-1, keepdims=True)
    return np.asarray(middle / np.sqrt((middle**2).mean(axis=-1, keepdims=True) + 1e-5))


def attended(projected: list[Array], seen: list[bool]) -> Array:
    """Joint attention, pair of tokens by pair of tokens."""
    size = WIDTH // HEADS
    gathered = np.zeros((len(projected), WIDTH))
    for head in range(HEADS):
        mine = slice(head * size, (head + 1) * size)
        query, key, value = ([np.split(one, 3)[part][mine] for one in projected] for part in range(3))
        for i in range(len(projected)):
            scores = {
                j: float(turn(query[i], i) @ turn(key[j], j)) / math.sqrt(size)
                for j, counts in enumerate(seen)
                if counts
            }
            total = sum(math.exp(score) for score in scores.values())
            gathered[i, mine] = sum(math.exp(score) / total * value[j] for j, score in scores.items())
    return gathered


def turn(one: Array, position: int) -> Array:
    """Pair (i, i + 2) of a head of four turned by position * theta^(-i / 2)."""
    found = one.copy()
    for i in range(2):
        angle = position * SIZES.rope_theta ** (-2 * i / 4)
        found[i] = one[i] * math.cos(angle) - one[i + 2] * math.sin(angle)
        found[i + 2] = one[i + 2] * math.cos(angle) + one[i] * math.sin(angle)
    return found


@pytest.mark.parametrize("time", [0.0, 0.25, 0.9])
@pytest.mark.parametrize(("rows", "channels"), [(ROWS, CHANNELS), (3, 2), (1, 1)], ids=["full", "padded", "one cell"])
def test_golden_the_velocity_is_that_of_a_plain_decoder(time: float, rows: int, channels: int) -> None:
    decoder, context, noisy, mask = made(), some(4, CONTEXT), some(ROWS, CHANNELS, seed=2), mask_of(rows, channels)

    with torch.no_grad():
        found = decoder(context, noisy, mask, time).numpy()

    expected = Plain(decoder).velocity(context.numpy(), noisy.numpy(), mask.numpy(), time)
    np.testing.assert_allclose(found[:rows, :channels], expected[:rows, :channels], rtol=0.0, atol=1e-6)


def test_golden_two_euler_steps() -> None:
    decoder, context, noise, mask = made(), some(4, CONTEXT), some(ROWS, CHANNELS, seed=2), mask_of(3, 2)

    with torch.no_grad():
        found = decoder.sample(context, noise, mask, 2).numpy()

    plain, counts = Plain(decoder), mask.numpy()
    half = noise.numpy() + 0.5 * plain.velocity(context.numpy(), noise.numpy(), counts, 0.0)
    end = half + 0.5 * plain.velocity(context.numpy(), half, counts, 0.5)
    np.testing.assert_allclose(found, np.where(counts, end, 0.0), rtol=0.0, atol=1e-6)


def test_golden_a_constant_velocity_adds_itself_to_the_noise() -> None:
    # Last weights of zero and a bias b: the velocity is b everywhere, and any number of Euler steps ends at n + b.
    decoder, noise = made(), some(ROWS, CHANNELS, seed=2)
    with torch.no_grad():
        decoder.actions_out[2].weight.zero_()
        decoder.actions_out[2].bias.copy_(torch.tensor([0.5, -0.25, 2.0]))

        found = decoder.sample(some(4, CONTEXT), noise, mask_of(ROWS, CHANNELS), 4).numpy()

    np.testing.assert_allclose(found, noise.numpy() + np.array([0.5, -0.25, 2.0]), rtol=0.0, atol=1e-12)


def test_golden_tokens_that_ask_for_nothing_gather_the_mean_of_those_seen() -> None:
    # Queries of zero score the same everywhere: each token gets the mean of the values seen, 1 and 4 of 1, 2, 4.
    projected = torch.zeros((3, 3 * WIDTH), dtype=torch.float64)
    projected[:, 2 * WIDTH :] = torch.tensor([[1.0], [2.0], [4.0]])
    turns = decoders.rotations(3, WIDTH // HEADS, 1e4)

    found = decoders.joint_attention(projected, torch.tensor([True, False, True]), turns, HEADS)

    np.testing.assert_allclose(found.numpy(), np.full((3, WIDTH), 2.5), rtol=0.0, atol=1e-12)


@settings(max_examples=25)
@given(st.integers(1, ROWS), st.integers(1, CHANNELS), st.floats(-1e6, 1e6) | st.just(math.nan))
def test_F06_padding_is_never_read_and_comes_out_as_nothing(rows: int, channels: int, garbage: float) -> None:
    decoder, context, noise, mask = made(), some(4, CONTEXT), some(ROWS, CHANNELS, seed=2), mask_of(rows, channels)
    dirty = torch.where(mask, noise, garbage)

    with torch.no_grad():
        clean, found = (decoder.sample(context, one, mask, 3).numpy() for one in (noise, dirty))

    assert found.tobytes() == clean.tobytes()
    assert np.isfinite(found).all()
    assert not found[~mask.numpy()].any()
    assert found[mask.numpy()].all()


def test_hidden_states_and_time_move_the_velocity() -> None:
    decoder, noisy, mask = made(), some(ROWS, CHANNELS, seed=2), mask_of(ROWS, CHANNELS)

    with torch.no_grad():
        first, other, later = (
            decoder(some(4, CONTEXT, seed=seed), noisy, mask, time).numpy()
            for seed, time in ((1, 0.0), (5, 0.0), (1, 0.5))
        )

    assert np.abs(first - other).max() > 1e-3 < np.abs(first - later).max()
