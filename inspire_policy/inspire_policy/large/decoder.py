# SPDX-License-Identifier: Apache-2.0
"""A language model that reads on from what it has kept: Qwen2 and Gemma are both of this form.

Parameters are named as published weights name them. B samples, T tokens, D width.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812
from torch.utils.checkpoint import checkpoint

from inspire_policy.large import settings

CLOSE = 1e-6   # what keeps a norm from dividing by zero, in both published models


class Norm(nn.Module):
    """Each token divided by its root mean square, at least in single precision."""

    def __init__(self, size: settings.Decoder) -> None:
        super().__init__()
        self.shift = 1.0 if size.gemma else 0.0
        self.weight = nn.Parameter(torch.full((size.width,), 1.0 - self.shift))

    def forward(self, x: Tensor) -> Tensor:
        wide = x if x.dtype is torch.float64 else x.float()
        wide = wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + CLOSE)
        if self.shift:
            return (wide * (self.shift + self.weight.to(wide.dtype))).to(x.dtype)
        return self.weight * wide.to(x.dtype)


class Attention(nn.Module):
    """Several heads of queries share a head of keys and values."""

    def __init__(self, size: settings.Decoder) -> None:
        super().__init__()
        self.size = size
        biased = not size.gemma
        self.q_proj = nn.Linear(size.width, size.heads * size.head, bias=biased)
        self.k_proj = nn.Linear(size.width, size.pairs * size.head, bias=biased)
        self.v_proj = nn.Linear(size.width, size.pairs * size.head, bias=biased)
        self.o_proj = nn.Linear(size.heads * size.head, size.width, bias=False)

    def forward(self, x: Tensor, turns: tuple[Tensor, Tensor], allowed: Tensor | None,
                kept: Tensor | None, start: int) -> Tensor:
        """allowed, kept: a layer's part of what `Decoder.forward` is given."""
        batch, length, _ = x.shape
        query, key, value = (part(x).view(batch, length, -1, self.size.head).transpose(1, 2)
                             for part in (self.q_proj, self.k_proj, self.v_proj))
        query, key = turned(query, turns), turned(key, turns)
        if kept is not None:
            kept[0, :, :, start:start + length] = key
            kept[1, :, :, start:start + length] = value
            key, value = kept[:, :, :, :start + length]
        # The queries that share keys stand in one row of tokens: nothing is copied for them.
        share = self.size.heads // self.size.pairs
        query = query.reshape(batch, self.size.pairs, share * length, self.size.head)
        if allowed is not None:
            allowed = torch.cat([allowed] * share, -2)
        seen = F.scaled_dot_product_attention(query, key, value, attn_mask=allowed)
        seen = seen.reshape(batch, self.size.heads, length, self.size.head).transpose(1, 2)
        return self.o_proj(seen.reshape(batch, length, -1))


class FeedForward(nn.Module):
    """Gated."""

    def __init__(self, size: settings.Decoder) -> None:
        super().__init__()
        self.gemma = size.gemma
        self.gate_proj = nn.Linear(size.width, size.inner, bias=False)
        self.up_proj = nn.Linear(size.width, size.inner, bias=False)
        self.down_proj = nn.Linear(size.inner, size.width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        gate = self.gate_proj(x)
        gate = F.gelu(gate, approximate='tanh') if self.gemma else F.silu(gate)
        return self.down_proj(gate * self.up_proj(x))


class Layer(nn.Module):
    """Attention and a feed-forward, each beside a way round it."""

    def __init__(self, size: settings.Decoder) -> None:
        super().__init__()
        self.self_attn = Attention(size)
        self.mlp = FeedForward(size)
        self.input_layernorm = Norm(size)
        self.post_attention_layernorm = Norm(size)

    def forward(self, x: Tensor, turns: tuple[Tensor, Tensor], allowed: Tensor | None,
                kept: Tensor | None, start: int) -> Tensor:
        x = x + self.self_attn(self.input_layernorm(x), turns, allowed, kept, start)
        return x + self.mlp(self.post_attention_layernorm(x))


class Decoder(nn.Module):
    """See the module's docstring. The head is the embedding again."""

    def __init__(self, size: settings.Decoder) -> None:
        super().__init__()
        self.size = size
        # Empty: drawing numbers that are then read from a file loads torch's compiler, 30 s.
        self.embed_tokens = nn.Embedding(size.vocabulary, size.width,
                                         _weight=torch.empty(size.vocabulary, size.width))
        self.layers = nn.ModuleList(Layer(size) for _ in range(size.layers))
        self.norm = Norm(size)
        self.recompute = False    # layers compute again while learning, instead of keeping all

    def words(self, ids: Tensor) -> Tensor:
        """Tokens (B, T, D) of ids (B, T)."""
        found = self.embed_tokens(ids)
        return found * self.size.width ** 0.5 if self.size.gemma else found

    def room(self, longest: int) -> Tensor:
        """Where keys and values of so many tokens are kept: (layers, 2, 1, pairs, longest, head).
        """
        size = self.size
        return self.embed_tokens.weight.new_empty(
            size.layers, 2, 1, size.pairs, longest, size.head)

    def forward(self, x: Tensor, allowed: Tensor | None, kept: Tensor | None = None,
                start: int = 0) -> Tensor:
        """The last layer's output (B, T, D), normed, of tokens x that stand from `start` on.

        allowed: (T, start + T), or (B, 1, T, start + T); None: all. kept: what `room` gave, with
        `start` tokens in it; those of x are put behind them.
        """
        turns = self._turns(start, x)
        for number, layer in enumerate(self.layers):
            own = None if kept is None else kept[number]
            x = run(self.recompute, layer, x, turns, allowed, own, start)
        return self.norm(x)

    def _turns(self, start: int, x: Tensor) -> tuple[Tensor, Tensor]:
        """Cosines and sines (T, head) of the rotary embedding."""
        half, kind = self.size.head // 2, x.dtype if x.dtype is torch.float64 else torch.float32
        slowness = torch.arange(half, device=x.device, dtype=kind) / half
        places = torch.arange(start, start + x.shape[1], device=x.device, dtype=kind)
        angles = torch.outer(places, self.size.turn ** -slowness).repeat(1, 2)
        return angles.cos().to(x.dtype), angles.sin().to(x.dtype)


def turned(x: Tensor, turns: tuple[Tensor, Tensor]) -> Tensor:
    """x (..., T, head), each pair of numbers half a head apart turned by its angle."""
    first, second = x.chunk(2, -1)
    return (x * turns[0] + torch.cat([-second, first], -1) * turns[1]).to(x.dtype)


def run(recompute: bool, layer: nn.Module, *inputs: Any) -> Tensor:
    """What a layer gives; with `recompute` it keeps nothing for the way back but its inputs."""
    found: Tensor = (checkpoint(layer, *inputs, use_reentrant=False) if recompute
                     else layer(*inputs))
    return found


def causal(start: int, length: int, device: torch.device) -> Tensor | None:
    """Which of `start` + `length` tokens each of the last `length` may look at; None: all."""
    if length == 1:
        return None
    places = torch.arange(start + length, device=device)
    return places[None, :] <= places[start:, None]
