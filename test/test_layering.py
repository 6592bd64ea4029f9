# SPDX-License-Identifier: Apache-2.0
"""Wiring and thinking live in different files, and packages depend in one direction."""

import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import pytest

# What makes a module one of ROS: the client library, tools on top of it, generated interfaces.
ROS = {
    'builtin_interfaces', 'cv_bridge', 'launch', 'launch_ros',
    'rcl_interfaces', 'rclpy', 'std_srvs', 'tf2_ros',
}  # fmt: skip

# Where installed data are found: no wiring, but to be declared.
INDEX = 'ament_index_python'

# Files that wire, by name: nodes, conversions (ros_*), and what stands on ROS by its purpose.
WIRING = ('_node.py',)
WIRING_PREFIX = 'ros_'
WIRING_FILES = {
    'inspire_bringup/inspire_bringup/launching.py',  # launch_ros actions
    'inspire_bringup/inspire_bringup/recorder_benchmark.py',  # publishes a robot's load
    'piper_driver/piper_driver/parameters.py',
    'piper_driver/piper_driver/qos.py',
    'piper_driver/piper_driver/spinning.py',
}

MAY_IMPORT = {
    'piper_driver': set(),
    'inspire_labeler': {'inspire_msgs', 'piper_driver'},
    'inspire_sim': {'inspire_msgs', 'piper_driver'},
    'inspire_policy': {'inspire_labeler', 'inspire_msgs', 'inspire_sim', 'piper_driver'},
    'inspire_bringup': {
        'inspire_labeler', 'inspire_msgs', 'inspire_policy', 'inspire_sim', 'piper_driver',
    },
}  # fmt: skip
OURS = {*MAY_IMPORT, 'inspire_msgs'}


def is_ros(name):
    return name in ROS or (name.endswith('_msgs') and name != 'test_msgs')


def wires(module):
    name = module.path.name
    return (
        name.endswith(WIRING) or name.startswith(WIRING_PREFIX) or module.name in WIRING_FILES
    )


def test_what_thinks_imports_no_ros(modules):
    guilty = {
        module.name: sorted(name for name in module.roots if is_ros(name))
        for module in modules
        if not wires(module)
    }
    assert {name: found for name, found in guilty.items() if found} == {}


def test_what_is_excused_as_wiring_does_wire(modules):
    excused = [module for module in modules if wires(module)]
    assert [one.name for one in excused if not any(map(is_ros, one.roots))] == []


def test_packages_depend_in_one_direction(modules):
    guilty = [
        f'{module.name} imports {other}'
        for module in modules
        for other in sorted(module.roots & OURS - {module.package} - MAY_IMPORT[module.package])
    ]
    assert guilty == []


def test_the_directions_have_no_cycle():
    depth = {}

    def depth_of(package):
        if package not in depth:
            depth[package] = 1 + max(map(depth_of, MAY_IMPORT.get(package, ())), default=0)
        return depth[package]

    assert depth_of('inspire_bringup') == 4


@pytest.mark.parametrize('package', MAY_IMPORT)
def test_what_is_imported_is_declared(package, modules, root):
    """package.xml names every ROS package and every package of ours that the sources import."""
    manifest = ElementTree.parse(root / package / 'package.xml').getroot()
    declared = {element.text for element in manifest if element.tag.endswith('depend')}
    used = set().union(*(module.roots for module in modules if module.package == package))
    needed = {name for name in used - {package} if is_ros(name) or name in {INDEX, *OURS}}
    assert needed - declared == set()


# Import -> rosdep key. Whatever else is imported is installed by the README's line for pip.
ROSDEP_KEYS = {
    'PIL': 'python3-pil', 'cv2': 'python3-opencv', 'jinja2': 'python3-jinja2',
    'matplotlib': 'python3-matplotlib', 'numpy': 'python3-numpy', 'rich': 'python3-rich',
    'scipy': 'python3-scipy', 'yaml': 'python3-yaml',
}  # fmt: skip
BY_PIP = {'can': 'python-can', 'mcap_ros2': 'mcap-ros2-support'}


@pytest.mark.parametrize('package', MAY_IMPORT)
def test_libraries_that_are_imported_are_declared_or_in_the_line_for_pip(package, modules, root):
    """In package.xml with rosdep's key where there is one, else in the main README."""
    manifest = ElementTree.parse(root / package / 'package.xml').getroot()
    declared = {element.text for element in manifest if element.tag.endswith('depend')}
    readme = (root / 'README.md').read_text(encoding='utf-8')
    lines = [one for one in readme.splitlines() if one.startswith('pip install ')]
    used = set().union(*(module.roots for module in modules if module.package == package))
    libraries = {
        name
        for name in used - OURS - sys.stdlib_module_names - {INDEX}
        if not is_ros(name)
    }
    keys = {ROSDEP_KEYS[name] for name in libraries & set(ROSDEP_KEYS)}
    assert keys - declared == set()
    assert {BY_PIP.get(name, name) for name in libraries - set(ROSDEP_KEYS)} <= set(
        ' '.join(lines).split()
    )


@pytest.mark.parametrize(
    'module',
    [
        'inspire_sim.world',
        'inspire_sim.expert',
        'inspire_policy.evaluation',
        'inspire_policy.families.expert',
        'inspire_policy.collecting',
        'inspire_policy.dataset',
        'inspire_policy.exporting',
        'inspire_labeler.recompute',
        'inspire_bringup.command_line',
        'inspire_bringup.runner',
        'inspire_bringup.loops',
    ],
)
def test_what_runs_on_a_machine_without_ros_does_not_load_it(module):
    """Not by way of another module either."""
    code = (
        f'import sys, {module}; '
        "print([name for name in ('rclpy', 'launch', 'std_msgs', 'inspire_msgs') "
        'if name in sys.modules])'
    )
    loaded = subprocess.run(
        [sys.executable, '-P', '-c', code], capture_output=True, text=True, check=True
    )
    assert loaded.stdout.strip() == '[]'


def test_no_pickle_no_eval_no_shell(modules):
    """Neither on a wire nor in a file that a user may receive."""
    forbidden = {'pickle', 'cPickle', 'dill', 'cloudpickle', 'shelve', 'marshal'}
    assert [module.name for module in modules if module.roots & forbidden] == []
    guilty = [
        module.name
        for module in modules
        for text in ('shell=True', 'os.system(', ' eval(', ' exec(')
        if text in module.path.read_text(encoding='utf-8')
    ]
    assert guilty == []
