"""How much of each pixel an outline covers."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

_LINES_OF_CURVE: Final = 6
_ROWS_OF_PIXEL: Final = 5


def lines_from_curves(curves: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ``[M, 4]`` lines ``x0, y0, x1, y1`` along quadratic curves ``[N, 6]``: start, control, end."""
    t = np.linspace(0, 1, _LINES_OF_CURVE + 1)[:, None, None]
    start, control, end = curves[:, 0:2], curves[:, 2:4], curves[:, 4:6]
    points = (1 - t) ** 2 * start + 2 * t * (1 - t) * control + t**2 * end
    return np.concatenate([points[:-1], points[1:]], -1).reshape(-1, 4)


def coverage(lines: NDArray[np.float64], height: int, width: int) -> NDArray[np.uint8]:
    """Return the share of each pixel inside closed outlines, ``[height, width] uint8``, 255 for all of it.

    Exact along rows, sampled in five places down a pixel. What lies left or right of the picture is cut off.

    Args:
        lines: of the outlines, ``[N, 4]``: x0, y0, x1, y1, pixels, y down; inside is where the winding is not zero.
        height, width: of the picture, pixels.
    """
    places = (np.arange(height * _ROWS_OF_PIXEL) + 0.5) / _ROWS_OF_PIXEL
    x0, y0, x1, y1 = lines.T
    crossed = (places[:, None] >= np.minimum(y0, y1)) & (places[:, None] < np.maximum(y0, y1))
    row, line = np.nonzero(crossed)
    x = x0[line] + (places[row] - y0[line]) * ((x1 - x0) / np.where(y1 == y0, 1, y1 - y0))[line]
    x = x.clip(0, width)
    sign = np.where(y1 > y0, 1.0, -1.0)[line]
    column = x.astype(np.intp)
    part = x - column
    wide = width + 2
    at = row * wide + column
    changes = np.bincount(at, sign * (1 - part), len(places) * wide)
    changes += np.bincount(at + 1, sign * part, len(places) * wide)
    inside = np.abs(np.cumsum(changes.reshape(-1, wide), 1))[:, :width].clip(0, 1)
    return (255 * inside.reshape(height, _ROWS_OF_PIXEL, width).mean(1)).round().astype(np.uint8)
