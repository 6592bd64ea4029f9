# SPDX-License-Identifier: Apache-2.0
"""`./inspire collect`: which episodes, what it writes, and that it goes on where it was."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from inspire_bringup import command_line
from inspire_policy import crew, dataset, samples
from inspire_policy.collecting import Collecting, NumberedJob
from inspire_policy.dataset_writer import packed
from inspire_policy.pictures import encode
from inspire_policy.samples import Demonstration, Instant, Scene
from piper_driver.pose import Pose

PICTURE = encode(np.zeros((112, 112, 3), np.uint8))


def demonstration(job: NumberedJob) -> bytes:
    """One instant of nothing."""
    instant = Instant(0, 0.0, {'camera': PICTURE, 'wrist_camera': PICTURE}, np.zeros(6),
                      np.zeros(6), 0.07, 0.0, Pose.identity(), Pose.identity(), 0.07,
                      np.zeros((1, 3)), np.zeros(1), np.zeros((1, 3)), np.array([False]))
    shown = Demonstration.of_steps([instant], np.zeros((4, 7)), np.zeros(4, bool))
    there = Scene(('ball',), ('the ball',), ('the ball',), ('ball',))
    episode = samples.described(job.episode, job, 'expert', True, shown, there)
    return packed(episode, samples.rows(job.episode, shown))


class Processes:
    """Instead of processes: seed 1001 fails, the processes end after `most` episodes."""

    def __init__(self) -> None:
        self.most, self.signal = 10**6, signal.SIGINT
        self.asked: list[list[int]] = []

    def spread(self, begin: object, setting: Collecting, todo: list[NumberedJob],
               workers: int) -> Iterator[crew.Done[NumberedJob]]:
        self.asked.append([job.episode for job in todo])
        for count, job in enumerate(todo):
            if count == self.most:
                os.kill(os.getpid(), self.signal)
            success = job.seed != 1001
            yield crew.Done(job, 0.5, {'success': success, 'steps': 4, 'rows': int(success),
                                       'pushes': 2, 'detail': '' if success else 'too low'},
                            demonstration(job) if success else b'', '')


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch) -> Iterator[Processes]:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    made = Processes()
    monkeypatch.setattr(crew, 'spread', made.spread)
    yield made
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., int]:
    return lambda *words: command_line.main(['collect', '--out', str(tmp_path / 'out'), *words])


def test_failures_are_counted_and_left_out(processes: Processes, run: Callable[..., int],
                                           tmp_path: Path,
                                           capsys: pytest.CaptureFixture[str]) -> None:
    figures = tmp_path / 'figures.json'
    assert run('--tasks', 'pick_ball', '--episodes', '3', '--json', str(figures)) == 0
    data = dataset.open(tmp_path / 'out')
    assert [each.seed for each in data.episodes] == [1000, 1002]
    assert data.card['complete'] and data.card['counts']['failed'] == 1
    assert '--episodes 3' in data.card['command'] and '--seed 1000' in data.card['command']
    written = json.loads(figures.read_text())
    assert (written['run']['episodes'], written['run']['succeeded']) == (3, 2)
    said = capsys.readouterr().out
    assert '2/3' in said and 'pick up the ball, seed 1001: too low' in said


def test_unseen_tasks_are_left_out_unless_asked_for(processes: Processes,
                                                    run: Callable[..., int],
                                                    tmp_path: Path) -> None:
    assert run('--episodes', '1') == 0
    card = json.loads((tmp_path / 'out' / 'dataset.json').read_text())
    assert set(card['counts']['splits']) == {'seen'}
    assert len(card['counts']['instructions']) == 22 and 'ball_on_book' not in card['tasks']


def test_an_unseen_task_by_name_is_refused_without_its_split(
        processes: Processes, run: Callable[..., int],
        capsys: pytest.CaptureFixture[str]) -> None:
    assert run('--tasks', 'ball_on_book') == 1
    assert 'ball_on_book is one of the unseen tasks; valid with --split seen: pick_ball' in (
        capsys.readouterr().err)
    assert run('--tasks', 'ball_on_book', '--split', 'unseen', '--episodes', '1') == 0


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_request_to_end_leaves_a_dataset_and_the_same_command_goes_on(
        processes: Processes, run: Callable[..., int], tmp_path: Path,
        number: signal.Signals) -> None:
    words = ('--tasks', 'pull_plate', '--episodes', '3')
    processes.most, processes.signal = 5, number
    assert run(*words) == 130
    data = dataset.open(tmp_path / 'out')
    assert len(data.episodes) == 3 and not data.card['complete']
    processes.most = 10**6
    assert run(*words) == 0
    assert processes.asked == [list(range(9)), list(range(5, 9))]
    data = dataset.open(tmp_path / 'out')
    assert [each.episode for each in data.episodes] == [0, 1, 2, 6, 7, 8] and data.card['complete']


def test_more_episodes_of_the_same_go_on_and_other_settings_do_not(
        processes: Processes, run: Callable[..., int], tmp_path: Path,
        capsys: pytest.CaptureFixture[str]) -> None:
    assert run('--tasks', 'pick_ball', '--episodes', '1') == 0
    assert run('--tasks', 'pick_ball', '--episodes', '3') == 0
    assert processes.asked == [[0], [1, 2]]
    for words, said in ((('--stride', '2'), 'stride 4, not 2'),
                        (('--disturbances', '0'), 'disturbances 2.0, not 0.0'),
                        (('--seed', '7'), 'first_seed 1000, not 7'),
                        (('--image-size', '64'), 'image_size 112, not 64')):
        assert run('--tasks', 'pick_ball', '--episodes', '3', *words) == 1
        assert said in capsys.readouterr().err


def test_what_decides_what_is_in_it_is_on_the_card(processes: Processes,
                                                   run: Callable[..., int],
                                                   tmp_path: Path) -> None:
    assert run('--tasks', 'pick_ball', '--episodes', '1') == 0
    card = json.loads((tmp_path / 'out' / 'dataset.json').read_text())
    assert asdict(Collecting()).items() <= card.items()
    assert card['step_duration'] == 0.05 and card['rule_version'] == 1 and card['horizon'] == 16
    assert card['cameras'] == ['camera', 'wrist_camera'] and card['first_seed'] == 1000
