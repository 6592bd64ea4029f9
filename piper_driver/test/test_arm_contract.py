# SPDX-License-Identifier: Apache-2.0
"""The contract holds for the double here and for the simulated arm, and notices breaches."""

import pytest

from piper_driver import arm_contract
from piper_driver.arm_contract import CONTRACT, Bench


def _name(law):
    return law.__name__


@pytest.mark.parametrize('law', CONTRACT, ids=_name)
def test_the_ideal_arm_keeps_the_contract(law, ideal_arm):
    law(Bench(ideal_arm, ideal_arm.advance))


@pytest.mark.parametrize('law', CONTRACT, ids=_name)
def test_the_simulated_arm_keeps_the_contract(law):
    world = pytest.importorskip('inspire_sim.world').TableWorld(cameras=())
    world.reset('pick_ball', 0)
    world.arm.close()       # the world connects it

    def advance(seconds):
        for _ in range(round(seconds / 0.005)):
            world.tick()
    law(Bench(world.arm, advance))


BREACHES = {
    'reading_before_connect_is_refused': {'connected': True},
    'enabling_moves_nothing': {'enable': lambda arm: (
        setattr(arm, 'enabled', True), setattr(arm, 'aim', (0.0,) * 6))},
    'a_set_point_is_followed': {'jammed': True},
    'a_set_point_without_power_is_ignored': {'disable': lambda arm: None},
    'a_stop_latches': {'stop': lambda arm: setattr(arm, 'fault', 'emergency stop')},
    'a_reset_clears_the_stop_and_takes_the_power': {'reset': lambda arm: None},
    'closing_twice_is_fine_and_ends_reading': {'close': lambda arm: None},
}


@pytest.mark.parametrize('law', BREACHES)
def test_an_arm_that_breaks_the_contract_is_found_out(law, ideal_arm, monkeypatch):
    for name, value in BREACHES[law].items():
        if callable(value):
            monkeypatch.setattr(type(ideal_arm), name, value)
        else:
            setattr(ideal_arm, name, value)
    with pytest.raises(AssertionError):
        getattr(arm_contract, law)(Bench(ideal_arm, ideal_arm.advance))
