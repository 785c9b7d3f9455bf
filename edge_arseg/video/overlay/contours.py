"""Lines along the borders of regions."""

import numpy as np
from numpy.typing import NDArray


class Contours:
    """Draws lines along borders, in a light shade of the class on either side.

    Args:
        size: rows and columns of the pictures.
        colors: ``[256, 3] uint8`` by class index.
        width: of a line, pixels: 1 to 4.
    """

    def __init__(self, size: tuple[int, int], colors: NDArray[np.uint8], width: int) -> None:
        self._width = width
        self._colors = (0.35 * colors + 0.65 * 255).round().astype(np.uint8)
        self._border = np.zeros(size, bool)
        self._wide = np.zeros(size, bool)
        self._steps = np.zeros(size, bool)

    def draw(self, picture: NDArray[np.uint8], class_map: NDArray[np.uint8]) -> None:
        """Draw on ``[H, W, 3] uint8``, C order, the borders of ``[H, W] uint8``."""
        border, steps = self._border, self._steps
        np.not_equal(class_map[:, 1:], class_map[:, :-1], out=border[:, 1:])
        np.not_equal(class_map[1:], class_map[:-1], out=steps[1:])
        border |= steps
        for number in range(1, self._width):
            border = self._widened(border, -1 if number % 2 else 1)
        places = np.flatnonzero(border)
        classes = np.take(class_map.reshape(-1), places)
        picture.reshape(-1, 3)[places] = np.take(self._colors, classes, axis=0)

    def _widened(self, border: NDArray[np.bool_], by: int) -> NDArray[np.bool_]:
        """The border and the pixels left and above of it (``by`` -1), or right and below (1)."""
        here, there = (slice(None, -1), slice(1, None)) if by < 0 else (slice(1, None), slice(None, -1))
        wide = self._wide if border is self._border else self._border
        np.copyto(wide, border)
        wide[:, here] |= border[:, there]
        wide[here] |= border[there]
        return wide
