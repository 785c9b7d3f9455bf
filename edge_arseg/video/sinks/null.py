"""Results that nobody wants, for measuring."""

from edge_arseg.spec.frame import SegmentedFrame
from edge_arseg.video.sinks.base import Sink


class NullSink(Sink):
    """Takes results and forgets them."""

    def _write(self, result: SegmentedFrame) -> None:
        del result
