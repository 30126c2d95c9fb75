"""The action decoder of Qwen-VLA: a flow from noise to a chunk of actions, by a transformer whose blocks attend jointly
to the backbone's hidden states and the noisy chunk, and are modulated by the flow time. Needs torch.
"""

from __future__ import annotations

import math
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from .sizes import Decoder


class ActionDecoder(nn.Module):
    """The velocity of the flow for a chunk (H, K), given hidden states (L, context_width)."""

    def __init__(self, sizes: Decoder, context_width: int) -> None:
        super().__init__()
        self.sizes = sizes
        width = sizes.width
        self.context_in = nn.Linear(context_width, width)
        self.actions_in = _two_layers(sizes.channels, width, width)
        self.time_in = _two_layers(sizes.time_width, width, width)
        self.blocks = nn.ModuleList([JointBlock(sizes) for _ in range(sizes.blocks)])
        self.modulation_out = nn.Linear(width, 2 * width)
        self.actions_out = _two_layers(width, width, sizes.channels)

    def forward(self, context: Tensor, noisy: Tensor, mask: Tensor, time: float) -> Tensor:
        """The velocity (H, K) at a flow time from 0 (noise) to 1 (actions). Only what `mask` (H, K) marks is read, and
        what it does not mark means nothing.
        """
        read = self.context_in(context)
        actions = self.actions_in(torch.where(mask, noisy, 0.0))
        sines = flow_time(time, self.sizes.time_width).to(dtype=noisy.dtype, device=noisy.device)
        at = functional.silu(self.time_in(sines))
        seen = torch.cat([torch.ones(len(context), dtype=torch.bool, device=mask.device), mask.any(dim=1)])
        turns = rotations(len(seen), self.sizes.width // self.sizes.heads, self.sizes.rope_theta)
        turns = turns.to(device=noisy.device)
        for block in self.blocks:
            read, actions = block(read, actions, at, seen, turns)
        shift, scale = self.modulation_out(at).chunk(2)
        return cast(Tensor, self.actions_out(_normal(actions) * (1.0 + scale) + shift))

    def sample(self, context: Tensor, noise: Tensor, mask: Tensor, steps: int) -> Tensor:
        """Actions (H, K) after so many Euler steps of equal length from the noise; 0 where `mask` is false."""
        actions = noise
        for step in range(steps):
            actions = actions + self(context, actions, mask, step / steps) / steps
        return torch.where(mask, actions, 0.0)


class JointBlock(nn.Module):
    """One block: hidden states and actions have weights of their own, and attend to one another in one softmax."""

    def __init__(self, sizes: Decoder) -> None:
        super().__init__()
        width = sizes.width
        self.heads = sizes.heads
        self.modulation = nn.Linear(width, 6 * width)
        self.context_qkv = nn.Linear(width, 3 * width)
        self.context_mixed = nn.Linear(width, width)
        self.context_inner = _two_layers(width, sizes.inner, width)
        self.actions_qkv = nn.Linear(width, 3 * width)
        self.actions_mixed = nn.Linear(width, width)
        self.actions_inner = _two_layers(width, sizes.inner, width)

    def forward(
        self, context: Tensor, actions: Tensor, at: Tensor, seen: Tensor, turns: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Hidden states (L, D) and actions (H, D) after this block; `at` (D,) is the flow time, `seen` (L + H,) which
        of them are attended to, `turns` (2, L + H, D / heads) the cosines and sines of their positions.
        """
        shift, scale, gate, shift_inner, scale_inner, gate_inner = self.modulation(at).chunk(6)
        projected = torch.cat(
            [self.context_qkv(_normal(context)), self.actions_qkv(_normal(actions) * (1.0 + scale) + shift)]
        )
        mixed = joint_attention(projected, seen, turns, self.heads)
        context = context + self.context_mixed(mixed[: len(context)])
        actions = actions + gate * self.actions_mixed(mixed[len(context) :])
        context = context + self.context_inner(_normal(context))
        inner = self.actions_inner(_normal(actions) * (1.0 + scale_inner) + shift_inner)
        return context, actions + gate_inner * inner


def joint_attention(projected: Tensor, seen: Tensor, turns: Tensor, heads: int) -> Tensor:
    """What each of N tokens (N, D) gathers from those that are `seen` (N,), with queries, keys and values in
    `projected` (N, 3 D).
    """
    query, key, value = (part.unflatten(1, (heads, -1)).transpose(0, 1) for part in projected.chunk(3, dim=1))
    mixed = functional.scaled_dot_product_attention(
        turned(query, turns), turned(key, turns), value, attn_mask=seen[None, None, :]
    )
    return mixed.transpose(0, 1).flatten(1)


def rotations(count: int, width: int, theta: float) -> Tensor:
    """Cosines and sines (2, count, width) of rotary positions: pair i turns by position * theta^(-2 i / width)."""
    rates = theta ** (-torch.arange(0, width, 2, dtype=torch.float32) / width)
    angles = torch.outer(torch.arange(count, dtype=torch.float32), rates).repeat(1, 2)
    return torch.stack([angles.cos(), angles.sin()])


def turned(heads: Tensor, turns: Tensor) -> Tensor:
    """Queries or keys (heads, N, d), each pair (i, i + d / 2) turned by its position."""
    cosines, sines = turns.to(dtype=heads.dtype).chunk(2)
    first, second = heads.chunk(2, dim=-1)
    return heads * cosines + torch.cat([-second, first], dim=-1) * sines


def flow_time(time: float, width: int) -> Tensor:
    """A flow time as cosines and sines (width,), of 1000 times it, with periods from 2 pi to 20000 pi."""
    rates = torch.exp(torch.arange(width // 2, dtype=torch.float32) * (-math.log(1e4) / (width // 2)))
    return torch.cat([(1000.0 * time * rates).cos(), (1000.0 * time * rates).sin()])


def _two_layers(width_in: int, inner: int, width_out: int) -> nn.Module:
    return nn.Sequential(nn.Linear(width_in, inner), nn.SiLU(), nn.Linear(inner, width_out))


def _normal(values: Tensor) -> Tensor:
    return functional.layer_norm(values, values.shape[-1:])
