# SPDX-License-Identifier: Apache-2.0
"""The video shows the episode for as long as it lasted, and says what it cannot show."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import av
import episodes
import numpy as np
import pytest

from inspire_bringup import story as stories
from inspire_bringup import video
from inspire_bringup.panel import Panel, Timeline, present
from inspire_bringup.video import VideoError


@pytest.fixture
def run(tmp_path):
    return episodes.write_episode(tmp_path / 'run')


def test_what_stands_still_is_rendered_once(run):
    story = stories.read(run)
    changes = list(video._changes(video.states(story, [0.0, 0.01, 0.02, 1.0, 1.0, 1.5])))
    assert [repeats for _, repeats in changes] == [3, 2, 1]


def test_a_video_is_as_long_as_the_episode_and_plays_everywhere(run, monkeypatch):
    monkeypatch.setattr(video, 'FRAME_RATE', 5)  # a picture of full quality takes a while
    seen = []
    path = video.render(run, seen.append)
    assert path == run / 'video.mp4'
    assert seen[-1] == 1.0 and seen == sorted(seen)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height) == (1280, 720)
        assert (stream.codec_context.name, stream.pix_fmt) == ('h264', 'yuv420p')
        pictures = [frame.to_ndarray(format='rgb24') for frame in container.decode(stream)]
    assert len(pictures) == (2 + video.EPILOGUE) * 5
    assert pictures[0].std() > 20
    assert np.abs(pictures[0].astype(int) - pictures[9]).max() > 60  # something has happened
    content = path.read_bytes()
    assert content.index(b'moov') < content.index(b'mdat')  # it starts before it is loaded
    assert not list(run.glob('.*part*'))


def test_processes_end_with_the_block_whatever_is_still_to_be_done():
    begin = time.monotonic()
    with video.renderers(1, id, None) as pool:
        waiting = [pool.submit(time.sleep, 0.5) for _ in range(200)]
        waiting[0].result()
    assert time.monotonic() - begin < 50.0
    assert waiting[-1].cancelled()


def test_processes_end_with_the_one_that_started_them():
    program = (
        'import os, time\n'
        'from inspire_bringup import video\n'
        'with video.renderers(1, id, None) as pool:\n'
        '    print(pool.submit(os.getpid).result(), flush=True)\n'
        '    time.sleep(60.0)\n'
    )
    command = [sys.executable, '-P', '-c', program]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as started:
        number = int(started.stdout.readline())
        started.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 10.0
    while is_running(number):
        assert time.monotonic() < deadline, f'{number} goes on'
        time.sleep(0.05)


def is_running(number):
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return ') Z ' not in Path(f'/proc/{number}/stat').read_text()


def test_the_scene_is_that_of_the_variant_and_not_just_of_the_task(tmp_path):
    for world in (
        'stack the left bowl on the middle bowl',
        'stack the middle bowl on the right bowl',
    ):
        story = stories.read(episodes.write_episode(tmp_path / world, world=world))
        assert video.is_simulated(story)
        assert story.world == world


def test_a_robot_that_is_not_simulated_is_seen_through_its_camera(tmp_path, monkeypatch):
    run = episodes.write_episode(tmp_path / 'run', world='tidy my kitchen up')
    monkeypatch.setattr(video, 'FRAME_RATE', 5)
    with av.open(str(video.render(run))) as container:
        first = next(container.decode(video=0)).to_ndarray(format='rgb24')
    assert abs(int(first[400, 400].mean()) - 100) < 8  # the grey of the first picture


def test_an_episode_with_nothing_to_show_is_refused_with_what_it_lacks(tmp_path):
    run = episodes.write_episode(tmp_path / 'run', without=('/joint_states', '/camera/image_raw'))
    with pytest.raises(VideoError, match=r'no /joint_states and no /camera/image_raw'):
        video.render(run)
    assert not (run / 'video.mp4').exists()


def test_the_panel_shows_an_answer_from_when_it_was_said(run):
    story = stories.read(run)
    answers = story.answers['the ball']
    assert present(answers, 0.22) is None
    assert present(answers, 0.24).text == 'right'
    panel = Panel(story, (384, 608))
    before, after = (np.asarray(panel.draw(time, [])) for time in (0.22, 0.24))
    assert (before != after).any()


def test_the_timeline_shows_no_future(run):
    timeline = Timeline(stories.read(run), (1280, 112))
    early, late = (np.asarray(timeline.draw(time)) for time in (0.5, 2.0))
    here = round(timeline._x(0.5))
    assert (early[:, : here - 2] == late[:, : here - 2]).all()
    assert early[20:40, here + 3 : -30].std() < 10 < late[20:40, here + 3 : -30].std()
