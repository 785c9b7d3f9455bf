"""Motion since the keyframe, as arrows."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_arseg.spec.frame import MotionField
from edge_arseg.spec.geometry.placement import Placement
from edge_arseg.video.overlay.scale import Scale
from edge_arseg.video.overlay.text.ink import Color

_COLOR: Final[Color] = (255, 255, 255)
_EDGE: Final[Color] = (0, 0, 0)
_STILL: Final = 0.75
"""Pixels of the network's frame: below, a place stands still and has a dot."""
_STEP: Final = 0.5
"""Pixels of the picture that lengths of arrows are rounded to."""


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
        marks: tuple[list[_Marks], list[_Marks]] = [], []
        for i in range(len(rows)):
            for j in range(len(columns)):
                if rows[i] < 0 or columns[j] < 0:
                    continue
                x, y = float(flow[i, j, 0]), float(flow[i, j, 1])
                still = x * x + y * y < _STILL**2
                way = (0, 0) if still else (round(y * scale_y / _STEP), round(x * scale_x / _STEP))
                for found, arrow in zip(marks, _marks(way, unit), strict=True):
                    found.append(arrow.at(self._rows[i], self._columns[j]))
        for found, color in zip(marks, (_EDGE, _COLOR), strict=True):
            _lay(picture, found, color)


@dataclass(frozen=True, slots=True)
class _Marks:
    """Pixels that are coloured, ``[N]`` each: row, column, and how much of the colour, 1 to 255."""

    row: NDArray[np.intp]
    column: NDArray[np.intp]
    much: NDArray[np.int32]

    def at(self, row: int, column: int) -> "_Marks":
        return _Marks(self.row + row, self.column + column, self.much)


@lru_cache(maxsize=1024)
def _marks(way: tuple[int, int], unit: float) -> tuple[_Marks, _Marks]:
    """Return the edge of an arrow and the arrow, for a tail ``way`` steps from the tip, which is at 0, 0.

    Most places of a picture move as others do, so that few arrows are new.
    """
    away, top, left = _arrow((way[0] * _STEP, way[1] * _STEP), (0.0, 0.0), unit)
    found = []
    for extra, share in ((0.8 * unit, 140), (0.0, 255)):
        much = (share * (extra + 0.5 - away).clip(0, 1)).astype(np.int32)
        row, column = np.nonzero(much)
        found.append(_Marks(row + top, column + left, much[row, column]))
    return found[0], found[1]


def _lay(picture: NDArray[np.uint8], marks: Sequence[_Marks], color: Color) -> None:
    """Lay a colour on a picture, all marks at once: ``ink`` for hundreds of small masks takes ten times as long."""
    if not marks:
        return
    row, column, much = (np.concatenate([getattr(one, name) for one in marks]) for name in ("row", "column", "much"))
    inside = (row >= 0) & (row < picture.shape[0]) & (column >= 0) & (column < picture.shape[1])
    row, column, much = row[inside], column[inside], much[inside, None]
    part = picture[row, column].astype(np.int32)
    picture[row, column] = part + ((np.array(color, np.int32) - part) * much + 127) // 255


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
