"""Block vectors in the pixels of the picture that is delivered: scaled, mirrored, turned and moved like the picture."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_arseg.spec.frame import VECTOR_DTYPE


@dataclass(frozen=True, slots=True)
class Fit:
    """How a coded picture becomes the delivered one: scaled to ``height`` x ``width``, then mirrored, turned and moved.

    Attributes:
        height: after scaling and before turning, pixels.
        width: after scaling and before turning, pixels.
        turns: quarter turns, counter-clockwise, 0 to 3.
        mirrored: left and right change places, before the turns.
        top, left: where the upper left corner of the upright picture lies in the frame, pixels; may be negative.
    """

    height: int
    width: int
    turns: int
    mirrored: bool = False
    top: int = 0
    left: int = 0

    def vectors(self, vectors: NDArray[np.void] | None, coded_height: int, coded_width: int) -> NDArray[np.void] | None:
        """``[N]`` of ``VECTOR_DTYPE`` in pixels of a coded picture, in pixels of the delivered one.

        Edges of blocks are rounded, so neighbours still touch; blocks thinner than half a pixel vanish.
        """
        scale_x, scale_y = self.width / coded_width, self.height / coded_height
        turned = self.turns or self.mirrored or self.top or self.left
        if vectors is None or (scale_x == scale_y == 1 and not turned):
            return vectors
        left, right = _edges(vectors["x"], vectors["width"], scale_x)
        top, bottom = _edges(vectors["y"], vectors["height"], scale_y)
        flow_x, flow_y = vectors["flow_x"] * np.float32(scale_x), vectors["flow_y"] * np.float32(scale_y)
        height, width = self.height, self.width
        if self.mirrored:
            left, right, flow_x = width - right, width - left, -flow_x
        for _ in range(self.turns):
            left, right, top, bottom = top, bottom, width - right, width - left
            flow_x, flow_y = flow_y, -flow_x
            height, width = width, height
        fitted = np.empty(len(vectors), VECTOR_DTYPE)
        fitted["width"], fitted["height"] = right - left, bottom - top
        fitted["x"] = left + (right - left) // 2 + self.left
        fitted["y"] = top + (bottom - top) // 2 + self.top
        fitted["flow_x"], fitted["flow_y"] = flow_x, flow_y
        return fitted


def _edges(centre: NDArray[Any], size: NDArray[Any], scale: float) -> tuple[NDArray[Any], NDArray[Any]]:
    low = centre.astype(np.int32) - (size >> 1)
    return np.rint(low * scale).astype(np.int32), np.rint((low + size) * scale).astype(np.int32)
