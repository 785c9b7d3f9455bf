"""The entry point of one thread, compiled for one signature and kept on disk where that is possible."""
# mypy: disable-error-code="no-untyped-def, call-arg, var-annotated"

import functools

from numba import types

from edge_arseg.compiled import cached_if_possible
from edge_arseg.native.entry import compiled_entry, unpacker
from edge_arseg.native.library import Kernel, digest_of_sources
from edge_arseg.runtime.kernels.numba.launch import BYTES, FLOATS, INTS, PLACES, sizes_type
from edge_arseg.runtime.kernels.numba.waiting import take_at
from edge_arseg.runtime.kernels.numba_head.geometry import Geometry
from edge_arseg.runtime.kernels.numba_head.sweep import sweep_strip
from edge_arseg.runtime.kernels.numba_head.tables import ColumnTaps, RowTaps

_ARGUMENTS = (
    FLOATS,  # feature
    FLOATS,  # weights
    FLOATS,  # bias
    types.NamedTuple((types.intp, INTS, FLOATS), RowTaps),
    types.NamedTuple((INTS, INTS, FLOATS), ColumnTaps),
    BYTES,  # out
    PLACES,  # jobs
    sizes_type(Geometry),  # g
    FLOATS,  # scores
    FLOATS,  # line
    BYTES,  # row
    BYTES,  # winners
    INTS,  # runs
)


_unpack = unpacker(_ARGUMENTS)


def _compile(cache: bool) -> Kernel:
    """Decode strips until none is left; ``table`` is the address of the arguments, see ``_ARGUMENTS``."""
    digest = digest_of_sources()

    def decode_strips(table):
        if digest < 0:  # never; what it uses is part of the key of Numba's cache
            return
        (
            feature, weights, bias, rows, columns, out, jobs, g, scores, line, row, winners, runs,
        ) = _unpack(table)  # fmt: skip
        strip = take_at(jobs, 0)
        while strip < g.strips:
            sweep_strip(strip, feature, weights, bias, rows, columns, out, g, scores, line, row, winners, runs)
            strip = take_at(jobs, 0)

    return compiled_entry(decode_strips, cache=cache)


@functools.cache
def compiled_decode() -> Kernel:
    """Return the compiled entry point; the first call in a process compiles it, or loads it from Numba's cache.

    A cache that cannot be written or read costs the compilation (a few seconds), nothing else.
    """
    return cached_if_possible(_compile)
