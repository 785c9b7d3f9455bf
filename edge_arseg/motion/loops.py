"""The three loops of motion, as Numba compiles them; see ``kernels`` for calling them."""
# mypy: disable-error-code="no-untyped-def"

import functools
from typing import Any

import numpy as np
from numba import from_dtype, njit, types

from edge_arseg.compiled import cached_if_possible
from edge_arseg.native.entry import compiled_entry, unpacker
from edge_arseg.native.library import Kernel, digest_of_sources
from edge_arseg.spec.frame import VECTOR_DTYPE

_OPTIONS: Any = {"nogil": True, "error_model": "numpy"}
_FLOWS = types.Array(types.complex64, 2, "C")
_VALID = types.Array(types.boolean, 2, "C")
_FLOATS = types.Array(types.float32, 2, "C")


@njit(**_OPTIONS)
def spread_vectors(vectors: np.ndarray, flow: np.ndarray, valid: np.ndarray) -> None:
    """Write each of ``[N]`` ``VECTOR_DTYPE`` to the 8x8 cells whose centres its block covers."""
    rows, columns = flow.shape
    for n in range(len(vectors)):
        v = vectors[n]
        top, left = np.int32(v.y) - (v.height >> 1), np.int32(v.x) - (v.width >> 1)
        value = np.complex64(complex(v.flow_x, v.flow_y))
        for y in range(max((top + 3) >> 3, 0), min((top + v.height + 3) >> 3, rows)):
            for x in range(max((left + 3) >> 3, 0), min((left + v.width + 3) >> 3, columns)):
                flow[y, x] = value
                valid[y, x] = True


@njit(**_OPTIONS)
def fill_holes(flow: np.ndarray, valid: np.ndarray, total: np.ndarray, count: np.ndarray) -> None:
    """Give invalid cells the mean of the valid ones in the smallest window of radius 1, 3, 7, ... that has any.

    ``total`` (complex128) and ``count`` (int64) are ``[rows + 1, columns + 1]`` scratch whose first row and column
    are 0. At least one cell must be valid.
    """
    rows, columns = flow.shape
    for y in range(rows):
        for x in range(columns):
            here = complex(flow[y, x]) if valid[y, x] else 0j
            total[y + 1, x + 1] = total[y, x + 1] + total[y + 1, x] - total[y, x] + here
            count[y + 1, x + 1] = count[y, x + 1] + count[y + 1, x] - count[y, x] + valid[y, x]
    for y in range(rows):
        for x in range(columns):
            if valid[y, x]:
                continue
            radius, number = 1, 0
            while True:
                top, bottom = max(y - radius, 0), min(y + radius + 1, rows)
                left, right = max(x - radius, 0), min(x + radius + 1, columns)
                number = count[bottom, right] - count[top, right] - count[bottom, left] + count[top, left]
                if number > 0:
                    break
                radius = 2 * radius + 1
            sum_ = total[bottom, right] - total[top, right] - total[bottom, left] + total[top, left]
            flow[y, x] = np.complex64(sum_ / number)


@njit(**_OPTIONS)
def compose_flows(step: np.ndarray, repeat: int, before: np.ndarray, scale: np.float32, out: np.ndarray) -> None:
    """``out(p) = step(p) + before(p + step(p))``, ``step`` given per block of ``repeat`` x ``repeat`` cells.

    Arrays are ``[rows, 2 * columns] float32``, x and y interleaved; ``scale`` is cells per pixel.
    """
    rows, columns = before.shape[0], before.shape[1] >> 1
    last_x, last_y = np.float32(columns - 1), np.float32(rows - 1)
    zero, one = np.float32(0), np.uintp(1)
    for y in range(rows):
        block_row = step[y // repeat]
        for block in range(columns // repeat):
            step_x, step_y = block_row[2 * block], block_row[2 * block + 1]
            at_y = min(max(np.float32(y) + step_y * scale, zero), last_y)
            top = min(np.int32(at_y), rows - 2)
            down = at_y - np.float32(top)
            # Unsigned indices: numba then leaves out its test for counting from the end.
            upper, lower = before[np.uintp(top)], before[np.uintp(top + 1)]
            for x in range(block * repeat, block * repeat + repeat):
                at_x = min(max(np.float32(x) + step_x * scale, zero), last_x)
                left = min(np.int32(at_x), columns - 2)
                right = at_x - np.float32(left)
                i = np.uintp(2 * left)
                j = i + one + one
                for axis in range(2):
                    a = upper[i] + (upper[j] - upper[i]) * right
                    b = lower[i] + (lower[j] - lower[i]) * right
                    out[y, 2 * x + axis] = (step_y if axis else step_x) + a + (b - a) * down
                    i += one
                    j += one


_unpack_spread = unpacker((types.Array(from_dtype(VECTOR_DTYPE), 1, "C"), _FLOWS, _VALID))
_unpack_fill = unpacker((_FLOWS, _VALID, types.Array(types.complex128, 2, "C"), types.Array(types.int64, 2, "C")))
_unpack_compose = unpacker((_FLOATS, types.intp, _FLOATS, types.float64, _FLOATS))


def _compile(cache: bool) -> dict[str, Kernel]:
    digest = digest_of_sources()

    # ``digest < 0`` never holds; what a function uses is part of the key of Numba's cache
    def spread(table):
        if digest < 0:
            return
        vectors, flow, valid = _unpack_spread(table)
        spread_vectors(vectors, flow, valid)

    def fill(table):
        if digest < 0:
            return
        flow, valid, total, count = _unpack_fill(table)
        fill_holes(flow, valid, total, count)

    def compose(table):
        if digest < 0:
            return
        step, repeat, before, scale, out = _unpack_compose(table)
        compose_flows(step, repeat, before, np.float32(scale), out)

    functions = {"spread_vectors": spread, "fill_holes": fill, "compose_flows": compose}
    return {name: compiled_entry(function, cache=cache) for name, function in functions.items()}


@functools.cache
def compiled_motion() -> dict[str, Kernel]:
    """Return the compiled loops by name; the first call in a process compiles them, or loads them from the cache."""
    return cached_if_possible(_compile)
