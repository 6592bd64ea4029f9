# SPDX-License-Identifier: Apache-2.0
"""How a large family is fine-tuned, as data: recipes by name, and single settings changed by hand.

`minivla` and `pi0fast` are the paper's (its Tables 5 and 6), on eight or so large GPUs. The paper
also tunes by LoRA, of rank 32; the other numbers of those two recipes are ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from inspire_policy.recipe_settings import changed

PRECISIONS = ('no', 'bf16')


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the result, but the data and the checkpoint that it begins from:
    that has the layout, the questions' formulation, the cameras and the codec."""

    family: str
    steps: int                 # of the optimiser
    rate: float                # of learning, at its peak
    lora_rank: int = 0         # of adapters on the decoder's linear layers; 0: all is trained
    lora_alpha: int = 64       # adapters add alpha / rank of what they give
    batch: int = 128           # samples a step, over all processes
    micro_batch: int = 8       # of them at once in each process
    warmup: int = 0            # steps until the peak
    floor: float = 1.0         # share of the rate at the end of a cosine down; 1: it stays
    decay: float = 0.0         # of weights
    betas: tuple[float, ...] = (0.9, 0.999)     # of AdamW
    clip: float = 1.0          # norm of the gradient at most
    mixed_precision: str = 'bf16'               # or no
    gradient_checkpointing: bool = True         # slower, in a fraction of the memory
    answers: float = 1.0       # weight of an answer's token beside an action's
    dropped: float = 0.0       # share of prompts without their questions
    rescale: bool = True       # actions and state are scaled as these data are, not as before
    brightness: float = 0.0    # pictures are made brighter or darker by up to this share,
    tint: float = 0.0          # each of their colours by this share more,
    shift: float = 0.0         # and moved by up to this share of their side
    seed: int = 7
    held_out: int = 25         # every so many-th episode is kept for validation
    validate: int = 500        # steps between validations
    save: int = 2500           # steps between checkpoints

    def __post_init__(self) -> None:
        """Refuse what cannot be trained."""
        if self.mixed_precision not in PRECISIONS:
            raise ValueError(f'mixed_precision is {self.mixed_precision!r}; valid: '
                             f'{", ".join(PRECISIONS)}')
        if len(self.betas) != 2 or not all(0.0 <= beta < 1.0 for beta in self.betas):
            raise ValueError(f'betas are {self.betas}; valid: two numbers from 0 to below 1')
        for name in ('steps', 'batch', 'micro_batch', 'validate', 'save'):
            if getattr(self, name) < 1:
                raise ValueError(f'{name} is {getattr(self, name)}; valid: at least 1')
        for name in ('lora_rank', 'held_out', 'warmup'):
            if getattr(self, name) < 0:
                raise ValueError(f'{name} is {getattr(self, name)}; valid: 0 or more')
        for name in ('dropped', 'floor'):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f'{name} is {getattr(self, name)}; valid: 0 to 1')


def adapted(recipe: Recipe) -> Recipe:
    """The same by LoRA."""
    return replace(recipe, lora_rank=32, steps=10_000, batch=32, rate=5e-4, warmup=100, floor=0.1,
                   save=500)


MINIVLA = Recipe('minivla', steps=50_000, rate=1e-5)
PI0FAST = Recipe('pi0fast', steps=30_000, rate=2.5e-5, warmup=1000, floor=0.1, decay=1e-10,
                 betas=(0.9, 0.95))
RECIPES = {
    'minivla': MINIVLA,
    'minivla-lora': adapted(MINIVLA),
    'pi0fast': PI0FAST,
    'pi0fast-lora': adapted(PI0FAST),
}


def named(name: str, changes: Sequence[str] = ()) -> Recipe:
    """A recipe with changes like `steps=100`. Raises ValueError."""
    if name not in RECIPES:
        raise ValueError(f'there is no recipe {name!r}; recipes: {", ".join(RECIPES)}')
    return changed(RECIPES[name], changes)
