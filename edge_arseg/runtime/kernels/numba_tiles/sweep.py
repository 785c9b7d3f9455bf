"""One band of a strip, swept from top to bottom with a few rows in the cache."""
# mypy: disable-error-code="no-untyped-def, call-arg"

from numba import njit

from edge_arseg.runtime.kernels.numba_tiles.attention import attend
from edge_arseg.runtime.kernels.numba_tiles.geometry import PAIRS, REACH, RING, ROWS
from edge_arseg.runtime.kernels.numba_tiles.rows import add_base_row, add_seen_pair, add_warped_row, write_queries
from edge_arseg.runtime.kernels.numba_tiles.tiles import begin_tiles, end_tiles


@njit(error_model="numpy")
def sweep_band(
    strip, band, key, flow, factor, lr, lr_x, lr_y, flow_x, flow_y, query_weights, seen_weights, position_bias,
    classifier, bias, scores, winners, scratch, ints, g,
):  # fmt: skip
    """Fuse and classify one band of a strip.

    Args:
        strip: number of the strip, from the left.
        band: number of the band, from the top.
        key: keyframe feature, flat ``[h, w, padded]``.
        flow: flat ``[Hg, Wg, 2]``, luma pixels.
        factor: feature pixels per luma pixel.
        lr: LR feature, flat ``[h', w', padded]``.
        lr_x: ``Axis`` from LR to feature columns, one entry before the image.
        lr_y: ``Axis`` from LR to feature rows.
        flow_x: ``Axis`` from flow to feature columns, five entries before the image.
        flow_y: ``Axis`` from flow to feature rows.
        query_weights: flat ``[padded / 16][10][16]``.
        seen_weights: flat ``[padded / 16][20][16]``, key then value.
        position_bias: flat ``[8][7][16]``.
        classifier: flat ``[channels][padded classes]``.
        bias: ``[padded classes]``.
        scores: flat ``[classes][rows][score_row]``.
        winners: flat ``[rows][score_row]``, the class with the largest score.
        scratch: this thread's floats, laid out by ``g``.
        ints: this thread's working memory.
        g: sizes and places.
    """
    left, top = strip * g.strip_width, band * g.band_height
    bottom = min(g.height, top + g.band_height)
    columns = min(g.strip_width, g.width - left)
    warped_oldest, base_oldest = top - REACH - 1, top - 1
    begin_tiles(ints, 0)
    for turn in range(1 - PAIRS, (bottom - top + 1) // ROWS):
        row = top + ROWS * turn
        seen = row + REACH  # the first of the last two rows that this block sees
        for i in range(-1 if turn == 1 - PAIRS else 1, RING - 1):
            add_warped_row(seen + i, (seen + i - warped_oldest) % RING, left, g.seen_width + 2, key, flow, factor,
                           flow_x, flow_y, scratch, ints, g)  # fmt: skip
        add_seen_pair(seen, warped_oldest, (turn + PAIRS - 1) % PAIRS, left, g.seen_width, seen_weights, scratch, g)
        if turn < 0:
            continue
        for i in range(-1 if turn == 0 else 1, RING - 1):
            add_base_row(row + i, (row + i - base_oldest) % RING, left, g.strip_width + 2, lr, lr_x, lr_y, scratch, g)
        write_queries(row, base_oldest, g.strip_width, query_weights, scratch, g)
        attend(row, turn, left, columns, base_oldest, position_bias, classifier, bias, scores, winners, scratch, g)
    end_tiles()
