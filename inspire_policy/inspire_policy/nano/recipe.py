# SPDX-License-Identifier: Apache-2.0
"""How a network is trained, as data: recipes by name, and single settings changed by hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

from inspire_policy import recipe_settings
from inspire_policy.action_codec import CODECS
from inspire_policy.nano.lessons import Teaching
from inspire_policy.nano.settings import Size
from inspire_policy.prompt import Layout
from inspire_policy.recipe_settings import Run


@dataclass(frozen=True, kw_only=True)
class Recipe(Run):
    """Everything that decides the result, but the data."""

    size: Size = field(default_factory=Size)
    teaching: Teaching = field(default_factory=Teaching)
    codec: str = 'residual'
    recode: bool = False       # a codec for this data, although a run begins from a checkpoint
    chunk: int = 8             # actions of a decision
    steps: int = 40_000
    batch: int = 64
    rate: float = 1e-3
    warmup: int = 200
    cooldown: float = 0.3      # share of the steps in which the rate goes down again
    decay: float = 0.05
    answers: float = 1.0       # weight of the answers' loss beside the actions'
    offsets: float = 1.0       # weight of the loss of where things are; 0: as the paper
    average: float = 0.999     # share that the running average of the weights keeps in a step
    brightness: float = 0.1
    tint: float = 0.08
    shift: float = 0.04

    def __post_init__(self) -> None:
        """Refuse what cannot be trained."""
        super().__post_init__()
        self._require('at least 1', 1, 'chunk')
        if self.codec not in CODECS:
            raise ValueError(f'codec is {self.codec!r}; valid: {", ".join(CODECS)}')
        if self.size.reads_places and self.offsets <= 0.0:
            raise ValueError(f'offsets is {self.offsets}; valid with size.reads_places: above 0, '
                             'so that it learns where things are')
        if self.teaching.layout is Layout.ANSWERS_FOR_PICTURES and not self.size.reads_places:
            raise ValueError('teaching.layout answers_for_pictures acts on places: '
                             'valid with size.reads_places=true')
        if self.teaching.layout is Layout.NONE and self.teaching.others:
            raise ValueError('teaching.others asks questions, teaching.layout none: choose one')


# For two cores, which learn from 20 to 30 samples a second.
LAPTOP = Size(width=256, layers=4, heads=8, inner=512)
# Half of its time, and 24 MB with its graphs: what is shipped.
SMALL = Size(width=192, layers=4, heads=6, inner=384, channels=(32, 64, 128))
TINY = Size(width=32, layers=2, heads=2, inner=64, channels=(8, 16, 16), blocks=(0, 1, 0),
            picture=(112, 56))

RECIPES = {
    'nano': Recipe(),
    'laptop': Recipe(size=LAPTOP, steps=4000, batch=32, warmup=100),
    'small': Recipe(size=SMALL, steps=2000, batch=32, warmup=60, cooldown=0.4, average=0.995,
                    shift=0.0),
    'tiny': Recipe(size=TINY, steps=40, batch=8, warmup=5, validate=20, save=20, average=0.9),
}
named = partial(recipe_settings.named, RECIPES)    # with changes like `teaching.layout=none`
