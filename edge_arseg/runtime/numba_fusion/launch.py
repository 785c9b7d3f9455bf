"""The entry point of one thread, compiled for one signature and kept on disk where that is possible.

Threads are Python's, working without the interpreter lock, and take strips from a common counter. Numba's own
parallel loops were left out on purpose: their threads keep a core busy for a while after the loop, which is when the
next engine wants it; the simplest of their layers aborts the process when two threads enter it; and they nearly
double the time to compile.
"""
# mypy: disable-error-code="no-untyped-def, call-arg, var-annotated"

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zlib import crc32

from numba import njit, types
from numba.core.extending import intrinsic

from edge_arseg.runtime.numba_fusion.axis import Axis
from edge_arseg.runtime.numba_fusion.geometry import Geometry
from edge_arseg.runtime.numba_fusion.sweep import sweep_strip
from edge_arseg.runtime.numba_fusion.vector import element_pointer

_FLOATS = types.Array(types.float32, 1, "C")
_INTS = types.Array(types.int32, 1, "C")
_PLACES = types.Array(types.intp, 1, "C")
_AXIS = types.NamedTuple((_INTS, _INTS, _FLOATS, _FLOATS), Axis)
_SIGNATURE = types.void(
    _FLOATS,  # key
    _FLOATS,  # flow
    types.float64,  # factor
    _FLOATS,  # lr
    _AXIS,  # lr_x
    _INTS,  # windows
    _AXIS,  # lr_y
    _AXIS,  # flow_x
    _AXIS,  # flow_y
    _FLOATS,  # query_weights
    _FLOATS,  # seen_weights
    _FLOATS,  # position_bias
    _FLOATS,  # out
    types.intp,  # shift
    _PLACES,  # jobs
    types.NamedUniTuple(types.intp, len(Geometry._fields), Geometry),  # g
    _FLOATS,  # scratch
    _INTS,  # ints
    _PLACES,  # places
)


@intrinsic
def take_next(_typing: Any, counter: Any) -> Any:
    """Return ``counter[0]`` and add one to it, as one step that no other thread can divide."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = context.get_value_type(types.intp)
        pointer = element_pointer(context, builder, signature.args[0], args[0], kind(0))
        return builder.atomic_rmw("add", pointer, kind(1), "seq_cst")

    return types.intp(counter), generate


def digest_of_sources(*folders: Path) -> int:
    """Return a number that changes with any module of this package, or of the ``folders`` that build on it.

    Numba notices a change of the file that holds the entry point, but not of the files it is compiled from.
    """
    paths = [path for folder in (Path(__file__).parent, *folders) for path in sorted(folder.glob("*.py"))]
    return crc32(b"".join(path.read_bytes() for path in paths))


def cached_if_possible(compiled: Callable[[bool], Callable[..., None]]) -> Callable[..., None]:
    """Compile with Numba's cache, or without it where the cache cannot be written or read."""
    try:
        return compiled(True)
    except (OSError, RuntimeError, EOFError):
        return compiled(False)


def _compile(cache: bool) -> Callable[..., None]:
    digest = digest_of_sources()

    def fuse_strips(
        key, flow, factor, lr, lr_x, windows, lr_y, flow_x, flow_y, query_weights, seen_weights,
        position_bias, out, shift, jobs, g, scratch, ints, places,
    ):  # fmt: skip
        if g.channels < 0 and digest:  # never; a value that the function uses is part of the key of Numba's cache
            return
        job = take_next(jobs)
        while job < g.strips * g.bands:
            sweep_strip(
                job % g.strips, job // g.strips, key, flow, factor, lr, lr_x, windows, lr_y, flow_x, flow_y,
                query_weights, seen_weights, position_bias, out, shift, scratch, ints, places, g,
            )  # fmt: skip
            job = take_next(jobs)

    return njit(_SIGNATURE, nogil=True, error_model="numpy", cache=cache)(fuse_strips)


@functools.cache
def compiled_fusion() -> Callable[..., None]:
    """Return the compiled entry point; the first call in a process compiles it, or loads it from Numba's cache.

    A cache that cannot be written or read costs the compilation (about ten seconds), nothing else.
    """
    return cached_if_possible(_compile)
