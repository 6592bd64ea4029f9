# SPDX-License-Identifier: Apache-2.0
"""The network as two ONNX graphs: `see` (pictures, state -> past, and that of the state alone) and
`extend` (past, ids -> logits, where), which has the input `there` where the network reads places,
and `arm` where it finds them.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from inspire_policy.nano.network import Network
from inspire_policy.nano.readers import EXTEND, SEE


class See(nn.Module):
    """Pictures as cameras give them: (1, H, H, 3) of 0 to 255."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Tensor]:
        *pictures, state = inputs
        seen = [one.permute(0, 3, 1, 2).float() / 255 for one in pictures]
        return self.network.see(seen, state), self.network.see([], state)


class Extend(nn.Module):
    """Text after a past; also: names of what is read beside these."""

    def __init__(self, network: Network, also: Sequence[str]) -> None:
        super().__init__()
        self.network, self.also = network, also

    def forward(self, past: Tensor, ids: Tensor, places: Tensor,
                *more: Tensor) -> tuple[Tensor, ...]:
        return self.network.extend(past, ids, places, **dict(zip(self.also, more, strict=True)))


def write(network: Network, folder: Path) -> None:
    """Write both graphs."""
    size = network.size
    pictures = [torch.zeros(1, side, side, 3, dtype=torch.uint8) for side in size.picture]
    state = torch.zeros(1, size.state)
    past = network.see([one.permute(0, 3, 1, 2).float() for one in pictures], state)
    names = [f'picture_{number}' for number in range(len(pictures))]
    _export(See(network), (*pictures, state), folder / SEE, [*names, 'state'], ['past', 'felt'],
            {})
    ids, places = torch.zeros(1, 5, dtype=torch.int64), torch.arange(5)
    more = {'there': torch.zeros(1, 5, size.place)} if size.reads_places else {}
    if size.finds:
        more['arm'] = torch.zeros(1, size.arm)
    _export(Extend(network, list(more)), (past, ids, places, *more.values()), folder / EXTEND,
            ['past', 'ids', 'places', *more],
            ['logits', 'kept', 'where'],
            {'past': {4: 'before'}, 'ids': {1: 'length'}, 'places': {0: 'length'},
             **({'there': {1: 'length'}} if 'there' in more else {}),
             'logits': {1: 'length'}, 'kept': {4: 'after'}, 'where': {1: 'length'}})


def _export(module: nn.Module, inputs: tuple[Tensor, ...], path: Path, names: list[str],
            outputs: list[str], moving: dict[str, dict[int, str]]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        torch.onnx.export(module.eval(), inputs, str(path), input_names=names,
                          output_names=outputs, dynamic_axes=moving, opset_version=17,
                          dynamo=False)
