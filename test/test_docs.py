# SPDX-License-Identifier: Apache-2.0
"""What the documentation says of parameters, topics, arguments and commands is so, both ways."""

import ast
import importlib
import re
from dataclasses import fields

import pytest

from inspire_bringup import command_line
from inspire_bringup.loops import ACT, COLLECT, PIPER

from .conftest import PYTHON_PACKAGES, ROOT

NAMED = re.compile(r'`([^`]+)`')
MAKERS = {
    'create_publisher': 1,
    'create_subscription': 1,
    'create_service': 1,
    'create_client': 1,
    'ActionServer': 2,
    'ActionClient': 2,
}
# Not part of an interface: what benchmarks use among themselves.
PRIVATE_FILES = ('_benchmark.py', 'ros_probe.py')


def readme(package):
    """Return a package's documentation: its README first, then what is beside it."""
    folder = ROOT / package
    paths = [folder / 'README.md', *sorted({*folder.glob('*.md')} - {folder / 'README.md'})]
    return '\n'.join(path.read_text(encoding='utf-8') for path in paths)


def first_column(text, heading):
    """Return what stands in backticks in the first column of all tables of this heading."""
    names, inside = [], False
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip('|').split('|')]
        if not line.lstrip().startswith('|'):
            inside = False
        elif cells[0].lower() == heading:
            inside = True
        elif inside:
            names += NAMED.findall(cells[0])
    return names


def declared_parameters(package):
    """Return the parameters of all nodes of a package, from their dataclasses."""
    names = []
    for path in sorted((ROOT / package / package).glob('*_parameters.py')):
        module = importlib.import_module(f'{package}.{path.stem}')
        (kind,) = (
            value
            for value in vars(module).values()
            if isinstance(value, type)
            and value.__module__ == module.__name__
            and value.__name__.endswith('Parameters')
        )
        names += [field.name for field in fields(kind)]
    return names


@pytest.mark.parametrize('package', PYTHON_PACKAGES)
def test_the_parameters_of_the_readme_are_those_that_are_declared(package):
    assert set(first_column(readme(package), 'parameter')) == set(declared_parameters(package))


def used_names(path):
    """Yield the literal names of topics, services and actions that a file makes or uses."""
    for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(
            node.func, 'id', ''
        )
        place = MAKERS.get(name)
        if place is not None and len(node.args) > place:
            argument = node.args[place]
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                yield argument.value


@pytest.mark.parametrize('package', PYTHON_PACKAGES)
def test_the_readme_names_every_topic_service_and_action_of_its_nodes(package):
    text = readme(package)
    missing = {
        f'{path.name}: {name}'
        for path in (ROOT / package / package).rglob('*.py')
        if not path.name.endswith(PRIVATE_FILES)
        for name in used_names(path)
        if f'`{name}`' not in text
    }
    assert missing == set()


def test_the_arguments_of_the_readme_are_those_of_the_loops():
    named = first_column(readme('inspire_bringup'), 'argument')
    for loop in (ACT, COLLECT):
        assert named == [argument.name for argument in loop.arguments]
    named = first_column(readme('inspire_bringup'), 'argument with an arm')
    assert named == [argument.name for argument in PIPER.arguments]


def test_the_defaults_of_the_readme_are_those_of_the_loops():
    rows = {}
    for line in readme('inspire_bringup').splitlines():
        if found := re.match(r'\| `(\w+)` \| ([^|]*) \|', line):
            rows.setdefault(found[1], found[2])  # the table of arguments comes first
    collect = {argument.name: argument.default for argument in COLLECT.arguments}
    for argument in ACT.arguments:
        said, default = rows[argument.name], argument.default
        if default is None:
            assert said == 'required'
        elif default != '':
            shown = str(default).lower() if isinstance(default, bool) else str(default)
            assert said.startswith(shown), argument.name
        other = collect[argument.name]
        if other != default:
            shown = f'{other:g}' if isinstance(other, float) else str(other)
            assert f'(collect: {shown})' in said, argument.name


def test_the_stages_of_the_readme_are_those_of_the_table():
    text = readme('inspire_bringup')
    for stage in ACT.stages:
        assert f'| {stage.name} | {stage.package}/{stage.executable} |' in text


DOCUMENTS = [path for path in (ROOT / 'README.md', *sorted((ROOT / 'docs').glob('*.md')))
             if path.exists()]  # fmt: skip


@pytest.mark.parametrize(
    'path', [*DOCUMENTS, *(ROOT / package / 'README.md' for package in PYTHON_PACKAGES)],
    ids=lambda path: str(path.relative_to(ROOT)),
)  # fmt: skip
def test_commands_that_are_mentioned_exist(path):
    valid = {*command_line.names(), *command_line.OF_THE_SHELL}
    mentioned = re.findall(r'\./inspire ([a-z]+)', path.read_text(encoding='utf-8'))
    assert set(mentioned) - valid == set()


@pytest.mark.parametrize(
    'path', [*DOCUMENTS, *(ROOT / package / 'README.md' for package in PYTHON_PACKAGES)],
    ids=lambda path: str(path.relative_to(ROOT)),
)  # fmt: skip
def test_links_within_the_repository_lead_somewhere(path):
    text = path.read_text(encoding='utf-8')
    links = re.findall(r'\]\(([^)#:]+)(?:#[^)]*)?\)', text)
    assert [link for link in links if not (path.parent / link).exists()] == []


def test_the_main_readme_lists_every_command():
    path = ROOT / 'README.md'
    if not path.exists():
        pytest.fail('there is no README.md')
    text = path.read_text(encoding='utf-8')
    names = {*command_line.names(), *command_line.OF_THE_SHELL}
    assert {name for name in names if f'./inspire {name}' not in text} == set()


