# SPDX-License-Identifier: Apache-2.0
"""What the tokenizer is made from: how the tasks are said and how the objects are called.

The words of the unseen tasks are among them, so that each is one token there, too; what they mean
is learned from training, or not.
"""

from __future__ import annotations

from inspire_labeler.catalogue import Catalogue
from inspire_labeler.lexicon import POSITIONS
from inspire_policy.catalogue_file import default_catalogue
from inspire_policy.prompt import plain
from inspire_sim.tasks import variants


def sentences() -> list[str]:
    """Every instruction, and every name of the catalogue with every word of position."""
    names = sorted(Catalogue.load(default_catalogue()).objects)
    placed = [f'the {place} {name}' for place in sorted(POSITIONS) for name in names]
    return [plain(text) for text in (*(variant.instruction for variant in variants()),
                                     *(f'the {name}' for name in names), *placed)]
