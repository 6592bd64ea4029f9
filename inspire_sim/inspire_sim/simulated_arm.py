# SPDX-License-Identifier: Apache-2.0
"""The PiPER in MuJoCo behind the driver's `Arm` protocol, power and emergency stop included.

Powered, the servos follow set-points and the arm's weight is borne. Without power it sinks
against the friction of its gears. After an emergency stop it sinks slowly, damped, the gripper
keeps its grip, and set-points are ignored until `reset`, which takes the power away: as on the
real arm.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from threading import RLock

import mujoco
import numpy as np
from numpy.typing import NDArray

from inspire_sim.robot import ARM_JOINTS, GRIPPER, arm_joint_addresses, finger_addresses
from piper_driver.arm import ArmError, ArmState, check_command
from piper_driver.limits import PIPER

STOPPED = 'emergency stop'
DESCENT_DAMPING = np.array([60.0, 60.0, 40.0, 8.0, 8.0, 4.0])   # N m s/rad: sinks in seconds


class SimulatedArm:
    """The arm of whichever model and data it is attached to."""

    def __init__(self, lock: AbstractContextManager[object] | None = None) -> None:
        """Make an arm without a body; `attach` gives it one. `lock` excludes the physics."""
        self._lock = lock or RLock()
        self._model: mujoco.MjModel | None = None
        self._data: mujoco.MjData | None = None
        self._connected = False
        self._enabled = False
        self._fault = ''

    def attach(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        """Use the arm in `model` from now on: powered, without fault, aiming where `data` says."""
        with self._lock:
            self._model, self._data = model, data
            self._qpos, self._qvel = map(_run, arm_joint_addresses(model))
            self._finger_qpos, self._finger_qvel = map(_run, finger_addresses(model))
            self._servos = np.array([model.actuator(name).id for name in ARM_JOINTS])
            self._gripper = model.actuator(GRIPPER).id
            self._gains = model.actuator_gainprm[:, 0].copy()
            self._bias = model.actuator_biasprm[:, 1:3].copy()
            self._weights = model.body_gravcomp.copy()
            self._fault = ''
            self._power()

    def connect(self) -> None:
        """Begin to answer. Raises ArmError without a world."""
        if self._model is None:
            raise ArmError('the simulated arm is in no world; reset a world to a task first')
        self._connected = True

    def read(self) -> ArmState:
        """Return the state now, stamped with simulated time. Raises ArmError before `connect`."""
        if not self._connected:
            raise ArmError('the simulated arm is not connected; call connect first')
        with self._lock:
            return self._measured()

    def enable(self) -> None:
        """Power the servos; they hold the present pose."""
        self._require_connection()
        with self._lock:
            if self._fault:
                raise ArmError(f'the simulated arm has a fault ({self._fault}); reset it first')
            if not self._enabled:
                self._aim_here()
                self._power()

    def disable(self) -> None:
        """Cut the power: the arm sinks and the gripper lets go."""
        self._require_connection()
        self._release(np.zeros(len(ARM_JOINTS)), grip=False)

    def command(self, position: Sequence[float], gripper_width: float) -> None:
        """Set the servos' aim, kept within the arm's mechanical ranges; ignored without power."""
        check_command(position, gripper_width)
        self._require_connection()
        with self._lock:
            if not self._enabled:
                return
            assert self._data is not None
            self._data.ctrl[self._servos] = [
                min(max(value, low), high) for value, low, high
                in zip(position, PIPER.lower, PIPER.upper, strict=True)]
            self._data.ctrl[self._gripper] = min(max(gripper_width, PIPER.gripper_lower),
                                                 PIPER.gripper_upper)

    def stop(self) -> None:
        """Emergency stop: sink slowly and follow nothing until `reset`."""
        self._require_connection()
        self._fault = self._fault or STOPPED
        self._release(DESCENT_DAMPING, grip=True)

    def reset(self) -> None:
        """Clear the stop; the arm is without power afterwards."""
        self._require_connection()
        self._fault = ''
        self.disable()

    def close(self) -> None:
        """Stop answering. The arm keeps its last set-point, as the real one does."""
        self._connected = False

    def _measured(self) -> ArmState:
        data = self._data
        assert data is not None
        qpos, qvel = data.qpos, data.qvel
        left, right = qpos[self._finger_qpos].tolist()
        left_speed, right_speed = qvel[self._finger_qvel].tolist()
        effort = data.qfrc_actuator[self._qvel] + data.qfrc_gravcomp[self._qvel]
        return ArmState(
            stamp=float(data.time), position=tuple(qpos[self._qpos].tolist()),
            velocity=tuple(qvel[self._qvel].tolist()), effort=tuple(effort.tolist()),
            gripper_width=left + right, gripper_velocity=left_speed + right_speed,
            gripper_effort=float(data.actuator_force[self._gripper]),
            enabled=self._enabled, fault=self._fault)

    def _require_connection(self) -> None:
        if not self._connected:
            raise ArmError('the simulated arm is not connected; call connect first')

    def _aim_here(self) -> None:
        assert self._data is not None
        self._data.ctrl[self._servos] = self._data.qpos[self._qpos]
        self._data.ctrl[self._gripper] = self._data.qpos[self._finger_qpos].sum()

    def _power(self) -> None:
        assert self._model is not None
        self._enabled = True
        self._model.actuator_gainprm[:, 0] = self._gains
        self._model.actuator_biasprm[:, 1:3] = self._bias
        self._model.body_gravcomp[:] = self._weights

    def _release(self, damping: NDArray[np.float64], grip: bool) -> None:
        """Let go of the set-point and of the weight; what is left is damping, and the grip."""
        with self._lock:
            model, gripper = self._model, self._gripper
            assert model is not None
            self._enabled = False
            model.actuator_gainprm[self._servos, 0] = 0.0
            model.actuator_biasprm[self._servos, 1] = 0.0
            model.actuator_biasprm[self._servos, 2] = -damping
            model.actuator_gainprm[gripper, 0] = self._gains[gripper] if grip else 0.0
            model.actuator_biasprm[gripper, 1:3] = self._bias[gripper] if grip else 0.0
            model.body_gravcomp[:] = 0.0


def _run(addresses: NDArray[np.intp]) -> slice:
    """The addresses of joints that follow each other, as a slice: three times as fast to read."""
    first, count = int(addresses[0]), len(addresses)
    if addresses.tolist() != list(range(first, first + count)):
        raise ValueError(f'joints are not next to each other in the model: {addresses.tolist()}')
    return slice(first, first + count)
