"""A picture mixed with the colours of its classes, and lines along their borders."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_arseg.native.library import Kernel, kernels_available, shipped_kernel
from edge_arseg.native.table import table_of
from edge_arseg.video.overlay.contours import Contours
from edge_arseg.video.overlay.tint import Tint

_WORD: Final = 8
"""As in ``loops``, whose import takes longer than all else."""


class Paint:
    """``Tint`` and ``Contours`` in one pass over a picture, compiled: shipped for this CPU, or by Numba.

    Where there is neither, they are what paints, with the same pixels.

    Args:
        tint: of pictures of one size.
        contours: of the same size; ``None``: no lines.
    """

    def __init__(self, tint: Tint, contours: Contours | None) -> None:
        self._tint, self._contours = tint, contours
        self._kernel = _kernel() if kernels_available() else None
        self._tints = np.repeat(tint.parts[:, None], _WORD, 1)
        self._lines = contours.colors if contours is not None else np.zeros((256, 3), np.uint8)
        self._wide = contours.width if contours is not None else 0
        self._row, self._words = np.empty(0, np.uint8), np.empty(0, np.uint64)  # scratch of a row

    def lay(self, picture: NDArray[np.uint8], class_map: NDArray[np.uint8], out: NDArray[np.uint8]) -> None:
        """Write the mixture of ``[H, W, 3] uint8`` and ``[H, W] uint8`` to ``out``, ``[H, W, 3] uint8``, C order."""
        if self._kernel is None:
            self._tint.lay(picture, class_map, out)
            if self._contours is not None:
                self._contours.draw(out, class_map)
            return
        height, width = class_map.shape
        assert picture.shape == out.shape == (height, width, 3)  # compiled code would read whatever lies there
        assert out.flags.c_contiguous
        if self._row.size != 3 * width:
            self._row, self._words = np.empty(3 * width, np.uint8), np.zeros(-(-width // _WORD), np.uint64)
        table = table_of(
            (
                np.ascontiguousarray(picture).reshape(-1),
                np.ascontiguousarray(class_map).reshape(-1),
                height,
                width,
                self._tints.reshape(-1),
                self._tint.keep,
                self._lines.reshape(-1),
                self._wide,
                self._row,
                self._words.view(np.uint8),
                self._words,
                out.reshape(-1),
            )
        )
        self._kernel(table.ctypes.data)


def _kernel() -> Kernel:
    shipped = shipped_kernel("paint_picture")
    if shipped is not None:
        return shipped
    # Only where nothing is shipped for this CPU: to import Numba takes longer than all else.
    from edge_arseg.video.overlay.loops import compiled_paint

    return compiled_paint()
