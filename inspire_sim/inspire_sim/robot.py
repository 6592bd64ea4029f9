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
from piper_driver.kinematics import FINGER_OFFSET, TCP_OFFSET, frames
from piper_driver.limits import PIPER

from inspire_sim.shells import Section, add_shell

ARM_JOINTS = ('joint1', 'joint2', 'joint3', 'joint4', 'joint5', 'joint6')
FINGER_JOINTS = ('joint7', 'joint8')
FINGERS = ('link7', 'link8')
GRIPPER = 'gripper'
TCP = 'tcp'
WRIST_CAMERA = 'wrist_camera'

SEEN, COLLIDES = 1, 3            # geom groups; renderers hide groups from 3 on
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

MATERIALS = {
    # name: (rgba, specular, shininess, reflectance)
    'arm_shell': ((0.90, 0.915, 0.93, 1.0), 0.35, 0.55, 0.0),
    'arm_joint': ((0.115, 0.125, 0.145, 1.0), 0.45, 0.5, 0.0),
    'arm_accent': ((0.02, 0.56, 0.66, 1.0), 0.4, 0.5, 0.0),
    'arm_metal': ((0.58, 0.60, 0.63, 1.0), 0.8, 0.7, 0.0),
    'arm_rubber': ((0.05, 0.05, 0.055, 1.0), 0.05, 0.1, 0.0),
    'arm_lens': ((0.02, 0.03, 0.05, 1.0), 1.0, 0.95, 0.0),
}


def add_robot(spec: mujoco.MjSpec) -> None:
    """Add the arm to `spec` with its base at the origin of the world, z = 0 being the table top."""
    spec.compiler.degree = False
    for name, (rgba, specular, shininess, reflectance) in MATERIALS.items():
        spec.add_material(name=name, rgba=rgba, specular=specular, shininess=shininess,
                          reflectance=reflectance)
    links = _add_links(spec)
    _dress_base(spec, links['base_link'])
    _dress_upper_arm(spec, links)
    _dress_forearm(spec, links)
    _dress_gripper(spec, links['link6'])
    for name, side in zip(FINGERS, (-1.0, 1.0), strict=True):
        _add_finger(spec, links['link6'], name, side)
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
    zero = frames(np.zeros(6))
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


def _seen(body: mujoco.MjsBody, **geom: object) -> None:
    body.add_geom(contype=0, conaffinity=0, group=SEEN, mass=0.0, **geom)


def _shell(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str, sections: tuple[Section, ...],
           material: str = 'arm_shell', pos: tuple[float, ...] = (0, 0, 0),
           quat: tuple[float, ...] = (1, 0, 0, 0), edge: float = 0.004) -> None:
    add_shell(spec, name, sections, edge)
    _seen(body, name=name, type=mujoco.mjtGeom.mjGEOM_MESH, meshname=name, material=material,
          pos=pos, quat=quat)


def _drum(body: mujoco.MjsBody, start: tuple[float, ...], end: tuple[float, ...], radius: float,
          material: str) -> None:
    _seen(body, type=mujoco.mjtGeom.mjGEOM_CYLINDER, fromto=[*start, *end], size=[radius, 0, 0],
          material=material)


def _block(body: mujoco.MjsBody, pos: tuple[float, ...], half: tuple[float, ...],
           material: str) -> None:
    _seen(body, type=mujoco.mjtGeom.mjGEOM_BOX, pos=pos, size=half, material=material)


def _dress_base(spec: mujoco.MjSpec, base: mujoco.MjsBody) -> None:
    _shell(spec, base, 'base_foot', (Section(0.002, 0.078, 0.078, 4.0), Section(0.010, 0.078, 0.078, 4.0)),
           'arm_joint', edge=0.003)
    _shell(spec, base, 'base_body', (
        Section(0.014, 0.066, 0.062, 3.4), Section(0.030, 0.062, 0.058, 3.0),
        Section(0.062, 0.052, 0.051, 2.3)))
    _shell(spec, base, 'base_plug', (
        Section(0.016, 0.018, 0.034, 5.0, (-0.066, 0.0)),
        Section(0.050, 0.012, 0.034, 5.0, (-0.060, 0.0))), 'arm_joint')
    _drum(base, (0, 0, 0.062), (0, 0, 0.0735), 0.0485, 'arm_joint')
    _drum(base, (0, 0, 0.0665), (0, 0, 0.0695), 0.0492, 'arm_accent')


def _dress_upper_arm(spec: mujoco.MjSpec, links: dict[str, mujoco.MjsBody]) -> None:
    turret, upper = links['link1'], links['link2']
    _shell(spec, turret, 'turret', (
        Section(-0.047, 0.050, 0.050, 2.0), Section(-0.034, 0.049, 0.048, 2.2),
        Section(-0.005, 0.043, 0.036, 2.6), Section(0.022, 0.036, 0.033, 2.6),
        Section(0.036, 0.022, 0.030, 2.4)), edge=0.006)
    _drum(turret, (0, -0.050, 0), (0, 0.050, 0), 0.0385, 'arm_joint')
    for side in (-1.0, 1.0):
        # Two cheeks turn with the upper arm, on either side of the turret.
        _drum(upper, (0, 0, side * 0.050), (0, 0, side * 0.064), 0.041, 'arm_shell')
        _drum(upper, (0, 0, side * 0.064), (0, 0, side * 0.067), 0.031, 'arm_joint')
        _drum(upper, (0, 0, side * 0.067), (0, 0, side * 0.0685), 0.012, 'arm_accent')
        _shell(spec, upper, f'upper_cheek_{"left" if side > 0 else "right"}', (
            Section(0.000, 0.006, 0.0395, 4.0, (-side * 0.057, 0.0)),
            Section(0.050, 0.006, 0.037, 4.0, (-side * 0.057, 0.0)),
            Section(0.095, 0.008, 0.033, 3.4, (-side * 0.044, 0.0))),
               quat=_ALONG_X, edge=0.003)
    _shell(spec, upper, 'upper_arm', (
        Section(0.074, 0.050, 0.031, 4.0), Section(0.105, 0.046, 0.033, 3.2),
        Section(0.170, 0.034, 0.031, 2.8), Section(0.240, 0.031, 0.031, 2.8),
        Section(0.262, 0.031, 0.030, 2.8)), quat=_ALONG_X, edge=0.008)
    _shell(spec, upper, 'upper_inlay', (
        Section(0.110, 0.016, 0.0345, 5.0), Section(0.215, 0.011, 0.0325, 5.0)),
           'arm_joint', quat=_ALONG_X, edge=0.002)
    _drum(upper, (0.28503, 0, -0.031), (0.28503, 0, 0.031), 0.033, 'arm_shell')


def _dress_forearm(spec: mujoco.MjSpec, links: dict[str, mujoco.MjsBody]) -> None:
    fore, roll, pitch = links['link3'], links['link4'], links['link5']
    for side in (-1.0, 1.0):
        _drum(fore, (0, 0, side * 0.031), (0, 0, side * 0.045), 0.0345, 'arm_joint')
        _drum(fore, (0, 0, side * 0.045), (0, 0, side * 0.0475), 0.025, 'arm_metal')
        _drum(fore, (0, 0, side * 0.0475), (0, 0, side * 0.0485), 0.010, 'arm_accent')
        _shell(spec, fore, f'fore_cheek_{"left" if side > 0 else "right"}', (
            Section(-0.006, 0.030, 0.006, 4.0, (-0.001, side * 0.0385)),
            Section(0.045, 0.029, 0.006, 4.0, (-0.006, side * 0.0385)),
            Section(0.085, 0.027, 0.009, 3.4, (-0.012, side * 0.027))),
               'arm_joint', quat=_ALONG_MINUS_Y, edge=0.003)
    _shell(spec, fore, 'forearm', (
        Section(0.046, 0.027, 0.036, 3.6, (-0.008, 0.0)),
        Section(0.085, 0.029, 0.035, 2.8, (-0.014, 0.0)),
        Section(0.140, 0.028, 0.030, 2.5, (-0.021, 0.0)),
        Section(0.190, 0.0275, 0.0275, 2.1, (-0.02198, 0.0))), quat=_ALONG_MINUS_Y, edge=0.007)
    _drum(roll, (0, 0, -0.0545), (0, 0, -0.0515), 0.0278, 'arm_accent')
    _shell(spec, roll, 'wrist_roll', (
        Section(-0.0505, 0.0275, 0.0275, 2.0), Section(-0.030, 0.0275, 0.0275, 2.2),
        Section(0.000, 0.0255, 0.0285, 2.6), Section(0.012, 0.022, 0.027, 2.6)),
           'arm_joint', edge=0.004)
    for side in (-1.0, 1.0):
        _drum(pitch, (0, 0, side * 0.028), (0, 0, side * 0.039), 0.0265, 'arm_shell')
        _drum(pitch, (0, 0, side * 0.039), (0, 0, side * 0.0405), 0.017, 'arm_joint')
        _shell(spec, pitch, f'wrist_cheek_{"left" if side > 0 else "right"}', (
            Section(0.000, 0.025, 0.005, 4.0, (0.0, side * 0.0335)),
            Section(0.040, 0.025, 0.006, 4.0, (0.0, side * 0.0325))),
               quat=_ALONG_MINUS_Y, edge=0.003)
    _shell(spec, pitch, 'wrist_pitch', (
        Section(0.036, 0.026, 0.036, 3.4), Section(0.055, 0.028, 0.033, 2.4),
        Section(0.078, 0.0285, 0.0285, 2.0)), quat=_ALONG_MINUS_Y, edge=0.004)


def _dress_gripper(spec: mujoco.MjSpec, link6: mujoco.MjsBody) -> None:
    _drum(link6, (0, 0, -0.009), (0, 0, -0.0055), 0.0288, 'arm_accent')
    _drum(link6, (0, 0, -0.0055), (0, 0, 0.010), 0.0305, 'arm_joint')
    _shell(spec, link6, 'palm', (
        Section(0.012, 0.031, 0.034, 2.3), Section(0.032, 0.031, 0.046, 3.0),
        Section(0.056, 0.030, 0.056, 4.2), Section(0.074, 0.029, 0.057, 5.0)), edge=0.004)
    _block(link6, (0, 0, 0.0815), (0.0225, 0.056, 0.0045), 'arm_joint')
    _block(link6, (0, 0, 0.0862), (0.0035, 0.054, 0.0012), 'arm_metal')
    # The camera, on the side that is up when the gripper points forward.
    _block(link6, (-0.040, 0, 0.030), (0.012, 0.007, 0.012), 'arm_joint')
    _shell(spec, link6, 'camera_housing', (
        Section(-0.014, 0.013, 0.044, 4.0), Section(0.008, 0.013, 0.044, 4.0)), 'arm_joint',
           pos=_CAMERA_AT, quat=_CAMERA_HOUSING, edge=0.004)
    for offset in (-0.026, 0.0, 0.026):
        at = np.array(_CAMERA_AT) + np.array([0.0, offset, 0.0])
        _drum(link6, tuple(at + 0.010 * _CAMERA_AXIS), tuple(at + 0.0135 * _CAMERA_AXIS),
              0.0065, 'arm_lens')


def _add_finger(spec: mujoco.MjSpec, palm: mujoco.MjsBody, name: str, side: float) -> None:
    """A finger on the +y (side 1) or -y (side -1) half; its inner face is at y = 0 when closed."""
    finger = palm.add_body(name=name, pos=[0, 0, FINGER_OFFSET], gravcomp=1.0)
    finger.add_joint(name=FINGER_JOINTS[FINGERS.index(name)], axis=[0, side, 0],
                     type=mujoco.mjtJoint.mjJNT_SLIDE, range=[0.0, PIPER.gripper_upper / 2.0],
                     limited=mujoco.mjtLimited.mjLIMITED_TRUE, armature=0.12, damping=[4, 0, 0])
    _set_mass(finger, name)
    turn = (1, 0, 0, 0) if side > 0 else (0, 0, 0, 1)
    _shell(spec, finger, f'{name}_shell', (
        Section(-0.0473, 0.0140, 0.0085, 5.0, (0.0, 0.0130)),
        Section(-0.0358, 0.0140, 0.0085, 5.0, (0.0, 0.0130)),
        Section(-0.0178, 0.0115, 0.0060, 5.0, (0.0, 0.0100)),
        Section(0.0127, 0.0095, 0.0042, 4.0, (0.0, 0.0078))), 'arm_metal', quat=turn, edge=0.0015)
    _block(finger, (0, side * 0.0018, _PAD_AT), (0.0088, 0.0018, _PAD_HALF), 'arm_rubber')
    for ridge in np.linspace(-0.75, 0.75, 4):
        _block(finger, (0, side * 0.0001, _PAD_AT + ridge * _PAD_HALF), (0.0084, 0.0004, 0.0010),
               'arm_joint')
    finger.add_geom(name=f'{name}_pad', type=mujoco.mjtGeom.mjGEOM_BOX, group=COLLIDES, mass=0.0,
                    pos=[0, side * 0.0020, _PAD_AT], size=[0.0092, 0.0020, _PAD_HALF],
                    contype=ARM_CONTACT, conaffinity=OTHER_CONTACT, priority=1, condim=4,
                    friction=[1.3, 0.02, 0.0005], solref=[0.008, 1.0], solimp=[0.95, 0.99, 0.001,
                                                                               0.5, 2.0])
    finger.add_geom(name=f'{name}_back', type=mujoco.mjtGeom.mjGEOM_BOX, group=COLLIDES, mass=0.0,
                    pos=[0, side * 0.0090, -0.0168], size=[0.0105, 0.0050, 0.0310],
                    contype=ARM_CONTACT, conaffinity=OTHER_CONTACT, friction=[0.6, 0.01, 0.0005])


def _add_wrist_camera(link6: mujoco.MjsBody) -> None:
    # MuJoCo's cameras look along their -z with y up. Up is link6's -x: the world's up when the
    # gripper points forward, away from the base when it points down.
    forward = _CAMERA_AXIS
    right = np.cross(forward, np.array([-1.0, 0.0, 0.0]))
    right /= np.linalg.norm(right)
    axes = np.stack([right, np.cross(right, forward), -forward], axis=1)
    link6.add_camera(name=WRIST_CAMERA, pos=np.array(_CAMERA_AT) + 0.015 * forward,
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


_PAD_AT, _PAD_HALF = 0.0007, 0.0135     # the pads end 5 mm below the tcp
_CAMERA_AT = (-0.068, 0.0, 0.030)
_CAMERA_AXIS = np.array([np.sin(0.46), 0.0, np.cos(0.46)])   # towards the fingertips
_CAMERA_HOUSING = tuple(np.array([np.cos(0.23), 0.0, np.sin(0.23), 0.0]).tolist())
_ALONG_X = (np.sqrt(0.5), 0.0, np.sqrt(0.5), 0.0)            # shell z to body x
_ALONG_MINUS_Y = (np.sqrt(0.5), np.sqrt(0.5), 0.0, 0.0)      # shell z to body -y
