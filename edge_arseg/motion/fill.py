"""Cells without a vector take the mean of their neighbours."""

import numpy as np
from numpy.typing import NDArray

from edge_arseg.motion import kernels
from edge_arseg.motion.blocks import BlockFlow


def fill_blocks(blocks: BlockFlow) -> None:
    """Fill the invalid cells of ``blocks.flow`` in place; ``blocks.valid`` is left as it is.

    Each invalid cell takes the mean of the valid cells in a window around it. The window grows, 3x3, 7x7, 15x15 and so
    on, until it holds at least one valid cell. Where no cell is valid at all the flow is 0: nothing is known, so
    everything is taken to stand still.
    """
    known = np.count_nonzero(blocks.valid)
    if known == blocks.valid.size:
        return
    if known == 0:
        blocks.flow.fill(0)
        return
    rows, columns = blocks.flow.shape
    if kernels.COMPILED:
        total = np.zeros((rows + 1, columns + 1), np.complex128)
        count = np.zeros((rows + 1, columns + 1), np.int64)
        kernels.fill_holes(blocks.flow, blocks.valid, total, count)
    else:
        _fill_holes(blocks.flow, blocks.valid)


def _fill_holes(flow: NDArray[np.complex64], valid: NDArray[np.bool_]) -> None:
    rows, columns = flow.shape
    total, count = (sums.reshape(-1) for sums in _running_sums(flow, valid))
    holes = np.flatnonzero(~valid)
    y, x = np.divmod(holes, columns)
    flat = flow.reshape(-1)
    radius = 1
    while holes.size:
        top = np.maximum(y - radius, 0) * (columns + 1)
        bottom = np.minimum(y + radius + 1, rows) * (columns + 1)
        left, right = np.maximum(x - radius, 0), np.minimum(x + radius + 1, columns)
        corners = bottom + right, top + right, bottom + left, top + left
        a, b, c, d = (count.take(corner) for corner in corners)
        number = a - b - c + d
        found = number > 0
        a, b, c, d = (total.take(corner[found]) for corner in corners)
        flat[holes[found]] = ((a - b - c + d) / number[found]).astype(np.complex64)
        holes, y, x = holes[~found], y[~found], x[~found]
        radius = 2 * radius + 1


def _running_sums(
    flow: NDArray[np.complex64], valid: NDArray[np.bool_]
) -> tuple[NDArray[np.complex128], NDArray[np.int64]]:
    """``[gh + 1, gw + 1]`` sums of flow (complex128) and of valid cells (int64) above and left of each corner.

    Any window then costs four look-ups, whatever its size. Doubles, because differences of large sums lose digits.
    """
    rows, columns = flow.shape
    total = np.zeros((rows + 1, columns + 1), np.complex128)
    count = np.zeros((rows + 1, columns + 1), np.int64)
    known = np.where(valid, flow, 0)
    np.cumsum(np.cumsum(known, axis=0, dtype=np.complex128), axis=1, out=total[1:, 1:])
    np.cumsum(np.cumsum(valid, axis=0, dtype=np.int64), axis=1, out=count[1:, 1:])
    return total, count
