"""Operations on registers of pixel positions: where a block of columns is sampled, and how its sources lie.

Called from code that Numba compiles, as those of ``vector``.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.extending import intrinsic

from edge_arseg.runtime.kernels.numba.vector import (
    INT_VECTOR,
    LANES,
    VECTOR,
    F32s,
    I32s,
    element_pointer,
    lanewise,
    same,
    splat_vector,
    store_vector,
)

_INT = ir.IntType(32)
_FAR = 1 << 30
_DOUBLES = ir.VectorType(ir.DoubleType(), LANES)


def _count_up() -> ir.Constant:
    return ir.Constant(INT_VECTOR, list(range(LANES)))


def _splat_int(builder: ir.IRBuilder, number: ir.Value) -> ir.Value:
    empty = ir.Constant(INT_VECTOR, ir.Undefined)
    first = builder.insert_element(empty, builder.trunc(number, _INT), ir.Constant(_INT, 0))
    return builder.shuffle_vector(first, empty, ir.Constant(INT_VECTOR, [0] * LANES))


def _splat_double(builder: ir.IRBuilder, number: ir.Value) -> ir.Value:
    empty = ir.Constant(_DOUBLES, ir.Undefined)
    first = builder.insert_element(empty, number, ir.Constant(_INT, 0))
    return builder.shuffle_vector(first, empty, ir.Constant(INT_VECTOR, [0] * LANES))


def _reduce(builder: ir.IRBuilder, name: str, value: ir.Value) -> ir.Value:
    kind = ir.FunctionType(_INT, [INT_VECTOR])
    function = cgutils.get_or_insert_function(builder.module, kind, f"llvm.vector.reduce.{name}.v{LANES}i32")
    return builder.sext(builder.call(function, [value]), ir.IntType(64))


@intrinsic
def place_axis(
    _typing: Any, first: Any, step: Any, flow: Any, factor: Any, size: Any, ints: Any, ints_at: Any, floats: Any,
    before: Any, after: Any,
) -> Any:  # fmt: skip
    """Place one axis of the samples of a block; lane ``i`` is sampled at pixel
    ``first + i * step + flow[i] * factor``.

    Writes the lower of its two neighbours, at most ``size - 2``, to ``ints[ints_at:]``, and the weights of both to
    ``floats[before:]`` and ``floats[after:]``: 0 where the neighbour is outside the image, or the flow not a number.

    The published checkpoints normalise positions as ``align_corners=True`` does and sample as ``align_corners=False``
    does, which puts the sample at ``v * size / (size - 1) - 0.5``. Float64 up to the normalised position, float32 from
    there, as in the reference.
    """

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> ir.Value:
        first, step, flow, factor, size, ints, ints_at, floats, before, after = args
        zero, one = same(0.0), same(1.0)
        double = ir.DoubleType()
        lanes = builder.mul(_splat_int(builder, step), _count_up())
        lanes = builder.sitofp(builder.add(_splat_int(builder, first), lanes), _DOUBLES)
        moved = builder.fadd(lanes, builder.fmul(builder.fpext(flow, _DOUBLES), _splat_double(builder, factor)))
        size_double = builder.sitofp(size, double)
        scale = builder.fdiv(ir.Constant(double, 2.0), builder.fsub(size_double, ir.Constant(double, 1.0)))
        normal = builder.fmul(moved, _splat_double(builder, scale))
        normal = builder.fptrunc(builder.fsub(normal, ir.Constant(_DOUBLES, [1.0] * LANES)), VECTOR)
        length = splat_vector(builder, builder.sitofp(size, ir.FloatType()))
        position = builder.fsub(builder.fmul(builder.fadd(normal, one), length), one)
        position = builder.fmul(position, same(0.5))
        # Ordered comparisons: "not a number" counts as outside.
        inside = builder.and_(
            builder.fcmp_ordered(">", position, same(-1.0)), builder.fcmp_ordered("<", position, length)
        )
        position = builder.select(inside, position, zero)
        low = lanewise(builder, "floor", position)
        right = builder.fsub(position, low)
        left = builder.fsub(one, right)
        # A sample on the border has one neighbour outside: shift the pair inside, and its weights with it.
        last = builder.fsub(length, same(2.0))
        is_first, is_last = builder.fcmp_ordered("<", low, zero), builder.fcmp_ordered(">", low, last)
        shifted_left = builder.select(is_first, right, builder.select(is_last, zero, left))
        shifted_right = builder.select(is_last, left, builder.select(is_first, zero, right))
        low = builder.select(is_first, zero, builder.select(is_last, last, low))
        for value, target in ((shifted_left, before), (shifted_right, after)):
            pointer = element_pointer(context, builder, signature.args[7], floats, target)
            store_vector(builder, builder.select(inside, value, zero), pointer)
        pointer = element_pointer(context, builder, signature.args[5], ints, ints_at)
        store_vector(builder, builder.fptosi(low, INT_VECTOR), pointer)
        return context.get_dummy_value()

    number = types.intp
    return types.void(number, number, F32s, types.float64, number, ints, number, floats, number, number), generate


@intrinsic
def least(_typing: Any, values: Any, used: Any) -> Any:
    """Return the smallest of ``values`` in lanes where ``used > 0``; 2**30 if there is none."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> ir.Value:
        mask = builder.fcmp_ordered(">", args[1], same(0.0))
        return _reduce(builder, "smin", builder.select(mask, args[0], ir.Constant(INT_VECTOR, [_FAR] * LANES)))

    return types.intp(I32s, F32s), generate


@intrinsic
def most(_typing: Any, values: Any, used: Any) -> Any:
    """Return the largest of ``values`` in lanes where ``used > 0``; -2**30 if there is none."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> ir.Value:
        mask = builder.fcmp_ordered(">", args[1], same(0.0))
        return _reduce(builder, "smax", builder.select(mask, args[0], ir.Constant(INT_VECTOR, [-_FAR] * LANES)))

    return types.intp(I32s, F32s), generate


@intrinsic
def places_in_window(_typing: Any, values: Any, start: Any, used: Any) -> Any:
    """Return ``values - start`` in lanes where ``used > 0``, elsewhere the number of the lane."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> ir.Value:
        mask = builder.fcmp_ordered(">", args[2], same(0.0))
        return builder.select(mask, builder.sub(args[0], _splat_int(builder, args[1])), _count_up())

    return I32s(I32s, types.intp, F32s), generate


@intrinsic
def one_further(_typing: Any, places: Any) -> Any:
    """Return ``places + 1``."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> ir.Value:
        return builder.add(args[0], ir.Constant(INT_VECTOR, [1] * LANES))

    return I32s(I32s), generate


@intrinsic
def are_neighbours(_typing: Any, places: Any) -> Any:
    """Return whether the places are 0, 1, 2 and so on."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> ir.Value:
        different = _reduce(builder, "or", builder.xor(args[0], _count_up()))
        return builder.icmp_signed("==", different, ir.Constant(ir.IntType(64), 0))

    return types.boolean(I32s), generate


@intrinsic
def flat_places(_typing: Any, x: Any, y: Any, width: Any) -> Any:
    """Return ``y * width + x``."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> ir.Value:
        return builder.add(builder.mul(args[1], _splat_int(builder, args[2])), args[0])

    return I32s(I32s, I32s, types.intp), generate


@intrinsic
def share_of_row(_typing: Any, y: Any, row: Any, above: Any, below: Any) -> Any:
    """Return ``above`` in lanes where ``y == row``, ``below`` where ``y + 1 == row``, else 0."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> ir.Value:
        distance = builder.sub(_splat_int(builder, args[1]), args[0])
        upper = builder.icmp_signed("==", distance, ir.Constant(INT_VECTOR, [0] * LANES))
        lower = builder.icmp_signed("==", distance, ir.Constant(INT_VECTOR, [1] * LANES))
        return builder.select(upper, args[2], builder.select(lower, args[3], same(0.0)))

    return F32s(I32s, types.intp, F32s, F32s), generate
