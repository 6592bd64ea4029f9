# SPDX-License-Identifier: Apache-2.0
"""Parameters of the node `viewer`."""

from __future__ import annotations

from dataclasses import dataclass, field

from inspire_labeler.viewer import VIEWERS


@dataclass(frozen=True)
class ViewerParameters:
    """Which viewer's left is left."""

    viewer: str = field(
        default='libero',
        metadata={
            'description': 'Preset of the viewer: opposite the robot (libero), or at its '
            'right-hand side (piper_real).',
            'choices': tuple(VIEWERS),
        },
    )
