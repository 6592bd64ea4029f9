# SPDX-License-Identifier: Apache-2.0
"""The PiPER arm as MuJoCo bodies, built from its tables.

Where the joints are comes from `piper_driver.kinematics`, so that what the physics moves and what
the driver computes is the same arm. Masses are those of the maker's current description. What is
seen are smooth shells, what collides are a few primitives.

Body frames are the driver's link frames: every joint turns about its link's z axis. `link7` and
`link8` are the fingers; they slide along tcp -y and +y, each by half the gripper width.
"""

from dataclasses import dataclass

import mujoco
import numpy as np
from numpy.typing import NDArray

from inspire_sim.bodywork import CAMERA_AT, CAMERA_AXIS, PAD_AT, PAD_HALF, dress
from piper_driver.kinematics import FINGER_OFFSET, TCP_OFFSET, frames
from piper_driver.limits import PIPER

ARM_JOINTS = ('joint1', 'joint2', 'joint3', 'joint4', 'joint5', 'joint6')
FINGER_JOINTS = ('joint7', 'joint8')
FINGERS = ('link7', 'link8')
GRIPPER = 'gripper'
TCP = 'tcp'
WRIST_CAMERA = 'wrist_camera'

COLLIDES = 3                       # geom group; renderers hide groups from 3 on
ARM_CONTACT, OTHER_CONTACT = 2, 1  # contact bits: the arm meets everything but itself


@dataclass(frozen=True)
class LinkMass:
    """mass [kg], centre [m] and diagonal inertia about it [kg m^2], in the link's frame."""

    mass: float
    centre: tuple[float, float, float]
    inertia: tuple[float, float, float]


# The maker's current description. Exceptions: link2's published inertia is about the joint, not
# the centre (0.02 is what 1.17 kg over 0.29 m allows), and link6 carries the gripper's 0.45 kg.
MASSES = {
    'base_link': LinkMass(1.02, (0.0, 0.0, 0.04), (2.5e-3, 2.5e-3, 2.5e-3)),
    'link1': LinkMass(0.71, (0.00012, 0.0001, -0.0044), (4.89e-4, 4.05e-4, 4.40e-4)),
    'link2': LinkMass(1.17, (0.19867, -0.01093, 0.00142), (1.17e-3, 0.02, 0.02)),
    'link3': LinkMass(0.5, (-0.0203, -0.1339, -0.0005), (0.01362, 0.00045, 0.0138)),
    'link4': LinkMass(0.38, (-0.0001, 0.00088, -0.005), (1.85e-4, 1.90e-4, 1.55e-4)),
    'link5': LinkMass(0.383, (0.0, -0.0566, -0.0037), (1.66e-3, 1.85e-4, 1.64e-3)),
    'link6': LinkMass(0.457, (0.0, 0.0, 0.055), (7.5e-4, 4.7e-4, 4.0e-4)),
    'link7': LinkMass(0.025, (0.0, -0.011, -0.015), (1.0e-5, 1.0e-5, 2.0e-6)),
    'link8': LinkMass(0.025, (0.0, 0.011, -0.015), (1.0e-5, 1.0e-5, 2.0e-6)),
}


@dataclass(frozen=True)
class Drive:
    """A joint's servo: stiffness [N m/rad], damping [N m s/rad], torque limit [N m], and the rotor
    inertia seen through its gear [kg m^2]."""

    stiffness: float
    damping: float
    torque: float
    armature: float


DRIVES = (
    Drive(1200.0, 45.0, 30.0, 0.06), Drive(1200.0, 45.0, 30.0, 0.06),
    Drive(1000.0, 34.0, 30.0, 0.05), Drive(200.0, 4.5, 10.0, 0.012),
    Drive(200.0, 4.5, 10.0, 0.012), Drive(150.0, 3.0, 10.0, 0.01),
)
GRIP_STIFFNESS = 3000.0   # N per metre of width
GRIP_DAMPING = 60.0       # N s/m
GRIP_FORCE = 14.0         # N, of each finger


def add_robot(spec: mujoco.MjSpec, around: int = 20) -> None:
    """Add the arm to `spec` with its base at the origin of the world, z = 0 being the table top.

    around: points around a visible shell, the price of smoothness.
    """
    spec.compiler.degree = False
    links = _add_links(spec)
    for name, side in zip(FINGERS, (-1.0, 1.0), strict=True):
        links[name] = _add_finger(links['link6'], name, side)
    dress(spec, links, around)
    _add_wrist_camera(links['link6'])
    _add_collision(links)
    _add_servos(spec)


def arm_joint_addresses(model: mujoco.MjModel) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Indices into qpos and qvel of joint1..joint6."""
    joints = [model.joint(name) for name in ARM_JOINTS]
    return (np.array([j.qposadr[0] for j in joints]), np.array([j.dofadr[0] for j in joints]))


def finger_addresses(model: mujoco.MjModel) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Indices into qpos and qvel of the two fingers."""
    joints = [model.joint(name) for name in FINGER_JOINTS]
    return (np.array([j.qposadr[0] for j in joints]), np.array([j.dofadr[0] for j in joints]))


def place_robot(model: mujoco.MjModel, data: mujoco.MjData, position: NDArray[np.float64],
                width: float) -> None:
    """Put the arm at joint positions (6,) [rad] and gripper width [m], servos aiming there."""
    arm, _ = arm_joint_addresses(model)
    fingers, _ = finger_addresses(model)
    data.qpos[arm] = position
    data.qpos[fingers] = width / 2.0
    data.ctrl[[model.actuator(name).id for name in ARM_JOINTS]] = position
    data.ctrl[model.actuator(GRIPPER).id] = width


def quaternion_wxyz(rotation: NDArray[np.float64]) -> NDArray[np.float64]:
    """MuJoCo's quaternion (w first) of a rotation matrix (3, 3)."""
    quaternion = np.zeros(4)
    mujoco.mju_mat2Quat(quaternion, np.ascontiguousarray(rotation, dtype=np.float64).ravel())
    return quaternion


def _add_links(spec: mujoco.MjSpec) -> dict[str, mujoco.MjsBody]:
    zero = frames((0.0,) * 6)
    body = spec.worldbody.add_body(name='base_link')
    links = {'base_link': body}
    _set_mass(body, 'base_link')
    parent = np.eye(4)
    for number, name in enumerate(ARM_JOINTS):
        link = f'link{number + 1}'
        relative = np.linalg.inv(parent) @ zero[link]
        body = body.add_body(name=link, pos=relative[:3, 3], gravcomp=1.0,
                             quat=quaternion_wxyz(relative[:3, :3]))
        body.add_joint(name=name, type=mujoco.mjtJoint.mjJNT_HINGE, axis=[0, 0, 1],
                       range=[PIPER.lower[number], PIPER.upper[number]],
                       limited=mujoco.mjtLimited.mjLIMITED_TRUE,
                       armature=DRIVES[number].armature, damping=[0.5, 0, 0], frictionloss=0.1)
        _set_mass(body, link)
        links[link] = body
        parent = zero[link]
    body.add_site(name=TCP, pos=[0, 0, TCP_OFFSET], size=[0.004, 0, 0], group=4)
    return links


def _set_mass(body: mujoco.MjsBody, link: str) -> None:
    body.mass = MASSES[link].mass
    body.ipos = MASSES[link].centre
    body.inertia = MASSES[link].inertia
    body.explicitinertial = True


def _add_finger(palm: mujoco.MjsBody, name: str, side: float) -> mujoco.MjsBody:
    """A finger on the +y (side 1) or -y (side -1) half; its inner face is at y = 0 when closed."""
    finger = palm.add_body(name=name, pos=[0, 0, FINGER_OFFSET], gravcomp=1.0)
    finger.add_joint(name=FINGER_JOINTS[FINGERS.index(name)], axis=[0, side, 0],
                     type=mujoco.mjtJoint.mjJNT_SLIDE, range=[0.0, PIPER.gripper_upper / 2.0],
                     limited=mujoco.mjtLimited.mjLIMITED_TRUE, armature=0.12, damping=[4, 0, 0])
    _set_mass(finger, name)
    finger.add_geom(name=f'{name}_pad', type=mujoco.mjtGeom.mjGEOM_BOX, group=COLLIDES, mass=0.0,
                    pos=[0, side * 0.0020, PAD_AT], size=[0.0092, 0.0020, PAD_HALF],
                    contype=ARM_CONTACT, conaffinity=OTHER_CONTACT, priority=1, condim=4,
                    friction=[1.3, 0.02, 0.0005], solref=[0.008, 1.0], solimp=[0.95, 0.99, 0.001,
                                                                               0.5, 2.0])
    finger.add_geom(name=f'{name}_back', type=mujoco.mjtGeom.mjGEOM_BOX, group=COLLIDES, mass=0.0,
                    pos=[0, side * 0.0090, -0.0168], size=[0.0105, 0.0050, 0.0310],
                    contype=ARM_CONTACT, conaffinity=OTHER_CONTACT, friction=[0.6, 0.01, 0.0005])
    return finger


def _add_wrist_camera(link6: mujoco.MjsBody) -> None:
    # MuJoCo's cameras look along their -z with y up. Up is link6's -x: the world's up when the
    # gripper points forward, away from the base when it points down.
    forward = CAMERA_AXIS
    right = np.cross(forward, np.array([-1.0, 0.0, 0.0]))
    right /= np.linalg.norm(right)
    axes = np.stack([right, np.cross(right, forward), -forward], axis=1)
    link6.add_camera(name=WRIST_CAMERA, pos=np.array(CAMERA_AT) + 0.015 * forward,
                     quat=quaternion_wxyz(axes), fovy=62.0)


def _add_collision(links: dict[str, mujoco.MjsBody]) -> None:
    def add(link: str, kind: mujoco.mjtGeom, **geom: object) -> None:
        links[link].add_geom(type=kind, group=COLLIDES, mass=0.0, contype=ARM_CONTACT,
                             conaffinity=OTHER_CONTACT, friction=[0.5, 0.005, 0.0001], **geom)

    capsule, box = mujoco.mjtGeom.mjGEOM_CAPSULE, mujoco.mjtGeom.mjGEOM_BOX
    add('base_link', mujoco.mjtGeom.mjGEOM_CYLINDER, pos=[0, 0, 0.037], size=[0.068, 0.037, 0])
    add('link2', capsule, fromto=[0, 0, 0, 0.28503, 0, 0], size=[0.035, 0, 0])
    add('link3', capsule, fromto=[0, 0, 0, -0.02198, -0.19, 0], size=[0.031, 0, 0])
    add('link5', capsule, fromto=[0, 0, 0, 0, -0.07, 0], size=[0.030, 0, 0])
    add('link6', box, name='palm_box', pos=[0, 0, 0.045], size=[0.030, 0.057, 0.041])
    add('link6', box, name='camera_box', pos=[-0.052, 0, 0.030], size=[0.020, 0.044, 0.018])


def _add_servos(spec: mujoco.MjSpec) -> None:
    for name, drive in zip(ARM_JOINTS, DRIVES, strict=True):
        _add_servo(spec, name, name, mujoco.mjtTrn.mjTRN_JOINT, drive.stiffness, drive.damping,
                   drive.torque)
    # The two fingers are geared together: equal openings, one motor that sees their sum.
    left, right = FINGER_JOINTS
    spec.add_equality(name='finger_gear', type=mujoco.mjtEq.mjEQ_JOINT, name1=left, name2=right,
                      objtype=mujoco.mjtObj.mjOBJ_JOINT,
                      data=[0, 1, *[0] * 10], solref=[0.005, 1.0])
    width = spec.add_tendon(name='gripper_width')
    width.wrap_joint(left, 1.0)
    width.wrap_joint(right, 1.0)
    _add_servo(spec, GRIPPER, 'gripper_width', mujoco.mjtTrn.mjTRN_TENDON, GRIP_STIFFNESS,
               GRIP_DAMPING, GRIP_FORCE)


def _add_servo(spec: mujoco.MjSpec, name: str, target: str, kind: mujoco.mjtTrn,
               stiffness: float, damping: float, force: float) -> None:
    gain, bias = np.zeros(10), np.zeros(10)
    gain[0] = stiffness
    bias[1], bias[2] = -stiffness, -damping
    spec.add_actuator(name=name, target=target, trntype=kind, gainprm=gain, biasprm=bias,
                      gaintype=mujoco.mjtGain.mjGAIN_FIXED,
                      biastype=mujoco.mjtBias.mjBIAS_AFFINE,
                      forcerange=[-force, force], forcelimited=mujoco.mjtLimited.mjLIMITED_TRUE)
