# SPDX-License-Identifier: Apache-2.0
"""What the expert moves is what the questions are about: both ways to resolve words agree."""

import numpy as np
import pytest

from inspire_labeler.catalogue import Catalogue
from inspire_labeler.question import questions
from inspire_labeler.viewer import VIEWERS, viewer
from inspire_policy.catalogue_file import default_catalogue
from inspire_sim import layout
from inspire_sim.tasks import Goal, Variant, variants

CATALOGUE = Catalogue.load(default_catalogue())


@pytest.mark.parametrize('name', sorted(VIEWERS))
@pytest.mark.parametrize('variant', variants(), ids=lambda variant: variant.instruction)
def test_roles_and_catalogue_name_the_same_frames(variant: Variant, name: str) -> None:
    seen_from = viewer(name)
    asked = [question.object for question in questions(variant.instruction)]
    for seed in range(5):
        spots = layout.laid_out(variant, np.random.default_rng(seed), seen_from.yaw)
        spots |= layout.others(variant, spots, np.random.default_rng(seed))
        frames = {frame: spot.frame(frame).position for frame, spot in spots.items()}
        seen = {frame: (seen_from.rotation_base_to_viewer @ position).tolist()
                for frame, position in frames.items()}
        named = [CATALOGUE.resolve(phrase, seen) for phrase in asked]
        roles = [variant.moved] + ([variant.target] if variant.target else [])
        expected = [role.resolve(frames, seen_from.yaw) for role in roles]
        if variant.goal in (Goal.PULL, Goal.PUSH):
            assert named[0] == expected[0]
        else:
            assert named == expected
