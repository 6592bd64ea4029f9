# SPDX-License-Identifier: Apache-2.0
"""`./inspire echo` hears a graph: answers, truth, agreement and the task."""

import json
import time

import pytest

from inspire_bringup import command_line
from inspire_bringup.ros_listener import Listener, listening
from inspire_msgs.msg import (
    Agreement,
    SpatialAnswer,
    SpatialQuestion,
    SpatialReasoning,
    TaskState,
)
from piper_driver.qos import EVENT, SENSOR

pytestmark = pytest.mark.node

QUESTION = SpatialQuestion(object='the ball', text='Where is the ball?', options=['left', 'right'])


def reasoning(word, probabilities=()):
    answer = SpatialAnswer(question=QUESTION, text=word, probabilities=list(probabilities))
    message = SpatialReasoning(instruction='pick up the ball', answers=[answer], chunk_id=3)
    message.header.stamp.sec = 7
    return message


class Speaking(Listener):
    """A listener that also says what it is to hear."""

    def __init__(self):
        super().__init__()
        outlets = [
            (SpatialReasoning, 'reasoning', EVENT, reasoning('left', [0.75, 0.25])),
            (SpatialReasoning, 'spatial_labels', SENSOR, reasoning('right')),
            (Agreement, 'agreement', EVENT, Agreement(agreed=1, compared=2)),
            (TaskState, 'task_state', SENSOR, TaskState(task='pick_ball', success=True)),
        ]
        made = [(self.create_publisher(*one[:3]), one[3]) for one in outlets]
        self.create_timer(0.02, lambda: [each.publish(message) for each, message in made])


@pytest.fixture
def speaking(ros_domain, monkeypatch):
    monkeypatch.setattr('inspire_bringup.ros_listener.Listener', Speaking)


def test_the_view_has_what_was_said(speaking):
    with listening() as (listener, executor):
        deadline = time.monotonic() + 10.0
        view = listener.view
        while not (view.truth('the ball') and listener.observations and view.task):
            assert time.monotonic() < deadline
            executor.spin_once(timeout_sec=0.1)
        record = view.as_record()
    assert record['stamp'] == 7.0
    (answer,) = record['answers']
    assert (answer['answer'], answer['label']) == ('left', 'right')
    assert answer['probabilities'] == {'left': 0.75, 'right': 0.25}
    assert (record['task'], record['success'], record['chunk']) == ('pick_ball', True, 3)


def test_the_command_prints_one_line_of_json(speaking, capsys):
    assert command_line.main(['echo', '--once', '--json', '--timeout', '10']) == 0
    record = json.loads(capsys.readouterr().out)
    assert record['instruction'] == 'pick up the ball'


def test_the_command_draws_the_view(speaking, capsys):
    assert command_line.main(['echo', '--once', '--timeout', '10']) == 0
    assert 'Where is the ball?' in capsys.readouterr().out


def test_silence_is_an_error_that_names_the_domain(ros_domain, capsys):
    assert command_line.main(['echo', '--once', '--timeout', '0.5']) == 1
    assert f'no reasoning in ROS domain {ros_domain} for 0.5 s' in capsys.readouterr().err
