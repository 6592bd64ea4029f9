# SPDX-License-Identifier: Apache-2.0
"""The parameters' defaults are valid, written once in each place, and documented."""

import re
from dataclasses import asdict, fields
from pathlib import Path

import pytest
import yaml

from inspire_policy.families import create
from inspire_policy.policy_parameters import PolicyParameters

PACKAGE = Path(__file__).parents[1]


def test_the_defaults_go_together_and_lie_within_their_bounds() -> None:
    for each in fields(PolicyParameters):
        value, meta = getattr(PolicyParameters(), each.name), each.metadata
        assert meta['description']
        assert not meta['choices'] or value in meta['choices']
        assert meta['lower'] is None or meta['lower'] <= value <= meta['upper']


def test_an_observation_may_not_be_too_old_before_it_is_due() -> None:
    with pytest.raises(ValueError, match=r'stale_after is 0.2 s; valid: more than decide_ahead'):
        PolicyParameters(stale_after=0.2, decide_ahead=0.3)


def test_the_parameter_file_holds_the_defaults() -> None:
    written = yaml.safe_load((PACKAGE / 'config' / 'policy.yaml').read_text())
    assert written == {'/**': {'ros__parameters': asdict(PolicyParameters())}}


def test_the_readme_lists_every_parameter_with_its_default_and_no_other() -> None:
    section = (PACKAGE / 'README.md').read_text().split('### Parameters')[1].split('\n## ')[0]
    listed = dict(re.findall(r'^\| `(\w+)` \| (\S+) \|', section, re.MULTILINE))
    defaults = asdict(PolicyParameters())
    assert listed == {name: str(value) or "''" for name, value in defaults.items()}


def test_what_was_set_is_handed_to_the_family_and_nothing_else() -> None:
    assert PolicyParameters().options == {}
    set_so = PolicyParameters(family='remote', address='127.0.0.1:8000', answer_within=2.0)
    assert set_so.options == {'address': '127.0.0.1:8000', 'answer_within': 2.0}
    assert create(set_so.family, viewer=set_so.viewer, **set_so.options).cameras
