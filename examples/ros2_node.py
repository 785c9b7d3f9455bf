"""A ROS 2 node that publishes the class map of every frame of a camera's stream.

usage: python examples/ros2_node.py --ros-args -p source:=rtsp://camera/stream -p bundle:=camvid-compact-int8

AR-Seg uses the motion vectors in a camera's H.264 stream, so the node opens the stream itself; pictures of a topic have
none. It publishes ``segmentation/class_map`` (``sensor_msgs/Image``, ``mono8``: a class index for each
pixel of the source's picture) and ``segmentation/classes`` (``std_msgs/String``, JSON names by index, for late
subscribers too).
"""

import json
import sys
from array import array

import rclpy
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, qos_profile_sensor_data
from sensor_msgs.msg import Image
from std_msgs.msg import String

from edge_arseg import SegmentedFrame, Segmenter


class SegmentationNode(Node):
    """Publishes what a ``Segmenter`` yields.

    Parameters of the node: ``source``, what ``run`` takes; ``bundle``, empty for the fastest in the package;
    ``frame_id``, of the camera.
    """

    def __init__(self) -> None:
        super().__init__("edge_arseg")
        self._source = self.declare_parameter("source", "0").value
        self._frame_id = self.declare_parameter("frame_id", "camera").value
        self._segmenter = Segmenter(self.declare_parameter("bundle", "").value or None)
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self._maps = self.create_publisher(Image, "segmentation/class_map", qos_profile_sensor_data)
        self._classes = self.create_publisher(String, "segmentation/classes", latched)
        names = [info.name for info in self._segmenter.bundle.manifest.model.classes]
        self._classes.publish(String(data=json.dumps(names)))

    def run(self) -> int:
        """Publish until the source ends or ROS is shut down; return the number of frames."""
        count = 0
        with self._segmenter:
            for result in self._segmenter.stream(self._source):
                if not rclpy.ok():
                    break
                self._maps.publish(self._message(result))
                count += 1
        return count

    def _message(self, result: SegmentedFrame) -> Image:
        shown = result.at_source()
        message = Image()
        message.header.stamp = self.get_clock().now().to_msg()
        message.header.frame_id = self._frame_id
        message.height, message.width = shown.shape
        message.encoding, message.is_bigendian, message.step = "mono8", 0, shown.shape[1]
        message.data = array("B", shown.tobytes())  # rclpy checks every byte of other types in Python
        return message


def main(arguments: list[str]) -> None:
    """Run the node."""
    rclpy.init(args=arguments)
    node = SegmentationNode()
    try:
        print(f"{node.run()} frames published")
    finally:
        node.destroy_node()
        rclpy.try_shutdown()


if __name__ == "__main__":
    main(sys.argv)
