"""Types of what an entry point takes, and how its threads share the work.

Threads are Python's, working without the interpreter lock, and take strips from a common counter (``waiting``).
Numba's own parallel loops were left out on purpose: their threads keep a core busy for a while after the loop, which is
when the next engine wants it; the simplest of their layers aborts the process when two threads enter it; and they
nearly double the time to compile.
"""

from typing import Any

from numba import types

FLOATS = types.Array(types.float32, 1, "C")
INTS = types.Array(types.int32, 1, "C")
PLACES = types.Array(types.intp, 1, "C")
BYTES = types.Array(types.uint8, 1, "C")


def sizes_type(geometry: Any) -> Any:
    """Return Numba's type of a named tuple of sizes."""
    return types.NamedUniTuple(types.intp, len(geometry._fields), geometry)
