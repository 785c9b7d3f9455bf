"""Motion since the keyframe, as arrows."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_arseg.spec.frame import MotionField
from edge_arseg.spec.geometry.placement import Placement
from edge_arseg.video.overlay.scale import Scale
from edge_arseg.video.overlay.text.ink import Color, ink

_COLOR: Final[Color] = (255, 255, 255)
_EDGE: Final[Color] = (0, 0, 0)
_STILL: Final = 0.75
"""Pixels of the network's frame: below, a place stands still and has a dot."""


class Arrows:
    """Draws an arrow at places of an even grid, from where the content was in the keyframe to where it is now.

    Args:
        size: rows and columns of the pictures.
        scale: of the picture.
    """

    def __init__(self, size: tuple[int, int], scale: Scale) -> None:
        self._scale = scale
        step = max(8.0, 3.2 * scale.text)
        self._rows, self._columns = (
            ((np.arange(max(1, int(side // step))) + 0.5) * (side / max(1, int(side // step)))).astype(np.intp)
            for side in size
        )

    def draw(self, picture: NDArray[np.uint8], motion: MotionField, placement: Placement) -> None:
        """Draw on ``[H0, W0, 3] uint8``.

        Args:
            picture: that is drawn on, of the size ``placement.source``.
            motion: of the frame.
            placement: of the picture in the frame.
        """
        rows, columns = placement.rows()[self._rows], placement.columns()[self._columns]
        flow = motion.flow[np.ix_(rows.clip(0) // motion.block, columns.clip(0) // motion.block)]
        scale_y, scale_x = placement.source[0] / placement.height, placement.source[1] / placement.width
        unit = max(1.0, 0.075 * self._scale.text)
        for i in range(len(rows)):
            for j in range(len(columns)):
                if rows[i] < 0 or columns[j] < 0:
                    continue
                x, y = float(flow[i, j, 0]), float(flow[i, j, 1])
                tip = float(self._rows[i]), float(self._columns[j])
                still = np.hypot(x, y) < _STILL
                tail = tip if still else (tip[0] + y * scale_y, tip[1] + x * scale_x)
                away, top, left = _arrow(tail, tip, unit)
                for extra, color, share in ((0.8 * unit, _EDGE, 140), (0.0, _COLOR, 255)):
                    mask = (share * (extra + 0.5 - away).clip(0, 1)).astype(np.uint8)
                    ink(picture, mask, top, left, color)


def _arrow(tail: tuple[float, float], tip: tuple[float, float], unit: float) -> tuple[NDArray[np.float64], int, int]:
    """Return how far pixels are outside a line with a head, or a dot where both ends are the same; and where they lie.

    Pixels ``[h, w]``, negative inside; then the row and column of the first one.
    """
    (y0, x0), (y1, x1) = tail, tip
    room = int(np.ceil(5 * unit)) + 2
    top, left = int(np.floor(min(y0, y1))) - room, int(np.floor(min(x0, x1))) - room
    height, width = int(np.ceil(max(y0, y1))) + room - top, int(np.ceil(max(x0, x1))) + room - left
    y, x = np.arange(height)[:, None] + top + 0.5, np.arange(width)[None] + left + 0.5
    length = float(np.hypot(y1 - y0, x1 - x0))
    if length == 0:
        away = np.hypot(y - y1, x - x1) - unit
    else:
        uy, ux = (y1 - y0) / length, (x1 - x0) / length
        along, across = (y - y0) * uy + (x - x0) * ux, np.abs((x - x0) * uy - (y - y0) * ux)
        head = min(4.5 * unit, 0.6 * length + unit)
        shaft = np.hypot(np.maximum(np.maximum(-along, along - (length - head)), 0), across) - 0.55 * unit
        behind = along - length
        point = np.maximum((across * 1.0 + behind * 0.55) / np.hypot(1.0, 0.55), -(behind + head))
        away = np.minimum(shaft, point)
    return away, top, left
