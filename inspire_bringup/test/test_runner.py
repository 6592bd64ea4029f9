# SPDX-License-Identifier: Apache-2.0
"""Processes run together and end together; nothing is left, whatever happens."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

from inspire_bringup import runner
from inspire_bringup.runner import Process

pytestmark = pytest.mark.usefixtures('no_survivors')

SLEEPS = 'import time; time.sleep(60)'
IGNORES_SIGNALS = """
    import signal, time
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda got, _: print('got', int(got), flush=True))
    print('ready', flush=True)
    time.sleep(60); time.sleep(60); time.sleep(60)
"""
SAYS_WHEN_STOPPED = """
    import sys, time
    print('ready', flush=True)
    try:
        time.sleep(60)
    except KeyboardInterrupt:
        with open(sys.argv[1], 'a') as order:
            order.write(sys.argv[2] + '\\n')
"""


def python(name: str, code: str, *arguments: str, **marks: bool) -> Process:
    return Process(name, (sys.executable, '-c', textwrap.dedent(code), *arguments), **marks)


def foreground(code: str, *arguments: str) -> Process:
    return python('episode', code, *arguments, foreground=True)


@pytest.fixture
def impatient(monkeypatch):
    steps = ((signal.SIGINT, 0.2), (signal.SIGINT, 0.2), (signal.SIGTERM, 0.2))
    monkeypatch.setattr(runner, 'ESCALATION', steps)


class Shown(list):
    def __call__(self, name: str, line: str) -> None:
        self.append((name, line))


def test_the_run_ends_with_the_status_of_the_foreground(tmp_path):
    for status in (0, 3):
        outcome = runner.run(
            [python('sim', SLEEPS), foreground(f'raise SystemExit({status})')], tmp_path, Shown()
        )
        assert outcome == runner.Outcome(status)


def test_foreground_lines_are_shown_and_other_output_is_in_the_log(tmp_path):
    shown = Shown()
    wait_for_sim = """
        import pathlib, sys, time
        log, end = pathlib.Path(sys.argv[1]), time.monotonic() + 10
        while 'quiet' not in log.read_text() and time.monotonic() < end: time.sleep(0.01)
        print('the ball: left'); print('no newline', end='')
    """
    chatty = "import time; print('[ERROR] loud'); print('quiet'); time.sleep(60)"
    log = tmp_path / 'sim.log'
    runner.run([python('sim', chatty), foreground(wait_for_sim, str(log))], tmp_path, shown)
    assert ('episode', 'the ball: left') in shown
    assert ('episode', 'no newline') in shown
    assert ('sim', '[ERROR] loud') in shown
    assert ('sim', 'quiet') not in shown
    assert log.read_text().startswith('[ERROR] loud\nquiet\n')


def test_a_stage_that_exits_ends_the_run_and_is_named_with_the_end_of_its_log(tmp_path):
    fails = "print('no GL library'); raise SystemExit(7)"
    outcome = runner.run([python('sim', fails), foreground(SLEEPS)], tmp_path, Shown())
    assert outcome.code == 1
    assert 'sim exited with status 7' in outcome.message
    assert 'no GL library' in outcome.message
    assert str(tmp_path / 'sim.log') in outcome.message


def test_a_stage_that_ends_with_status_zero_ends_the_run_too(tmp_path):
    outcome = runner.run([python('sim', 'pass'), foreground(SLEEPS)], tmp_path, Shown())
    assert outcome.code == 1
    assert 'sim exited with status 0; it printed nothing' in outcome.message


def test_a_killed_stage_is_reported_by_its_signal(tmp_path):
    kills_itself = 'import os; os.kill(os.getpid(), 9)'
    outcome = runner.run([python('sim', kills_itself), foreground(SLEEPS)], tmp_path, Shown())
    assert 'sim was killed by SIGKILL' in outcome.message


def test_the_cause_is_blamed_when_the_foreground_dies_of_it(tmp_path):
    victim = foreground('raise SystemExit(1)')
    cause = python('recorder', 'import time; time.sleep(0.1); raise SystemExit(5)')
    outcome = runner.run([victim, cause], tmp_path, Shown())
    assert 'recorder exited with status 5' in outcome.message


def test_whoever_moves_the_arm_is_stopped_before_the_rest(tmp_path):
    order = tmp_path / 'order'
    processes = [
        python('sim', SAYS_WHEN_STOPPED, str(order), 'sim'),
        python('policy', SAYS_WHEN_STOPPED, str(order), 'policy', stop_first=True),
        python('recorder', SAYS_WHEN_STOPPED, str(order), 'recorder'),
    ]
    until_ready = """
        import pathlib, sys, time
        ready = lambda: all(pathlib.Path(f).read_text() for f in sys.argv[1:])
        while not ready(): time.sleep(0.01)
    """
    logs = [str(tmp_path / f'{process.name}.log') for process in processes]
    runner.run([*processes, foreground(until_ready, *logs)], tmp_path, Shown())
    assert order.read_text().split()[0] == 'policy'
    assert sorted(order.read_text().split()) == ['policy', 'recorder', 'sim']


def test_a_process_that_ignores_signals_is_killed(tmp_path, impatient):
    log = str(tmp_path / 'stubborn.log')
    until_ready = """
        import pathlib, sys, time
        while 'ready' not in pathlib.Path(sys.argv[1]).read_text(): time.sleep(0.01)
    """
    stubborn = python('stubborn', IGNORES_SIGNALS)
    outcome = runner.run([stubborn, foreground(until_ready, log)], tmp_path, Shown())
    assert outcome == runner.Outcome(0)
    assert Path(log).read_text().count('got 2') == 2
    assert Path(log).read_text().count('got 15') == 1


def test_a_frozen_process_is_killed(tmp_path, impatient):
    freezes = 'import os, signal; os.kill(os.getpid(), signal.SIGSTOP)'
    outcome = runner.run([python('sim', freezes), foreground('pass')], tmp_path, Shown())
    assert outcome == runner.Outcome(0)


def test_processes_started_by_a_process_do_not_outlive_the_run(tmp_path):
    parent = f"""
        import subprocess, sys, time
        subprocess.Popen([sys.executable, '-c', {SLEEPS!r}])
        print('[ERROR] started', flush=True)
        raise SystemExit(1)
    """
    runner.run([python('sim', parent), foreground(SLEEPS)], tmp_path, Shown())


def test_a_missing_executable_is_named(tmp_path):
    missing = Process('labeler', ('/nowhere/labeler',))
    outcome = runner.run([python('sim', SLEEPS), missing], tmp_path, Shown())
    assert outcome.code == 1
    assert 'labeler cannot be started' in outcome.message
    assert '/nowhere/labeler' in outcome.message


def test_ctrl_c_stops_everything(tmp_path):
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
    outcome = runner.run([python('sim', SLEEPS), foreground(SLEEPS)], tmp_path, Shown())
    assert outcome == runner.Outcome(runner.INTERRUPTED, 'interrupted')


def test_a_full_disk_does_not_end_the_run(tmp_path):
    if not Path('/dev/full').exists():
        pytest.skip('no /dev/full here')
    (tmp_path / 'episode.log').symlink_to('/dev/full')
    shown = Shown()
    assert runner.run([foreground("print('still here')")], tmp_path, shown).code == 0
    assert shown == [('episode', 'still here')]


def test_processes_die_with_a_runner_that_is_killed(tmp_path):
    code = f"""
        import pathlib, sys
        from inspire_bringup.runner import Process, run
        sleeper = Process('sleeper', (sys.executable, '-c', {SLEEPS!r}))
        told = Process('told', (sys.executable, '-c', "print('up'); " + {SLEEPS!r}), True)
        logs = pathlib.Path({str(tmp_path)!r})
        run([sleeper, told], logs, lambda *line: print(line, flush=True))
    """
    killed = subprocess.Popen(
        [sys.executable, '-c', textwrap.dedent(code)], stdout=subprocess.PIPE, text=True
    )
    assert 'up' in killed.stdout.readline()
    killed.kill()
    killed.communicate()  # `no_survivors` looks for the children


def test_handlers_of_signals_are_put_back(tmp_path):
    before = signal.getsignal(signal.SIGINT)
    runner.run([foreground('pass')], tmp_path, Shown())
    assert signal.getsignal(signal.SIGINT) is before


def test_the_environment_reaches_the_processes(tmp_path):
    shown = Shown()
    tells = foreground("import os; print(os.environ['ROS_DOMAIN_ID'])")
    runner.run([tells], tmp_path, shown, {'ROS_DOMAIN_ID': '42'})
    assert shown == [('episode', '42')]


def test_an_idle_run_costs_little(tmp_path):
    """The watch must not spin: a tenth of a core would be taken from the simulation."""
    before, begin = time.process_time(), time.monotonic()
    closes_output = """
        import os, time
        os.close(1); os.close(2); time.sleep(1)
    """
    runner.run([foreground(closes_output)], tmp_path, Shown())
    assert (time.process_time() - before) / (time.monotonic() - begin) < 0.1
