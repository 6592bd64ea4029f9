# SPDX-License-Identifier: Apache-2.0
"""Parameters: described, bounded, and the same in the YAML beside the node."""

from dataclasses import asdict, fields
from pathlib import Path

import pytest
import yaml

from inspire_labeler.agreement_parameters import AgreementParameters
from inspire_labeler.formulation import Formulation
from inspire_labeler.labeler_parameters import LabelerParameters

CONFIG = Path(__file__).parents[1] / 'config'
CLASSES = {'labeler': LabelerParameters, 'agreement': AgreementParameters}


@pytest.mark.parametrize('name', CLASSES)
def test_the_yaml_holds_every_parameter_with_its_default(name):
    content = yaml.safe_load((CONFIG / f'{name}.yaml').read_text())
    assert content[name]['ros__parameters'] == asdict(CLASSES[name]())


@pytest.mark.parametrize('name', CLASSES)
def test_every_parameter_is_described_and_its_default_is_valid(name):
    for each in fields(CLASSES[name]):
        about = each.metadata
        assert about['description'].endswith('.'), each.name
        if isinstance(each.default, float):
            assert about['lower'] <= each.default <= about['upper'], each.name
        if about.get('choices'):
            assert each.default in about['choices'], each.name


def test_settings_are_those_of_the_parameters():
    settings = LabelerParameters(formulation='distance', max_gap=.2, empty_width=.01).settings
    assert settings.formulation is Formulation.DISTANCE
    assert (settings.max_gap, settings.closure.empty_width) == (.2, .01)


def test_contradictions_are_refused():
    with pytest.raises(ValueError, match='slip_margin is 0.01 m, expected .* grip_margin 0.003 m'):
        LabelerParameters(slip_margin=.01)
