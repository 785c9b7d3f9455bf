"""The loops of motion, as Numba compiles them; see ``kernels`` for calling them."""
# mypy: disable-error-code="no-untyped-def, call-arg"

import functools
from typing import Any

import numpy as np
from llvmlite import ir
from numba import from_dtype, njit, types
from numba.core.extending import intrinsic

from edge_arseg.compiled import cached_if_possible
from edge_arseg.native.cases import cases
from edge_arseg.native.entry import compiled_entry, unpacker
from edge_arseg.native.library import Kernel, digest_of_sources
from edge_arseg.spec.frame import VECTOR_DTYPE

_OPTIONS: Any = {"nogil": True, "error_model": "numpy"}
_FLOWS = types.Array(types.complex64, 2, "C")
_VALID = types.Array(types.boolean, 2, "C")
_FLOATS = types.Array(types.float32, 2, "C")
_BYTES = types.Array(types.uint8, 3, "C")
_GRID = types.UniTuple(types.intp, 6)
_PART = types.UniTuple(types.intp, 4)
_REPEATS = (1, 2, 4)
"""Cells of the finer flow along one side of a block, for which a row of them is written together."""
_INTP, _FLOAT = ir.IntType(64), ir.FloatType()


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


@intrinsic
def _move_block_row(
    _typing: Any, before: Any, upper: Any, lower: Any, right: Any, down: Any, x: Any, y: Any, out: Any, at: Any,
    repeat: Any,
) -> Any:  # fmt: skip
    """Write ``repeat`` cells, ``out[at:]``, that lie alike between the cells of ``before`` at ``upper`` and ``lower``.

    The arithmetic is that of ``compose_flows`` cell by cell, in the same order.
    """

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        before, upper, lower, right, down, x, y, out, at, repeat = args

        def numbers(array: ir.Value, kind: Any, offset: ir.Value, vector: ir.Type) -> ir.Value:
            pointer = builder.gep(context.make_array(kind)(context, builder, array).data, [offset])
            return builder.bitcast(pointer, vector.as_pointer())

        for side in cases(builder, repeat, _REPEATS):
            vector = ir.VectorType(_FLOAT, 2 * side)

            def lanes(*values: ir.Value, vector: ir.Type = vector) -> ir.Value:
                filled = ir.Constant(vector, ir.Undefined)
                for lane in range(vector.count):
                    filled = builder.insert_element(filled, values[lane % len(values)], _INTP(lane))
                return filled

            rows = []
            for start in (upper, lower):
                beside = builder.add(start, _INTP(2))
                near, far = (
                    builder.load(numbers(before, signature.args[0], offset, vector), align=4)
                    for offset in (start, beside)
                )
                rows.append(builder.fadd(near, builder.fmul(builder.fsub(far, near), lanes(right))))
            above, below = rows
            total = builder.fadd(lanes(x, y), above)
            total = builder.fadd(total, builder.fmul(builder.fsub(below, above), lanes(down)))
            builder.store(total, numbers(out, signature.args[7], at, vector), align=4)
        return context.get_dummy_value()

    number, real = types.intp, types.float32
    return types.void(before, number, number, real, real, real, real, out, number, number), generate


@njit(**_OPTIONS)
def compose_flows(step: np.ndarray, repeat: int, before: np.ndarray, scale: np.float32, out: np.ndarray) -> None:
    """``out(p) = step(p) + before(p + step(p))``, ``step`` given per block of ``repeat`` x ``repeat`` cells.

    Arrays are ``[rows, 2 * columns] float32``, x and y interleaved; ``scale`` is cells per pixel.
    """
    rows, columns = before.shape[0], before.shape[1] >> 1
    last_x, last_y = np.float32(columns - 1), np.float32(rows - 1)
    zero, one, together = np.float32(0), np.uintp(1), repeat in _REPEATS
    for y in range(rows):
        block_row = step[y // repeat]
        for block in range(columns // repeat):
            step_x, step_y = block_row[2 * block], block_row[2 * block + 1]
            at_y = min(max(np.float32(y) + step_y * scale, zero), last_y)
            top = min(np.int32(at_y), rows - 2)
            down = at_y - np.float32(top)
            first, moved = block * repeat, step_x * scale
            at_first, at_last = np.float32(first) + moved, np.float32(first + repeat - 1) + moved
            left = np.int32(at_first)
            right = at_first - np.float32(left)
            # Nearly all blocks: nothing is clipped, and rounding moves no cell of the row against the others.
            alike = at_last - np.float32(left + repeat - 1) == right
            if together and alike and at_first >= zero and at_last < last_x:
                start = 2 * (top * columns + left)
                to = 2 * (y * columns + first)
                _move_block_row(before, start, start + 2 * columns, right, down, step_x, step_y, out, to, repeat)
                continue
            # Unsigned indices: numba then leaves out its test for counting from the end.
            upper, lower = before[np.uintp(top)], before[np.uintp(top + 1)]
            for x in range(first, first + repeat):
                at_x = min(max(np.float32(x) + moved, zero), last_x)
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


@njit(inline="always")
def _mean_of_four(picture, channel, top, left, half):
    """The mean of the pixels at the corners of the middle of a cell."""
    total = np.int32(picture[top, left, channel]) + np.int32(picture[top, left + half, channel])
    total += np.int32(picture[top + half, left, channel]) + np.int32(picture[top + half, left + half, channel])
    return np.float32(total) * np.float32(0.25)


@njit(**_OPTIONS)
def smooth_cells(picture: np.ndarray, channel: int, block: int, out: np.ndarray) -> None:
    """Write the mean of four pixels of each cell of ``block`` x ``block`` to ``out``, ``[rows, columns] float32``.

    ``picture`` is ``[H, W, channels] uint8``.
    """
    rows, columns = out.shape
    half, plane = np.uintp(block // 2), np.uintp(channel)
    for y in range(rows):
        for x in range(columns):
            out[y, x] = _mean_of_four(picture, plane, np.uintp(y * block), np.uintp(x * block), half)


@njit(**_OPTIONS)
def compare_cells(
    picture: np.ndarray,
    channel: int,
    block: int,
    key: np.ndarray,
    flow: np.ndarray,
    grid: tuple,
    part: tuple,
    result: np.ndarray,
) -> None:
    """Write the sum of the differences between a picture and the keyframe moved to it, and their number.

    ``key`` is ``[rows, columns] float32`` of ``smooth_cells``; ``flow`` is ``[., ., 2] float32``, pixels; ``grid`` is
    the first, the end and the step of the rows and of the columns that are compared; ``part`` the top, left, bottom
    and right of the pixels that are shown; ``result`` is ``[2] float64``.
    """
    rows, columns = key.shape
    first_row, end_row, row_step, first_column, end_column, column_step = grid
    top_shown, left_shown, bottom_shown, right_shown = part
    scale, zero, one = np.float32(1) / np.float32(block), np.float32(0), np.uintp(1)
    last_y, last_x = np.float32(rows - 1), np.float32(columns - 1)
    half, plane = np.uintp(block // 2), np.uintp(channel)
    total, number = 0.0, 0
    for y in range(first_row, end_row, row_step):
        if y * block < top_shown or y * block >= bottom_shown:
            continue
        for x in range(first_column, end_column, column_step):
            if x * block < left_shown or x * block >= right_shown:
                continue
            row, column = np.uintp(y), np.uintp(x)
            at_y = min(max(np.float32(y) + flow[row, column, 1] * scale, zero), last_y)
            at_x = min(max(np.float32(x) + flow[row, column, 0] * scale, zero), last_x)
            top, left = np.uintp(min(np.int32(at_y), rows - 2)), np.uintp(min(np.int32(at_x), columns - 2))
            down, right = at_y - np.float32(top), at_x - np.float32(left)
            upper = key[top, left] + (key[top, left + one] - key[top, left]) * right
            lower = key[top + one, left] + (key[top + one, left + one] - key[top + one, left]) * right
            upper += (lower - upper) * down
            seen = _mean_of_four(picture, plane, np.uintp(y * block), np.uintp(x * block), half)
            total += abs(upper - seen)
            number += 1
    result[0], result[1] = total, number


_unpack_spread = unpacker((types.Array(from_dtype(VECTOR_DTYPE), 1, "C"), _FLOWS, _VALID))
_unpack_fill = unpacker((_FLOWS, _VALID, types.Array(types.complex128, 2, "C"), types.Array(types.int64, 2, "C")))
_unpack_compose = unpacker((_FLOATS, types.intp, _FLOATS, types.float64, _FLOATS))
_unpack_smooth = unpacker((_BYTES, types.intp, types.intp, _FLOATS))
_unpack_compare = unpacker(
    (
        *(_BYTES, types.intp, types.intp, _FLOATS, types.Array(types.float32, 3, "C")),
        *(_GRID, _PART, types.Array(types.float64, 1, "C")),
    )
)


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

    def smooth(table):
        if digest < 0:
            return
        picture, channel, block, out = _unpack_smooth(table)
        smooth_cells(picture, channel, block, out)

    def compare(table):
        if digest < 0:
            return
        picture, channel, block, key, flow, grid, part, result = _unpack_compare(table)
        compare_cells(picture, channel, block, key, flow, grid, part, result)

    functions = {
        "spread_vectors": spread,
        "fill_holes": fill,
        "compose_flows": compose,
        "smooth_cells": smooth,
        "compare_cells": compare,
    }
    return {name: compiled_entry(function, cache=cache) for name, function in functions.items()}


@functools.cache
def compiled_motion() -> dict[str, Kernel]:
    """Return the compiled loops by name; the first call in a process compiles them, or loads them from the cache."""
    return cached_if_possible(_compile)
