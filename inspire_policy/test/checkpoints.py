# SPDX-License-Identifier: Apache-2.0
"""Folders as they are published, of small networks with random numbers."""

import dataclasses

import torch
from safetensors.torch import save_file

from inspire_policy.large.checkpoint import TOKENIZER, take_in
from inspire_policy.large.layouts import HEADS, map_of
from inspire_policy.large.untrained import made, tokenizer
from inspire_policy.large.weights import part_of

LAYOUTS = {'prismatic': 'minivla', 'openvla': 'minivla', 'lerobot': 'pi0fast', 'openpi': 'pi0fast'}


def published(network, layout, seed=0):
    """The tensors of a file in a layout, made from our network; what it does not need is drawn."""
    own = network.state_dict()
    source = torch.Generator().manual_seed(seed)
    found = {}
    for name, place in map_of(network.size, layout).items():
        if place.ours is None:
            found[name] = torch.randn(place.shape, generator=source)
            continue
        found[name] = part_of(own, place).reshape(place.shape).clone()
    return found


def write(tensors, folder, layout):
    """Write them as such a file is written, and return its name."""
    if layout == 'prismatic':
        parts = {}
        for name, one in tensors.items():
            part, _, rest = name.partition('.')
            parts.setdefault(part, {})[rest] = one
        torch.save({'model': parts, 'optimizer': {'step': 3}}, folder / 'step.pt')
        return 'step.pt'
    if layout == 'openvla':   # in two files, with an index
        (folder / 'hf').mkdir()
        names = sorted(tensors)
        half = {name: f'model-0000{1 + (number % 2)}-of-00002.safetensors'
                for number, name in enumerate(names)}
        for file in set(half.values()):
            save_file({name: tensors[name] for name in names if half[name] == file},
                      folder / 'hf' / file)
        import json
        (folder / 'hf' / 'model.safetensors.index.json').write_text(
            json.dumps({'weight_map': half}))
        return 'hf'
    save_file({name: one for name, one in tensors.items() if name != HEADS[layout][0]},
              folder / 'model.safetensors')    # tied tables are written once, under either name
    return 'model.safetensors'


def folder_of(path, layout='prismatic', seed=0, **changes):
    """A whole checkpoint's folder, and what it was made from."""
    family = LAYOUTS[layout]
    before = made(family, seed=seed, **changes)
    tokenizer(family).save(str(path / TOKENIZER))
    weights = write(published(before.network, layout), path, layout)
    codec = codec_files(before, path)
    description = dataclasses.replace(before.description, weights=weights, codec=codec)
    return before, take_in(path, description)


def codec_files(before, path):
    """Write what the codec reads, and return its settings."""
    settings = before.codec.settings()
    if settings['kind'] == 'autoencoder':
        parts = {}
        for name, table in before.codec.arrays().items():
            part, _, rest = name.partition('.')
            parts.setdefault(part, {})[rest] = torch.from_numpy(table)
        torch.save({**parts, 'optimizer': {}}, path / 'vq.pt')
        books, (_, size, latent) = before.codec.longest, before.codec.arrays()[
            'vq_embedding.layers.0._codebook.embed'].shape
        return {**settings, 'file': 'vq.pt', 'chunk': before.codec.chunk, 'levels': books,
                'size': size, 'latent': latent}
    before.codec.save(path / 'fast.json')
    return {**settings, 'tokenizer': 'fast.json'}
