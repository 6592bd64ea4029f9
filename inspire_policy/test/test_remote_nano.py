# SPDX-License-Identifier: Apache-2.0
"""The learned policy is the same behind a socket as in the process."""

import demonstrations
import numpy as np
import pytest

pytest.importorskip('torch', reason='the part `train` of the set-up is not installed')

from servers import served

from inspire_labeler.question import questions
from inspire_policy import families
from inspire_policy.closed_loop import observed
from inspire_sim.world import TableWorld

INSTRUCTION = 'stack the green cube on the blue cube'

pytestmark = pytest.mark.timeout(300)


@pytest.mark.parametrize('reasoning', ['full', 'drafted', 'off'])
def test_a_served_policy_decides_as_it_does_in_the_process(reasoning):
    made = {'checkpoint': demonstrations.checkpoint_folder(), 'reasoning': reasoning, 'threads': 1}
    near, world = families.create('nano', **made), TableWorld()
    asked = questions(INSTRUCTION)
    with served(families.create('nano', **made)) as address:
        far = families.create('remote', address=address)
        for seed in range(2):
            world.reset(INSTRUCTION, seed)
            for policy in (near, far):
                policy.reset(INSTRUCTION, asked)
            for _ in range(2):
                seen = observed(world, near)
                one, two = near.decide(seen), far.decide(seen)
                assert [answer.text for answer in one.answers] == [
                    answer.text for answer in two.answers]
                for a, b in zip(one.answers, two.answers, strict=True):
                    assert a.probabilities == pytest.approx(b.probabilities, abs=1e-6)
                assert np.array_equal(one.actions, two.actions)
                assert (one.transcript, one.done) == (two.transcript, two.done)
                assert {*one.timings, 'network'} == set(two.timings)
                for action in one.actions:
                    world.step(action)
    world.close()
