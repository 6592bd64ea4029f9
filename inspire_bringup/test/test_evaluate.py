# SPDX-License-Identifier: Apache-2.0
"""`./inspire evaluate`: what it writes, and what it says when it cannot."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import av
import pytest

from inspire_bringup import command_line
from inspire_bringup.commands import evaluate
from inspire_policy import row_table
from inspire_policy.closed_loop import make_policy, make_world, run_episode
from inspire_policy.evaluation import Job, Row, Setting


def row(job: Job, success: bool = True) -> Row:
    return Row(job.task, job.instruction, job.split, job.seed, success, 90, 0.5,
               'done' if success else 'too low', '')


def backwards(setting: object, todo: tuple[Job, ...], workers: int) -> Iterator[Row]:
    """Instead of processes: the last episode ends first, odd seeds fail."""
    for job in reversed(todo):
        yield row(job, job.seed % 2 == 0)


def run(*words: str) -> int:
    return command_line.main(['evaluate', '--policy', 'expert', *words])


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluate, 'evaluate', backwards)


def test_successes_and_rows_are_written(quick: None, tmp_path: Path,
                                        capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / 'new' / 'figures.json'
    assert run('--tasks', 'pick_orange,pull_plate', '--episodes', '3', '--json', str(out)) == 0
    figures = json.loads(out.read_text())
    assert figures['tasks'][0] == {
        'task': 'pull_plate', 'instruction': 'pull out the bottom plate from the cabinet',
        'split': 'seen', 'episodes': 3, 'successes': 2}
    assert [entry['task'] for entry in figures['tasks']] == ['pull_plate'] * 3 + ['pick_orange']
    with open(figures['rows'], newline='') as file:
        rows = list(csv.DictReader(file))
    assert [(line['task'], line['seed']) for line in rows[:3]] == [
        ('pick_orange', '0'), ('pick_orange', '1'), ('pick_orange', '2')]
    assert list(rows[0])[:9] == ['task', 'instruction', 'split', 'seed', 'success', 'steps',
                                 'time', 'detail', 'error']
    assert {'answers', 'timings', 'smoothness', 'setting', 'workers', 'machine',
            'versions'} <= set(figures)
    shown = capsys.readouterr().out
    assert 'all tasks' in shown and '8/12' in shown and 'too low' in shown


def test_the_rows_of_a_stopped_run_are_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
                                            capsys: pytest.CaptureFixture[str]) -> None:
    def stopped(setting: object, todo: tuple[Job, ...], workers: int) -> Iterator[Row]:
        yield row(todo[0])
        raise KeyboardInterrupt

    monkeypatch.setattr(evaluate, 'evaluate', stopped)
    table = tmp_path / 'rows.csv'
    assert run('--tasks', 'pick_ball', '--rows', str(table)) == 130
    (line,) = table.read_text().splitlines()[1:]
    assert line.startswith('pick_ball,pick up the ball,seen,0,True,90,0.5,done,,')
    assert 'stopped after 1 of 20 episodes' in capsys.readouterr().out


@pytest.mark.parametrize(('words', 'said'), [
    (('--tasks', 'fly'), "no task 'fly'; valid ids: pick_ball"),
    (('--episodes', '0'), '0 episodes from seed 0; valid: at least 1'),
    (('--seed', '-1'), 'valid: at least 1, from 0'),
    (('--seed', '4294967295', '--episodes', '2'), 'the last seed at most 4294967295'),
    (('--workers', '0'), '0 workers; valid: at least 1')])
def test_what_cannot_be_is_refused_with_what_can(words: tuple[str, ...], said: str, tmp_path: Path,
                                                 capsys: pytest.CaptureFixture[str]) -> None:
    rows = tmp_path / 'rows.csv'
    rows.write_text('an older table')
    assert run(*words, '--rows', str(rows)) == 1
    assert said in capsys.readouterr().err
    assert rows.read_text() == 'an older table'


def test_a_folder_that_cannot_be_made_is_an_error(quick: None, tmp_path: Path,
                                                  capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / 'file').write_text('')
    for option in ('--rows', '--json'):
        assert run(option, str(tmp_path / 'file' / 'rows.csv')) == 1
        assert 'file' in capsys.readouterr().err
    assert run('--json', str(tmp_path)) == 1
    assert 'Is a directory' in capsys.readouterr().err


def test_what_is_given_reaches_the_processes_and_what_is_not_does_not(
        monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    given: list[Setting] = []

    def noting(setting: Setting, todo: tuple[Job, ...], workers: int) -> Iterator[Row]:
        given.append(setting)
        yield from map(row, todo)

    monkeypatch.setattr(evaluate, 'evaluate', noting)
    monkeypatch.setattr(evaluate, 'make_policy', lambda setting: None)
    (tmp_path / 'checkpoint').mkdir()
    (tmp_path / 'checkpoint' / 'weights').write_bytes(b'1')
    words = ('--tasks', 'pick_ball', '--episodes', '1', '--rows', str(tmp_path / 'rows.csv'))
    assert run(*words) == 0
    assert run(*words, '--checkpoint', str(tmp_path / 'checkpoint'), '--reasoning', 'off',
               '--backend', 'onnx', '--forced', 'wrong', '--variation', 'camera') == 0
    plain, full = given
    assert (plain.options, plain.checkpoint_sha256) == ({}, '')
    assert full.options == {'checkpoint': str(tmp_path / 'checkpoint'), 'reasoning': 'off',
                            'backend': 'onnx'}
    assert (full.forced, full.variation, len(full.checkpoint_sha256)) == ('wrong', 'camera', 64)


def interrupted(count: int) -> object:
    """Instead of processes: stopped after so many episodes."""
    def stopped(setting: object, todo: tuple[Job, ...], workers: int) -> Iterator[Row]:
        for job in todo[:count]:
            yield row(job)
        raise KeyboardInterrupt
    return stopped


def test_an_interrupted_run_goes_on_where_it_was(monkeypatch: pytest.MonkeyPatch,
                                                 tmp_path: Path) -> None:
    ran: list[int] = []

    def counting(setting: object, todo: tuple[Job, ...], workers: int) -> Iterator[Row]:
        for job in todo:
            ran.append(job.seed)
            yield row(job)

    table = tmp_path / 'rows.csv'
    words = ('--tasks', 'pick_ball', '--episodes', '6', '--rows', str(table))
    monkeypatch.setattr(evaluate, 'evaluate', interrupted(2))
    assert run(*words) == 130
    with table.open('a') as file:
        file.write('pick_ball,pick up the ball,se')    # killed while it wrote
    monkeypatch.setattr(evaluate, 'evaluate', counting)
    assert run(*words, '--resume') == 0
    assert ran == [2, 3, 4, 5]
    assert [one.seed for one in row_table.read(table)[0]] == [0, 1, 2, 3, 4, 5]
    assert run(*words, '--resume') == 0 and len(ran) == 4
    assert run(*words) == 0 and len(ran) == 10


@pytest.mark.parametrize(('words', 'said'), [
    (('--variation', 'camera'), 'is of another setting (variation: none and camera)'),
    (('--viewer', 'piper_real'), 'viewer: libero and piper_real'),
    (('--episodes', '1'), "1 episodes that are not asked for, such as 'pick up the ball', seed")])
def test_rows_of_another_run_are_not_taken_for_its_own(
        words: tuple[str, ...], said: str, quick: None, tmp_path: Path,
        capsys: pytest.CaptureFixture[str]) -> None:
    table = tmp_path / 'rows.csv'
    base = ('--tasks', 'pick_ball', '--episodes', '2', '--rows', str(table))
    assert run(*base) == 0
    before = table.read_text()
    assert run(*base, *words, '--resume') == 1
    assert said in capsys.readouterr().err and table.read_text() == before


def test_resuming_needs_to_know_which_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert run('--resume') == 1
    assert '--resume needs --rows FILE or --json FILE' in capsys.readouterr().err


def test_what_a_family_cannot_do_is_refused_before_a_table_is_touched(
        tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = tmp_path / 'rows.csv'
    table.write_text('an older table')
    for words, said in ((('--reasoning', 'off'), "'expert' takes no reasoning"),
                        (('--forced', 'wrong'), 'cannot be forced'),
                        (('--checkpoint', '/nowhere'), '/nowhere is not there')):
        assert run(*words, '--rows', str(table)) == 1
        assert said in capsys.readouterr().err
    assert table.read_text() == 'an older table'


def test_the_first_failures_become_videos_and_stand_in_the_page(
        monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
        capsys: pytest.CaptureFixture[str]) -> None:
    """The expert is given too little time in a world with a moved camera."""
    def hurried(setting: Setting, todo: tuple[Job, ...], workers: int) -> Iterator[Row]:
        policy = make_policy(setting)
        world = make_world(policy, setting)
        short = Setting(**{**setting.described(), 'longest': 16, 'tracks': setting.tracks})
        for job in reversed(todo):
            yield run_episode(world, policy, job, short)

    monkeypatch.setattr(evaluate, 'evaluate', hurried)
    out = tmp_path / 'out.json'
    assert run('--tasks', 'pick_ball', '--episodes', '3', '--variation', 'camera', '--videos', '2',
               '--json', str(out), '--html', str(tmp_path / 'page.html')) == 0
    videos = sorted((tmp_path / 'out.rows.videos').iterdir())
    assert [path.name for path in videos] == ['pick_up_the_ball-0.mp4', 'pick_up_the_ball-1.mp4']
    with av.open(str(videos[0])) as container:
        stream = container.streams.video[0]
        frames = [frame.to_ndarray(format='rgb24') for frame in container.decode(video=0)]
    assert (stream.width, stream.height, stream.average_rate, len(frames)) == (480, 480, 20, 17)
    assert abs(frames[0].astype(int) - frames[-1]).max() > 40    # the arm moved
    assert page_of(tmp_path).count('data:video/mp4;base64,') == 2
    assert not [path for path in tmp_path.iterdir() if path.name.startswith('.tracks')]
    assert 'out.rows.videos' in capsys.readouterr().out


def page_of(folder: Path) -> str:
    return (folder / 'page.html').read_text(encoding='utf-8')
