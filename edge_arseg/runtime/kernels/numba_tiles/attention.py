"""Local attention and classification of a block of pixels, two rows of eight."""
# mypy: disable-error-code="no-untyped-def, call-arg, var-annotated"

from numba import njit

from edge_arseg.runtime.kernels.numba.vector import LANES, fma, load, splat, store
from edge_arseg.runtime.kernels.numba_head.microkernels import winners_there
from edge_arseg.runtime.kernels.numba_tiles.geometry import CHANNELS, COLUMNS, PAIRS, RING, SIDE
from edge_arseg.runtime.kernels.numba_tiles.products import (
    classify,
    score_tiles,
    soften_lower,
    soften_upper,
    store_halves,
    sum_tiles,
)
from edge_arseg.spec.model import WINDOW


@njit(error_model="numpy", forceinline=True)
def soften_block(scratch, position_bias, g):
    """Turn the similarities of a block into softmax numerators, and write one over their sums.

    Places outside the image have similarity 0 and take part, as in the reference.
    """
    for column in range(COLUMNS):
        bias = column * WINDOW * SIDE
        soften_upper(scratch, g.scores_at + column * SIDE, position_bias, bias, g.shares_at + column * SIDE,
                     g.totals_at + column, g.terms)  # fmt: skip
        pixel = column + COLUMNS
        soften_lower(scratch, g.scores_at + pixel * SIDE, position_bias, bias, g.shares_at + pixel * SIDE,
                     g.totals_at + pixel, g.terms)  # fmt: skip


@njit(error_model="numpy", forceinline=True)
def add_base(scratch, upper, lower, g):
    """Finish the weighted sums of a block, and add the upsampled LR feature, whose rows are at ``upper``, ``lower``."""
    for pixel in range(SIDE):
        base = (upper if pixel < COLUMNS else lower) + pixel % COLUMNS * g.padded
        here = g.sums_at + pixel * g.padded
        scale = splat(scratch[g.totals_at + pixel])
        for channel in range(0, g.padded, LANES):
            total = fma(load(scratch, here + channel), scale, load(scratch, base + channel))
            store(scratch, here + channel, total)


@njit(error_model="numpy", forceinline=True)
def write_scores(row, column, scratch, classifier, bias, scores, winners, g):
    """Classify the pixels of a block, and note the class with the first largest score of each."""
    upper = row * g.score_row + column
    lower = upper + g.score_row
    for first in range(0, g.padded_classes, SIDE):
        classify(scratch, g.sums_at, g.padded, classifier, first, g.padded_classes, bias, first, g.channels,
                 g.classes_at + first * SIDE)  # fmt: skip
    for number in range(g.classes):
        place = number * g.score_plane
        store_halves(scores, place + upper, place + lower, load(scratch, g.classes_at + number * SIDE))
    store_halves(winners, upper, lower, winners_there(scratch, g.classes_at, SIDE, g.classes))


@njit(error_model="numpy")
def attend(row, turn, left, columns, base_oldest, position_bias, classifier, bias, scores, winners, scratch, g):
    """Fuse and classify rows ``row`` and ``row + 1`` of a strip; ``turn`` counts such pairs of a band."""
    term = SIDE * g.padded // 2
    key_pair, value_pair = 2 * g.key_row, g.terms * g.value_term
    upper = g.base_at + (row - base_oldest) % RING * g.base_row + g.padded
    lower = g.base_at + (row + 1 - base_oldest) % RING * g.base_row + g.padded
    k0, k1 = g.keys_at + turn % PAIRS * key_pair, g.keys_at + (turn + 1) % PAIRS * key_pair
    k2, k3 = g.keys_at + (turn + 2) % PAIRS * key_pair, g.keys_at + (turn + 3) % PAIRS * key_pair
    v0, v1 = g.values_at + turn % PAIRS * value_pair, g.values_at + (turn + 1) % PAIRS * value_pair
    v2, v3 = g.values_at + (turn + 2) % PAIRS * value_pair, g.values_at + (turn + 3) % PAIRS * value_pair
    key_term = g.padded // 2 * SIDE
    block_floats = g.terms * key_term
    for column in range(0, columns, COLUMNS):
        block = (1 + column // COLUMNS) * block_floats
        queries = g.queries_at + column // COLUMNS * g.terms * term
        score_tiles(scratch, queries, term, g.padded // 2, k0 + block, k1 + block, k2 + block, k3 + block,
                    g.key_row, key_term, g.padded // 32, g.scores_at, g.terms)  # fmt: skip
        soften_block(scratch, position_bias, g)
        here = column * g.padded
        sum_tiles(scratch, g.shares_at, v0 + here, v1 + here, v2 + here, v3 + here, g.padded, g.value_term, g.sums_at,
                  g.padded // CHANNELS, g.terms)  # fmt: skip
        add_base(scratch, upper + here, lower + here, g)
        write_scores(row, left + column, scratch, classifier, bias, scores, winners, g)
