# SPDX-License-Identifier: Apache-2.0
"""The README's tables of parameters and modules against the code, both ways."""

import re
from dataclasses import fields
from pathlib import Path

import inspire_labeler
from inspire_labeler.agreement_parameters import AgreementParameters
from inspire_labeler.labeler_parameters import LabelerParameters

README = (Path(__file__).parents[1] / 'README.md').read_text()
MODULES = Path(inspire_labeler.__file__).parent


def test_every_parameter_is_in_the_readme_with_its_default_and_bounds():
    rows = re.findall(r'^\| `(\w+)` \| ([^|]*)\| ([^|]*)\| [^|]+\|$', README, re.MULTILINE)
    shown = {name: (default.strip(), valid.strip()) for name, default, valid in rows
             if '_msgs/' not in default}  # those are topics
    declared = {}
    for each in (*fields(LabelerParameters), *fields(AgreementParameters)):
        lower, upper = each.metadata.get('lower'), each.metadata.get('upper')
        choices = ', '.join(each.metadata.get('choices', ()))
        bounds = ''
        if lower is not None:
            bounds = f'{_plain(lower)}..{_plain(upper)}'
        declared[each.name] = (_plain(each.default), choices or bounds)
    assert shown == declared


def _plain(value):
    """0.00001 and not 1e-05."""
    text = f'{value:.5f}'.rstrip('0') if isinstance(value, float) else str(value)
    return text + '0' if text.endswith('.') else text


def test_every_module_is_in_the_readme():
    shown = set(re.findall(r'`(\w+)\.py`', README))
    there = {path.stem for path in MODULES.glob('*.py')} - {'__init__'}
    assert {name for name in there if not name.endswith('_parameters')} == shown


def test_every_topic_of_the_nodes_is_in_the_readme():
    for node in ('labeler', 'agreement'):
        code = (MODULES / f'{node}_node.py').read_text()
        topics = re.findall(r"(?:_subscribe\(\w+, |_subscribe\(|publisher\(\w+, )'([\w/]+)'", code)
        assert len(topics) >= 4, node
        for topic in topics:
            assert f'`{topic}`' in README, topic
