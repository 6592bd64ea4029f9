# SPDX-License-Identifier: Apache-2.0
"""A policy behind a socket: with a good server it is that policy, with a bad one the arm holds."""

import http.server
import os
import threading
import time
from contextlib import suppress

import numpy as np
import pytest
from fakes import FakeRobot
from servers import SurePolicy, answering, bad_server, observation, served, silent_port
from websockets.exceptions import ConnectionClosed

from inspire_labeler.formulation import Formulation
from inspire_labeler.question import questions
from inspire_policy import families
from inspire_policy.following import Code
from inspire_policy.policy import BadInstruction, PolicyError, UndecodableAction
from inspire_policy.remote_messages import decision_message
from inspire_policy.wire import pack

INSTRUCTION = 'put the ball on the book'
ASKED = questions(INSTRUCTION)
SOON = 0.3    # s
GOOD = {'actions': np.tile([0.001, 0, 0, 0, 0, 0, 0.05], (4, 1))}


def remote(address, **options):
    policy = families.create('remote', address=address, answer_within=SOON, **options)
    policy.reset(INSTRUCTION, ASKED)
    return policy


def ours(**changes):
    """An answer of our own server, changed."""
    policy = SurePolicy()
    policy.reset(INSTRUCTION, ASKED)
    message = decision_message(policy.decide(observation()), 0.003)
    inspire = {name: changes.pop(name, value) for name, value in message['inspire'].items()}
    return {**message, 'inspire': inspire, **changes}


def test_what_the_server_decides_comes_through_and_what_is_seen_gets_there():
    policy, seen = SurePolicy(), observation()
    with served(policy) as address:
        decision = remote(address).decide(seen)
        local = SurePolicy()
        local.reset(INSTRUCTION, ASKED)
        own = local.decide(seen)
    assert decision.answers == own.answers
    assert np.array_equal(decision.actions, own.actions)
    assert (decision.transcript, decision.done) == (own.transcript, own.done)
    assert decision.step_duration == own.step_duration == 0.1
    assert {**decision.timings, 'network': 0} == pytest.approx({**own.timings, 'network': 0})
    assert decision.timings['network'] > 0
    assert policy.resets == [(INSTRUCTION, ASKED)]
    (there,) = policy.seen
    assert (there.stamp, there.truth) == (12.5, None)
    assert (there.gripper_width, there.gripper_velocity) == (0.05, -0.03)
    for name in ('joint_positions', 'joint_velocities'):
        assert np.array_equal(getattr(there, name), getattr(seen, name))
    assert np.array_equal(there.images['camera'], seen.images['camera'])
    for one, two in ((there.tcp, seen.tcp), (there.commanded, seen.commanded)):
        assert np.allclose([*one.position, *one.quaternion], [*two.position, *two.quaternion],
                           atol=1e-15, rtol=0)


@pytest.mark.parametrize('form', Formulation)
def test_answers_of_every_formulation_come_through(form):
    asked = questions(INSTRUCTION, form)
    word = {'direction_3d': 'front left up', 'location_3d': '-1 0 3', 'distance': '4',
            'proximity': 'near'}.get(form, 'left')
    with served(SurePolicy(word)) as address:
        policy = families.create('remote', address=address)
        policy.reset(INSTRUCTION, asked)
        if form in (Formulation.DIRECTION_3D, Formulation.LOCATION_3D):
            # each option stands for several words, so there is no probability for it
            with pytest.raises(PolicyError, match='probabilities'):
                policy.decide(observation())
        else:
            decision = policy.decide(observation())
            assert [one.text for one in decision.answers] == [word, word]
            assert all(sum(one.probabilities) == 1 for one in decision.answers)


def test_the_policy_starts_anew_at_each_instruction_and_only_then():
    policy = SurePolicy()
    with served(policy) as address:
        far = remote(address)
        for _ in range(3):
            far.decide(observation())
        far.reset(INSTRUCTION, ASKED)
        far.decide(observation())
    assert policy.resets == [(INSTRUCTION, ASKED)] * 2


def test_a_server_that_gives_actions_only_leads_to_a_decision_that_says_so():
    timed = {**GOOD, 'server_timing': {'infer_ms': 3.0}, 'policy_timing': {'infer_ms': 2.0}}
    with bad_server(answering(timed)) as address:
        decision = remote(address).decide(observation())
    assert decision.answers == () and not decision.done
    assert decision.transcript.splitlines() == [
        '(This policy server gives no answers, only actions.)',
        'What action should the robot take to put the ball on the book?']
    assert np.array_equal(decision.actions, GOOD['actions'])
    assert set(decision.timings) == {'network'}


def test_a_server_that_was_started_anew_is_found_again():
    policy = SurePolicy()
    with served(policy) as address:
        far = remote(address)
        far.decide(observation())
    with pytest.raises(PolicyError, match='no connection to ws://127'):
        far.decide(observation())
    with served(policy, port=int(address.rsplit(':', 1)[1])):
        far.decide(observation())
        far.reset(INSTRUCTION, ASKED)
    assert len(policy.seen) == 2 and len(policy.resets) == 2


def refused(policy, reason, kind=PolicyError):
    """Ask; the time until it was refused."""
    begin = time.perf_counter()
    with pytest.raises(kind, match=reason):
        policy.decide(observation())
    return time.perf_counter() - begin


def test_a_server_that_is_away_is_an_error_at_once():
    with silent_port(accepts=False) as address, pytest.raises(PolicyError, match='no connection'):
        remote(address)


def test_a_server_that_takes_the_call_and_says_nothing_is_an_error_in_time():
    begin = time.perf_counter()
    with silent_port(accepts=True) as address, pytest.raises(PolicyError, match='no connection'):
        remote(address, connect_within=SOON)
    assert SOON * 0.9 < time.perf_counter() - begin < 5.0


def test_a_server_that_never_says_what_it_is_is_an_error_in_time():
    with bad_server(lambda client: client.recv()) as address, \
            pytest.raises(PolicyError, match='no answer from .* within 0.'):
        remote(address, connect_within=SOON)


def test_a_slow_answer_is_an_error_in_time_and_is_not_taken_for_the_next_one():
    late, connections = {'actions': GOOD['actions'] / 2}, []

    def serves(client):
        client.send(b'\x80')
        connections.append(client)
        client.recv()
        if len(connections) == 1:
            time.sleep(2 * SOON)
        with suppress(ConnectionClosed):
            client.send(pack(late if len(connections) == 1 else GOOD))

    with bad_server(serves) as address:
        policy = remote(address)
        assert SOON * 0.9 < refused(policy, 'no answer from .* within 0.3 s') < 5.0
        assert np.array_equal(policy.decide(observation()).actions, GOOD['actions'])
    assert len(connections) == 2


def test_a_server_that_does_not_even_read_is_an_error_in_time():
    """More is sent than the sockets hold, so that sending itself would wait for ever."""
    big = observation(images={'camera': np.zeros((2000, 1600, 3), np.uint8)})

    def serves(client):
        client.send(b'\x80')
        client.recv()
        client.socket.settimeout(None)
        with client.protocol_mutex:    # its reader waits for this
            time.sleep(4 * SOON)

    with bad_server(serves) as address:
        policy = families.create('remote', address=address, answer_within=SOON, cameras='camera')
        policy.reset(INSTRUCTION, ASKED)
        policy._client._connection.send(b'')
        begin = time.perf_counter()
        with pytest.raises(PolicyError, match='no answer'):
            policy.decide(big)
        assert time.perf_counter() - begin < 4 * SOON


@pytest.mark.parametrize(('answer', 'reason'), [
    (os.urandom(50) + b'\xc1', 'sent garbage'),
    (b'', 'sent garbage'),
    (b'\x90', 'is a map'),
    ({}, 'actions is None; valid: an array'),
    ({'actions': [[0.0] * 7]}, 'valid: an array'),
    (bytes(2 * 2**20), 'hung up without an answer'),
    ({**GOOD, 'inspire': {}}, 'done is None'),
    ({**GOOD, 'inspire': 3}, 'inspire is 3; valid: a map'),
    ({**GOOD, 'server_timing': {'infer_ms': 'fast'}}, "infer_ms is 'fast'"),
    (ours(answers=[]) | {'actions': None}, 'actions is None'),
    (ours(answers=ours()['inspire']['answers'][:1]), '1 answers to 2 questions'),
    (ours(answers=ours()['inspire']['answers'][::-1]), "about 'the book'"),
    (ours(answers=[{'object': 'the ball', 'text': 'sideways', 'probabilities': []}] * 2),
     "the answer 'sideways' about 'the ball' to 'In which.*valid: left, right"),
    (ours(answers=[{'object': 'the ball', 'text': 'left', 'probabilities': [0.5] * 7}] * 2),
     'probabilities'),
    (ours(answers=[{'object': 'the ball', 'text': 'left', 'probabilities': [1.0]}] * 2),
     'probabilities'),
    (ours(answers=['left', 'left']), 'an answer is'),
    (ours(answers={}), 'answers is {}; valid: a list'),
    (ours(step_duration=float('nan')), 'step_duration is nan'),
    (ours(transcript=None), 'transcript is None'),
    (ours(done='no'), "done is 'no'"),
], ids=lambda value: value if isinstance(value, str) else '')
def test_garbage_is_an_error_that_says_what_was_wrong_and_the_next_decision_goes_on(
        answer, reason):
    with bad_server(answering(answer, GOOD, GOOD)) as address:
        policy = remote(address)
        refused(policy, reason)
        assert np.array_equal(policy.decide(observation()).actions, GOOD['actions'])


@pytest.mark.parametrize('actions', [
    np.full((4, 7), np.nan), np.zeros((4, 8)), np.zeros((0, 7)), np.full((4, 7), 0.06),
    np.zeros((65, 7))], ids=lambda actions: str(actions.shape))
def test_actions_that_cannot_be_executed_are_undecodable_with_answers_or_without(actions):
    for answer in ({'actions': actions}, ours(actions=actions)):
        with bad_server(answering(answer)) as address:
            refused(remote(address), 'valid: ', UndecodableAction)


def test_a_server_s_error_is_said_in_a_line_and_keeps_its_kind():
    traceback = 'Traceback (most recent call last):\n  File "x.py"\nKeyError: \'state\'\n'
    texts = [traceback, 'BadInstruction: there is no ball', 'UndecodableAction: too far', '', 'x']
    with bad_server(answering(*texts)) as address:
        policy = remote(address)
        refused(policy, "^ws://127.*says: KeyError: 'state'$")
        refused(policy, '^there is no ball$', BadInstruction)
        refused(policy, '^too far$', UndecodableAction)
        refused(policy, 'without a word')
        refused(policy, 'says: x')


@pytest.mark.parametrize(('greeting', 'reason'), [
    ('go away', 'says: go away'),
    (b'\xc1', 'sent garbage'),
    ({'inspire': {'viewer': 'piper_real', 'cameras': []}}, "viewer 'piper_real', not 'libero'"),
    ({'inspire': {'viewer': 'libero', 'cameras': ['camera', 'top']}}, 'looks through top, too'),
    ({'inspire': {'viewer': 3, 'cameras': []}}, 'viewer is 3'),
    ({'inspire': []}, 'valid: a map'),
], ids=lambda value: value if isinstance(value, str) else '')
def test_a_server_that_will_not_do_is_refused_at_the_start(greeting, reason):
    with bad_server(answering(greeting=greeting)) as address, \
            pytest.raises(PolicyError, match=reason):
        remote(address)


def test_something_else_than_a_policy_server_is_refused():
    with http.server.HTTPServer(('127.0.0.1', 0), http.server.BaseHTTPRequestHandler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            with pytest.raises(PolicyError, match='no connection'):
                remote(f'127.0.0.1:{server.server_address[1]}')
        finally:
            server.shutdown()
            thread.join()


def test_a_camera_without_an_image_is_named():
    with served(SurePolicy()) as address:
        policy = remote(address, cameras='camera,top')
        refused(policy, "no image of 'top'")


@pytest.mark.parametrize(('options', 'reason'), [
    ({}, 'needs the address'), ({'address': 'http://x'}, 'valid: host:port'),
    ({'address': 'x:1', 'answer_within': 0}, 'deadlines'),
    ({'address': 'x:1', 'connect_within': 'nan'}, 'deadlines'),
    ({'address': 'x:1', 'reasoning': 'off'}, 'takes no reasoning')])
def test_what_it_cannot_be_made_of_is_refused(options, reason):
    with pytest.raises(ValueError, match=reason):
        families.create('remote', **options)


@pytest.mark.parametrize('answers', [[], [b'\xc1'], ['ValueError: x'], [{}]],
                         ids=['hangs up', 'garbage', 'error', 'no actions'])
def test_the_arm_holds_where_it_was_told_to_be_when_the_server_fails(answers):
    """After one good chunk the server fails: the trajectory ends at rest, with the reason."""
    with bad_server(answering(GOOD, *answers)) as address:
        robot = FakeRobot(families.create('remote', address=address, cameras='camera',
                                          answer_within=SOON))
        outcome = robot.follow('pick up the ball')
    assert outcome.code is Code.POLICY_UNAVAILABLE and address in outcome.message
    assert (outcome.chunks, outcome.steps) == (1, 4)
    later = [robot.stream.trajectory.sample(robot.clock.now() + wait) for wait in (1.0, 2.0)]
    assert np.array_equal(later[0].pose.position, later[1].pose.position)
    assert later[0].pose.position[0] == pytest.approx(0.304)


def test_a_server_that_is_away_ends_the_instruction_before_anything_moves():
    with silent_port(accepts=False) as address:
        robot = FakeRobot(families.create('remote', address=address))
        outcome = robot.follow('pick up the ball')
    assert outcome.code is Code.POLICY_UNAVAILABLE and 'no connection' in outcome.message
    assert (outcome.chunks, robot.stream.trajectory) == (0, None)
