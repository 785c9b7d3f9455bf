"""A plate with rounded corners that is written on once and laid on many pictures."""

import math
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_arseg.video.overlay.text.font import Font
from edge_arseg.video.overlay.text.ink import Color, ink

PAPER: Color = (16, 18, 22)
INK: Color = (242, 244, 247)
DIM: Color = (176, 182, 192)


@lru_cache(maxsize=64)
def rounded(height: int, width: int, radius: float) -> NDArray[np.uint8]:
    """Return how much of each pixel a rectangle with round corners covers, ``[height, width] uint8``."""
    y, x = np.arange(height)[:, None] + 0.5, np.arange(width)[None] + 0.5
    radius = min(radius, height / 2, width / 2)
    away_y = np.maximum(np.maximum(radius - y, y - (height - radius)), 0)
    away_x = np.maximum(np.maximum(radius - x, x - (width - radius)), 0)
    inside = radius - np.hypot(away_y, away_x) + 0.5
    return (255 * inside.clip(0, 1)).round().astype(np.uint8)


class Plate:
    """Holds colours and how much they cover.

    Args:
        height, width: pixels.
        radius: of the corners, pixels.
        solid: hide the picture; else a quarter of it shines through.
        color: of the plate.
    """

    def __init__(self, height: int, width: int, radius: float, *, solid: bool = False, color: Color = PAPER) -> None:
        self.height, self.width = height, width
        self._solid = solid
        self._corner = math.ceil(radius)
        self._filled: list[tuple[int, int, int, int, Color]] = []
        self._put: list[tuple[Plate, int, int]] = []
        self._color = np.full((height, width, 3), color, np.uint8)
        self._cover = (rounded(height, width, radius) * (1.0 if solid else 0.75)).astype(np.uint8)
        self._ready: tuple[NDArray[Any], NDArray[Any], NDArray[Any]] | None = None

    def ink(self, mask: NDArray[np.uint8], top: int, left: int, color: Color) -> None:
        """Lay a colour where a mask ``[h, w] uint8`` says how much."""
        ink(self._color, mask, top, left, color)
        part = self._cover[max(top, 0) : top + len(mask), max(left, 0) : left + mask.shape[1]]
        own = mask[max(-top, 0) :, max(-left, 0) :][: part.shape[0], : part.shape[1]]
        np.maximum(part, own if self._solid else own - (own >> 2), out=part)

    def fill(self, top: int, left: int, height: int, width: int, color: Color) -> None:
        """Make a rectangle of one colour, through which nothing shines."""
        self._color[top : top + height, left : left + width] = color
        self._filled.append((top, left, height, width, color))

    def put(self, plate: "Plate", top: int, left: int) -> None:
        """Put a plate on this one; it is laid as it is."""
        self._put.append((plate, top, left))

    def write(self, font: Font, text: str, middle: float, left: float, color: Color = INK) -> None:
        """Write a line whose capital letters have their middle in row ``middle``."""
        top = round(middle + font.cap / 2) - font.baseline
        self.ink(font.mask(text), top, round(left), color)

    def lay(self, picture: NDArray[np.uint8], top: int, left: int) -> None:
        """Lay the plate on ``[H, W, 3] uint8``, upper left corner at ``top``, ``left``; cut at the edges."""
        rows, columns = slice(max(top, 0), max(top + self.height, 0)), slice(max(left, 0), max(left + self.width, 0))
        part = picture[rows, columns]
        if not part.size:
            return
        if self._ready is None:
            self._ready = self._made_ready()
        keep, own, quarter = (
            layer[rows.start - top :, columns.start - left :][: part.shape[0], : part.shape[1]] for layer in self._ready
        )
        # Between the corners a quarter of the picture shines through everything, letters too: that is quickly done.
        first = min(max(self._corner - (rows.start - top), 0), len(part))
        last = min(max(self.height - self._corner - (rows.start - top), first), len(part))
        for band in (slice(0, first), slice(last, len(part))):
            mixed = np.multiply(part[band], keep[band], dtype=np.uint16)
            np.right_shift(mixed, 8, out=mixed)
            np.add(mixed, own[band], out=part[band], casting="unsafe")
        middle = part[first:last]
        if self._solid:
            middle[...] = quarter[first:last]
        else:
            np.right_shift(middle, 2, out=middle)
            np.add(middle, quarter[first:last], out=middle)
        for row, column, height, width, color in self._filled:
            y, x = top + row, left + column
            picture[max(y, 0) : max(y + height, 0), max(x, 0) : max(x + width, 0)] = color
        for plate, row, column in self._put:
            plate.lay(picture, top + row, left + column)

    def _made_ready(self) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        """How much of the picture is kept, of 256; what is added to that; what is added to a quarter of it."""
        cover = self._cover.astype(np.uint16)[..., None]
        cover += cover >> 7  # 255 becomes 256: covered whole
        own = np.multiply(self._color, cover) >> 8
        quarter = self._color if self._solid else self._color - (self._color >> 2)
        return np.subtract(256, cover, dtype=np.uint16), own, quarter
