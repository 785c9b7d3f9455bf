"""One strip of output rows: scores, rows, columns, winner."""
# mypy: disable-error-code="no-untyped-def, call-arg, var-annotated"

import numpy as np
from numba import njit

from edge_arseg.runtime.kernels.numba.vector import LANES, splat, store
from edge_arseg.runtime.kernels.numba_head.enlarging import copy_classes, find_runs, winners_of_block, write_row
from edge_arseg.runtime.kernels.numba_head.geometry import CLASSES, TILE
from edge_arseg.runtime.kernels.numba_head.microkernels import add_scores, store_bytes, winners_there

CHANNELS_AT_ONCE = 32
"""Channels that are read side by side: more than that, and prefetchers and translation caches lose track."""


@njit(error_model="numpy")
def score_pixels(begin, end, feature, weights, bias, scores, g):
    """Write the scores of the feature's pixels ``begin`` to ``end``; pixel ``begin`` goes to ``scores[TILE]``."""
    splat(np.float32(0))
    last_plane = (g.channels - 1) * g.plane
    # The last tile of the last channel would reach over the end of the feature.
    over = begin + (end - begin - 1) // TILE * TILE
    if over + TILE > g.plane:
        for i in range(TILE):
            scores[i] = feature[last_plane + over + i] if over + i < g.plane else np.float32(0)
    for first in range(0, g.padded_classes, CLASSES):
        for i in range(first, first + CLASSES):
            value = splat(bias[i])
            for at in range(i * g.score_step, (i + 1) * g.score_step, LANES):
                store(scores, TILE + at, value)
        for channel in range(0, g.channels, CHANNELS_AT_ONCE):
            count = min(CHANNELS_AT_ONCE, g.channels - channel)
            weights_at = channel * g.padded_classes + first
            scores_at = TILE + first * g.score_step
            for pixel in range(begin, end, TILE):
                here = channel * g.plane + pixel
                if pixel + TILE > g.plane and channel + count == g.channels:
                    add_scores(
                        feature, here, g.plane, count - 1, TILE, weights, weights_at, g.padded_classes,
                        scores, scores_at + pixel - begin, g.score_step,
                    )  # fmt: skip
                    add_scores(
                        scores, 0, g.plane, 1, 0, weights, weights_at + (count - 1) * g.padded_classes,
                        g.padded_classes, scores, scores_at + pixel - begin, g.score_step,
                    )  # fmt: skip
                else:
                    add_scores(
                        feature, here, g.plane, count, TILE, weights, weights_at, g.padded_classes,
                        scores, scores_at + pixel - begin, g.score_step,
                    )  # fmt: skip


@njit(error_model="numpy", forceinline=True)
def write_classes(count, scores, winners, g):
    """Write the class with the first largest score of each of ``count`` pixels to ``winners``, which are zeros."""
    if g.classes > 1:  # else the loop becomes a call of a C library, which the shipped kernels do without
        for pixel in range(0, count, LANES):
            store_bytes(winners, pixel, winners_there(scores, TILE + pixel, g.score_step, g.classes))


@njit(error_model="numpy")
def sweep_strip(strip, feature, weights, bias, rows, columns, out, g, scores, line, row, winners, runs):
    """Write one strip of the class map to ``out``; what stands behind ``g`` is working memory."""
    top = g.first_row + strip * g.strip_rows
    bottom = min(top + g.strip_rows, g.last_row)
    source_top = rows.first[top]
    source_bottom = rows.first[bottom - 1] + g.row_taps
    begin, end = source_top - g.first_row, source_bottom - g.first_row
    score_pixels(begin * g.source_width, end * g.source_width, feature, weights, bias, scores, g)
    same_size = g.row_taps == 1 and columns.weights.size == 0
    if not same_size:
        write_classes((end - begin) * g.source_width, scores, winners, g)
        find_runs(end - begin, columns, winners, 0, g.source_width, g.source_width, runs)
    for y in range(top, bottom):
        source = rows.first[y] - source_top
        first = TILE + source * g.source_width
        if same_size:
            for block in range(columns.first.size):
                found = winners_of_block(block, scores, first, g.score_step, columns, g)
                store_bytes(row, block * LANES, found)
        else:
            write_row(y, source, rows, columns, scores, first, g.score_step, g.source_width, g.source_width, line, 0,
                      g.line_step, runs, row, g)  # fmt: skip
        copy_classes(row, out, (y - g.first_row) * g.width, g.width)
