# SPDX-License-Identifier: Apache-2.0
"""The node around the controller: commands in, states out, one owner of the arm.

It lives in the process that owns the arm's clock (the simulation, or the hardware's loop), which
calls `tick(now)` at the control rate. Commands are taken there: no executor stands between them
and the arm. Services arrive in the executor's threads; one lock keeps the controller and the arm
to one of them at a time. All times are those of `tick`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from math import isfinite

from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from geometry_msgs.msg import PoseStamped
from rclpy.callback_groups import CallbackGroup
from rclpy.node import Node
from sensor_msgs.msg import JointState
from std_msgs.msg import String
from std_srvs.srv import SetBool, Trigger
from trajectory_msgs.msg import JointTrajectory

from piper_driver import qos
from piper_driver.arm import Arm, ArmError, ArmState
from piper_driver.controller import ArmController, CommandRefused, Refusal, Setpoint
from piper_driver.driver_parameters import DriverParameters
from piper_driver.gate import BASE_FRAME
from piper_driver.kinematics import FINGER_OFFSET, LINK_NAMES, TCP_OFFSET, link_transform
from piper_driver.limits import GRIPPER_NAME, JOINT_NAMES
from piper_driver.parameters import declare
from piper_driver.pose import Pose
from piper_driver.ros_inbox import Inbox
from piper_driver.ros_template import Template, transforms_template
from piper_driver.urdf import robot_description
from tf2_msgs.msg import TFMessage

NAMES = [*JOINT_NAMES, GRIPPER_NAME]
FRAMES = (*zip((BASE_FRAME, *LINK_NAMES[:-1]), LINK_NAMES, strict=True),
          ('link6', 'tcp'), ('link6', 'link7'), ('link6', 'link8'))
UPRIGHT = (0.0, 0.0, 0.0, 1.0)
TF_PERIOD = 0.01
STATUS_PERIOD = 0.1
DIAGNOSTICS_PERIOD = 1.0


class DriverNode(Node):
    """Owns `arm`, which is connected; see the module's docstring."""

    def __init__(self, arm: Arm, name: str = 'driver', **node_options: object) -> None:
        """Declare parameters, topics and services. Raises ValueError for a bad parameter."""
        super().__init__(name, **node_options)
        self.parameters = declare(self, DriverParameters)
        self.arm = arm
        self.controller = ArmController(
            watchdog=self.parameters.watchdog, tracking_error=self.parameters.tracking_error,
            tracking_time=self.parameters.tracking_time)
        self._lock = threading.Lock()
        self._now = 0.0
        self._state: ArmState | None = None
        self._trouble = 'the arm has not reported a state yet'
        self._holding = ''
        self._ticks = _Durations()
        self._due = {TF_PERIOD: 0.0, STATUS_PERIOD: 0.0, DIAGNOSTICS_PERIOD: 0.0}
        self._joints_message = Template(_joint_states, 21)
        self._executed_message = Template(_executed_command, 7)
        self._tf_message = transforms_template(FRAMES)
        self._commanding = True
        self._begin()

    def _begin(self) -> None:
        """Offer the interfaces and power the arm, where that is wanted."""
        self._make_interfaces()
        if self.parameters.enable_at_start:
            self.arm.enable()

    def _own_time(self, stamp: Time) -> float:
        """Return a message's stamp on the clock of `tick` [s]: the same, where that is ROS time.
        """
        return _seconds(stamp)

    def _ros_time(self, now: float) -> float:
        """Return the ROS time [s] of one on the clock of `tick`."""
        return now

    def _make_interfaces(self, slow: CallbackGroup | None = None) -> None:
        """Make topics and services; `slow`: for services that may take long."""
        self._joint_states = self.create_publisher(JointState, 'joint_states', qos.STATE)
        self._executed_command = self.create_publisher(JointState, 'executed_command', qos.STATE)
        self._tf_topic = self.create_publisher(TFMessage, '/tf', qos.TF)
        self._arm_status = self.create_publisher(DiagnosticStatus, 'arm_status', qos.SENSOR)
        self._diagnostics = self.create_publisher(DiagnosticArray, '/diagnostics', qos.EVENT)
        self._description = self.create_publisher(String, 'robot_description', qos.LATCHED)
        self._description.publish(String(data=robot_description()))
        self._commands = Inbox(self)
        for kind, topic, read in ((PoseStamped, 'pose_command', self._on_pose),
                                  (JointTrajectory, 'joint_command', self._on_joints),
                                  (JointTrajectory, 'gripper_command', self._on_gripper)):
            self._commands.subscribe(kind, topic, read, qos.COMMAND)
        self.create_service(SetBool, 'enable', self._enable, callback_group=slow)
        self.create_service(Trigger, 'stop', self._stop)
        self.create_service(Trigger, 'reset', self._reset, callback_group=slow)
        self.create_service(Trigger, 'park', self._park, callback_group=slow)

    # ---- the control loop ----------------------------------------------------------------------

    def tick(self, now: float) -> Setpoint | None:
        """Take what was commanded, read the arm, command its set-point for `now` [s], publish.

        Returns the set-point, None when the arm cannot be reached (and nothing is commanded).
        """
        began = time.perf_counter()
        self._now = now
        self._commands.take()
        try:
            with self._lock:
                state = _checked(self.arm.read())
                # nobody knows where it went meanwhile: not back from there
                if self._trouble or not self._commanding:
                    self.controller.start(state)
                setpoint = self.controller.tick(state, now)
                if self._commanding:
                    self.arm.command(setpoint.position, setpoint.gripper_width)
                self._state, self._trouble = state, ''
        except ArmError as error:
            self._state, self._trouble = None, str(error)
            self._publish_status(now)
            return None
        self._publish_joints(state, setpoint)
        if self._is_due(TF_PERIOD, now):
            self._publish_tf(state)
        self._ticks.add(time.perf_counter() - began)
        self._publish_status(now)
        self._tell(setpoint.holding)
        return setpoint

    def overdue(self, now: float) -> float:
        """Take what was commanded; return for how long [s] the next command is overdue then."""
        self._now = now
        self._commands.take()
        with self._lock:
            return self.controller.overdue(now)

    def restart(self) -> None:
        """Hold the pose the arm has now: it was moved by other means (a reset of the world).

        Commands from before that, or on their way since, are refused.
        """
        with self._lock:
            state = self.arm.read()
            self._now = state.stamp
            self.controller.start(state)
            self.controller.gate.restart(state.stamp)

    def close(self) -> None:
        """Release the arm."""
        with self._lock:
            self.arm.close()

    def _is_due(self, period: float, now: float) -> bool:
        """Whether a topic of this period is to be published; keeps the mean rate exact."""
        due = self._due[period]
        if now < due - 1e-6:
            return False
        self._due[period] = due + period if now < due + period else now + period
        return True

    def _publish_state(self, state: ArmState) -> bytes:
        """Publish what was measured; return the message as it was sent."""
        message = self._joints_message.fill(state.stamp, (
            *state.position, state.gripper_width, *state.velocity, state.gripper_velocity,
            *state.effort, state.gripper_effort))
        self._joint_states.publish(message)
        return message

    def _publish_joints(self, state: ArmState, setpoint: Setpoint) -> None:
        """Publish what was measured and what was executed.

        Past this node a leader may tell the arm where to go, and a hand may take it there: then
        the set-point is where it is.
        """
        self._publish_state(state)
        self._executed_command.publish(self._executed_message.fill(
            state.stamp, state.told or (*setpoint.position, setpoint.gripper_width)))

    def _publish_tf(self, state: ArmState) -> None:
        numbers: list[float] = []
        for joint in range(6):
            place, turn = link_transform(joint, state.position[joint])
            numbers += (*place, *turn)
        half = state.gripper_width / 2
        for place in ((0.0, 0.0, TCP_OFFSET), (0.0, -half, FINGER_OFFSET),
                      (0.0, half, FINGER_OFFSET)):
            numbers += (*place, *UPRIGHT)
        self._tf_topic.publish(self._tf_message.fill(state.stamp, numbers))

    # ---- commands ------------------------------------------------------------------------------

    def _on_pose(self, message: PoseStamped) -> None:
        self._take(lambda now: self.controller.command_pose(
            self._pose(message), self._own_time(message.header.stamp), now), 'pose_command')

    def _on_joints(self, message: JointTrajectory) -> None:
        self._take(lambda now: self.controller.command_joints(
            message.joint_names, self._point(message), self._own_time(message.header.stamp), now),
            'joint_command')

    def _on_gripper(self, message: JointTrajectory) -> None:
        self._take(lambda now: self.controller.command_gripper(
            self._width(message), self._own_time(message.header.stamp), now), 'gripper_command')

    def _take(self, command: Callable[[float], None], topic: str) -> None:
        try:
            with self._lock:
                command(self._now)
        except CommandRefused as refusal:
            if refusal.kind is not Refusal.RESTART:     # which is nobody's mistake
                self.get_logger().warning(f'{topic} refused: {refusal}',
                                          throttle_duration_sec=1.0)

    def _pose(self, message: PoseStamped) -> Pose:
        place, turn = message.pose.position, message.pose.orientation
        return self.controller.gate.pose(message.header.frame_id, (place.x, place.y, place.z),
                                         (turn.x, turn.y, turn.z, turn.w))

    def _point(self, message: JointTrajectory) -> list[float]:
        if len(message.points) != 1:
            self.controller.gate.refuse(
                Refusal.NAME, f'{len(message.points)} points; valid is 1, the next set-point')
        return list(message.points[0].positions)

    def _width(self, message: JointTrajectory) -> float:
        return self.controller.gate.opening(message.joint_names, self._point(message))

    # ---- services ------------------------------------------------------------------------------

    def _enable(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        return self._answer(response, self.arm.enable if request.data else self.arm.disable,
                            'enabled' if request.data else 'disabled: the arm has no power')

    def _stop(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        def stop() -> None:
            self.controller.stop('by the service stop')
            if self.parameters.stop == 'emergency':
                self.arm.stop()
        return self._answer(response, stop, 'stopped until reset')

    def _reset(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        def reset() -> None:
            # only a fault of the arm itself costs its power; read now, since a stop that came
            # after the last tick counts too
            state = self.arm.read()
            if state.fault:
                self._check_reset(state)
                self.arm.reset()
            self.controller.reset()
        return self._answer(response, reset, 'reset; the arm holds until the next command')

    def _check_reset(self, state: ArmState) -> None:
        """Raise ArmError when the arm must not lose its power now."""

    def _park(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        def park() -> None:
            state = self.arm.read()
            if state.fault or not state.enabled:
                raise ArmError(f'{state.fault or "the arm is not enabled"}; '
                               f'{"reset" if state.fault else "enable"} first')
            self.controller.park()
        return self._answer(response, park, 'parking')

    def _answer(self, response: Trigger.Response, action: Callable[[], None], done: str
                ) -> Trigger.Response:
        try:
            with self._lock:
                action()
            response.success, response.message = True, done
        except (ArmError, CommandRefused) as error:
            response.success, response.message = False, str(error)
        return response

    # ---- status --------------------------------------------------------------------------------

    def _publish_status(self, now: float) -> None:
        if self._is_due(STATUS_PERIOD, now):
            self._arm_status.publish(self._status())
        if self._is_due(DIAGNOSTICS_PERIOD, now):
            message = DiagnosticArray(status=[self._status()])
            _set_time(message.header.stamp, self._ros_time(now))
            self._diagnostics.publish(message)
            self._ticks = _Durations()

    def _status(self) -> DiagnosticStatus:
        state, controller, gate = self._state, self.controller, self.controller.gate
        fault = self._trouble or (state.fault if state is not None else '')
        holding = controller.holding
        values = {
            'holding': holding, 'fault': fault, 'stopped': controller.stopped,
            'enabled': state is not None and state.enabled,
            'commands_accepted': gate.accepted, 'commands_refused': gate.refusals.total(),
            **{f'refused_{kind.value.replace(" ", "_")}': gate.refusals[kind] for kind in Refusal},
            'last_refusal': gate.last_refusal, 'watchdog_trips': controller.watchdog_trips,
            'tracking_trips': controller.tracking_trips, 'tick_mean_us': self._ticks.mean_us,
            'tick_max_us': self._ticks.max_us, **self._details(),
        }
        level = DiagnosticStatus.WARN if holding else DiagnosticStatus.OK
        if fault or controller.stopped:
            level = DiagnosticStatus.ERROR
        return DiagnosticStatus(
            level=level, name='arm', hardware_id='piper',
            message=fault or (f'holding: {holding}' if holding else 'following'),
            values=[KeyValue(key=key, value=str(value)) for key, value in values.items()])

    def _details(self) -> dict[str, object]:
        """Return what else to report of this kind of arm."""
        return {}

    def _tell(self, holding: str) -> None:
        """Log once why the arm holds; a person at the console has to know."""
        if holding == self._holding:
            return
        self._holding = holding
        if holding:
            self.get_logger().info(f'the arm holds: {holding}')


class _Durations:
    """Mean and maximum of the ticks since the last report."""

    def __init__(self) -> None:
        self.count, self.total, self.longest = 0, 0.0, 0.0

    def add(self, duration: float) -> None:
        self.count += 1
        self.total += duration
        self.longest = max(self.longest, duration)

    @property
    def mean_us(self) -> int:
        return round(1e6 * self.total / max(self.count, 1))

    @property
    def max_us(self) -> int:
        return round(1e6 * self.longest)


def _checked(state: ArmState) -> ArmState:
    """Refuse a measurement that is no number: no set-point can come of it."""
    if isfinite(sum(state.position) + state.gripper_width):
        return state
    raise ArmError(f'the arm reports joints at {state.position} rad and a gripper width of '
                   f'{state.gripper_width} m; valid are finite numbers')


def _joint_states(stamp: Time, numbers: list[float]) -> JointState:
    message = JointState(name=NAMES, position=numbers[:7], velocity=numbers[7:14],
                         effort=numbers[14:])
    message.header.stamp = stamp
    return message


def _executed_command(stamp: Time, numbers: list[float]) -> JointState:
    message = JointState(name=NAMES, position=numbers)
    message.header.stamp = stamp
    return message


def _set_time(message: Time, seconds: float) -> None:
    """Write seconds into a stamp; rounded to nanoseconds first, so that 0.9999999999 carries."""
    message.sec, message.nanosec = divmod(round(seconds * 1e9), 1_000_000_000)


def _seconds(stamp: Time) -> float:
    return stamp.sec + stamp.nanosec * 1e-9
