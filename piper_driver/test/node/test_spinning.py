# SPDX-License-Identifier: Apache-2.0
"""An executable ends cleanly on a signal and says in one line why it cannot start."""

import signal
import subprocess
import sys
import textwrap

import pytest

pytestmark = pytest.mark.node

PROGRAM = textwrap.dedent('''
    import sys, threading
    from rclpy.node import Node
    from std_msgs.msg import String
    from piper_driver import spinning

    class Talker(Node):
        def __init__(self):
            super().__init__('talker')
            {start}
            self.topic = self.create_publisher(String, 'talk', 10)
            self.create_timer(0.001, self.talk)

        def talk(self):
            {talk}
            self.topic.publish(String(data='x'))
            print('spinning', flush=True)

        def close(self):
            print('closed', flush=True)

    {main}
    sys.exit(spinning.run(Talker, {executor}))
''')


def _start(start='', talk='', executor='None', main='', arguments=()):
    source = PROGRAM.format(start=start or 'pass', talk=talk or 'pass', executor=executor,
                            main=main)
    return subprocess.Popen([sys.executable, '-c', source, *arguments], text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize('executor', ['None', 'MultiThreadedExecutor'])
def test_a_signal_ends_it_with_zero_and_the_node_is_closed(ros_domain, no_survivors, number,
                                                           executor):
    process = _start(executor=executor,
                     main='from rclpy.executors import MultiThreadedExecutor')
    assert process.stdout.readline() == 'spinning\n'
    process.send_signal(number)
    output, errors = process.communicate(timeout=20)
    assert process.returncode == 0, errors
    assert output.endswith('closed\n')
    assert 'Traceback' not in errors


def test_a_failed_start_is_one_clear_line(ros_domain, no_survivors):
    process = _start(start="raise ValueError('parameter speed is 9;\\n valid is 0..1')")
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 1
    assert errors == 'error: parameter speed is 9; valid is 0..1\n'


def test_a_fault_while_spinning_keeps_its_traceback(ros_domain, no_survivors):
    process = _start(talk="raise KeyError('lost')")
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "KeyError: 'lost'" in errors and 'Traceback' in errors


def test_a_malformed_argument_is_said(ros_domain, no_survivors):
    process = _start(arguments=('--ros-args', '-p', 'no_value'))
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 1
    assert 'error: ' in errors and 'no_value' in errors and 'Traceback' not in errors
