"""Lines along the borders of regions."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

EDGE: Final = 4
"""Pixels along the edges of the picture that have no lines; at least the width of the widest line."""


class Contours:
    """Draws lines along borders, in a light shade of the class on either side.

    Args:
        size: rows and columns of the pictures.
        colors: ``[256, 3] uint8`` by class index.
        width: of a line, pixels.

    Attributes:
        colors: ``[256, 3] uint8``, of the line in a class.
        width: of a line, pixels; 0 where the picture is too small for lines.
    """

    def __init__(self, size: tuple[int, int], colors: NDArray[np.uint8], width: int) -> None:
        self.width = min(width, *(side - 1 for side in size))
        self.colors = (0.35 * colors + 0.65 * 255).round().astype(np.uint8)
        self._border = np.zeros(size, bool)
        self._steps = np.zeros((max(size[0] - self.width, 0), size[1]), bool)

    def draw(self, picture: NDArray[np.uint8], class_map: NDArray[np.uint8]) -> None:
        """Draw on ``[H, W, 3] uint8``, C order, the borders of ``[H, W] uint8``."""
        wide, border, steps = self.width, self._border, self._steps
        if wide < 1:
            return
        # A pixel is on a line where the classes on both sides of it, ``wide`` apart, are not the same.
        before = wide // 2
        height, width = class_map.shape
        np.not_equal(class_map[:, wide:], class_map[:, :-wide], out=border[:, before : width - wide + before])
        np.not_equal(class_map[wide:], class_map[:-wide], out=steps)
        border[before : height - wide + before] |= steps
        # Models flicker in the last columns and rows, where they see half of what is around a pixel.
        border[:, :EDGE] = border[:, -EDGE:] = border[:EDGE] = border[-EDGE:] = False
        places = np.flatnonzero(border)
        classes = np.take(class_map.reshape(-1), places)
        picture.reshape(-1, 3)[places] = np.take(self.colors, classes, axis=0)
