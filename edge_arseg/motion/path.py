"""The way back to one keyframe: its flow, and what that flow is worth."""

from dataclasses import replace

from edge_arseg.motion.accumulate import Accumulator
from edge_arseg.motion.warp_error import WarpError
from edge_arseg.spec.frame import Frame, MotionField


class Path:
    """Follows a source frame by frame, back to one keyframe.

    Args:
        height: of the frames, luma pixels.
        width: of the frames, luma pixels.
        block: side of a flow cell: 2, 4 or 8 luma pixels.

    Raises:
        OptionError: a value is out of range.
    """

    def __init__(self, height: int, width: int, *, block: int) -> None:
        self._accumulator = Accumulator(height, width, block=block)
        self._size = height, width
        # Too small to compare anything.
        self._error = WarpError(height, width, block=block) if min(height, width) >= 2 * block else None

    def follow(self, frame: Frame) -> MotionField:
        """The flow from a frame to the keyframe, with its warp error; a view, see ``Accumulator.field``.

        Frames that bring no pixels of this size (``Frame.rgb``) have no warp error.
        """
        field = self._accumulator.follow(frame)
        if self._error is None or frame.rgb.shape[:2] != self._size:
            return field
        shown = None if frame.placement is None else frame.placement.shown
        return replace(field, warp_error=self._error.of(frame.rgb, field.flow, shown))

    def begin(self, frame: Frame) -> None:
        """Make a frame the keyframe: the one that was followed last, or any where another path followed it."""
        self._accumulator.reset()
        if self._error is not None and frame.rgb.shape[:2] == self._size:
            self._error.key(frame.rgb)
