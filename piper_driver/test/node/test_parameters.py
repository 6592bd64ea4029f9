# SPDX-License-Identifier: Apache-2.0
"""Parameters come out as the dataclass says, or with a reason."""

from dataclasses import dataclass, field

import pytest
import rclpy
from rcl_interfaces.msg import ParameterType
from rclpy.node import Node

from piper_driver.parameters import declare, described, valid

pytestmark = pytest.mark.node


@dataclass(frozen=True)
class Tuning:
    gain: float = field(default=0.5, metadata=described('a gain', 0.0, 1.0))
    count: int = field(default=3, metadata=described('how many', 1, 10))
    mode: str = field(default='slow', metadata=described('how', choices=('slow', 'fast')))
    active: bool = field(default=True, metadata=described('whether'))
    names: tuple[str, ...] = field(default=(), metadata=described('which'))
    weights: tuple[float, ...] = field(default=(0.2, 0.3), metadata=described('each', 0, 1))

    def __post_init__(self):
        if self.mode == 'fast' and self.count > 5:
            raise ValueError(f'count is {self.count}; with mode fast valid is 1..5')


@dataclass(frozen=True)
class Needy:
    task: str = field(metadata=described('what to do', choices=('pick', 'place')))


@pytest.fixture
def make_node(ros_domain):
    rclpy.init()
    nodes = []

    def make(**values):
        nodes.append(Node('tuned', parameter_overrides=[
            rclpy.Parameter(name, value=value) for name, value in values.items()]))
        return nodes[-1]
    yield make
    for node in nodes:
        node.destroy_node()
    rclpy.shutdown()


def test_defaults_are_declared_with_description_and_range_and_read_only(make_node):
    node = make_node()
    assert declare(node, Tuning) == Tuning()
    descriptor = node.describe_parameter('gain')
    assert descriptor.description == 'a gain'
    assert descriptor.read_only
    assert descriptor.type == ParameterType.PARAMETER_DOUBLE
    assert descriptor.floating_point_range[0].to_value == 1.0
    assert node.describe_parameter('count').integer_range[0].from_value == 1
    assert node.describe_parameter('mode').additional_constraints == 'valid: slow, fast'
    answer = node.set_parameters([rclpy.Parameter('gain', value=0.7)])[0]
    assert not answer.successful and node.get_parameter('gain').value == 0.5


def test_given_values_are_taken_and_arrays_become_tuples(make_node):
    node = make_node(gain=0.25, names=['a', 'b'], mode='fast', weights=[1.0])
    assert declare(node, Tuning) == Tuning(gain=0.25, names=('a', 'b'), mode='fast',
                                           weights=(1.0,))


@pytest.mark.parametrize(('name', 'value', 'words'), [
    ('gain', 1.5, r'parameter gain is 1\.5; valid is 0\.0\.\.1\.0 \(a gain\)'),
    ('gain', float('nan'), 'parameter gain is nan; valid is'),
    ('gain', 1, 'parameter gain is 1, which is int; valid is double'),
    ('count', 0, r'parameter count is 0; valid is 1\.\.10'),
    ('mode', 'quick', "parameter mode is 'quick'; valid is slow, fast"),
    ('weights', [0.5, 2.0], r'parameter weights is 2\.0; valid is 0\.\.1'),
    ('names', 'a', "parameter names is 'a', which is str")])
def test_a_bad_value_is_named_with_what_is_valid(make_node, name, value, words):
    with pytest.raises(ValueError, match=words):
        declare(make_node(**{name: value}), Tuning)


def test_a_contradiction_is_rejected_with_its_reason(make_node):
    with pytest.raises(ValueError, match='count is 8; with mode fast valid is'):
        declare(make_node(count=8, mode='fast'), Tuning)


def test_what_has_no_default_has_to_be_given(make_node):
    with pytest.raises(ValueError, match=r'task has to be given: what to do \(pick, place\)'):
        declare(make_node(), Needy)
    assert declare(make_node(task='pick'), Needy).task == 'pick'


def test_valid_is_said_in_words():
    by_name = {item.name: valid(item) for item in Tuning.__dataclass_fields__.values()}
    assert by_name == {'gain': '0.0..1.0', 'count': '1..10', 'mode': 'slow, fast', 'active': '',
                       'names': '', 'weights': '0..1'}
