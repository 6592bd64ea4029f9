# SPDX-License-Identifier: Apache-2.0
"""What a client of openpi's protocol finds when it calls; its bytes are written down here by
themselves, as the protocol has them."""

import urllib.request
from types import SimpleNamespace

import msgpack
import numpy as np
import pytest
from servers import SurePolicy, observation, served
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from inspire_labeler.formulation import Formulation
from inspire_labeler.instruction import warm_up
from inspire_labeler.question import questions
from inspire_policy import serving
from inspire_policy.families.remote import create
from inspire_policy.policy import BadInstruction, PolicyError
from inspire_policy.serving import PolicyServer
from piper_driver.kinematics import tcp

warm_up()    # the tagger takes seconds to load
JOINTS = (0.0, 1.5, -1.2, 0.0, 0.9, 0.0)


def array(values, kind):
    data = np.asarray(values, kind)
    return {b'__ndarray__': True, b'data': data.tobytes(), b'dtype': data.dtype.str,
            b'shape': data.shape}


def sent(**changes):
    """What an openpi client sends: the observation of its LIBERO policies."""
    message = {'observation/image': array(np.full((8, 10, 3), 7), 'u1'),
               'observation/state': array((*JOINTS, 0.05), '<f4'), 'prompt': 'pick up the ball'}
    return msgpack.packb({name: value for name, value in {**message, **changes}.items()
                          if value is not None})


def asked(address, *messages):
    """The greeting and the answers to some messages."""
    with connect(address, compression=None) as client:
        answers = [client.recv(timeout=10)]
        for message in messages:
            client.send(message)
            answers.append(client.recv(timeout=10))
    return [one if isinstance(one, str) else msgpack.unpackb(one) for one in answers]


def test_an_openpi_client_is_told_what_this_is_and_gets_actions():
    policy = SurePolicy()
    with served(policy) as address:
        greeting, first, second = asked(address, sent(), sent())
    assert greeting == {'inspire': {'family': 'sure', 'viewer': 'libero', 'cameras': ['camera'],
                                    'images': ['observation/image']}}
    actions = first['actions']
    assert (actions[b'dtype'], actions[b'shape'], actions[b'__ndarray__']) == ('<f8', [4, 7], True)
    assert np.frombuffer(actions[b'data']).reshape(4, 7)[:, 6] == pytest.approx(0.05)
    assert set(first['server_timing']) == {'infer_ms'}
    assert set(second['server_timing']) == {'infer_ms', 'prev_total_ms'}
    assert {'infer_ms', 'answers_ms', 'actions_ms'} == set(first['policy_timing'])
    (answer,) = first['inspire']['answers']
    assert (answer['object'], answer['text']) == ('the ball', 'left')


def test_what_such_a_client_does_not_send_follows_from_what_it_sends():
    policy = SurePolicy()
    with served(policy) as address:
        asked(address, sent())
    (seen,) = policy.seen
    assert seen.joint_positions == pytest.approx(JOINTS)
    assert seen.tcp.position == pytest.approx(tcp(JOINTS).position, abs=1e-6)
    assert seen.commanded is None and not seen.joint_velocities.any()
    assert seen.images['camera'].shape == (8, 10, 3) and (seen.images['camera'] == 7).all()


def test_such_a_client_starts_anew_with_another_prompt_and_another_connection():
    policy = SurePolicy()
    with served(policy, form=Formulation.PROXIMITY) as address:
        asked(address, sent(), sent(), sent(prompt='pick up the banana'))
        asked(address, sent())
    assert [instruction for instruction, _ in policy.resets] == [
        'pick up the ball', 'pick up the banana', 'pick up the ball']
    assert policy.resets[0][1] == questions('pick up the ball', Formulation.PROXIMITY)


def test_an_instruction_without_an_object_is_an_error_and_the_next_one_is_served():
    with served(SurePolicy()) as address:
        _, refused, good = asked(address, sent(prompt='go on'), sent())
    assert refused.startswith('BadInstruction: ') and 'actions' in good


def test_an_error_of_the_policy_is_said_by_its_kind_and_the_client_may_go_on():
    class Picky(SurePolicy):
        def reset(self, instruction, questions):
            if 'book' in instruction:
                raise BadInstruction('nothing about books')
            super().reset(instruction, questions)

    policy = Picky()
    with served(policy) as address:
        client = create(address=address)
        for _ in range(2):      # it was not begun, so it is tried again
            client.reset('open the book', ())
            with pytest.raises(BadInstruction, match='^nothing about books$'):
                client.decide(observation())
        client.reset('pick up the ball', ())
        assert len(client.decide(observation()).actions) == 4


def test_a_defect_of_the_policy_ends_the_connection_and_the_server_goes_on(caplog):
    class Broken(SurePolicy):
        def decide(self, observation):
            if not self.seen:
                self.seen.append(observation)
                raise KeyError('weights')
            return super().decide(observation)

    with served(Broken()) as address:
        client = create(address=address)
        client.reset('pick up the ball', ())
        with pytest.raises(PolicyError, match='hung up without an answer'):
            client.decide(observation())
        assert len(client.decide(observation()).actions) == 4
    assert "KeyError: 'weights'" in caplog.text


@pytest.mark.parametrize(('message', 'reason'), [
    (b'\xc1', 'no msgpack'),
    ('{"prompt": "x"}', 'a text; valid: msgpack'),
    (sent(prompt=None), 'prompt is None'),
    (sent(prompt=7), 'prompt is 7; valid: a text'),
    (sent(prompt='x' * 20_000), 'of up to 16384 characters'),
    (sent(**{'observation/image': None}), 'observation/image is None'),
    (sent(**{'observation/image': array(np.zeros((3, 8, 8)), 'u1')}), r'is \(3, 8, 8\) of uint8'),
    (sent(**{'observation/image': array(np.zeros((8, 8, 3)), '<f4')}), 'of float32; valid'),
    (sent(**{'observation/image': array(np.zeros((0, 8, 3)), 'u1')}), 'valid: '),
    (sent(**{'observation/state': array(JOINTS, '<f4')}), r'an array \(6,\); valid: an array \(7'),
    (sent(**{'observation/state': array((*JOINTS, np.nan), '<f4')}), 'valid: finite numbers'),
    (sent(**{'observation/state': {b'__ndarray__': True, b'data': b'cos\nsystem\n', b'shape': [1],
                                   b'dtype': '|O'}}), r"array of type '\|O'"),
    (sent(inspire=[]), 'inspire is'),
    (sent(inspire={'tcp': array(np.zeros(7), '<f8')}), 'tcp: quaternion'),
    (sent(inspire={'tcp': array(np.ones(7), '<f8')}), 'joint_velocities is None'),
], ids=lambda value: value if isinstance(value, str) and len(value) < 60 else '')
def test_garbage_ends_the_connection_with_the_reason_and_the_server_goes_on(message, reason):
    said = []
    with served(SurePolicy(), said=said) as address:
        with connect(address, compression=None) as client:
            client.recv(timeout=10)
            client.send(message)
            answer = client.recv(timeout=10)
            assert answer.startswith('Garbled: ')
            with pytest.raises(ConnectionClosed):
                client.recv(timeout=10)
        assert 'actions' in asked(address, sent())[1]
    with pytest.raises(AssertionError, match=reason):
        raise AssertionError(answer)
    assert any(line.startswith('refused: ') for line in said)


def test_a_message_beyond_the_limit_is_refused_before_it_is_read(monkeypatch):
    monkeypatch.setattr(serving.wire, 'LARGEST', 1000)
    with served(SurePolicy()) as address, connect(address, compression=None) as client:
        client.recv(timeout=10)
        client.send(bytes(1001))
        with pytest.raises(ConnectionClosed, match='too big'):
            client.recv(timeout=10)


def test_one_client_at_a_time_and_the_next_when_it_is_gone(monkeypatch):
    monkeypatch.setattr(serving, 'TURN', 0.2)
    with served(SurePolicy()) as address:
        with connect(address) as first:
            first.recv(timeout=10)
            with connect(address) as second:
                assert second.recv(timeout=10) == 'this policy is busy with another client'
        assert 'actions' in asked(address, sent())[1]


def test_a_page_in_a_browser_cannot_use_it():
    with served(SurePolicy()) as address, pytest.raises(InvalidStatus, match='403'), \
            connect(address, origin='http://evil.example'):
        pass


def test_it_says_by_http_that_it_is_there():
    with served(SurePolicy()) as address, urllib.request.urlopen(
            address.replace('ws', 'http') + '/healthz', timeout=10) as answer:
        assert (answer.status, answer.read()) == (200, b'OK\n')


def test_a_policy_that_needs_the_truth_is_not_served():
    with pytest.raises(ValueError, match="needs the simulation's truth"):
        PolicyServer(SimpleNamespace(needs_truth=True), {}, Formulation.DIRECTION, print)
