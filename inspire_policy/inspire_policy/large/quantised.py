# SPDX-License-Identifier: Apache-2.0
"""The decoder's linear layers in 8 bits, for a processor: torch's own dynamic quantisation.

Weights have a scale for each row, what goes in one for all of it, found anew each time. What sees,
the norms and the words (which are the head) stay as they are. It is another model: nearly what the
plain one says, and `./inspire bench quantised` counts how nearly.
"""

from __future__ import annotations

import copy
import warnings
from typing import Any, TypeVar

from torch import nn

from inspire_policy.large.network import Network

M = TypeVar('M', bound=nn.Module)


def quantised(network: Network) -> Network:
    """The network with such layers; the rest of it is shared with the one that is given."""
    from torch.ao import quantization
    quantise: Any = quantization.quantize_dynamic
    decoder = _shallow(network.decoder)
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')    # torch holds exactly this version, which still has it
        decoder.layers = quantise(network.decoder.layers,
                                  {nn.Linear: quantization.per_channel_dynamic_qconfig})
    made = _shallow(network)
    made.decoder = decoder
    return made


def _shallow(module: M) -> M:
    """A module of the same parts, which can be replaced."""
    made = copy.copy(module)
    made._modules = dict(module._modules)
    return made
