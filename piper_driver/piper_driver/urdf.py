# SPDX-License-Identifier: Apache-2.0
"""The arm's URDF, generated from the same tables as the kinematics, with primitives for shapes.

Good enough to see the arm in RViz and to plan with. The fingers' joints (`joint7`, `joint8`) each
move half of the gripper's width; their links have link6's axes.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import atan2, cos, hypot, pi, sin
from xml.etree import ElementTree

from piper_driver.kinematics import DH, FINGER_OFFSET, LINK_NAMES, TCP_OFFSET
from piper_driver.limits import JOINT_NAMES, PIPER, Limits
from piper_driver.pose import Vector

# link: (shape, size [m], centre [m], rpy [rad], material); boxes x y z, cylinders radius length
_SHAPES = {
    'base_link': (('cylinder', (0.065, 0.09), (0, 0, 0.045), (0, 0, 0), 'dark'),),
    'link1': (('cylinder', (0.05, 0.075), (0, 0, 0.005), (0, 0, 0), 'light'),),
    'link2': (('cylinder', (0.045, 0.10), (0, 0, 0), (0, 0, 0), 'dark'),
              ('box', (0.285, 0.06, 0.06), (0.1425, 0, 0), (0, 0, 0), 'light')),
    'link3': (('cylinder', (0.04, 0.09), (0, 0, 0), (0, 0, 0), 'dark'),
              ('box', (0.05, 0.22, 0.05), (-0.022, -0.12, 0), (0, 0, 0), 'light')),
    'link4': (('cylinder', (0.032, 0.07), (0, 0, 0), (pi / 2, 0, 0), 'dark'),),
    'link5': (('cylinder', (0.032, 0.06), (0, -0.045, 0), (pi / 2, 0, 0), 'light'),),
    'link6': (('cylinder', (0.03, 0.03), (0, 0, 0.005), (0, 0, 0), 'dark'),
              ('box', (0.05, 0.12, 0.06), (0, 0, 0.05), (0, 0, 0), 'light')),
    'link7': (('box', (0.02, 0.01, 0.06), (0, -0.005, -0.025), (0, 0, 0), 'dark'),),
    'link8': (('box', (0.02, 0.01, 0.06), (0, 0.005, -0.025), (0, 0, 0), 'dark'),),
    'tcp': (),
}
_COLOURS = {'light': '0.80 0.82 0.86 1', 'dark': '0.18 0.19 0.21 1'}
_EFFORT = 30.0          # [N m], [N]: what planners want to see; the driver limits no torque


def robot_description(limits: Limits = PIPER) -> str:
    """Return the URDF as a string."""
    robot = ElementTree.Element('robot', name='piper')
    for name, colour in _COLOURS.items():
        material = ElementTree.SubElement(robot, 'material', name=name)
        ElementTree.SubElement(material, 'color', rgba=colour)
    for link in _SHAPES:
        _add_link(robot, link)
    parent = 'base_link'
    for index, (child, (alpha, a, offset, d)) in enumerate(zip(LINK_NAMES, DH, strict=True)):
        joint = _add_joint(robot, JOINT_NAMES[index], 'revolute', parent, child,
                           (a, -sin(alpha) * d, cos(alpha) * d), _rpy(alpha, offset))
        _add_axis(joint, (0, 0, 1), limits.lower[index], limits.upper[index],
                  limits.velocity[index])
        parent = child
    _add_joint(robot, 'tcp_joint', 'fixed', 'link6', 'tcp', (0, 0, TCP_OFFSET))
    for name, child, side in (('joint7', 'link7', -1), ('joint8', 'link8', 1)):
        joint = _add_joint(robot, name, 'prismatic', 'link6', child, (0, 0, FINGER_OFFSET))
        _add_axis(joint, (0, side, 0), limits.gripper_lower / 2, limits.gripper_upper / 2,
                  limits.gripper_speed / 2)
    ElementTree.indent(robot)
    return '<?xml version="1.0"?>\n' + ElementTree.tostring(robot, encoding='unicode') + '\n'


def _rpy(alpha: float, offset: float) -> Vector:
    """Return roll, pitch, yaw (R = Rz Ry Rx) of Rx(alpha) Rz(offset)."""
    sa, ca, so, co = sin(alpha), cos(alpha), sin(offset), cos(offset)
    pitch = atan2(-sa * so, hypot(co, ca * so))
    return atan2(sa * co, ca), pitch, atan2(ca * so, co)


def _add_link(robot: ElementTree.Element, name: str) -> None:
    link = ElementTree.SubElement(robot, 'link', name=name)
    for shape, size, centre, rpy, material in _SHAPES[name]:
        for purpose in ('visual', 'collision'):
            part = ElementTree.SubElement(link, purpose)
            ElementTree.SubElement(part, 'origin', xyz=_text(centre), rpy=_text(rpy))
            geometry = ElementTree.SubElement(part, 'geometry')
            if shape == 'box':
                ElementTree.SubElement(geometry, 'box', size=_text(size))
            else:
                ElementTree.SubElement(geometry, shape, radius=_text(size[:1]),
                                       length=_text(size[1:]))
            if purpose == 'visual':
                ElementTree.SubElement(part, 'material', name=material)


def _add_joint(robot: ElementTree.Element, name: str, kind: str, parent: str, child: str,
               xyz: Sequence[float], rpy: Sequence[float] = (0, 0, 0)) -> ElementTree.Element:
    joint = ElementTree.SubElement(robot, 'joint', name=name, type=kind)
    ElementTree.SubElement(joint, 'parent', link=parent)
    ElementTree.SubElement(joint, 'child', link=child)
    ElementTree.SubElement(joint, 'origin', xyz=_text(xyz), rpy=_text(rpy))
    return joint


def _add_axis(joint: ElementTree.Element, axis: Sequence[float], lower: float, upper: float,
              velocity: float) -> None:
    ElementTree.SubElement(joint, 'axis', xyz=_text(axis))
    ElementTree.SubElement(joint, 'limit', lower=_text((lower,)), upper=_text((upper,)),
                           velocity=_text((velocity,)), effort=_text((_EFFORT,)))


def _text(values: Sequence[float]) -> str:
    return ' '.join(f'{value:.9g}' for value in values)
