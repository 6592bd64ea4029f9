# SPDX-License-Identifier: Apache-2.0
"""What every `Arm` has to do, as tests that each implementation's own tests run.

    @pytest.mark.parametrize('law', CONTRACT, ids=lambda law: law.__name__)
    def test_the_arm_keeps_its_contract(law):
        law(Bench(arm, advance))

A `Bench` holds an arm that is made but not connected, standing free of obstacles near `HOME`, and
`advance(seconds)`, which lets its time pass (physics steps, or real time on hardware).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import inf, isfinite, nan

from piper_driver.arm import Arm, ArmError, ArmState
from piper_driver.limits import PIPER

STEADY = 0.02           # a powered arm that holds moves less than this [rad]
NEAR = 0.03             # it reaches a set-point this well [rad]
WIDTH_NEAR = 0.003      # [m]
SETTLING = 1.0          # within this time [s]


@dataclass(frozen=True)
class Bench:
    """An arm under test and its time."""

    arm: Arm
    advance: Callable[[float], None]

    def powered(self) -> ArmState:
        """Connect and enable; return the state."""
        self.arm.connect()
        self.arm.enable()
        self.advance(0.1)
        return self.arm.read()

    def aim(self, state: ArmState, turn: float) -> None:
        """Set the set-point to `state`, joint1 turned by `turn` [rad], and let time pass."""
        for _ in range(round(SETTLING / 0.05)):
            self.arm.command((state.position[0] + turn, *state.position[1:]), state.gripper_width)
            self.advance(0.05)


def _refuses(error: type[Exception], action: Callable[[], object]) -> None:
    try:
        action()
    except error as refusal:
        assert str(refusal), f'{error.__name__} without a reason'
        return
    raise AssertionError(f'{error.__name__} was not raised')


def _distance(a: ArmState, b: ArmState) -> float:
    return max(abs(x - y) for x, y in zip(a.position, b.position, strict=True))


def reading_before_connect_is_refused(bench: Bench) -> None:
    """No zeros are made up for an arm that has not answered."""
    _refuses(ArmError, bench.arm.read)


def a_state_is_finite_and_fresh(bench: Bench) -> None:
    """Six joints, a width, no NaN, and a stamp that goes on."""
    first = bench.powered()
    values = (*first.position, *first.velocity, *first.effort, first.gripper_width,
              first.gripper_velocity, first.gripper_effort, first.stamp)
    assert len(first.position) == len(first.velocity) == len(first.effort) == 6
    assert all(map(isfinite, values)), values
    bench.advance(0.1)
    assert bench.arm.read().stamp > first.stamp


def enabling_moves_nothing(bench: Bench) -> None:
    """An arm never moves because it was enabled; it holds where it is."""
    bench.arm.connect()
    before = bench.arm.read()
    bench.arm.enable()
    for _ in range(10):
        bench.advance(0.1)
        assert _distance(bench.arm.read(), before) < STEADY
    assert bench.arm.read().enabled


def a_set_point_is_followed(bench: Bench) -> None:
    """The arm goes where it is commanded, and no other joint moves along."""
    start = bench.powered()
    bench.aim(start, 0.2)
    state = bench.arm.read()
    assert abs(state.position[0] - start.position[0] - 0.2) < NEAR
    assert _distance(state, start) - 0.2 < NEAR


def the_gripper_is_followed(bench: Bench) -> None:
    """The width is the total opening, in metres."""
    start = bench.powered()
    for width in (0.02, 0.06):
        for _ in range(20):
            bench.arm.command(start.position, width)
            bench.advance(0.05)
        assert abs(bench.arm.read().gripper_width - width) < WIDTH_NEAR


def a_set_point_beyond_the_limits_stays_within_them(bench: Bench) -> None:
    """Whatever the driver sends, the arm's own ranges hold."""
    start = bench.powered()
    for _ in range(60):
        bench.arm.command((9.0, *start.position[1:]), 0.5)
        bench.advance(0.05)
    state = bench.arm.read()
    assert state.position[0] < PIPER.upper[0] + NEAR
    assert state.gripper_width < PIPER.gripper_upper + WIDTH_NEAR


def a_set_point_without_power_is_ignored(bench: Bench) -> None:
    """Disabled, joint1 (which no weight turns) stays; enabled again, the arm does not jump."""
    start = bench.powered()
    bench.arm.disable()
    bench.advance(0.05)
    assert not bench.arm.read().enabled
    bench.aim(start, 0.3)
    assert abs(bench.arm.read().position[0] - start.position[0]) < STEADY * 2
    bench.arm.enable()
    before = bench.arm.read()
    bench.advance(0.2)
    assert abs(bench.arm.read().position[0] - before.position[0]) < STEADY * 2


def nonsense_is_refused_and_changes_nothing(bench: Bench) -> None:
    """NaN, infinity and a wrong number of joints raise ValueError."""
    start = bench.powered()
    five = start.position[:5]
    for position, width in ((five, 0.03), ((*five, nan), 0.03), ((*five, inf), 0.03),
                            (start.position, nan)):
        _refuses(ValueError, partial(bench.arm.command, position, width))
    bench.advance(0.2)
    assert _distance(bench.arm.read(), start) < STEADY


def a_stop_latches(bench: Bench) -> None:
    """Stopped, the arm follows nothing and cannot be enabled until it is reset."""
    start = bench.powered()
    bench.arm.stop()
    bench.advance(0.1)
    assert bench.arm.read().fault
    bench.aim(start, 0.3)
    assert abs(bench.arm.read().position[0] - start.position[0]) < STEADY * 2
    _refuses(ArmError, bench.arm.enable)


def a_reset_clears_the_stop_and_takes_the_power(bench: Bench) -> None:
    """After a reset the arm is without power and fault, and enabling makes it follow again."""
    bench.powered()
    bench.arm.stop()
    bench.advance(0.1)
    bench.arm.reset()
    bench.advance(0.05)
    state = bench.arm.read()
    assert not state.fault and not state.enabled
    bench.arm.enable()
    bench.advance(0.1)
    state = bench.arm.read()
    assert state.enabled
    bench.aim(state, 0.1)
    assert abs(bench.arm.read().position[0] - state.position[0] - 0.1) < NEAR


def closing_twice_is_fine_and_ends_reading(bench: Bench) -> None:
    """A closed arm answers nothing."""
    bench.powered()
    bench.arm.close()
    bench.arm.close()
    _refuses(ArmError, bench.arm.read)


CONTRACT: tuple[Callable[[Bench], None], ...] = (
    reading_before_connect_is_refused,
    a_state_is_finite_and_fresh,
    enabling_moves_nothing,
    a_set_point_is_followed,
    the_gripper_is_followed,
    a_set_point_beyond_the_limits_stays_within_them,
    a_set_point_without_power_is_ignored,
    nonsense_is_refused_and_changes_nothing,
    a_stop_latches,
    a_reset_clears_the_stop_and_takes_the_power,
    closing_twice_is_fine_and_ends_reading,
)
