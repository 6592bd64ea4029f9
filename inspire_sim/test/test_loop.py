# SPDX-License-Identifier: Apache-2.0
import subprocess
import sys
import time
from collections.abc import Iterator

import numpy as np
import pytest

from inspire_sim.loop import RESET_GAP, SimulationLoop, StepRefused
from inspire_sim.pacing import Pace
from inspire_sim.tasks import UnknownTask
from inspire_sim.world import TableWorld


class Log:
    def __init__(self) -> None:
        self.instants: list[float] = []
        self.idle = 0

    def at_control(self, now: float) -> None:
        self.instants.append(now)

    def at_idle(self) -> None:
        self.idle += 1


def wait_for(condition: object, seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, 'condition not met in time'
        time.sleep(0.002)


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def loop(cube_scene: object, log: Log) -> Iterator[SimulationLoop]:
    world = TableWorld(cameras=(), builder=cube_scene)
    world.reset('pick_ball', 0)
    made = SimulationLoop(world, Pace(0.0, 0.005), log.at_control, log.at_idle)
    yield made
    made.close()
    assert not made._thread.is_alive()


def test_control_instants_are_5_ms_apart(loop: SimulationLoop, log: Log) -> None:
    loop.start()
    wait_for(lambda: len(log.instants) > 100)
    assert np.allclose(np.diff(log.instants[:100]), 0.005, atol=1e-9)


def test_a_paused_world_stands_still_and_steps_exactly(loop: SimulationLoop, log: Log) -> None:
    loop.start()
    loop.set_pause(True)
    before = loop.world.time
    wait_for(lambda: log.idle > 2)
    assert loop.world.time == before
    assert loop.step(3) == pytest.approx(before + 0.0075, abs=1e-9)
    assert loop.step(1) == pytest.approx(before + 0.01, abs=1e-9)
    loop.set_pause(False)
    wait_for(lambda: loop.world.time > before + 0.1)
    assert np.allclose(np.diff(log.instants), 0.005, atol=1e-9)


def test_stepping_is_refused_while_running_and_for_no_steps(loop: SimulationLoop) -> None:
    with pytest.raises(StepRefused, match='set_pause'):
        loop.step(1)
    loop.set_pause(True)
    with pytest.raises(StepRefused, match='steps is 0; valid: 1'):
        loop.step(0)


def test_time_goes_on_over_a_reset_with_a_gap(loop: SimulationLoop, log: Log) -> None:
    loop.start()
    wait_for(lambda: len(log.instants) > 20)
    loop.reset('stack_cubes', 5)
    wait_for(lambda: log.instants[-1] - log.instants[0] > 2 * RESET_GAP)
    steps = np.diff(log.instants)
    assert np.all(steps > 0.0)
    assert np.sort(steps)[-1] == pytest.approx(RESET_GAP, abs=0.006)
    assert np.sort(steps)[-2] == pytest.approx(0.005, abs=1e-9)
    assert loop.world.task == 'stack_cubes' and loop.world.seed == 5


def test_an_empty_task_is_the_present_one_and_an_unknown_one_changes_nothing(
        loop: SimulationLoop) -> None:
    loop.reset('', 9)
    assert (loop.world.task, loop.world.seed) == ('pick_ball', 9)
    before = loop.world.time
    with pytest.raises(UnknownTask):
        loop.reset('juggle', 1)
    assert loop.world.seed == 9 and loop.world.time == before


def test_diverged_physics_stop_the_clock_until_a_reset(loop: SimulationLoop, log: Log) -> None:
    loop.start()
    wait_for(lambda: len(log.instants) > 5)
    with loop.visit():
        loop.world.data.qvel[0] = np.nan
    wait_for(lambda: loop.diverged)
    assert 'joint1' in loop.diverged
    stopped = log.instants[-1]
    wait_for(lambda: log.idle > 2)
    assert log.instants[-1] == stopped
    loop.reset('', 0)
    wait_for(lambda: log.instants[-1] > stopped + RESET_GAP)
    assert loop.failure is None


def test_a_failing_listener_ends_the_loop_with_its_error(cube_scene: object) -> None:
    def fail(now: float) -> None:
        raise OSError('listener is gone')

    world = TableWorld(cameras=(), builder=cube_scene)
    world.reset('pick_ball', 0)
    loop = SimulationLoop(world, Pace(0.0, 0.005), fail)
    loop.start()
    wait_for(lambda: loop.failure is not None)
    assert str(loop.failure) == 'listener is gone'
    loop.close()


ORPHANS = """
from inspire_sim.loop import SimulationLoop
from inspire_sim.pacing import Pace
from inspire_sim.photographer import Photographer
from inspire_sim.world import TableWorld

world = TableWorld(cameras=())
world.reset('pick_ball', 0)
photographer = Photographer((), (32, 32), print)
SimulationLoop(world, Pace(1.0, 0.005), lambda now: None).start()
raise KeyboardInterrupt
"""


def test_threads_do_not_outlive_a_main_thread_that_could_not_close_them() -> None:
    ended = subprocess.run([sys.executable, '-c', ORPHANS], capture_output=True, text=True,
                           timeout=30, check=False)
    assert 'KeyboardInterrupt' in ended.stderr
