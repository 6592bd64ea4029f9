# SPDX-License-Identifier: Apache-2.0
"""A vision-language-action model: towers, projector, decoder.

`see` reads what stands first (a picture for each camera, with text around them), `extend` reads
on. minivla: one token, the pictures, and from there on all is causal. pi0fast: the pictures and
the instruction, which attend to all of each other; what comes after is causal.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from inspire_policy.large.decoder import Decoder, causal
from inspire_policy.large.settings import Size
from inspire_policy.large.tower import Tower


class Network(nn.Module):
    """See the module's docstring."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.size = size
        self.towers = nn.ModuleList(Tower(tower) for tower in size.towers)
        self.projector = projector(size)
        self.decoder = Decoder(size.decoder)

    @property
    def place(self) -> Tensor:
        """Something that lies where the network does, in its precision."""
        return self.decoder.embed_tokens.weight

    def patches(self, pictures: Tensor) -> Tensor:
        """Tokens (1, N, D) of pictures (cameras, 3, H, H) of 0 to 1, one after the other.

        Every tower looks at the pictures in its own size, all of them at once.
        """
        seen = torch.cat([tower(pictures) for tower in self.towers], -1)
        return self.projector(seen).flatten(0, 1)[None]

    def see(self, pictures: Tensor, before: Tensor, after: Tensor, kept: Tensor) -> int:
        """Put what is seen into `kept`, and return how many tokens it is."""
        words = self.decoder.words
        tokens = torch.cat([words(before), self.patches(pictures), words(after)], 1)
        length = tokens.shape[1]
        allowed = None if self.size.whole else causal(0, length, tokens.device)
        self.decoder(tokens, allowed, kept, 0)
        return length

    def extend(self, ids: Tensor, kept: Tensor, start: int) -> Tensor:
        """The decoder's output (T, D) after each of ids (1, T), which stand from `start` on."""
        tokens = self.decoder.words(ids)
        allowed = causal(start, ids.shape[1], ids.device)
        return self.decoder(tokens, allowed, kept, start)[0]

    def together(self, pictures: Tensor, ids: Tensor, begin: int, scenes: Tensor) -> Tensor:
        """The decoder's output (B, T, D) after each of ids (B, T), everything read at once.

        pictures (B, cameras, 3, H, H) of 0 to 1: they stand from `begin` on, whatever ids has
        there. scenes (B,): how many tokens of each are what is seen.
        """
        seen = self.patches(pictures.flatten(0, 1)).reshape(
            len(ids), -1, self.size.decoder.width)
        tokens = self.decoder.words(ids)
        tokens = torch.cat([tokens[:, :begin], seen, tokens[:, begin + seen.shape[1]:]], 1)
        places = torch.arange(tokens.shape[1], device=tokens.device)
        allowed = places[None, :] <= places[:, None]
        if self.size.whole:
            inside = places < scenes[:, None]
            allowed = (allowed | inside[:, :, None] & inside[:, None, :])[:, None]
        return self.decoder(tokens, allowed)

    def forward(self, pictures: Tensor, before: Tensor, after: Tensor, ids: Tensor) -> Tensor:
        """The same (T, D) of one sample: what is seen as in `see`, then ids (1, T)."""
        gap = ids.new_zeros(1, self.size.patches * len(pictures))
        whole = torch.cat([before, gap, after, ids], 1)
        scene = whole.shape[1] - ids.shape[1]
        return self.together(pictures[None], whole, before.shape[1],
                             ids.new_tensor([scene]))[0, scene:]


def projector(size: Size) -> nn.Sequential:
    """From a patch, as wide as the towers together, to a token."""
    width, out = sum(tower.width for tower in size.towers), size.decoder.width
    if not size.fused:
        return nn.Sequential(nn.Linear(width, out))
    return nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, out),
                         nn.GELU(), nn.Linear(out, out))


def empty(size: Size, kind: torch.dtype = torch.float32) -> Network:
    """A network whose numbers are still to be filled in."""
    with torch.device('meta'):
        made = Network(size)
    # Not to_empty(): on a machine at work it loads torch's compiler first, for half a minute.
    made.load_state_dict({name: torch.empty(one.shape, dtype=kind)
                          for name, one in made.state_dict().items()}, assign=True)
    return made.eval()


@torch.no_grad()
def randomised(network: Network, seed: int) -> Network:
    """The network with random numbers, such that what it says depends on all that it reads: what
    layers add outweighs the word itself, and attention is sharp.
    """
    source = torch.Generator().manual_seed(seed)
    for name, one in network.named_parameters():
        spread = one.shape[-1] ** -0.5 if one.dim() == 2 else 0.05
        if name.endswith('embed_tokens.weight') and network.size.decoder.gemma:
            spread /= network.size.decoder.width ** 0.5
        if 'q_proj' in name or 'k_proj' in name:
            spread *= 2.0
        kind = one.dtype if one.dtype is torch.float64 else torch.float32
        drawn = torch.empty(one.shape, dtype=kind).normal_(0.0, spread, generator=source)
        norm = 'norm' in name and name.endswith('weight') and not (
            network.size.decoder.gemma and name.startswith('decoder'))
        if norm or name.endswith('gamma'):
            drawn += 1.0
        one.copy_(drawn)
    return network
