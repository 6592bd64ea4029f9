# SPDX-License-Identifier: Apache-2.0
"""How published files name each number of a network: a map of every name and shape.

A map says of each tensor of a file where it belongs in our network, or that it is not needed
(the last layer of a tower that is read before it; pooling heads). A tensor that is missing, or one
too many, or of another shape, is an error that names it. docs/families.md says what has been run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch

from inspire_policy.large.network import Network
from inspire_policy.large.settings import Size, Tower

Shape = tuple[int, ...]


class LayoutError(ValueError):
    """A file that does not hold this network; the message names the tensor."""


@dataclass(frozen=True)
class Place:
    """Where a tensor of a file belongs: rows from `start` on of our parameter `ours` (None: it is
    not needed); and its shape in the file."""

    ours: str | None
    start: int
    shape: Shape


Map = dict[str, Place]

HEADS = {   # the head is the embedding again: files have one of the two names, or both
    'prismatic': ('llm_backbone.llm.model.embed_tokens.weight',
                  'llm_backbone.llm.lm_head.weight'),
    'openvla': ('language_model.model.embed_tokens.weight', 'language_model.lm_head.weight'),
    'lerobot': ('model.paligemma_with_expert.paligemma.model.language_model.embed_tokens.weight',
                'model.paligemma_with_expert.paligemma.lm_head.weight'),
    'openpi': ('paligemma_with_expert.paligemma.model.language_model.embed_tokens.weight',
               'paligemma_with_expert.paligemma.lm_head.weight'),
}
OF_FAMILY = {'minivla': ('prismatic', 'openvla'), 'pi0fast': ('lerobot', 'openpi')}

# what tells a file of another kind
OTHERS = {
    'gemma_expert': 'pi0 or pi0.5, which move by flow matching',
    'action_head': 'a model with an action head of its own',
    'lora_': 'an adapter (LoRA) without the weights that it adapts',
}


def shapes(size: Size) -> dict[str, Shape]:
    """Name and shape of every parameter of our network."""
    with torch.device('meta'):
        return {name: tuple(one.shape) for name, one in Network(size).state_dict().items()}


def map_of(size: Size, layout: str) -> Map:
    """The map of a layout. Raises LayoutError for one that does not exist."""
    if layout not in HEADS:
        raise LayoutError(f'there is no layout {layout!r}; layouts: {", ".join(HEADS)}')
    own = shapes(size)
    build = _prismatic if layout in OF_FAMILY['minivla'] else _paligemma
    return build(size, own, layout)


def layout_of(names: Iterable[str], family: str) -> str:
    """Which layout a file of these names has. Raises LayoutError saying what it is instead."""
    there = set(names)
    for layout in OF_FAMILY[family]:
        if there & set(HEADS[layout]):
            return layout
    for mark, kind in OTHERS.items():
        if any(mark in name for name in there):
            raise LayoutError(f'no checkpoint of {family}: this is one of {kind}')
    for other, layouts in OF_FAMILY.items():
        if any(there & set(HEADS[layout]) for layout in layouts):
            raise LayoutError(f'no checkpoint of {family}: this is one of {other}')
    wanted = ', '.join(name for layout in OF_FAMILY[family] for name in HEADS[layout])
    shown = ', '.join(sorted(there)[:3]) or 'nothing'
    raise LayoutError(f'no checkpoint of {family}: it has none of {wanted}, but {shown}, ...')


def checked(wanted: Map, there: Mapping[str, Shape], layout: str) -> Map:
    """The map of those tensors of a file that are to be read. Raises LayoutError."""
    heads = [name for name in HEADS[layout] if name in there]
    if not heads:
        raise LayoutError(f'tensor {HEADS[layout][0]} is missing')
    left = {name: place for name, place in wanted.items()
            if name not in HEADS[layout] or name in heads}
    for kind, odd in (('is missing', left.keys() - there.keys()),
                      ('is not one of this family and size', there.keys() - left.keys())):
        if odd:
            more = f' (and {len(odd) - 1} more)' if len(odd) > 1 else ''
            raise LayoutError(f'tensor {min(odd)} {kind}{more}')
    for name, place in left.items():
        if there[name] != place.shape:
            raise LayoutError(f'tensor {name} has shape {there[name]}; valid: {place.shape}')
    return left


def _prismatic(size: Size, own: Mapping[str, Shape], layout: str) -> Map:
    native = layout == 'prismatic'
    towers = (('vision_backbone.dino_featurizer.', 'vision_backbone.siglip_featurizer.') if native
              else ('vision_backbone.featurizer.', 'vision_backbone.fused_featurizer.'))
    joints = {'projector.0': 'projector.fc1', 'projector.2': 'projector.fc2',
              'projector.4': 'projector.fc3'}
    found: Map = {}
    for name, shape in own.items():
        part, _, rest = name.partition('.')
        if part == 'towers':
            number, _, rest = rest.partition('.')
            found[towers[int(number)] + _scaled(rest, native)] = Place(name, 0, shape)
        elif part == 'projector':
            joint, _, kind = name.rpartition('.')
            found[f'projector.{name}' if native else f'{joints[joint]}.{kind}'] = Place(
                name, 0, shape)
        else:
            prefix = 'llm_backbone.llm.model.' if native else 'language_model.model.'
            found[prefix + rest] = Place(name, 0, shape)
    for prefix, tower in zip(towers, size.towers, strict=True):
        for name, shape in _beside(tower).items():
            found[prefix + _scaled(name, native)] = Place(None, 0, shape)
    return _with_head(found, own, layout)


def _scaled(name: str, native: bool) -> str:
    """Hugging Face's loader renames what is called gamma, so that directory has another name."""
    return name if native else name.replace('.gamma', '.scale_factor')


def _beside(tower: Tower) -> dict[str, Shape]:
    """What a file has of a tower that is not read: its last block, its norm, its pooling head."""
    width, inner = tower.width, tower.inner
    block: dict[str, Shape] = {
        'norm1.weight': (width,), 'norm1.bias': (width,),
        'attn.qkv.weight': (3 * width, width), 'attn.qkv.bias': (3 * width,),
        'attn.proj.weight': (width, width), 'attn.proj.bias': (width,),
        'norm2.weight': (width,), 'norm2.bias': (width,),
        'mlp.fc1.weight': (inner, width), 'mlp.fc1.bias': (inner,),
        'mlp.fc2.weight': (width, inner), 'mlp.fc2.bias': (width,),
    }
    if tower.scaled:
        block |= {'ls1.gamma': (width,), 'ls2.gamma': (width,)}
    found = {f'blocks.{tower.layers - 1}.{name}': shape for name, shape in block.items()}
    found |= {'norm.weight': (width,), 'norm.bias': (width,)}
    if tower.pooled:
        pool: dict[str, Shape] = {
            'latent': (1, 1, width), 'q.weight': (width, width), 'q.bias': (width,),
            'kv.weight': (2 * width, width), 'kv.bias': (2 * width,),
            'proj.weight': (width, width), 'proj.bias': (width,),
            'norm.weight': (width,), 'norm.bias': (width,),
            'mlp.fc1.weight': (inner, width), 'mlp.fc1.bias': (inner,),
            'mlp.fc2.weight': (width, inner), 'mlp.fc2.bias': (width,),
        }
        found |= {f'attn_pool.{name}': shape for name, shape in pool.items()}
    return found


# our name in a block of the tower -> PaliGemma's; queries, keys and values are apart there
BLOCK = {'norm1': 'layer_norm1', 'norm2': 'layer_norm2', 'attn.proj': 'self_attn.out_proj',
         'mlp.fc1': 'mlp.fc1', 'mlp.fc2': 'mlp.fc2'}


def _paligemma(size: Size, own: Mapping[str, Shape], layout: str) -> Map:
    prefix = 'paligemma_with_expert.paligemma.model.'
    prefix = f'model.{prefix}' if layout == 'lerobot' else prefix
    tower = f'{prefix}vision_tower.vision_model.'
    found: Map = {}
    for name, shape in own.items():
        part, _, rest = name.partition('.')
        joint, _, kind = name.rpartition('.')
        if part == 'decoder':
            found[f'{prefix}language_model.{rest}'] = Place(name, 0, shape)
        elif part == 'projector':
            found[f'{prefix}multi_modal_projector.linear.{kind}'] = Place(name, 0, shape)
        elif joint == 'towers.0.patch_embed.proj':
            found[f'{tower}embeddings.patch_embedding.{kind}'] = Place(name, 0, shape)
        elif name == 'towers.0.pos_embed':
            found[f'{tower}embeddings.position_embedding.weight'] = Place(name, 0, shape[1:])
        elif joint == 'towers.0.norm':
            found[f'{tower}post_layernorm.{kind}'] = Place(name, 0, shape)
        else:
            number, inside = joint.removeprefix('towers.0.blocks.').split('.', 1)
            block = f'{tower}encoder.layers.{number}.'
            if inside != 'attn.qkv':
                found[f'{block}{BLOCK[inside]}.{kind}'] = Place(name, 0, shape)
                continue
            width = size.towers[0].width
            for turn, letter in enumerate('qkv'):
                found[f'{block}self_attn.{letter}_proj.{kind}'] = Place(
                    name, turn * width, (width, *shape[1:]))
    return _with_head(found, own, layout)


def _with_head(found: Map, own: Mapping[str, Shape], layout: str) -> Map:
    table = 'decoder.embed_tokens.weight'
    return found | {name: Place(table, 0, own[table]) for name in HEADS[layout]}
