# SPDX-License-Identifier: Apache-2.0
"""Driver of the AgileX PiPER arm: kinematics, limits, controller and the node around them."""
