"""The loops of motion, compiled: shipped for this CPU, or by Numba where it is installed.

``COMPILED`` says whether they are. Where it is false the callers take their numpy path, which gives the same values
(tested). Arrays must be contiguous and of the types named.
"""

import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_arseg.errors import OptionError
from edge_arseg.native.library import Kernel, kernels_available, shipped_kernel
from edge_arseg.native.table import table_of
from edge_arseg.spec.frame import VECTOR_DTYPE

COMPILED = kernels_available()


def load() -> None:
    """Load the loops, or compile them, which takes a second or two: before the first frame, not at it."""
    for name in ("spread_vectors", "fill_holes", "compose_flows", "smooth_cells", "compare_cells"):
        _kernel(name)


def spread_vectors(vectors: NDArray[np.void], flow: NDArray[np.complex64], valid: NDArray[np.bool_]) -> None:
    """Write each of ``[N]`` ``VECTOR_DTYPE`` to the 8x8 cells whose centres its block covers.

    ``flow`` is ``[rows, columns] complex64``, ``valid`` is ``[rows, columns] bool``.
    """
    vectors = np.ascontiguousarray(vectors, VECTOR_DTYPE)
    _call("spread_vectors", vectors, _checked(flow, np.complex64), _checked(valid, np.bool_, flow.shape))


def fill_holes(
    flow: NDArray[np.complex64], valid: NDArray[np.bool_], total: NDArray[np.complex128], count: NDArray[np.int64]
) -> None:
    """Give invalid cells the mean of the valid ones in the smallest window of radius 1, 3, 7, ... that has any.

    ``flow`` and ``valid`` as in ``spread_vectors``; ``total`` (complex128) and ``count`` (int64) are
    ``[rows + 1, columns + 1]`` scratch whose first row and column are 0. At least one cell must be valid.
    """
    rows, columns = flow.shape
    larger = rows + 1, columns + 1
    _call(
        "fill_holes",
        _checked(flow, np.complex64),
        _checked(valid, np.bool_, flow.shape),
        _checked(total, np.complex128, larger),
        _checked(count, np.int64, larger),
    )


def compose_flows(
    step: NDArray[np.float32], repeat: int, before: NDArray[np.float32], scale: np.float32, out: NDArray[np.float32]
) -> None:
    """``out(p) = step(p) + before(p + step(p))``, ``step`` given per block of ``repeat`` x ``repeat`` cells.

    Arrays are ``[rows, 2 * columns] float32``, x and y interleaved; ``scale`` is cells per pixel.
    """
    rows, columns = before.shape
    _call(
        "compose_flows",
        _checked(step, np.float32, (rows // repeat, columns // repeat)),
        repeat,
        _checked(before, np.float32),
        float(scale),
        _checked(out, np.float32, before.shape),
    )


def smooth_cells(picture: NDArray[np.uint8], channel: int, block: int, out: NDArray[np.float32]) -> None:
    """Write the mean of four pixels of each cell of ``block`` x ``block`` to ``out``, ``[rows, columns] float32``.

    ``picture`` is ``[H, W, channels] uint8``, and ``channel`` the one that counts.
    """
    _call("smooth_cells", *_cells_of(picture, channel, block, out))


def compare_cells(
    picture: NDArray[np.uint8],
    channel: int,
    block: int,
    key: NDArray[np.float32],
    flow: NDArray[np.float32],
    grid: tuple[slice, slice],
    part: tuple[int, int, int, int],
) -> tuple[float, int]:
    """Sum of the absolute differences between a picture and the keyframe moved to it, and their number.

    ``picture``, ``channel`` and ``block`` as in ``smooth_cells``; ``key`` is what that wrote. ``flow`` is
    ``[gh, gw, 2] float32``, pixels. ``grid`` has the rows and the columns of cells that are compared, ``part`` the top,
    left, bottom and right of the pixels that are shown.
    """
    rows, columns = key.shape
    flow = np.ascontiguousarray(flow, np.float32)
    if flow.shape[0] < rows or flow.shape[1] < columns or flow.shape[2:] != (2,):
        raise OptionError(f"a flow of {list(flow.shape)} seen, expected at least [{rows}, {columns}, 2]")
    bounds = [bound for axis, length in zip(grid, key.shape, strict=True) for bound in axis.indices(length)]
    result = np.empty(2)
    _call("compare_cells", *_cells_of(picture, channel, block, key), flow, tuple(bounds), part, result)
    return float(result[0]), int(result[1])


def _cells_of(picture: NDArray[np.uint8], channel: int, block: int, cells: NDArray[np.float32]) -> tuple[Any, ...]:
    """The picture and its cells, of sizes that go together."""
    rows, columns = cells.shape
    if min(rows, columns) < 2 or block < 2 or not 0 <= channel < picture.shape[2]:
        raise OptionError(f"cells of {block}, {rows}x{columns} of them, channel {channel} of {picture.shape[2]}")
    if picture.shape[0] < rows * block or picture.shape[1] < columns * block:
        raise OptionError(
            f"{picture.shape[0]}x{picture.shape[1]} pixels seen, expected {rows * block}x{columns * block}"
        )
    return _checked(np.ascontiguousarray(picture), np.uint8), channel, block, _checked(cells, np.float32)


@functools.cache
def _kernel(name: str) -> Kernel:
    shipped = shipped_kernel(name)
    if shipped is not None:
        return shipped
    # Only where nothing is shipped for this CPU: to import Numba takes longer than all else.
    from edge_arseg.motion.loops import compiled_motion

    return compiled_motion()[name]


def _call(name: str, *arguments: Any) -> None:
    table = table_of(arguments)
    _kernel(name)(table.ctypes.data)


def _checked(array: NDArray[Any], dtype: type, shape: tuple[int, ...] | None = None) -> NDArray[Any]:
    """Return ``array``; compiled code would read and write whatever lies there."""
    if array.dtype != dtype or not array.flags.c_contiguous or shape not in (None, array.shape):
        seen = f"{array.dtype}{list(array.shape)}{'' if array.flags.c_contiguous else ' not contiguous'}"
        raise OptionError(f"{seen} seen, expected a contiguous {np.dtype(dtype)}{list(shape or array.shape)}")
    return array
