# SPDX-License-Identifier: Apache-2.0
"""How a large family is fine-tuned, as data: recipes by name, and single settings changed by hand.

`minivla` and `pi0fast` are the paper's (its Tables 5 and 6), on eight or so large GPUs. The paper
also tunes by LoRA, of rank 32; the other numbers of those two recipes are ours.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

from inspire_policy import recipe_settings
from inspire_policy.recipe_settings import Run


@dataclass(frozen=True, kw_only=True)
class Recipe(Run):
    """Everything that decides the result, but the data and the checkpoint that it begins from:
    that has the layout, the questions' formulation, the cameras and the codec."""

    family: str
    lora_rank: int = 0         # of adapters on the decoder's linear layers; 0: all is trained
    lora_alpha: int = 64       # adapters add alpha / rank of what they give
    batch: int = 128
    micro_batch: int = 8       # samples at once in each process
    warmup: int = 0
    floor: float = 1.0         # share of the rate at the end of a cosine down; 1: it stays
    decay: float = 0.0
    betas: tuple[float, ...] = (0.9, 0.999)     # of AdamW
    mixed_precision: str = 'bf16'
    gradient_checkpointing: bool = True         # slower, in a fraction of the memory
    answers: float = 1.0       # weight of an answer's token beside an action's
    dropped: float = 0.0       # share of prompts without their questions
    rescale: bool = True       # actions and state are scaled as these data are, not as before
    seed: int = 7
    save: int = 2500

    def __post_init__(self) -> None:
        """Refuse what cannot be trained."""
        super().__post_init__()
        self._require('at least 1', 1, 'micro_batch')
        self._require('0 or more', 0, 'lora_rank')
        if len(self.betas) != 2 or not all(0.0 <= beta < 1.0 for beta in self.betas):
            raise ValueError(f'betas are {self.betas}; valid: two numbers from 0 to below 1')
        for name in ('dropped', 'floor'):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f'{name} is {getattr(self, name)}; valid: 0 to 1')


def adapted(recipe: Recipe) -> Recipe:
    """The same by LoRA."""
    return replace(recipe, lora_rank=32, steps=10_000, batch=32, rate=5e-4, warmup=100, floor=0.1,
                   save=500)


MINIVLA = Recipe(family='minivla', steps=50_000, rate=1e-5)
PI0FAST = Recipe(family='pi0fast', steps=30_000, rate=2.5e-5, warmup=1000, floor=0.1,
                 decay=1e-10, betas=(0.9, 0.95))
RECIPES = {
    'minivla': MINIVLA,
    'minivla-lora': adapted(MINIVLA),
    'pi0fast': PI0FAST,
    'pi0fast-lora': adapted(PI0FAST),
}
named = partial(recipe_settings.named, RECIPES)    # with changes like `steps=100`
