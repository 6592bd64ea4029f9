# SPDX-License-Identifier: Apache-2.0
"""The five ways to ask where an object is: the question's text and the closed set of answers.

Texts and answers are those of the paper InSpire (the authors' templates, character by character),
without their `close` and with the paper's word `grasped`. The object's phrase brings its own
article: "the blue cup".
"""

from __future__ import annotations

from enum import StrEnum

GRASPED = 'grasped'


class Formulation(StrEnum):
    """One way to ask; its value is the name used in messages and on the command line."""

    DIRECTION = 'direction'
    DIRECTION_3D = 'direction_3d'
    PROXIMITY = 'proximity'
    LOCATION_3D = 'location_3d'
    DISTANCE = 'distance'


TEMPLATES = {
    Formulation.DIRECTION: 'In which direction is {} relative to the robot?',
    Formulation.DIRECTION_3D: 'In which direction is {} relative to the robot? x, y, z:',
    Formulation.PROXIMITY: 'What is the distance between the robot and {}?',
    Formulation.LOCATION_3D: 'What is the accurate position of {} relative to the robot? x, y, z:',
    Formulation.DISTANCE: 'What is the accurate distance between the robot and {}?',
}

_DECIMETRES = '|'.join(str(value) for value in range(-9, 10))

# What SpatialQuestion.options holds. Of the two formulations whose answers are a product the
# positions are listed, then the one answer that stands alone.
OPTIONS = {
    Formulation.DIRECTION: ('left', 'right', 'up', 'down', 'front', 'back', GRASPED),
    Formulation.DIRECTION_3D: ('front|back', 'right|left', 'up|down', GRASPED),
    Formulation.PROXIMITY: ('near', 'middle', 'far', GRASPED),
    Formulation.LOCATION_3D: (_DECIMETRES, _DECIMETRES, _DECIMETRES, GRASPED),
    Formulation.DISTANCE: (*(str(value) for value in range(10)), GRASPED),
}


def formulation(name: str) -> Formulation:
    """The formulation of that name.

    Raises ValueError, naming the formulations, for another name.
    """
    try:
        return Formulation(name)
    except ValueError:
        valid = ', '.join(each.value for each in Formulation)
        raise ValueError(f"there is no formulation '{name}'; formulations: {valid}") from None
