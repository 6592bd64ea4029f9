# SPDX-License-Identifier: Apache-2.0
"""The family of docs/plugin.md, taken from that page and installed as a package of its own, is
found by name, speaks and acts in a world."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from inspire_policy.action_codec import opened
from inspire_policy.nano.tokens import Words
from inspire_policy.nano.vocabulary import sentences

PAGE = Path(__file__).parents[2] / 'docs' / 'plugin.md'
DRIVEN = '''
import json, sys
from inspire_bringup.loops import POLICY
from inspire_policy.closed_loop import make_policy, make_world, run_episode
from inspire_policy.evaluation import Job, Setting
from inspire_policy.families import FAMILIES

setting = Setting('glancing', longest=12, image_size=112, options={'checkpoint': sys.argv[1]})
policy = make_policy(setting)
world = make_world(policy, setting)
job = Job('ball_on_book', 'put the ball on the book', 'unseen', 0)
row = run_episode(world, policy, job, setting)
again = run_episode(world, policy, job, setting)
print(json.dumps({'module': FAMILIES['glancing'], 'expert': FAMILIES['expert'], 'error': row.error,
                  'decisions': row.decisions, 'steps': row.steps,
                  'choice': 'glancing' in POLICY.choices,
                  'same': (row.jerk, row.answers) == (again.jerk, again.answers),
                  'words': [case.said for case, count in row.answers for _ in range(count)]}))
'''


def code():
    (block,) = re.findall(r'```python\n(.*?)```', PAGE.read_text(encoding='utf-8'), re.DOTALL)
    return block


@pytest.fixture
def installed(tmp_path):
    """A folder with the package and what pip would write beside it, and a file of weights."""
    (tmp_path / 'glancing.py').write_text(code(), encoding='utf-8')
    about = tmp_path / 'glancing-1.0.dist-info'
    about.mkdir()
    (about / 'METADATA').write_text('Metadata-Version: 2.1\nName: glancing\nVersion: 1.0\n')
    group = re.search(r"\[project\.entry-points\.'(.*?)'\]", PAGE.read_text(encoding='utf-8'))[1]
    (about / 'entry_points.txt').write_text(
        f'[{group}]\nglancing = glancing\nexpert = glancing\n')
    words, random = Words.trained(sentences()), np.random.default_rng(0)
    rows = words.text_size + opened({'kind': 'bins', 'chunk': 4, 'low': [0] * 7, 'high': [1] * 7},
                                    {}).codes
    save_file({'see': random.normal(0, 0.1, (24, 768)), 'turn': random.normal(0, 0.3, (24, 24)),
               'tokens': random.normal(0, 1, (rows, 24))}, tmp_path / 'weights.safetensors')
    return tmp_path


def test_the_family_of_the_page_is_found_by_name_and_driven_in_a_world(installed):
    """Its weights are random: what is tried is that it answers from the sets and moves."""
    paths = os.pathsep.join([str(installed), os.environ.get('PYTHONPATH', '')])
    done = subprocess.run(
        [sys.executable, '-P', '-c', DRIVEN, str(installed / 'weights.safetensors')],
        env={**os.environ, 'PYTHONPATH': paths}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    row = json.loads(done.stdout)
    assert (row['error'], row['decisions'], row['steps']) == ('', 3, 12)
    assert row['same'] and row['choice']
    assert len(row['words']) == 6
    assert {*row['words']} <= {'left', 'right', 'up', 'down', 'front', 'back', 'grasped'}
    assert row['module'] == 'glancing'
    assert row['expert'] == 'inspire_policy.families.expert'     # ours are not replaced


def test_the_page_says_how_long_its_code_is():
    lines = sum(1 for line in code().splitlines() if line.strip())
    assert f'it has {lines} lines' in PAGE.read_text(encoding='utf-8')
    assert lines < 60
