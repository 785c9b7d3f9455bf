"""Decoded pictures to upright RGB, in arrays that are used again."""

from collections import deque

import av
import numpy as np
from numpy.typing import NDArray

from edge_arseg.spec.geometry.placement import Placement
from edge_arseg.video.decoding.orientation import Orientation
from edge_arseg.video.matrix import has_matrix

BAR = 0
"""Level of the bars beside a letterboxed picture: black, as in films that have bars."""

_RGB_FORMATS = ("rgb", "bgr", "gbr", "pal", "argb", "abgr")
_GREY_FORMATS = ("gray", "ya")
_AS_SAID = int(av.__version__.partition(".")[0]) >= 17
"""PyAV converts by the matrix and the range that a picture says; before 17 it took each for BT.601 from 16 to 235."""
_FULL, _LIMITED = 2, 1  # of FFmpeg's ranges
_BT709, _BT601 = 1, 5  # of its matrices


def resized(frame: av.VideoFrame, height: int, width: int) -> av.VideoFrame:
    """Scaled in the cheaper colour space: RGB stays RGB, everything else passes through 4:2:0.

    Bilinear: scaling 4:2:0 and then converting takes 2.0 ms at 960x720, scaling to RGB at once 2.5 ms, bicubic 5.
    """
    frame = _with_chroma(frame)
    if (frame.height, frame.width) == (height, width):
        return frame
    kind = "rgb24" if frame.format.name.startswith(_RGB_FORMATS) else "yuv420p"
    if _AS_SAID:
        return frame.reformat(width, height, kind, interpolation="BILINEAR")
    ranges = {"src_color_range": _range(frame), "dst_color_range": _LIMITED} if has_matrix(frame) else {}
    scaled = frame.reformat(width, height, kind, interpolation="BILINEAR", **ranges)
    scaled.colorspace, scaled.color_range = frame.colorspace, _LIMITED
    return scaled


def _with_chroma(frame: av.VideoFrame) -> av.VideoFrame:
    """A grey picture of limited range as one whose colours are grey: FFmpeg takes all grey for one of full range.

    Other pictures are returned as they are.
    """
    if int(frame.color_range) != _LIMITED or not frame.format.name.startswith(_GREY_FORMATS):
        return frame
    # The same range on both sides, so that luma stays what it is.
    coloured = frame.reformat(format="yuv420p", src_color_range=_FULL, dst_color_range=_FULL)
    coloured.color_range = _LIMITED
    return coloured


def _rgb(frame: av.VideoFrame) -> av.VideoFrame:
    """A picture as RGB of its size."""
    if _AS_SAID or not has_matrix(frame):
        return frame.reformat(format="rgb24")
    # This PyAV looks at the matrix of the picture only where that of the result is another. RGB has none: any will do.
    matrix = int(frame.colorspace)
    other = _BT601 if matrix == _BT709 else _BT709
    return frame.reformat(format="rgb24", src_colorspace=matrix, dst_colorspace=other, src_color_range=_range(frame))


def _range(frame: av.VideoFrame) -> int:
    return _FULL if int(frame.color_range) == _FULL or frame.format.name.startswith("yuvj") else _LIMITED


def upright_rgb(frame: av.VideoFrame, size: tuple[int, int], orientation: Orientation) -> NDArray[np.uint8]:
    """A picture scaled to ``size`` as shown, ``[*size, 3] uint8``; a view that keeps what it needs alive."""
    return orientation.shown(_pixels(_rgb(resized(frame, *orientation.sides(*size)))))


class Arrays:
    """Arrays of RGB that are given out in turn; what was in the oldest is overwritten.

    Args:
        count: of the arrays; 0: a new one each time.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._given: deque[NDArray[np.uint8]] = deque()
        self._barred: dict[int, Placement] = {}

    def filled(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """An array with these pixels, ``[H, W, 3] uint8``, contiguous."""
        array = self._next(pixels.shape[:2])
        self._barred.pop(id(array), None)
        np.copyto(array, pixels)
        return array

    def placed(self, pixels: NDArray[np.uint8], placement: Placement) -> NDArray[np.uint8]:
        """An array of a frame with these pixels of the scaled picture where they belong, and bars around them."""
        if placement.whole:
            return self.filled(pixels)
        array = self._next(placement.frame)
        if self._barred.get(id(array)) != placement:
            array[...] = BAR
            if self._count:
                self._barred[id(array)] = placement
        top, left, height, width = placement.in_frame
        inside = pixels[top - placement.top :, left - placement.left :][:height, :width]
        np.copyto(array[top : top + height, left : left + width], inside)
        return array

    def _next(self, size: tuple[int, ...]) -> NDArray[np.uint8]:
        if self._given and self._given[0].shape[:2] != size:
            self._given.clear()  # a source may change its size
            self._barred.clear()
        if len(self._given) < self._count or not self._count:
            array = np.empty((*size, 3), np.uint8)
        else:
            array = self._given.popleft()
        if self._count:
            self._given.append(array)
        return array


def _pixels(picture: av.VideoFrame) -> NDArray[np.uint8]:
    """``[H, W, 3]``, a view of a picture that is RGB already."""
    plane = picture.planes[0]
    lines = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    return lines[: picture.height, : 3 * picture.width].reshape(picture.height, picture.width, 3)
