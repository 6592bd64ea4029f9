# SPDX-License-Identifier: Apache-2.0
"""Parameters of the driver node."""

from dataclasses import dataclass, field

from piper_driver.parameters import described


@dataclass(frozen=True)
class DriverParameters:
    """What a user may decide about the driver; the arm's limits are not among it."""

    watchdog: float = field(default=0.08, metadata=described(
        'silence after which a command stream counts as dead and the arm holds [s]', 0.02, 0.2))
    tracking_error: float = field(default=0.2, metadata=described(
        'how far a joint may be off its set-point before the arm lets go [rad]', 0.02, 1.0))
    tracking_time: float = field(default=0.5, metadata=described(
        'and for how long [s]', 0.05, 5.0))
    stop: str = field(default='hold', metadata=described(
        'what the service stop does: brake and hold the pose, or the emergency stop of the arm',
        choices=('hold', 'emergency')))
    enable_at_start: bool = field(default=True, metadata=described(
        'power the motors when the node starts; they hold where they are'))
