"""The three loops of motion, compiled: shipped for this CPU, or by Numba where it is installed.

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
    for name in ("spread_vectors", "fill_holes", "compose_flows"):
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
