# SPDX-License-Identifier: Apache-2.0
"""An arm behind a pipe keeps the contract, and knows when the other end is gone."""

import threading
import time

import pytest

from piper_driver.arm import ArmError
from piper_driver.arm_contract import CONTRACT, Bench
from piper_driver.far_arm import FarArm, NearEnd, pipe
from piper_driver.kinematics import HOME
from piper_driver.model_arm import ModelArm

STEP = 0.005
# These two are about the link, which a far arm has from the start; the last about an error that
# only the state can tell here.
OF_THE_LINK = {'reading_before_connect_is_refused', 'closing_twice_is_fine_and_ends_reading',
               'a_stop_latches'}


class Pair:
    """Both ends in one process; `advance` is the time of the one that has the arm."""

    def __init__(self, position=HOME):
        near, far = pipe()
        self.model = ModelArm(position)
        self.model.connect()
        self.near = NearEnd(self.model, near)
        self.near.serve()
        self.far = FarArm(far)

    def advance(self, seconds):
        for _ in range(max(round(seconds / STEP), 1)):
            self.model.advance(STEP)
            self.near.serve()


@pytest.fixture
def pair():
    made = Pair((0.0,) * 6)
    yield made
    made.near.close()
    made.far.close()


@pytest.mark.parametrize('law', [law for law in CONTRACT if law.__name__ not in OF_THE_LINK],
                         ids=lambda law: law.__name__)
def test_an_arm_behind_a_pipe_keeps_the_contract(law, pair):
    law(Bench(pair.far, pair.advance))


def test_a_state_arrives_as_it_was_told(pair):
    pair.model.put((0.1, 0.2, -0.3, 0.4, -0.5, 0.6), 0.033)
    pair.advance(0.0)
    told, state = pair.model.read(), pair.far.read()
    assert state.position == told.position and state.gripper_width == told.gripper_width
    assert (state.stamp, state.enabled, state.fault) == (told.stamp, False, '')


def test_a_stop_is_told_with_its_reason(pair):
    pair.far.stop()
    pair.advance(0.01)
    assert pair.far.read().fault == 'emergency stop'


def test_what_was_asked_for_before_the_arm_was_put_elsewhere_is_void(pair):
    pair.far.enable()
    pair.advance(0.01)
    pair.far.command((1.0, 0, 0, 0, 0, 0), 0.05)
    pair.near.moved()
    pair.advance(0.1)
    assert pair.far.read().position[0] == 0.0 and pair.far.moves == 1
    pair.far.command((0.1, 0, 0, 0, 0, 0), 0.05)
    pair.advance(0.5)
    assert pair.far.read().position[0] == pytest.approx(0.1, abs=1e-3)


def test_an_arm_whose_time_stands_still_blocks_nobody(pair):
    for _ in range(5000):
        pair.far.command((0.0,) * 6, 0.05)
    pair.advance(0.01)
    assert pair.far.read().stamp > 0


def test_each_end_notices_that_the_other_is_gone(pair):
    pair.far.close()
    with pytest.raises(ArmError, match='the process that emulates the arm has ended'):
        for _ in range(3):
            pair.near.serve()
    near, far = pipe()
    other = threading.Thread(target=lambda: (time.sleep(0.05), near.close()))
    other.start()
    with pytest.raises(ArmError, match='the process that has the arm has ended'):
        FarArm(far)
    other.join()
    far.close()
