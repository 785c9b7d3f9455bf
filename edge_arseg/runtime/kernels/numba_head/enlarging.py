"""Scores at the feature's size to rows of the class map, computed only where classes meet."""
# mypy: disable-error-code="no-untyped-def, call-arg, var-annotated"

import numpy as np
from numba import njit

from edge_arseg.runtime.kernels.numba.vector import LANES, fma, load, multiply, splat, store
from edge_arseg.runtime.kernels.numba_head.microkernels import (
    fill_bytes,
    store_bytes,
    winners_2,
    winners_3,
    winners_4,
    winners_many,
    winners_there,
)

MIXED = -1
"""No class: the pixels that a block of the class map comes from have several."""


@njit(error_model="numpy")
def find_runs(count, columns, winners, at, step, width, runs):
    """Write for ``count`` source rows and every block of ``LANES`` output columns which class all its source pixels
    have, or ``MIXED``, ``[count][blocks]``; the first row's classes are at ``winners[at]``, the others ``step`` apart.
    """
    blocks = columns.first.size
    for row in range(count):
        here = at + row * step
        for block in range(blocks):
            first = columns.first[block]
            taps = columns.start[block + 1] - columns.start[block]
            last = min(first + (taps if taps else LANES), width)
            found = int(winners[here + first])
            for column in range(first + 1, last):
                if winners[here + column] != found:
                    found = MIXED
            runs[row * blocks + block] = found


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
def write_row(y, source, rows, columns, scores, first, plane, step, width, line, line_at, line_step, runs, row, g):
    """Write row ``y`` of the class map to ``row``, which whole registers are written to.

    Resizing blends scores with weights that are not negative. So where one class wins in all source pixels of an
    output pixel, it wins there too, and nothing needs to be computed.

    Args:
        source: number of its first source row in ``runs``.
        first: place in ``scores`` of that row's class 0; ``plane``, ``step`` and ``width`` as in ``blend_rows``.
        line: working memory, ``[classes]`` rows of ``line_step`` from ``line_at`` on.
        runs: see ``find_runs``.
    """
    ready, blocks = False, columns.first.size
    for block in range(blocks):
        run = runs[source * blocks + block]
        for k in range(1, g.row_taps):
            if runs[(source + k) * blocks + block] != run:
                run = MIXED
        if run != MIXED:
            fill_bytes(row, block * LANES, run)
            continue
        if g.row_taps == 1:
            found = winners_of_block(block, scores, first, plane, columns, g)
        else:
            if not ready:
                blend_rows(first, plane, step, width, y * g.row_taps, rows.weights, scores, line, line_at, line_step, g)
                ready = True
            found = winners_of_block(block, line, line_at, line_step, columns, g)
        store_bytes(row, block * LANES, found)


@njit(error_model="numpy", forceinline=True)
def copy_classes(row, out, at, count):
    """Copy a row of the class map to ``out[at:]``."""
    for x in range(count):
        out[at + x] = np.uint8(row[x])
