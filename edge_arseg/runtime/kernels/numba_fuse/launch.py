"""The entry point of one thread, compiled for one signature and kept on disk where that is possible.

Threads are Python's, working without the interpreter lock, and take strips from a common counter. Numba's own
parallel loops were left out on purpose: their threads keep a core busy for a while after the loop, which is when the
next engine wants it; the simplest of their layers aborts the process when two threads enter it; and they nearly
double the time to compile.
"""
# mypy: disable-error-code="no-untyped-def, call-arg, var-annotated"

import functools
from typing import Any

from numba import types
from numba.core.extending import intrinsic

from edge_arseg.native.entry import cached_if_possible, compiled_entry, unpacker
from edge_arseg.native.library import Kernel, digest_of_sources
from edge_arseg.runtime.kernels.numba_fuse.axis import Axis
from edge_arseg.runtime.kernels.numba_fuse.geometry import Geometry
from edge_arseg.runtime.kernels.numba_fuse.sweep import sweep_strip
from edge_arseg.runtime.kernels.numba_fuse.vector import element_pointer

_FLOATS = types.Array(types.float32, 1, "C")
_INTS = types.Array(types.int32, 1, "C")
_PLACES = types.Array(types.intp, 1, "C")
_AXIS = types.NamedTuple((_INTS, _INTS, _FLOATS, _FLOATS), Axis)
_ARGUMENTS = (
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


_unpack = unpacker(_ARGUMENTS)


def _compile(cache: bool) -> Kernel:
    """Fuse strips until none is left; ``table`` is the address of the arguments, see ``_ARGUMENTS``."""
    digest = digest_of_sources()

    def fuse_strips(table):
        if digest < 0:  # never; what it uses is part of the key of Numba's cache
            return
        (
            key, flow, factor, lr, lr_x, windows, lr_y, flow_x, flow_y, query_weights, seen_weights,
            position_bias, out, shift, jobs, g, scratch, ints, places,
        ) = _unpack(table)  # fmt: skip
        job = take_next(jobs)
        while job < g.strips * g.bands:
            sweep_strip(
                job % g.strips, job // g.strips, key, flow, factor, lr, lr_x, windows, lr_y, flow_x, flow_y,
                query_weights, seen_weights, position_bias, out, shift, scratch, ints, places, g,
            )  # fmt: skip
            job = take_next(jobs)

    return compiled_entry(fuse_strips, cache=cache)


@functools.cache
def compiled_fusion() -> Kernel:
    """Return the compiled entry point; the first call in a process compiles it, or loads it from Numba's cache.

    A cache that cannot be written or read costs the compilation (about ten seconds), nothing else.
    """
    return cached_if_possible(_compile)
