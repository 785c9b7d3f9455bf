"""AMX: products of tiles of 16 rows and 64 bytes, emitted instruction by instruction.

A tile is named by its number, 0 to 7. Dot products take pairs of bfloat16: a row of the left tile are 32 numbers of one
output row, a row of the right tile is a pair of numbers for each of 16 output columns. Sums are float32.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.extending import intrinsic

from edge_arseg.runtime.kernels.numba.vector import element_pointer
from edge_arseg.runtime.kernels.numba_tiles.geometry import SIDE

_BYTE = ir.IntType(8)
_WORD = ir.IntType(64)
_POINTER = _BYTE.as_pointer()


def _call(builder: ir.IRBuilder, name: str, *operands: ir.Value) -> None:
    kind = ir.FunctionType(ir.VoidType(), [operand.type for operand in operands])
    builder.call(cgutils.get_or_insert_function(builder.module, kind, f"llvm.x86.{name}"), operands)


def clear_tile(builder: ir.IRBuilder, tile: int) -> None:
    """Emit zeros into a tile."""
    _call(builder, "tilezero", _BYTE(tile))


def load_tile(builder: ir.IRBuilder, tile: int, pointer: ir.Value, step: ir.Value) -> None:
    """Emit the load of 16 rows, ``step`` 32-bit numbers apart."""
    bytes_apart = builder.mul(step, _WORD(4))
    _call(builder, "tileloadd64", _BYTE(tile), builder.bitcast(pointer, _POINTER), bytes_apart)


def store_tile(builder: ir.IRBuilder, tile: int, pointer: ir.Value, step: ir.Value) -> None:
    """Emit the store of 16 rows, ``step`` 32-bit numbers apart."""
    bytes_apart = builder.mul(step, _WORD(4))
    _call(builder, "tilestored64", _BYTE(tile), builder.bitcast(pointer, _POINTER), bytes_apart)


def add_product(builder: ir.IRBuilder, total: int, left: int, right: int) -> None:
    """Emit ``total += left @ right``."""
    _call(builder, "tdpbf16ps", _BYTE(total), _BYTE(left), _BYTE(right))


@intrinsic
def begin_tiles(_typing: Any, ints: Any, at: Any) -> Any:
    """Set all tiles up as whole ones, for this thread; ``ints[at : at + 16]`` is working memory."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        start = element_pointer(context, builder, signature.args[0], *args)
        start = builder.bitcast(start, _POINTER)
        rows, sizes = {48 + tile: SIDE for tile in range(8)}, {16 + 2 * tile: 4 * SIDE for tile in range(8)}
        for place in range(64):
            value = {0: 1, **rows, **sizes}.get(place, 0)
            builder.store(_BYTE(value), builder.gep(start, [_WORD(place)]))
        _call(builder, "ldtilecfg", start)
        return context.get_dummy_value()

    return types.void(ints, types.intp), generate


@intrinsic
def end_tiles(_typing: Any) -> Any:
    """Give the tiles back: a thread that holds none is cheaper to switch."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        _call(builder, "tilerelease")
        return context.get_dummy_value()

    return types.void(), generate
