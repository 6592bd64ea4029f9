# SPDX-License-Identifier: Apache-2.0
"""The YAML beside the node says the same as the dataclass."""

from dataclasses import asdict, fields
from pathlib import Path

import yaml

from piper_driver.driver_parameters import DriverParameters


def test_the_yaml_sets_what_the_dataclass_declares():
    path = Path(__file__).parents[1] / 'config' / 'driver.yaml'
    values = yaml.safe_load(path.read_text(encoding='utf-8'))['/**']['ros__parameters']
    assert values == asdict(DriverParameters())


def test_every_parameter_is_described_and_every_number_bounded():
    for item in fields(DriverParameters):
        assert item.metadata['description']
        if isinstance(item.default, float):
            assert item.metadata['lower'] <= item.default <= item.metadata['upper']


def test_the_readme_lists_every_parameter():
    text = (Path(__file__).parents[1] / 'README.md').read_text(encoding='utf-8')
    for item in fields(DriverParameters):
        assert f'| `{item.name}` |' in text
