# SPDX-License-Identifier: Apache-2.0
"""The viewer node: broadcasts where the viewer stands, base_link -> viewer, once and for all.

What holds at every time needs no clock.
"""

from geometry_msgs.msg import Quaternion, TransformStamped
from rclpy.node import Node

from inspire_bringup.viewer_parameters import ViewerParameters
from inspire_labeler.viewer import Viewer, viewer
from piper_driver.parameters import declare
from piper_driver.qos import LATCHED
from piper_driver.ros_time import leave_clock
from piper_driver.spinning import run
from tf2_msgs.msg import TFMessage

BASE = 'base_link'
FRAME = 'viewer'


class ViewerNode(Node):
    """Holds the latched transform; does nothing else."""

    def __init__(self) -> None:
        super().__init__('viewer')
        leave_clock(self)
        parameters = declare(self, ViewerParameters)
        self._publisher = self.create_publisher(TFMessage, '/tf_static', LATCHED)
        self._publisher.publish(TFMessage(transforms=[transform(viewer(parameters.viewer))]))


def transform(preset: Viewer) -> TransformStamped:
    """Return the pose of the viewer's frame in base_link; static, so without a time."""
    message = TransformStamped(child_frame_id=FRAME)
    message.header.frame_id = BASE
    x, y, z, w = preset.quaternion_viewer_in_base
    message.transform.rotation = Quaternion(x=x, y=y, z=z, w=w)
    return message


def main() -> int:
    return run(ViewerNode)
