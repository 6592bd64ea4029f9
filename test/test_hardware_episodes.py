# SPDX-License-Identifier: Apache-2.0
"""Record on the CAN bus, label in hindsight, export, train: the loop of the paper's real robot.

A short version of `./inspire bench hindsight`.
"""

import pytest

from inspire_bringup import hardware_benchmark

pytestmark = [
    pytest.mark.system,
    pytest.mark.usefixtures('no_survivors'),
    pytest.mark.timeout(900),
]


def test_what_the_gripper_did_is_enough_to_label_and_to_train_on(monkeypatch):
    pytest.importorskip('torch', reason='the part "train" of the set-up is not there')
    pytest.importorskip('piper_sdk', reason='the part "can" of the set-up is not there')
    monkeypatch.setattr(hardware_benchmark, 'TASKS', ('banana_in_plate',))
    monkeypatch.setattr(hardware_benchmark, 'EPISODES', 2)
    figures = {name: list(samples) for name, samples, _ in hardware_benchmark.benchmark()}
    assert figures['hardware_episodes'] == [2]
    assert max(figures['picked_off']) <= 30.0
    assert figures['picked_words_compared'][0] > 10
    assert figures['picked_words_equal_outside_3_cm'][0] >= 0.95
    assert min(figures['exported_rows']) > 0
    assert figures['action_loss_at_last'][0] < figures['action_loss_at_first'][0]
    # and a person's, whose hand is on the arm, or on a leader of it
    for way in ('guided', 'led'):
        assert max(figures[f'{way}_picked_off']) <= 30.0, way
        assert figures[f'{way}_picked_words_equal_outside_3_cm'][0] >= 0.95, way
    assert len(figures['by_hand_exported_rows']) == 2 and min(figures['by_hand_exported_rows']) > 0
    assert figures['by_hand_action_loss_at_last'] < figures['by_hand_action_loss_at_first']
