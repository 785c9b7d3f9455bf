"""The entry point of one thread, compiled for one signature and kept on disk where that is possible."""
# mypy: disable-error-code="no-untyped-def, call-arg, var-annotated"

import functools

from numba import types

from edge_arseg.compiled import cached_if_possible
from edge_arseg.native.entry import compiled_entry, unpacker
from edge_arseg.native.library import Kernel, digest_of_sources
from edge_arseg.runtime.kernels.numba.launch import FLOATS, INTS, PLACES, sizes_type
from edge_arseg.runtime.kernels.numba.waiting import take_at
from edge_arseg.runtime.kernels.numba_fuse.geometry import Geometry
from edge_arseg.runtime.kernels.numba_fuse.sweep import sweep_strip
from edge_arseg.runtime.kernels.numba_fuse.tables import Axis

_AXIS = types.NamedTuple((INTS, INTS, FLOATS, FLOATS), Axis)
_ARGUMENTS = (
    FLOATS,  # key
    FLOATS,  # flow
    types.float64,  # factor
    FLOATS,  # lr
    _AXIS,  # lr_x
    INTS,  # windows
    _AXIS,  # lr_y
    _AXIS,  # flow_x
    _AXIS,  # flow_y
    FLOATS,  # query_weights
    FLOATS,  # seen_weights
    FLOATS,  # position_bias
    FLOATS,  # out
    types.intp,  # shift
    PLACES,  # jobs
    sizes_type(Geometry),  # g
    FLOATS,  # scratch
    INTS,  # ints
    PLACES,  # places
)


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
        job = take_at(jobs, 0)
        while job < g.strips * g.bands:
            sweep_strip(
                job % g.strips, job // g.strips, key, flow, factor, lr, lr_x, windows, lr_y, flow_x, flow_y,
                query_weights, seen_weights, position_bias, out, shift, scratch, ints, places, g,
            )  # fmt: skip
            job = take_at(jobs, 0)

    return compiled_entry(fuse_strips, cache=cache)


@functools.cache
def compiled_fusion() -> Kernel:
    """Return the compiled entry point; the first call in a process compiles it, or loads it from Numba's cache.

    A cache that cannot be written or read costs the compilation (about ten seconds), nothing else.
    """
    return cached_if_possible(_compile)
