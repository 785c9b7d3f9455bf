"""What draws the overlays of a run in a thread, and hands on the pictures."""

from collections.abc import Callable
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from edge_arseg.spec.frame import SegmentedFrame
from edge_arseg.video.overlay.drawing import Overlay
from edge_arseg.video.pixel_shape import SQUARE
from edge_arseg.video.sinks.encoding_thread import EncodingThread
from edge_arseg.video.sinks.look import Look
from edge_arseg.video.sinks.movies.canvas import Canvas
from edge_arseg.video.sinks.movies.result_copy import ResultCopy


class DrawnThread:
    """Draws results in a thread while the next ones are made; where it falls behind, ``write`` waits.

    Args:
        look: of the results.
        encode: called in the thread with each overlay, ``[H, W, 3] uint8`` RGB, its time in seconds, and the width of
            its pixels over their height.

    Attributes:
        shape: rows and columns of the overlays.
        thread: that draws.
    """

    def __init__(self, look: Look, encode: Callable[[NDArray[np.uint8], float, Fraction], None]) -> None:
        self._size, self._canvas = look.size, Canvas(look.size)
        overlay = Overlay(look.size, look.classes, look.style)
        self.shape = overlay.shape

        # the thread alone holds what it calls, and lets go of it at the end: the owner of ``encode`` owns this too
        def draw(copy: ResultCopy) -> None:
            frame = copy.result.frame
            pixel = SQUARE if frame.placement is None else frame.placement.pixel
            encode(overlay.draw(copy.result), frame.time_s, pixel)

        self.thread = EncodingThread(ResultCopy, draw)
        self._begun = False

    def write(self, result: SegmentedFrame) -> None:
        """Hand over one result; a picture of another size is fitted into the first one's."""
        copy, picture = self.thread.room(), result.frame.picture
        if picture is not None and picture.shape[:2] == self._size:
            copy.take(result)  # its class map is enlarged by the thread
        else:
            fitting = self._canvas.filled(result)
            copy.take(fitting, fitting.at_source())
        self.thread.write(copy)

    def write_to_file(self, result: SegmentedFrame) -> None:
        """Hand over one result, and wait for the first: what is wrong with the place of a file is said at once."""
        self.write(result)
        if not self._begun:
            self.thread.wait()
            self._begun = True
