# SPDX-License-Identifier: Apache-2.0
"""Two arms on the same seeds: nothing is run twice, and what broke counts as a failure."""

import pytest

from inspire_bringup import arm_benchmark
from inspire_bringup.arm_benchmark import benchmark, read
from inspire_bringup.runner import INTERRUPTED, Outcome


@pytest.fixture
def runs(monkeypatch):
    """The runs so far, (arm, first seed, episodes); episodes succeed, but the emulator's seed 1
    breaks the run, and the simulated arm's seed 6 fails.
    """
    made = []

    def run_stages(stages, _folder, show, _domain):
        values = {key: value for stage in stages for key, value in stage.parameters.items()}
        arm, first, count = values['arm'], values['seed'], values['episodes']
        made.append((arm, first, count))
        for seed in range(first, first + count):
            show('episode', f'"put the ball on the book" (seed {seed})')
            show('sim', 'failed to be quick')       # which is another process
            if (arm, seed) == ('can-emulator', 1):
                return Outcome(1, 'driver exited with status 1')
            failed = (arm, seed) == ('simulated', 6)
            show('episode', 'failed: out of time; 9 decisions' if failed else
                 'succeeded after 5.0 s; 9 decisions')
        return Outcome(0)
    monkeypatch.setattr(arm_benchmark, 'run_stages', run_stages)
    return made


def test_both_arms_have_the_same_seeds_and_what_broke_has_failed(runs, tmp_path):
    simulated, emulated, differ = benchmark('7', str(tmp_path / 'rows.jsonl'))
    assert (simulated.runs, simulated.value) == (7, pytest.approx(6 / 7))
    assert (emulated.runs, emulated.value) == (7, pytest.approx(6 / 7))
    assert differ[1] == [2.0]
    assert runs == [('simulated', 0, 5), ('can-emulator', 0, 5), ('can-emulator', 2, 3),
                    ('simulated', 5, 2), ('can-emulator', 5, 2)]
    broken = [row for row in read(tmp_path / 'rows.jsonl') if 'driver exited' in row.note]
    assert [(row.arm, row.seed, row.success) for row in broken] == [('can-emulator', 1, False)]


def test_what_has_a_line_is_not_run_again(runs, tmp_path):
    benchmark('3', str(tmp_path / 'rows.jsonl'))
    runs.clear()
    benchmark('4', str(tmp_path / 'rows.jsonl'))
    assert runs == [('simulated', 3, 1), ('can-emulator', 3, 1)]


def test_an_episode_that_was_interrupted_is_not_noted(monkeypatch, tmp_path):
    def run_stages(_stages, _folder, show, _domain):
        show('episode', '"put the ball on the book" (seed 0)')
        return Outcome(INTERRUPTED)
    monkeypatch.setattr(arm_benchmark, 'run_stages', run_stages)
    with pytest.raises(KeyboardInterrupt):
        benchmark('3', str(tmp_path / 'rows.jsonl'))
    assert read(tmp_path / 'rows.jsonl') == []
