# SPDX-License-Identifier: Apache-2.0
"""A world to act in: reset, step, observe, the truth behind it, and whether the task is done.

`World` is what a policy's evaluation needs and no more, so that another benchmark can stand in.
`TableWorld` is the PiPER at its table. Its clock ticks at 200 Hz: the arm's servos aim at the
newest set-point, and the physics takes two steps. `lock` is held during a step and by every call
of the arm, so that another thread may command it. Who sets set-points is open: the driver node
(with ROS), or `step`, which sends a policy's action through the same controller (without).
"""

from __future__ import annotations

from collections.abc import Sequence
from threading import RLock
from typing import TYPE_CHECKING, Protocol

import mujoco
import numpy as np
from numpy.typing import ArrayLike, NDArray

from inspire_sim.assembly import PHYSICS_STEP, SceneBuilder, assemble
from inspire_sim.cameras import CAMERAS
from inspire_sim.rendering import Renderer
from inspire_sim.robot import ARM_CONTACT, FINGERS, TCP, place_robot
from inspire_sim.sights import Observation, Picture, Truth
from inspire_sim.simulated_arm import SimulatedArm
from inspire_sim.tasks import find
from piper_driver.arm import ArmState
from piper_driver.controller import ArmController, CommandRefused
from piper_driver.kinematics import HOME
from piper_driver.limits import PIPER
from piper_driver.pose import Pose, apply_delta

if TYPE_CHECKING:
    from inspire_sim.scene import Scene
    from inspire_sim.success import Success

CONTROL_STEP = 0.005    # [s], two physics steps
COMMAND_STEP = 0.01     # [s], of the stream of set-points that an action becomes
POLICY_STEP = 0.05      # [s], of one action
SETTLING = 0.5          # [s] of physics before an episode begins
INSIDE = 0.002          # depth of a contact from which one thing is inside another [m]


__all__ = ['NoTask', 'Observation', 'PhysicsError', 'TableWorld', 'Truth', 'World']


class PhysicsError(RuntimeError):
    """The simulation diverged; the message names when and where. Reset the world."""


class NoTask(RuntimeError):
    """The world was used before `reset` gave it a task."""


class World(Protocol):
    """A simulated world with one arm and one task at a time."""

    instruction: str
    task: str
    seed: int

    @property
    def time(self) -> float:
        """Simulated time [s]."""

    @property
    def commanded(self) -> Pose:
        """The pose of the tcp in base_link that the next action is integrated on."""

    def reset(self, task: str, seed: int) -> None:
        """Set up `task` (its id or an instruction) with everything random drawn from `seed`."""

    def step(self, action: ArrayLike) -> None:
        """Act for 0.05 s: [dx dy dz m, rotation vector rad, gripper width m] in base_link."""

    def observe(self) -> Observation:
        """What a policy may see now."""

    def arm_state(self) -> ArmState:
        """The arm as it is measured now: what `observe` tells of it, without pictures."""

    def truth(self) -> Truth:
        """What only the simulation knows, now."""

    def success(self) -> Success:
        """Whether the task's goal holds now, and what is missing."""


class TableWorld:
    """The PiPER at a table with the objects of one task."""

    def __init__(self, cameras: Sequence[str] = CAMERAS, viewer_yaw: float = 0.0,
                 image_size: tuple[int, int] = (224, 224),
                 builder: SceneBuilder | None = None) -> None:
        """Make an empty world; image_size is (width, height) [pixels]."""
        unknown = set(cameras) - set(CAMERAS)
        if unknown:
            raise ValueError(f'no camera {sorted(unknown)}; cameras: {", ".join(CAMERAS)}')
        # MuJoCo would write its warnings to a file in whatever folder it was started in. Those
        # that matter are counted in the data all the same, and `check` raises them.
        mujoco.set_mju_user_warning(lambda _: None)
        self.cameras = tuple(cameras)
        self.viewer_yaw = viewer_yaw
        self.image_size = image_size
        self.task = ''
        self.split = ''
        self.instruction = ''
        self.seed = 0
        self.lock = RLock()
        self.arm = SimulatedArm(self.lock)
        self.refused = ''
        self._builder = builder
        self._renderer: Renderer | None = None
        self._stage: _Stage | None = None

    @property
    def time(self) -> float:
        """Simulated time [s]."""
        return float(self._stage.data.time) if self._stage else 0.0

    @property
    def commanded(self) -> Pose:
        """The pose of the tcp in base_link that the next action is integrated on."""
        return self._commanded

    @property
    def model(self) -> mujoco.MjModel:
        """The compiled model of the present task."""
        return self._present.model

    @property
    def data(self) -> mujoco.MjData:
        """The state of the present task."""
        return self._present.data

    @property
    def steps(self) -> int:
        """Physics steps since the reset."""
        return self._present.steps

    @property
    def scene(self) -> Scene:
        """The objects of the present task."""
        return self._present.scene

    def reset(self, task: str, seed: int, start_time: float = 0.0) -> None:
        """Set up `task` from `seed`, the arm at HOME and open, objects at rest.

        Equal task, seed and viewer give a bitwise equal world. Raises UnknownTask.
        """
        chosen, variant = find(task, seed)
        model, scene = assemble(variant, seed, self.viewer_yaw, self._builder)
        self.close()
        data = mujoco.MjData(model)
        scene.place(model, data)
        place_robot(model, data, np.array(HOME), PIPER.gripper_upper)
        self._stage = _Stage(model, data, scene)
        self.arm.attach(model, data)
        self.arm.connect()
        self.task, self.split, self.seed = chosen.id, chosen.split, seed
        self.instruction = variant.instruction
        mujoco.mj_forward(model, data)
        for _ in range(round(SETTLING / CONTROL_STEP)):
            self.tick()
        self._stage.steps, self._stage.start_time = 0, start_time
        data.time = start_time
        self._begin_control()

    def tick(self) -> None:
        """Advance by one control step of 5 ms towards the arm's present set-point.

        Afterwards positions and contacts are those of the new state. Raises PhysicsError.
        """
        for _ in range(2):
            self.physics_step()

    def physics_step(self) -> None:
        """Advance by one physics step of 2.5 ms. Raises PhysicsError."""
        stage = self._present
        with self.lock:
            mujoco.mj_step2(stage.model, stage.data)
            stage.steps += 1
            # MuJoCo adds its step up, which drifts: 0.0025 is no binary fraction.
            stage.data.time = stage.start_time + stage.steps * PHYSICS_STEP
            mujoco.mj_step1(stage.model, stage.data)
        stage.check()

    def step(self, action: ArrayLike) -> None:
        """Act for 0.05 s: [dx dy dz m, rotation vector rad, gripper width m] in base_link.

        The change is applied to the last commanded pose and streamed at 100 Hz through the
        controller. A command that the controller refuses is not followed: the arm holds, and
        `refused` says why until a command is accepted. Raises ValueError for a malformed action.
        """
        values = np.asarray(action, dtype=float)
        if values.shape != (7,) or not np.isfinite(values).all():
            raise ValueError('an action is 7 finite numbers (dx dy dz m, rotation vector rad, '
                             f'gripper width m), not {values.tolist()}')
        start = self._commanded
        goal = apply_delta(start, values[:3], values[3:6])
        count = round(POLICY_STEP / COMMAND_STEP)
        for number in range(1, count + 1):
            self._command(start.interpolate(goal, number / count), float(values[6]))
            for _ in range(round(COMMAND_STEP / CONTROL_STEP)):
                setpoint = self._controller.tick(self.arm.read(), self.time)
                self.arm.command(setpoint.position, setpoint.gripper_width)
                self.tick()

    def place_arm(self, position: ArrayLike, width: float, held: str = '') -> bool:
        """Put the arm, at rest, at joint positions (6,) [rad] and a gripper width [m], as no
        motion does, and what it holds (the frame of a thing) along with it; whether it is free
        there. Where it touches something, or what it holds is inside something, it must be put
        elsewhere."""
        stage = self._present
        with self.lock:
            grip = self._tcp().inverse() @ stage.object_poses()[held] if held else None
            place_robot(stage.model, stage.data, np.asarray(position, dtype=float), width)
            stage.data.qvel[:] = 0.0
            mujoco.mj_forward(stage.model, stage.data)
            if grip is not None:
                stage.put(held, self._tcp() @ grip)
        self._begin_control()
        return not stage.touched(held)

    def place_object(self, frame: str, pose: Pose) -> None:
        """Put a thing, at rest, so that its grasp frame is at `pose`, as no motion does. Raises
        KeyError naming those that exist, ValueError for what stands fast."""
        with self.lock:
            self._present.put(frame, pose)

    def observe(self) -> Observation:
        """What a policy may see now. Raises RenderError."""
        return Observation(self.time, self._pictures(), self.arm.read(), self._tcp(),
                           self.instruction)

    def arm_state(self) -> ArmState:
        """The arm as it is measured now."""
        return self.arm.read()

    def truth(self) -> Truth:
        """What only the simulation knows, now."""
        stage = self._present
        return Truth(self.time, self._tcp(), stage.object_poses(), stage.grasped(),
                     self.arm.read().gripper_width)

    def success(self) -> Success:
        """Whether the task's goal holds now, and what is missing."""
        from inspire_sim.success import evaluate
        stage = self._present
        return evaluate(stage.scene, stage.model, stage.data)

    def close(self) -> None:
        """Free the renderer."""
        if self._renderer is not None:
            self._renderer.close()
            self._renderer = None

    @property
    def _present(self) -> _Stage:
        if self._stage is None:
            raise NoTask('the world has no task yet; call reset(task, seed) first')
        return self._stage

    def _begin_control(self) -> None:
        state = self.arm.read()
        self._controller = ArmController()
        self._controller.start(state)
        self._commanded = self._tcp()
        self.refused = ''

    def _command(self, pose: Pose, width: float) -> None:
        now = self.time
        try:
            self._controller.command_pose(pose, now, now)
            self._controller.command_gripper(width, now, now)
        except CommandRefused as reason:
            self.refused = str(reason)
        else:
            self.refused = ''
            self._commanded = pose

    def _tcp(self) -> Pose:
        site = self._present.data.site(TCP)
        matrix = np.eye(4)
        matrix[:3, :3] = site.xmat.reshape(3, 3)
        matrix[:3, 3] = site.xpos
        return Pose.from_matrix(matrix)

    def _pictures(self) -> dict[str, Picture]:
        if not self.cameras:
            return {}
        stage = self._present
        if self._renderer is None:
            self._renderer = Renderer(stage.model, *self.image_size)
        return {name: self._renderer.render(stage.data, name) for name in self.cameras}


class _Stage:
    """Model, data and scene of one task, with the indices to read the truth from them."""

    def __init__(self, model: mujoco.MjModel, data: mujoco.MjData, scene: Scene) -> None:
        self.model, self.data, self.scene = model, data, scene
        self.steps, self.start_time = 0, 0.0
        self._warned = data.warning.number   # a view of MuJoCo's counts
        self.frames = tuple(item.frame for item in scene.objects)
        self._bodies = [model.body(item.body).id for item in scene.objects]
        self._side = np.zeros(model.ngeom, dtype=np.int8)
        self._owner = np.full(model.ngeom, -1)
        for side, finger in enumerate(FINGERS, start=1):
            self._side[model.geom_bodyid == model.body(finger).id] = side
        for number, body in enumerate(self._bodies):
            self._owner[model.geom_bodyid == body] = number

    def object_poses(self) -> dict[str, Pose]:
        poses = {}
        for body, item in zip(self._bodies, self.scene.objects, strict=True):
            w, x, y, z = self.data.xquat[body]
            poses[item.frame] = Pose(self.data.xpos[body], np.array([x, y, z, w])) @ item.grasp
        return poses

    def grasped(self) -> frozenset[str]:
        """Frames of the objects that both fingers touch."""
        pairs: NDArray[np.int32] = self.data.contact.geom[:self.data.ncon]
        touching = []
        for side in (1, 2):
            first, second = pairs[:, 0], pairs[:, 1]
            owners = np.concatenate([self._owner[second[self._side[first] == side]],
                                     self._owner[first[self._side[second] == side]]])
            touching.append(set(owners.tolist()))
        return frozenset(self.frames[i] for i in touching[0] & touching[1] if i >= 0)

    def put(self, frame: str, pose: Pose) -> None:
        """A thing to where its grasp frame is at `pose`, at rest."""
        item = self.scene.object(frame)
        joint = self.model.body(item.body).jntadr[0]
        if joint < 0:
            raise ValueError(f'{frame} stands fast; valid: what can be moved')
        at, velocity = self.model.jnt_qposadr[joint], self.model.jnt_dofadr[joint]
        body = pose @ item.grasp.inverse()
        x, y, z, w = body.quaternion
        self.data.qpos[at:at + 7] = [*body.position, w, x, y, z]
        self.data.qvel[velocity:velocity + 6] = 0.0
        mujoco.mj_forward(self.model, self.data)

    def touched(self, held: str) -> bool:
        """Whether the arm touches anything but what it holds ('': nothing), or that is inside
        anything."""
        contacts = self.data.contact
        pairs: NDArray[np.int32] = contacts.geom[:self.data.ncon]
        arm = (self.model.geom_contype[pairs] == ARM_CONTACT).any(1)
        own = np.zeros_like(arm)
        if held:
            own = (self._owner[pairs] == self.frames.index(held)).any(1)
        inside = contacts.dist[:self.data.ncon] < -INSIDE
        return bool((arm & ~own | own & ~arm & inside).any())

    def check(self) -> None:
        """Raise PhysicsError when MuJoCo found a state that is not finite or far too large."""
        if not any(self._warned.tolist()):
            return
        for kind, what in _DIVERGENCE:
            if self.data.warning[kind].number:
                joint = self.data.warning[kind].lastinfo
                raise PhysicsError(
                    f'the physics diverged at {self.data.time:.3f} s: {what} of degree of freedom '
                    f'{joint} ({self._joint_name(joint)}) is not finite or too large; '
                    'reset the world')

    def _joint_name(self, dof: int) -> str:
        if not 0 <= dof < self.model.nv:
            return 'unknown'
        joint = self.model.joint(self.model.dof_jntid[dof])
        return str(joint.name or self.model.body(self.model.dof_bodyid[dof]).name)


_DIVERGENCE = ((mujoco.mjtWarning.mjWARN_BADQPOS, 'position'),
               (mujoco.mjtWarning.mjWARN_BADQVEL, 'velocity'),
               (mujoco.mjtWarning.mjWARN_BADQACC, 'acceleration'))
