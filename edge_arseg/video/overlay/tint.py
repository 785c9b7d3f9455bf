"""A picture mixed with the colours of its classes."""

from typing import Any, Final

import av
import numpy as np
from numpy.typing import NDArray

_BAND: Final = 64
"""Rows that are mixed at once: what lies between stays in the CPU's cache."""

_ONE_THREAD: Final[dict[str, Any]] = {"threads": 1} if int(av.__version__.partition(".")[0]) >= 17 else {}
"""PyAV 17 and later start threads for a picture, which costs more than it saves for a band."""


class Tint:
    """Mixes class colours into pictures of one size.

    A pixel of the result is ``(1 - alpha) * picture + alpha * colour``, rounded down in each part; a class index
    without a colour is black.

    Args:
        size: rows and columns of the pictures.
        colors: ``[N, 3] uint8`` by class index, N at most 256.
        alpha: how much of the colour, 0 to 1.

    Attributes:
        keep: what stays of the picture, in 1/256.
        parts: ``[256, 3] uint8``, what each class adds.
    """

    def __init__(self, size: tuple[int, int], colors: NDArray[np.uint8], alpha: float) -> None:
        height, width = size
        self.keep = round(256 * (1 - alpha))
        share = 256 - self.keep
        palette = np.zeros((256, 4), np.uint8)  # alpha, red, green, blue
        palette[:, 0] = 255
        # Rounded down, like the picture's part: the sum of both never exceeds 255.
        palette[: len(colors), 1:] = colors.astype(np.uint16) * share >> 8
        self.parts = palette[:, 1:].copy()
        # FFmpeg colours a map of indices four times as fast as numpy.take.
        self._indices, self._indexed = _indexed(min(_BAND, height), width, palette)
        self._product = np.empty((_BAND, width, 3), np.uint16)

    def lay(self, picture: NDArray[np.uint8], class_map: NDArray[np.uint8], out: NDArray[np.uint8]) -> None:
        """Write the mixture of ``[H, W, 3] uint8`` and the colours of ``[H, W] uint8`` to ``out``, ``[H, W, 3]``."""
        if self.keep == 256:
            out[...] = picture
            return
        for top in range(0, len(out), _BAND):
            rows = slice(top, top + _BAND)
            self._mix(picture[rows], self._colored(class_map[rows]), out[rows])

    def _mix(self, picture: NDArray[np.uint8], tint: NDArray[np.uint8], out: NDArray[np.uint8]) -> None:
        if self.keep == 0:
            out[...] = tint
        elif self.keep == 128:  # half and half needs no room for products
            np.right_shift(picture, 1, out=out)
            np.add(out, tint, out=out)
        else:
            product = self._product[: len(out)]
            np.multiply(picture, np.uint16(self.keep), out=product, dtype=np.uint16)
            np.right_shift(product, 8, out=product)
            np.add(product, tint, out=out, casting="unsafe")

    def _colored(self, class_map: NDArray[np.uint8]) -> NDArray[np.uint8]:
        height, width = class_map.shape
        self._indices[:height] = class_map
        plane = self._indexed.reformat(format="rgb24", **_ONE_THREAD).planes[0]
        rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
        return rows[:height, : 3 * width].reshape(height, width, 3)


def _indexed(height: int, width: int, palette: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], av.VideoFrame]:
    """Return a map of indices, and the picture with a palette that FFmpeg takes it for."""
    both: Any = np.zeros((height, width), np.uint8), palette
    frame = av.VideoFrame.from_ndarray(both, format="pal8")
    plane = frame.planes[0]
    return np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)[:height, :width], frame
