# SPDX-License-Identifier: Apache-2.0
"""The network: pictures and the arm's state become tokens, then text continues them.

`see` encodes what is seen, once a decision, into the keys and values of every layer; `extend`
reads text after them and gives the logits of what comes next. What is seen attends to all of
itself, text to what is seen and to the text before. Training reads several texts after one scene
at once: each token says to which it belongs.

Where the size says so, the first token of an answer carries where its object is, as the network
itself said just before: what it does then follows from that, whatever the object is called.

Shapes: B samples, C cameras, S tokens of what is seen, T of text, D width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from inspire_policy.nano.settings import Size


class Residual(nn.Module):
    """Two convolutions beside a way round them."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        self.before = nn.GroupNorm(8, channels)
        self.between = nn.GroupNorm(8, channels)

    def forward(self, x: Tensor) -> Tensor:
        y = self.first(F.silu(self.before(x)))
        return x + self.second(F.silu(self.between(y)))


class Eye(nn.Module):
    """A picture (B, 3, H, H) of 0 to 1 as tokens (B, S, D)."""

    def __init__(self, size: Size, side: int) -> None:
        super().__init__()
        stages: list[nn.Module] = []
        before = 3
        for number, (channels, blocks) in enumerate(zip(size.channels, size.blocks, strict=True)):
            # 4 x 4 patches first, then half the side twice
            stages.append(nn.Conv2d(before, channels, 4, stride=4) if number == 0 else
                          nn.Conv2d(before, channels, 3, stride=2, padding=1))
            stages += [Residual(channels) for _ in range(blocks)]
            before = channels
        self.stages = nn.Sequential(*stages)
        self.norm = nn.GroupNorm(8, before)
        self.out = nn.Linear(before, size.width)
        self.place = nn.Parameter(0.02 * torch.randn((-(-side // 16)) ** 2, size.width))

    def forward(self, picture: Tensor) -> Tensor:
        x = F.silu(self.norm(self.stages(2.0 * picture - 1.0)))
        return self.out(x.flatten(2).transpose(1, 2)) + self.place


def attended(query: Tensor, key: Tensor, value: Tensor, allowed: Tensor | None) -> Tensor:
    """Attention; on a processor in single precision always: in 16 bit its way back takes five
    times as long."""
    if query.device.type == 'cpu' and torch.is_autocast_enabled('cpu'):
        with torch.autocast('cpu', enabled=False):
            query, key, value = query.float(), key.float(), value.float()
            return F.scaled_dot_product_attention(query, key, value, attn_mask=allowed)
    return F.scaled_dot_product_attention(query, key, value, attn_mask=allowed)


class Layer(nn.Module):
    """Attention and a gated feed-forward, each beside a way round it."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.heads = size.heads
        self.before = nn.LayerNorm(size.width)
        self.qkv = nn.Linear(size.width, 3 * size.width, bias=False)
        self.out = nn.Linear(size.width, size.width, bias=False)
        self.between = nn.LayerNorm(size.width)
        self.up = nn.Linear(size.width, 2 * size.inner, bias=False)
        self.down = nn.Linear(size.inner, size.width, bias=False)

    def forward(self, x: Tensor, allowed: Tensor | None,
                past: Tensor | None) -> tuple[Tensor, Tensor]:
        """x (B, T, D); past (2, B, heads, P, D / heads); gives x and past with x's own."""
        batch, length, width = x.shape
        mixed = self.qkv(self.before(x)).view(batch, length, 3, self.heads, width // self.heads)
        query, key, value = mixed.permute(2, 0, 3, 1, 4)
        if past is not None:
            key, value = torch.cat([past[0], key], 2), torch.cat([past[1], value], 2)
        seen = attended(query, key, value, allowed)
        x = x + self.out(seen.transpose(1, 2).reshape(batch, length, width))
        gate, inner = self.up(self.between(x)).chunk(2, -1)
        return x + self.down(F.silu(gate) * inner), torch.stack([key, value])


class Place(nn.Module):
    """A place (..., 3, 5 or 8), an offset [0.1 m], how it is turned, and its foot [0.1 m], as what
    is added to a token (..., D); nothing where it is NaN."""

    WAVES = 5       # the finest has a wavelength of 4 cm

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.first = nn.Linear(3 * (2 * self.WAVES + 1), size.width)
        self.turned = nn.Linear(2, size.width, bias=False) if size.headings else None
        self.foot = nn.Linear(3, size.width, bias=False) if size.feet else None
        self.last = nn.Linear(size.width, size.width)

    def forward(self, place: Tensor) -> Tensor:
        known = ~torch.isnan(place).any(-1, keepdim=True)
        place = torch.where(known, place, torch.zeros_like(place))
        offset = place[..., :3]
        waves = torch.cat([2.0 ** number * offset for number in range(self.WAVES)], -1)
        inner = self.first(torch.cat([offset, waves.sin(), waves.cos()], -1))
        if self.turned is not None:
            inner = inner + self.turned(place[..., 3:5])
        if self.foot is not None:
            inner = inner + self.foot(place[..., 5:])
        read = self.last(F.silu(inner))
        return torch.where(known, read, torch.zeros_like(read))


class Find(nn.Module):
    """What is added to places (..., size.told) that are told of tokens (..., D), from how the arm
    stands and lags (..., size.arm). A place counts from the tcp: to take that off what a picture
    shows of the table wants more exact numbers than attention hands on."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.arm = nn.Linear(size.arm, size.told, bias=False)
        self.first = nn.Linear(size.width + size.arm, 2 * size.width)
        self.last = nn.Linear(2 * size.width, size.told)

    def forward(self, hidden: Tensor, arm: Tensor) -> Tensor:
        inner = self.first(torch.cat([hidden, arm], -1))
        return self.arm(arm) + self.last(F.silu(inner))


class Hand(nn.Module):
    """What is added to places (..., 10) that are told of tokens (..., D), as the hand sees it:
    against its own axes first, turned into the viewer frame afterwards. No network multiplies as
    exactly how an edge lies in the wrist's picture and how the wrist is turned."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.first = nn.Linear(size.width, 2 * size.width)
        self.last = nn.Linear(2 * size.width, size.told)

    def forward(self, hidden: Tensor, axes: Tensor) -> Tensor:
        """axes (..., 6): the hand's x and y (along which it opens) in the viewer frame."""
        seen = self.last(F.silu(self.first(hidden)))
        ahead, across = axes[..., :3], axes[..., 3:]
        turn = torch.stack([ahead, across, torch.linalg.cross(ahead, across)], -1)
        offset, foot = ((turn @ part[..., None])[..., 0] for part in (seen[..., :3],
                                                                      seen[..., 5:8]))
        once = across[..., :2] / across[..., :2].norm(dim=-1, keepdim=True).clamp_min(1e-6)
        twice = turned(once, once)
        return torch.cat([offset, turned(seen[..., 3:5], twice), foot,
                          turned(seen[..., 8:], turned(twice, twice))], -1)


def turned(one: Tensor, by: Tensor) -> Tensor:
    """Cosine and sine (..., 2) of the sum of two angles, given those of each."""
    (x, y), (cosine, sine) = one.unbind(-1), by.unbind(-1)
    return torch.stack([x * cosine - y * sine, x * sine + y * cosine], -1)


class Network(nn.Module):
    """See the module's docstring."""

    def __init__(self, size: Size, vocabulary: int) -> None:
        super().__init__()
        self.size, self.vocabulary = size, vocabulary
        self.eyes = nn.ModuleList(Eye(size, side) for side in size.picture)
        self.arm = nn.Sequential(nn.Linear(size.state, size.width), nn.SiLU(),
                                 nn.Linear(size.width, size.width))
        self.words = nn.Embedding(vocabulary, size.width)
        self.place = nn.Embedding(size.text, size.width)
        self.layers = nn.ModuleList(Layer(size) for _ in range(size.layers))
        self.norm = nn.LayerNorm(size.width)
        self.head = nn.Linear(size.width, vocabulary, bias=False)
        # What is asked about: minus the tcp [0.1 m], cosine and sine of twice its heading, foot,
        # cosine and sine of four times its heading.
        self.where = nn.Linear(size.width, size.told)
        self.find = Find(size) if size.finds else None
        self.hand = Hand(size) if size.hand else None
        self.there = Place(size) if size.reads_places else None
        self._begin()

    def _begin(self) -> None:
        for module in self.modules():
            if isinstance(module, (nn.Linear, nn.Embedding)):
                nn.init.normal_(module.weight, std=0.02)
        if self.find is not None:   # numbers count from the start
            nn.init.normal_(self.find.first.weight, std=self.find.first.in_features ** -0.5)
        if self.hand is not None:
            nn.init.normal_(self.hand.first.weight, std=self.hand.first.in_features ** -0.5)
        if self.there is not None:  # what it says is as loud as a word from the start
            first, last = self.there.first, self.there.last
            nn.init.normal_(first.weight, std=first.in_features ** -0.5)
            nn.init.normal_(last.weight, std=0.1 * last.in_features ** -0.5)
            if self.there.turned is not None:
                nn.init.normal_(self.there.turned.weight, std=1.0)
            if self.there.foot is not None:
                nn.init.normal_(self.there.foot.weight, std=1.0)
        for layer in self.layers:   # what is added to the stream starts small
            assert isinstance(layer, Layer)
            for last in (layer.out, layer.down):
                nn.init.normal_(last.weight, std=0.02 / (2 * len(self.layers)) ** 0.5)

    def scene(self, pictures: list[Tensor], state: Tensor) -> Tensor:
        """Tokens (B, S, D) of pictures (B, 3, H, H), of each camera or of none, and a state
        (B, size.state)."""
        tokens = ([eye(picture) for eye, picture in zip(self.eyes, pictures, strict=True)]
                  if pictures else [])
        return torch.cat([*tokens, self.arm(state)[:, None]], 1)

    def see(self, pictures: list[Tensor], state: Tensor) -> Tensor:
        """Keys and values (layers, 2, B, heads, S, D / heads) of what is seen."""
        return self._through(self.scene(pictures, state), None, None)[1]

    def told(self, hidden: Tensor, arm: Tensor | None) -> Tensor:
        """The place (..., size.told) of what is asked about, from the last layer's output at the
        token before an answer (..., D). arm (..., size.arm), where the network finds: see
        readers.arm_numbers."""
        where: Tensor = self.where(hidden)
        if self.find is None:
            return where
        assert arm is not None
        where = where + self.find(hidden, arm)
        return where if self.hand is None else where + self.hand(hidden, arm[..., -6:])

    def extend(self, past: Tensor, ids: Tensor, places: Tensor, there: Tensor | None = None,
               arm: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """Logits (B, T, vocabulary) after each of ids (B, T), `past` with theirs, and the place of
        what is asked about (B, T, size.told); see `forward` and `told`.

        places (T,): the tokens' places in the text. there: as in `forward`. arm (B, size.arm).
        """
        length, before = ids.shape[1], past.shape[4]
        allowed = (torch.arange(before + length, device=ids.device)[None, :]
                   <= torch.arange(before, before + length, device=ids.device)[:, None])
        x = self.words(ids) + self.place(places)
        if self.there is not None and there is not None:
            x = x + self.there(there)
        x, past = self._through(x, allowed, past)
        hidden = self.norm(x)
        if arm is not None:
            arm = arm[:, None].expand(-1, length, -1)
        return self.head(hidden), past, self.told(hidden, arm)

    def forward(self, pictures: list[Tensor], state: Tensor, ids: Tensor, places: Tensor,
                branches: Tensor, there: Tensor | None = None) -> Tensor:
        """The last layer's output (B, T, D) over texts in branches; `head` gives the logits, and
        `told`, at the token before an answer, its object's place.

        ids, places, branches: (B, T). A token reads the scene and the tokens before it of its
        own branch. Padding has a branch of its own. there (B, T, size.place): at an answer's
        first token, its object's place ([0.1 m], turns, foot), NaN elsewhere.
        """
        scene = self.scene(pictures, state)
        seen, length = scene.shape[1], ids.shape[1]
        own = branches[:, :, None] == branches[:, None, :]
        order = torch.ones(length, length, dtype=torch.bool, device=ids.device).tril()
        allowed = torch.zeros(len(ids), 1, seen + length, seen + length, dtype=torch.bool,
                              device=ids.device)
        allowed[:, :, :, :seen] = True
        allowed[:, 0, :seen, seen:] = False
        allowed[:, 0, seen:, seen:] = own & order
        text = self.words(ids) + self.place(places)
        if self.there is not None and there is not None:
            text = text + self.there(there)
        x, _ = self._through(torch.cat([scene, text], 1), allowed, None)
        return self.norm(x[:, seen:])

    def _through(self, x: Tensor, allowed: Tensor | None,
                 past: Tensor | None) -> tuple[Tensor, Tensor]:
        kept = []
        for number, layer in enumerate(self.layers):
            x, own = layer(x, allowed, None if past is None else past[number])
            kept.append(own)
        return x, torch.stack(kept)
