"""Rows that enter the attention, pixel by pixel: warped, upsampled, convolved."""
# mypy: disable-error-code="no-untyped-def, call-arg, var-annotated"

import numpy as np
from numba import njit

from edge_arseg.runtime.kernels.numba.vector import LANES, fma, gather, load, multiply, store
from edge_arseg.runtime.kernels.numba_fuse.placement import flat_places, place_axis
from edge_arseg.runtime.kernels.numba_fuse.warp import blend_flow
from edge_arseg.runtime.kernels.numba_tiles.geometry import (
    BEFORE,
    CHANNELS,
    COLUMNS,
    PIECE,
    RING,
    ROWS,
    SIDE,
    TILE_FLOATS,
)
from edge_arseg.runtime.kernels.numba_tiles.packing import (
    blend_four,
    convolve_once,
    convolve_twice,
    pack_keys,
    pack_queries,
    pack_values,
    turn,
)

_BOTH = 2 * SIDE
"""Channels that are paired: 16 pairs fill a row of a tile."""
_X_AT, _Y_AT, _PLACE_AT = SIDE, 2 * SIDE, 3 * SIDE


@njit(error_model="numpy")
def put_pixels(piece, source, target, pixels, channels, padded):
    """Write some pixels of a feature ``[C, pixels]`` to ``[pixels, padded]``."""
    begin, end = piece * PIECE, min(pixels, (piece + 1) * PIECE)
    whole = channels - channels % SIDE if pixels >= SIDE else 0
    for channel in range(0, whole, SIDE):
        for pixel in range(begin, end, SIDE):
            here = min(pixel, pixels - SIDE)
            turn(source, channel * pixels + here, pixels, target, here * padded + channel, padded)
    for channel in range(whole, channels):
        for pixel in range(begin, end):
            target[pixel * padded + channel] = source[channel * pixels + pixel]


@njit(error_model="numpy")
def clear(scratch, at, count):
    """Set ``count`` floats to zero."""
    for i in range(at, at + count):
        scratch[i] = np.float32(0)


@njit(error_model="numpy")
def add_warped_row(row, slot, left, columns, key, flow, factor, flow_x, flow_y, scratch, ints, g):
    """Write a row of the warped keyframe feature; outside the image it is zeros, as the convolution expects."""
    at = g.warped_at + slot * g.warped_row
    if row < 0 or row >= g.height:
        clear(scratch, at, columns * g.padded)
        return
    before = BEFORE + 1
    first, final = max(left - before, 0), min(left - before + columns, g.width) - 1
    blend_flow(row, flow_x.low[first + before], flow_x.high[final + before] + 1, flow, flow_y, scratch, g)
    for block in range(0, columns, LANES):
        column = left + block
        low, high = load(flow_x.low, column), load(flow_x.high, column)
        low_weight, high_weight = load(flow_x.low_weight, column), load(flow_x.high_weight, column)
        dx = multiply(gather(scratch, g.flow_at, low), low_weight)
        dx = fma(gather(scratch, g.flow_at, high), high_weight, dx)
        dy = multiply(gather(scratch, g.flow_at + g.flow_width, low), low_weight)
        dy = fma(gather(scratch, g.flow_at + g.flow_width, high), high_weight, dy)
        w = g.weights_at
        place_axis(column - before, 1, dx, factor, g.width, ints, _X_AT, scratch, w, w + LANES)
        place_axis(row, 0, dy, factor, g.height, ints, _Y_AT, scratch, w + 2 * LANES, w + 3 * LANES)
        store(ints, _PLACE_AT, flat_places(load(ints, _X_AT), load(ints, _Y_AT), g.width))
        for i in range(min(LANES, columns - block)):
            before_x, after_x = scratch[w + i], scratch[w + LANES + i]
            above, under = scratch[w + 2 * LANES + i], scratch[w + 3 * LANES + i]
            source = np.int64(ints[_PLACE_AT + i]) * g.padded
            blend_four(key, source, g.padded, g.width * g.padded, before_x * above, after_x * above, before_x * under,
                       after_x * under, scratch, at + (block + i) * g.padded, g.padded // CHANNELS)  # fmt: skip


@njit(error_model="numpy")
def add_base_row(row, slot, left, columns, lr, lr_x, lr_y, scratch, g):
    """Write a row of the upsampled LR feature; outside the image it is zeros."""
    at = g.base_at + slot * g.base_row
    if row < 0 or row >= g.height:
        clear(scratch, at, columns * g.padded)
        return
    upper, lower = np.int64(lr_y.low[row]), np.int64(lr_y.high[row])
    above, under = lr_y.low_weight[row], lr_y.high_weight[row]
    below = (lower - upper) * g.lr_width * g.padded
    for i in range(columns):
        low, high = np.int64(lr_x.low[left + i]), np.int64(lr_x.high[left + i])
        before_x, after_x = lr_x.low_weight[left + i], lr_x.high_weight[left + i]
        source = (upper * g.lr_width + low) * g.padded
        blend_four(lr, source, (high - low) * g.padded, below, before_x * above, after_x * above, before_x * under,
                   after_x * under, scratch, at + i * g.padded, g.padded // CHANNELS)  # fmt: skip


@njit(error_model="numpy")
def add_seen_pair(row, oldest, slot, left, columns, weights, scratch, g):
    """Write keys and values of rows ``row`` and ``row + 1``; outside the image they are zeros (not the bias).

    ``oldest`` is the warped row that is in slot 0. ``weights`` is ``[padded / 16][20][16]``: taps and bias of the key,
    then of the value.
    """
    r0 = g.warped_at + (row - 1 - oldest) % RING * g.warped_row
    r1 = g.warped_at + (row - oldest) % RING * g.warped_row
    r2 = g.warped_at + (row + 1 - oldest) % RING * g.warped_row
    r3 = g.warped_at + (row + 2 - oldest) % RING * g.warped_row
    apart, line = 2 * TILE_FLOATS * ROWS, 2 * TILE_FLOATS
    temp = g.convolved_at
    key_term = g.padded // 2 * SIDE
    block_floats = g.terms * key_term
    begin, end = BEFORE - left, g.width - left + BEFORE
    inside = row >= 0 and row + 1 < g.height
    for channel in range(0, g.padded, _BOTH):
        keys = g.keys_at + slot * 2 * g.key_row + block_floats + channel // 2 * SIDE
        values = g.values_at + slot * g.terms * g.value_term + channel
        for block in range(0, columns, SIDE):
            column = min(block, columns - SIDE)
            for half in range(2):
                here = column * g.padded + channel + half * LANES
                convolve_twice(scratch, r0 + here, r1 + here, r2 + here, r3 + here, g.padded, weights,
                               (channel // LANES + half) * 20 * LANES, temp + half * LANES, line, apart,
                               SIDE)  # fmt: skip
            if not inside or column < begin or column + SIDE > end:
                for i in range(ROWS):
                    lost = row + i < 0 or row + i >= g.height
                    for pixel in range(SIDE):
                        if lost or column + pixel < begin or column + pixel >= end:
                            clear(scratch, temp + i * line + pixel * _BOTH, _BOTH)
                            clear(scratch, temp + apart + i * line + pixel * _BOTH, _BOTH)
            for i in range(ROWS):
                to = keys + i * g.key_row + column // COLUMNS * block_floats
                pack_keys(scratch, temp + i * line, to, block_floats, key_term, g.terms)
            pack_values(scratch, temp + apart, line, values + column * g.padded, g.padded, g.value_term,
                        g.terms)  # fmt: skip


@njit(error_model="numpy")
def write_queries(row, oldest, columns, weights, scratch, g):
    """Write queries of rows ``row`` and ``row + 1``, block by block; ``weights`` is ``[padded / 16][10][16]``."""
    r0 = g.base_at + (row - 1 - oldest) % RING * g.base_row
    r1 = g.base_at + (row - oldest) % RING * g.base_row
    r2 = g.base_at + (row + 1 - oldest) % RING * g.base_row
    r3 = g.base_at + (row + 2 - oldest) % RING * g.base_row
    temp = g.convolved_at
    term = SIDE * g.padded // 2
    for channel in range(0, g.padded, _BOTH):
        for column in range(0, columns, COLUMNS):
            for half in range(2):
                here = column * g.padded + channel + half * LANES
                convolve_once(scratch, r0 + here, r1 + here, r2 + here, r3 + here, g.padded, weights,
                              (channel // LANES + half) * 10 * LANES, temp + half * LANES, COLUMNS * _BOTH, 0,
                              COLUMNS)  # fmt: skip
            to = g.queries_at + column // COLUMNS * g.terms * term + channel // 2
            pack_queries(scratch, temp, to, g.padded // 2, term, g.terms)
