# SPDX-License-Identifier: Apache-2.0
"""Quality of service by intent, so that both ends of a topic say the same word."""

from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy


def _profile(depth: int, reliable: bool = True, latched: bool = False) -> QoSProfile:
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=depth,
        reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE)


# Measurements and images. Reliable at the publisher, so that a recorder loses nothing and a
# best-effort reader still matches.
SENSOR = _profile(10)
# The same at 200 Hz: a second of it, for a reader (a recorder) that is late on a busy machine.
STATE = _profile(200)
# Set-points: only the newest one matters, an old one must not queue behind it.
COMMAND = _profile(1)
# What a late-comer must know: the instruction, the robot's description.
LATCHED = _profile(1, latched=True)
# Single happenings, each of which matters.
EVENT = _profile(10)
# Transforms, as tf2 has them; static ones stay for late-comers. Each publisher keeps its last
# message, so who subscribes gets one from every publisher at once and must have room for all.
TF = _profile(100)
TF_STATIC = _profile(1, latched=True)
TF_STATIC_OF_ALL = _profile(100, latched=True)
# Time: a late clock message is worse than a lost one.
CLOCK = _profile(1, reliable=False)
