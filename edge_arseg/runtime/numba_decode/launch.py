"""The entry point of one thread, compiled for one signature and kept on disk where that is possible.

Threads are used as by the fusion kernel, for the same reasons.
"""
# mypy: disable-error-code="no-untyped-def, call-arg, var-annotated"

import functools
from collections.abc import Callable
from pathlib import Path

from numba import njit, types

from edge_arseg.runtime.numba_decode.sweep import Geometry, sweep_strip
from edge_arseg.runtime.numba_decode.taps import ColumnTaps, RowTaps
from edge_arseg.runtime.numba_fusion.launch import cached_if_possible, digest_of_sources, take_next

_FLOATS = types.Array(types.float32, 1, "C")
_INTS = types.Array(types.int32, 1, "C")
_PLACES = types.Array(types.intp, 1, "C")
_BYTES = types.Array(types.uint8, 1, "C")
_SIGNATURE = types.void(
    _FLOATS,  # feature
    _FLOATS,  # weights
    _FLOATS,  # bias
    types.NamedTuple((types.intp, _INTS, _FLOATS), RowTaps),
    types.NamedTuple((_INTS, _INTS, _FLOATS), ColumnTaps),
    _BYTES,  # out
    _PLACES,  # jobs
    types.NamedUniTuple(types.intp, len(Geometry._fields), Geometry),  # g
    _FLOATS,  # scores
    _FLOATS,  # line
    _BYTES,  # row
)


def _compile(cache: bool) -> Callable[..., None]:
    digest = digest_of_sources(Path(__file__).parent)

    def decode_strips(feature, weights, bias, rows, columns, out, jobs, g, scores, line, row):
        if g.channels < 0 and digest:  # never; a value that the function uses is part of the key of Numba's cache
            return
        strip = take_next(jobs)
        while strip < g.strips:
            sweep_strip(strip, feature, weights, bias, rows, columns, out, g, scores, line, row)
            strip = take_next(jobs)

    return njit(_SIGNATURE, nogil=True, error_model="numpy", cache=cache)(decode_strips)


@functools.cache
def compiled_decode() -> Callable[..., None]:
    """Return the compiled entry point; the first call in a process compiles it, or loads it from Numba's cache.

    A cache that cannot be written or read costs the compilation (a few seconds), nothing else.
    """
    return cached_if_possible(_compile)
