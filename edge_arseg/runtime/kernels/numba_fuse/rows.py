"""Rows that enter the attention: keys and values of warped rows, queries of upsampled rows, ``ROWS`` at a time."""
# mypy: disable-error-code="no-untyped-def, call-arg, var-annotated"

import numpy as np
from numba import njit

from edge_arseg.runtime.kernels.numba.vector import (
    LANES,
    blend_picked,
    fma,
    gather,
    load,
    multiply,
    prefetch,
    splat,
    store,
)
from edge_arseg.runtime.kernels.numba_fuse.geometry import BEFORE, PLACE_FLOATS, PLACE_INTS, ROWS, SLOTS
from edge_arseg.runtime.kernels.numba_fuse.microkernels import convolve_once, convolve_twice
from edge_arseg.runtime.kernels.numba_fuse.warp import place_row, warp_block

AHEAD = 4
"""Channels between asking for LR pixels and using them: about the time that memory takes to answer."""
TOGETHER = 8
"""Channels that are warped together: few enough streams for the processor to foresee, and for planes whose size is a
power of two, few enough lines that fall on the same set of the cache."""


@njit(error_model="numpy", forceinline=True)
def clear(scratch, at, count):
    """Set ``count`` floats to zero."""
    for i in range(at, at + count):
        scratch[i] = np.float32(0)


@njit(error_model="numpy")
def add_warped_rows(first, oldest, left, blocks, key, flow, factor, flow_x, flow_y, scratch, ints, g):
    """Write warped rows ``first`` to ``first + ROWS`` of every channel, ``[C][SLOTS][warped_width]``.

    ``oldest`` is the row that is in slot 0; rows outside the image are zeros, as the convolution expects.
    """
    floats = g.warped_width // LANES * PLACE_FLOATS
    header = g.warped_width // LANES * PLACE_INTS
    for i in range(ROWS):
        if 0 <= first + i < g.height:
            place_row(first + i, left, blocks, flow, factor, flow_x, flow_y, scratch, g.table_at + i * floats,
                      ints, i * header, ROWS * header, g)  # fmt: skip
    step, size = SLOTS * g.warped_width, g.height * g.width
    for channel in range(0, g.channels, TOGETHER):
        channels = min(TOGETHER, g.channels - channel)
        for block in range(blocks):
            for i in range(ROWS):
                row = first + i
                at = g.warped_at + (row - oldest) % SLOTS * g.warped_width + block * LANES + channel * step
                if 0 <= row < g.height:
                    table = g.table_at + i * floats + block * PLACE_FLOATS
                    place = i * header + block * PLACE_INTS
                    warp_block(scratch, at, step, channels, key, channel * size, size, table, ints, place, g)
                else:
                    for other in range(channels):
                        store(scratch, at + other * step, splat(np.float32(0)))


@njit(error_model="numpy")
def add_seen_rows(first, oldest, left, blocks, slots, weights, scratch, g):
    """Write key and value rows ``first`` to ``first + ROWS`` of every channel to ``slots``, ``[C][seen_width]`` each.

    Pixels outside the image become zeros, which is what the attention expects there (not the bias); to the right only
    those that a pixel of the image sees. ``weights`` is ``[C][20]``: taps and bias of the key, then of the value.
    """
    begin = max(0, BEFORE - left)
    end = min(g.seen_width, g.width - left + BEFORE)
    inside = begin == 0 and end == g.seen_width and first >= 0 and first + ROWS <= g.height
    apart = g.values_at - g.keys_at
    s0, s1, s2 = (first - 1 - oldest) % SLOTS, (first - oldest) % SLOTS, (first + 1 - oldest) % SLOTS
    s3, s4 = (first + 2 - oldest) % SLOTS, (first + 3 - oldest) % SLOTS
    wide = g.warped_width
    for channel in range(g.channels):
        at = g.warped_at + channel * SLOTS * wide
        to = g.keys_at + channel * g.seen_width
        convolve_twice(scratch, at + s0 * wide, at + s1 * wide, at + s2 * wide, at + s3 * wide, at + s4 * wide,
                       to + slots[0], to + slots[1], to + slots[2], apart, SLOTS * wide,
                       weights, channel * 20, blocks)  # fmt: skip
        if inside:
            continue
        for i in range(ROWS):
            for start in (to + slots[i], to + slots[i] + apart):
                if first + i < 0 or first + i >= g.height:
                    clear(scratch, start, g.seen_width)
                clear(scratch, start, begin)
                clear(scratch, start + end, min(BEFORE, g.seen_width - end))


@njit(error_model="numpy", forceinline=True)
def stretch_row(scratch, at, lr, source, ahead, lr_x, windows, left, blocks):
    """Resize one row of one channel of the LR feature, ``lr[source:]``, along x.

    ``lr_x`` has one entry before the image. ``windows`` says for every register of columns where its sources start;
    it is empty where sources are too far apart for a window, then ``lr_x`` counts from the start of the row.
    """
    for block in range(blocks):
        column = left + block * LANES
        low_weight, high_weight = load(lr_x.low_weight, column), load(lr_x.high_weight, column)
        if len(windows):
            here = source + windows[column // LANES]
            prefetch(lr, here + ahead)
            low, high = load(lr_x.low, column), load(lr_x.high, column)
            total = blend_picked(lr, here, low, high, low_weight, high_weight)
        else:
            total = multiply(gather(lr, source, load(lr_x.low, column)), low_weight)
            total = fma(gather(lr, source, load(lr_x.high, column)), high_weight, total)
        store(scratch, at + block * LANES, total)


@njit(error_model="numpy", forceinline=True)
def blend_rows(scratch, upper, lower, upper_weight, lower_weight, at, blocks):
    """Write the weighted sum of two rows to ``at``."""
    a, b = splat(upper_weight), splat(lower_weight)
    for i in range(0, blocks * LANES, LANES):
        store(scratch, at + i, fma(load(scratch, lower + i), b, multiply(load(scratch, upper + i), a)))


@njit(error_model="numpy")
def add_base_rows(first, oldest, left, blocks, lr, lr_x, windows, lr_y, stretched, scratch, g):
    """Write upsampled LR rows ``first`` to ``first + ROWS`` of every channel, ``[C][SLOTS][base_width]``.

    ``stretched`` says which LR rows, even and odd, ``[C][2][base_width]`` holds; neighbours never share a slot.
    """
    wide = g.base_width
    ahead = AHEAD * g.lr_height * g.lr_width
    even, odd = stretched[0], stretched[1]
    for channel in range(g.channels):
        even, odd = stretched[0], stretched[1]
        pair = g.stretched_at + channel * 2 * wide
        plane = channel * g.lr_height * g.lr_width
        for row in range(first, first + ROWS):
            at = g.base_at + (channel * SLOTS + (row - oldest) % SLOTS) * wide
            if row < 0 or row >= g.height:
                clear(scratch, at, wide)
                continue
            low, high = np.int64(lr_y.low[row]), np.int64(lr_y.high[row])
            for source in range(low, high + 1):
                if source != (odd if source % 2 else even):
                    stretch_row(scratch, pair + source % 2 * wide, lr, plane + source * g.lr_width, ahead, lr_x,
                                windows, left, blocks)  # fmt: skip
                    odd, even = (source, even) if source % 2 else (odd, source)
            blend_rows(scratch, pair + low % 2 * wide, pair + high % 2 * wide,
                       lr_y.low_weight[row], lr_y.high_weight[row], at, blocks)  # fmt: skip
    stretched[0], stretched[1] = even, odd


@njit(error_model="numpy")
def write_query_rows(first, oldest, blocks, weights, scratch, g):
    """Write query rows ``first`` to ``first + ROWS`` of every channel, ``[ROWS][C][query_width]``."""
    s0, s1, s2 = (first - 1 - oldest) % SLOTS, (first - oldest) % SLOTS, (first + 1 - oldest) % SLOTS
    s3, s4 = (first + 2 - oldest) % SLOTS, (first + 3 - oldest) % SLOTS
    wide = g.base_width
    for channel in range(g.channels):
        at = g.base_at + channel * SLOTS * wide
        to = g.queries_at + channel * g.query_width
        convolve_once(scratch, at + s0 * wide, at + s1 * wide, at + s2 * wide, at + s3 * wide, at + s4 * wide,
                      to, to + g.query_row, to + 2 * g.query_row, 0, SLOTS * wide,
                      weights, channel * 10, blocks)  # fmt: skip
