# SPDX-License-Identifier: Apache-2.0
"""Hindsight on episodes made of straight lines, whose truth is known by construction."""

import numpy as np
import pytest

from inspire_labeler.grasp import ClosureSettings
from inspire_labeler.hindsight import find_grasps, label_episode
from inspire_labeler.instruction import InstructionError
from inspire_labeler.rule import answer

PERIOD = 5_000_000  # 200 Hz
HOME, BALL, BOOK, CUP = (
    np.array(each) for each in ((0., 0., .3), (.1, .2, .02), (.3, -.2, .05), (-.2, .1, .03)))


class Episode:
    """A gripper that goes in straight lines; `close` and `open` take half a second."""

    def __init__(self):
        self.tcp, self.widths = [HOME], [.07]

    def go(self, place, seconds=1.0):
        steps = int(seconds * 200)
        self.tcp += list(np.linspace(self.tcp[-1], place, steps))
        self.widths += [self.widths[-1]] * steps
        return self

    def gripper(self, width, rest=0.4):
        self.tcp += [self.tcp[-1]] * int((.3 + rest) * 200)
        self.widths += list(np.linspace(self.widths[-1], width, 60))
        self.widths += [width] * int(rest * 200)
        return self

    def take(self, place, width=.03):
        return self.go(place).gripper(width)

    def lay(self, place):
        return self.go(HOME).go(place).gripper(.07).go(HOME)

    def label(self, instruction, **options):
        self.stamps = np.arange(len(self.tcp), dtype=np.int64) * PERIOD
        noise = np.random.default_rng(0).normal(scale=.0001, size=len(self.widths))
        tracks = label_episode(instruction, self.stamps, np.array(self.tcp),
                               np.array(self.widths) + noise, **options)
        return {track.object: track for track in tracks}


def test_the_taken_object_is_where_the_gripper_closed_then_at_the_tcp_then_where_it_opened():
    episode = Episode().take(BALL).lay(BOOK)
    ball = episode.label('put the ball on the book')['the ball']
    held = np.flatnonzero(ball.grasped)
    first, last = held[0], held[-1]
    assert np.allclose(ball.position[:first], BALL)
    assert np.allclose(ball.position[first:last], np.array(episode.tcp)[first:last])
    assert np.allclose(ball.position[last + 1:], BOOK) and ball.reason == ''
    # It came to rest on the ball 1.3 s after the start, and began to open 0.4 + 1 + 1 s later.
    assert first == pytest.approx(260, abs=8) and last == pytest.approx(740, abs=8)


def test_the_target_is_where_the_gripper_opened_and_is_never_grasped():
    book = Episode().take(BALL).lay(BOOK).label('put the ball on the book')['the book']
    assert np.allclose(book.position, BOOK) and not book.grasped.any()


def test_offsets_at_other_instants_are_from_the_tcp_there_and_zero_while_held():
    episode = Episode().take(BALL).lay(BOOK)
    ball = episode.label('put the ball on the book')['the ball']
    stamps = np.array([-5, 3, 400 * PERIOD + 1, 10**15])
    offset, grasped = ball.seen_from(stamps, np.array([HOME, HOME, BALL, HOME]))
    assert grasped.tolist() == [False, False, True, False]
    assert np.allclose(offset, [BALL - HOME, BALL - HOME, (0, 0, 0), BOOK - HOME])
    assert answer(offset[0], grasped[0]) == 'down' and answer(offset[2], grasped[2]) == 'grasped'


def test_picking_up_holds_to_the_end():
    ball = Episode().take(BALL).go(HOME).label('pick up the ball')['the ball']
    assert ball.grasped[-1] and np.isfinite(ball.position).all()


def test_a_dropped_object_is_where_it_is_taken_again_and_then_is_the_same_one():
    dropped = BALL + (.03, .02, 0)
    episode = Episode().take(BALL).go(dropped).gripper(.07).go(HOME).take(dropped).lay(BOOK)
    tracks = episode.label('put the ball on the book')
    ball = tracks['the ball']
    assert np.count_nonzero(np.diff(ball.grasped.astype(int)) == 1) == 2
    between = ball.position[~ball.grasped][300:500]
    assert np.allclose(between, dropped)
    assert np.allclose(tracks['the book'].position, BOOK)


def test_two_objects_taken_one_after_the_other_are_told_apart():
    episode = Episode().take(BALL).lay(BOOK).take(CUP).lay(BOOK + (0, 0, .05))
    tracks = episode.label('put both the ball and the cup in the box')
    ball, cup, box = (tracks[f'the {name}'] for name in ('ball', 'cup', 'box'))
    assert np.allclose(ball.position[0], BALL) and np.allclose(cup.position[0], CUP)
    assert not (ball.grasped & cup.grasped).any() and cup.grasped.any()
    # Until the first opening the box is where that will be, then where the second will be.
    assert np.allclose(box.position[0], BOOK)
    assert np.allclose(box.position[-1], BOOK + (0, 0, .05))


def test_a_push_with_the_closed_gripper_grasps_nothing():
    episode = Episode().gripper(0.).go(BALL).go(BOOK).go(HOME)
    tracks = episode.label('push the top plate into the cabinet')
    for track in tracks.values():
        assert not track.grasped.any() and np.isnan(track.position).all()
    assert tracks['the top plate'].reason == 'the gripper closed on nothing'
    assert tracks['the cabinet'].reason == 'the gripper neither takes it nor opens at it'


def test_closing_on_nothing_before_the_grasp_changes_nothing():
    tracks = Episode().go(CUP).gripper(0.).gripper(.07).take(BALL).lay(BOOK).label(
        'put the ball on the book')
    assert np.allclose(tracks['the ball'].position[0], BALL)
    assert np.allclose(tracks['the book'].position[0], BOOK)


def test_an_object_that_slips_out_is_unknown_afterwards_and_no_target_is_made_of_it():
    episode = Episode().take(BALL).go(HOME)
    episode.gripper(0., rest=.1).go(BOOK).gripper(.07)
    tracks = episode.label('put the ball on the book')
    ball = tracks['the ball']
    assert np.isnan(ball.position[-1]).all() and ball.reason == 'it slipped out of the gripper'
    assert tracks['the book'].reason == 'the gripper never opened at it'


def test_an_episode_without_any_motion_is_no_error():
    tracks = Episode().go(HOME).label('put the ball on the book')
    assert tracks['the ball'].reason == 'the gripper closed on nothing'
    assert all(np.isnan(track.position).all() for track in tracks.values())


def test_an_object_that_the_gripper_never_came_to_says_so():
    tracks = Episode().take(BALL).lay(BOOK).label('put both the ball and the cup in the box')
    assert tracks['the cup'].reason == 'the gripper closed on 1 object, none of them this one'


def test_a_commanded_stop_is_no_grasp_where_commands_are_known():
    episode = Episode().gripper(.05).take(BALL, width=.03).lay(BOOK)
    commands = np.array(episode.widths)
    commands[np.isclose(commands, .03)] = 0.
    ball = episode.label('put the ball on the book', commands=commands)['the ball']
    assert np.allclose(ball.position[0], BALL)


def test_a_tcp_that_is_not_known_gives_nan_and_the_reason():
    episode = Episode().take(BALL).lay(BOOK)
    episode.tcp = [np.full(3, np.nan)] * len(episode.tcp)
    ball = episode.label('put the ball on the book')['the ball']
    assert np.isnan(ball.position).all() and 'tcp is not known' in ball.reason


def test_an_empty_episode_has_tracks_without_samples():
    tracks = label_episode('pick up the ball', np.empty(0), np.empty((0, 3)), np.empty(0))
    assert tracks[0].position.shape == (0, 3)


def test_an_instruction_without_object_and_wrong_lengths_are_refused():
    with pytest.raises(InstructionError):
        label_episode('stop', [0], np.zeros((1, 3)), [0])
    with pytest.raises(ValueError, match=r'2 stamps, tcp \(1, 3\), widths \(2,\)'):
        label_episode('pick up the ball', [0, 1], np.zeros((1, 3)), [0, 0])


def test_grasps_come_with_the_samples_at_which_they_begin_and_end():
    widths = np.concatenate([np.full(100, .07), np.linspace(.07, .02, 50), np.full(200, .02),
                             np.linspace(.02, .07, 50), np.full(100, .07)])
    grasp, = find_grasps(np.arange(500, dtype=np.int64) * PERIOD, widths, ClosureSettings())
    assert grasp.closed == pytest.approx(150, abs=3)
    assert grasp.opened == pytest.approx(350, abs=3) and not grasp.slipped


def test_fingers_that_were_narrower_for_an_instant_as_they_closed_open_where_they_open():
    episode = Episode().take(BALL, width=.0427)
    at = episode.widths.index(.0427)
    episode.widths[at:at + 6] = [.0398, .0402, .0408, .0415, .0420, .0425]
    episode.lay(BOOK)
    ball = episode.label('put the ball on the book')['the ball']
    assert np.allclose(ball.position[-1], BOOK)
    assert np.flatnonzero(ball.grasped)[-1] == pytest.approx(740, abs=8)
