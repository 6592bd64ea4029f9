# SPDX-License-Identifier: Apache-2.0
"""An interface file is documentation: purpose, units, frames, named constants."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted(
    path for kind in ('msg', 'srv', 'action') for path in ROOT.glob(f'inspire_msgs/{kind}/*')
)
FIELD = re.compile(r'^(?P<type>[A-Za-z]\S*)\s+(?P<name>\w+)\s*(?P<constant>=.*)?(?:#.*)?$')
MEASURED = re.compile(r'float|geometry_msgs/(Vector3|Point)')  # times carry their unit
UNIT = re.compile(r'\[(m|rad|s|m/s|rad/s|N|0, 1)\]|\bseconds?\b|\d s\b', re.IGNORECASE)
# Their meaning is in their type's own file, or in their name.
EXPLAINED_BY_TYPE = {'SpatialQuestion', 'ObjectAgreement[<=32]'}
EXPLAINED_BY_NAME = {'success', 'message', 'recording', 'task', 'seed', 'instruction', 'code'}


def comments_and_fields(path):
    """Yield (comment that stands over it or beside it, type, name, is constant) per field.

    A comment explains the fields that follow it until the next blank line.
    """
    comment = ''
    for line in path.read_text().splitlines():
        text = line.strip()
        if not text or text == '---':
            comment = ''
        elif text.startswith('#'):
            comment += text.lstrip('# ') + ' '
        else:
            found = FIELD.match(text)
            assert found, f'{path.name}: {line!r}'
            beside = text.partition('#')[2]
            yield comment + beside, found['type'], found['name'], bool(found['constant'])


@pytest.mark.parametrize('path', FILES, ids=lambda path: path.name)
def test_it_begins_with_its_purpose(path):
    first = path.read_text().splitlines()[0]
    assert first.startswith('# ')
    assert len(first) > 20


@pytest.mark.parametrize('path', FILES, ids=lambda path: path.name)
def test_every_field_is_explained(path):
    bare = [
        name
        for comment, kind, name, constant in comments_and_fields(path)
        if not comment
        and f'field `{name}`' not in path.read_text()  # explained at its constants
        and not constant
        and kind not in EXPLAINED_BY_TYPE
        and name not in EXPLAINED_BY_NAME
    ]
    assert bare == []


@pytest.mark.parametrize('path', FILES, ids=lambda path: path.name)
def test_every_measured_field_has_a_unit(path):
    bare = [
        name
        for comment, kind, name, constant in comments_and_fields(path)
        if MEASURED.match(kind) and not constant and not UNIT.search(comment)
    ]
    assert bare == []


@pytest.mark.parametrize('path', FILES, ids=lambda path: path.name)
def test_every_header_says_frame_and_stamp(path):
    for comment, kind, name, _ in comments_and_fields(path):
        if kind == 'std_msgs/Header':
            assert 'stamp' in comment, name


@pytest.mark.parametrize('path', FILES, ids=lambda path: path.name)
def test_strings_and_sequences_have_bounds(path):
    """Bounded where a bound is known; the transcript is as long as the model's prompt."""
    unbounded = [
        name
        for _, kind, name, constant in comments_and_fields(path)
        if not constant and (kind == 'string' or kind.endswith('[]'))
    ]
    assert set(unbounded) <= {'message', 'transcript', 'directory', 'task', 'instruction'}


def test_every_interface_is_built(root):
    built = (root / 'inspire_msgs' / 'CMakeLists.txt').read_text()
    assert [path.name for path in FILES if f'{path.parent.name}/{path.name}' not in built] == []
