"""Scores at the feature's size to the class map: one strip of output rows."""
# mypy: disable-error-code="no-untyped-def, call-arg, var-annotated"

from numba import njit

from edge_arseg.runtime.kernels.numba.vector import LANES
from edge_arseg.runtime.kernels.numba_head.microkernels import store_bytes
from edge_arseg.runtime.kernels.numba_head.sweep import blend_rows, winners_of_block

MIXED = -1
"""No class: the pixels that a block of the class map comes from have several."""


@njit(error_model="numpy")
def find_runs(top, bottom, columns, winners, runs, g):
    """Write for source rows ``top`` to ``bottom`` and every block of ``LANES`` output columns which class all its
    source pixels have, or ``MIXED``."""
    blocks = columns.first.size
    for row in range(top, bottom):
        at = row * g.score_row
        for block in range(blocks):
            first = columns.first[block]
            count = columns.start[block + 1] - columns.start[block]
            last = min(first + (count if count else LANES), g.width)
            found = int(winners[at + first])
            for column in range(first + 1, last):
                if winners[at + column] != found:
                    found = MIXED
            runs[(row - top) * blocks + block] = found


@njit(error_model="numpy")
def decode_strip(strip, rows, columns, scores, winners, out, scratch, runs, row, g):
    """Write one strip of the class map.

    Resizing blends scores with weights that are not negative. So where one class wins in all source pixels of an
    output pixel, it wins there too, and nothing needs to be computed.
    """
    top = strip * g.strip_rows
    bottom = min(top + g.strip_rows, g.frame_height)
    source_top = rows.first[top]
    find_runs(source_top, rows.first[bottom - 1] + g.row_taps, columns, winners, runs, g)
    blocks = columns.first.size
    for y in range(top, bottom):
        source = rows.first[y]
        ready = False
        for block in range(blocks):
            run = runs[(source - source_top) * blocks + block]
            for k in range(1, g.row_taps):
                if runs[(source - source_top + k) * blocks + block] != run:
                    run = MIXED
            if run != MIXED:
                for i in range(block * LANES, (block + 1) * LANES):
                    row[i] = run
                continue
            if g.row_taps == 1:
                found = winners_of_block(block, scores, source * g.score_row, g.score_plane, columns, g)
            else:
                if not ready:
                    blend_rows(source * g.score_row, g.score_plane, g.score_row, g.width, y * g.row_taps, rows.weights,
                               scores, scratch, g.line_at, g.score_row, g)  # fmt: skip
                    ready = True
                found = winners_of_block(block, scratch, g.line_at, g.score_row, columns, g)
            store_bytes(row, block * LANES, found)
        for x in range(g.frame_width):
            out[y * g.frame_width + x] = row[x]
