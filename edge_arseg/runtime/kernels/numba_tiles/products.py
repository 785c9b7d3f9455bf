"""The inner loops of attention and classification, with every partial sum in a register or a tile.

Everything called ``*_at``, ``*_step`` or ``*_row`` counts elements of arrays, 4 bytes each.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.extending import intrinsic

from edge_arseg.runtime.kernels.numba.memory import Memory, store_half
from edge_arseg.runtime.kernels.numba.vector import (
    INT_VECTOR,
    LANES,
    VECTOR,
    element_pointer,
    lanewise,
    load_vector,
    multiply_add,
    same,
    splat_vector,
    store_vector,
)
from edge_arseg.runtime.kernels.numba_tiles.geometry import PAIRS, ROWS, SIDE, TILE_FLOATS
from edge_arseg.runtime.kernels.numba_tiles.terms import by_terms, paired, products_of, split_both, transposed
from edge_arseg.runtime.kernels.numba_tiles.tiles import add_product, clear_tile, load_tile, store_tile
from edge_arseg.spec.model import WINDOW

_INTP = ir.IntType(64)
_BYTES = ir.VectorType(ir.IntType(8), LANES // 2)
_SERIES = np.polynomial.chebyshev.Chebyshev.interpolate(np.exp2, 4, [-0.5, 0.5]).convert(kind=np.polynomial.Polynomial)


@intrinsic
def score_tiles(
    _typing: Any, s: Any, queries: Any, term: Any, step: Any, k0: Any, k1: Any, k2: Any, k3: Any, key_row: Any,
    key_term: Any, chunks: Any, to: Any, terms: Any,
) -> Any:  # fmt: skip
    """Write the similarities of 16 pixels to 16 columns of eight rows, ``[8][16][16]``.

    Rows of keys come in pairs at ``k0`` to ``k3``, ``key_row`` apart. ``chunks`` is the number of 32 channels.
    """

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        s, queries, term, step, k0, k1, k2, k3, key_row, key_term, chunks, to, count = args
        memory = Memory(context, builder, signature.args, {"s": (0, s)})
        for terms in by_terms(builder, count):
            for first, pairs in ((0, (k0, k1)), (4, (k2, k3))):
                starts = [builder.add(pair, builder.mul(key_row, _INTP(row))) for pair in pairs for row in range(ROWS)]
                for tile in range(4):
                    clear_tile(builder, tile)
                with cgutils.for_range(builder, chunks, intp=_INTP) as loop:
                    skip = builder.mul(loop.index, _INTP(TILE_FLOATS))
                    for left in range(terms):
                        load_tile(builder, 4 + left, memory.at("s", queries, (left, term), (loop.index, SIDE)), step)
                    for right in range(terms):
                        for tile, start in enumerate(starts):
                            key = memory.at("s", builder.add(start, skip), (right, key_term))
                            load_tile(builder, 7, key, _INTP(SIDE))
                            for left, wanted in products_of(terms):
                                if wanted == right:
                                    add_product(builder, tile, 4 + left, 7)
                for tile in range(4):
                    store_tile(builder, tile, memory.at("s", to, (first + tile, TILE_FLOATS)), _INTP(SIDE))
        return context.get_dummy_value()

    return types.void(s, *[types.intp] * 12), generate


def _soften_row(row: int) -> Callable[..., None]:
    @intrinsic
    def soften(_typing: Any, s: Any, at: Any, bias: Any, bias_at: Any, to: Any, total: Any, terms: Any) -> Any:
        """Write softmax numerators of one pixel in row ``row`` of a block, and one over their sum.

        Similarities are 16 numbers for each row seen, a tile apart. The bias, ``[7][16]``, is in units of ln 2, and far
        below zero where a column is not seen. Numerators are pairs of terms of two rows.
        """

        def generate(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
            s, at, bias, bias_at, to, total, count = args
            memory = Memory(context, builder, signature.args, {"s": (0, s), "b": (2, bias)})
            values = []
            for seen in range(WINDOW):
                score = load_vector(builder, memory.at("s", at, (row + seen, TILE_FLOATS)))
                place = load_vector(builder, memory.at("b", bias_at, (seen, LANES)))
                values.append(multiply_add(builder, score, same(1.4426950408889634), place))
            most = _folded(builder, _tree(builder, values, _larger), _larger)
            weights = [_exp2(builder, builder.fsub(value, most)) for value in values]
            sum_ = _folded(builder, _tree(builder, weights, _plus), _plus)
            inverse = builder.fdiv(ir.Constant(ir.FloatType(), 1.0), builder.extract_element(sum_, _INTP(0)))
            builder.store(inverse, memory.at("s", total))
            zero = ir.Constant(VECTOR, None)
            seen_rows = [zero] * row + weights + [zero] * (ROWS - 1 - row)
            for terms in by_terms(builder, count):
                for pair in range(PAIRS):
                    rest = seen_rows[ROWS * pair : ROWS * pair + ROWS]
                    for number in range(terms):
                        parts, rest = split_both(builder, rest)
                        place = memory.at("s", to, (pair * terms + number, TILE_FLOATS))
                        store_vector(builder, paired(builder, *parts), place)
            return context.get_dummy_value()

        n = types.intp
        return types.void(s, n, bias, n, n, n, n), generate

    return soften


soften_upper = _soften_row(0)
soften_lower = _soften_row(1)


@intrinsic
def sum_tiles(
    _typing: Any, s: Any, shares: Any, v0: Any, v1: Any, v2: Any, v3: Any, step: Any, term: Any, to: Any, chunks: Any,
    terms: Any,
) -> Any:  # fmt: skip
    """Write the weighted sums of 16 pixels, ``step`` apart; values are at ``v0`` to ``v3``, pixels ``step`` apart.

    ``chunks`` is the number of 64 channels.
    """

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        s, shares, v0, v1, v2, v3, step, term, to, chunks, count = args
        memory = Memory(context, builder, signature.args, {"s": (0, s)})
        for terms in by_terms(builder, count):
            with cgutils.for_range(builder, chunks, intp=_INTP) as loop:
                here = builder.mul(loop.index, _INTP(4 * SIDE))
                for tile in range(4):
                    clear_tile(builder, tile)
                for pair, start in enumerate((v0, v1, v2, v3)):
                    for left in range(terms):
                        place = memory.at("s", shares, (pair * terms + left, TILE_FLOATS))
                        load_tile(builder, 4 + left, place, _INTP(SIDE))
                    for right in range(terms):
                        for tile in range(4):
                            value = memory.at("s", builder.add(start, here), (right, term), (tile, SIDE))
                            own = 6 + tile % 2
                            load_tile(builder, own, value, step)
                            for left, wanted in products_of(terms):
                                if wanted == right:
                                    add_product(builder, tile, 4 + left, own)
                for tile in range(4):
                    store_tile(builder, tile, memory.at("s", builder.add(to, here), (tile, SIDE)), step)
        return context.get_dummy_value()

    return types.void(s, *[types.intp] * 10), generate


@intrinsic
def classify(
    _typing: Any, s: Any, at: Any, step: Any, weights: Any, weights_at: Any, weights_step: Any, bias: Any, bias_at: Any,
    channels: Any, to: Any,
) -> Any:  # fmt: skip
    """Write the scores of 16 pixels for 16 classes, ``[class][pixel]``."""

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        s, at, step, weights, weights_at, weights_step, bias, bias_at, channels, to = args
        memory = Memory(context, builder, signature.args, {"s": (0, s), "w": (3, weights), "b": (6, bias)})
        cells = [cgutils.alloca_once(builder, VECTOR) for _ in range(SIDE)]
        start = load_vector(builder, memory.at("b", bias_at))
        for cell in cells:
            builder.store(start, cell)
        with cgutils.for_range(builder, channels, intp=_INTP) as loop:
            weight = load_vector(builder, memory.at("w", weights_at, (loop.index, weights_step)))
            for pixel, cell in enumerate(cells):
                number = builder.load(memory.at("s", at, (pixel, step), (loop.index, 1)))
                builder.store(multiply_add(builder, splat_vector(builder, number), weight, builder.load(cell)), cell)
        for row, value in enumerate(transposed(builder, [builder.load(cell) for cell in cells])):
            store_vector(builder, value, memory.at("s", to, (row, LANES)))
        return context.get_dummy_value()

    n = types.intp
    return types.void(s, n, n, weights, n, n, bias, n, n, n), generate


@intrinsic
def store_halves(_typing: Any, array: Any, upper: Any, lower: Any, value: Any) -> Any:
    """Write the first half of the lanes to ``array[upper:]``, the others to ``array[lower:]``; bytes are cut off."""

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        array, upper, lower, value = args
        kind = _BYTES if signature.args[0].dtype == types.uint8 else None
        for half, offset in enumerate((upper, lower)):
            store_half(builder, value, half, element_pointer(context, builder, signature.args[0], array, offset), kind)
        return context.get_dummy_value()

    return types.void(array, types.intp, types.intp, value), generate


def _larger(builder: ir.IRBuilder, a: ir.Value, b: ir.Value) -> ir.Value:
    return builder.select(builder.fcmp_ordered(">", a, b), a, b)


def _plus(builder: ir.IRBuilder, a: ir.Value, b: ir.Value) -> ir.Value:
    return builder.fadd(a, b)


def _tree(builder: ir.IRBuilder, values: list[ir.Value], join: Callable[..., ir.Value]) -> ir.Value:
    while len(values) > 1:
        joined = [join(builder, values[i], values[i + 1]) for i in range(0, len(values) - 1, 2)]
        values = joined + values[len(values) - len(values) % 2 :]
    return values[0]


def _folded(builder: ir.IRBuilder, value: ir.Value, join: Callable[..., ir.Value]) -> ir.Value:
    """Emit what all lanes come to, in every lane."""
    for step in (8, 4, 2, 1):
        mask = ir.Constant(INT_VECTOR, [lane ^ step for lane in range(LANES)])
        value = join(builder, value, builder.shuffle_vector(value, value, mask))
    return value


def _exp2(builder: ir.IRBuilder, value: ir.Value) -> ir.Value:
    """Emit ``2 ** value`` for values up to 0, to a unit in the last place; 0 far below."""
    whole = lanewise(builder, "rint", value)
    rest = builder.fsub(value, whole)
    series = same(float(_SERIES.coef[-1]))
    for coefficient in _SERIES.coef[-2::-1]:
        series = multiply_add(builder, series, rest, same(float(coefficient)))
    short = ir.IntType(16)
    kind = ir.FunctionType(VECTOR, [VECTOR, VECTOR, VECTOR, short, ir.IntType(32)])
    scale = cgutils.get_or_insert_function(builder.module, kind, "llvm.x86.avx512.mask.scalef.ps.512")
    return builder.call(scale, [series, whole, ir.Constant(VECTOR, None), short(-1), ir.IntType(32)(4)])
