"""Results that nobody wants, for measuring."""

from ...spec.result import SegmentedFrame
from .base import Sink


class NullSink(Sink):
    """Takes results and forgets them."""

    def _write(self, result: SegmentedFrame) -> None:
        del result
