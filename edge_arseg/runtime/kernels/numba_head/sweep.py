"""One strip of output rows: scores, rows, columns, winner."""
# mypy: disable-error-code="no-untyped-def, call-arg, var-annotated"

import numpy as np
from numba import njit

from edge_arseg.runtime.kernels.numba.vector import LANES, fma, load, multiply, splat, store
from edge_arseg.runtime.kernels.numba_head.geometry import CLASSES, TILE
from edge_arseg.runtime.kernels.numba_head.microkernels import (
    add_scores,
    store_bytes,
    winners_2,
    winners_3,
    winners_4,
    winners_many,
    winners_there,
)

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
def blend_rows(first, plane, row, width, weights_at, weights, scores, line, line_at, line_step, g):
    """Write one output row of scores, still at the feature's width, to ``line``.

    Args:
        first: place in ``scores`` of the first source row of class 0.
        plane: from one class to the next there.
        row: from one source row to the next.
        width: columns of a source row.
        weights_at: place in ``weights`` of those of the row's ``g.row_taps`` source rows.
        line: ``[classes]`` rows of ``line_step``, from ``line_at`` on.
    """
    for number in range(g.classes):
        source, target = first + number * plane, line_at + number * line_step
        for column in range(0, width, LANES):
            total = multiply(load(scores, source + column), splat(weights[weights_at]))
            for k in range(1, g.row_taps):
                total = fma(load(scores, source + k * row + column), splat(weights[weights_at + k]), total)
            store(line, target + column, total)


@njit(error_model="numpy", forceinline=True)
def winners_of_block(block, values, first, step, columns, g):
    """Return the classes of a block of columns whose scores of class 0 are at ``values[first]``."""
    at = first + columns.first[block]
    begin = columns.start[block]
    count = columns.start[block + 1] - begin
    begin *= LANES
    if count == 0:
        return winners_there(values, at, step, g.classes)
    if count == 2:
        return winners_2(values, at, step, g.classes, columns.weights, begin, count)
    if count == 3:
        return winners_3(values, at, step, g.classes, columns.weights, begin, count)
    if count == 4:
        return winners_4(values, at, step, g.classes, columns.weights, begin, count)
    return winners_many(values, at, step, g.classes, columns.weights, begin, count)


@njit(error_model="numpy", forceinline=True)
def write_winners(values, first, step, columns, row, g):
    """Write the classes of one output row to ``row``; the scores of class 0 are at ``values[first]``."""
    for block in range(columns.first.size):
        store_bytes(row, block * LANES, winners_of_block(block, values, first, step, columns, g))


@njit(error_model="numpy")
def sweep_strip(strip, feature, weights, bias, rows, columns, out, g, scores, line, row):
    """Write one strip of the class map to ``out``; ``scores``, ``line`` and ``row`` are working memory."""
    top = g.first_row + strip * g.strip_rows
    bottom = min(top + g.strip_rows, g.last_row)
    source_top = rows.first[top]
    source_bottom = rows.first[bottom - 1] + g.row_taps
    begin, end = source_top - g.first_row, source_bottom - g.first_row
    score_pixels(begin * g.source_width, end * g.source_width, feature, weights, bias, scores, g)
    for y in range(top, bottom):
        first = TILE + (rows.first[y] - source_top) * g.source_width
        if g.row_taps == 1:
            write_winners(scores, first, g.score_step, columns, row, g)
        else:
            blend_rows(first, g.score_step, g.source_width, g.source_width, y * g.row_taps, rows.weights, scores, line,
                       0, g.line_step, g)  # fmt: skip
            write_winners(line, 0, g.line_step, columns, row, g)
        for x in range(g.width):
            out[(y - g.first_row) * g.width + x] = row[x]
