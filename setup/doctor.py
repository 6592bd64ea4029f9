# SPDX-License-Identifier: Apache-2.0
"""`./inspire doctor`: what is missing, wrong or old here, and how to mend each of them.

Every check is a small function that gives one row, and none of them may end the examination: a
check that fails in a way nobody thought of is itself a row. What needs the workspace's own
packages (rendering, ROS) is tried in a process of its own, so a broken environment is a row too.
"""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import distributions
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import machine
import tagger
import wheels
import workspace

if TYPE_CHECKING:  # bootstrap is the program that runs this, as __main__
    from bootstrap import Place, State

Level = Literal['ok', 'warning', 'problem']
AGAIN = './inspire setup'
MIB = 2**20
SEGMENT_MIB = 9  # /dev/shm per process: setup/fastdds.xml's segment and the port's own
PARTICIPANTS = 8  # processes of a demo

RENDER = """
import mujoco
model = mujoco.MjModel.from_xml_string(
    '<mujoco><worldbody><light pos="0 0 3"/><geom size="1" rgba="1 0 0 1"/></worldbody></mujoco>')
data = mujoco.MjData(model)
mujoco.mj_forward(model, data)
with mujoco.Renderer(model, 32, 32) as renderer:
    renderer.update_scene(data)
    image = renderer.render()
    from OpenGL import GL
    print(GL.glGetString(GL.GL_RENDERER).decode())
assert image.max() > 40, 'the image is black'
"""
GRAPH = """
import rclpy
from geometry_msgs.msg import TransformStamped
from tf2_msgs.msg import TFMessage
from tf2_ros import Buffer
from cv_bridge import CvBridge
rclpy.init()
node = rclpy.create_node('inspire_doctor')
node.create_publisher(TFMessage, 'inspire_doctor', 1)
print(rclpy.get_rmw_implementation_identifier())
node.destroy_node()
rclpy.shutdown()
"""


@dataclass(frozen=True)
class Row:
    """One thing examined."""

    name: str
    level: Level
    found: str
    mend: str = ''


def check_system(place: Place, state: State) -> Row:
    name, libc = platform.machine(), platform.libc_ver()
    found = f'{platform.system()} {name}, {libc[0]} {libc[1]}'
    version = tuple(int(part) for part in libc[1].split('.')[:2] if part.isdigit())
    if state.distribution or distribution_here(place):
        return Row('system', 'ok', found)
    if name != 'x86_64':
        return Row(
            'system', 'problem', found, 'the ROS wheels are for x86_64: install ROS 2 Jazzy'
        )
    if libc[0] == 'glibc' and version < (2, 28):
        return Row(
            'system', 'problem', found, 'the wheels need glibc 2.28: Debian 10, Ubuntu 20.04'
        )
    return Row('system', 'ok', found)


def distribution_here(place: Place) -> str:
    import bootstrap

    return bootstrap.distribution_in_sight(place)


def check_ros(place: Place, state: State) -> Row:
    sourced = distribution_here(place)
    if state.venv == 'made' and sourced and not state.distribution:
        return Row(
            'ROS 2',
            'warning',
            f'{sourced} is sourced, but this folder is set up with the wheels',
            f'{AGAIN} --fresh',
        )
    if state.distribution and not Path(state.distribution, 'setup.bash').is_file():
        return Row('ROS 2', 'problem', f'{state.distribution} is gone', f'{AGAIN} --fresh')
    return Row('ROS 2', 'ok', state.distribution or sourced or 'Jazzy from PyPI wheels')


def check_python(place: Place, state: State) -> Row:
    import bootstrap

    found = f'{platform.python_version()} ({os.path.realpath(sys.executable)})'
    oldest, newest = machine.PYTHONS
    if not oldest <= sys.version_info[:2] <= newest:
        return Row('Python', 'problem', found, 'INSPIRE_PYTHON=/usr/bin/python3 ./inspire setup')
    if state.venv == 'made' and state.python != bootstrap.python_version():
        return Row('Python', 'warning', f'{found}; the venv has {state.python}', AGAIN)
    return Row('Python', 'ok', found)


def check_venv(place: Place, state: State) -> Row:
    import bootstrap

    if place.venv.exists() and not place.stamp.exists():
        return Row('venv', 'problem', f'{place.venv} is not ours', 'move it out of the way')
    if reason := bootstrap.venv_problem(place, state):
        return Row('venv', 'problem', f'{place.venv}: {reason}', AGAIN)
    result = attempt([str(place.python), '-S', '-c', ''], {})
    if result.returncode != 0:
        return Row('venv', 'problem', f'{place.python} does not start', f'{AGAIN} --fresh')
    if state.installing:
        return Row('venv', 'problem', f'the part {state.installing!r} is half installed', AGAIN)
    return Row('venv', 'ok', str(place.venv))


def check_parts(place: Place, state: State) -> Row:
    """Every locked version against what is installed."""
    import bootstrap

    stale = bootstrap.stale_parts(place, state, bootstrap.wanted_parts(place, state, []))
    if stale:
        return Row('packages', 'problem', f'not installed as locked: {", ".join(stale)}', AGAIN)
    folder = wheels.site_packages(place.venv)
    installed = {
        canonical(entry.metadata['Name']): entry.version
        for entry in distributions(path=[str(folder)])
        if entry.metadata['Name']
    }
    locked: dict[str, str] = {}
    for part in state.parts:
        locked |= bootstrap.pins(place.requirements(part).read_text())
    wrong = [
        f'{name} {installed.get(canonical(name), "missing")} (locked: {version})'
        for name, version in sorted(locked.items())
        if installed.get(canonical(name)) != version
    ]
    if wrong:
        more = f' and {len(wrong) - 4} more' if len(wrong) > 4 else ''
        return Row('packages', 'problem', '; '.join(wrong[:4]) + more, f'{AGAIN} --fresh')
    parts = ', '.join(sorted(state.parts))
    return Row('packages', 'ok', f'{len(locked)} at their locked versions ({parts})')


def canonical(name: str) -> str:
    return re.sub(r'[-_.]+', '-', name).lower()


def check_wheels(place: Place, state: State) -> Row:
    if state.distribution:
        return Row('ROS wheels', 'ok', 'not used')
    files = wheels.unpatched(place.venv)
    if 'ros' not in state.parts:
        return Row('ROS wheels', 'problem', 'not installed', AGAIN)
    if files:
        return Row(
            'ROS wheels', 'problem', f'{len(files)} CMake files unmended', f'{AGAIN} --fresh'
        )
    return Row('ROS wheels', 'ok', 'CMake paths mended')


def check_tagger(place: Place, state: State) -> Row:
    folder = place.venv / 'nltk_data' / 'taggers' / tagger.NAME
    files = list(folder.glob('*.json'))
    if len(files) < 3:
        return Row('NLTK tagger', 'problem', f'{folder} has {len(files)} of 3 files', AGAIN)
    return Row('NLTK tagger', 'ok', f'{sum(file.stat().st_size for file in files) / 1e6:.1f} MB')


def check_tools(place: Place, state: State) -> Row:
    lacking = machine.missing(need for need in machine.needs() if need.essential)
    if lacking:
        has_apt = shutil.which('apt-get') is not None
        names = ', '.join(need.name for need in lacking)
        return Row(
            'tools', 'problem', f'missing: {names}', machine.mending(lacking, has_apt=has_apt)
        )
    versions = [first_line(['g++', '--version']), first_line(['cmake', '--version'])]
    return Row('tools', 'ok', ', '.join(versions))


def first_line(command: list[str]) -> str:
    return (attempt(command, {}).stdout.splitlines() or [f'{command[0]}: no answer'])[0]


def check_gl(place: Place, state: State) -> Row:
    """Really renders: a library that loads may still have no driver."""
    lacking = [need for need in machine.missing(machine.needs()) if need.name == 'OpenGL']
    has_apt = shutil.which('apt-get') is not None
    mend = machine.mending(lacking, has_apt=has_apt) if lacking else 'try MUJOCO_GL=osmesa or glfw'
    if 'run' not in state.parts:
        level: Level = 'problem' if lacking else 'warning'
        return Row(
            'rendering', level, 'not tried: the set-up is not done', mend if lacking else AGAIN
        )
    result = attempt(workspace.sourced(place.root, 'python', '-c', RENDER), {})
    backend = os.environ.get('MUJOCO_GL', 'egl')
    if result.returncode != 0:
        return Row('rendering', 'problem', f'MUJOCO_GL={backend}: {last_words(result)}', mend)
    renderer = (result.stdout.splitlines() or ['?'])[-1]
    return Row('rendering', 'ok', f'{backend}, {renderer}')


def check_build(place: Place, state: State) -> Row:
    import bootstrap

    stale = bootstrap.stale_packages(place, state)
    if stale:
        found = f'to be built: {", ".join(sorted(stale))}'
        return Row('workspace', 'warning' if state.packages else 'problem', found, AGAIN)
    return Row('workspace', 'ok', f'{len(state.packages)} packages built')


def check_graph(place: Place, state: State) -> Row:
    if 'tf2_msgs' not in state.packages and not state.distribution:
        return Row('ROS graph', 'problem', 'not tried: the workspace is not built', AGAIN)
    result = attempt(workspace.sourced(place.root, 'python', '-c', GRAPH), {})
    if result.returncode != 0:
        return Row('ROS graph', 'problem', last_words(result), f'{AGAIN} --fresh')
    return Row('ROS graph', 'ok', f'a node starts ({result.stdout.split()[-1]})')


def check_shared_memory(place: Place, state: State) -> Row:
    try:
        usage = shutil.disk_usage('/dev/shm')
    except OSError as error:
        return Row('/dev/shm', 'warning', f'{error}', 'images go by UDP: slower')
    leftovers = len(list(Path('/dev/shm').glob('fastrtps_*')))
    found = (
        f'{usage.free / MIB:.0f} MiB free of {usage.total / MIB:.0f}, {leftovers} Fast DDS files'
    )
    if not os.access('/dev/shm', os.W_OK):
        return Row('/dev/shm', 'warning', f'{found}, not writable', 'images go by UDP: slower')
    if usage.free < PARTICIPANTS * SEGMENT_MIB * MIB:
        mend = (
            f'{PARTICIPANTS * SEGMENT_MIB} MiB are wanted: `docker run --shm-size=256m`, or '
            'remove what dead processes left: ./inspire shell fastdds shm clean'
        )
        return Row('/dev/shm', 'warning', found, mend)
    return Row('/dev/shm', 'ok', found)


def check_disk(place: Place, state: State) -> Row:
    free = shutil.disk_usage(place.root).free / 2**30
    wanted = 1.0 if state.parts else 3.0
    found = f'{free:.1f} GiB free'
    if free < wanted:
        level: Level = 'warning' if state.parts else 'problem'
        return Row('disk', level, found, f'{wanted:.0f} GiB are wanted in {place.root}')
    return Row('disk', 'ok', found)


def check_folder(place: Place, state: State) -> Row:
    paths = [
        place.root,
        *(place.root / name for name in ('.venv', 'build', 'install', 'log', 'runs')),
    ]
    shut = [str(path) for path in paths if path.exists() and not os.access(path, os.W_OK)]
    if shut:
        mend = f'sudo chown -R "$USER" {place.root}'
        return Row('folder', 'problem', f'not writable: {", ".join(shut)}', mend)
    return Row('folder', 'ok', str(place.root))


def check_domain(place: Place, state: State) -> Row:
    """Whose ports of this domain are taken: two robots in one domain drive each other."""
    given = os.environ.get('ROS_DOMAIN_ID', '') or '0'
    if not given.isdecimal() or int(given) > 232:
        return Row(
            'ROS domain', 'problem', f'ROS_DOMAIN_ID={given}', 'export ROS_DOMAIN_ID=0 to 101'
        )
    domain = int(given)
    base = 7400 + 250 * domain
    table = Path('/proc/net/udp')
    taken = udp_ports(table.read_text()) if table.is_file() else set()
    # Participant i listens on base + 10 + 2i and base + 11 + 2i.
    participants = {(port - base - 10) // 2 for port in taken if base + 10 <= port < base + 250}
    if participants:
        free = next(each for each in range(1, 102) if not used(each, taken))
        return Row(
            'ROS domain',
            'warning',
            f'{domain}: {len(participants)} other ROS processes on this machine',
            f'they see each other. Another domain: export ROS_DOMAIN_ID={free}',
        )
    if domain > 101:
        mend = 'its ports may be taken by other programs: use 0 to 101'
        return Row('ROS domain', 'warning', f'{domain}, no other ROS process', mend)
    return Row('ROS domain', 'ok', f'{domain}, no other ROS process here')


def udp_ports(table: str) -> set[int]:
    """Local ports in the text of /proc/net/udp."""
    lines = table.splitlines()[1:]
    return {int(line.split()[1].rpartition(':')[2], 16) for line in lines if line.split()}


def used(domain: int, taken: set[int]) -> bool:
    base = 7400 + 250 * domain
    return any(base <= port < base + 250 for port in taken)


def check_variables(place: Place, state: State) -> Row:
    """Variables that break a graph without a word."""
    wrong = []
    rmw = os.environ.get('RMW_IMPLEMENTATION', '')
    if rmw not in ('', 'rmw_fastrtps_cpp') and not state.distribution:
        wrong.append(f'RMW_IMPLEMENTATION={rmw} (the wheels have rmw_fastrtps_cpp)')
    for name in ('FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE'):
        value = os.environ.get(name, '')
        if value and not Path(value).is_file():
            wrong.append(f'{name}={value} (no such file)')
    if os.environ.get('ROS_LOCALHOST_ONLY', '0') != '0':
        wrong.append('ROS_LOCALHOST_ONLY (use ROS_AUTOMATIC_DISCOVERY_RANGE)')
    reach = os.environ.get('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
    if reach not in ('LOCALHOST', 'SUBNET', 'OFF', 'SYSTEM_DEFAULT'):
        wrong.append(f'ROS_AUTOMATIC_DISCOVERY_RANGE={reach} (LOCALHOST or SUBNET)')
    if wrong:
        names = ' '.join(entry.split('=')[0].split()[0] for entry in wrong)
        return Row('variables', 'warning', '; '.join(wrong), f'unset {names}')
    return Row('variables', 'ok', f'discovery: {reach}')


CHECKS: tuple[Callable[[Place, State], Row], ...] = (
    check_system,
    check_ros,
    check_python,
    check_tools,
    check_folder,
    check_disk,
    check_venv,
    check_parts,
    check_wheels,
    check_tagger,
    check_build,
    check_graph,
    check_gl,
    check_shared_memory,
    check_domain,
    check_variables,
)


def attempt(command: list[str], extra: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Runs a command for its answer; one that is missing or hangs is a failure like any other."""
    try:
        return subprocess.run(
            command,
            env=os.environ | extra,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors='replace',
            timeout=60,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return subprocess.CompletedProcess(command, 127, '', str(error))


def last_words(result: subprocess.CompletedProcess[str]) -> str:
    """The line of an output that says most: the first that names an error, else the last."""
    lines = [line.strip() for line in (result.stdout + result.stderr).splitlines() if line.strip()]
    telling = [line for line in lines if re.match(r'\w*(Error|Exception)\b', line)]
    return (telling or lines[-1:] or [f'exit code {result.returncode}'])[0]


def examine(place: Place) -> list[Row]:
    """Every row; a check that raises is a problem with its error."""
    state = place.read()
    rows = []
    for check in CHECKS:
        try:
            rows.append(check(place, state))
        except Exception as error:  # noqa: BLE001 (the examination has to go on)
            name = check.__name__.removeprefix('check_').replace('_', ' ')
            rows.append(Row(name, 'problem', f'{type(error).__name__}: {error}', AGAIN))
    return rows


def report(place: Place, *, as_json: bool) -> int:
    """Prints the rows; 1 if there is a problem, else 0."""
    rows = examine(place)
    problems = [row for row in rows if row.level == 'problem']
    if as_json:
        print(
            json.dumps({'healthy': not problems, 'rows': [asdict(row) for row in rows]}, indent=2)
        )
    else:
        print_rows(rows)
    return 1 if problems else 0


def print_rows(rows: list[Row]) -> None:
    colours = {'ok': '32', 'warning': '33', 'problem': '31'}
    for row in rows:
        level = f'{row.level:<8}'
        if sys.stdout.isatty():
            level = f'\x1b[{colours[row.level]}m{level}\x1b[0m'
        print(f'{level} {row.name:<12} {row.found}')
        if row.mend:
            lines = [line.strip() for line in row.mend.splitlines() if line.strip()]
            print('\n'.join(f'{"":<21} → {line}' for line in lines))
    problems = sum(row.level == 'problem' for row in rows)
    warnings = sum(row.level == 'warning' for row in rows)
    print(f'\n{problems} problems, {warnings} warnings')
