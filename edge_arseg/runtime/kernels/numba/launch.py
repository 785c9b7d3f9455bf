"""How an entry point is compiled, and how its threads share the work.

Threads are Python's, working without the interpreter lock, and take strips from a common counter. Numba's own
parallel loops were left out on purpose: their threads keep a core busy for a while after the loop, which is when the
next engine wants it; the simplest of their layers aborts the process when two threads enter it; and they nearly
double the time to compile.
"""

from typing import Any

from numba import types
from numba.core.extending import intrinsic

from edge_arseg.runtime.kernels.numba.vector import element_pointer

FLOATS = types.Array(types.float32, 1, "C")
INTS = types.Array(types.int32, 1, "C")
PLACES = types.Array(types.intp, 1, "C")
BYTES = types.Array(types.uint8, 1, "C")


def sizes_type(geometry: Any) -> Any:
    """Return Numba's type of a named tuple of sizes."""
    return types.NamedUniTuple(types.intp, len(geometry._fields), geometry)


@intrinsic
def take_next(_typing: Any, counter: Any) -> Any:
    """Return ``counter[0]`` and add one to it, as one step that no other thread can divide."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = context.get_value_type(types.intp)
        pointer = element_pointer(context, builder, signature.args[0], args[0], kind(0))
        return builder.atomic_rmw("add", pointer, kind(1), "seq_cst")

    return types.intp(counter), generate
