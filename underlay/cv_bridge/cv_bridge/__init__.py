# SPDX-License-Identifier: Apache-2.0
"""Images between ROS and numpy: the part of cv_bridge that this project uses, by its names.

Built only where the ROS installation lacks cv_bridge, or has one that its Python cannot use.
"""

from cv_bridge.core import CvBridge, CvBridgeError

__all__ = ['CvBridge', 'CvBridgeError']
