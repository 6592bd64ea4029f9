# SPDX-License-Identifier: Apache-2.0
"""The report says what the episode holds, needs no other file, and lets nothing slip into HTML."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import episodes
import pytest

from inspire_bringup import charts, report
from inspire_bringup import manifest as manifests
from inspire_bringup import story as stories
from inspire_bringup.panel import Segment, segments

VOID = {'meta', 'link', 'br', 'img', 'input', 'hr'}


class Balance(HTMLParser):
    """Notes tags that are closed in the wrong order, and what the page would load."""

    def __init__(self) -> None:
        super().__init__()
        self.open, self.wrong, self.loaded = [], [], []

    def handle_starttag(self, tag, attributes):
        if tag not in VOID:
            self.open.append(tag)
        named = dict(attributes)
        self.loaded += [named[key] for key in ('src', 'href') if key in named]

    def handle_startendtag(self, tag, attributes):
        pass

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


@pytest.fixture
def run(tmp_path):
    return episodes.write_episode(tmp_path / 'run')


def test_the_page_says_what_happened(run):
    page = report.write(run).read_text()
    for text in (
        '“pick up the ball”',
        'succeeded',
        'well done',
        '3 of 4',
        'no TF',
        '/joint_states',
    ):
        assert text in page
    assert 'said left, 0.63 to 1.03 s, not as the truth' in page
    assert 'class="wrong"' in page


def test_the_page_is_well_formed_and_loads_nothing(run):
    balance = Balance()
    balance.feed(report.write(run).read_text())
    assert (balance.open, balance.wrong, balance.loaded) == ([], [], [])


def test_a_small_video_is_inside_and_a_large_one_beside(run, monkeypatch):
    (run / 'video.mp4').write_bytes(b'0123')
    assert 'src="data:video/mp4;base64,MDEyMw=="' in report.write(run).read_text()
    monkeypatch.setattr(report, 'LARGEST_EMBEDDED', 3)
    assert 'src="video.mp4"' in report.write(run).read_text()


def test_words_of_others_do_not_become_markup(run):
    evil = '</script><script>alert(1)</script>'
    manifests.write(run, replace(manifests.read(run), instruction=evil, note=evil))
    assert evil not in report.write(run).read_text()


def test_losses_and_errors_are_seen(run):
    manifest = manifests.read(run)
    topics = [replace(manifest.topics[0], lost=7), *manifest.topics[1:]]
    wrong = {'lost': 7, 'topics': topics, 'complete': False, 'error': 'No space left on device'}
    manifests.write(run, replace(manifest, **wrong))
    page = report.write(run).read_text()
    assert 'This recording did not end properly: No space left on device' in page
    assert '<td class="n bad">7</td>' in page


def test_an_episode_without_a_robot_has_a_report_too(tmp_path):
    every = ('/joint_states', '/executed_command', '/reasoning', '/spatial_labels', '/tf')
    page = report.write(episodes.write_episode(tmp_path / 'run', without=every)).read_text()
    assert 'What was recorded' in page
    assert 'How the arm moved' not in page


def test_the_script_gets_the_lines_of_the_charts(run):
    page = report.write(run).read_text()
    data = json.loads(re.search(r'const DATA = (.*), DURATION', page)[1])
    assert [one['unit'] for one in data] == ['m', 'mm', '°']
    assert [line['name'] for line in data[0]['lines']][:3] == ['x', 'y', 'z']
    assert len(data[2]['lines']) == 12


def test_the_arm_is_as_far_from_its_command_as_it_lags(run):
    following = report.following(stories.read(run))
    assert following['joint_max'] == pytest.approx(0.859, abs=0.01)  # 0.3 rad/s for 0.05 s


def test_equal_answers_in_a_row_are_one_segment(run):
    labels = stories.read(run).labels['the ball']
    shown = segments(labels, 2.0, by_observation=True)
    assert [(one.text, round(one.start, 2), round(one.end, 2)) for one in shown] == [
        ('', 0.0, 0.1),
        ('right', 0.1, 1.2),
        ('grasped', 1.2, 2.0),
    ]
    assert isinstance(shown[0], Segment)


@pytest.mark.parametrize(('low', 'high'), [(0.0, 1.0), (-3.2, 7.9), (0.001, 0.0013), (5.0, 5.001)])
def test_ticks_are_few_round_and_inside(low, high):
    ticks = charts._ticks(low, high)
    assert 2 <= len(ticks) <= 6
    assert all(low <= tick <= high for tick in ticks)
