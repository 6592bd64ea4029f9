# SPDX-License-Identifier: Apache-2.0
"""A goal that is told once, made the stream that the controller wants.

AgileX' drivers take joints as goals: a tool sends them once, or now and then, and waits. Here a
stream that ends is a dead commander, so the goal is repeated until the arm is there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from piper_driver.limits import GRIPPER_NAME, JOINT_NAMES

PATIENCE = 30.0             # after which a goal that was not reached is given up [s]
_THERE = {GRIPPER_NAME: 0.002}      # this near a joint has arrived [rad, m]
_THERE_JOINT = 0.005
_NAMES = (*JOINT_NAMES, GRIPPER_NAME)


class Goal:
    """Joints [rad] and gripper [m] by name, to be commanded until they are reached."""

    def __init__(self) -> None:
        """Begin without one."""
        self._wanted: dict[str, float] = {}
        self._since = 0.0

    def __bool__(self) -> bool:
        """Whether there is one."""
        return bool(self._wanted)

    def aim(self, names: Sequence[str], positions: Sequence[float], now: float
            ) -> tuple[list[str], list[float]]:
        """Take a goal at `now` [s] and return it; without names positions are those of all joints.
        """
        chosen = list(names) or list(_NAMES[:len(positions)])
        self._wanted, self._since = dict(zip(chosen, positions, strict=False)), now
        return chosen, list(positions)

    def forget(self) -> None:
        """Have none any more."""
        self._wanted = {}

    def wanted(self, measured: Mapping[str, float], now: float) -> dict[str, float]:
        """Return what to command at `now` [s]; nothing once it is reached, or given up."""
        arrived = all(abs(value - measured[name]) < _THERE.get(name, _THERE_JOINT)
                      for name, value in self._wanted.items())
        if arrived or now - self._since > PATIENCE:
            self.forget()
        return self._wanted
