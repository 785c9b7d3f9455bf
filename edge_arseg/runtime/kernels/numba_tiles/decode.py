"""Scores at the feature's size to the class map: one strip of output rows."""
# mypy: disable-error-code="no-untyped-def, call-arg, var-annotated"

from numba import njit

from edge_arseg.runtime.kernels.numba_head.enlarging import copy_classes, find_runs, write_row


@njit(error_model="numpy")
def decode_strip(strip, rows, columns, scores, winners, out, scratch, runs, row, g):
    """Write one strip of the class map."""
    top = strip * g.strip_rows
    bottom = min(top + g.strip_rows, g.frame_height)
    source_top = rows.first[top]
    count = rows.first[bottom - 1] + g.row_taps - source_top
    find_runs(count, columns, winners, source_top * g.score_row, g.score_row, g.width, runs)
    for y in range(top, bottom):
        source = rows.first[y]
        write_row(y, source - source_top, rows, columns, scores, source * g.score_row, g.score_plane, g.score_row,
                  g.width, scratch, g.line_at, g.score_row, runs, row, g)  # fmt: skip
        copy_classes(row, out, y * g.frame_width, g.frame_width)
