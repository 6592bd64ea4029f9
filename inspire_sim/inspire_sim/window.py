# SPDX-License-Identifier: Apache-2.0
"""MuJoCo's own window on the running world, for people who want to look around."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import mujoco


class NoDisplay(RuntimeError):
    """There is no display to open a window on."""


def require_display(environment: Mapping[str, str] = os.environ) -> None:
    """Raise NoDisplay, with what to do about it, where no display is set."""
    if not environment.get('DISPLAY') and not environment.get('WAYLAND_DISPLAY'):
        raise NoDisplay('viewer_window is true, but neither DISPLAY nor WAYLAND_DISPLAY is set: '
                        'start it in a desktop session, or set viewer_window to false')


class Window:
    """A passive window: it shows what `show` was given last."""

    def __init__(self) -> None:
        """Check for a display. Raises NoDisplay."""
        require_display()
        self._model: mujoco.MjModel | None = None
        self._viewer: Any = None

    def show(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        """Show the state; a new model opens the window again. Does nothing once it was closed."""
        if model is not self._model:
            from mujoco import viewer
            self.close()
            self._model, self._viewer = model, viewer.launch_passive(model, data)
        if self._viewer.is_running():
            self._viewer.sync()

    def close(self) -> None:
        """Close the window."""
        if self._viewer is not None:
            self._viewer.close()
            self._viewer = None
