# SPDX-License-Identifier: Apache-2.0
"""What the arm looks like: white shells, graphite joints, one accent colour.

For the eye only: nothing in here has mass or collides. Coordinates are those of the link that is
dressed.
"""

from dataclasses import dataclass

import mujoco
import numpy as np

from inspire_sim.shells import Section, add_shell

SEEN = 1                         # geom group; renderers hide groups from 3 on
CAMERA_AT = (-0.068, 0.0, 0.030)  # of the wrist camera in link6 [m]
CAMERA_TILT = 0.32               # of its axis towards the fingertips [rad]
CAMERA_AXIS = np.array([np.sin(CAMERA_TILT), 0.0, np.cos(CAMERA_TILT)])
PAD_AT, PAD_HALF = 0.0007, 0.0135  # in a finger's frame [m]; the pads end 5 mm below the tcp

MATERIALS = {
    # name: (rgba, specular, shininess)
    'arm_shell': ((0.90, 0.915, 0.93, 1.0), 0.35, 0.55),
    'arm_joint': ((0.115, 0.125, 0.145, 1.0), 0.45, 0.5),
    'arm_accent': ((0.02, 0.56, 0.66, 1.0), 0.4, 0.5),
    'arm_metal': ((0.58, 0.60, 0.63, 1.0), 0.8, 0.7),
    'arm_rubber': ((0.05, 0.05, 0.055, 1.0), 0.05, 0.1),
    'arm_lens': ((0.02, 0.03, 0.05, 1.0), 1.0, 0.95),
}


@dataclass(frozen=True)
class Dresser:
    """Adds visible geoms to a spec's bodies; `around` is the number of points around a shell."""

    spec: mujoco.MjSpec
    around: int

    def shell(self, body: mujoco.MjsBody, name: str, sections: tuple[Section, ...],
              material: str = 'arm_shell', pos: tuple[float, ...] = (0.0, 0.0, 0.0),
              quat: tuple[float, ...] = (1.0, 0.0, 0.0, 0.0), edge: float = 0.004) -> None:
        """A smooth shell through sections along its z axis, ends rounded by `edge` [m]."""
        add_shell(self.spec, name, sections, edge, self.around)
        _seen(body, name=name, type=mujoco.mjtGeom.mjGEOM_MESH, meshname=name, material=material,
              pos=pos, quat=quat)


def dress(spec: mujoco.MjSpec, links: dict[str, mujoco.MjsBody], around: int) -> None:
    """Dress base_link, link1..link6 and the fingers link7 (-y) and link8 (+y)."""
    for name, (rgba, specular, shininess) in MATERIALS.items():
        spec.add_material(name=name, rgba=rgba, specular=specular, shininess=shininess)
    dresser = Dresser(spec, around)
    _dress_base(dresser, links['base_link'])
    _dress_upper_arm(dresser, links)
    _dress_forearm(dresser, links)
    _dress_gripper(dresser, links['link6'])
    for name, side in (('link7', -1.0), ('link8', 1.0)):
        _dress_finger(dresser, links[name], name, side)


def _seen(body: mujoco.MjsBody, **geom: object) -> None:
    body.add_geom(contype=0, conaffinity=0, group=SEEN, mass=0.0, **geom)


def _drum(body: mujoco.MjsBody, start: tuple[float, ...], end: tuple[float, ...], radius: float,
          material: str) -> None:
    _seen(body, type=mujoco.mjtGeom.mjGEOM_CYLINDER, fromto=[*start, *end], size=[radius, 0, 0],
          material=material)


def _block(body: mujoco.MjsBody, pos: tuple[float, ...], half: tuple[float, ...],
           material: str) -> None:
    _seen(body, type=mujoco.mjtGeom.mjGEOM_BOX, pos=pos, size=half, material=material)


def _dress_base(dresser: Dresser, base: mujoco.MjsBody) -> None:
    dresser.shell(base, 'base_foot', (
        Section(0.002, 0.078, 0.078, 4.0), Section(0.010, 0.078, 0.078, 4.0)),
        'arm_joint', edge=0.003)
    dresser.shell(base, 'base_body', (
        Section(0.014, 0.066, 0.062, 3.4), Section(0.030, 0.062, 0.058, 3.0),
        Section(0.062, 0.052, 0.051, 2.3)))
    dresser.shell(base, 'base_plug', (
        Section(0.016, 0.018, 0.034, 5.0, (-0.066, 0.0)),
        Section(0.050, 0.012, 0.034, 5.0, (-0.060, 0.0))), 'arm_joint')
    _drum(base, (0, 0, 0.062), (0, 0, 0.0735), 0.0485, 'arm_joint')
    _drum(base, (0, 0, 0.0665), (0, 0, 0.0695), 0.0492, 'arm_accent')


def _dress_upper_arm(dresser: Dresser, links: dict[str, mujoco.MjsBody]) -> None:
    turret, upper = links['link1'], links['link2']
    dresser.shell(turret, 'turret', (
        Section(-0.047, 0.050, 0.050, 2.0), Section(-0.034, 0.049, 0.048, 2.2),
        Section(-0.005, 0.043, 0.036, 2.6), Section(0.022, 0.036, 0.033, 2.6),
        Section(0.036, 0.022, 0.030, 2.4)), edge=0.006)
    _drum(turret, (0, -0.050, 0), (0, 0.050, 0), 0.0385, 'arm_joint')
    for side in (-1.0, 1.0):
        # Two cheeks turn with the upper arm, on either side of the turret.
        _drum(upper, (0, 0, side * 0.050), (0, 0, side * 0.064), 0.041, 'arm_shell')
        _drum(upper, (0, 0, side * 0.064), (0, 0, side * 0.067), 0.031, 'arm_joint')
        _drum(upper, (0, 0, side * 0.067), (0, 0, side * 0.0685), 0.012, 'arm_accent')
        dresser.shell(upper, f'upper_cheek_{"left" if side > 0 else "right"}', (
            Section(0.000, 0.006, 0.0395, 4.0, (-side * 0.057, 0.0)),
            Section(0.050, 0.006, 0.037, 4.0, (-side * 0.057, 0.0)),
            Section(0.095, 0.008, 0.033, 3.4, (-side * 0.044, 0.0))),
               quat=_ALONG_X, edge=0.003)
    dresser.shell(upper, 'upper_arm', (
        Section(0.074, 0.050, 0.031, 4.0), Section(0.105, 0.046, 0.033, 3.2),
        Section(0.170, 0.034, 0.031, 2.8), Section(0.240, 0.031, 0.031, 2.8),
        Section(0.262, 0.031, 0.030, 2.8)), quat=_ALONG_X, edge=0.008)
    dresser.shell(upper, 'upper_inlay', (
        Section(0.110, 0.016, 0.0345, 5.0), Section(0.215, 0.011, 0.0325, 5.0)),
           'arm_joint', quat=_ALONG_X, edge=0.002)
    _drum(upper, (0.28503, 0, -0.031), (0.28503, 0, 0.031), 0.033, 'arm_shell')


def _dress_forearm(dresser: Dresser, links: dict[str, mujoco.MjsBody]) -> None:
    fore, roll, pitch = links['link3'], links['link4'], links['link5']
    for side in (-1.0, 1.0):
        _drum(fore, (0, 0, side * 0.031), (0, 0, side * 0.045), 0.0345, 'arm_joint')
        _drum(fore, (0, 0, side * 0.045), (0, 0, side * 0.0475), 0.025, 'arm_metal')
        _drum(fore, (0, 0, side * 0.0475), (0, 0, side * 0.0485), 0.010, 'arm_accent')
        dresser.shell(fore, f'fore_cheek_{"left" if side > 0 else "right"}', (
            Section(-0.006, 0.030, 0.006, 4.0, (-0.001, side * 0.0385)),
            Section(0.045, 0.029, 0.006, 4.0, (-0.006, side * 0.0385)),
            Section(0.085, 0.027, 0.009, 3.4, (-0.012, side * 0.027))),
               'arm_joint', quat=_ALONG_MINUS_Y, edge=0.003)
    dresser.shell(fore, 'forearm', (
        Section(0.046, 0.027, 0.036, 3.6, (-0.008, 0.0)),
        Section(0.085, 0.029, 0.035, 2.8, (-0.014, 0.0)),
        Section(0.140, 0.028, 0.030, 2.5, (-0.021, 0.0)),
        Section(0.190, 0.0275, 0.0275, 2.1, (-0.02198, 0.0))), quat=_ALONG_MINUS_Y, edge=0.007)
    _drum(roll, (0, 0, -0.0545), (0, 0, -0.0515), 0.0278, 'arm_accent')
    dresser.shell(roll, 'wrist_roll', (
        Section(-0.0505, 0.0275, 0.0275, 2.0), Section(-0.030, 0.0275, 0.0275, 2.2),
        Section(0.000, 0.0255, 0.0285, 2.6), Section(0.012, 0.022, 0.027, 2.6)),
           'arm_joint', edge=0.004)
    for side in (-1.0, 1.0):
        _drum(pitch, (0, 0, side * 0.028), (0, 0, side * 0.039), 0.0265, 'arm_shell')
        _drum(pitch, (0, 0, side * 0.039), (0, 0, side * 0.0405), 0.017, 'arm_joint')
        dresser.shell(pitch, f'wrist_cheek_{"left" if side > 0 else "right"}', (
            Section(0.000, 0.025, 0.005, 4.0, (0.0, side * 0.0335)),
            Section(0.040, 0.025, 0.006, 4.0, (0.0, side * 0.0325))),
               quat=_ALONG_MINUS_Y, edge=0.003)
    dresser.shell(pitch, 'wrist_pitch', (
        Section(0.036, 0.026, 0.036, 3.4), Section(0.055, 0.028, 0.033, 2.4),
        Section(0.078, 0.0285, 0.0285, 2.0)), quat=_ALONG_MINUS_Y, edge=0.004)


def _dress_gripper(dresser: Dresser, link6: mujoco.MjsBody) -> None:
    _drum(link6, (0, 0, -0.009), (0, 0, -0.0055), 0.0288, 'arm_accent')
    _drum(link6, (0, 0, -0.0055), (0, 0, 0.010), 0.0305, 'arm_joint')
    dresser.shell(link6, 'palm', (
        Section(0.012, 0.031, 0.034, 2.3), Section(0.032, 0.031, 0.046, 3.0),
        Section(0.056, 0.030, 0.056, 4.2), Section(0.074, 0.029, 0.057, 5.0)), edge=0.004)
    _block(link6, (0, 0, 0.0815), (0.0225, 0.056, 0.0045), 'arm_joint')
    _block(link6, (0, 0, 0.0862), (0.0035, 0.054, 0.0012), 'arm_metal')
    # The camera, on the side that is up when the gripper points forward.
    _block(link6, (-0.040, 0, 0.030), (0.012, 0.007, 0.012), 'arm_joint')
    dresser.shell(link6, 'camera_housing', (
        Section(-0.014, 0.013, 0.044, 4.0), Section(0.008, 0.013, 0.044, 4.0)), 'arm_joint',
           pos=CAMERA_AT, quat=_CAMERA_HOUSING, edge=0.004)
    for offset in (-0.026, 0.0, 0.026):
        at = np.array(CAMERA_AT) + np.array([0.0, offset, 0.0])
        _drum(link6, tuple(at + 0.010 * CAMERA_AXIS), tuple(at + 0.0135 * CAMERA_AXIS),
              0.0065, 'arm_lens')


def _dress_finger(dresser: Dresser, finger: mujoco.MjsBody, name: str, side: float) -> None:
    turn = (1.0, 0.0, 0.0, 0.0) if side > 0 else (0.0, 0.0, 0.0, 1.0)
    dresser.shell(finger, f'{name}_shell', (
        Section(-0.0473, 0.0140, 0.0085, 5.0, (0.0, 0.0130)),
        Section(-0.0358, 0.0140, 0.0085, 5.0, (0.0, 0.0130)),
        Section(-0.0178, 0.0115, 0.0060, 5.0, (0.0, 0.0100)),
        Section(0.0127, 0.0095, 0.0042, 4.0, (0.0, 0.0078))), 'arm_metal', quat=turn, edge=0.0015)
    _block(finger, (0, side * 0.0018, PAD_AT), (0.0088, 0.0018, PAD_HALF), 'arm_rubber')
    for ridge in np.linspace(-0.75, 0.75, 4):
        _block(finger, (0, side * 0.0001, PAD_AT + ridge * PAD_HALF), (0.0084, 0.0004, 0.0010),
               'arm_joint')


_CAMERA_HOUSING = (np.cos(CAMERA_TILT / 2), 0.0, np.sin(CAMERA_TILT / 2), 0.0)
_ALONG_X = (np.sqrt(0.5), 0.0, np.sqrt(0.5), 0.0)            # shell z to body x
_ALONG_MINUS_Y = (np.sqrt(0.5), np.sqrt(0.5), 0.0, 0.0)      # shell z to body -y
