"""Convolution of pixels that lie channel by channel, and the tiles that its results are packed in.

Everything called ``*_at``, ``step``, ``row`` or ``apart`` counts elements of arrays, 4 bytes each.
"""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.extending import intrinsic

from edge_arseg.runtime.kernels.numba.memory import Memory, store_half
from edge_arseg.runtime.kernels.numba.vector import LANES, load_vector, multiply_add, splat_vector, store_vector
from edge_arseg.runtime.kernels.numba_tiles.geometry import CHANNELS, ROWS, SIDE
from edge_arseg.runtime.kernels.numba_tiles.terms import by_terms, paired, split_both, transposed
from edge_arseg.spec.weights import TAPS

_INTP = ir.IntType(64)
_FILTER = TAPS * TAPS + 1


@intrinsic
def blend_four(
    _typing: Any, source: Any, at: Any, right: Any, below: Any, first: Any, second: Any, third: Any, fourth: Any,
    s: Any, to: Any, chunks: Any,
) -> Any:  # fmt: skip
    """Write a weighted sum of four pixels, the last two ``below`` the others; ``chunks`` counts 64 channels."""

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        source, at, right, below, *weights, s, to, chunks = args
        memory = Memory(context, builder, signature.args, {"k": (0, source), "s": (8, s)})
        factors = [splat_vector(builder, weight) for weight in weights]
        corners = [at, builder.add(at, right), builder.add(at, below), builder.add(builder.add(at, below), right)]
        with cgutils.for_range(builder, chunks, intp=_INTP) as loop:
            for part in range(CHANNELS // LANES):
                steps = ((loop.index, CHANNELS), (part, LANES))
                pixels = [load_vector(builder, memory.at("k", corner, *steps)) for corner in corners]
                upper = multiply_add(builder, pixels[1], factors[1], builder.fmul(pixels[0], factors[0]))
                lower = multiply_add(builder, pixels[3], factors[3], builder.fmul(pixels[2], factors[2]))
                store_vector(builder, builder.fadd(upper, lower), memory.at("s", to, *steps))
        return context.get_dummy_value()

    n, f = types.intp, types.float32
    return types.void(source, n, n, n, f, f, f, f, s, n, n), generate


def _convolve_with(filters: int) -> Callable[..., None]:
    @intrinsic
    def convolve(
        _typing: Any, s: Any, r0: Any, r1: Any, r2: Any, r3: Any, step: Any, weights: Any, at: Any, to: Any, row: Any,
        apart: Any, count: Any,
    ) -> Any:  # fmt: skip
        """Convolve 16 channels of four rows into two; ``count`` columns, centred one behind the rows' first.

        Taps and bias of a filter are ten registers at ``weights[at:]``, those of the next one behind them. The second
        row of the result is ``row`` behind the first, the next filter's ``apart``; its columns are 32 apart.
        """

        def generate(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
            s, r0, r1, r2, r3, step, weights, at, to, row, apart, count = args
            memory = Memory(context, builder, signature.args, {"s": (0, s), "w": (6, weights)})
            taps = [
                [load_vector(builder, memory.at("w", at, (number * _FILTER + tap, LANES))) for tap in range(_FILTER)]
                for number in range(filters)
            ]
            with cgutils.for_range(builder, count, intp=_INTP) as loop:
                sums = [[taps[number][-1]] * ROWS for number in range(filters)]
                for source, start in enumerate((r0, r1, r2, r3)):
                    for dx in range(TAPS):
                        column = builder.add(loop.index, _INTP(dx))
                        pixel = load_vector(builder, memory.at("s", start, (column, step)))
                        for target in range(max(0, source - TAPS + 1), min(ROWS, source + 1)):
                            for own_taps, own_sums in zip(taps, sums, strict=True):
                                tap = own_taps[(source - target) * TAPS + dx]
                                own_sums[target] = multiply_add(builder, pixel, tap, own_sums[target])
                for number in range(filters):
                    for target in range(ROWS):
                        place = memory.at("s", to, (loop.index, 2 * LANES), (number, apart), (target, row))
                        store_vector(builder, sums[number][target], place)
            return context.get_dummy_value()

        n = types.intp
        return types.void(s, n, n, n, n, n, weights, n, n, n, n, n), generate

    return convolve


convolve_once = _convolve_with(1)
convolve_twice = _convolve_with(2)


@intrinsic
def pack_queries(_typing: Any, s: Any, at: Any, to: Any, step: Any, term: Any, terms: Any) -> Any:
    """Write 16 pixels of 32 channels, ``[16][2][16]`` at ``at``, as pairs of terms, pixels ``step`` apart."""

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        s, at, to, step, term, count = args
        memory = Memory(context, builder, signature.args, {"s": (0, s)})
        for terms in by_terms(builder, count):
            with cgutils.for_range(builder, _INTP(SIDE), intp=_INTP) as loop:
                halves = [
                    load_vector(builder, memory.at("s", at, (loop.index, 2 * LANES), (half, LANES))) for half in (0, 1)
                ]
                for number in range(terms):
                    parts, halves = split_both(builder, halves)
                    store_vector(
                        builder, paired(builder, *parts), memory.at("s", to, (loop.index, step), (number, term))
                    )
        return context.get_dummy_value()

    n = types.intp
    return types.void(s, n, n, n, n, n), generate


@intrinsic
def pack_keys(_typing: Any, s: Any, at: Any, to: Any, block: Any, term: Any, terms: Any) -> Any:
    """Write 16 pixels of 32 channels, ``[16][2][16]`` at ``at``, as tiles of pairs of terms of two channels.

    Blocks are eight columns apart and see 16: so their tiles overlap, and each half is written twice. One tile at any
    column would do, but a load of a row across two cache lines takes three times as long. What was read is overwritten.
    """

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        s, at, to, block, term, count = args
        memory = Memory(context, builder, signature.args, {"s": (0, s)})
        for terms in by_terms(builder, count):
            for number in range(terms):
                rows = []
                for pixel in range(SIDE):
                    places = [memory.at("s", at, (2 * pixel + half, LANES)) for half in (0, 1)]
                    parts, rest = split_both(builder, [load_vector(builder, place) for place in places])
                    rows.append(paired(builder, *parts))
                    if number + 1 < terms:
                        for place, left in zip(places, rest, strict=True):
                            store_vector(builder, left, place)
                for row, value in enumerate(transposed(builder, rows)):
                    store_vector(builder, value, memory.at("s", to, (row, SIDE), (number, term)))
                    for half, (neighbour, skip) in enumerate(((-1, LANES // 2), (1, 0))):
                        place = memory.at("s", to, (row, SIDE), (number, term), (neighbour, block), (skip, 1))
                        store_half(builder, value, half, place)
        return context.get_dummy_value()

    n = types.intp
    return types.void(s, n, n, n, n, n), generate


@intrinsic
def pack_values(_typing: Any, s: Any, at: Any, row: Any, to: Any, step: Any, term: Any, terms: Any) -> Any:
    """Write 16 pixels of 32 channels of two rows, ``[16][2][16]`` each, as pairs of terms of both rows."""

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        s, at, row, to, step, term, count = args
        memory = Memory(context, builder, signature.args, {"s": (0, s)})
        for terms in by_terms(builder, count):
            with cgutils.for_range(builder, _INTP(SIDE), intp=_INTP) as loop:
                for half in (0, 1):
                    rows = [
                        load_vector(builder, memory.at("s", at, (loop.index, 2 * LANES), (half, LANES), (number, row)))
                        for number in range(ROWS)
                    ]
                    for number in range(terms):
                        parts, rows = split_both(builder, rows)
                        place = memory.at("s", to, (loop.index, step), (half, LANES), (number, term))
                        store_vector(builder, paired(builder, *parts), place)
        return context.get_dummy_value()

    n = types.intp
    return types.void(s, n, n, n, n, n, n), generate


@intrinsic
def turn(_typing: Any, source: Any, at: Any, step: Any, target: Any, to: Any, to_step: Any) -> Any:
    """Write 16 rows of 16 numbers, ``step`` apart, as 16 columns, ``to_step`` apart."""

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        source, at, step, target, to, to_step = args
        memory = Memory(context, builder, signature.args, {"s": (0, source), "t": (3, target)})
        rows = [load_vector(builder, memory.at("s", at, (row, step))) for row in range(SIDE)]
        for row, value in enumerate(transposed(builder, rows)):
            store_vector(builder, value, memory.at("t", to, (row, to_step)))
        return context.get_dummy_value()

    n = types.intp
    return types.void(source, n, n, target, n, n), generate
