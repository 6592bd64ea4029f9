# SPDX-License-Identifier: Apache-2.0
"""What a killed process left is given back; what a living one uses is not."""

import fcntl
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from inspire_bringup import shared_memory
from inspire_bringup.shared_memory import sweep

NODE = """
import rclpy, sys
from std_msgs.msg import String
rclpy.init()
node = rclpy.create_node('left')
node.create_subscription(String, 'nothing', print, 1)
print('up', flush=True)
sys.stdin.read()
"""


def started() -> subprocess.Popen[str]:
    """A node in a process of its own, once it is up."""
    process = subprocess.Popen([sys.executable, '-c', NODE], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline() == 'up\n'
    return process


def segments(process: subprocess.Popen[str]) -> set[Path]:
    """The segments that a process has in its memory, without those of ports."""
    maps = Path(f'/proc/{process.pid}/maps').read_text()
    return {Path(found) for found in re.findall(r'/dev/shm/fastrtps_[0-9a-f]{16}', maps)}


def test_segments_of_the_killed_are_given_back_and_those_of_the_living_stay(
        monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip('rclpy', reason='ROS is not set up')
    monkeypatch.setattr(shared_memory, 'NEWBORN', 0.0)
    nodes, taken = [], []
    try:
        for _ in range(2):
            nodes.append(started())
            taken.append(segments(nodes[-1]))
        killed, living = taken[0], taken[1] - taken[0]
        assert killed and living
        nodes[0].send_signal(signal.SIGKILL)
        nodes[0].wait()
        assert all(path.exists() for path in killed), 'the killed leave them'
        sweep(range(0))
        assert not any(path.exists() for path in killed)
        assert all(path.exists() for path in living)
    finally:
        for node in nodes:
            node.kill()
            node.communicate()


def test_ports_are_removed_with_all_that_belongs_to_them(tmp_path) -> None:
    names = ['fastrtps_port7661', 'fastrtps_port7661_el', 'sem.fastrtps_port7661_mutex']
    for name in [*names, 'fastrtps_port7911', 'of somebody else']:
        (tmp_path / name).write_bytes(b'1234')
    assert sweep(range(7650, 7900), tmp_path) == 4 * len(names)
    assert sorted(os.listdir(tmp_path)) == ['fastrtps_port7911', 'of somebody else']


def test_a_newborn_that_holds_no_lock_yet_is_left_alone(tmp_path) -> None:
    for name in ('fastrtps_0123456789abcdef', 'fastrtps_0123456789abcdef_el'):
        (tmp_path / name).touch()
    sweep(range(0), tmp_path)
    assert len(os.listdir(tmp_path)) == 2


def test_a_common_port_goes_when_nobody_listens_and_stays_while_somebody_does(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one without a lock was being made when its process was killed."""
    monkeypatch.setattr(shared_memory, 'NEWBORN', 0.0)
    for name in ('fastrtps_port7006', 'sem.fastrtps_port7006_mutex', 'fastrtps_port7001',
                 'fastrtps_port7001_el', 'fastrtps_port7002', 'fastrtps_port7002_sl'):
        (tmp_path / name).write_bytes(b'12345')
        os.utime(tmp_path / name, (0, 0))
    with open(tmp_path / 'fastrtps_port7001_el', 'rb') as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        sweep(range(0), tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {'fastrtps_port7001',
                                                          'fastrtps_port7001_el'}


def test_the_port_of_a_living_node_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip('rclpy', reason='ROS is not set up')
    monkeypatch.setattr(shared_memory, 'NEWBORN', 0.0)
    node = started()
    try:
        maps = Path(f'/proc/{node.pid}/maps').read_text()
        own = {Path(found) for found in re.findall(r'/dev/shm/fastrtps_port70[0-9]+', maps)}
        assert own
        sweep(range(0))
        assert all(path.exists() for path in own)
    finally:
        node.kill()
        node.communicate()
