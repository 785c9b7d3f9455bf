"""The entry point of one thread, compiled for one signature and kept on disk where that is possible."""
# mypy: disable-error-code="no-untyped-def, call-arg, var-annotated"

import functools

from numba import types

from edge_arseg.compiled import cached_if_possible
from edge_arseg.native.entry import compiled_entry, unpacker
from edge_arseg.native.library import Kernel, digest_of_sources
from edge_arseg.runtime.kernels.numba.launch import BYTES, FLOATS, INTS, PLACES, sizes_type
from edge_arseg.runtime.kernels.numba.waiting import take_at, wait_for
from edge_arseg.runtime.kernels.numba_fuse.tables import Axis
from edge_arseg.runtime.kernels.numba_head.tables import ColumnTaps, RowTaps
from edge_arseg.runtime.kernels.numba_tiles.decode import decode_strip
from edge_arseg.runtime.kernels.numba_tiles.geometry import DONE, LINE, Geometry
from edge_arseg.runtime.kernels.numba_tiles.rows import put_pixels
from edge_arseg.runtime.kernels.numba_tiles.sweep import sweep_band

_AXIS = types.NamedTuple((INTS, INTS, FLOATS, FLOATS), Axis)
_ARGUMENTS = (
    FLOATS,  # key_planes
    FLOATS,  # key
    FLOATS,  # flow
    types.float64,  # factor
    FLOATS,  # lr_planes
    FLOATS,  # lr
    _AXIS,  # lr_x
    _AXIS,  # lr_y
    _AXIS,  # flow_x
    _AXIS,  # flow_y
    FLOATS,  # query_weights
    FLOATS,  # seen_weights
    FLOATS,  # position_bias
    FLOATS,  # classifier
    FLOATS,  # bias
    types.NamedTuple((types.intp, INTS, FLOATS), RowTaps),
    types.NamedTuple((INTS, INTS, FLOATS), ColumnTaps),
    FLOATS,  # scores
    BYTES,  # winners
    BYTES,  # out
    PLACES,  # counters
    sizes_type(Geometry),  # g
    FLOATS,  # scratch
    INTS,  # ints
    INTS,  # runs
    BYTES,  # row
)
_unpack = unpacker(_ARGUMENTS)


def _compile(cache: bool) -> Kernel:
    """Fuse and decode a frame with the other threads; ``table`` is the address of the arguments, see ``_ARGUMENTS``.

    Work comes in three stages, each of which needs all of the one before: features pixel by pixel, scores, class map.
    Returns before the end where another thread takes long with its piece; a further call continues from there.
    """
    digest = digest_of_sources()

    def segment_frame(table):
        if digest < 0:  # never; what it uses is part of the key of Numba's cache
            return
        (
            key_planes, key, flow, factor, lr_planes, lr, lr_x, lr_y, flow_x, flow_y, query_weights, seen_weights,
            position_bias, classifier, bias, rows, columns, scores, winners, out, counters, g, scratch, ints, runs, row,
        ) = _unpack(table)  # fmt: skip
        jobs = g.lr_jobs + g.key_jobs
        job = take_at(counters, 0)
        while job < jobs:
            if job < g.lr_jobs:
                put_pixels(job, lr_planes, lr, g.lr_height * g.lr_width, g.channels, g.padded)
            else:
                put_pixels(job - g.lr_jobs, key_planes, key, g.height * g.width, g.channels, g.padded)
            take_at(counters, LINE)
            job = take_at(counters, 0)
        if not wait_for(counters, LINE, jobs):
            return
        jobs = g.strips * g.bands
        job = take_at(counters, 2 * LINE)
        while job < jobs:
            sweep_band(
                job % g.strips, job // g.strips, key, flow, factor, lr, lr_x, lr_y, flow_x, flow_y, query_weights,
                seen_weights, position_bias, classifier, bias, scores, winners, scratch, ints, g,
            )  # fmt: skip
            take_at(counters, 3 * LINE)
            job = take_at(counters, 2 * LINE)
        if not wait_for(counters, 3 * LINE, jobs):
            return
        job = take_at(counters, 4 * LINE)
        while job < g.decode_jobs:
            decode_strip(job, rows, columns, scores, winners, out, scratch, runs, row, g)
            take_at(counters, DONE)
            job = take_at(counters, 4 * LINE)

    return compiled_entry(segment_frame, cache=cache)


@functools.cache
def compiled_tiles() -> Kernel:
    """Return the compiled entry point; the first call in a process compiles it, or loads it from Numba's cache.

    A cache that cannot be written or read costs the compilation (some ten seconds), nothing else.
    """
    return cached_if_possible(_compile)
