"""The inner loops of the decode kernel, with partial sums and running maxima in registers.

Arrays are flat; everything called ``*_at`` or ``*_step`` counts elements.
"""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.extending import intrinsic

from edge_arseg.runtime.kernels.numba.vector import (
    INT_VECTOR,
    LANES,
    VECTOR,
    I32s,
    element_pointer,
    fetch_line,
    load_vector,
    multiply_add,
    splat_vector,
    store_vector,
)
from edge_arseg.runtime.kernels.numba_head.geometry import CLASSES, VECTORS

_INTP = ir.IntType(64)
_INT = ir.IntType(32)
_BYTES = ir.VectorType(ir.IntType(8), LANES)


@intrinsic
def add_scores(
    _typing: Any, feature: Any, at: Any, plane: Any, channels: Any, ahead: Any, weights: Any, weights_at: Any,
    weights_step: Any, scores: Any, scores_at: Any, scores_step: Any,
) -> Any:  # fmt: skip
    """Add some channels' share to the scores of ``TILE`` pixels for ``CLASSES`` classes.

    Channels of the feature lie ``plane`` apart; the pixels ``ahead`` of these are asked for. Weights of the classes of
    a channel are neighbours, those of the next channel ``weights_step`` behind. Scores of classes are ``scores_step``
    apart.
    """

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        feature, at, plane, channels, ahead, weights, weights_at, weights_step, scores, scores_at, scores_step = args
        kinds = signature.args
        pointers = []
        for number in range(CLASSES):
            start = builder.add(scores_at, builder.mul(scores_step, _INTP(number)))
            offsets = [builder.add(start, _INTP(vector * LANES)) for vector in range(VECTORS)]
            pointers.append([element_pointer(context, builder, kinds[8], scores, offset) for offset in offsets])
        sums = [[cgutils.alloca_once(builder, VECTOR) for _ in range(VECTORS)] for _ in range(CLASSES)]
        for cells, places in zip(sums, pointers, strict=True):
            for cell, place in zip(cells, places, strict=True):
                builder.store(load_vector(builder, place), cell)
        with cgutils.for_range(builder, channels, intp=_INTP) as loop:
            here = builder.add(at, builder.mul(loop.index, plane))
            pixels = []
            for vector in range(VECTORS):
                offset = builder.add(here, _INTP(vector * LANES))
                coming = builder.add(offset, ahead)
                fetch_line(builder, element_pointer(context, builder, kinds[0], feature, coming))
                pixels.append(load_vector(builder, element_pointer(context, builder, kinds[0], feature, offset)))
            row = builder.add(weights_at, builder.mul(loop.index, weights_step))
            for number, cells in enumerate(sums):
                pointer = element_pointer(context, builder, kinds[5], weights, builder.add(row, _INTP(number)))
                weight = splat_vector(builder, builder.load(pointer))
                for pixel, cell in zip(pixels, cells, strict=True):
                    builder.store(multiply_add(builder, pixel, weight, builder.load(cell)), cell)
        for cells, places in zip(sums, pointers, strict=True):
            for cell, place in zip(cells, places, strict=True):
                store_vector(builder, builder.load(cell), place)
        return context.get_dummy_value()

    n = types.intp
    return types.void(feature, n, n, n, n, weights, n, n, scores, n, n), generate


def _winners_of(count: int) -> Callable[..., Any]:
    @intrinsic
    def winners(
        _typing: Any, values: Any, at: Any, step: Any, classes: Any, weights: Any, weights_at: Any, more: Any
    ) -> Any:
        """Return the class with the first largest score, for ``LANES`` pixels.

        The score of a class is the sum of ``count`` neighbouring values, each times a register of weights; those of
        the next class lie ``step`` behind. Without ``count``, there are as many as ``more`` says.
        """

        def generate(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
            values, at, step, classes, weights, weights_at, more = args
            kinds = signature.args

            def factor(k: ir.Value) -> ir.Value:
                offset = builder.add(weights_at, builder.mul(k, _INTP(LANES)))
                return load_vector(builder, element_pointer(context, builder, kinds[4], weights, offset))

            def source(place: ir.Value, k: ir.Value) -> ir.Value:
                pointer = element_pointer(context, builder, kinds[0], values, builder.add(place, k))
                return splat_vector(builder, builder.load(pointer))

            factors = [factor(_INTP(k)) for k in range(count)]

            def score(number: ir.Value) -> ir.Value:
                place = builder.add(at, builder.mul(number, step))
                if count:
                    total = builder.fmul(source(place, _INTP(0)), factors[0])
                    for k in range(1, count):
                        total = multiply_add(builder, source(place, _INTP(k)), factors[k], total)
                    return total
                cell = cgutils.alloca_once(builder, VECTOR)
                builder.store(builder.fmul(source(place, _INTP(0)), factor(_INTP(0))), cell)
                with cgutils.for_range_slice(builder, _INTP(1), more, _INTP(1), intp=_INTP) as (k, _):
                    total = multiply_add(builder, source(place, k), factor(k), builder.load(cell))
                    builder.store(total, cell)
                return builder.load(cell)

            return _first_maximum(builder, classes, score)

        n = types.intp
        return I32s(values, n, n, n, weights, n, n), generate

    return winners


winners_2 = _winners_of(2)
winners_3 = _winners_of(3)
winners_4 = _winners_of(4)
winners_many = _winners_of(0)


@intrinsic
def winners_there(_typing: Any, values: Any, at: Any, step: Any, classes: Any) -> Any:
    """Return the class with the first largest score, for ``LANES`` pixels whose scores need no resizing."""

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        values, at, step, classes = args

        def score(number: ir.Value) -> ir.Value:
            offset = builder.add(at, builder.mul(number, step))
            return load_vector(builder, element_pointer(context, builder, signature.args[0], values, offset))

        return _first_maximum(builder, classes, score)

    return I32s(values, types.intp, types.intp, types.intp), generate


def _first_maximum(builder: ir.IRBuilder, classes: ir.Value, score: Callable[[ir.Value], ir.Value]) -> ir.Value:
    """Emit the loop over classes that keeps the best score and its class in registers."""
    best, winner = cgutils.alloca_once(builder, VECTOR), cgutils.alloca_once(builder, INT_VECTOR)
    builder.store(score(_INTP(0)), best)
    builder.store(ir.Constant(INT_VECTOR, None), winner)
    with cgutils.for_range_slice(builder, _INTP(1), classes, _INTP(1), intp=_INTP) as (number, _):
        now, old = score(number), builder.load(best)
        better = builder.fcmp_ordered(">", now, old)
        empty = ir.Constant(INT_VECTOR, ir.Undefined)
        first = builder.insert_element(empty, builder.trunc(number, _INT), _INT(0))
        here = builder.shuffle_vector(first, empty, ir.Constant(INT_VECTOR, None))
        builder.store(builder.select(better, now, old), best)
        builder.store(builder.select(better, here, builder.load(winner)), winner)
    return builder.load(winner)


@intrinsic
def fill_bytes(_typing: Any, array: Any, offset: Any, number: Any) -> Any:
    """Write ``number``, which is below 256, to ``array[offset : offset + LANES]``."""

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        pointer = element_pointer(context, builder, signature.args[0], args[0], args[1])
        byte, every = builder.trunc(args[2], ir.IntType(8)), ir.Constant(_BYTES, ir.Undefined)
        for lane in range(LANES):
            every = builder.insert_element(every, byte, ir.IntType(32)(lane))
        builder.store(every, builder.bitcast(pointer, _BYTES.as_pointer()), align=1)
        return context.get_dummy_value()

    return types.void(array, types.intp, types.intp), generate


@intrinsic
def store_bytes(_typing: Any, array: Any, offset: Any, value: Any) -> Any:
    """Write the lanes of ``value``, which are below 256, to ``array[offset : offset + LANES]``."""

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        pointer = element_pointer(context, builder, signature.args[0], args[0], args[1])
        narrow = builder.trunc(args[2], _BYTES)
        builder.store(narrow, builder.bitcast(pointer, _BYTES.as_pointer()), align=1)
        return context.get_dummy_value()

    return types.void(array, types.intp, I32s), generate
