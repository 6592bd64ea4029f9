# SPDX-License-Identifier: Apache-2.0
"""Simulated time without rclpy's following of it.

rclpy takes each tick of /clock in the executor: at 100 Hz 5 to 8 % of a core in every node that
lives in simulated time, most of which never ask what time it is.
"""

from __future__ import annotations

from rclpy.node import Node
from rclpy.parameter import Parameter


def leave_clock(node: Node) -> bool:
    """Stop following /clock; return whether the node was told to live in simulated time.

    From then on the node's own clock is the system's.
    """
    simulated = bool(node.get_parameter('use_sim_time').value)
    if simulated:
        node.set_parameters([Parameter('use_sim_time', value=False)])
    return simulated
