"""Local attention of a group of ``ROWS`` output rows, one register's width of pixels at a time."""
# mypy: disable-error-code="no-untyped-def, call-arg, var-annotated"

import numpy as np
from numba import njit

from edge_arseg.runtime.kernels.numba.vector import (
    LANES,
    add,
    exp,
    load,
    maximum,
    reciprocal,
    splat,
    store,
    store_past_cache,
    subtract,
)
from edge_arseg.runtime.kernels.numba_fuse.geometry import BEFORE, ROWS, SLOTS
from edge_arseg.runtime.kernels.numba_fuse.microkernels import (
    CHANNELS_AT_ONCE,
    similarity_1,
    similarity_2,
    similarity_3,
    weighted_sum_many,
    weighted_sum_one,
)


@njit(error_model="numpy", forceinline=True)
def score_block(scratch, column, key_rows, g):
    """Write the similarities of a block, ``[ROWS][window^2][LANES]``: sums over channels, without ``1 / sqrt(C)``."""
    query_row, places = g.query_row, g.window * g.window
    queries = g.queries_at + column
    step = (places - g.window) * LANES
    for seen in range(g.seen_rows):
        first = max(0, seen - g.window + 1)
        rows = min(ROWS - 1, seen) - first + 1
        query = queries + first * query_row
        key = g.keys_at + key_rows[seen] + column + BEFORE - g.reach
        to = g.scores_at + (first * places + (seen - first) * g.window) * LANES
        if rows == 3:
            similarity_3(scratch, query, query_row, g.query_width, scratch, key, g.seen_width, g.channels,
                         scratch, to, step, LANES, g.window)  # fmt: skip
        elif rows == 2:
            similarity_2(scratch, query, query_row, g.query_width, scratch, key, g.seen_width, g.channels,
                         scratch, to, step, LANES, g.window)  # fmt: skip
        else:
            similarity_1(scratch, query, query_row, g.query_width, scratch, key, g.seen_width, g.channels,
                         scratch, to, step, LANES, g.window)  # fmt: skip


@njit(error_model="numpy", forceinline=True)
def softmax_block(scratch, position_bias, g):
    """Turn similarities into softmax numerators in place, and write one over their sum, ``[ROWS][LANES]``.

    ``position_bias[window^2]`` is added to the similarities first.

    Places outside the image have similarity 0 and take part, as in the reference.
    """
    places = g.window * g.window
    for row in range(ROWS):
        at = g.scores_at + row * places * LANES
        most = splat(np.float32(-np.inf))
        for place in range(places):
            biased = add(load(scratch, at + place * LANES), splat(position_bias[place]))
            store(scratch, at + place * LANES, biased)
            most = maximum(biased, most)
        total = splat(np.float32(0))
        for place in range(0, places * LANES, LANES):
            weight = exp(subtract(load(scratch, at + place), most))
            store(scratch, at + place, weight)
            total = add(total, weight)
        store(scratch, g.scale_at + row * LANES, reciprocal(total))


@njit(error_model="numpy", forceinline=True)
def sum_block(scratch, column, key_rows, base_rows, g):
    """Write ``LR feature + attention`` of a block over its queries, which are not needed any more."""
    many = g.channels - g.channels % CHANNELS_AT_ONCE
    row = g.window * g.window * LANES
    values, base, to = g.values_at + column + BEFORE - g.reach, column + 1, g.queries_at + column
    step = SLOTS * g.base_width
    for channel in range(0, many, CHANNELS_AT_ONCE):
        weighted_sum_many(scratch, g.scores_at, row, LANES, scratch, key_rows, values + channel * g.seen_width,
                          g.seen_width, scratch, base_rows, base + channel * step, step, scratch, g.scale_at, LANES,
                          scratch, to + channel * g.query_width, g.query_row, g.query_width, g.window)  # fmt: skip
    for channel in range(many, g.channels):
        weighted_sum_one(scratch, g.scores_at, row, LANES, scratch, key_rows, values + channel * g.seen_width,
                         g.seen_width, scratch, base_rows, base + channel * step, step, scratch, g.scale_at, LANES,
                         scratch, to + channel * g.query_width, g.query_row, g.query_width, g.window)  # fmt: skip


@njit(error_model="numpy", forceinline=True)
def copy_row(scratch, source, out, to, columns, shift):
    """Copy a finished row of one channel to ``out``, past the caches unless ``shift`` is negative.

    ``shift`` is the place of ``out[0]`` in a register's width of memory. A large result is not read again before it
    has left the caches; writing it there would first read what it replaces.
    """
    i = 0
    if shift >= 0:
        head = min(-(to + shift) % LANES, columns)
        while i < head:
            out[to + i] = scratch[source + i]
            i += 1
        while i + LANES <= columns:
            store_past_cache(out, to + i, load(scratch, source + i))
            i += LANES
    while i + LANES <= columns:
        store(out, to + i, load(scratch, source + i))
        i += LANES
    while i < columns:
        out[to + i] = scratch[source + i]
        i += 1


@njit(error_model="numpy")
def attend(scratch, top, left, rows, columns, key_rows, base_rows, position_bias, out, shift, g):
    """Fuse output rows ``top`` to ``top + rows`` (at most ``ROWS``), columns ``left`` to ``left + columns``."""
    for column in range(0, columns, LANES):
        score_block(scratch, column, key_rows, g)
        softmax_block(scratch, position_bias, g)
        sum_block(scratch, column, key_rows, base_rows, g)
    height, first = g.last_row - g.first_row, top - g.first_row
    for channel in range(g.channels):
        for row in range(rows):
            source = g.queries_at + row * g.query_row + channel * g.query_width
            copy_row(scratch, source, out, (channel * height + first + row) * g.width + left, columns, shift)
