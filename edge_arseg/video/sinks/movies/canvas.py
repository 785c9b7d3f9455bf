"""Pictures and class maps of any size on a canvas of one size, as a video needs them."""

from dataclasses import replace

import av
import numpy as np
from numpy.typing import NDArray

from edge_arseg.spec.frame import SegmentedFrame
from edge_arseg.spec.geometry.enlargement import nearest_map
from edge_arseg.spec.geometry.placement import NO_CLASS, FitKind, placement_of
from edge_arseg.video.decoding.orientation import UPRIGHT
from edge_arseg.video.overlay.drawing import picture_of
from edge_arseg.video.rgb import Arrays, upright_rgb


class Canvas:
    """Brings every result of a source to the size of the first, also where the source changes its size on the way.

    A picture of another shape keeps it, between two black bars of no class.

    Args:
        size: rows and columns.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        self._size = size
        self._pictures, self._map = Arrays(1), np.empty(size, np.uint8)

    def filled(self, result: SegmentedFrame) -> SegmentedFrame:
        """Return a result whose ``frame.picture`` and ``at_source()`` have the size; the next call may overwrite both.

        It is the given one where they have it already. Where no picture was made, ``frame.rgb`` stands for it.
        """
        picture, class_map = picture_of(result)
        if picture.shape[:2] != self._size:
            picture, class_map = self._fitted(picture, class_map)
        elif result.frame.picture is not None:
            return result
        return replace(result, frame=replace(result.frame, picture=picture), source_map=lambda: class_map)

    def _fitted(
        self, picture: NDArray[np.uint8], class_map: NDArray[np.uint8]
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        height, width = class_map.shape
        placement = placement_of((height, width), self._size, FitKind.LETTERBOX)
        top, left, height, width = placement.shown
        pixels = upright_rgb(av.VideoFrame.from_ndarray(picture, format="rgb24"), (height, width), UPRIGHT)
        self._map[...] = NO_CLASS
        stretched = placement_of((height, width), (class_map.shape[0], class_map.shape[1]))
        self._map[top : top + height, left : left + width] = nearest_map(class_map, stretched)
        return self._pictures.placed(pixels, placement), self._map
