# SPDX-License-Identifier: Apache-2.0
"""What of a large network is trained: all of it, or adapters (LoRA) on the decoder's linear
layers; and that part taken out and put back, however it is spread over processes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import nn
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_model_state_dict,
    get_state_dict,
    set_state_dict,
)

from inspire_policy.large.network import Network
from inspire_policy.large.recipe import Recipe
from inspire_policy.large.tower import Tower
from inspire_policy.training_run import Tables, under

# What sees is left as it is, as is the embedding, which is the head.
ADAPTED = r'decoder\.layers\.\d+\.(self_attn|mlp)\.\w+_proj'
WHOLE = StateDictOptions(full_state_dict=True, cpu_offload=True)
TRAINED = StateDictOptions(full_state_dict=True, cpu_offload=True, ignore_frozen_params=True,
                           strict=False)


def prepared(network: Network, recipe: Recipe) -> Network:
    """The network with that part of it to be trained that the recipe says."""
    network.decoder.recompute = recipe.gradient_checkpointing
    for tower in network.towers:
        assert isinstance(tower, Tower)
        tower.recompute = recipe.gradient_checkpointing and not recipe.lora_rank
    if recipe.lora_rank:
        from peft import LoraConfig, inject_adapter_in_model
        inject_adapter_in_model(
            LoraConfig(r=recipe.lora_rank, lora_alpha=recipe.lora_alpha, target_modules=ADAPTED),
            network)
    for name, one in network.named_parameters():
        one.requires_grad_(not recipe.lora_rank or '.lora_' in name)
    return network


def merged(model: nn.Module, recipe: Recipe) -> Tables:
    """The parameters of the network in a model's `network`, by their own names, with what the
    adapters give added to them. All processes take part; what is given counts in the first."""
    whole: Any = get_model_state_dict(model, options=WHOLE)
    tables = under(whole, 'network.')
    scale = recipe.lora_alpha / max(recipe.lora_rank, 1)
    found = {}
    for name, value in tables.items():
        if '.lora_' in name:
            continue
        joint = name.removesuffix('.base_layer.weight')
        if joint != name:
            up, down = (tables[f'{joint}.lora_{side}.default.weight'] for side in 'BA')
            value = value + scale * (up @ down).to(value.dtype)
        found[name.replace('.base_layer.', '.')] = value
    return found


def state_of(model: nn.Module, optimizer: torch.optim.Optimizer) -> Tables:
    """Everything that going on needs: what is trained, and the optimiser's moments, by name. All
    processes take part; what is given counts in the first, the others get nothing."""
    parameters: Any
    moments: Any
    parameters, moments = get_state_dict(model, optimizer, options=TRAINED)
    tables: Tables = {f'model.{name}': value for name, value in parameters.items()}
    for name, state in moments.get('state', {}).items():
        tables |= {f'optimizer.{name}/{kind}': torch.as_tensor(value)
                   for kind, value in state.items()}
    return tables


def restore(tables: Tables, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    """Go on from there."""
    everywhere = replace(TRAINED, cpu_offload=False)    # else the first process alone gets them
    moments: Any = get_state_dict(model, optimizer, options=everywhere)[1]
    states: dict[str, Any] = {}
    for name, value in under(tables, 'optimizer.').items():
        parameter, _, kind = name.rpartition('/')
        states.setdefault(parameter, {})[kind] = value
    parameters: Any = under(tables, 'model.')
    set_state_dict(model, optimizer, model_state_dict=parameters,
                   optim_state_dict={**moments, 'state': states}, options=TRAINED)
