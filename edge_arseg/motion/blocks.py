"""Block vectors to a dense flow on the 8x8 grid."""

from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from edge_arseg.errors import OptionError
from edge_arseg.motion import kernels
from edge_arseg.spec.frame import VECTOR_DTYPE

Pixels = TypeVar("Pixels", int, NDArray[Any])

CELL = 8
"""Side of a cell of the block grid, luma pixels: the smallest block that decoders export."""

FARTHEST = 2.0**31
"""Pixels that a vector may be long. Decoders give less; a chain of such flows stays a number, which loops rely on."""


def aligned(length: int, to: int = 16) -> int:
    """``length`` rounded up to a multiple of ``to``: codecs work on whole macroblocks."""
    return -(-length // to) * to


def first_cell(pixel: Pixels) -> Pixels:
    """The first cell whose centre, ``8 i + 4``, lies at a pixel or behind it; of integers or arrays of them."""
    return (pixel + CELL // 2 - 1) // CELL


@dataclass(frozen=True, slots=True)
class BlockFlow:
    """Backward flow of one step, one value per 8x8 cell of the 16-aligned frame.

    Attributes:
        flow: ``[gh, gw] complex64``, luma pixels: x is the real part, y the imaginary part. ``gh, gw`` are the height
            and width rounded up to multiples of 16, over 8. Cells without a vector are 0.
        valid: ``[gh, gw] bool``, the cells that a vector covers.
    """

    flow: NDArray[np.complex64]
    valid: NDArray[np.bool_]


def empty_blocks(height: int, width: int) -> BlockFlow:
    """A block flow without any vector for frames of ``height`` x ``width`` luma pixels; reuse it with ``out=``."""
    if height < 1 or width < 1:
        raise OptionError(f"a frame of {height}x{width} pixels (height x width): expected at least 1x1")
    shape = aligned(height) // CELL, aligned(width) // CELL
    return BlockFlow(np.zeros(shape, np.complex64), np.zeros(shape, bool))


def blocks_from_vectors(
    vectors: NDArray[np.void] | None, height: int, width: int, *, out: BlockFlow | None = None
) -> BlockFlow:
    """Spread block vectors over the 8x8 grid: a cell takes the vector of the block that covers its centre.

    Args:
        vectors: ``[N]`` of ``VECTOR_DTYPE``, or ``None``. Blocks of any size and position; what lies outside the frame
            is clipped, and where blocks overlap the last one in the array wins.
        height: of the frame, luma pixels.
        width: of the frame, luma pixels.
        out: result of an earlier call for the same size, overwritten and returned.

    Raises:
        OptionError: the size is below 1x1, ``out`` is for another size, or ``vectors`` are of another type or shape, no
            numbers, or longer than ``FARTHEST``.
    """
    if out is None:
        out = empty_blocks(height, width)
    else:
        expected = aligned(height) // CELL, aligned(width) // CELL
        if out.flow.shape != expected:
            raise OptionError(f"out has {out.flow.shape} cells; a {height}x{width} frame needs {expected}")
        out.flow.fill(0)
        out.valid.fill(False)
    if vectors is None or len(_checked(vectors)) == 0:
        return out
    if kernels.COMPILED:
        kernels.spread_vectors(vectors, out.flow, out.valid)
    else:
        _spread_vectors(vectors, out.flow, out.valid)
    longest = float(np.abs(out.flow.view(np.float32)).max())
    if not longest <= FARTHEST:  # neither is NaN; loops would read wherever such a flow leads
        raise OptionError(f"a motion vector of {longest:g} pixels seen, expected numbers of at most {FARTHEST:.0f}")
    return out


def _checked(vectors: NDArray[np.void]) -> NDArray[np.void]:
    """Return ``vectors``; compiled loops would read and write whatever lies there."""
    if isinstance(vectors, np.ndarray) and vectors.ndim == 1 and vectors.dtype == VECTOR_DTYPE:
        return vectors
    seen = f"{vectors.dtype}{list(vectors.shape)}" if isinstance(vectors, np.ndarray) else type(vectors).__name__
    raise OptionError(
        f"motion vectors: {seen} seen, expected an array [N] of edge_arseg.VECTOR_DTYPE, "
        f"{', '.join(f'{name} {VECTOR_DTYPE[name]}' for name in VECTOR_DTYPE.names or ())}; None where there are none"
    )


def _spread_vectors(vectors: NDArray[np.void], flow: NDArray[np.complex64], valid: NDArray[np.bool_]) -> None:
    rows, columns = flow.shape
    flow, valid = flow.reshape(-1), valid.reshape(-1)
    top, bottom = _covered(vectors["y"], vectors["height"], rows)
    left, right = _covered(vectors["x"], vectors["width"], columns)
    value = np.empty(len(vectors), np.complex64)
    value.real, value.imag = vectors["flow_x"], vectors["flow_y"]
    cells, numbers = [], []
    # Nearly all blocks are 16 or 8 pixels wide: at most 2 x 2 passes, each over all blocks at once.
    for dy in range(int((bottom - top).max(initial=0))):
        y = top + dy
        inside_y = y < bottom
        for dx in range(int((right - left).max(initial=0))):
            x = left + dx
            here = np.flatnonzero(inside_y & (x < right))
            cells.append((y * columns + x)[here])
            numbers.append(here)
    if not cells:
        return
    # Where blocks overlap off the grid, a later pass may hold an earlier block: write in the order of the blocks.
    cell, number = np.concatenate(cells), np.concatenate(numbers)
    order = np.argsort(number, kind="stable")
    flow[cell[order]] = value[number[order]]
    valid[cell] = True


def _covered(centre: NDArray[Any], size: NDArray[Any], count: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """First cell and one past the last cell whose centre lies in ``[centre - size // 2, ... + size)``."""
    low = centre.astype(np.int32) - (size >> 1)
    return np.clip(first_cell(low), 0, count), np.clip(first_cell(low + size), 0, count)
