"""The inner loops of convolution and local attention, with every partial sum in a register.

All handle ``LANES`` neighbouring pixels of ``ROWS`` output rows at once. A row of keys (or values) that is loaded
serves all output rows that see it, which is what lifts the loops above the speed of the caches. The loops over a window
are written out for each size that a window may have.

Arrays are flat float32; everything called ``*_at``, ``*_row`` or ``*_step`` counts elements.
"""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.extending import intrinsic

from edge_arseg.native.cases import cases
from edge_arseg.runtime.kernels.numba.registers import REGISTERS
from edge_arseg.runtime.kernels.numba.vector import (
    LANES,
    VECTOR,
    element_pointer,
    fetch_line,
    load_vector,
    multiply_add,
    splat_vector,
    store_vector,
)
from edge_arseg.runtime.kernels.numba_fuse.geometry import ROWS
from edge_arseg.spec.model import WINDOWS
from edge_arseg.spec.weights import TAPS

CHANNELS_AT_ONCE = 8 if REGISTERS == 32 else 4
"""Channels of the weighted sum in one pass: ``ROWS * CHANNELS_AT_ONCE`` sums, ``ROWS`` weights, one value."""
_COLUMNS_AT_ONCE = 7 if REGISTERS == 32 else 4
"""Window columns in one pass of the similarity: ``ROWS`` sums for each, ``ROWS`` queries, one key."""

CHANNELS_AHEAD = 8
"""Channels between asking for a key and using it."""

_INTP = ir.IntType(64)


def _lines_of(window: int) -> int:
    """Return the registers' widths of memory that the columns of a window lie in, for one register of pixels."""
    return -(-(LANES + window - 1) // LANES)


def _convolve_with(filters: int) -> Callable[..., None]:
    @intrinsic
    def convolve(
        _typing: Any, source: Any, r0: Any, r1: Any, r2: Any, r3: Any, r4: Any, t0: Any, t1: Any, t2: Any, apart: Any,
        step: Any, weights: Any, at: Any, blocks: Any,
    ) -> Any:  # fmt: skip
        """Convolve five rows at ``r0`` to ``r4`` into three at ``t0`` to ``t2``, ``blocks`` registers wide.

        Column ``i`` of the result is centred on column ``i + 1`` of the rows. Nine taps and a bias are at
        ``weights[at:]``; the next filter has its taps behind them and its results ``apart`` behind those of the first.
        The rows of the next channel lie ``step`` behind; they are asked for.
        """

        def generate(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
            source, r0, r1, r2, r3, r4, t0, t1, t2, apart, step, weights, at, blocks = args
            kind = signature.args[0]
            taps: list[list[ir.Value]] = []
            for number in range(filters * 10):
                pointer = element_pointer(context, builder, signature.args[11], weights, builder.add(at, _INTP(number)))
                if number % 10 == 0:
                    taps.append([])
                taps[-1].append(splat_vector(builder, builder.load(pointer)))
            with cgutils.for_range(builder, blocks, intp=_INTP) as loop:
                column = builder.mul(loop.index, _INTP(LANES))
                sums = [[taps[number][-1]] * ROWS for number in range(filters)]
                for row, start in enumerate((r0, r1, r2, r3, r4)):
                    coming = builder.add(builder.add(start, column), step)
                    fetch_line(builder, element_pointer(context, builder, kind, source, coming))
                    for dx in range(TAPS):
                        offset = builder.add(builder.add(start, column), _INTP(dx))
                        pixel = load_vector(builder, element_pointer(context, builder, kind, source, offset))
                        for target in range(max(0, row - TAPS + 1), min(ROWS, row + 1)):
                            for own_taps, own_sums in zip(taps, sums, strict=True):
                                tap = own_taps[(row - target) * TAPS + dx]
                                own_sums[target] = multiply_add(builder, pixel, tap, own_sums[target])
                for number in range(filters):
                    for target, start in enumerate((t0, t1, t2)):
                        offset = builder.add(builder.add(start, column), builder.mul(apart, _INTP(number)))
                        pointer = element_pointer(context, builder, kind, source, offset)
                        store_vector(builder, sums[number][target], pointer)
            return context.get_dummy_value()

        number = types.intp
        return types.void(source, *[number] * 10, weights, number, number), generate

    return convolve


convolve_once = _convolve_with(1)
convolve_twice = _convolve_with(2)


def _similarity_of(rows: int) -> Callable[..., None]:
    @intrinsic
    def similarity(
        _typing: Any, q: Any, q_at: Any, q_row: Any, q_step: Any, k: Any, k_at: Any, k_step: Any, channels: Any,
        s: Any, s_at: Any, s_row: Any, s_step: Any, window: Any,
    ) -> Any:  # fmt: skip
        def generate(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
            q, q_at, q_row, q_step, k, k_at, k_step, channels, s, s_at, s_row, s_step, window = args
            q_kind, k_kind, s_kind = signature.args[0], signature.args[4], signature.args[8]

            def see(columns: range, lines: int) -> None:
                sums = [[cgutils.alloca_once(builder, VECTOR) for _ in columns] for _ in range(rows)]
                for cell in (cell for row_sums in sums for cell in row_sums):
                    builder.store(ir.Constant(VECTOR, None), cell)
                with cgutils.for_range(builder, channels, intp=_INTP) as loop:
                    q_now = builder.add(q_at, builder.mul(loop.index, q_step))
                    k_now = builder.add(k_at, builder.mul(loop.index, k_step))
                    # A load across two lines that misses the first-level cache is far slower than the miss itself.
                    coming = builder.add(k_now, builder.mul(k_step, _INTP(CHANNELS_AHEAD)))
                    for line in range(lines):
                        offset = builder.add(coming, _INTP(line * LANES))
                        fetch_line(builder, element_pointer(context, builder, k_kind, k, offset))
                    queries = []
                    for row in range(rows):
                        offset = builder.add(q_now, builder.mul(q_row, _INTP(row)))
                        queries.append(load_vector(builder, element_pointer(context, builder, q_kind, q, offset)))
                    for place, column in enumerate(columns):
                        offset = builder.add(k_now, _INTP(column))
                        key = load_vector(builder, element_pointer(context, builder, k_kind, k, offset))
                        for row in range(rows):
                            cell = sums[row][place]
                            builder.store(multiply_add(builder, queries[row], key, builder.load(cell)), cell)
                for row in range(rows):
                    for place, column in enumerate(columns):
                        offset = builder.add(s_at, builder.mul(s_row, _INTP(row)))
                        offset = builder.add(offset, builder.mul(s_step, _INTP(column)))
                        pointer = element_pointer(context, builder, s_kind, s, offset)
                        store_vector(builder, builder.load(sums[row][place]), pointer)

            for side in cases(builder, window, WINDOWS):
                for first in range(0, side, _COLUMNS_AT_ONCE):
                    see(range(first, min(first + _COLUMNS_AT_ONCE, side)), _lines_of(side))
            return context.get_dummy_value()

        number = types.intp
        parameters = (q, number, number, number, k, number, number, number, s, number, number, number, number)
        return types.void(*parameters), generate

    return similarity


similarity_1 = _similarity_of(1)
similarity_2 = _similarity_of(2)
similarity_3 = _similarity_of(3)


def _weighted_sum_of(count: int) -> Callable[..., None]:
    @intrinsic
    def weighted_sum(
        _typing: Any, p: Any, p_at: Any, p_row: Any, p_step: Any, v: Any, v_rows: Any, v_at: Any, v_step: Any,
        base: Any, base_rows: Any, base_at: Any, base_step: Any, scale: Any, scale_at: Any, scale_row: Any,
        out: Any, out_at: Any, out_row: Any, out_step: Any, window: Any,
    ) -> Any:  # fmt: skip
        def generate(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
            (p, p_at, p_row, p_step, v, v_rows, v_at, v_step, base, base_rows, base_at, base_step,
             scale, scale_at, scale_row, out, out_at, out_row, out_step, window) = args  # fmt: skip
            kinds = signature.args
            zero = ir.Constant(VECTOR, None)
            sums = [[cgutils.alloca_once(builder, VECTOR) for _ in range(count)] for _ in range(ROWS)]
            for cell in (cell for row_sums in sums for cell in row_sums):
                builder.store(zero, cell)

            def see(seen: ir.Value, rows: range, window: int) -> None:
                start = builder.load(element_pointer(context, builder, kinds[5], v_rows, seen))
                start = builder.add(start, v_at)
                # Ask for the values of the next channels: memory has the whole of this pass to answer.
                for channel in range(count, 2 * count):
                    offset = builder.add(start, builder.mul(v_step, _INTP(channel)))
                    for line in range(_lines_of(window)):
                        line_at = builder.add(offset, _INTP(line * LANES))
                        fetch_line(builder, element_pointer(context, builder, kinds[4], v, line_at))
                place = builder.add(p_at, builder.mul(p_step, builder.mul(seen, _INTP(window))))
                for column in range(window):
                    weights = {}
                    for row in rows:
                        skip = builder.mul(p_step, _INTP(column - row * window))
                        offset = builder.add(place, builder.add(builder.mul(p_row, _INTP(row)), skip))
                        weights[row] = load_vector(builder, element_pointer(context, builder, kinds[0], p, offset))
                    for channel in range(count):
                        offset = builder.add(start, builder.add(builder.mul(v_step, _INTP(channel)), _INTP(column)))
                        value = load_vector(builder, element_pointer(context, builder, kinds[4], v, offset))
                        for row in rows:
                            cell = sums[row][channel]
                            builder.store(multiply_add(builder, weights[row], value, builder.load(cell)), cell)

            for side in cases(builder, window, WINDOWS):
                for seen in range(ROWS - 1):
                    see(_INTP(seen), range(seen + 1), side)
                with cgutils.for_range_slice(builder, _INTP(ROWS - 1), _INTP(side), _INTP(1), intp=_INTP) as (seen, _):
                    see(seen, range(ROWS), side)
                for seen in range(side, ROWS + side - 1):
                    see(_INTP(seen), range(seen - side + 1, ROWS), side)
            for row in range(ROWS):
                offset = builder.add(scale_at, builder.mul(scale_row, _INTP(row)))
                factor = load_vector(builder, element_pointer(context, builder, kinds[12], scale, offset))
                start = builder.load(element_pointer(context, builder, kinds[9], base_rows, _INTP(row)))
                start = builder.add(start, base_at)
                for channel in range(count):
                    offset = builder.add(start, builder.mul(base_step, _INTP(channel)))
                    residual = load_vector(builder, element_pointer(context, builder, kinds[8], base, offset))
                    offset = builder.add(out_at, builder.mul(out_row, _INTP(row)))
                    offset = builder.add(offset, builder.mul(out_step, _INTP(channel)))
                    total = multiply_add(builder, builder.load(sums[row][channel]), factor, residual)
                    store_vector(builder, total, element_pointer(context, builder, kinds[15], out, offset))
            return context.get_dummy_value()

        number = types.intp
        parameters = (p, number, number, number, v, v_rows, number, number, base, base_rows, number, number,
                      scale, number, number, out, number, number, number, number)  # fmt: skip
        return types.void(*parameters), generate

    return weighted_sum


weighted_sum_many = _weighted_sum_of(CHANNELS_AT_ONCE)
weighted_sum_one = _weighted_sum_of(1)
