# SPDX-License-Identifier: Apache-2.0
"""The driver of an arm on CAN: a lifecycle node around `DriverNode`, in a process of its own.

    ros2 run piper_driver driver --ros-args -p autostart:=active
    ros2 lifecycle set /driver activate

Configuring connects and reads, activating powers the arm and holds it, deactivating holds,
cleaning up parks first. Nothing moves at any of them but the last. The arm's loop is a thread of
its own (`control_loop`), which takes the commands, too: no executor lies between them and the arm.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from builtin_interfaces.msg import Time
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.executors import MultiThreadedExecutor
from rclpy.lifecycle import LifecycleNodeMixin, LifecycleState, TransitionCallbackReturn
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import JointState
from std_srvs.srv import SetBool, Trigger

from piper_driver import qos
from piper_driver.arm import ArmError, ArmState
from piper_driver.can_arm import CanArm
from piper_driver.can_driver_parameters import CanDriverParameters
from piper_driver.control_loop import ControlLoop
from piper_driver.controller import CommandRefused, Refusal, Setpoint
from piper_driver.driver_node import NAMES, DriverNode
from piper_driver.goal import Goal
from piper_driver.kinematics import PARK
from piper_driver.limits import JOINT_NAMES
from piper_driver.parameters import declare
from piper_driver.realtime import go_first
from piper_driver.ros_agilex import AgilexNames
from piper_driver.ros_inbox import Inbox
from piper_driver.ros_time import leave_clock
from piper_driver.spinning import run
from piper_driver.timebase import Timebase

SUCCESS, FAILURE = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE
MOTION = ('pose_command', 'joint_command')      # which take over from a goal
INACTIVE = 'the driver is not active; activate it first'
WATCH = 0.2             # between two looks whether the loop still runs [s]
PARKING = 30.0          # longest way to the rest pose [s]
BRAKING = 2.0           # and to a stand [s]
RAISED = 0.15           # a joint this far from its rest falls when it loses power [rad]
SWITCH = 0.0005         # how long a thread may keep Python's lock while another waits [s]


class CanDriverNode(LifecycleNodeMixin, DriverNode):
    """The driver on CAN; its transitions are described above."""

    def __init__(self, **node_options: object) -> None:
        """Go as far as `autostart` says. Raises ArmError when the arm does not answer."""
        self.timebase = Timebase()
        self._loop: ControlLoop | None = None
        self._reason = ''
        self._stamped = self._counted = (0.0, 0.0)
        self._rate = 0
        DriverNode.__init__(self, CanArm(), **node_options)
        self.can = declare(self, CanDriverParameters)
        self.arm = CanArm(self.can.can_interface, self.can.can_channel, self.can.gripper,
                          self.can.connect_timeout, self._on_state, self._stamp)
        self._simulated, self._simulated_now = leave_clock(self), 0.0
        self._clock_topic = Inbox(self)
        self._clock_topic.subscribe(Clock, '/clock', self._on_clock, qos.CLOCK)
        self._goal = Goal()
        self._agilex: AgilexNames | None = None
        if self.can.agilex_names:
            self._agilex = AgilexNames(self, self._commands, self._on_goal, self._enable,
                                       self._park, self._slow)
        self.create_timer(WATCH, self._watch)
        if self.can.realtime and (refused := go_first()):
            self.get_logger().info(f'no real-time priority ({refused}): a busy machine may delay '
                                   'set-points; see docs/piper.md')
        if self.can.autostart != 'unconfigured' and self.trigger_configure() != SUCCESS:
            raise ArmError(self._reason)
        if self.can.autostart == 'active' and self.trigger_activate() != SUCCESS:
            self.close()
            raise ArmError(self._reason)

    def _begin(self) -> None:
        self._commanding = False
        self._slow = slow = MutuallyExclusiveCallbackGroup()
        LifecycleNodeMixin.__init__(self, callback_group=slow)
        self._make_interfaces(slow)
        self.create_service(Trigger, 'reset_raised', self._reset_raised, callback_group=slow)

    # ---- transitions ----------------------------------------------------------------------------

    def on_configure(self, _: LifecycleState) -> TransitionCallbackReturn:
        """Connect and read."""
        return self._attempt(self._connect)

    def on_activate(self, _: LifecycleState) -> TransitionCallbackReturn:
        """Power the arm, which holds where it is, and follow commands from now on."""
        return self._attempt(self._activate)

    def on_deactivate(self, _: LifecycleState) -> TransitionCallbackReturn:
        """Brake and hold; the arm keeps its power."""
        return self._attempt(self._deactivate)

    def on_cleanup(self, _: LifecycleState) -> TransitionCallbackReturn:
        """Park, take the power from the arm at its rest, and leave the bus."""
        return self._attempt(self._clean_up)

    def on_shutdown(self, _: LifecycleState) -> TransitionCallbackReturn:
        """Leave the bus; the arm holds."""
        self.close()
        return SUCCESS

    def close(self) -> None:
        """End the loop and leave the bus; an arm with power holds its last target."""
        if self._loop is not None:
            self._loop.close()
            self._loop = None
        self._commanding = False
        super().close()

    def _attempt(self, transition: Callable[[], None]) -> TransitionCallbackReturn:
        try:
            transition()
        except (ArmError, CommandRefused) as error:
            self._reason = str(error)
            self.get_logger().error(self._reason)
            return FAILURE
        return SUCCESS

    def _connect(self) -> None:
        self.arm.connect()
        self._loop = ControlLoop(self._tick, self._express)

    def _activate(self) -> None:
        if self.parameters.enable_at_start:
            self.arm.enable()
        with self._lock:
            self.controller.start(self.arm.read())
            self._commanding = True

    def _deactivate(self) -> None:
        with self._lock:
            self.controller.hold(INACTIVE)
        self._wait(lambda: self.controller.at_rest, BRAKING, 'the arm did not come to a stand')
        self._commanding = False

    def _clean_up(self) -> None:
        state = self.arm.read()
        if state.enabled and not state.fault and _raised(state):
            self._commanding = True
            try:
                with self._lock:
                    self.controller.start(state)
                    self.controller.park()
                self._wait(lambda: self.controller.holding == 'parked', PARKING,
                           'the arm could not be parked and holds')
            finally:
                self._commanding = False
        if not _raised(self.arm.read()):
            self.arm.disable()
        self.close()

    def _wait(self, condition: Callable[[], bool], seconds: float, otherwise: str) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline or self._trouble:
                raise ArmError(f'{otherwise}: {self._trouble or self.controller.holding}')
            time.sleep(0.01)

    # ---- the loop -------------------------------------------------------------------------------

    def _on_state(self) -> None:
        if self._loop is not None:
            self._loop.on_state()

    def _tick(self, now: float) -> Setpoint | None:
        if not self._ros_now():
            return None     # simulated time has not begun
        for state in self.arm.take():   # came while this thread had to wait
            self._publish_state(state)
        self._repeat_goal(now)
        return self.tick(now)

    def _publish_state(self, state: ArmState) -> bytes:
        message = super()._publish_state(state)
        if self._agilex is not None:
            self._agilex.publish(state, message)
        return message

    def _express(self, now: float) -> None:
        """Act at once on a command that has come between two states of the arm."""
        self._now = now
        before = self.controller.gate.accepted
        self._commands.take()
        with self._lock:
            if self.controller.gate.accepted == before or self._state is None or self._trouble \
                    or not self._commanding:
                return
            setpoint = self.controller.tick(self._state, now)
            self.arm.command(setpoint.position, setpoint.gripper_width)

    def _take(self, command: Callable[[float], None], topic: str) -> None:
        def refuse(_: float) -> None:
            self.controller.gate.refuse(Refusal.STATE, INACTIVE)
        if topic in MOTION:
            self._goal.forget()
        super()._take(command if self._commanding else refuse, topic)

    # ---- goals by AgileX' names ----------------------------------------------------------------

    def _on_goal(self, message: JointState) -> None:
        """Take joints as a goal: stamps of AgileX' tools are often empty, so it is from now."""
        names, positions = self._goal.aim(message.name, message.position, self._now)
        self._take_goal(names, positions)

    def _repeat_goal(self, now: float) -> None:
        if self._state is None:
            self._goal.forget()     # nobody knows where the arm went meanwhile
            return
        if not self._goal:
            return
        measured = dict(zip(NAMES, (*self._state.position, self._state.gripper_width),
                            strict=True))
        self._now = now
        if wanted := self._goal.wanted(measured, now):
            self._take_goal([*wanted], [*wanted.values()])
        else:
            with self._lock:
                self.controller.hold('at the goal')

    def _take_goal(self, names: list[str], positions: list[float]) -> None:
        accepted = self.controller.gate.accepted
        self._take(lambda now: self.controller.command_joints(names, positions, now, now),
                   "joints by AgileX' names")
        if self.controller.gate.accepted == accepted:
            self._goal.forget()     # refused, and so it would be again

    def _watch(self) -> None:
        """End the process when its loop has failed: the arm holds, and somebody has to know."""
        if self._loop is not None and self._loop.failure is not None:
            raise self._loop.failure

    # ---- time -----------------------------------------------------------------------------------

    def _ros_now(self) -> float:
        """Return the ROS time [s]; 0 before simulated time has begun."""
        if not self._simulated:
            return self.get_clock().now().nanoseconds * 1e-9
        self._clock_topic.take()
        return self._simulated_now

    def _on_clock(self, message: Clock) -> None:
        self._simulated_now = super()._own_time(message.clock)

    def _stamp(self, steady: float) -> float:
        """Return the ROS time of a state that came at `steady` [s]."""
        if steady != self._stamped[0]:
            ros = self._ros_now() - (time.monotonic() - steady)
            self._stamped = steady, self.timebase.observe(steady, ros)
        return self._stamped[1]

    def _own_time(self, stamp: Time) -> float:
        return self.timebase.to_steady(super()._own_time(stamp))

    def _ros_time(self, now: float) -> float:
        return self.timebase.to_ros(now)

    # ---- services -------------------------------------------------------------------------------

    def _enable(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        """Not under the lock: the loop goes on while the motors get their power."""
        if not self._commanding:
            response.success, response.message = False, INACTIVE
            return response
        try:
            (self.arm.enable if request.data else self.arm.disable)()
            response.success = True
            response.message = 'enabled' if request.data else 'disabled: the arm has no power'
        except ArmError as error:
            response.message = str(error)
        return response

    def _park(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        if not self._commanding:
            response.success, response.message = False, INACTIVE
            return response
        return super()._park(request, response)

    def _check_reset(self, state: ArmState) -> None:
        if _raised(state):
            raise ArmError(f'{state.fault}; to clear it costs the arm its power, and it is raised '
                           'and would fall: let it down, or hold it and call reset_raised')

    def _reset_raised(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        """Reset whatever the pose: for somebody who holds the arm."""
        def reset() -> None:
            self.arm.reset()
            self.controller.reset()
        return self._answer(response, reset, 'reset; the arm has no power')

    def _details(self) -> dict[str, object]:
        states, now = self._loop.states if self._loop else 0, time.monotonic()
        before, then = self._counted
        if now - then > 0.9:
            self._counted = states, now
            self._rate = round((states - before) / (now - then))
        return {'states_per_second': self._rate,
                'clock_jumps': self.timebase.jumps, **self.arm.details(),
                'active': self._commanding}


def _raised(state: ArmState) -> bool:
    """Whether the arm would fall without power: it is at rest at PARK alone."""
    return any(abs(value - rest) > RAISED for name, value, rest
               in zip(JOINT_NAMES, state.position, PARK, strict=True)
               if name in ('joint2', 'joint3'))


def main() -> int:
    """Drive the arm until told to end; it holds then."""
    sys.setswitchinterval(SWITCH)
    return run(CanDriverNode, lambda: MultiThreadedExecutor(num_threads=2))


if __name__ == '__main__':
    sys.exit(main())
