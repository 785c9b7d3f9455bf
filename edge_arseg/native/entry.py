"""Kernels compiled here by Numba, called as those that are shipped."""
# mypy: disable-error-code="no-untyped-def"

from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir
from numba import njit, types
from numba.core.extending import intrinsic
from numba.np.arrayobj import populate_array

from edge_arseg.native.library import Kernel

_WORD = ir.IntType(64)

_OPTIONS: Any = {"nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True}
"""Of every entry point."""


def unpacker(kinds: Sequence[Any]) -> Any:
    """Return an intrinsic that reads a table (see ``table_of``) as a tuple of values of the Numba types ``kinds``.

    Arrays are C-contiguous and own nothing: who calls keeps them alive.
    """
    result = types.Tuple(tuple(kinds))

    @intrinsic
    def unpack(_typing: Any, table: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> ir.Value:
            start = builder.inttoptr(args[0], _WORD.as_pointer())
            values, at = [], 0
            for kind in kinds:
                value, at = _read(context, builder, kind, start, at)
                values.append(value)
            return context.make_tuple(builder, result, values)

        return result(types.intp), generate

    return unpack


def compiled_entry(function: Callable[[int], None], *, cache: bool) -> Kernel:
    """Compile a function of the address of a table; with ``cache``, keep it on disk.

    Numba notices a change of the file that holds a function, but not of the files that it calls into. So a function
    that is kept must use ``digest_of_sources``: values that a function uses are part of the key.

    Raises:
        OSError, RuntimeError, EOFError: ``cache``, and it cannot be written or read.
    """
    return njit(types.void(types.intp), cache=cache, **_OPTIONS)(function)


def _read(context: Any, builder: Any, kind: Any, start: Any, at: int) -> tuple[Any, int]:
    """Return the value of type ``kind`` at word ``at``, and the word behind it."""
    if isinstance(kind, types.BaseTuple):
        parts = []
        for part in kind:  # type: ignore[attr-defined]
            value, at = _read(context, builder, part, start, at)
            parts.append(value)
        return context.make_tuple(builder, kind, parts), at
    place = builder.gep(start, [_WORD(at)])
    if not isinstance(kind, types.Array):
        wanted = context.get_value_type(kind)
        return builder.load(builder.bitcast(place, wanted.as_pointer())), at + 1
    lengths = [builder.load(builder.gep(start, [_WORD(at + 1 + axis)])) for axis in range(kind.ndim)]
    item = context.get_abi_sizeof(context.get_data_type(kind.dtype))
    steps = [_WORD(item)]
    for length in reversed(lengths[1:]):
        steps.insert(0, builder.mul(steps[0], length))
    array = context.make_array(kind)(context, builder)
    data = builder.inttoptr(builder.load(place), context.get_data_type(kind.dtype).as_pointer())
    populate_array(array, data=data, shape=lengths, strides=steps, itemsize=_WORD(item), meminfo=None)
    return array._getvalue(), at + 1 + kind.ndim
