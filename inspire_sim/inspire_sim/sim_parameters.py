# SPDX-License-Identifier: Apache-2.0
"""Parameters of the sim node."""

from dataclasses import dataclass, field
from math import pi

from piper_driver.parameters import described

SIMULATED, CAN_EMULATOR = 'simulated', 'can-emulator'
GUIDED, LEADER = 'can-guided', 'can-leader'
ARMS = (SIMULATED, CAN_EMULATOR, GUIDED, LEADER)


@dataclass(frozen=True)
class SimParameters:
    """What world is simulated, how fast, and through which cameras it is seen."""

    task: str = field(default='pick_ball', metadata=described(
        'task id or instruction to begin with; reset_world changes it'))
    seed: int = field(default=0, metadata=described(
        'seed of everything random in the world', lower=0, upper=2**32 - 1))
    viewer_yaw: float = field(default=0.0, metadata=described(
        'turn of the viewer frame about base_link z [rad]: 0 opposite the robot (libero), '
        '-pi/2 at its right side (piper_real)', lower=-pi, upper=pi))
    real_time_factor: float = field(default=1.0, metadata=described(
        'simulated per wall time; 0: as fast as possible', lower=0.0, upper=100.0))
    image_width: int = field(default=224, metadata=described(
        'width of the camera images [pixels]', lower=16, upper=640))
    image_height: int = field(default=224, metadata=described(
        'height of the camera images [pixels]', lower=16, upper=480))
    camera_rate: float = field(default=30.0, metadata=described(
        'images of each camera per simulated second; 0: none', lower=0.0, upper=60.0))
    viewer_window: bool = field(default=False, metadata=described(
        "open MuJoCo's window; needs a display"))
    arm: str = field(default=SIMULATED, metadata=described(
        'simulated: with its driver in this process; can-emulator: on an emulated CAN bus, for '
        'the driver of a real arm; can-guided, can-leader: the same, moved past that driver, by a '
        'hand on the arm or on a leader arm, which does what is commanded in the namespace hand',
        choices=ARMS))

    def __post_init__(self) -> None:
        """Raise ValueError for a pace that a driver of hardware cannot follow."""
        if self.arm != SIMULATED and self.real_time_factor != 1.0:
            raise ValueError(f'real_time_factor is {self.real_time_factor}; with arm '
                             f'{self.arm} valid is 1.0: a real arm has no other pace')
