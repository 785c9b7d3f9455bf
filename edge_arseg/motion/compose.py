"""Composition of two flows."""

import numpy as np
from numpy.typing import NDArray

from edge_arseg.motion import kernels


class Composer:
    """Composes a block flow with a flow on a finer grid; keeps its buffers.

    Flows are ``complex64`` in pixels, x in the real part and y in the imaginary part.

    Args:
        rows: of the block flow.
        columns: of the block flow.
        repeat: cells of the finer grid along one side of a block.
        stride: pixels from one cell of the finer grid to the next.
    """

    def __init__(self, rows: int, columns: int, repeat: int, stride: int) -> None:
        self._repeat, self._scale = repeat, np.float32(1 / stride)
        if kernels.COMPILED:
            kernels.load()
            return
        shape = rows * repeat, columns * repeat
        self._y, self._x = (axis.astype(np.float32) for axis in np.indices(shape))
        self._px, self._py, self._floor = (np.empty(shape, np.float32) for _ in range(3))
        self._step, self._corner, self._upper, self._lower = (np.empty(shape, np.complex64) for _ in range(4))
        self._index = np.empty(shape, np.intp)

    def compose(
        self, step: NDArray[np.complex64], before: NDArray[np.complex64], *, out: NDArray[np.complex64]
    ) -> None:
        """``out(p) = step(p) + before(p + step(p))``: bilinear, the edge of ``before`` repeated outwards.

        Blocks of ``step`` are repeated, not interpolated: interpolating the steps was measured as worse.

        Args:
            step: ``[rows, columns]``.
            before: ``[rows * repeat, columns * repeat]``.
            out: like ``before``, and another array.
        """
        if kernels.COMPILED:
            interleaved, was, target = (flow.view(np.float32) for flow in (step, before, out))
            kernels.compose_flows(interleaved, self._repeat, was, self._scale, target)
        else:
            self._compose(step, before, out)

    def _compose(self, step: NDArray[np.complex64], before: NDArray[np.complex64], out: NDArray[np.complex64]) -> None:
        rows, columns = before.shape
        fine, px, py, floor, index, corner = self._step, self._px, self._py, self._floor, self._index, self._corner
        for y in range(self._repeat):
            for x in range(self._repeat):
                fine[y :: self._repeat, x :: self._repeat] = step
        _positions(fine.real, self._scale, self._x, columns - 1, px)
        _positions(fine.imag, self._scale, self._y, rows - 1, py)

        # The upper left of the four neighbours; at most the last but one, so that all four exist.
        np.minimum(np.floor(py, out=floor), np.float32(rows - 2), out=floor)
        np.subtract(py, floor, out=py)
        np.copyto(index, floor, casting="unsafe")
        index *= columns
        np.minimum(np.floor(px, out=floor), np.float32(columns - 2), out=floor)
        np.subtract(px, floor, out=px)
        np.add(index, floor, out=index, casting="unsafe")

        flat = before.reshape(-1)
        upper, lower = self._upper, self._lower
        for row, offset in ((upper, 0), (lower, columns - 1)):
            index += offset
            # mode="clip" writes straight into out; the indices are in range anyway.
            np.take(flat, index, out=row, mode="clip")
            index += 1
            np.take(flat, index, out=corner, mode="clip")
            corner -= row
            corner *= px
            row += corner
        lower -= upper
        lower *= py
        upper += lower
        np.add(fine, upper, out=out)


def _positions(
    flow: NDArray[np.float32], scale: np.float32, start: NDArray[np.float32], last: int, out: NDArray[np.float32]
) -> None:
    """``out`` = where the flow leads, in cells, clipped to the grid."""
    np.multiply(flow, scale, out=out)
    out += start
    np.clip(out, np.float32(0), np.float32(last), out=out)
