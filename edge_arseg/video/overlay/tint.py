"""A picture mixed with the colours of its classes."""

from typing import Final

import av
import numpy as np
from numpy.typing import NDArray

_BAND: Final = 32
"""Rows that are mixed at once: what lies between stays in the CPU's cache."""


class Tint:
    """Mixes class colours into pictures of one size.

    A pixel of the result is ``(1 - alpha) * picture + alpha * colour``, rounded down in each part; a class index
    without a colour is black.

    Args:
        size: rows and columns of the pictures.
        colors: ``[N, 3] uint8`` by class index, N at most 256.
        alpha: how much of the colour, 0 to 1.
    """

    def __init__(self, size: tuple[int, int], colors: NDArray[np.uint8], alpha: float) -> None:
        height, width = size
        self._keep = np.uint16(round(256 * (1 - alpha)))
        share = 256 - int(self._keep)
        palette = np.zeros((256, 4), np.uint8)  # alpha, red, green, blue
        palette[:, 0] = 255
        # Rounded down, like the picture's part: the sum of both never exceeds 255.
        palette[: len(colors), 1:] = colors.astype(np.uint16) * share >> 8
        # FFmpeg colours a map of indices four times as fast as numpy.take.
        self._indexed = av.VideoFrame.from_ndarray((np.zeros(size, np.uint8), palette), format="pal8")
        plane = self._indexed.planes[0]
        self._indices = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[:height, :width]
        self._product = np.empty((_BAND, width, 3), np.uint16)

    def lay(self, picture: NDArray[np.uint8], class_map: NDArray[np.uint8], out: NDArray[np.uint8]) -> None:
        """Write the mixture of ``[H, W, 3] uint8`` and the colours of ``[H, W] uint8`` to ``out``, ``[H, W, 3]``."""
        if self._keep == 256:
            out[...] = picture
            return
        tint = self._colored(class_map)
        if self._keep == 0:
            out[...] = tint
            return
        for top in range(0, len(out), _BAND):
            rows = slice(top, top + _BAND)
            part = out[rows]
            if self._keep == 128:  # half and half needs no room for products
                np.right_shift(picture[rows], 1, out=part)
                np.add(part, tint[rows], out=part)
                continue
            product = self._product[: len(part)]
            np.multiply(picture[rows], self._keep, out=product, dtype=np.uint16)
            np.right_shift(product, 8, out=product)
            np.add(product, tint[rows], out=part, casting="unsafe")

    def _colored(self, class_map: NDArray[np.uint8]) -> NDArray[np.uint8]:
        np.copyto(self._indices, class_map)
        height, width = class_map.shape
        plane = self._indexed.reformat(format="rgb24").planes[0]
        rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
        return rows[:height, : 3 * width].reshape(height, width, 3)
