"""Rows of the keyframe feature, warped to the current frame."""
# mypy: disable-error-code="no-untyped-def, call-arg, var-annotated"

import numpy as np
from numba import njit

from edge_arseg.runtime.kernels.numba.vector import (
    LANES,
    add,
    blend_picked,
    fma,
    gather,
    load,
    multiply,
    prefetch,
    splat,
    store,
)
from edge_arseg.runtime.kernels.numba_fuse.geometry import PLACE_FLOATS, PLACE_INTS, ROWS, SOURCE_ROWS
from edge_arseg.runtime.kernels.numba_fuse.placement import (
    are_neighbours,
    flat_places,
    least,
    most,
    one_further,
    place_axis,
    places_in_window,
    share_of_row,
)

NEIGHBOURS = -1
"""Kind of a block whose lanes read consecutive pixels; kinds from 0 on count the source rows."""
SCATTERED = -2
"""Kind of a block whose sources do not fit a window."""


@njit(error_model="numpy", forceinline=True)
def blend_flow(row, begin, end, flow, flow_y, scratch, g):
    """Resize flow cells ``begin`` to ``end`` to feature row ``row``, planar, ``[2][flow_width]`` at ``flow_at``."""
    upper, lower = 2 * flow_y.low[row] * g.flow_width, 2 * flow_y.high[row] * g.flow_width
    a, b = flow_y.low_weight[row], flow_y.high_weight[row]
    for i in range(begin, end):
        scratch[g.flow_at + i] = a * flow[upper + 2 * i] + b * flow[lower + 2 * i]
        scratch[g.flow_at + g.flow_width + i] = a * flow[upper + 2 * i + 1] + b * flow[lower + 2 * i + 1]


@njit(error_model="numpy")
def place_row(row, left, blocks, flow, factor, flow_x, flow_y, scratch, table, ints, header, pixels, g):
    """Find where the columns of warped row ``row`` come from, block by block.

    Writes ``PLACE_INTS`` integers for each block to ``ints[header:]`` and ``PLACE_FLOATS`` weights for each to
    ``scratch[table:]``. ``ints[pixels:]`` is working memory of ``2 * LANES``. ``flow_x`` has four entries before the
    image, with weights 0 as those behind it.
    """
    splat(np.float32(0))
    first, final = max(left - 4, 0), min(left - 4 + blocks * LANES, g.width) - 1
    blend_flow(row, flow_x.low[first + 4], flow_x.high[final + 4] + 1, flow, flow_y, scratch, g)
    at = g.pixels_at
    for block in range(blocks):
        column = left + block * LANES
        low, high = load(flow_x.low, column), load(flow_x.high, column)
        low_weight, high_weight = load(flow_x.low_weight, column), load(flow_x.high_weight, column)
        dx = multiply(gather(scratch, g.flow_at, low), low_weight)
        dx = fma(gather(scratch, g.flow_at, high), high_weight, dx)
        dy = multiply(gather(scratch, g.flow_at + g.flow_width, low), low_weight)
        dy = fma(gather(scratch, g.flow_at + g.flow_width, high), high_weight, dy)
        # Columns outside the image have flow weights 0; they stay where they are, which is outside the keyframe too.
        place_axis(column - 4, 1, dx, factor, g.width, ints, pixels, scratch, at, at + LANES)
        place_axis(row, 0, dy, factor, g.height, ints, pixels + LANES, scratch, at + 2 * LANES, at + 3 * LANES)
        x, y = load(ints, pixels), load(ints, pixels + LANES)
        before, after = load(scratch, at), load(scratch, at + LANES)
        above, below = load(scratch, at + 2 * LANES), load(scratch, at + 3 * LANES)
        used = multiply(add(before, after), add(above, below))
        x_least, y_least = least(x, used), least(y, used)
        x_most, y_most = most(x, used), most(y, used)
        place = header + block * PLACE_INTS
        weight = table + block * PLACE_FLOATS
        rows = y_most - y_least + 2
        if rows < 0:  # nothing of the block lies inside
            ints[place] = 0
            continue
        start = y_least * g.width + x_least
        # A window that would reach over the end of the feature starts earlier.
        late = max(0, start + (rows - 1) * g.width + 2 * LANES + 1 - g.height * g.width)
        if rows > SOURCE_ROWS or x_most - x_least + 1 + late >= 2 * LANES or start < late:
            ints[place] = SCATTERED
            ints[place + 1] = 0
            store(ints, place + 2, flat_places(x, y, g.width))
            store(scratch, weight, multiply(before, above))
            store(scratch, weight + LANES, multiply(after, above))
            store(scratch, weight + 2 * LANES, multiply(before, below))
            store(scratch, weight + 3 * LANES, multiply(after, below))
            continue
        places = places_in_window(x, x_least - late, used)
        ints[place] = NEIGHBOURS if rows == 2 and are_neighbours(places) else rows
        ints[place + 1] = start - late
        store(ints, place + 2, places)
        for source in range(rows):
            share = share_of_row(y, y_least + source, above, below)
            store(scratch, weight + 2 * source * LANES, multiply(before, share))
            store(scratch, weight + (2 * source + 1) * LANES, multiply(after, share))


@njit(error_model="numpy", forceinline=True)
def warp_block(scratch, at, step, channels, key, plane, size, table, ints, place, g):
    """Write one placed block of some channels to ``scratch[at:]``, channels ``step`` apart; the first is at ``plane``.

    Channels are the inner loop so that places and weights stay in registers. Pixels are asked for one group of rows
    ahead: rows are too short, and too far apart, to be foreseen along x.
    """
    kind = ints[place]
    here = plane + ints[place + 1]
    places = load(ints, place + 2)
    below = here + g.width
    if kind == NEIGHBOURS:
        a, b = load(scratch, table), load(scratch, table + LANES)
        c, d = load(scratch, table + 2 * LANES), load(scratch, table + 3 * LANES)
        for _ in range(channels):
            prefetch(key, below + ROWS * g.width)
            total = fma(load(key, here + 1), b, multiply(load(key, here), a))
            more = fma(load(key, below + 1), d, multiply(load(key, below), c))
            store(scratch, at, add(total, more))
            at += step
            here += size
            below += size
    elif kind == SCATTERED:
        a, b = load(scratch, table), load(scratch, table + LANES)
        c, d = load(scratch, table + 2 * LANES), load(scratch, table + 3 * LANES)
        for _ in range(channels):
            total = fma(gather(key, here + 1, places), b, multiply(gather(key, here, places), a))
            more = fma(gather(key, below + 1, places), d, multiply(gather(key, below, places), c))
            store(scratch, at, add(total, more))
            at += step
            here += size
            below += size
    elif kind == 2:
        a, b = load(scratch, table), load(scratch, table + LANES)
        c, d = load(scratch, table + 2 * LANES), load(scratch, table + 3 * LANES)
        after = one_further(places)
        for _ in range(channels):
            prefetch(key, below + ROWS * g.width)
            upper = blend_picked(key, here, places, after, a, b)
            store(scratch, at, add(upper, blend_picked(key, below, places, after, c, d)))
            at += step
            here += size
            below += size
    else:
        after = one_further(places)
        for _ in range(channels):
            total = splat(np.float32(0))
            weight, source = table, here
            for _ in range(kind):
                a, b = load(scratch, weight), load(scratch, weight + LANES)
                total = add(total, blend_picked(key, source, places, after, a, b))
                weight += 2 * LANES
                source += g.width
            prefetch(key, source + (ROWS - 1) * g.width)
            store(scratch, at, total)
            at += step
            here += size
