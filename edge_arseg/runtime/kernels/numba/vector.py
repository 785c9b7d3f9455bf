"""A vector of float32 lanes as a Numba value, so that a kernel can say which numbers stay in registers.

Numba's own loop vectoriser would keep the partial sums of the attention in memory and prefers half-width registers on
server CPUs. ``F32s`` maps to LLVM's ``<LANES x float>``: one register on the instruction sets that ``lanes_of_cpu``
names, several anywhere else, with the same results.

The functions are called from code that Numba compiles. Arrays are one-dimensional and contiguous; offsets count
elements, need no alignment, and are **not** checked against the bounds of the array.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.extending import intrinsic, models, register_model

from edge_arseg.runtime.kernels.numba.registers import LANES

_FLOAT = ir.FloatType()
_INT = ir.IntType(32)


VECTOR = ir.VectorType(_FLOAT, LANES)
INT_VECTOR = ir.VectorType(_INT, LANES)


class _LanesType(types.Type):
    """Numba's name for ``LANES`` numbers held in a register."""


class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, VECTOR if kind is F32s else INT_VECTOR)


register_model(_LanesType)(_LanesModel)
F32s = _LanesType(name=f"f32x{LANES}")
I32s = _LanesType(name=f"i32x{LANES}")


def is_flat(kind: Any, dtype: Any) -> bool:
    """Return whether a Numba type is a contiguous one-dimensional array of ``dtype``."""
    return isinstance(kind, types.Array) and kind.dtype == dtype and kind.ndim == 1 and kind.layout == "C"


def element_pointer(context: Any, builder: ir.IRBuilder, kind: Any, array: ir.Value, offset: ir.Value) -> ir.Value:
    """Return the address of element ``offset`` of a one-dimensional array value."""
    return builder.gep(context.make_array(kind)(context, builder, array).data, [offset])


def load_vector(builder: ir.IRBuilder, pointer: ir.Value, kind: ir.Type = VECTOR) -> ir.Value:
    """Emit the load of one vector that starts at ``pointer``."""
    return builder.load(builder.bitcast(pointer, kind.as_pointer()), align=4)


def store_vector(builder: ir.IRBuilder, value: ir.Value, pointer: ir.Value) -> None:
    """Emit the store of one vector to where ``pointer`` points."""
    builder.store(value, builder.bitcast(pointer, value.type.as_pointer()), align=4)


def fetch_line(builder: ir.IRBuilder, pointer: ir.Value) -> None:
    """Emit a request for the cache line at ``pointer``, which may lie outside any array."""
    byte = ir.IntType(8).as_pointer()
    kind = ir.FunctionType(ir.VoidType(), [byte, _INT, _INT, _INT])
    function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
    builder.call(function, [builder.bitcast(pointer, byte), _INT(0), _INT(3), _INT(1)])


def splat_vector(builder: ir.IRBuilder, number: ir.Value) -> ir.Value:
    """Emit ``number`` in every lane."""
    empty = ir.Constant(VECTOR, ir.Undefined)
    first = builder.insert_element(empty, number, ir.Constant(_INT, 0))
    return builder.shuffle_vector(first, empty, ir.Constant(INT_VECTOR, [0] * LANES))


def multiply_add(builder: ir.IRBuilder, a: ir.Value, b: ir.Value, c: ir.Value) -> ir.Value:
    """Emit ``a * b + c``: one instruction where the CPU has it, two where it has not, never a library call."""
    return lanewise(builder, "fmuladd", a, b, c)


def lanewise(builder: ir.IRBuilder, name: str, *operands: ir.Value) -> ir.Value:
    """Emit a call of the LLVM intrinsic ``name``, all of whose operands are ``F32s``."""
    signature = ir.FunctionType(VECTOR, [VECTOR] * len(operands))
    function = cgutils.get_or_insert_function(builder.module, signature, f"llvm.{name}.v{LANES}f32")
    return builder.call(function, operands)


def same(number: float) -> ir.Constant:
    """Return the constant ``number`` in every lane."""
    return ir.Constant(VECTOR, [number] * LANES)


@intrinsic
def splat(_typing: Any, number: Any) -> Any:
    """Return the float32 ``number`` in every lane."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> ir.Value:
        return splat_vector(builder, args[0])

    return F32s(types.float32), generate


@intrinsic
def load(_typing: Any, array: Any, offset: Any) -> Any:
    """Return ``array[offset : offset + LANES]`` of a float32 or an int32 array."""
    result = I32s if is_flat(array, types.int32) else F32s

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> ir.Value:
        pointer = element_pointer(context, builder, signature.args[0], *args)
        return load_vector(builder, pointer, INT_VECTOR if result is I32s else VECTOR)

    return result(array, types.intp), generate


@intrinsic
def store(_typing: Any, array: Any, offset: Any, value: Any) -> Any:
    """Write ``value`` to ``array[offset : offset + LANES]``."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> ir.Value:
        store_vector(builder, args[2], element_pointer(context, builder, signature.args[0], args[0], args[1]))
        return context.get_dummy_value()

    return types.void(array, types.intp, value), generate


@intrinsic
def store_past_cache(_typing: Any, array: Any, offset: Any, value: Any) -> Any:
    """Write ``value`` as ``store`` does, to an address that is a multiple of its size, leaving the caches alone."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> ir.Value:
        pointer = element_pointer(context, builder, signature.args[0], args[0], args[1])
        written = builder.store(args[2], builder.bitcast(pointer, VECTOR.as_pointer()), align=4 * LANES)
        written.set_metadata("nontemporal", builder.module.add_metadata([_INT(1)]))
        return context.get_dummy_value()

    return types.void(array, types.intp, value), generate


@intrinsic
def prefetch(_typing: Any, array: Any, offset: Any) -> Any:
    """Ask for the cache line of ``array[offset]``, which need not exist."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> ir.Value:
        fetch_line(builder, element_pointer(context, builder, signature.args[0], *args))
        return context.get_dummy_value()

    return types.void(array, types.intp), generate


@intrinsic
def blend_picked(
    _typing: Any, array: Any, offset: Any, low: Any, high: Any, low_weight: Any, high_weight: Any
) -> Any:  # fmt: skip
    """Return ``a[low[i]] * low_weight[i] + a[high[i]] * high_weight[i]`` for every lane ``i``, ``a = array[offset:]``.

    All indices are below ``2 * LANES``. Reads ``array[offset : offset + 2 * LANES]``: once with AVX-512, where it takes
    two permutations of what was read; else pixel by pixel.
    """

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> ir.Value:
        array, offset, low, high, low_weight, high_weight = args
        if LANES == 16:
            tables = []
            for half in range(2):
                place = builder.add(offset, offset.type(half * LANES))
                tables.append(load_vector(builder, element_pointer(context, builder, signature.args[0], array, place)))
            kind = ir.FunctionType(VECTOR, [VECTOR, INT_VECTOR, VECTOR])
            permute = cgutils.get_or_insert_function(builder.module, kind, "llvm.x86.avx512.vpermi2var.ps.512")
            found = [builder.call(permute, [tables[0], index, tables[1]]) for index in (low, high)]
        else:
            found = [_gather(context, builder, signature, (array, offset, index)) for index in (low, high)]
        return multiply_add(builder, found[1], high_weight, builder.fmul(found[0], low_weight))

    return F32s(array, types.intp, low, high, F32s, F32s), generate


@intrinsic
def gather(_typing: Any, array: Any, offset: Any, index: Any) -> Any:
    """Return ``array[offset + index[i]]`` for every lane ``i``."""
    return F32s(array, types.intp, index), _gather


def _gather(context: Any, builder: Any, signature: Any, args: Any) -> ir.Value:
    base = element_pointer(context, builder, signature.args[0], args[0], args[1])
    value = ir.Constant(VECTOR, ir.Undefined)
    for lane in range(LANES):
        number = ir.Constant(_INT, lane)
        pointer = builder.gep(base, [builder.sext(builder.extract_element(args[2], number), ir.IntType(64))])
        value = builder.insert_element(value, builder.load(pointer), number)
    return value


@intrinsic
def fma(_typing: Any, a: Any, b: Any, c: Any) -> Any:
    """Return ``a * b + c``."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> ir.Value:
        return multiply_add(builder, *args)

    return F32s(F32s, F32s, F32s), generate


@intrinsic
def add(_typing: Any, a: Any, b: Any) -> Any:
    """Return ``a + b``."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> ir.Value:
        return builder.fadd(*args)

    return F32s(F32s, F32s), generate


@intrinsic
def subtract(_typing: Any, a: Any, b: Any) -> Any:
    """Return ``a - b``."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> ir.Value:
        return builder.fsub(*args)

    return F32s(F32s, F32s), generate


@intrinsic
def multiply(_typing: Any, a: Any, b: Any) -> Any:
    """Return ``a * b``."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> ir.Value:
        return builder.fmul(*args)

    return F32s(F32s, F32s), generate


@intrinsic
def maximum(_typing: Any, a: Any, b: Any) -> Any:
    """Return the larger of ``a`` and ``b``; ``b`` where either is not a number."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> ir.Value:
        return builder.select(builder.fcmp_ordered(">", *args), *args)

    return F32s(F32s, F32s), generate


@intrinsic
def reciprocal(_typing: Any, a: Any) -> Any:
    """Return ``1 / a``."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> ir.Value:
        return builder.fdiv(same(1.0), args[0])

    return F32s(F32s), generate


@intrinsic
def exp(_typing: Any, a: Any) -> Any:
    """Return ``e ** a`` for ``a <= 0``, to 2 units in the last place; below -87 the result is that of -87.

    The polynomial and the two-part ln 2 are those of Cephes ``expf`` (S. Moshier, public domain).
    """

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> ir.Value:
        floor = same(-87.0)
        a = builder.select(builder.fcmp_ordered(">", args[0], floor), args[0], floor)
        # Adding 1.5 * 2**23 rounds to an integer and leaves that integer in the low bits of the sum.
        shift = same(12582912.0)
        shifted = multiply_add(builder, a, same(1.44269504088896341), shift)
        power = builder.fsub(shifted, shift)
        rest = multiply_add(builder, power, same(-0.693359375), a)
        rest = multiply_add(builder, power, same(2.12194440e-4), rest)
        series = same(1.9875691500e-4)
        for coefficient in (1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1, 1, 1):
            series = multiply_add(builder, series, rest, same(coefficient))
        exponent = builder.shl(builder.bitcast(shifted, INT_VECTOR), ir.Constant(INT_VECTOR, [23] * LANES))
        return builder.bitcast(builder.add(builder.bitcast(series, INT_VECTOR), exponent), VECTOR)

    return F32s(F32s), generate
