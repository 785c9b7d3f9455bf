"""How well the keyframe, moved by the flow, predicts the frame: what a flow is worth, without labels."""

import numpy as np
from numpy.typing import NDArray

from edge_arseg.errors import OptionError
from edge_arseg.motion import kernels

POINTS = 3000
"""Places that are compared, at most: enough for a steady mean, few enough for a tenth of a millisecond."""


class WarpError:
    """Compares frames with one keyframe, both smoothed, at places spread evenly.

    Smoothed: a flow cell counts as the mean of four of its pixels, so that a flow that is off by less than a pixel
    costs little on fine textures.

    Args:
        height: of the frames, pixels.
        width: of the frames, pixels.
        block: side of a flow cell: 2, 4 or 8 pixels.

    Raises:
        OptionError: the frames have fewer than two cells each way.
    """

    def __init__(self, height: int, width: int, *, block: int = 4) -> None:
        rows, columns = height // block, width // block  # cells that are whole
        if min(rows, columns) < 2:
            raise OptionError(f"a frame of {height}x{width} pixels: expected at least {2 * block}x{2 * block}")
        step = next(n for n in range(1, rows + columns) if -(-rows // n) * -(-columns // n) <= POINTS)
        self._shape, self._block, self._columns = (height, width), block, columns
        self._cells = slice(min(step // 2, rows - 1), rows, step), slice(min(step // 2, columns - 1), columns, step)
        self._every = slice(0, rows, 1), slice(0, columns, 1)
        y, x = np.indices((rows, columns)).astype(np.float32)
        self._y, self._x = y[self._cells], x[self._cells]
        self._last = np.float32(rows - 1), np.float32(columns - 1)
        self._scale = np.float32(1 / block)
        self._key = np.empty((rows, columns), np.float32)
        self._has_key = False

    def key(self, picture: NDArray[np.uint8]) -> None:
        """Make a frame the keyframe.

        Args:
            picture: ``[H, W, 3] uint8``, RGB, of which green counts, or ``[H, W] uint8``. It is not kept.
        """
        pixels, channel = self._pixels(picture)
        if kernels.COMPILED:
            kernels.smooth_cells(pixels, channel, self._block, self._key)
        else:
            self._key[:] = self._smooth(pixels[..., channel], self._every)
        self._has_key = True

    def of(
        self, picture: NDArray[np.uint8], flow: NDArray[np.float32], shown: tuple[int, int, int, int] | None = None
    ) -> float | None:
        """Mean absolute difference of a frame and the keyframe moved to it, in grey levels, 0 to 255.

        Args:
            picture: as in ``key``.
            flow: ``[ceil(H / block), ceil(W / block), 2] float32``, pixels, to the keyframe (``MotionField.flow``).
            shown: first row, first column, rows and columns of the part that is no bar; ``None``: all.

        Returns:
            ``None`` where there is no keyframe yet, and where nothing is shown.
        """
        if not self._has_key:
            return None
        pixels, channel = self._pixels(picture)
        top, left, height, width = shown or (0, 0, *self._shape)
        if kernels.COMPILED:
            part = top, left, top + height, left + width
            total, number = kernels.compare_cells(pixels, channel, self._block, self._key, flow, self._cells, part)
        else:
            difference = self._differences(pixels[..., channel], flow)[self._part(top, left, height, width)]
            total, number = float(difference.sum(dtype=np.float64)), difference.size
        return total / number if number else None

    def _differences(self, luma: NDArray[np.uint8], flow: NDArray[np.float32]) -> NDArray[np.float32]:
        """At each place that is compared."""
        moved, (last_y, last_x) = flow[self._cells], self._last
        y = np.clip(self._y + moved[..., 1] * self._scale, 0, last_y)
        x = np.clip(self._x + moved[..., 0] * self._scale, 0, last_x)
        top, left = np.minimum(np.floor(y), last_y - 1), np.minimum(np.floor(x), last_x - 1)
        y -= top
        x -= left
        at = top.astype(np.intp) * self._columns + left.astype(np.intp)
        key = self._key.reshape(-1)
        upper, lower = key[at], key[at + self._columns]
        upper += (key[at + 1] - upper) * x
        lower += (key[at + (self._columns + 1)] - lower) * x
        upper += (lower - upper) * y
        upper -= self._smooth(luma, self._cells)
        return np.abs(upper, out=upper)

    def _pixels(self, picture: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], int]:
        """The picture as ``[H, W, channels]``, and the channel that counts."""
        if picture.shape[:2] != self._shape:
            raise OptionError(f"a frame of {picture.shape[:2]} pixels (height, width) seen, expected {self._shape}")
        return (picture, 1) if picture.ndim == 3 else (picture[..., np.newaxis], 0)

    def _smooth(self, luma: NDArray[np.uint8], cells: tuple[slice, slice]) -> NDArray[np.float32]:
        """The mean of four pixels of each cell."""
        block, half = self._block, self._block // 2
        (upper, lower), (left, right) = (
            [slice(axis.start * block + at, axis.stop * block, axis.step * block) for at in (0, half)] for axis in cells
        )
        total = np.add(luma[upper, left], luma[upper, right], dtype=np.uint16)
        total += luma[lower, left]
        total += luma[lower, right]
        return total * np.float32(0.25)

    def _part(self, top: int, left: int, height: int, width: int) -> tuple[NDArray[np.intp], ...]:
        """The places whose cells lie in a part of the frame."""
        y, x = self._y[:, 0] * self._block, self._x[0] * self._block
        return np.ix_(np.flatnonzero((y >= top) & (y < top + height)), np.flatnonzero((x >= left) & (x < left + width)))
