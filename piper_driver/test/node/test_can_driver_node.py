# SPDX-License-Identifier: Apache-2.0
"""The driver of an arm on CAN as a process, over an emulated bus that is broken on purpose."""

import os
import signal
import subprocess
import sys
import time
from functools import partial

import numpy as np
import pytest
import rclpy
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticStatus
from geometry_msgs.msg import Pose, PoseStamped
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from sensor_msgs.msg import JointState
from std_srvs.srv import Empty, SetBool, Trigger
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from piper_driver import can_frames, qos
from piper_driver.can_frames import Frame
from piper_driver.emulator_bus import LeaderOnBus, emulate
from piper_driver.kinematics import HOME, PARK, forward
from piper_driver.limits import JOINT_NAMES
from piper_driver.model_arm import ModelArm

pytestmark = [pytest.mark.node, pytest.mark.usefixtures('no_survivors')]

RATE = 0.25     # of the arm's time: a busy machine has to keep up


class Rig:
    """An emulated arm here, the driver as a process, and a client of it."""

    def __init__(self, model=None, **parameters):
        self.model = model or ModelArm()
        self.emulated = emulate('udp_multicast', arm=self.model, rate=RATE)
        self.faults = self.emulated.emulator.faults
        self.parameters = {'connect_timeout': 20.0, 'realtime': False, **parameters}
        self.node = Node('client')
        self.executor = SingleThreadedExecutor()
        self.executor.add_node(self.node)
        self.states, self.executed, self.status = [], [], None
        self.node.create_subscription(JointState, 'joint_states', self.states.append, qos.STATE)
        self.node.create_subscription(JointState, 'executed_command', self.executed.append,
                                      qos.STATE)
        self.node.create_subscription(DiagnosticStatus, 'arm_status', self._on_status, qos.SENSOR)
        self.commands = self.node.create_publisher(JointTrajectory, 'joint_command', qos.COMMAND)
        self.process = self.start()

    def start(self):
        words = [sys.executable, '-m', 'piper_driver.can_driver_node', '--ros-args', '-p',
                 'can_interface:=udp_multicast']
        for name, value in self.parameters.items():
            words += ['-p', f'{name}:={str(value).lower()}']
        return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def _on_status(self, message):
        self.status = {'message': message.message, 'level': message.level,
                       **{value.key: value.value for value in message.values}}

    def until(self, condition, seconds=40.0):
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f'not so in time; last status: {self.status}'
            self.executor.spin_once(timeout_sec=0.02)

    def says(self, words, key='message'):
        self.until(lambda: self.status and words in self.status[key])

    def call(self, kind, name, **fields):
        client = self.node.create_client(kind, name)
        self.until(client.service_is_ready)
        future = client.call_async(kind.Request(**fields))
        self.until(future.done)
        self.node.destroy_client(client)
        return future.result()

    def transition(self, number):
        return self.call(ChangeState, 'driver/change_state',
                         transition=Transition(id=number)).success

    def spin(self, seconds):
        """Let time pass, which is what is tested."""
        end = time.monotonic() + seconds
        self.until(lambda: time.monotonic() > end)

    def stream(self, goal, condition, seconds=60.0, clock=time.time_ns):
        """Send joint goals at 50 Hz until the condition holds."""
        def send_and_check():
            now = clock()
            message = JointTrajectory(joint_names=JOINT_NAMES, points=[
                JointTrajectoryPoint(positions=goal)])
            message.header.stamp = Time(sec=now // 10**9, nanosec=now % 10**9)
            self.commands.publish(message)
            return condition()
        self.until(send_and_check, seconds)

    def end(self, number=signal.SIGINT):
        self.process.send_signal(number)
        output, _ = self.process.communicate(timeout=30)
        return self.process.returncode, output

    def close(self):
        if self.process.poll() is None:
            self.process.kill()     # frozen or not
            self.process.communicate()
        self.emulated.close()
        self.executor.shutdown()
        self.node.destroy_node()


@pytest.fixture
def make_rig(ros_domain):
    rclpy.init()
    made = []

    def make(*arguments, **parameters):
        made.append(Rig(*arguments, **parameters))
        return made[-1]
    yield make
    for rig in made:
        rig.close()
    rclpy.shutdown()


@pytest.fixture
def rig(make_rig):
    made = make_rig(autostart='active')
    made.says('waiting for a command')
    return made


def test_by_itself_it_reads_and_powers_nothing(make_rig):
    rig = make_rig()
    rig.until(lambda: len(rig.states) > 20)
    assert not rig.model.read().enabled
    by_stamp = {str(m.header.stamp): m.position for m in rig.states}
    rig.until(lambda: any(str(m.header.stamp) in by_stamp for m in rig.executed))
    assert all(by_stamp.get(str(m.header.stamp), m.position) == m.position for m in rig.executed)
    assert not rig.call(SetBool, 'enable', data=True).success
    assert 'activate it first' in rig.call(Trigger, 'park').message
    rig.stream((0.3, 0, 0, 0, 0, 0), lambda: rig.status['refused_state'] != '0')
    assert rig.model.read().position == PARK
    assert rig.transition(Transition.TRANSITION_ACTIVATE)
    rig.until(lambda: rig.executed and rig.model.read().enabled)
    assert rig.model.read().position == pytest.approx(PARK, abs=1e-4)
    stamps = [m.header.stamp.sec + m.header.stamp.nanosec * 1e-9 for m in rig.states]
    assert np.all(np.diff(stamps) > 0) and abs(stamps[-1] - time.time()) < 5.0


def test_commands_are_followed_and_deactivating_holds_and_cleaning_up_parks(rig):
    goal = (0.2, 0.5, -0.4, 0.0, 0.3, 0.0)
    rig.stream(goal, lambda: np.allclose(rig.model.read().position, goal, atol=5e-3))
    assert rig.transition(Transition.TRANSITION_DEACTIVATE)
    rig.says('False', 'active')
    held = rig.model.read()
    assert held.enabled and held.position == pytest.approx(goal, abs=5e-3)
    assert rig.transition(Transition.TRANSITION_CLEANUP)
    parked = rig.model.read()
    assert parked.position == pytest.approx(PARK, abs=0.02)
    rig.until(lambda: not rig.model.read().enabled)
    assert rig.call(GetState, 'driver/get_state').current_state.label == 'unconfigured'


def test_a_stream_that_ends_is_held_and_counted(rig):
    goal = (0.6, 0.0, 0.0, 0.0, 0.0, 0.0)
    rig.stream(goal, lambda: rig.model.read().position[0] > 0.1)
    rig.says('no command for more than')
    held = rig.executed[-1].position[0]
    rig.executed.clear()
    rig.until(lambda: len(rig.executed) > 10)
    assert {round(m.position[0], 6) for m in rig.executed} == {round(held, 6)}


@pytest.mark.parametrize(('cut', 'said'), [
    (lambda faults: faults.bus_off(), 'no frames for'),
    (lambda faults: setattr(faults, 'silent', True), 'no frames for'),
    (lambda faults: faults.missing.add(can_frames.JOINTS[1]), r'2A6 (joint3, joint4)'),
    (lambda faults: faults.missing.add(can_frames.GRIPPER), 'no gripper'),
], ids=['bus cut', 'feedback lost', 'feedback of two joints lost', 'gripper lost'])
def test_a_lost_arm_is_an_error_with_what_to_check_and_is_held_where_it_is_found(cut, said, rig):
    rig.stream((1.0, 0.0, 0.0, 0.0, 0.0, 0.0), lambda: rig.model.read().position[0] > 0.1)
    cut(rig.faults)
    rig.stream((1.0, 0.0, 0.0, 0.0, 0.0, 0.0), lambda: said in rig.status['message'])
    assert rig.status['level'] == DiagnosticStatus.ERROR
    rig.spin(0.5)       # all that was sent has been gone to
    found = rig.model.read()
    assert found.enabled and found.position[0] < 0.9
    rig.spin(0.5)
    assert rig.model.read().position == pytest.approx(found.position, abs=1e-3)
    rig.faults.bus_off(False)
    rig.faults.missing.clear()
    rig.says('holding: waiting for a command')
    rig.executed.clear()
    rig.until(lambda: len(rig.executed) > 10)
    assert rig.executed[-1].position[:6] == pytest.approx(found.position, abs=1e-3)
    assert rig.model.read().position == pytest.approx(found.position, abs=1e-3)


@pytest.mark.parametrize('number', [signal.SIGKILL, signal.SIGSTOP])
def test_a_driver_that_dies_or_freezes_in_motion_leaves_the_arm_at_its_last_set_point(number, rig):
    rig.stream((1.0, 0.0, 0.0, 0.0, 0.0, 0.0), lambda: rig.model.read().position[0] > 0.1)
    rig.process.send_signal(number)
    rig.spin(0.5)
    held = rig.model.read()
    assert held.enabled and 0.1 < held.position[0] < 0.5
    assert held.position[0] == pytest.approx(rig.executed[-1].position[0], abs=0.02)
    rig.spin(0.5)
    assert rig.model.read().position == pytest.approx(held.position, abs=1e-3)
    rig.process.send_signal(signal.SIGKILL)


def test_a_faulted_drive_is_named_and_a_raised_arm_is_not_reset_unless_told_so(make_rig):
    rig = make_rig(ModelArm(HOME), autostart='active')
    rig.says('waiting for a command')
    rig.faults.over_current = {2}
    rig.says('joint3: current too high', 'fault')
    refused = rig.call(Trigger, 'reset')
    assert not refused.success and 'would fall' in refused.message
    assert rig.call(Trigger, 'reset_raised').success
    rig.until(lambda: not rig.model.read().enabled)
    rig.until(lambda: rig.status['fault'] == '')
    assert rig.call(SetBool, 'enable', data=True).success
    rig.says('waiting for a command')


@pytest.mark.parametrize(('what', 'said'), [
    (lambda emulator: emulator.receive(Frame(can_frames.STOP_RESET, b'\1' + bytes(7))),
     'emergency stop'),
    (lambda emulator: emulator.faults.over_current.add(2), 'joint3: current too high'),
    (lambda emulator: setattr(emulator, 'leader', True), 'the arm is a leader')],
    ids=['stopped by its own button', 'a drive gave up', 'made a leader'])
def test_a_faulted_arm_is_left_alone_and_the_driver_says_why(what, said, rig):
    goal = (1.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    rig.stream(goal, lambda: rig.model.read().position[0] > 0.1)
    what(rig.emulated.emulator)
    rig.stream(goal, lambda: said in rig.status['fault'])
    found = rig.model.read().position
    rig.spin(0.5)
    assert rig.model.read().position[0] == pytest.approx(found[0], abs=0.05)
    assert not rig.call(SetBool, 'enable', data=True).success


def test_a_hand_that_guides_the_arm_is_followed_and_recorded_and_nothing_is_sent(rig):
    """A demonstration in teach mode: what the arm did stands for what it was told."""
    rig.emulated.emulator.taught = True
    rig.says('guided by hand', 'fault')
    rig.executed.clear()
    for angle in np.linspace(0.0, 0.4, 20):
        rig.model.put((angle, 0.3, -0.3, 0.0, 0.2, 0.0), 0.07 - angle / 10)
        rig.spin(0.05)
    measured = {m.header.stamp.sec * 10**9 + m.header.stamp.nanosec: m.position
                for m in rig.states}
    told = {m.header.stamp.sec * 10**9 + m.header.stamp.nanosec: m.position
            for m in rig.executed}
    common = [stamp for stamp in told if stamp in measured]
    assert len(common) > 20 and all(told[stamp] == measured[stamp] for stamp in common)
    assert measured[max(common)][0] > 0.3
    assert rig.emulated.emulator._target is None
    left = rig.model.read().position
    rig.emulated.emulator.taught = False
    rig.says('holding: waiting for a command')
    rig.spin(0.3)
    assert rig.model.read().position == pytest.approx(left, abs=1e-3)


@pytest.mark.parametrize('autostart', ['inactive', 'active'])
def test_a_leader_moves_the_arm_past_the_driver_which_records_what_it_told(autostart, make_rig):
    rig = make_rig(autostart=autostart)
    rig.until(lambda: rig.states and rig.status)
    if autostart == 'active':
        rig.says('waiting for a command')
    rig.model.enable()      # a follower has power by itself, and the driver stays out of it
    rig.emulated.emulator.moved()
    rig.spin(0.5)
    leader = LeaderOnBus(rig.model, 'udp_multicast')
    goal = (0.4, 0.3, -0.3, 0.0, 0.2, 0.0)

    def lead_until(condition, share=1.0):
        def lead():
            leader.command([share * value for value in goal], 0.05 - 0.03 * share)
            return condition()
        rig.until(lead)
    try:
        lead_until(lambda: 'another sender commands the arm' in rig.status['fault'], 0.0)
        rig.executed.clear()
        lead_until(lambda: np.allclose(rig.model.read().position, goal, atol=5e-3))
        # what it told is ahead of where the arm was, in the gripper, too
        seen = {str(m.header.stamp): m.position for m in rig.states}
        told = [(m.position, seen[str(m.header.stamp)]) for m in rig.executed
                if str(m.header.stamp) in seen]
        ahead = [(one, two) for one, two in told if one == pytest.approx((*goal, 0.02), abs=1e-4)]
        assert ahead and min(two[0] for _, two in ahead) < 0.35
        assert max(two[6] for _, two in ahead) > 0.025
    finally:
        leader.close()
    rig.until(lambda: rig.status['fault'] == '')
    rig.spin(0.3)
    assert rig.model.read().position == pytest.approx(goal, abs=5e-3)


def test_a_killed_driver_leaves_the_arm_holding_and_a_new_one_takes_it_over(rig):
    goal = (0.3, 0.4, -0.3, 0.0, 0.0, 0.0)
    rig.stream(goal, lambda: np.allclose(rig.model.read().position, goal, atol=5e-3))
    rig.end(signal.SIGKILL)
    held = rig.model.read()
    assert held.enabled and held.position == pytest.approx(goal, abs=0.02)
    rig.states.clear()
    rig.process = rig.start()
    rig.until(lambda: len(rig.states) > 50)
    assert rig.model.read().position == pytest.approx(goal, abs=0.02)
    status, output = rig.end()
    assert status == 0, output
    assert rig.model.read().enabled


def test_a_second_driver_is_refused_in_one_line(rig):
    second = rig.start()
    output, _ = second.communicate(timeout=30)
    assert second.returncode == 1
    assert 'another driver has the bus' in output and 'Traceback' not in output
    goal = (0.2, 0.0, 0.0, 0.0, 0.0, 0.0)       # and the first one goes on
    rig.stream(goal, lambda: np.allclose(rig.model.read().position, goal, atol=5e-3))


def test_tools_made_for_agilex_s_drivers_find_their_names(make_rig):
    rig = make_rig(autostart='active', agilex_names=True)
    rig.says('waiting for a command')
    heard = {}
    for topic, kind in (('joint_states_single', JointState), ('feedback/joint_states', JointState),
                        ('end_pose', Pose), ('feedback/tcp_pose', PoseStamped)):
        rig.node.create_subscription(kind, topic, partial(heard.__setitem__, topic), qos.STATE)
    goals = rig.node.create_publisher(JointState, 'joint_ctrl_single', 10)
    rig.until(lambda: goals.get_subscription_count() and len(heard) == 4)
    goal = (0.3, 0.4, -0.3, 0.0, 0.2, 0.0)
    goals.publish(JointState(name=JOINT_NAMES, position=goal))      # once, without a stamp
    rig.says('holding: at the goal')
    assert rig.model.read().position == pytest.approx(goal, abs=0.01)
    rig.until(lambda: heard['joint_states_single'].position[0] == pytest.approx(0.3, abs=0.01))
    flange = forward(heard['joint_states_single'].position[:6])[:3, 3]
    rig.until(lambda: np.allclose(flange, [getattr(heard['end_pose'].position, axis)
                                           for axis in 'xyz'], atol=2e-3))
    assert heard['feedback/tcp_pose'].header.frame_id == 'base_link'
    goals.publish(JointState(name=['joint9'], position=[0.1]))
    rig.says("'joint9' is unknown", 'last_refusal')
    rig.call(Empty, 'move_home')
    rig.says('holding: parked')
    assert rig.call(SetBool, 'enable_agx_arm', data=False).success
    rig.until(lambda: not rig.model.read().enabled)


def test_a_clock_that_jumps_trips_nothing_and_is_counted(make_rig):
    """Simulated time is the clock that can be set here: it jumps by an hour, and back."""
    from rosgraph_msgs.msg import Clock
    rig = make_rig(autostart='active', use_sim_time=True)
    clock = rig.node.create_publisher(Clock, '/clock', qos.CLOCK)
    begin, offset = time.monotonic(), [1000.0]

    def tick():
        now = round((time.monotonic() - begin + offset[0]) * 1e9)
        clock.publish(Clock(clock=Time(sec=now // 10**9, nanosec=now % 10**9)))
        return rig.status and 'waiting for a command' in rig.status['message']
    rig.until(tick)
    for offset[0] in (4600.0, 1000.0):
        jumps = int(rig.status['clock_jumps'])
        rig.until(lambda before=jumps: tick() and int(rig.status['clock_jumps']) > before)
    assert rig.status['watchdog_trips'] == '0' and rig.model.read().enabled
    # and what is stamped by the clock as it is now is followed
    goal = (0.2, 0.0, 0.0, 0.0, 0.0, 0.0)

    def arrived():
        tick()
        return np.allclose(rig.model.read().position, goal, atol=5e-3)
    rig.stream(goal, arrived, clock=lambda: round((time.monotonic() - begin + offset[0]) * 1e9))


def test_no_arm_is_one_line_that_says_what_to_check(ros_domain):
    environment = {**os.environ, 'PYTHONUNBUFFERED': '1'}
    started = subprocess.run(
        [sys.executable, '-m', 'piper_driver.can_driver_node', '--ros-args', '-p',
         'can_channel:=can7'], capture_output=True, text=True, timeout=60, env=environment,
        check=False)
    assert started.returncode == 1
    assert 'error: there is no CAN interface can7' in started.stderr
    assert 'Traceback' not in started.stderr
