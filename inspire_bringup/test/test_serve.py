# SPDX-License-Identifier: Apache-2.0
"""`./inspire serve` as a process: it says where it serves, serves, and ends cleanly at Ctrl-C."""

import re
import signal
import subprocess
import sys

import pytest

pytest.importorskip('torch', reason='the part `train` of the set-up is not installed')

import demonstrations
from servers import observation

from inspire_bringup import command_line
from inspire_labeler.question import questions
from inspire_policy import families

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

COMMAND = [sys.executable, '-P', '-m', 'inspire_bringup.command_line', 'serve']


def test_a_checkpoint_is_served_until_ctrl_c():
    folder = demonstrations.checkpoint_folder()
    with subprocess.Popen([*COMMAND, str(folder), '--port', '0'], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline()
            address = re.fullmatch(r'serving on (ws://127\.0\.0\.1:\d+) until Ctrl-C\n', line)[1]
            policy = families.create('remote', address=address, answer_within=60)
            policy.reset('pick up the ball', questions('pick up the ball'))
            picture = observation().images['camera'][:12, :12].repeat(10, 0).repeat(10, 1)
            decision = policy.decide(observation(
                images={'camera': picture, 'wrist_camera': picture}))
            assert [one.question.object for one in decision.answers] == ['the ball']
            assert decision.actions.shape == (8, 7)
            process.send_signal(signal.SIGINT)    # with a client connected
            said, errors = process.communicate(timeout=60)
        finally:
            process.kill()
    assert (process.returncode, errors) == (0, '')
    assert re.fullmatch(r'\S+ connected\n\S+ is gone\nended\n', said)


@pytest.mark.parametrize(('words', 'message'), [
    (('/nowhere',), '/nowhere'),
    (('--policy', 'expert'), "invalid choice: 'expert'"),
    (('--port', '70000'), "'70000' is not a whole number in 0..65535"),
])
def test_what_cannot_be_served_is_an_error_in_one_line(words, message, capsys):
    try:
        status = command_line.main(['serve', *words])
    except SystemExit as refused:
        status = refused.code
    assert status in (1, 2)
    error = capsys.readouterr().err
    assert message in error and error.count('\n') == 1
