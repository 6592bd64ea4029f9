# SPDX-License-Identifier: Apache-2.0
"""A vision transformer: DINOv2 with registers and SigLIP are both of this form.

Parameters are named as published weights name them in timm's layout. B pictures, N patches, D
width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from inspire_policy.large import settings
from inspire_policy.large.decoder import run

CLOSE = 1e-6   # what keeps a norm from dividing by zero, in both published models


class Attention(nn.Module):
    """Every token looks at every other."""

    def __init__(self, size: settings.Tower) -> None:
        super().__init__()
        self.heads = size.heads
        self.qkv = nn.Linear(size.width, 3 * size.width)
        self.proj = nn.Linear(size.width, size.width)

    def forward(self, x: Tensor) -> Tensor:
        batch, length, width = x.shape
        mixed = self.qkv(x).view(batch, length, 3, self.heads, width // self.heads)
        query, key, value = mixed.permute(2, 0, 3, 1, 4)
        seen = F.scaled_dot_product_attention(query, key, value)
        return self.proj(seen.transpose(1, 2).reshape(batch, length, width))


class FeedForward(nn.Module):
    """Two layers with a GELU between."""

    def __init__(self, size: settings.Tower) -> None:
        super().__init__()
        self.bend = 'tanh' if size.tanh else 'none'
        self.fc1 = nn.Linear(size.width, size.inner)
        self.fc2 = nn.Linear(size.inner, size.width)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(F.gelu(self.fc1(x), approximate=self.bend))


class Scaled(nn.Module):
    """A learned number for each channel."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.gamma


class Block(nn.Module):
    """Attention and a feed-forward, each beside a way round it."""

    def __init__(self, size: settings.Tower) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(size.width, eps=CLOSE)
        self.attn = Attention(size)
        self.ls1 = Scaled(size.width) if size.scaled else nn.Identity()
        self.norm2 = nn.LayerNorm(size.width, eps=CLOSE)
        self.mlp = FeedForward(size)
        self.ls2 = Scaled(size.width) if size.scaled else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.ls1(self.attn(self.norm1(x)))
        return x + self.ls2(self.mlp(self.norm2(x)))


class Patches(nn.Module):
    """A picture cut into squares."""

    def __init__(self, size: settings.Tower) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, size.width, size.patch, stride=size.patch)

    def forward(self, pictures: Tensor) -> Tensor:
        return self.proj(pictures).flatten(2).transpose(1, 2)


class Tower(nn.Module):
    """Pictures (B, 3, H, H) of 0 to 1 as patches (B, N, D)."""

    def __init__(self, size: settings.Tower) -> None:
        super().__init__()
        self.size = size
        self.patch_embed = Patches(size)
        self.pos_embed = begun(size.patches, size.width)
        if size.registers:
            self.cls_token = begun(1, size.width)
            self.reg_token = begun(size.registers, size.width)
        self.blocks = nn.ModuleList(Block(size) for _ in range(size.layers - (not size.final)))
        if size.final:
            self.norm = nn.LayerNorm(size.width, eps=CLOSE)
        self.recompute = False    # as in the decoder

    def forward(self, pictures: Tensor) -> Tensor:
        mean, deviation = (pictures.new_tensor(three)[:, None, None]
                           for three in (self.size.mean, self.size.deviation))
        x = self.patch_embed((pictures - mean) / deviation) + self.pos_embed
        if self.size.registers:
            beside = torch.cat([self.cls_token, self.reg_token], 1).expand(len(x), -1, -1)
            x = torch.cat([beside, x], 1)
        for block in self.blocks:
            x = run(self.recompute, block, x)
        if self.size.final:
            x = self.norm(x)
        return x[:, x.shape[1] - self.size.patches:]


def begun(count: int, width: int) -> nn.Parameter:
    """Numbers (1, count, width) that are still to be filled in, as all of a network's."""
    return nn.Parameter(torch.empty(1, count, width))
