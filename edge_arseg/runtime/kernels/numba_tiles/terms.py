"""float32 numbers as sums of bfloat16 terms, and registers of pairs of them.

The first term is a number rounded to bfloat16, the next one what is left of it, rounded again: two terms keep 16 bits
of it. A product of sums is a sum of products of terms, of which the smallest can be left out.
"""

from collections.abc import Iterator
from typing import Any

from llvmlite import ir

from edge_arseg.native.cases import cases
from edge_arseg.runtime.kernels.numba.vector import INT_VECTOR, LANES, VECTOR
from edge_arseg.runtime.kernels.numba_tiles.geometry import MOST_TERMS


def by_terms(builder: ir.IRBuilder, count: ir.Value) -> Iterator[int]:
    """Yield the numbers of terms there can be; what is emitted meanwhile runs where ``count`` is that number."""
    return cases(builder, count, range(1, MOST_TERMS + 1))


def products_of(terms: int) -> list[tuple[int, int]]:
    """Return which terms of both factors are multiplied: those whose product is not below the last bit kept."""
    return [(left, right) for left in range(terms) for right in range(terms - left)]


def split(builder: ir.IRBuilder, value: ir.Value) -> tuple[ir.Value, ir.Value]:
    """Emit the first term of a register of numbers, as the integers of float32, and what is left of them."""
    bits = builder.add(builder.bitcast(value, INT_VECTOR), _every(0x8000))
    term = builder.and_(bits, _every(-0x10000))
    return term, builder.fsub(value, builder.bitcast(term, VECTOR))


def split_both(builder: ir.IRBuilder, values: list[ir.Value]) -> tuple[list[ir.Value], list[ir.Value]]:
    """Emit the first terms of two registers, and what is left of them."""
    both = [split(builder, value) for value in values]
    return [term for term, _ in both], [rest for _, rest in both]


def paired(builder: ir.IRBuilder, first: ir.Value, second: ir.Value) -> ir.Value:
    """Emit pairs of bfloat16, as integers, of two registers of first terms."""
    return builder.or_(builder.lshr(first, _every(16)), second)


def transposed(builder: ir.IRBuilder, rows: list[ir.Value]) -> list[ir.Value]:
    """Emit the columns of 16 registers of 16 numbers."""
    for step in (1, 2, 4, 8):
        done: list[Any] = [None] * LANES
        for row in range(LANES):
            if row & step:
                continue
            low, high = rows[row], rows[row + step]
            kept = [lane if not lane & step else lane - step + LANES for lane in range(LANES)]
            moved = [lane + step if not lane & step else lane + LANES for lane in range(LANES)]
            done[row] = builder.shuffle_vector(low, high, ir.Constant(INT_VECTOR, kept))
            done[row + step] = builder.shuffle_vector(low, high, ir.Constant(INT_VECTOR, moved))
        rows = done
    return rows


def _every(number: int) -> ir.Constant:
    return ir.Constant(INT_VECTOR, [number] * LANES)
