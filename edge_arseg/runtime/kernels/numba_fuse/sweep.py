"""One strip of the frame, swept from top to bottom with a few rows in the cache."""
# mypy: disable-error-code="no-untyped-def"

from numba import njit

from edge_arseg.runtime.kernels.numba.registers import LANES
from edge_arseg.runtime.kernels.numba_fuse.attention import attend
from edge_arseg.runtime.kernels.numba_fuse.geometry import BEFORE, ROWS, SLOTS
from edge_arseg.runtime.kernels.numba_fuse.rows import add_base_rows, add_seen_rows, add_warped_rows, write_query_rows


@njit(error_model="numpy")
def sweep_strip(
    strip, band, key, flow, factor, lr, lr_x, windows, lr_y, flow_x, flow_y, query_weights, seen_weights,
    position_bias, out, shift, scratch, ints, places, g,
):  # fmt: skip
    """Fuse one strip.

    Args:
        strip: number of the strip, from the left.
        band: number of the band, from the top.
        key: keyframe feature, flat ``[C, h, w]``.
        flow: flat ``[Hg, Wg, 2]``, luma pixels.
        factor: feature pixels per luma pixel.
        lr: LR feature, flat ``[C, h', w']``.
        lr_x: ``Axis`` from LR to feature columns, one entry before the image.
        windows: see ``stretch_row``.
        lr_y: ``Axis`` from LR to feature rows.
        flow_x: ``Axis`` from flow to feature columns.
        flow_y: ``Axis`` from flow to feature rows.
        query_weights: flat ``[C][10]``.
        seen_weights: flat ``[C][20]``, key then value.
        position_bias: ``[window^2]``.
        out: rows ``g.first_row`` to ``g.last_row`` of the result, flat ``[C, rows, w]``.
        shift: see ``copy_row``.
        scratch: this thread's floats, laid out by ``g``.
        ints: this thread's working memory for ``place_row``.
        places: this thread's ``[32] int64``.
        g: sizes and places.
    """
    left = strip * g.strip_width
    top = g.first_row + band * g.band_height
    bottom = min(g.last_row, top + g.band_height)
    columns = min(g.strip_width, g.width - left)
    # Registers to fill; to the right of the image rows of keys and values stay zero.
    seen_blocks = min(g.seen_width, -(-columns // LANES) * LANES + 2 * BEFORE, g.width - left + BEFORE)
    seen_blocks = -(-seen_blocks // LANES)
    warped_blocks = min(seen_blocks + 1, -(-(g.width - left + BEFORE + 1) // LANES))
    query_blocks = -(-columns // LANES)
    seen = g.seen_rows
    slots = places[:seen]
    key_rows = places[seen : 2 * seen]
    base_rows = places[2 * seen : 2 * seen + ROWS]
    stretched = places[2 * seen + ROWS :]
    stretched[0] = stretched[1] = -1
    # The oldest rows that the rings will hold; the first groups only fill the rows above the strip.
    seen_oldest = top - g.lead + g.reach
    warped_oldest, base_oldest = seen_oldest + 1 - ROWS, top - 2
    for first in range(top - g.lead - ROWS, bottom, ROWS):
        add_warped_rows(first + g.reach + 1, warped_oldest, left, warped_blocks, key, flow, factor, flow_x, flow_y,
                        scratch, ints, g)  # fmt: skip
        if first >= top - g.lead:
            for i in range(ROWS):
                slots[i] = (first + g.reach + i - seen_oldest) % seen * g.seen_row
            add_seen_rows(first + g.reach, warped_oldest, left, seen_blocks, slots, seen_weights, scratch, g)
        if first >= top - ROWS:
            add_base_rows(first + 1, base_oldest, left, query_blocks + 1, lr, lr_x, windows, lr_y, stretched,
                          scratch, g)  # fmt: skip
        if first < top:
            continue
        write_query_rows(first, base_oldest, query_blocks, query_weights, scratch, g)
        for i in range(ROWS):
            base_rows[i] = g.base_at + (first + i - base_oldest) % SLOTS * g.base_width
        for i in range(seen):
            key_rows[i] = (first - g.reach + i - seen_oldest) % seen * g.seen_row
        attend(scratch, first, left, min(ROWS, bottom - first), columns, key_rows, base_rows, position_bias, out, shift,
               g)  # fmt: skip
