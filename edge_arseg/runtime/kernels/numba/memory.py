"""Places in the arrays that a microkernel works on."""

from typing import Any

from llvmlite import ir

from edge_arseg.runtime.kernels.numba.vector import LANES, element_pointer

_WORD = ir.IntType(64)
_HALF = ir.VectorType(ir.IntType(32), LANES // 2)


class Memory:
    """Arrays of one call, addressed by element."""

    def __init__(self, context: Any, builder: ir.IRBuilder, kinds: Any, arrays: dict[str, tuple[int, ir.Value]]):
        self._context, self._builder, self._kinds, self._arrays = context, builder, kinds, arrays

    def at(self, name: str, offset: ir.Value, *steps: tuple[Any, Any]) -> ir.Value:
        """Return the address of an element: ``offset`` and ``count * step`` for each of ``steps``."""
        place, array = self._arrays[name]
        for count, step in steps:
            numbers = [_WORD(number) if isinstance(number, int) else number for number in (count, step)]
            offset = self._builder.add(offset, self._builder.mul(*numbers))
        return element_pointer(self._context, self._builder, self._kinds[place], array, offset)


def store_half(builder: ir.IRBuilder, value: ir.Value, half: int, pointer: ir.Value, kind: Any = None) -> None:
    """Emit the store of the first or the second half of the lanes; ``kind`` is what integers are cut down to."""
    lanes = [half * LANES // 2 + lane for lane in range(LANES // 2)]
    part = builder.shuffle_vector(value, value, ir.Constant(_HALF, lanes))
    part = builder.trunc(part, kind) if kind else part
    builder.store(part, builder.bitcast(pointer, part.type.as_pointer()), align=1)
